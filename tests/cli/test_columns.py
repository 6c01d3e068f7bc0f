"""A table says all that a request can say, in columns whose names follow from the model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.cli.rows import Row, Spot, Target, read_rows
from shipkit.cli.rows.columns import column_of, name_of, names_of
from shipkit.codec import draft_from_dict, from_dict, to_dict
from shipkit.errors import InputError
from shipkit.model import (
    DocumentQuery,
    PickupRequest,
    ProblemCode,
    RateRequest,
    ReturnRequest,
    ShipmentRequest,
    TrackQuery,
)
from shipkit.model.base import Value
from shipkit.testing.strategies import pickup_requests, return_requests, shipment_requests
from shipkit_mondialrelay import MondialRelay
from shipkit_ups import Ups

UPS = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3")
RELAY = MondialRelay(enseigne="BDTEST13", private_key="PrivateK")
ORDERS = Target(root=ShipmentRequest, returns=True)


def cells(data: Any, root: type[Value], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, str]]:
    """The columns and cells of a request's JSON."""
    name = name_of(root, path) if path else ""
    column = column_of(root, name) if path else None
    kind = column.kind if column is not None else ""
    if isinstance(data, list) and kind == "set":
        yield name, ";".join(data)
    elif isinstance(data, (dict, list)) and kind == "mixed":
        yield name, json.dumps(data)
    elif isinstance(data, (dict, list)):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, item in items:
            yield from cells(item, root, (*path, key))
    elif isinstance(data, bool):
        yield name, "yes" if data else "no"
    else:
        yield name, str(data)


def members(value: Value) -> dict[str, Any]:
    return {name: item for name, item in to_dict(value).items() if name not in ("schema", "v")}


def table(header: list[str], *rows: list[str], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def one_row(*columns: tuple[str, str], target: Target = ORDERS) -> Row:
    (row,) = read_rows(table([name for name, _ in columns], [cell for _, cell in columns]), target)
    return row


@given(st.one_of(shipment_requests(UPS), shipment_requests(RELAY)))
def test_any_shipment_stands_in_one_row_of_a_table(request: ShipmentRequest) -> None:
    row = one_row(*cells(members(request), ShipmentRequest))

    assert row.problems == ()
    assert from_dict(row.data, ShipmentRequest) == request
    assert row.key == request.reference


@given(return_requests(UPS))
def test_any_way_back_stands_in_one_row_of_a_table(request: ReturnRequest) -> None:
    whole = members(request)
    columns = [*cells(whole.pop("shipment"), ShipmentRequest)]
    columns += [("return" if name == "kind" else f"return.{name}", cell) for name, cell in cells(whole, ReturnRequest)]
    row = one_row(*columns)

    assert row.way_back is not None
    assert from_dict({**row.way_back, "shipment": row.data}, ReturnRequest) == request


@given(pickup_requests(UPS))
def test_any_collection_stands_in_one_row_of_a_table(request: PickupRequest) -> None:
    row = one_row(*cells(members(request), PickupRequest), target=Target(root=PickupRequest))

    assert from_dict(row.data, PickupRequest) == request


@given(shipment_requests(UPS).filter(lambda request: len(request.packages) > 1))
def test_an_order_of_several_packages_may_have_a_row_for_each(request: ShipmentRequest) -> None:
    whole = members(request)
    packages = whole.pop("packages")
    shared = dict(cells(whole, ShipmentRequest))
    rows = [
        {
            **(shared if index == 0 else {"reference": shared["reference"]}),
            **dict(cells({"packages": [one]}, ShipmentRequest)),
        }
        for index, one in enumerate(packages)
    ]
    header = list(dict.fromkeys(name for row in rows for name in row))
    (row,) = read_rows(table(header, *([each.get(name, "") for name in header] for each in rows)), ORDERS)

    assert from_dict(row.data, ShipmentRequest) == request


@pytest.mark.parametrize("root", [ShipmentRequest, RateRequest, PickupRequest, TrackQuery, DocumentQuery])
def test_every_column_that_is_offered_means_something(root: type[Value]) -> None:
    names = names_of(root)

    assert names
    assert [name for name in names if column_of(root, name) is None] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ship_to.name", "ship_to/contact/name"),
        ("ship_to.contact.name", "ship_to/contact/name"),
        ("ship_to.lines.2", "ship_to/address/lines/1"),
        ("weight", "packages/EACH/weight/value"),
        ("weight.2", "packages/1/weight/value"),
        ("packages.2.weight", "packages/1/weight/value"),
        ("weight_unit", "packages/EACH/weight/unit"),
        ("customs.lines.1.unit_value_currency", "customs/lines/0/unit_value/currency"),
        ("service_point.id", "service_point/id"),
        ("metadata.shop", "metadata/shop"),
    ],
)
def test_what_goes_without_saying_may_be_left_out(name: str, path: str) -> None:
    column = column_of(ShipmentRequest, name)

    assert column is not None
    assert "/".join(str(part) for part in column.path) == path


@pytest.mark.parametrize("name", ["", "zip", "weight.0", "weight.x", "ship_to", "ship_to.address.zip", "weight_units"])
def test_a_column_that_means_nothing_is_refused_by_name(name: str) -> None:
    column = column_of(ShipmentRequest, name)
    assert column is None or column.kind == "json"
    if column is None and name:
        with pytest.raises(InputError, match=f"column {name} means nothing"):
            read_rows(table(["reference", name], ["1", "2"]), ORDERS)


def test_a_misspelt_column_is_told_what_was_meant_and_all_are_named() -> None:
    with pytest.raises(InputError) as refused:
        read_rows(b"reference,wieght,ship_to.citty,reference\n1,2,3,4\n", ORDERS)

    told = str(refused.value)
    assert "did you mean weight?" in told and "did you mean ship_to.city?" in told
    assert "column reference stands there twice" in told


def test_units_without_a_number_are_those_of_every_package_that_has_none_of_its_own() -> None:
    row = one_row(
        ("weight", "1.5"), ("weight.2", "20"), ("weight_unit", "kg"), ("weight_unit.2", "oz"),
        ("length", "30"), ("width", "20"), ("height", "10"), ("height.2", "5"), ("dimensions_unit", "cm"),
    )  # fmt: skip

    first, second = row.data["packages"]
    assert first["weight"] == {"value": "1.5", "unit": "kg"}
    assert second["weight"] == {"value": "20", "unit": "oz"}
    assert {side["unit"] for side in first["dimensions"].values()} == {"cm"}
    assert second["dimensions"] == {"height": {"value": "5", "unit": "cm"}}


def test_a_unit_is_never_taken_from_nowhere() -> None:
    row = one_row(("weight", "1.5"), ("length", "3"), ("length_unit", "in"), ("width", "2"))
    _, problems = draft_from_dict(dict(row.data), ShipmentRequest)

    found = {row.spot(problem).field for problem in problems if problem.code is ProblemCode.UNIT_MISSING}
    assert found == {"weight_unit", "width_unit"}


def test_options_are_columns_of_their_own() -> None:
    row = one_row(
        ("options.signature", "adult"), ("options.saturday_delivery", "yes"), ("options.no_neighbour", "no"),
        ("options.insurance", "9.50"), ("options.insurance_currency", "EUR"), ("options.notify.channels", "email; sms"),
    )  # fmt: skip

    assert row.data["options"] == [
        {"code": "signature", "value": "adult"},
        {"code": "saturday_delivery"},
        {"code": "insurance", "value": {"amount": "9.50", "currency": "EUR"}},
        {"code": "notify", "value": {"channels": ["email", "sms"]}},
    ]


def test_a_whole_object_may_be_given_as_json() -> None:
    given = {"id": "U1", "country": "US"}
    row = one_row(("service_point", json.dumps(given)), ("carrier_options.acme", '{"a": 1.50}'))

    assert row.data["service_point"] == given
    assert str(row.data["carrier_options"]["acme"]["a"]) == "1.50"


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ((("service_point", "{"),), "service_point"),
        ((("service_point", "{}"), ("service_point.id", "U1")), "service_point.id"),
        ((("service_point.id", "U1"), ("service_point", "{}")), "service_point"),
        ((("options.saturday_delivery", "perhaps"),), "options.saturday_delivery"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_by_its_column(columns: tuple[tuple[str, str], ...], field: str) -> None:
    row = one_row(*columns)

    assert [row.spot(problem) for problem in row.problems] == [Spot(2, field)]
    assert "perhaps" not in str(row.problems)


@pytest.mark.parametrize(
    ("name", "cell", "field"),
    [
        ("weight", "1,5", "weight"),
        ("customs.lines.1.quantity", "many", "customs.lines.1.quantity"),
        ("label.copies", "2.5", "label.copies"),
        ("ship_on", "tomorrow", "ship_on"),
        ("payment.payer", "nobody", "payment.payer"),
        ("pinned", "maybe", "pinned"),
    ],
)
def test_what_a_cell_may_not_say_is_named_by_its_column_and_never_repeated(name: str, cell: str, field: str) -> None:
    row = one_row((name, cell))
    _, problems = draft_from_dict(dict(row.data), ShipmentRequest)

    assert Spot(2, field) in [row.spot(problem) for problem in problems]
    assert not any(cell in problem.text for problem in problems)


def test_a_missing_value_is_named_by_the_column_that_would_hold_it() -> None:
    row = one_row(("reference", "A1"), ("ship_to.city", "Paris"), ("customs.lines.2.description", "Cups"))
    _, problems = draft_from_dict(dict(row.data), ShipmentRequest)

    found = {row.spot(problem).field for problem in problems}
    assert {"ship_from", "packages", "ship_to.country", "customs.purpose", "customs.lines.1.quantity"} <= found


def test_rows_of_one_order_are_told_where_they_differ() -> None:
    text = table(
        ["reference", "ship_to.city", "weight", "weight_unit", "weight.2"],
        ["A", "Paris", "1", "kg", ""],
        ["A", "Lyon", "2", "kg", ""],
        ["B", "Paris", "1", "kg", ""],
        ["B", "", "2", "", "3"],
    )  # fmt: skip
    first, second = read_rows(text, ORDERS)

    assert [first.spot(problem) for problem in first.problems] == [Spot(3, "ship_to.city")]
    assert "Lyon" not in str(first.problems)
    assert [second.spot(problem) for problem in second.problems] == [Spot(5, "weight.2")]
    _, problems = draft_from_dict(dict(second.data), ShipmentRequest)
    assert Spot(5, "weight_unit") in [second.spot(problem) for problem in problems]
