"""The reader's rules, and errors that name the path."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import ReplyError
from shipkit.flow import Request, Response
from shipkit.model import DocumentFormat, Money
from shipkit.readers import Reader, named, wire
from tests.core.script import LOOK, START

reader = Reader()


@reader.hook(Money)
def money_from_wire(row: dict[str, Any]) -> Money:
    return Money(Decimal(row["amount"]), row["currency"])


@wire
class Row:
    product: str
    price: Money
    days: int | None = None
    label: bytes | None = None
    format: DocumentFormat | None = None
    from_: str = named("from", default="")


@wire
class Reply:
    rates: tuple[Row, ...]
    ok: bool = True


def response(body: object) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=200, content=content, request=LOOK, received_at=START)


def read(body: object) -> Reply:
    return reader.read(response(body), Reply)


PRICE = {"amount": "4.90", "currency": "EUR"}


def test_one_element_or_a_list_or_nothing_is_a_tuple() -> None:
    row = {"product": "HOME", "price": PRICE}
    assert len(read({"rates": row}).rates) == 1
    assert len(read({"rates": [row, row]}).rates) == 2
    assert read({"rates": ""}).rates == read({"rates": None}).rates == read({"rates": {}}).rates == ()


def test_blank_and_null_and_empty_are_absent_where_a_value_may_be_absent() -> None:
    for nothing in ("", None, {}):
        row = read({"rates": {"product": "HOME", "price": PRICE, "days": nothing, "label": nothing}}).rates[0]
        assert (row.days, row.label) == (None, None)


def test_numbers_come_as_text_and_text_as_numbers() -> None:
    row = read({"rates": {"product": 12, "price": {"amount": 4.90, "currency": "EUR"}, "days": "3"}}).rates[0]
    assert (row.product, row.days, row.price.amount) == ("12", 3, Decimal("4.9"))


def test_unknown_members_are_ignored_and_unknown_enum_values_kept() -> None:
    row = read({"rates": {"product": "H", "price": PRICE, "format": "hologram", "more": 1, "from": "x"}}).rates[0]
    assert row.format is not None and row.format.value == "hologram"
    assert row.from_ == "x"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"rates": [{"product": "H"}]}, "$.rates[0].price"),
        (
            {"rates": [{"product": "H", "price": PRICE}, {"product": "H", "price": PRICE, "days": "soon"}]},
            "$.rates[1].days",
        ),
        ({"rates": {"product": "H", "price": {"amount": "x", "currency": "EUR"}}}, "$.rates[0].price"),
        ({"rates": [7]}, "$.rates[0]"),
        ({"rates": {"product": "H", "price": PRICE, "label": "no base64!"}}, "$.rates[0].label"),
        ({"rates": [], "ok": "perhaps"}, "$.ok"),
        ({}, "$.rates"),
        ([], "$"),
        (b"", "$"),
        (b"<html>502</html>", "$"),
        (b'{"rates": NaN}', "$"),
        (b"\xff\xfe", "$"),
        (b"[" * 1_000_000, "$"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(body: object, path: str) -> None:
    with pytest.raises(ReplyError) as caught:
        read(body)
    assert path in caught.value.paths
    assert "@ " + path in str(caught.value)


def test_an_error_names_no_value_of_the_reply() -> None:
    with pytest.raises(ReplyError) as caught:
        read({"rates": [{"product": {"name": "Jo Receiver"}, "price": PRICE}]})
    assert "Jo" not in str(caught.value)


@given(st.binary(max_size=200))
def test_base64_is_read_strictly_and_comes_back_equal(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    row = {"product": "H", "price": PRICE, "label": text}
    assert (read({"rates": row}).rates[0].label or b"") == data
    broken = {**row, "label": text + "*"}
    with pytest.raises(ReplyError):
        read({"rates": broken})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["rates", "product", "price", "amount", "x"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_whatever_is_read_or_refused_with_a_path(body: object) -> None:
    try:
        read(body)
    except ReplyError as error:
        assert error.paths


def test_a_request_shows_no_secret() -> None:
    shown = repr(Request.get("https://x.example/a", name="a", headers={"Authorization": "Bearer secret"}))
    assert "secret" not in shown
