"""What is still open in the ledger, finished as far as it can be."""

from __future__ import annotations

import sys
from typing import Any

from ...codec import dumps, to_dict
from ...flow import Done
from ...model import ReturnShipment, Shipment
from ...model.base import Value
from ...ports import Entry, Phase
from .batch import OK, SOME_FAILED
from .results import error_data, status_of
from .session import Session
from .table import aligned

__all__ = ["recovered"]


_OPEN = (Phase.IN_DOUBT, Phase.VOIDING, Phase.PLANNED)


def recovered(session: Session, limit: int, *, at_once: bool, as_json: bool) -> int:
    """Look every key up that is due (*at_once*: or was put off), say what became of it; the exit code."""
    if at_once:
        for entry in _waiting(session, limit):
            session.store.ledger.look_again(entry, 0)
    done = session.client.recover(limit=limit)
    told = [(key, one, _status(session, key, one)) for key, one in done]
    if as_json:
        for key, one, status in told:
            sys.stdout.write(dumps(_data(key, one, status)).decode("utf-8") + "\n")
    else:
        lines = [{"key": key, "status": status, "what": _what(one)} for key, one, status in told]
        sys.stdout.write(aligned(("key", "status", "what"), lines))
    waiting = len(_waiting(session, limit)) if not done else 0
    nothing = f"nothing is due; {waiting} keys wait, and --now looks at them" if waiting else "nothing was open"
    sys.stderr.write(f"{len(done)} keys were open\n" if done else f"{nothing}\n")
    return SOME_FAILED if any(one.error is not None for _, one in done) else OK


def _waiting(session: Session, limit: int) -> list[Entry]:
    """Open rows that recovery may work with, due or put off."""
    namespace = session.config.settings.namespace
    prefix = f"{namespace}/" if namespace else ""
    rows = session.store.ledger.entries(prefix=prefix, phases=_OPEN, limit=limit)
    return [row for row in rows if row.phase is not Phase.PLANNED or row.void_wanted]


def _status(session: Session, key: str, one: Done) -> str:
    if one.error is not None:
        return status_of(one.error)
    if one.value is not None:
        return "booked" if _shipment(one.value) is not None else "done"
    entry = session.entry(key)
    if entry is None or entry.phase is not Phase.PLANNED:
        return "not booked"
    # Recovery never buys: what is left of an order in several bookings is the next call's.
    stands = any(piece.phase is Phase.SUCCEEDED for piece in session.store.ledger.pieces(entry))
    return "booked in part" if stands else "not booked"


def _shipment(value: Any) -> Shipment | None:
    inner = value.shipment if isinstance(value, ReturnShipment) else value
    return inner if isinstance(inner, Shipment) else None


def _what(one: Done) -> str:
    if one.error is not None:
        return str(one.error)
    shipment = _shipment(one.value)
    return " ".join(number.value for number in shipment.tracking_numbers) if shipment is not None else ""


def _data(key: str, one: Done, status: str) -> dict[str, Any]:
    out: dict[str, Any] = {"key": key, "status": status}
    if isinstance(one.value, Value):
        out["result"] = to_dict(one.value)
    if one.error is not None:
        out["error"] = error_data(one.error)
    return out
