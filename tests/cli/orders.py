"""Orders of the tests as tables and as JSON; the people in them are invented."""

from __future__ import annotations

import csv
import io
from typing import Any

from shipkit.codec import to_dict
from tests.core.acme import request

__all__ = ["NAME", "STREET", "json_order", "order", "table"]

NAME, STREET = "Jo Receiver", "2 Home Street"


def order(reference: str = "A1", /, **changes: str) -> dict[str, str]:
    """One row; ``ship_to__city`` changes the column ``ship_to.city``."""
    row = {
        "reference": reference,
        "service": "HOME",
        "ship_from.company": "Sender Ltd",
        "ship_from.lines.1": "1 Depot Road",
        "ship_from.postal_code": "10115",
        "ship_from.city": "Berlin",
        "ship_from.country": "DE",
        "ship_to.name": NAME,
        "ship_to.lines.1": STREET,
        "ship_to.postal_code": "75001",
        "ship_to.city": "Paris",
        "ship_to.country": "FR",
        "weight": "1.5",
        "weight_unit": "kg",
    }
    return row | {name.replace("__", "."): value for name, value in changes.items()}


def table(*rows: dict[str, str]) -> str:
    """Rows as CSV, with every column that one of them has."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_order(reference: str = "A1", **changes: Any) -> dict[str, Any]:
    """One order as the model's JSON."""
    return {**to_dict(request(reference)), **changes}
