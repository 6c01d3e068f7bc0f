"""What a person found out at the carrier, told to the ledger."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ...codec import dumps
from ...errors import InDoubtError, InputError, LabelPendingError, ShipkitError
from ...model import Problem, ProblemCode
from ...ports import Phase
from ..orders.batch import OK, SOME_FAILED
from ..orders.results import error_data
from .advice import advice, moment, standing
from .rows import Ledger, row_data

__all__ = ["closed", "resolved"]


def resolved(
    ledger: Ledger, key: str, *, booked: str | None, tracking: str | None, absent: bool, note: str, as_json: bool
) -> int:
    """Enter the booking that a person found, or that there is none; the exit code.

    Raises:
        InputError: not exactly one of the two was said.
    """
    if (booked is None) is not absent:
        text = "say what you found at the carrier: --booked NUMBER, or --not-booked"
        raise InputError(problems=(Problem(path="", code=ProblemCode.INCONSISTENT, text=text),))
    if absent and not note.strip():
        text = "say who looked, or where: it stands in the row from then on"
        raise InputError(problems=(Problem(path="/note", code=ProblemCode.MISSING, text=text),))
    key, client = _open_piece(ledger, key), ledger.session.client
    if booked is None:
        return _told(ledger, key, lambda: client.close_key(key=key, note=note), as_json)
    return _told(
        ledger,
        key,
        lambda: client.resolve(key=key, shipment_id=booked, tracking_number=tracking, note=note),
        as_json,
    )


def closed(ledger: Ledger, key: str, *, note: str, as_json: bool) -> int:
    """End a row that nobody else can end; the exit code."""
    return _told(ledger, key, lambda: ledger.session.client.close_key(key=key, note=note), as_json)


def _open_piece(ledger: Ledger, key: str) -> str:
    """The key of the row that a person is asked about: of a whole, the one piece that waits for that."""
    open_ones = [piece for piece in ledger.pieces(ledger.entry(key)) if piece.phase is Phase.NEEDS_PERSON]
    return ledger.own(open_ones[0].key) if len(open_ones) == 1 else key


def _told(ledger: Ledger, key: str, decide: Callable[[], object], as_json: bool) -> int:
    failed: ShipkitError | None = None
    try:
        decide()
    except InputError:
        raise
    except ShipkitError as error:
        failed = error
    entry = ledger.entry(key)
    pieces, at = ledger.pieces(entry), ledger.session.store.ledger.now()
    phase, comes = standing(entry, pieces), advice(entry, pieces, ledger.strays(entry), at, key)
    if as_json:
        data = row_data(entry, key, phase, personal=False)
        data["next"] = {"whose_move": comes.whose.value, "text": comes.text}
        sys.stdout.write(dumps(data | ({"error": error_data(failed)} if failed else {})).decode("utf-8") + "\n")
    else:
        if failed is not None:
            sys.stderr.write(f"{_sentence(failed)}\n")
        sys.stdout.write(f"{key} is {phase.value}\n{comes.whose.value}: {comes.text}\n")
    return OK if failed is None else SOME_FAILED


def _sentence(error: ShipkitError) -> str:
    if isinstance(error, InDoubtError) and error.retry_at is not None:
        return f"{error}; from {moment(error.retry_at)} on it counts"
    if isinstance(error, LabelPendingError):
        return f"entered; {error}"
    return str(error)
