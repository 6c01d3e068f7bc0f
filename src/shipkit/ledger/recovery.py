"""What ends a doubt: the carrier is asked, and only an answer that was asked late enough proves absence."""

from __future__ import annotations

from typing import TypeVar

from ..errors import ShipkitError
from ..flow import Run, call, drive
from ..model import RecoveryMode
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, LedgerStore, Phase
from .booking import Intent, doubt_of, recorded
from .identity import mark_of

__all__ = ["recovered"]

T = TypeVar("T", bound=Value)


def recovered(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry) -> Run[Entry | None]:
    """The row with its booking, or None when nothing was booked and the key may be tried anew.

    Raises:
        InDoubtError: nobody can tell yet, or only a person can.
    """
    if intent.find is None or intent.recovery.mode is RecoveryMode.NONE:
        yield from call(ledger.needs_person, entry, entry.error or "nobody to ask")
        raise doubt_of((yield from call(ledger.read, entry.key)) or entry)
    # The moment of asking counts, in the store's clock: an answer may be old when it arrives.
    asked_at = yield from call(ledger.now)
    try:
        hits = yield from drive(intent.find(mark_of(entry.base, entry.attempt)), stack.send)
    except ShipkitError as error:
        raise doubt_of(entry) from error
    live = [hit for hit in hits if intent.live(hit)]
    if not live:
        return (yield from _absent(ledger, stack, entry, asked_at, voided=bool(hits)))
    if intent.pieces_of is not None and intent.pieces_of(live[0]) != intent.pieces:
        if entry.settle_at is None or asked_at < entry.settle_at:
            raise doubt_of(entry)  # the others may show later
        yield from call(ledger.needs_person, entry, f"found {intent.pieces_of(live[0])} of {intent.pieces} packages")
        raise doubt_of((yield from call(ledger.read, entry.key)) or entry)
    for hit in live:
        whole = intent.stamped(hit, entry.generation)
        yield from recorded(intent, ledger, stack, entry, whole)
    row = yield from call(ledger.read, entry.key)
    if row is None or row.phase not in (Phase.SUCCEEDED, Phase.VOIDING):
        raise doubt_of(row or entry)
    return row


def _absent(ledger: LedgerStore, stack: Stack, entry: Entry, asked_at: object, *, voided: bool) -> Run[Entry | None]:
    if voided:
        # Booked and undone by somebody else: whether that was meant is not ours to say.
        yield from call(ledger.needs_person, entry, "found, and voided at the carrier")
        raise doubt_of((yield from call(ledger.read, entry.key)) or entry)
    row = yield from call(ledger.absent, entry, asked_at, stack.context.settings.ledger_attempts)  # type: ignore[arg-type]
    if row is None:
        raise doubt_of(entry)
    if row.phase is Phase.NEEDS_PERSON:
        raise doubt_of(row)
    return None
