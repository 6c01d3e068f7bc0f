"""Files of orders worked through: each row once, the bad ones said and the others done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from shipkit.model import FieldRule, Problem, ShipmentRequest
from shipkit.simulator import Simulator
from tests.cli.conftest import Run
from tests.cli.orders import NAME, STREET, json_order, order, table
from tests.core.acme import Acme, acme_facts


def rows(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_orders_are_booked_and_their_labels_written(run: Run, shop: Path, acme: Simulator, tmp_path: Path) -> None:
    text = table(order("A1"), order("A2", weight="2", weight_unit="oz"), order("A2", weight="3", weight_unit="oz"))
    done = run("ship", "--account", "shop", stdin=text)

    assert done.code == 0
    assert [booking.reference for booking in acme.bookings()] in (["A1", "A2"], ["A2", "A1"])
    numbers = {number for booking in acme.bookings() for number in booking.numbers}
    assert len(numbers) == 3 and all(number in done.out for number in numbers)
    labels = sorted(path.name for path in (tmp_path / "labels").iterdir())
    assert labels == ["A1-1.pdf", "A2-1.pdf", "A2-2.pdf"]
    assert (tmp_path / "labels" / "A1-1.pdf").read_bytes().startswith(b"%PDF-")
    assert done.err == "2 rows: 2 booked\n"


def test_the_same_file_again_buys_nothing_and_writes_the_same_labels(
    run: Run, shop: Path, acme: Simulator, tmp_path: Path
) -> None:
    text = table(order("A1"), order("A2"))
    first = run("ship", "--account", "shop", stdin=text)
    labels = {path.name: path.read_bytes() for path in (tmp_path / "labels").iterdir()}
    again = run("ship", "--account", "shop", "--labels", "again", stdin=text)

    assert (first.code, again.code) == (0, 0)
    assert len(acme.bookings()) == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == labels
    assert first.out == again.out.replace("again/", "labels/").replace("again", "labels")


def test_a_bad_row_is_named_with_its_line_and_every_field_while_the_others_go_on(
    run: Run, shop: Path, acme: Simulator
) -> None:
    text = table(
        order("A1"),
        order("A2", weight="-1", ship_to__country="FRA", service="NOWHERE"),
        order("A3", weight_unit="", ship_to__city=""),
        order("A4", weight="1.5kg"),
        order("A5"),
    )
    done = run("ship", "--account", "shop", stdin=text)

    assert done.code == 1
    assert sorted(booking.reference for booking in acme.bookings()) == ["A1", "A5"]
    told = {tuple(line.split(":")[0].split(", ")) for line in done.err.splitlines() if line.startswith("line")}
    assert {
        ("line 3", "weight"), ("line 3", "ship_to.country"), ("line 3", "service"),
        ("line 4", "weight_unit"), ("line 4", "ship_to.city"), ("line 5", "weight"),
    } <= told  # fmt: skip
    assert {line for line, *_ in told} == {"line 3", "line 4", "line 5"}
    assert "5 rows: 2 booked, 3 invalid" in done.err
    assert NAME not in done.err and STREET not in done.err


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"weight": "0"}, "weight", "not_positive"),
        ({"weight": "-2.5"}, "weight", "out_of_range"),
        ({"weight_unit": ""}, "weight_unit", "unit_missing"),
        ({"weight_unit": "stone"}, "weight_unit", "unknown_value"),
        ({"weight": "heavy"}, "weight", "malformed"),
        ({"service": "AIR"}, "service", "unknown_value"),
        ({"service": ""}, "service", "missing"),
        ({"label__format": "zpl"}, "label.format", "not_offered"),
        ({"options__signature": "adult"}, "options.signature", "not_offered"),
        ({"ship_to__lines__1": "x" * 101}, "ship_to.lines.1", "too_long"),
        ({"ship_to__lines__1": "a\x07b"}, "ship_to.lines.1", "bad_characters"),
        ({"reference": "é" * 3}, "reference", "bad_characters"),
        ({"ship_to__country": ""}, "ship_to.country", "missing"),
        ({"account": "nobody"}, "account", "unknown_value"),
    ],
)  # fmt: skip
def test_each_rule_is_told_with_the_column_that_breaks_it(
    run: Run, shop: Path, acme: Simulator, changes: dict[str, str], field: str, code: str
) -> None:
    done = run("ship", "--account", "shop", "--json", stdin=table(order("A1", **changes)))
    (row,) = rows(done.out)

    assert done.code == 1 and row["status"] == "invalid"
    found = [(p["field"], p["code"]) for p in row["problems"]]  # type: ignore[attr-defined]
    assert (field, code) in found
    assert {p["line"] for p in row["problems"]} == {2}  # type: ignore[attr-defined]
    assert acme.bookings() == ()


def test_a_float_in_json_is_refused_with_its_path(run: Run, shop: Path) -> None:
    value = json_order()
    value["packages"][0]["weight"]["value"] = 1.5
    done = run("ship", "--account", "shop", "--json", stdin=json.dumps([value], indent=1))
    (row,) = rows(done.out)

    problem = {"line": 2, "field": "/packages/0/weight/value", "path": "/packages/0/weight/value"}
    assert done.code == 1
    assert problem.items() <= row["problems"][0].items()  # type: ignore[index]
    assert row["problems"][0]["code"] == "float_refused"  # type: ignore[index]


def _demands(monkeypatch: pytest.MonkeyPatch, problems: object) -> None:
    monkeypatch.setattr(Acme, "problems", problems, raising=False)
    monkeypatch.setattr("shipkit.carrier._ABLE", {})


@pytest.mark.parametrize("cells", [{"weight": "-1"}, {"weight_unit": ""}, {"weight": "heavy"}])
def test_what_the_plugin_demands_is_told_beside_a_weight_that_cannot_be_read(
    run: Run, shop: Path, acme: Simulator, monkeypatch: pytest.MonkeyPatch, cells: dict[str, str]
) -> None:
    def demands(carrier: object, request: ShipmentRequest) -> Iterator[Problem]:
        assert all(package.weight.grams for package in request.packages)
        yield Problem(path="/packages/0/weight/value", code="too_heavy", text="never said twice of one thing")
        yield Problem(path="/ship_to/address/city", code="bad_characters", text="Acme spells it otherwise")

    _demands(monkeypatch, demands)
    done = run("ship", "--account", "shop", stdin=table(order("A1", **cells)))

    told = done.err.splitlines()
    assert done.code == 1 and acme.bookings() == ()
    assert "line 2, ship_to.city: Acme spells it otherwise (bad_characters) [/ship_to/address/city]" in told
    assert any(line.startswith("line 2, weight") for line in told)
    assert len([line for line in told if "/packages/0/weight/value" in line]) <= 1


def test_a_plugin_that_cannot_look_at_half_a_request_hides_no_other_problem(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _demands(monkeypatch, lambda carrier, request: iter((request.ship_to.nothing,)))
    done = run("ship", "--account", "shop", stdin=table(order("A1", weight="-1", service="AIR")))

    assert {line.split(":")[0] for line in done.err.splitlines()} == {"line 2, weight", "line 2, service", "1 rows"}


def test_a_line_that_cannot_be_read_is_told_once(run: Run, shop: Path, acme: Simulator) -> None:
    done = run("ship", "--account", "shop", stdin=f'{json.dumps(json_order("A1"))}\n{{"reference": \n[]\n')

    assert done.code == 1
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["line 2", "line 3", "3 rows"]
    assert [booking.reference for booking in acme.bookings()] == ["A1"]


def test_a_file_that_is_no_json_is_refused_whole(run: Run, shop: Path) -> None:
    done = run("ship", "--account", "shop", stdin="[" * 100_000)

    assert done.code == 2 and done.err == "shipkit ship: the file is nested too deeply\n"


def test_what_a_carrier_prints_shorter_is_warned_of_with_its_column(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = FieldRule(path="/ship_to/address/city", max_length=30, printed=15)
    facts = attrs.evolve(acme_facts(), field_rules=(rule,))
    monkeypatch.setattr("tests.core.acme.acme_facts", lambda: facts)
    done = run(
        "ship", "--account", "shop", stdin=table(order("A1"), order("A2", ship_to__city="Saint-Remy-en-Bouzemont"))
    )

    assert done.code == 0
    assert done.err.splitlines() == [
        "line 3, ship_to.city: warning: Acme Parcel takes its 23 characters and prints 15 of them (printed_shortened)",
        "2 rows: 2 booked",
    ]


def test_json_orders_give_json_results_in_their_order(run: Run, shop: Path, acme: Simulator) -> None:
    values = [{**json_order(f"A{n}"), "key": f"k{n}"} for n in range(1, 31)]
    text = "\n".join(json.dumps(value) for value in values)
    done = run("ship", "--account", "shop", "--json", "--jobs", "6", stdin=text)
    results = rows(done.out)

    assert done.code == 0
    assert [row["key"] for row in results] == [f"k{n}" for n in range(1, 31)]
    assert [row["line"] for row in results] == list(range(1, 31))
    first = results[0]["result"]
    assert first["schema"] == "shipkit/shipment" and first["key"] == "k1"  # type: ignore[index,call-overload]
    assert "content" not in json.dumps(first)
    assert len(acme.bookings()) == 30


def test_the_key_is_the_column_key_else_the_reference(run: Run, shop: Path, acme: Simulator) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1", key="order-1")))
    conflict = run("ship", "--account", "shop", "--json", stdin=table(order("A2", key="order-1")))
    by_reference = run("ship", "--account", "shop", stdin=table(order("A1")))

    assert rows(conflict.out)[0]["status"] == "conflict" and conflict.code == 1
    assert by_reference.code == 0
    assert len(acme.bookings()) == 2


def test_a_second_row_with_the_same_key_is_told_so(run: Run, shop: Path, acme: Simulator) -> None:
    done = run("ship", "--account", "shop", stdin=table(order("A1"), order("A2"), order("A1")))

    assert done.code == 1
    assert "line 4, key: line 2 has the same key (duplicate)" in done.err
    assert len(acme.bookings()) == 2


def test_a_refusal_keeps_the_carriers_words_and_its_line(run: Run, shop: Path, acme: Simulator) -> None:
    done = run("ship", "--account", "shop", stdin=table(order("refuse"), order("A2")))

    assert done.code == 1
    assert re.search(r"^line 2: refused: .*postcode not served", done.err, re.MULTILINE)
    assert [booking.reference for booking in acme.bookings()] == ["A2"]


def test_a_lost_answer_is_found_by_the_same_call(run: Run, shop: Path, acme: Simulator) -> None:
    acme.add_fault("drop_after_commit")
    done = run("ship", "--account", "shop", stdin=table(order("A1")))

    assert done.code == 0 and len(acme.bookings()) == 1


def test_what_is_in_doubt_is_said_and_recovered_later(run: Run, shop: Path, acme: Simulator) -> None:
    acme.add_fault("drop_after_commit")
    acme.add_fault("503", operation="find_shipments", times=None, when="before")
    done = run("ship", "--account", "shop", stdin=table(order("A1")))
    assert done.code == 1 and "1 in doubt" in done.err
    still = run("ledger", "recover", "--json")
    assert still.code == 1 and rows(still.out)[0]["status"] == "in doubt"

    acme.faults.clear()
    assert run("ledger", "recover").err == "nothing is due; 1 keys wait, and --now looks at them\n"
    recovered = run("ledger", "recover", "--now", "--json")
    (row,) = rows(recovered.out)
    assert (recovered.code, row["status"], row["key"]) == (0, "booked", "A1")
    assert run("ledger", "recover").err == "nothing was open\n"
    assert run("ship", "--account", "shop", stdin=table(order("A1"))).code == 0
    assert len(acme.bookings()) == 1


def test_prices_are_asked_of_every_account_and_one_that_fails_is_a_line(run: Run, shop: Path, acme: Simulator) -> None:
    shop.write_text(shop.read_text() + '[accounts.broken]\ncarrier = "acme"\nclient_id = "x"\nclient_secret = "wrong"\n'
                    f'base_url = "{acme.url}/v2"\n')  # fmt: skip
    done = run("rates", stdin=table(order("A1")))

    assert done.code == 0
    assert re.search(r"^2 +A1 +shop +priced +HOME +4\.90 EUR$", done.out, re.MULTILINE)
    assert re.search(r"^2 +A1 +broken +authentication", done.out, re.MULTILINE)
    only = run("rates", "--account", "broken", stdin=table(order("A1")))
    assert only.code == 1 and "authentication" in only.err
    assert "hush" not in done.out + done.err and "wrong" not in only.out + only.err


def test_parcels_are_followed_by_number_and_by_the_key_of_their_order(run: Run, shop: Path, acme: Simulator) -> None:
    orders = table(order("A1", weight="1"), order("A1", weight="2"))
    run("ship", "--account", "shop", stdin=orders)
    acme.advance(40 * 3600)
    (booking,) = acme.bookings()
    by_number = run("track", "--account", "shop", "--number", booking.numbers[0])
    by_key = run("track", "--json", stdin=orders)
    by_table = run("track", "--account", "shop", stdin=f"number\n{booking.numbers[1]}\nunknown\n")

    assert by_number.code == 0 and "delivered" in by_number.out
    (row,) = rows(by_key.out)
    assert row["result"]["milestone"] == "delivered"  # type: ignore[index,call-overload]
    assert len(row["result"]["pieces"]) == 2  # type: ignore[index,call-overload]
    assert by_table.code == 1 and "line 3: not found" in by_table.err


def test_what_was_booked_is_cancelled_by_its_key(run: Run, shop: Path, acme: Simulator) -> None:
    orders = table(order("A1"), order("A2"), order("A3"))
    run("ship", "--account", "shop", stdin=orders)
    by_key = run("cancel", "--key", "A1", "--key", "nothing")
    by_file = run("cancel", "--account", "shop", stdin=table(order("A1"), order("A2")))

    assert by_key.code == 1 and "line 2, /key: nothing was booked under this key" in by_key.err
    assert by_file.code == 0 and by_file.out.count("voided") >= 2
    live = [booking.reference for booking in acme.bookings() if booking.live]
    assert live == ["A3"]


def test_a_cancellation_for_another_account_is_refused(run: Run, shop: Path, acme: Simulator) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1")))
    shop.write_text(shop.read_text().replace("[accounts.shop]", "[accounts.other]"))
    done = run("cancel", "--account", "other", "--key", "A1")

    assert done.code == 1 and "was booked at shop" in done.err
    assert acme.bookings()[0].live


def test_papers_come_out_of_the_ledger_once_more(run: Run, shop: Path, acme: Simulator, tmp_path: Path) -> None:
    run("ship", "--account", "shop", stdin=table(order("A1")))
    before = len(acme.requests())
    done = run("documents", "--key", "A1", "--labels", "copies")

    assert done.code == 0
    assert (tmp_path / "copies" / "A1-1.pdf").read_bytes() == (tmp_path / "labels" / "A1-1.pdf").read_bytes()
    assert len(acme.requests()) == before


def test_papers_of_a_key_that_booked_nothing_are_refused_with_the_reason(run: Run, shop: Path) -> None:
    done = run("documents", "--key", "nothing")

    assert done.code == 1 and "line 1, /key: nothing was booked here under this key" in done.err


def test_a_table_of_collections_can_be_given_to_cancel_them(run: Run, shop: Path) -> None:
    done = run("cancel", stdin="reference,day,ready,close,pickup_from.city\nP1,2026-12-01,09:00,17:00,Berlin\n")

    assert done.code == 1 and "line 2, key: nothing was booked under this key" in done.err


def test_labels_that_cannot_be_written_cost_no_booking(run: Run, shop: Path, acme: Simulator, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("a file in the way")
    done = run("ship", "--account", "shop", stdin=table(order("A1")))
    again = run("ship", "--account", "shop", "--labels", "free", stdin=table(order("A1")))

    assert done.code == 1 and "cannot be written" in done.err
    assert again.code == 0 and (tmp_path / "free" / "A1-1.pdf").is_file()
    assert len(acme.bookings()) == 1


def test_two_orders_of_one_reference_do_not_overwrite_each_others_labels(run: Run, shop: Path, tmp_path: Path) -> None:
    text = table(order("A/1", key="k1"), order("B"), order("A/1", key="k2"))
    run("ship", "--account", "shop", "--jobs", "1", stdin=text)

    assert sorted(path.name for path in (tmp_path / "labels").iterdir()) == ["A_1-1.pdf", "A_1.k2-1.pdf", "B-1.pdf"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "reason"),
    [
        (("ship", "--account", "nobody"), "reference\nA\n", "there is no such account; there are: shop"),
        (("ship", "absent.csv", "--account", "shop"), "", "cannot be read: No such file"),
        (("ship", "--account", "shop"), "reference,zzz\nA,1\n", "column zzz means nothing"),
        (("ship", "--account", "shop", "--format", "xml"), "", "--format"),
        (("ship", "--account", "shop", "--unknown"), "", "--unknown"),
        (("ship", "--account", "shop", "--jobs", "0"), "", "--jobs"),
        (("ship", "--config", "absent.toml"), "reference\nA\n", "there is no file absent.toml"),
        (("shipp",), "", "did you mean ship?"),
        (("simulate", "nobody"), "", "no plugin for nobody"),
        (("demo", "--fault", "earthquake"), "", "drop_after_commit"),
    ],
)
def test_a_call_that_is_wrong_ends_with_2_and_a_reason(
    run: Run, shop: Path, arguments: tuple[str, ...], stdin: str, reason: str
) -> None:
    done = run(*arguments, stdin=stdin)

    assert done.code == 2 and done.out == ""
    assert reason in done.err
    assert "Traceback" not in done.err


def test_a_configuration_that_is_wrong_ends_with_2_and_every_reason(run: Run, shop: Path) -> None:
    shop.write_text('[accounts.shop]\ncarrier = "acme"\nclient_idd = "hush"\n[settings]\nattempt = 1\n')
    done = run("ship", stdin=table(order()))

    assert done.code == 2
    assert "line 3, column 1" in done.err and "line 5, column 1" in done.err and "hush" not in done.err


def test_a_readable_secret_is_warned_of(run: Run, shop: Path) -> None:
    shop.chmod(0o644)
    done = run("track", "--number", "X", "--account", "shop")

    assert "everybody on this machine can read it" in done.err and "hush-hush" not in done.err


def test_one_account_needs_no_naming_and_none_is_said(run: Run, shop: Path, acme: Simulator) -> None:
    assert run("ship", stdin=table(order("A1"))).code == 0
    shop.write_text("")
    done = run("ship", stdin=table(order("A2")))
    assert done.code == 1 and "none is configured" in done.err


def test_an_empty_file_of_orders_is_no_failure(run: Run, shop: Path) -> None:
    assert run("ship", stdin="reference\n").code == 0
    assert run("ship", "--json", stdin="[]").code == 0
