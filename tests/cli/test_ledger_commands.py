"""The ledger as a person meets it: what stands where, whose move it is, what was found out at the carrier."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import Shipment
from shipkit.ledger.identity import base_of, fingerprint, mark_of
from shipkit.ledger.pieces import piece_key
from shipkit.model import BookingState
from shipkit.ports import Claim, Entry
from shipkit.simulator import Simulator
from shipkit.store import SqliteStore
from shipkit.testing.store_values import SHIPMENT
from tests.cli.conftest import Run
from tests.cli.orders import order, table
from tests.core.acme import request

SECRETS = ("Sender", "Receiver", "Depot Road", "Home Street", "75001")


@pytest.fixture
def store(shop: Path, tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "ledger.db")
    yield made
    made.close()


def claim_of(key: str, store: SqliteStore, settle_s: float = 0, parent: tuple[str, int] | None = None) -> Claim:
    asked = request(reference=key.partition("#")[0])
    return Claim(
        key=key,
        generation=1,
        attempt=1,
        operation="create_shipment",
        account="shop",
        carrier="acme",
        fingerprint=fingerprint("create_shipment", "shop", asked),
        base=base_of(store.salt(), key, 1),
        owner="w",
        request=asked,
        lease_s=60,
        settle_s=settle_s,
        attempts_max=3,
        parent=parent,
    )


def with_a_person(
    store: SqliteStore, key: str = "A1", settle_s: float = 0, parent: tuple[str, int] | None = None
) -> Entry:
    """A row that nobody else can end."""
    entry = store.ledger.claim(claim_of(key, store, settle_s, parent))
    assert entry is not None
    store.ledger.doubt(entry, "unavailable")
    store.ledger.needs_person(entry, "nobody to ask")
    return entry


def in_pieces(store: SqliteStore, key: str = "W1") -> None:
    """A whole of two, whose second piece is with a person."""
    names = [piece_key(key, 1, number) for number in (1, 2)]
    assert (
        store.ledger.plan(claim_of(key, store), [claim_of(name, store, parent=(key, 1)) for name in names]) is not None
    )
    with_a_person(store, names[1], parent=(key, 1))


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# Looking -------------------------------------------------------------------------------------------------------------


def test_keys_are_listed_in_order_and_page_by_page(run: Run, shop: Path) -> None:
    run("ship", "--account", "shop", stdin=table(*(order(f"A{n}") for n in range(5))))
    first = run("ledger", "list", "--json", "--limit", "3")
    rest = run("ledger", "list", "--json", "--limit", "3", "--after", "A2")

    assert [row["key"] for row in rows(first.out)] == ["A0", "A1", "A2"]
    assert "--after A2 shows more" in first.err
    assert [row["key"] for row in rows(rest.out)] == ["A3", "A4"] and "more" not in rest.err
    assert [row["key"] for row in rows(run("ledger", "list", "--json", "--prefix", "A4").out)] == ["A4"]
    assert {row["phase"] for row in rows(first.out)} == {"succeeded"}
    assert run("ledger", "list").lines[0].split()[:2] == ["key", "phase"]


def test_rows_are_found_by_phase_and_by_account(run: Run, store: SqliteStore) -> None:
    run("ship", "--account", "shop", stdin=table(order("A0")))
    with_a_person(store)
    in_pieces(store)

    asked = run("ledger", "list", "--json", "--phase", "needs_person")
    assert [row["key"] for row in rows(asked.out)] == ["A1", "W1", "W1#1/2"]  # the whole as its pieces make it
    assert [row["key"] for row in rows(run("ledger", "list", "--json").out)] == ["A0", "A1", "W1"]
    assert rows(run("ledger", "list", "--json", "--account", "shop", "--phase", "succeeded").out)[0]["key"] == "A0"
    assert run("ledger", "list", "--account", "nobody").code == 2


def test_one_key_is_shown_with_its_trail_and_whose_move_it_is(run: Run, shop: Path, acme: Simulator) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1")))
    shown, data = run("ledger", "show", "A1"), rows(run("ledger", "show", "A1", "--json").out)[0]

    assert shown.code == 0 and "the trail is whole" in shown.out
    assert shown.lines[-1].startswith("nobody: booked")
    assert [step["event"] for step in data["trail"]] == ["claim", "book"]
    assert data["next"]["whose_move"] == "nobody" and data["trail_broken_at"] is None
    assert run("ledger", "show", "A9").code == 2


def test_a_whole_is_shown_with_its_pieces(run: Run, store: SqliteStore) -> None:
    in_pieces(store)
    data = rows(run("ledger", "show", "W1", "--json").out)[0]

    assert [(piece["key"], piece["phase"]) for piece in data["pieces"]] == [
        ("W1#1/1", "new"),
        ("W1#1/2", "needs_person"),
    ]
    assert data["phase"] == "needs_person" and data["next"]["whose_move"] == "person"
    assert "shipkit ledger resolve W1#1/2" in data["next"]["text"]
    assert mark_of(base_of(store.salt(), "W1#1/2", 1), 1) in data["next"]["text"]
    assert "W1#1/2" in run("ledger", "show", "W1").out


@pytest.mark.parametrize("command", [("list",), ("show", "A1"), ("show", "W1"), ("audit",)])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_person_is_named_unless_that_is_asked_for(
    run: Run, store: SqliteStore, acme: Simulator, command: tuple[str, ...], form: tuple[str, ...]
) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1")))
    in_pieces(store)
    (booking,) = acme.bookings()
    told = run("ledger", *command, *form).out
    asked = run("ledger", *command, *form, "--personal").out

    assert told and not [word for word in (*SECRETS, "Ada", booking.id, *booking.numbers) if word in told]
    if command != ("show", "W1"):
        assert booking.id in asked
    if command[0] == "show":
        assert '"ship_to"' in asked


# The trail -----------------------------------------------------------------------------------------------------------


def test_the_trail_of_all_keys_is_told_and_one_that_was_changed_is_found(run: Run, shop: Path, tmp_path: Path) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1"), order("A2")))
    told, whole = run("ledger", "audit", "--json"), run("ledger", "audit", "--verify")
    assert [(row["key"], row["event"]) for row in rows(told.out)] == [
        (key, event) for key in ("A1", "A2") for event in ("claim", "book")
    ]
    assert (whole.code, whole.out, whole.err) == (0, "", "2 keys, 4 lines: all whole\n")

    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("UPDATE shipkit_step SET attempt = 9 WHERE key = 'A2' AND number = 2")
    database.close()
    changed, one = run("ledger", "audit", "--verify"), run("ledger", "show", "A2")
    assert changed.code == 1 and changed.out == "A2: line 2 does not fit\n"
    assert one.code == 1 and "the trail was changed: line 2" in one.out


# Deciding ------------------------------------------------------------------------------------------------------------


def test_what_a_person_found_is_entered_and_the_key_answers_again(run: Run, store: SqliteStore) -> None:
    with_a_person(store)
    done = run("ledger", "resolve", "A1", "--booked", "S77", "--tracking", "AWB77", "--note", "seen in the portal")

    assert done.code == 0 and done.lines[0] == "A1 is succeeded"
    entry = store.ledger.read("A1")
    assert entry is not None and entry.booking == "S77"
    shown = rows(run("ledger", "show", "A1", "--json").out)[0]
    assert [step["event"] for step in shown["trail"]][-1] == "book"


def test_what_a_person_entered_is_told_of_as_that_and_waits_for_no_paper(run: Run, store: SqliteStore) -> None:
    with_a_person(store)
    done = run("ledger", "resolve", "A1", "--booked", "S77", "--note", "seen in the portal")
    assert done.lines[-1].startswith("nobody: booked, as a person entered it")


def test_a_row_that_nothing_tries_any_more_says_whose_move_it_is(run: Run, store: SqliteStore) -> None:
    for key in ("A1", "A2"):
        entry = store.ledger.claim(claim_of(key, store))
        assert entry is not None
        store.ledger.book(entry, "S1", pending(), False, False)
    store.ledger.want_void("A2")
    told = {key: run("ledger", "show", key).lines[-1] for key in ("A1", "A2")}
    assert told["A1"].startswith("shipkit: booked, papers") and told["A2"].startswith("shipkit: it is being cancelled")
    for key in ("A1", "A2"):
        entry = store.ledger.read(key)
        assert entry is not None
        store.ledger.look_again(entry, None)
    told = {key: run("ledger", "show", key).lines[-1] for key in ("A1", "A2")}
    assert told["A1"].startswith("host: booked, papers did not come")
    assert told["A2"].startswith("person: cancelling it came to no end")


def pending() -> Shipment:
    return attrs.evolve(SHIPMENT, state=BookingState.LABEL_PENDING)


def test_what_is_not_there_ends_the_row_with_a_note(run: Run, store: SqliteStore) -> None:
    with_a_person(store)
    assert run("ledger", "resolve", "A1", "--not-booked").code == 2  # without a note
    done = run("ledger", "resolve", "A1", "--not-booked", "--note", "asked Kim at Acme", "--json")

    (row,) = rows(done.out)
    assert (done.code, row["phase"], row["note"]) == (0, "closed", "asked Kim at Acme")
    assert run("ship", "--account", "shop", stdin=table(order("A1"))).code == 0


def test_not_there_counts_only_when_everything_has_settled(run: Run, store: SqliteStore) -> None:
    entry = with_a_person(store, settle_s=600)
    done = run("ledger", "resolve", "A1", "--not-booked", "--note", "not in the portal")

    assert done.code == 1 and entry.settle_at is not None
    assert entry.settle_at.strftime("%H:%M:%SZ") in done.err
    assert "A1 is needs_person" in done.out and run("ledger", "close", "A1", "--note", "n").code == 1


def test_a_decision_about_a_whole_is_about_the_piece_that_waits_for_it(run: Run, store: SqliteStore) -> None:
    in_pieces(store)
    done = run("ledger", "resolve", "W1", "--booked", "S78")
    assert done.code == 0 and done.lines[0] == "W1#1/2 is succeeded"
    piece = store.ledger.read("W1#1/2")
    assert piece is not None and piece.booking == "S78"
    assert re.match("host: 1 of 2 bookings stand", run("ledger", "show", "W1").lines[-1])


@pytest.mark.parametrize("said", [(), ("--booked", "S1", "--not-booked", "--note", "n")])
def test_exactly_one_thing_is_found(run: Run, store: SqliteStore, said: tuple[str, ...]) -> None:
    with_a_person(store)
    assert run("ledger", "resolve", "A1", *said).code == 2
    entry = store.ledger.read("A1")
    assert entry is not None and entry.phase.value == "needs_person"


def test_a_key_that_goes_on_by_itself_is_not_closed(run: Run, shop: Path) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1")))
    done = run("ledger", "close", "A1", "--note", "n")
    assert done.code == 1 and "A1 is succeeded" in done.out


def test_recovery_says_of_a_whole_how_far_it_is_and_buys_nothing(run: Run, store: SqliteStore, acme: Simulator) -> None:
    names = [piece_key("W1", 1, number) for number in (1, 2)]
    pieces = [claim_of(name, store, parent=("W1", 1)) for name in names]
    assert store.ledger.plan(claim_of("W1", store), pieces) is not None
    with_a_person(store, names[0], parent=("W1", 1))
    assert run("ledger", "resolve", "W1", "--booked", "S78").code == 0
    sent = store.ledger.claim(pieces[1])
    assert sent is not None
    store.ledger.doubt(sent, "unavailable")

    (row,) = rows(run("ledger", "recover", "--json").out)
    assert row == {"key": "W1", "status": "booked in part"}
    assert acme.bookings() == ()
    assert run("ledger", "show", "W1").lines[-1].startswith("host: 1 of 2 bookings stand")
