"""Rows that a recovery run looks at again: how often, until when, and what is looked for where a row is at rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from ..errors import NotSupportedError, RejectedError
from ..flow import Run
from ..model import CancellationResult, CancelOutcome
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, LedgerStore, Phase
from ..settings import Settings
from .intent import Intent, unpacked
from .recovery import found, in_order
from .sending import put_aside, recorded
from .strays import same
from .voiding import DONE, undone

__all__ = ["at_rest", "given_up", "next_look_s", "next_watch_s", "watched"]

T = TypeVar("T", bound=Value)

_FIRST_S = 10.0  # until a row that could not be ended is looked at again
_LONGEST_S = 6 * 3600.0
_AT_LEAST_S = 3600.0  # that long a row is tried, however short late bookings are looked for


def at_rest(entry: Entry) -> bool:
    """Whether nothing has to be done with the row but to look for what may still come in."""
    busy = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING, Phase.PLANNED)
    return entry.phase not in busy and (entry.phase is not Phase.SUCCEEDED or entry.complete)


def watched(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[bool]:
    """Look under every identity that the row ever used; whether a booking came in that it did not have.

    The first one for a row without one is its booking, however late; any other is a stray.
    """
    news, asked = False, intent.of_row(entry)
    for attempt in range(1, entry.attempt + 1):
        hits = yield from found(intent, stack, entry, range(attempt, attempt + 1))
        for hit in in_order(intent, asked, [hit for hit in hits if intent.live(hit)]):
            if entry.booking and same(intent, unpacked(entry.result, intent.shape), hit):
                yield from _still_there(intent, ledger, stack, entry, hit)
                continue
            whole = intent.stamped(asked, hit, entry.generation)
            if not entry.booking and not intent.whole(asked, hit):
                yield from put_aside(intent, ledger, stack, entry, whole)
                continue
            claimed = attrs.evolve(entry, attempt=attempt)
            phase = yield from recorded(intent, ledger, stack, claimed, whole, watch=True)
            news = True
            if phase is not None and not entry.booking:
                entry = attrs.evolve(entry, booking=intent.booking_of(whole), result=whole)
    return news


def _still_there(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, hit: T) -> Run[None]:
    """What was believed undone because the carrier did not know it, and shows after all, is undone again, or shown."""
    if entry.phase is not Phase.VOIDED or entry.void_result is None or intent.undo is None:
        return
    if unpacked(entry.void_result, CancellationResult).outcome is CancelOutcome.NOT_FOUND:
        try:
            result = yield from undone(intent, stack, hit)
        except (RejectedError, NotSupportedError):
            yield from put_aside(intent, ledger, stack, entry, hit)
            return
        if result.outcome in (*DONE, CancelOutcome.NOT_FOUND):
            yield stack.context.emit("strays", detail=result.outcome.value)
        else:
            yield from put_aside(intent, ledger, stack, entry, hit)


def next_watch_s(entry: Entry, settings: Settings, at: datetime, *, looked: bool = True) -> float | None:
    """When the row at rest is looked at again, at growing distances; None when that was the last time.

    A booking that was answered at once is *looked* for once only.
    """
    until, settle_at = entry.watch_until, entry.settle_at
    answered_at_once = entry.phase is Phase.SUCCEEDED and entry.attempt == 1 and entry.send == 1
    if until is None or settle_at is None or at >= until or (answered_at_once and looked):
        return None
    distance_s = max(float(settings.settle_s), (at - settle_at).total_seconds())
    return min(distance_s, (until - at).total_seconds())


def next_look_s(entry: Entry, at: datetime) -> float:
    """When a row that could not be ended now is looked at again: the longer it lasts, the later.

    The moment at which absence proves something is never missed.
    """
    since = entry.first_sent_at if entry.phase is Phase.IN_DOUBT and entry.first_sent_at else entry.updated_at
    distance_s = min(max(_FIRST_S, (at - since).total_seconds()), _LONGEST_S)
    if entry.settle_at is not None and at < entry.settle_at:
        distance_s = min(distance_s, (entry.settle_at - at).total_seconds())
    return distance_s


def given_up(entry: Entry, settings: Settings, at: datetime) -> bool:
    """Whether the row has been tried for as long as late bookings are looked for."""
    least = timedelta(seconds=max(settings.watch_s, _AT_LEAST_S))
    return at >= max(entry.watch_until or entry.created_at, entry.updated_at + least)
