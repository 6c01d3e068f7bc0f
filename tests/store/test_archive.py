"""What retention and erasure take away, and what stays whatever they do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shipkit.model as model
from shipkit.codec import Profile, split, to_dict, to_json
from shipkit.codec.erasing import erased
from shipkit.model.base import Value
from shipkit.model.marks import PERSONAL
from shipkit.ports import Phase
from shipkit.store.audit import broken_at
from shipkit.testing.store_values import SHIPMENT, VOIDED, WITH_BOTH, Hands, claim, plain
from tests.core.acme import request
from tests.model.making import values
from tests.store.world import Worlds

DAY = timedelta(days=1)
# Of a row that has ended nothing but its bodies may go.
BODIES = ("request", "result", "void_result", "purged_at", "next_at")


@pytest.fixture
def full(durable: str, worlds: Worlds, clock: Hands) -> Any:
    """A key of every kind: booked, voided, refused with a further booking, and one in doubt."""
    store = worlds.store(durable, clock)
    for key in ("booked", "voided", "refused", "doubtful", "open-stray"):
        entry = store.claim(claim(key, watch_s=0.0))
        if key == "doubtful":
            store.doubt(entry, "silence")
        elif key == "refused":
            store.refuse(entry, "no")
        else:
            store.book(entry, f"B-{key}", WITH_BOTH, True, False)
    for key in ("booked", "open-stray"):
        store.book(store.read(key), "second", attrs.evolve(WITH_BOTH, shipment_id="S2"), True)
    store.end_stray(store.strays("booked")[0], "voided")
    store.voided(store.want_void("voided"), VOIDED, None)
    clock.at += 10 * 86_400
    return store


def stays(store: Any) -> Any:
    """Everything that no purge and no erasure may touch."""
    rows = [{k: v for k, v in (plain(row) or {}).items() if k not in BODIES} for row in store.entries()]
    strays = [(s.key, s.generation, s.booking, s.attempt, s.phase) for row in rows for s in store.strays(row["key"])]
    return rows, strays


def test_bodies_go_first_and_only_of_keys_that_have_ended(full: Any) -> None:
    before, open_ones = stays(full), [plain(full.read(key)) for key in ("doubtful", "open-stray")]

    purged = full.purge(full.now() - DAY, full.now() - 30 * DAY)

    assert (purged.bodies, purged.documents) == (3, 0)
    assert stays(full) == before
    assert [plain(full.read(key)) for key in ("doubtful", "open-stray")] == open_ones
    booked = full.read("booked")
    assert booked.result is None and not booked.request.text and booked.purged_at == full.now()
    assert not full.strays("booked")[0].result.text


def test_documents_go_later_and_a_second_purge_finds_nothing(full: Any) -> None:
    full.purge(full.now() - DAY, full.now() - 30 * DAY)
    purged = full.purge(full.now() - DAY, full.now() - DAY)
    assert (purged.bodies, purged.documents) == (0, 2)
    again = full.purge(full.now() - DAY, full.now() - DAY)
    assert (again.bodies, again.documents) == (0, 0)


def test_nothing_is_purged_before_its_time(full: Any) -> None:
    rows = [plain(row) for row in full.entries()]
    purged = full.purge(full.now() - 20 * DAY, full.now() - 20 * DAY)
    assert (purged.bodies, purged.documents) == (0, 0)
    assert [plain(row) for row in full.entries()] == rows


def test_a_purged_key_is_used_for_good(full: Any) -> None:
    full.purge(full.now(), full.now())
    assert full.claim(claim("booked")) is None
    assert full.claim(claim("booked", 2)) is None
    assert full.read("booked").phase is Phase.SUCCEEDED


def test_the_trail_tells_of_every_purge_and_is_whole(full: Any) -> None:
    full.purge(full.now(), full.now())
    full.forget(["booked"])
    steps = full.history("booked")
    assert broken_at(steps) is None
    assert [step.detail for step in steps if step.event == "purge"] == ["bodies", "documents", "forgotten"]


def test_what_is_forgotten_leaves_no_name_and_no_label_anywhere(full: Any) -> None:
    before = stays(full)
    names = {word for word in personal_words() if len(word) > 3}
    assert any(name in "".join(full.export("booked")) for name in names)

    told = full.forget(["booked", "doubtful", "nobody"])

    assert (told.rows, told.open) == (1, ("doubtful",))
    assert stays(full) == before
    lines = "".join(full.export("booked"))
    assert not [name for name in names if name in lines]
    assert all(not json.loads(line).get("documents") for line in full.export("booked"))


def personal_words() -> set[str]:
    return marked(request()) | marked(WITH_BOTH)


def test_an_export_has_a_line_for_every_row_booking_and_event(full: Any) -> None:
    lines = [json.loads(line) for line in full.export()]
    kinds = [line["kind"] for line in lines]
    keys = [row.key for row in full.entries()]
    assert kinds.count("entry") == 5 and kinds.count("stray") == 2
    assert kinds.count("step") == sum(len(full.history(key)) for key in keys)
    booked = next(line for line in lines if line["kind"] == "entry" and line["key"] == "booked")
    assert booked["request"]["schema"] == "shipkit/shipment-request" and len(booked["documents"]) == 2
    assert {line["key"] for line in map(json.loads, full.export("vo"))} == {"voided"}


def marked(value: Any) -> set[str]:
    """Every text in a personal field of *value*, at any depth."""
    found: set[str] = set()
    if isinstance(value, (tuple, list)):
        return found.union(*map(marked, value))
    if isinstance(value, Value):
        for field in attrs.fields(type(value)):
            item, mark = getattr(value, field.name), field.metadata.get(PERSONAL)
            if mark is not None and mark.mask != "keep":
                found |= {text for text in (item if isinstance(item, tuple) else (item,)) if isinstance(text, str)}
            else:
                found |= marked(item)
    return found


@given(st.sampled_from([model.ShipmentRequest, model.Shipment, model.ReturnRequest, model.Pickup]).flatmap(values))
def test_what_is_erased_shows_nothing_that_was_marked_personal(value: Any) -> None:
    text, blobs = split(value)
    left = erased(text, blobs).decode()
    assert json.loads(left)["schema"] == json.loads(text)["schema"]
    # A text that also stands in a field of its own (a code, a unit) is no trace of anybody.
    other = {leaf for leaf in marked(value) if len(leaf) > 3 and json.dumps(leaf, ensure_ascii=False) in left}
    unmarked = json.dumps(to_dict(value, profile=Profile.LOG), ensure_ascii=False, default=str)
    assert not [leaf for leaf in other if json.dumps(leaf, ensure_ascii=False) not in unmarked]
    assert "$blobs" not in left and '"content"' not in left


def test_what_nobody_can_read_is_blanked_whole() -> None:
    assert erased(b"{") == b"" == erased(b'{"schema": "shipkit/nothing"}')
    assert json.loads(erased(to_json(SHIPMENT)))["service"] == "HOME"


def whole_of(store: Any, pieces: int) -> tuple[Any, list[Any]]:
    """A whole with its pieces planned, and claims for these."""
    of = [claim(f"w#1/{number}", parent=("w", 1), watch_s=0.0) for number in range(1, pieces + 1)]
    return store.plan(claim("w", watch_s=0.0), of), of


def test_a_piece_is_purged_only_with_its_whole(durable: str, worlds: Worlds, clock: Hands) -> None:
    store = worlds.store(durable, clock)
    _, (first, second) = whole_of(store, 2)
    store.book(store.claim(first), "B1", WITH_BOTH, True, False)
    clock.at += 10 * 86_400
    assert store.purge(store.now(), store.now()).bodies == 0, "the second is still to be bought"
    assert store.forget(["w"]).open == ("w", "w#1/1", "w#1/2")

    store.book(store.claim(second), "B2", WITH_BOTH, True, False)
    clock.at += 86_400
    purged = store.purge(store.now() - 5 * DAY, store.now() - 5 * DAY)
    assert purged.bodies == 0, "the whole ended a day ago"
    assert store.read("w#1/1").purged_at is None
    clock.at += 10 * 86_400
    assert store.purge(store.now() - 5 * DAY, store.now() - 5 * DAY).bodies == 3


def test_a_piece_of_a_whole_on_its_way_back_is_not_purged(durable: str, worlds: Worlds, clock: Hands) -> None:
    store = worlds.store(durable, clock)
    whole, (first, _) = whole_of(store, 2)
    store.book(store.claim(first), "B1", WITH_BOTH, True, False)
    store.undo(whole, "rejected A17")
    assert (store.read("w#1/1").phase, store.read("w#1/2").phase) == (Phase.VOIDING, Phase.VOIDED)
    clock.at += 10 * 86_400
    assert store.purge(store.now(), store.now()).bodies == 0
    store.voided(store.read("w#1/1"), VOIDED, None)
    assert store.end_parent(store.read("w")).phase is Phase.REJECTED
    clock.at += 10 * 86_400
    assert store.purge(store.now(), store.now()).bodies == 3


def test_a_booking_whose_papers_nobody_fetches_any_more_is_purged_and_forgotten(
    durable: str, worlds: Worlds, clock: Hands
) -> None:
    store = worlds.store(durable, clock)
    for key in ("entered", "purged", "waiting"):
        store.book(store.claim(claim(key, watch_s=0.0)), f"B-{key}", SHIPMENT, False, False)
        if key != "waiting":
            store.look_again(store.read(key), None)
    clock.at += 10 * 86_400
    assert store.forget(["entered", "waiting"]) == type(store.forget([]))(rows=1, open=("waiting",))
    assert store.purge(store.now(), store.now()).bodies == 1
    assert store.read("waiting").purged_at is None
