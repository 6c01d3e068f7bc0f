"""The plugin's tables against the shared ones, and its facts against its methods."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from shipkit.model import Operation, Support
from shipkit_easypost import EasyPost, codes
from shipkit_easypost.facts import FACTS

Rows = Callable[[str], list[dict[str, str]]]


@pytest.fixture(scope="module")
def rows(shared: Path) -> Rows:
    def read(name: str) -> list[dict[str, str]]:
        with (shared / "domain" / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.mark.parametrize(
    ("vocabulary", "table"),
    [("easypost.status", codes.STATUSES), ("easypost.status_detail", codes.STATUS_DETAILS)],
)
def test_every_code_means_what_the_shared_table_says(vocabulary: str, table: dict, rows: Rows) -> None:
    shared = {
        row["code"]: (row["milestone"] or None, row["reason"] or None)
        for row in rows("status_map.csv")
        if row["vocabulary"] == vocabulary
    }

    assert {code: tuple(word and word.value for word in meaning) for code, meaning in table.items()} == shared
    assert vocabulary in FACTS.vocabularies


def test_the_options_offered_are_those_of_the_shared_table(rows: Rows) -> None:
    shared = {row["option"] for row in rows("options.csv") if row["easypost"] != "-"}

    assert {option.code.value for option in FACTS.options} == shared


def test_the_operations_offered_are_those_of_the_shared_table(rows: Rows) -> None:
    shared = {row["operation"]: row["easypost"] != "-" for row in rows("operations.csv")}
    offered = {operation.value: fact.support is Support.YES for operation, fact in FACTS.operations.items()}

    assert offered == shared
    assert set(FACTS.operations) == set(Operation)


def test_the_facts_say_yes_where_there_is_a_method_and_why_where_there_is_none() -> None:
    for operation, fact in FACTS.operations.items():
        has_method = callable(getattr(EasyPost, operation.value, None))
        assert has_method == (fact.support is Support.YES), operation
        assert has_method or fact.note, operation


def test_the_limits_of_pushes_are_those_of_the_shared_table(rows: Rows) -> None:
    limits = {row["limit"]: int(row["value"]) for row in rows("carrier_limits.csv") if row["carrier"] == "easypost"}
    webhooks = FACTS.webhooks

    assert webhooks is not None
    assert webhooks.answer_within_s == limits["webhook_timeout_s"]
    assert webhooks.attempts == limits["webhook_retries"] + 1


def test_a_carriers_name_comes_back_from_its_code() -> None:
    for name in ("USPS", "UPS", "FedEx", "DHLExpress", "CanadaPost", "FedExSmartPost"):
        assert codes.carrier_name(codes.carrier_code(name)) == name
    assert codes.carrier_name("easypost") == ""


def test_every_label_format_has_a_fact_and_a_name() -> None:
    assert [fact.format for fact in FACTS.label_formats] == list(codes.LABEL_FORMATS)
    assert {codes.FORMATS[fact.wire.lower()] for fact in FACTS.label_formats} == set(codes.LABEL_FORMATS)
