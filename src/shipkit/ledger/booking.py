"""The way of a purchase: look at the row, claim it, send once, record what is proved, hand out what the row says."""

from __future__ import annotations

from typing import TypeVar

from ..errors import ConflictError, InDoubtError, InProgressError
from ..flow import Run, call
from ..model.base import Value
from ..policy import Stack
from ..ports import Claim, Entry, LedgerStore, Phase
from ..store.rules import ENDED
from .identity import base_of, mark_of
from .intent import Intent, MovedError, cancelling, doubt_of, settle_s, told, unpacked, used_up
from .recovery import recovered
from .sending import recorded, sent

__all__ = [
    "Intent",
    "MovedError",
    "booked",
    "doubt_of",
    "finished",
    "recorded",
    "refuse_conflict",
    "take_over",
    "told",
    "unpacked",
]

T = TypeVar("T", bound=Value)

_LOOKS = 8  # at a row that others move meanwhile; each attempt, doubt or takeover needs one or two
_UNSENT = (Phase.REJECTED, Phase.NEW)


def booked(intent: Intent[T], ledger: LedgerStore, stack: Stack) -> Run[T]:
    """The booking under the intent's key: made now, returned again, or found.

    Raises:
        ConflictError: the key is taken by another payload, is being cancelled, or is used up.
        InProgressError: a live worker holds it.
        InDoubtError: it may have happened; nothing is bought until that is known.
        LabelPendingError: booked, a document is still at the carrier.
    """
    if intent.several is not None:
        from .pieces import booked_in_pieces

        return (yield from booked_in_pieces(intent, intent.several, ledger, stack))
    for _ in range(_LOOKS):
        entry = yield from call(ledger.read, intent.key)
        if entry is not None:
            refuse_conflict(intent, entry)
            if entry.phase is Phase.SUCCEEDED:
                return (yield from finished(intent, ledger, entry))
            if entry.phase is Phase.NEEDS_PERSON:
                raise doubt_of(entry)
            if entry.phase is Phase.IN_FLIGHT:
                yield from take_over(ledger, entry)
                continue
            if entry.phase is Phase.IN_DOUBT:
                found = yield from recovered(intent, ledger, stack, entry)
                if found is not None:
                    return (yield from finished(intent, ledger, found))
                continue
        try:
            return (yield from _attempted(intent, ledger, stack, entry))
        except MovedError:
            if entry is not None and entry.parent is not None:
                raise  # the pieces beside it say why
    raise InProgressError(f"other workers keep moving {intent.key}", key=intent.key, retry_after_s=1)


def refuse_conflict(intent: Intent[T], entry: Entry) -> None:
    """Raise where *entry* does not let the intent go on.

    Raises:
        ConflictError: it stands for something else, or is being cancelled.
    """
    if entry.phase in ENDED:
        if intent.after is not None and entry.generation >= intent.after:
            raise cancelling(entry)
        return
    if entry.void_wanted:
        raise cancelling(entry)
    if intent.routed and entry.phase is Phase.ABSENT:
        return
    text = ""
    if entry.phase is Phase.PLANNED and intent.several is None:
        text = f"{intent.key} was begun in pieces"
    elif entry.carrier != intent.carrier and entry.phase not in _UNSENT:
        text = f"{intent.key} was sent to {entry.carrier} under the same account name"
    # After a refusal, or when nothing ever left, another payload is simply the next try.
    elif entry.fingerprint != intent.fingerprint and entry.phase not in _UNSENT:
        text = f"{intent.key} was used for something else ({entry.operation} at {entry.account}, {entry.phase.value})"
    if text:
        raise ConflictError(text, key=intent.key, generation=entry.generation)


def take_over(ledger: LedgerStore, entry: Entry) -> Run[Entry | None]:
    """The row in doubt once its worker's lease is over; None when it has moved meanwhile.

    Raises:
        InProgressError: its worker may still be alive.
    """
    at = yield from call(ledger.now)
    if entry.lease_until is not None and entry.lease_until > at:
        raise InProgressError(
            f"another worker holds {entry.key}",
            key=entry.key,
            generation=entry.generation,
            retry_after_s=int((entry.lease_until - at).total_seconds()) + 1,
        )
    return (yield from call(ledger.take_over, entry))


def _attempted(intent: Intent[T], ledger: LedgerStore, stack: Stack, entry: Entry | None) -> Run[T]:
    asked = intent.request()
    salt = yield from call(ledger.salt)
    instead = entry is not None and _elsewhere(intent, entry)
    if entry is None or instead or entry.phase in ENDED:
        generation, attempt = (entry.generation + 1 if entry else 1), 1
    else:
        generation = entry.generation
        attempt = entry.attempt + (entry.phase is not Phase.NEW)
    base = base_of(salt, intent.key, generation)
    settings = stack.context.settings
    claim = Claim(
        key=intent.key,
        generation=generation,
        attempt=attempt,
        operation=intent.operation,
        account=intent.account,
        carrier=intent.carrier,
        fingerprint=intent.fingerprint,
        base=base,
        owner=stack.context.request_id(),
        request=asked,
        lease_s=settings.lease_s,
        settle_s=settle_s(settings, intent.recovery),
        watch_s=settings.watch_s if intent.find is not None else 0,
        attempts_max=settings.ledger_attempts,
        parent=entry.parent if entry is not None else intent.parent,
        instead=instead,
    )
    try:
        row = yield from sent(intent, ledger, stack, asked, mark_of(base, attempt), ledger.claim, claim)
    except InDoubtError as doubt:
        if doubt.__cause__ is None:
            raise  # answered, and readably: with another count of packages, which a look would only show again
        return (yield from _looked_up(intent, ledger, stack, generation, doubt))
    return (yield from finished(intent, ledger, row))


def _elsewhere(intent: Intent[T], entry: Entry) -> bool:
    """Whether this try goes another way than the one that *entry* stands for, which then is closed.

    What may still come of an earlier try is looked for at the account of its own row, so another account (or another
    carrier of that name) never takes that over; nor does another payload where an attempt before the last one may have
    ended in an absence, whose late booking must stay attributable.
    """
    if entry.phase in ENDED:
        return False
    if (entry.account, entry.carrier) != (intent.account, intent.carrier):
        return True
    unanswered = entry.phase is Phase.ABSENT or entry.attempt > 1
    return unanswered and entry.fingerprint != intent.fingerprint


def _looked_up(intent: Intent[T], ledger: LedgerStore, stack: Stack, generation: int, doubt: InDoubtError) -> Run[T]:
    """Present counts at once, so one look within what is left of the deadline may spare the host a doubt."""
    entry = yield from call(ledger.read, intent.key)
    if entry is None or entry.phase is not Phase.IN_DOUBT or entry.generation != generation:
        raise doubt
    try:
        found = yield from recovered(intent, ledger, stack, entry)
    except InDoubtError as still:
        raise still from doubt.__cause__
    if found is None:
        raise doubt
    return (yield from finished(intent, ledger, found))


def finished(intent: Intent[T], ledger: LedgerStore, entry: Entry) -> Run[T]:
    """What the row says, with the documents that were still at the carrier.

    Raises:
        ConflictError: it is being cancelled, so nobody gets its label; or it was kept for as long as it is kept.
    """
    if entry.phase is not Phase.SUCCEEDED:
        raise cancelling(entry)
    if entry.purged_at is not None:
        raise used_up(entry)
    value = unpacked(entry.result, intent.shape)
    if entry.complete or intent.in_hand(value):
        return value
    full = yield from intent.complete(intent.of_row(entry), value)
    yield from call(ledger.fill, entry, full, intent.in_hand(full))
    row = yield from call(ledger.read, entry.key)
    first = row is not None and (row.generation, row.booking) == (entry.generation, entry.booking) and row.complete
    # Somebody else may have fetched them meanwhile, and a label that is printed twice must be the same one.
    return unpacked(row.result, intent.shape) if row is not None and first else full
