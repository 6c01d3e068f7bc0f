"""The way back: a cancellation is a wish on the row, and the row says what it means."""

from __future__ import annotations

from typing import TypeVar

from ..errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotSupportedError,
    OutcomeUnknownError,
    RejectedError,
    UnavailableError,
)
from ..flow import Run, call, drive
from ..model import CancellationResult, CancelOutcome, Problem, ProblemCode
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, LedgerStore, Phase
from .intent import Intent, doubt_of, told, unpacked
from .recovery import recovered

__all__ = ["DONE", "cancelled", "undone"]

T = TypeVar("T", bound=Value)

DONE = (CancelOutcome.VOIDED, CancelOutcome.REQUESTED, CancelOutcome.ALREADY_VOIDED)


def cancelled(intent: Intent[T], ledger: LedgerStore, stack: Stack) -> Run[CancellationResult]:
    """Undo what was booked under the intent's key; asked again, it gives the same answer.

    Raises:
        InputError: nothing was ever asked for under that key.
        ConflictError: a person closed it.
        InDoubtError: the booking, or the cancellation, is not answered yet; the wish stands and is carried out later.
    """
    entry = yield from call(ledger.want_void, intent.key)
    if entry is None:
        raise InputError(
            problems=(Problem(path="/key", code=ProblemCode.UNKNOWN_VALUE, text="nothing was booked under this key"),)
        )
    if intent.several is not None and (yield from call(ledger.pieces, entry)):
        from .pieces import cancelled_in_pieces

        return (yield from cancelled_in_pieces(intent, intent.several, ledger, stack, entry))
    if entry.phase is Phase.IN_FLIGHT:
        entry = (yield from call(ledger.take_over, entry)) or entry
    if entry.phase is Phase.IN_DOUBT:
        found = yield from recovered(intent, ledger, stack, entry)
        entry = found or (yield from call(ledger.read, intent.key)) or entry
    if entry.phase is Phase.VOIDING:
        return (yield from _voided(intent, ledger, stack, entry))
    if entry.phase is Phase.VOIDED:
        if entry.void_result is not None:
            return unpacked(entry.void_result, CancellationResult)
        return CancellationResult(outcome=CancelOutcome.VOIDED)  # nothing had been booked
    if entry.phase is Phase.CLOSED:
        text = f"{entry.key} was closed by a person: nothing of it is known that could be undone"
        raise ConflictError(text, key=entry.key, generation=entry.generation)
    raise doubt_of(entry)


def _voided(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[CancellationResult]:
    asked_at = yield from call(ledger.now)
    try:
        result = yield from undone(intent, stack, unpacked(entry.result, intent.shape))
    except (RejectedError, NotSupportedError) as error:
        yield from call(ledger.keep, entry, told(error))
        raise
    except (OutcomeUnknownError, UnavailableError) as error:
        yield from _wished_again(ledger, entry)
        raise doubt_of(entry) from error  # repeating a void does no harm: the next call does it
    if result.outcome in DONE:
        yield from call(ledger.voided, entry, result, None)
    elif result.outcome is CancelOutcome.NOT_FOUND:
        if not (yield from call(ledger.voided, entry, result, asked_at)):
            raise doubt_of(entry)
    else:
        yield from call(ledger.keep, entry, result.outcome.value)
    return result


def _wished_again(ledger: LedgerStore, entry: Entry) -> Run[None]:
    """A refusal that another worker got meanwhile says nothing about this void, which may have gone through."""
    row = yield from call(ledger.read, entry.key)
    same = row is not None and (row.generation, row.booking) == (entry.generation, entry.booking)
    if row is not None and same and row.phase is Phase.SUCCEEDED:
        yield from call(ledger.want_void, entry.key)


def undone(intent: Intent[T], stack: Stack, value: T) -> Run[CancellationResult]:
    """The carrier's answer to taking *value* back.

    Raises:
        NotSupportedError: its plugin cannot.
    """
    if intent.undo is None:
        raise NotSupportedError(f"{intent.carrier} does not undo this")
    try:
        return (yield from drive(intent.undo(value), stack.send))
    except NotFoundError:
        return CancellationResult(outcome=CancelOutcome.NOT_FOUND)
