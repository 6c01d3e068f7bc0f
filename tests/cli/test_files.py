"""A file of orders is read in any form that people have; a bad row is a row with its line, and stops no other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.cli.rows import Spot, Target, read_rows
from shipkit.errors import InputError
from shipkit.model import ShipmentRequest, TrackQuery

ORDERS = Target(root=ShipmentRequest, returns=True)
A, B = {"reference": "A", "service": "x"}, {"reference": "B", "key": "own", "account": "shop"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([A, B]),
        json.dumps([A, B], indent=2),
        f"{json.dumps(A)}\n{json.dumps(B)}\n",
        f"\n{json.dumps(A)}\r\n\n{json.dumps(B)}",
        "\ufeff" + json.dumps([A, B]),
        "reference,service,key,account\nA,x,,\nB,,own,shop\n",
        "\ufeffreference;service;key;account\r\nA;x\r\nB;;own;shop\r\n",
        "reference\tservice\tkey\taccount\nA\tx\t\t\n\nB\t\town\tshop",
        '"reference","service","key","account"\n"A","x"\n"B",,"own","shop"\n',
    ],
)
def test_the_same_orders_are_read_from_every_form(text: str) -> None:
    first, second = read_rows(text.encode(), ORDERS)

    assert (first.data, first.key, first.account, first.reference) == (A, "A", "", "A")
    assert (second.data, second.key, second.account) == ({"reference": "B"}, "own", "shop")


def test_a_single_object_is_one_order() -> None:
    (row,) = read_rows(json.dumps(A, indent=1).encode(), ORDERS)

    assert row.data == A


def test_each_order_knows_its_line() -> None:
    listed = '[\n {"reference": "A"},\n\n {"reference":\n "B"},   {"reference": "C"}\n]'
    by_line = '{"reference": "A"}\n\n{"reference": "B"}\n{"reference": "C"}'
    quoted = 'reference,instructions\nA,"two\nlines"\nB,\n\nC,x'

    assert [row.line for row in read_rows(listed.encode(), ORDERS)] == [2, 4, 5]
    assert [row.line for row in read_rows(by_line.encode(), ORDERS)] == [1, 3, 4]
    assert [row.line for row in read_rows(quoted.encode(), ORDERS)] == [2, 4, 6]


def test_a_bad_line_stops_no_other() -> None:
    text = '{"reference": "A"}\n{"reference": \n"nothing"\n{"reference": "B"}'
    rows = read_rows(text.encode(), ORDERS, form="jsonl")

    assert [row.key for row in rows] == ["A", "", "", "B"]
    assert [bool(row.problems) for row in rows] == [False, True, True, False]
    assert [row.spot(row.problems[0]) for row in rows[1:3]] == [Spot(2, ""), Spot(3, "")]


def test_a_bad_row_of_a_table_stops_no_other() -> None:
    rows = read_rows(b'reference,service\nA,x\nB,x,y\n"C"oops,x\nD,x\n', ORDERS)

    assert [(row.line, bool(row.problems)) for row in rows] == [(2, False), (3, True), (4, True), (5, False)]
    assert "3 cells" in rows[1].problems[0].text


@pytest.mark.parametrize("member", ["key", "account"])
def test_key_and_account_are_text(member: str) -> None:
    (row,) = read_rows(json.dumps({**A, member: 7}).encode(), ORDERS)

    assert [row.spot(problem) for problem in row.problems] == [Spot(1, f"/{member}")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"reference\nA\n\xff\n", "line 3 is not UTF-8"),
        (b'[{"a": 1}', "not JSON"),
        (b"nonsense\n1\n", "column nonsense means nothing"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_rows(content, ORDERS)


def test_the_ending_says_what_a_file_is_unless_the_form_is_given() -> None:
    with pytest.raises(InputError):
        read_rows(b"reference\nA\n", ORDERS, name="orders.json")
    assert read_rows(b"reference\nA\n", ORDERS, name="orders.json", form="csv")[0].key == "A"
    assert read_rows(b'{"reference":\n"A"}', ORDERS, name="orders.json")[0].key == "A"


def test_a_way_back_is_told_by_its_shipment_or_by_the_column_return() -> None:
    value = {"kind": "printed", "shipment": {"reference": "R"}, "key": "k"}
    (by_json,) = read_rows(json.dumps(value).encode(), ORDERS)
    (by_table,) = read_rows(b"reference,key,return,return.valid_days\nR,k,printed,14\n", ORDERS)

    assert (by_json.data, by_json.way_back, by_json.key) == ({"reference": "R"}, {"kind": "printed"}, "k")
    assert (by_table.data, by_table.key) == ({"reference": "R"}, "k")
    assert by_table.way_back == {"kind": "printed", "valid_days": 14}


def test_columns_of_orders_are_let_pass_where_only_their_keys_matter() -> None:
    numbers = Target(root=TrackQuery, passing=(ShipmentRequest,))
    (row,) = read_rows(b"reference,ship_to.city,weight,return\nA,Paris,1,printed\n", numbers)

    assert (row.key, row.data, row.way_back) == ("A", {}, None)
    with pytest.raises(InputError):
        read_rows(b"reference,zip\nA,1\n", numbers)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_the_bytes_they_are_rows_or_an_input_error(content: bytes) -> None:
    for form in ("", "csv", "json", "jsonl"):
        try:
            rows = read_rows(content, ORDERS, form=form)
        except InputError:
            continue
        for row in rows:
            for problem in row.problems:
                assert row.spot(problem).line >= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
MEMBERS = st.sampled_from(["reference", "key", "account", "shipment", "kind", "packages", "ship_to"])


@given(st.lists(st.dictionaries(MEMBERS, JSON | st.dictionaries(MEMBERS, JSON, max_size=2), max_size=4), max_size=4))
def test_any_objects_are_rows_in_their_order(values: list[dict[str, object]]) -> None:
    rows = read_rows(json.dumps(values, indent=1).encode(), ORDERS)

    assert len(rows) == len(values)
    assert [row.line for row in rows] == sorted(row.line for row in rows)
