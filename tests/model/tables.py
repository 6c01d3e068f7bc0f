"""The tables of shared facts, read for the tests that hold the model against them."""

from __future__ import annotations

import csv
from pathlib import Path


def table(shared: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table of the domain."""
    with (shared / "domain" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def classes(shared: Path, kind: str) -> list[dict[str, str]]:
    """The rows of types.csv of one kind that the model is to have."""
    rows = table(shared, "types")
    return [row for row in rows if row["kind"] == kind and row["room"] != "errors"]


# Optional fields that the model has beyond the table, with the reason of each in its docstring.
ADDED = {
    "CarrierFacts": {"polling"},
    "InvoiceLine": {"declared_weight"},
    "Limits": {"packages_per_booking"},
    "RateQuote": {"as_of"},
    "TrackingEvent": {"unmapped"},
    "VoidPolicy": {"closes"},
}

# Classes that the model has beyond the table, and their rooms.
ADDED_CLASSES = {"PollFacts": "facts"}

# Values of enums that the model has beyond the table.
ADDED_VALUES = {"InvoiceLineReason": {"residential"}, "NoticeCode": {"entered_by_person"}}
