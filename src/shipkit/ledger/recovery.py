"""What ends a doubt: the carrier is asked, or gets the same identity once more where it recognises it.

Only an answer that was asked for late enough proves absence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs

from ..errors import InDoubtError, ShipkitError
from ..flow import Run, call, drive, now
from ..model import RecoveryMode
from ..model.base import Value
from ..policy import Stack, looked
from ..ports import Entry, LedgerStore, Phase, Resend
from ..store.rules import LOST_AT_REST
from .identity import mark_of
from .intent import Intent, MovedError, doubt_of, settle_s
from .sending import put_aside, recorded, sent

__all__ = ["found", "in_order", "recovered"]

T = TypeVar("T", bound=Value)

_GUARDED = (RecoveryMode.NATIVE_KEY, RecoveryMode.UNIQUE_REFERENCE)
_TIME_TO_SEND_S = 1.0  # less than that left of the call, and a further sending would be wasted


def recovered(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[Entry | None]:
    """The row with its booking, or None when nothing was booked and the key may be tried anew.

    What nobody was buying when a store was restored is looked for and never sent: its host may have gone elsewhere. And
    what a store may have lost is looked for, where it can be, before anything is sent: a later attempt may be booked.

    Raises:
        InDoubtError: nobody can tell yet, or only a person can.
        ShipkitError: it was sent once more, and refused for good.
    """
    return (yield from looked(_recovered(intent, ledger, stack, entry), stack.context))


def _recovered(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[Entry | None]:
    mode, bought = intent.recovery.mode, entry.error not in LOST_AT_REST.values()
    look_first = mode is RecoveryMode.UNIQUE_REFERENCE or (not entry.sole and intent.find is not None)
    if mode is RecoveryMode.NATIVE_KEY and bought and not look_first:
        row = yield from _resent(intent, ledger, stack, entry)
        if row is not None:
            return row
    if intent.find is None or mode is RecoveryMode.NONE:
        raise (yield from _nobody_to_ask(intent, ledger, stack, entry))
    # The moment of asking counts, in the store's clock: an answer may be old when it arrives.
    asked_at = yield from call(ledger.now)
    try:
        hits = yield from found(intent, stack, entry, _identities(intent, stack, entry))
    except ShipkitError as error:
        raise doubt_of(entry, mode) from error
    live = [hit for hit in hits if intent.live(hit)]
    if live:
        return (yield from _present(intent, ledger, stack, entry, live, asked_at))
    if hits:
        # Booked and undone by somebody else: whether that was meant is not ours to say.
        raise (yield from _person(ledger, entry, "found, and voided at the carrier"))
    if mode in _GUARDED and bought and look_first:
        row = yield from _resent(intent, ledger, stack, entry)
        if row is not None:
            return row
    return (yield from _absent(intent, ledger, stack, entry, asked_at))


def _identities(intent: Intent[T], stack: Stack, entry: Entry) -> range:
    """The attempts whose identity may be booked.

    A store that lost its newest commits may have lost an attempt too, and only a look can tell.
    """
    lost = 0 if entry.sole else stack.context.settings.ledger_attempts - 1
    return range(entry.attempt, entry.attempt + lost + 1)


def found(intent: Intent[T], stack: Stack, entry: Entry, attempts: range) -> Run[list[T]]:
    """Every booking that the carrier knows under the identities of *attempts*."""
    if intent.find is None:
        return []
    asked = intent.of_row(entry)
    hits: list[T] = []
    for attempt in attempts:
        hits += yield from drive(intent.find(asked, mark_of(entry.base, attempt)), stack.send)
    return hits


def in_order(intent: Intent[T], asked: Any, hits: list[T]) -> list[T]:
    """*hits* as they count: those that are whole before others, then in the carrier's order of time."""

    def key(numbered: tuple[int, T]) -> tuple[bool, float, int]:
        made_at = intent.made_at(numbered[1])
        return not intent.whole(asked, numbered[1]), made_at.timestamp() if made_at else 0.0, numbered[0]

    return [hit for _, hit in sorted(enumerate(hits), key=key)]


def _present(
    intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, live: list[T], asked_at: datetime
) -> Run[Entry]:
    """Record every one of *live*: the first is the booking, further ones are strays."""
    asked = intent.of_row(entry)
    live = in_order(intent, asked, live)
    if not intent.whole(asked, live[0]):
        if entry.settle_at is None or asked_at < entry.settle_at:
            raise doubt_of(entry, intent.recovery.mode)  # the others may show later
        for hit in live:
            yield from put_aside(intent, ledger, stack, entry, intent.stamped(asked, hit, entry.generation))
        got = intent.pieces_of(live[0]) if intent.pieces_of is not None else 0
        raise (yield from _person(ledger, entry, f"found {got} of {intent.pieces(asked)} packages"))
    for hit in live:
        whole = intent.stamped(asked, hit, entry.generation)
        yield from recorded(intent, ledger, stack, entry, whole, watch=True)
    row = yield from call(ledger.read, entry.key)
    if row is None or row.phase not in (Phase.SUCCEEDED, Phase.VOIDING):
        raise doubt_of(row or entry, intent.recovery.mode)
    return row


def _absent(
    intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, asked_at: datetime
) -> Run[Entry | None]:
    settings = stack.context.settings
    guarded = intent.recovery.mode in _GUARDED and entry.error not in LOST_AT_REST.values()
    settled = entry.settle_at is not None and entry.settle_at <= asked_at
    if settled and guarded and entry.send >= settings.ledger_sends and not entry.void_wanted:
        # A new identity would give up what the carrier guards: a late first request and a second one cannot both book.
        raise (yield from _person(ledger, entry, entry.error or "sent as often as allowed, and never seen"))
    row = yield from call(ledger.absent, entry, asked_at, settings.ledger_attempts)
    if row is None or row.phase is Phase.NEEDS_PERSON:
        raise doubt_of(row or entry, intent.recovery.mode)
    return None


def _resent(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[Entry | None]:
    """The row after the same identity went out once more; None when it may not, or not yet.

    Raises:
        InDoubtError: that was not answered either.
    """
    settings = stack.context.settings
    if entry.void_wanted or entry.send >= settings.ledger_sends or not (yield from _in_time(stack)):
        return None
    again = Resend(
        owner=stack.context.request_id(),
        lease_s=settings.lease_s,
        settle_s=settle_s(settings, intent.recovery),
        sends_max=settings.ledger_sends,
        key_ttl_s=intent.recovery.key_ttl_s if intent.recovery.mode is RecoveryMode.NATIVE_KEY else None,
    )
    asked, mark = intent.of_row(entry), mark_of(entry.base, entry.attempt)
    try:
        return (yield from sent(intent, ledger, stack, asked, mark, ledger.resend, entry, again))
    except MovedError:
        return None
    except InDoubtError as doubt:
        return (yield from _after_doubt(intent, ledger, stack, entry, doubt))
    except ShipkitError as error:
        row = yield from call(ledger.read, entry.key)
        if row is not None and row.phase is Phase.IN_DOUBT:
            raise doubt_of(row, intent.recovery.mode) from error  # no token, say: nothing was sent
        raise


def _after_doubt(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry, doubt: InDoubtError) -> Run[Entry]:
    """What a further sending that was not answered readably comes to: "duplicate reference" means that it is there."""
    row = yield from call(ledger.read, entry.key)
    if row is None or row.phase is not Phase.IN_DOUBT:
        raise doubt from doubt.__cause__
    if intent.find is None:
        if row.send >= stack.context.settings.ledger_sends:
            raise (yield from _person(ledger, row, row.error)) from doubt.__cause__
        raise doubt from doubt.__cause__
    try:
        asked_at = yield from call(ledger.now)
        hits = yield from found(intent, stack, row, range(row.attempt, row.attempt + 1))
    except ShipkitError:
        raise doubt from doubt.__cause__
    live = [hit for hit in hits if intent.live(hit)]
    if not live:
        raise doubt from doubt.__cause__
    return (yield from _present(intent, ledger, stack, row, live, asked_at))


def _in_time(stack: Stack) -> Run[bool]:
    return (yield from now()) + _TIME_TO_SEND_S < stack.context.until


def _nobody_to_ask(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[InDoubtError]:
    """A carrier that knows the key gets it again as soon as that is allowed; else a person decides."""
    at = yield from call(ledger.now)
    if intent.recovery.mode is RecoveryMode.NATIVE_KEY and _goes_out_later(intent, stack, entry, at):
        return doubt_of(entry, intent.recovery.mode)
    return (yield from _person(ledger, entry, entry.error or "nobody to ask"))


def _goes_out_later(intent: Intent[T], stack: Stack, entry: Entry, at: datetime) -> bool:
    if entry.void_wanted or entry.send >= stack.context.settings.ledger_sends:
        return False
    if entry.error in LOST_AT_REST.values():
        return False
    if intent.recovery.key_ttl_s is None or entry.first_sent_at is None:
        return intent.recovery.key_ttl_s is None
    earliest = at if entry.send == 1 or entry.settle_at is None else max(at, entry.settle_at)
    settling = timedelta(seconds=settle_s(stack.context.settings, intent.recovery))
    return earliest + settling < entry.first_sent_at + timedelta(seconds=intent.recovery.key_ttl_s)


def _person(ledger: LedgerStore, entry: Entry, why: str) -> Run[InDoubtError]:
    yield from call(ledger.needs_person, entry, why)
    row = yield from call(ledger.read, entry.key)
    return doubt_of(row if row is not None and row.generation == entry.generation else attrs.evolve(entry, error=why))
