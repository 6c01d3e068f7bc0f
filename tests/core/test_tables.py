"""The shared tables against the code: errors, settings, operations."""

from __future__ import annotations

import csv
import inspect
import pickle
from pathlib import Path

import attrs
import pytest

from shipkit import carrier, errors
from shipkit.settings import Settings


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "domain" / name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def test_the_error_tree_is_that_of_the_table(shared: Path) -> None:
    for row in rows(shared, "errors.csv"):
        kind = getattr(errors, row["class"])
        assert kind.__mro__[1 if row["parent"] != "Exception" else 0] is not None
        parents = [base.__name__ for base in kind.__mro__ if not base.__name__.startswith("_")]
        assert row["parent"] in parents[1:2], row["class"]
        if row["code"] != "-":
            assert kind.code == row["code"]
        if row["whose_move"] != "-":
            assert kind.whose_move.value == row["whose_move"]
        if row["retry"] != "-":
            assert kind.retry.value == row["retry"]
        if row["reached_carrier"] != "-":
            assert kind.default_reached.value in row["reached_carrier"].split()
        made = kind()
        for attribute in filter(None, (part.strip() for part in row["attributes"].split(";"))):
            assert hasattr(made, attribute.partition(":")[0]), attribute


def test_every_public_error_is_in_the_table(shared: Path) -> None:
    listed = {row["class"] for row in rows(shared, "errors.csv")}
    ours = {
        n for n, k in inspect.getmembers(errors, inspect.isclass) if issubclass(k, Exception) and not n.startswith("_")
    }
    assert ours == listed


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_an_error_travels_through_a_queue_with_all_that_code_needs(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("what happened", account="acme-de", carrier_code="A17", carrier_message="no", retry_after_s=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))


def test_the_text_of_an_error_starts_with_its_account_and_the_carriers_request_id() -> None:
    error = errors.RejectedError(account="acme-de", request_id="r-1", carrier_code="A17", carrier_message="no")
    assert str(error) == "acme-de r-1: [A17] no"


def test_the_defaults_are_those_of_the_table(shared: Path) -> None:
    listed = {row["name"]: row for row in rows(shared, "settings.csv")}
    derived = {"lease_s"}
    for field in attrs.fields(Settings):
        if field.name not in listed:
            continue
        default = listed[field.name]["default"]
        assert str(field.default) in (default, f"{default}.0"), field.name
        assert field.metadata["meaning"]
    for name in derived:
        assert getattr(Settings(), name) == float(listed[name]["default"])


def test_every_operation_of_the_table_has_its_protocol(shared: Path) -> None:
    waiting = {"TracksMany", "Invoices"}
    for row in rows(shared, "operations.csv"):
        if row["protocol"] in waiting:
            continue
        protocol = getattr(carrier, row["protocol"])
        assert hasattr(protocol, row["operation"]), row["operation"]
