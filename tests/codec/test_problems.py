"""Everything that is wrong is named at once, by path and rule, and no text quotes what was given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.codec import draft_from_dict, from_dict, from_json, schema_name, to_dict
from shipkit.errors import InputError
from shipkit.model import (
    Address,
    Contact,
    Document,
    EventTime,
    Option,
    Package,
    PickupRequest,
    RateQuote,
    ServicePoint,
    ServicePointQuery,
    ShipmentRequest,
    Timeline,
    TransitEstimate,
    Value,
    Weight,
)
from tests.model.making import JSON, ROOTS, values


def problems(data: Any, cls: type[Value]) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        from_dict(data, cls)
    return {problem.path: str(problem.code) for problem in caught.value.problems}


BROKEN = {
    "ship_from": {"address": {"lines": "Main Street 1", "country": 33}},
    "packages": [
        {"ref": 1, "weight": 2},
        {"ref": "b", "weight": {"value": 1.5}, "dimensions": {"length": {"value": "long", "unit": "in"}}},
        7,
        {"ref": "d", "weight": {"value": "-1", "unit": "kg"}, "handling": ["fragile", None]},
    ],
    "label": {"size": {"format": "a7"}},
    "options": [
        {"code": "signature", "value": "nobody"},
        {"code": "teleport"},
        {"code": "saturday_delivery", "value": 1},
    ],
    "carrier_options": [],
    "ship_on": "2026-02-30",
}


def test_every_problem_of_a_request_is_named_in_one_error() -> None:
    assert problems(BROKEN, ShipmentRequest) == {
        "/ship_from/address/lines": "malformed",
        "/ship_from/address/country": "malformed",
        "/packages/0/ref": "malformed",
        "/packages/0/weight": "unit_missing",
        "/packages/1/weight/value": "float_refused",
        "/packages/1/weight/unit": "unit_missing",
        "/packages/1/dimensions/length/value": "malformed",
        "/packages/2": "malformed",
        "/packages/3/weight/value": "out_of_range",
        "/packages/3/handling/1": "malformed",
        "/label/size/format": "unknown_value",
        "/options/0/value": "unknown_value",
        "/options/1/code": "unknown_value",
        "/options/2/value": "malformed",
        "/carrier_options": "malformed",
        "/ship_on": "malformed",
        "/ship_to": "missing",
        "/reference": "missing",
    }


def test_a_draft_holds_what_could_be_read_and_none_where_something_could_not() -> None:
    draft, found = draft_from_dict(BROKEN, ShipmentRequest)
    assert {problem.path for problem in found} == set(problems(BROKEN, ShipmentRequest))
    assert isinstance(draft, ShipmentRequest)
    assert draft.ship_to is None
    assert len(draft.packages) == 4
    assert draft.packages[1].ref == "b"
    assert draft.packages[1].weight.value is None
    assert draft.packages[2] is None
    assert draft.packages[3].handling == {"fragile"}
    assert draft.ship_on is None
    assert draft.references == ()
    assert repr(draft)


def test_a_draft_that_lacks_one_of_several_texts_can_be_shown() -> None:
    draft, _ = draft_from_dict({"lines": ["1 Main Street", 5], "country": "FR"}, Address)
    assert draft.lines == ("1 Main Street", None)
    assert "Main" not in repr(draft)


def test_a_draft_without_problems_is_the_value() -> None:
    data = {"ship_from": {}, "ship_to": {}, "reference": "1", "packages": []}
    assert draft_from_dict(data, ShipmentRequest) == (from_dict(data, ShipmentRequest), ())


@pytest.mark.parametrize("data", [None, 1, "text", [], [{}], True])
def test_what_is_no_object_is_one_problem_and_a_draft_all_the_same(data: Any) -> None:
    assert problems(data, ShipmentRequest) == {"": "malformed"}
    draft, found = draft_from_dict(data, ShipmentRequest)
    assert isinstance(draft, ShipmentRequest)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("data", "cls", "found"),
    [
        ({"value": "1"}, Weight, {"/unit": "unit_missing"}),
        ({"value": "1", "unit": "stone"}, Weight, {"/unit": "unknown_value"}),
        ({"value": 1.5, "unit": "kg"}, Weight, {"/value": "float_refused"}),
        ({"value": True, "unit": "kg"}, Weight, {"/value": "malformed"}),
        ({"value": "NaN", "unit": "kg"}, Weight, {"/value": "malformed"}),
        ({"value": "1e9999", "unit": "kg"}, Weight, {"/value": "malformed"}),
        ({"value": None, "unit": "kg"}, Weight, {"/value": "missing"}),
        ({"ref": "1", "weight": "2 kg"}, Package, {"/weight": "unit_missing"}),
        ({"ref": "1", "weight": []}, Package, {"/weight": "malformed"}),
        ({"kind": "label", "format": "pdf", "content": "a=b"}, Document, {"/content": "malformed"}),
        ({"kind": "label", "format": "pdf", "content": "YWJj\nYWJj"}, Document, {"/content": "malformed"}),
        ({"kind": "label", "format": "pdf", "pages": 1.0}, Document, {"/pages": "malformed"}),
        ({"kind": "label", "format": "pdf", "pages": "1"}, Document, {"/pages": "malformed"}),
        ({"kind": "label", "format": 1}, Document, {"/format": "malformed"}),
        ({"local": "2026-03-01T10:00:00Z", "precision": "minute"}, EventTime, {"/local": "malformed"}),
        ({"local": "20260301", "precision": "day"}, EventTime, {"/local": "malformed"}),
        ({"local": "2026-W01-1", "precision": "day"}, EventTime, {"/local": "malformed"}),
        ({"computed_at": "2026-03-01T10:00:00"}, TransitEstimate, {"/computed_at": "malformed"}),
        ({"computed_at": "2026-03-01"}, TransitEstimate, {"/computed_at": "malformed"}),
        ({"computed_at": "0001-01-01T00:00:00+10:00"}, TransitEstimate, {"/computed_at": "out_of_range"}),
        ({"country": "FR", "near": {"latitude": "1"}}, ServicePointQuery, {"/near/longitude": "missing"}),
        ({"country": "FR", "near": {"lines": 1, "country": "FR"}}, ServicePointQuery, {"/near/lines": "malformed"}),
        ({"code": "insurance", "value": {"amount": "1"}}, Option, {"/value/currency": "missing"}),
        ({"code": "cod", "value": "10 EUR"}, Option, {"/value": "malformed"}),
        ({"code": "delivery_on", "value": "tomorrow"}, Option, {"/value": "malformed"}),
        (
            {"a/b": 1, "localized": {"La/tn~": {"lines": 1}}, "lines": [], "country": "FR"},
            Address,
            {"/localized/La~1tn~0/lines": "malformed"},
        ),
    ],
)
def test_each_rule_is_named_by_its_code_at_its_path(data: Any, cls: type[Value], found: dict[str, str]) -> None:
    assert problems(data, cls) == found


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"value": "-1", "unit": "kg"}, [("/value", "out_of_range")]),
        ({"value": "-1"}, [("/value", "out_of_range"), ("/unit", "unit_missing")]),
        ({"value": "-1", "unit": "stone"}, [("/value", "out_of_range"), ("/unit", "unknown_value")]),
        ({"value": 1.5}, [("/value", "float_refused"), ("/unit", "unit_missing")]),
        (-1, [("", "out_of_range"), ("", "unit_missing")]),
        ("-1", [("", "out_of_range"), ("", "unit_missing")]),
        (1.5, [("", "unit_missing")]),
        ("heavy", [("", "unit_missing")]),
    ],
)
def test_a_number_without_its_unit_is_held_to_the_rules_of_numbers_too(data: Any, found: list[tuple[str, str]]) -> None:
    with pytest.raises(InputError) as caught:
        from_dict(data, Weight)
    assert sorted((p.path, str(p.code)) for p in caught.value.problems) == sorted(found)
    assert sorted((p.path, str(p.code)) for p in draft_from_dict(data, Weight)[1]) == sorted(found)


def test_the_value_of_an_option_is_read_by_its_code() -> None:
    assert from_dict({"code": "safe_place", "value": "2026-01-01"}, Option).value == "2026-01-01"
    assert from_dict({"code": "safe_place", "value": "adult"}, Option) == Option(code="safe_place", value="adult")  # type: ignore[arg-type]
    assert str(from_dict({"code": "delivery_on", "value": "2026-01-01"}, Option).value) == "2026-01-01"


def test_whole_numbers_are_exact_and_taken() -> None:
    assert from_dict({"value": 2, "unit": "kg"}, Weight) == Weight(2, "kg")  # type: ignore[arg-type]


def test_a_fraction_in_json_is_refused_where_we_want_text() -> None:
    with pytest.raises(InputError) as caught:
        from_json(b'{"value": 1.5, "unit": "kg"}', Weight)
    assert [(problem.path, str(problem.code)) for problem in caught.value.problems] == [("/value", "float_refused")]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"nul", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe\x00", b"{}{}", b"[" * 100_000,
     b'{"x":' * 50_000, b"9" * 5000, b'{"name":"\xff"}'],
)  # fmt: skip
def test_text_that_is_not_json_is_an_input_error(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        from_json(text, Contact)
    assert [str(problem.code) for problem in caught.value.problems] == ["malformed"]


def test_json_nested_too_deeply_is_an_input_error_wherever_it_stands() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"x": deep}
    for data, cls in ((deep, Contact), ({"extras": deep}, Contact)):
        assert set(problems(data, cls).values()) == {"malformed"}
    piece: dict[str, Any] = {}
    for _ in range(5_000):
        piece = {"pieces": [piece]}
    with pytest.raises(InputError):
        from_dict(piece, Timeline)


def test_another_document_is_refused_by_its_stamp() -> None:
    assert problems({"schema": "shipkit/rate-request", "v": 1, "confirmation": "1"}, PickupRequest) == {
        "/schema": "inconsistent"
    }


@pytest.mark.parametrize("version", [0, -1, "1", True, 1.0, [], {}])
def test_a_version_that_is_no_number_from_one_is_refused(version: Any) -> None:
    assert problems({"schema": "shipkit/rate-quote", "v": version}, RateQuote) == {"/v": "malformed"}


SECRET = "Jane Doe 0612345678"


@given(st.sampled_from(ROOTS).flatmap(values).map(to_dict), st.data())
def test_any_damage_to_a_document_ends_in_a_value_or_an_input_error(
    document: dict[str, Any], data: st.DataObject
) -> None:
    cls = next(cls for cls in ROOTS if schema_name(cls) == document["schema"])
    holder: Any = document
    for _ in range(data.draw(st.integers(0, 3))):
        parts = holder.values() if isinstance(holder, dict) else holder
        inner = [part for part in parts if isinstance(part, (dict, list)) and part]
        if not inner:
            break
        holder = data.draw(st.sampled_from(inner))
    key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else list(range(len(holder)))))
    holder[key] = data.draw(st.sampled_from([None, SECRET, 1.5, -1, [], {}, [SECRET], {"value": SECRET}, True]) | JSON)
    try:
        from_dict(document, cls)
    except InputError as error:
        assert error.problems
        assert "Jane" not in str(error)
        draft, found = draft_from_dict(document, cls)
        assert isinstance(draft, cls)
        assert found == error.problems
        assert repr(draft)


@given(JSON)
def test_any_json_at_all_ends_in_a_value_or_an_input_error(data: Any) -> None:
    for cls in (ShipmentRequest, Contact, ServicePoint):
        try:
            from_json(json.dumps(data, default=str), cls)
        except InputError as error:
            assert error.problems
