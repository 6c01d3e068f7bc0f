"""What each event does to a row, as functions from a row to the row that follows; None where the event does not apply.

`shipkit.ledger.states` has the same as a table. Every store applies these as they stand, the durable ones to the row
that they read in the transaction that writes it, and all are held against the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from ..model.base import Value
from ..ports import Backlog, Claim, Entry, Phase, Resend

__all__ = [
    "BESIDE",
    "CLAIMABLE",
    "ENDED",
    "GONE",
    "LOST_AT_REST",
    "absent",
    "backlog",
    "booked",
    "claimable",
    "claimed",
    "closed",
    "doubted",
    "due_at",
    "ended",
    "filled",
    "given_up",
    "kept",
    "lost",
    "not_sent",
    "plannable",
    "planned",
    "refused",
    "resent",
    "restored",
    "standing",
    "taken_over",
    "undoing",
    "voided",
    "wanted_void",
    "with_person",
]

CLAIMABLE: Final = (Phase.NEW, Phase.ABSENT, Phase.REJECTED)
ENDED: Final = (Phase.VOIDED, Phase.CLOSED)
BESIDE: Final = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON)
"""A piece in one of these holds up the pieces beside it."""

GONE: Final = "gone"
"""A further booking that the carrier does not know; shown by it after all, it is open again."""

LOST_AT_REST: Final = {
    Phase.NEW: "restored new",
    Phase.ABSENT: "restored absent",
    Phase.REJECTED: "restored rejected",
}
"""What a row in doubt says as its error that nobody was buying under when the store was restored."""

_NAMES = tuple(field.name for field in attrs.fields(Entry))
_AT_ONCE = (Phase.IN_DOUBT, Phase.VOIDING)
_LOOKED_FOR = (Phase.ABSENT, Phase.NEEDS_PERSON, Phase.VOIDED, Phase.CLOSED)
_LOST = (Phase.NEW, Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.ABSENT, Phase.REJECTED)


def due_at(row: Mapping[str, Any], at: datetime) -> datetime | None:
    """When a recovery run is to look at a row of these values, which is written at *at*."""
    phase = row["phase"]
    if phase is Phase.IN_FLIGHT:
        lease_until: datetime | None = row["lease_until"]
        return lease_until
    open_booking = phase is Phase.SUCCEEDED and not row["complete"]
    if phase in _AT_ONCE or open_booking or (phase is Phase.PLANNED and row["void_wanted"]):
        return at
    until, settle_at = row["watch_until"], row["settle_at"]
    if until is None or until <= at or settle_at is None:
        return None
    due: datetime = max(settle_at, at)
    # `booked` takes `watch_until` away from a booking that is not looked for any more.
    if phase in _LOOKED_FOR or phase is Phase.SUCCEEDED or row["attempt"] > 1 or row["send"] > 1:
        return due
    return None


def standing(row: Entry) -> tuple[object, ...]:
    """What a row that has not moved still shows."""
    return row.phase, row.attempt, row.send, row.void_wanted, row.complete


def _undoing(row: Entry) -> bool:
    return row.phase is Phase.PLANNED and row.void_wanted


def _moved(row: Entry, at: datetime, phase: Phase, **more: Any) -> Entry:
    values: dict[str, Any] = {name: getattr(row, name) for name in _NAMES}
    values.update(more, phase=phase, updated_at=at)
    values["next_at"] = due_at(values, at)
    return Entry(**values)


def _same_send(row: Entry, entry: Entry) -> bool:
    return row.attempt == entry.attempt and row.send == entry.send


def _unless_wanted(row: Entry, phase: Phase) -> Phase:
    return Phase.VOIDED if row.void_wanted else phase


def claimable(row: Entry | None, claim: Claim) -> bool:
    """Whether *claim* is for exactly the attempt that *row*, the newest of its key, stands before."""
    if row is None or row.generation != claim.generation:
        return claim.attempt == 1 and _may_follow(row, claim)
    if row.phase not in CLAIMABLE or row.void_wanted or claim.instead:
        return False
    if row.attempt + (row.phase is not Phase.NEW) != claim.attempt:
        return False
    # Nothing left, or it was refused: another payload is simply the next try.
    if row.phase in (Phase.NEW, Phase.REJECTED):
        return True
    return row.fingerprint == claim.fingerprint and claim.attempt <= claim.attempts_max


def _may_follow(row: Entry | None, claim: Claim) -> bool:
    if row is None:
        return not claim.instead
    over = row.phase in CLAIMABLE and not row.void_wanted if claim.instead else row.phase in ENDED
    return over and claim.generation == row.generation + 1


def claimed(claim: Claim, at: datetime, created_at: datetime) -> Entry:
    """The row in flight that *claim* makes."""
    lease_until, settle_at = at + timedelta(seconds=claim.lease_s), at + timedelta(seconds=claim.settle_s)
    return Entry(
        key=claim.key,
        generation=claim.generation,
        operation=claim.operation,
        account=claim.account,
        carrier=claim.carrier,
        phase=Phase.IN_FLIGHT,
        void_wanted=False,
        fingerprint=claim.fingerprint,
        base=claim.base,
        attempt=claim.attempt,
        send=1,
        sole=True,
        owner=claim.owner,
        request=claim.request,
        lease_until=lease_until,
        settle_at=settle_at,
        first_sent_at=at,
        watch_until=settle_at + timedelta(seconds=claim.watch_s),
        next_at=lease_until,
        parent=claim.parent,
        created_at=created_at,
        updated_at=at,
    )


def lost(claim: Claim, at: datetime, first_sent_at: datetime, settle_at: datetime) -> Entry:
    """The row in doubt that an unknown key begins with while it may be one that the store lost.

    It may have been sent at *first_sent_at* at the earliest, and everything that was is settled at *settle_at*.
    """
    row = claimed(claim, at, at)
    watch_until = max(settle_at, at) + timedelta(seconds=claim.watch_s)
    return attrs.evolve(
        row,
        phase=Phase.IN_DOUBT,
        sole=False,
        error="restored",
        lease_until=None,
        settle_at=settle_at,
        first_sent_at=first_sent_at,
        watch_until=watch_until,
        next_at=at,
    )


def resent(row: Entry, entry: Entry, again: Resend, at: datetime) -> Entry | None:
    """The row in flight once more, under the same identity."""
    if row.phase is not Phase.IN_DOUBT or row.void_wanted or not _same_send(row, entry):
        return None
    settled = row.settle_at is None or row.settle_at <= at
    if row.send >= again.sends_max or (row.send > 1 and not settled):
        return None
    settle_at = at + timedelta(seconds=again.settle_s)
    if again.key_ttl_s is not None:
        first = row.first_sent_at
        if first is None or first + timedelta(seconds=again.key_ttl_s) <= settle_at:
            return None
    return _moved(
        row,
        at,
        Phase.IN_FLIGHT,
        send=row.send + 1,
        sole=settled,
        owner=again.owner,
        lease_until=at + timedelta(seconds=again.lease_s),
        settle_at=settle_at,
        watch_until=_as_long(row, settle_at),
    )


def _as_long(row: Entry, settle_at: datetime) -> datetime | None:
    """The end of watching, as long after *settle_at* as it was after the row's own."""
    if row.watch_until is None or row.settle_at is None:
        return row.watch_until
    return settle_at + (row.watch_until - row.settle_at)


def taken_over(row: Entry, entry: Entry, at: datetime) -> Entry | None:
    """In doubt, if the lease is over."""
    over = row.lease_until is not None and row.lease_until <= at
    return _moved(row, at, Phase.IN_DOUBT) if row.phase is Phase.IN_FLIGHT and over and _same_send(row, entry) else None


def doubted(row: Entry, entry: Entry, at: datetime, error: str) -> Entry | None:
    """In doubt: no readable answer came to this claim."""
    return _moved(row, at, Phase.IN_DOUBT, error=error) if _mine(row, entry) else None


def not_sent(row: Entry, entry: Entry, at: datetime) -> Entry | None:
    """New again, unless an earlier send of the identity is open."""
    if not _mine(row, entry):
        return None
    return _moved(row, at, Phase.IN_DOUBT if row.send > 1 else _unless_wanted(row, Phase.NEW))


def _mine(row: Entry, entry: Entry) -> bool:
    return row.phase is Phase.IN_FLIGHT and row.owner == entry.owner and _same_send(row, entry)


def refused(row: Entry, entry: Entry, at: datetime, error: str) -> Entry | None:
    """Rejected, unless another send of the identity may still be booked."""
    if row.phase not in (Phase.IN_FLIGHT, Phase.IN_DOUBT) or not _same_send(row, entry):
        return None
    return _moved(row, at, _unless_wanted(row, Phase.REJECTED) if row.sole else Phase.IN_DOUBT, error=error)


def absent(row: Entry, entry: Entry, at: datetime, asked_at: datetime, attempts_max: int) -> Entry | None:
    """Absent, if the question was asked late enough."""
    settled = row.settle_at is not None and row.settle_at <= asked_at
    if row.phase is not Phase.IN_DOUBT or not settled or not _same_send(row, entry):
        return None
    then = Phase.ABSENT if row.attempt < attempts_max else Phase.NEEDS_PERSON
    if row.error in (LOST_AT_REST[Phase.NEW], LOST_AT_REST[Phase.REJECTED]):
        then = Phase.REJECTED  # nothing was lost: any payload may follow, as before
    return _moved(row, at, _unless_wanted(row, then))


def with_person(row: Entry, entry: Entry, at: datetime, error: str) -> Entry | None:
    """With a person: nobody else can end the doubt."""
    in_doubt = row.phase is Phase.IN_DOUBT and _same_send(row, entry)
    return _moved(row, at, Phase.NEEDS_PERSON, error=error) if in_doubt else None


def row_for_evidence(row: Entry | None, entry: Entry) -> Entry | None:
    """The row that a booking brought for *entry* goes to, where *row* is what the store has; None: it is a stray.

    A store that lost its newest commits may not have the row: then it is entered again as its sender holds it, unless
    the key has gone on to another generation.
    """
    return entry if row is None else row if row.generation == entry.generation else None


def booked(row: Entry, booking: str, value: Value, at: datetime, *, complete: bool, watch: bool) -> Entry | None:
    """The row with its booking; None: a stray. A complete one stays as it is, for its label may be in a hand."""
    if row.booking == booking and (row.complete or row.phase in ENDED):
        return row
    if row.phase in ENDED or row.phase is Phase.PLANNED or row.booking not in ("", booking):
        return None
    watched = watch or row.attempt > 1 or row.send > 1
    return _moved(
        row,
        at,
        Phase.VOIDING if row.void_wanted else Phase.SUCCEEDED,
        booking=booking,
        error="",
        result=value,
        complete=complete,
        watch_until=row.watch_until if watched else None,
    )


def filled(row: Entry, entry: Entry, value: Value, at: datetime, *, complete: bool) -> Entry | None:
    """The documents of a booking that was recorded without them."""
    waiting = row.booking == entry.booking and row.booking and not row.complete
    return _moved(row, at, row.phase, result=value, complete=complete) if waiting else None


def wanted_void(row: Entry, at: datetime) -> Entry | None:
    """Wished undone: what that means now, and what it will mean to an answer that is still to come."""
    if row.phase in ENDED:
        return None
    if row.phase is Phase.VOIDING:
        return attrs.evolve(row, owner=_next_asker(row.owner), updated_at=at)
    if row.phase is Phase.SUCCEEDED:
        return _moved(row, at, Phase.VOIDING, void_wanted=True, owner=_next_asker(row.owner))
    return _moved(row, at, Phase.VOIDED if row.phase in CLAIMABLE else row.phase, void_wanted=True)


def _next_asker(owner: str) -> str:
    """Who asks the carrier to undo it from now on: a refusal counts only for whoever asked last."""
    word, _, number = owner.partition(" ")
    return f"void {int(number) + 1}" if word == "void" and number.isdigit() else "void 1"


def voided(row: Entry, value: Value, at: datetime, asked_at: datetime | None) -> Entry | None:
    """Undone; a booking that the carrier does not know, only if it was asked late enough.

    What the carrier said it undid is evidence, though it refused another worker who asked for the same.
    """
    settled = asked_at is not None and (row.settle_at is None or row.settle_at <= asked_at)
    counts = row.phase is Phase.VOIDING and (asked_at is None or settled)
    counts = counts or (row.phase is Phase.SUCCEEDED and asked_at is None)
    return _moved(row, at, Phase.VOIDED, void_wanted=True, void_result=value) if counts else None


def kept(row: Entry, entry: Entry, at: datetime, error: str) -> Entry | None:
    """The carrier would not undo it, and nobody has asked it again since."""
    last = row.phase is Phase.VOIDING and row.owner == entry.owner
    return _moved(row, at, Phase.SUCCEEDED, void_wanted=False, error=error) if last else None


def closed(row: Entry, at: datetime, note: str) -> Entry | None:
    """Given up; a new generation may follow."""
    closable = row.phase in CLAIMABLE or row.phase is Phase.NEEDS_PERSON
    return _moved(row, at, Phase.CLOSED, note=note) if closable else None


def given_up(row: Entry, at: datetime) -> Entry:
    """Closed, for the next generation takes its place."""
    return _moved(row, at, Phase.CLOSED)


def plannable(row: Entry | None, claim: Claim) -> bool:
    """Whether a parent may begin where *row* is the newest of its key: what was refused is given up for it."""
    if row is None:
        return claim.generation == 1
    over = row.phase in ENDED or (row.phase in (Phase.NEW, Phase.REJECTED) and not row.void_wanted)
    return over and claim.generation == row.generation + 1


def planned(claim: Claim, at: datetime, phase: Phase) -> Entry:
    """A parent (``planned``) or one of its pieces (``new``), of which nothing has left yet."""
    return attrs.evolve(
        claimed(claim, at, at),
        phase=phase,
        lease_until=None,
        settle_at=None,
        first_sent_at=None,
        watch_until=None,
        next_at=None,
    )


def undoing(row: Entry, at: datetime, error: str) -> Entry | None:
    """A parent on its way back, and why; the first reason stays."""
    if row.phase is not Phase.PLANNED or row.void_wanted:
        return None
    return _moved(row, at, Phase.PLANNED, void_wanted=True, error=error)


def ended(row: Entry, pieces: tuple[Entry, ...], at: datetime) -> Entry | None:
    """The end of a parent that is undoing, once all its pieces are at one."""
    over = (*ENDED, Phase.REJECTED)
    if not _undoing(row) or any(piece.phase not in over for piece in pieces):
        return None
    # What was refused may be tried anew, and nothing of it is left to be wished undone.
    return _moved(row, at, Phase.REJECTED, void_wanted=False) if row.error else _moved(row, at, Phase.VOIDED)


def restored(row: Entry, at: datetime, settle_s: float) -> Entry | None:
    """In doubt, as if it had gone out once more and not alone: the store may have lost what became of it."""
    if row.phase not in _LOST or (row.phase is Phase.REJECTED and row.settle_at is None):
        return None  # a parent was refused by its pieces, which are rows of their own
    settle_at = at + timedelta(seconds=settle_s)
    watch_until = _as_long(row, settle_at)
    sent = row.first_sent_at or row.created_at
    return _moved(
        row,
        at,
        Phase.IN_DOUBT,
        send=row.send + 1,
        sole=False,
        error=LOST_AT_REST.get(row.phase, row.error or "restored"),
        settle_at=settle_at,
        watch_until=watch_until,
        first_sent_at=sent,
    )


def backlog(found: Mapping[str, tuple[int, timedelta]]) -> tuple[Backlog, ...]:
    """How much waits, by the phase that it is in: how many rows, and how long the oldest has been."""
    queues = {Phase.IN_DOUBT.value: "in_doubt", Phase.SUCCEEDED.value: "label_pending"}
    none = (0, timedelta())
    return tuple(
        Backlog(queue=queue, depth=found.get(phase, none)[0], age_s=found.get(phase, none)[1].total_seconds())
        for phase, queue in queues.items()
    )
