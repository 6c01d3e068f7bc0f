"""What is still open in the ledger, finished as far as it can be."""

from __future__ import annotations

import sys
from typing import Any

from ...codec import dumps, to_dict
from ...flow import Done
from ...model import ReturnShipment, Shipment
from ...model.base import Value
from .batch import OK, SOME_FAILED
from .results import error_data, status_of
from .session import Session
from .table import aligned

__all__ = ["recovered"]


def recovered(session: Session, limit: int, *, as_json: bool) -> int:
    """Look every open key up, say what became of it; the exit code."""
    done = session.client.recover(limit=limit)
    if as_json:
        for key, one in done:
            sys.stdout.write(dumps(_data(key, one)).decode("utf-8") + "\n")
    else:
        lines = [{"key": key, "status": _status(one), "what": _what(one)} for key, one in done]
        sys.stdout.write(aligned(("key", "status", "what"), lines))
    sys.stderr.write(f"{len(done)} keys were open\n" if done else "nothing was open\n")
    return SOME_FAILED if any(one.error is not None for _, one in done) else OK


def _status(one: Done) -> str:
    if one.error is not None:
        return status_of(one.error)
    return "not booked" if one.value is None else "booked" if _shipment(one.value) is not None else "done"


def _shipment(value: Any) -> Shipment | None:
    inner = value.shipment if isinstance(value, ReturnShipment) else value
    return inner if isinstance(inner, Shipment) else None


def _what(one: Done) -> str:
    if one.error is not None:
        return str(one.error)
    shipment = _shipment(one.value)
    return " ".join(number.value for number in shipment.tracking_numbers) if shipment is not None else ""


def _data(key: str, one: Done) -> dict[str, Any]:
    out: dict[str, Any] = {"key": key, "status": _status(one)}
    if isinstance(one.value, Value):
        out["result"] = to_dict(one.value)
    if one.error is not None:
        out["error"] = error_data(one.error)
    return out
