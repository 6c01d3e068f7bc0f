"""One text for everything that means the same, another for everything that does not."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.codec import canonical, from_dict, from_json, to_dict, to_json
from shipkit.codec.canon import record
from shipkit.model import (
    Address,
    Contact,
    LabelSpec,
    Money,
    Package,
    Party,
    Payment,
    RateRequest,
    ShipmentRequest,
    Value,
    Weight,
    WeightUnit,
)
from tests.model.making import ROOTS, values

PACKAGE = Package(ref="1", weight=Weight("1.50", WeightUnit.KG))
HOME = Party(address=Address(lines=("1",), country="FR"), contact=Contact(name="Jane"))
REQUEST = ShipmentRequest(ship_from=HOME, ship_to=HOME, packages=(PACKAGE,), reference="1")


@given(st.sampled_from(ROOTS).flatmap(values))
def test_a_value_has_the_same_text_after_a_round_trip(value: Value) -> None:
    again = from_json(to_json(value), type(value))
    assert canonical(again) == canonical(value)
    assert record(again) == record(value)


@given(st.sampled_from(ROOTS).flatmap(values))
def test_the_order_of_members_does_not_matter(value: Value) -> None:
    def backwards(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: backwards(node[key]) for key in reversed(node)}
        return [backwards(item) for item in node] if isinstance(node, list) else node

    assert canonical(from_dict(backwards(to_dict(value)), type(value))) == canonical(value)


SAME: list[dict[str, Any]] = [
    {"packages": (attrs.evolve(PACKAGE, weight=Weight("1.5", WeightUnit.KG)),)},
    {"packages": (attrs.evolve(PACKAGE, weight=Weight("1.500000", WeightUnit.KG)),)},
    {"mark": "X-1"},
    {"metadata": {"a": "b"}},
    {"options": ()},
    {"carrier_options": {}},
    {"references": []},
]
OTHER: list[dict[str, Any]] = [
    {"reference": "2"},
    {"packages": (attrs.evolve(PACKAGE, weight=Weight("1500", WeightUnit.G)),)},
    {"packages": (attrs.evolve(PACKAGE, weight=Weight("1.51", WeightUnit.KG)),)},
    {"packages": (PACKAGE, PACKAGE)},
    {"service": "03"},
    {"ship_on": __import__("datetime").date(2026, 1, 1)},
    {"payment": Payment()},
    {"label": LabelSpec()},
    {"carrier_options": {"acme": {}}},
    {"extras": {"x": 1}},
    {"ship_to": Party(contact=Contact(name="jane"))},
]


@pytest.mark.parametrize("change", SAME)
def test_what_means_the_same_has_the_same_text(change: dict[str, Any]) -> None:
    assert canonical(attrs.evolve(REQUEST, **change)) == canonical(REQUEST)


@pytest.mark.parametrize("change", OTHER)
def test_what_means_something_else_has_another_text(change: dict[str, Any]) -> None:
    assert canonical(attrs.evolve(REQUEST, **change)) != canonical(REQUEST)


def test_two_kinds_of_request_never_share_a_text() -> None:
    rate = RateRequest(ship_from=HOME, ship_to=HOME, packages=(PACKAGE,))
    assert canonical(rate) != canonical(REQUEST, without=("reference",))


def test_members_that_a_client_fills_in_can_be_left_out() -> None:
    filled = attrs.evolve(REQUEST, service="03", mark="M")
    assert canonical(filled, without=("service",)) == canonical(REQUEST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0", "-0.00"),
        ("100", "1E+2"),
        ("1.10", "1.1"),
        ("12345678901234567890123456789012345.60", "12345678901234567890123456789012345.6"),
    ],
)
def test_numbers_are_compared_by_value_whatever_the_context_of_the_thread(one: str, other: str) -> None:
    with localcontext() as context:
        context.prec = 3
        assert canonical(Money(Decimal(one), "EUR")) == canonical(Money(Decimal(other), "EUR"))
    assert canonical(Money("12345678901234567890123456789012345.6", "EUR")) != canonical(
        Money("12345678901234567890123456789012345.7", "EUR")
    )


def test_numbers_in_free_json_are_compared_by_value_and_are_not_text() -> None:
    def with_option(value: Any) -> bytes:
        return canonical(attrs.evolve(REQUEST, carrier_options={"acme": value}))

    assert with_option(Decimal("1.50")) == with_option(Decimal("1.5"))
    assert with_option(Decimal("2.0")) == with_option(2)
    assert len({with_option(value) for value in (1, "1", True, None, Decimal("1.5"), "1.5", [1])}) == 7


def test_the_text_of_a_request_does_not_change_by_accident() -> None:
    assert canonical(REQUEST) == (
        b'ShipmentRequest{"packages":[{"ref":"1","weight":{"unit":"kg","value":"1.5"}}],"reference":"1",'
        b'"ship_from":{"address":{"country":"FR","lines":["1"]},"contact":{"name":"Jane"}},'
        b'"ship_to":{"address":{"country":"FR","lines":["1"]},"contact":{"name":"Jane"}}}'
    )


def test_a_record_covers_what_a_fingerprint_leaves_out() -> None:
    marked = attrs.evolve(REQUEST, mark="M")
    assert record(marked) != record(REQUEST)
