"""Further bookings of one intent: undone where the carrier and the host allow it, else shown to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from ..errors import NotSupportedError, RejectedError
from ..flow import Run, call
from ..model import CancellationResult, CancelOutcome
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, LedgerStore, Phase, Stray
from ..store.rules import GONE
from .intent import Intent, unpacked
from .voiding import DONE, undone

__all__ = ["same", "shown", "swept_away"]

T = TypeVar("T", bound=Value)


def same(intent: Intent[T], one: T, other: T) -> bool:
    """Whether both are the same booking: a carrier may name it otherwise where it is looked up, but not its parcels.

    A person who enters a booking may know it by the number of its parcel only.
    """
    names, others = (intent.numbers_of(value) | {intent.booking_of(value)} for value in (one, other))
    return not names.isdisjoint(others)


def swept_away(
    intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, stray: Stray
) -> Run[CancellationResult | None]:
    """Undo *stray*, which came in for the key of *entry*; None when it is shown to a person instead.

    The row's own booking is never undone here, under whatever name it came in again; nor is anything while the row's
    own papers are not in hand: what came in may be all that there is. "Unknown" counts by the same rule as when a
    booking is cancelled: before everything has settled it is no answer, and the stray stays open.
    """
    value = unpacked(stray.result, intent.shape)
    if not _may_go(intent, stack, entry, value, (yield from call(ledger.now)).timestamp()):
        yield from shown(ledger, stack, stray)
        return None
    asked_at = yield from call(ledger.now)
    try:
        result = yield from undone(intent, stack, value)
    except (RejectedError, NotSupportedError):
        yield from shown(ledger, stack, stray)
        return None
    settled = entry.settle_at is None or entry.settle_at <= asked_at
    if result.outcome in DONE or (result.outcome is CancelOutcome.NOT_FOUND and settled):
        phase = "voided" if result.outcome in DONE else GONE
        yield from call(ledger.end_stray, stray, phase)
        yield stack.context.emit("strays", detail=phase)
    elif result.outcome is CancelOutcome.NOT_FOUND:
        yield from call(ledger.put_last, stray)
    else:
        yield from shown(ledger, stack, stray)
    return result


def shown(ledger: LedgerStore, stack: Stack, stray: Stray) -> Run[None]:
    """Leave *stray* to a person."""
    yield from call(ledger.end_stray, stray, "shown")
    yield stack.context.emit("strays", detail="shown")


def _may_go(intent: Intent[T], stack: Stack, entry: Entry, value: T, at: float) -> bool:
    if not stack.context.settings.void_strays or intent.undo is None:
        return False
    if entry.phase in (Phase.SUCCEEDED, Phase.VOIDING):
        own = unpacked(entry.result, intent.shape)
        if same(intent, own, value) or (entry.phase is Phase.SUCCEEDED and not entry.complete):
            return False
    policy, made_at = stack.carrier.facts().void, intent.made_at(value)
    if policy is None or policy.window_h is None or made_at is None:
        return True
    return at < (made_at + timedelta(hours=policy.window_h)).timestamp()
