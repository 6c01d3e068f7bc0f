"""Where the keys of a host stand, for a host that mirrors the ledger: the store is asked, and no carrier."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

import attrs

from ..flow import Run, call
from ..ledger.pieces import phase_of
from ..ports import Entry, Phase
from .desk import Desk

__all__ = ["Further", "Standing", "booked_between", "further", "now_of", "open_keys", "standing"]

_PAGE: Final = 200
_OPEN: Final = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON, Phase.VOIDING)


@attrs.frozen(kw_only=True)
class Standing:
    """Where one key stands: codes, numbers and moments, and nobody's data. Times are the store's, aware UTC.

    Of an order that is booked piece by piece ``phase`` is that of the whole (``planned``: some pieces are still to be
    bought) and ``waiting`` names the piece that a person is asked about.
    """

    key: str
    generation: int
    operation: str
    account: str
    carrier: str
    phase: Phase
    void_wanted: bool
    booking: str
    """The carrier's number of what was booked; empty while nothing is known to be."""
    complete: bool
    """Whether its papers are in hand."""
    attempts: int
    error: str
    note: str
    purged: bool
    waiting: str
    settle_at: datetime | None
    """The first moment at which "there is none" proves anything."""
    created_at: datetime
    changed_at: datetime


@attrs.frozen(kw_only=True)
class Further:
    """A further booking that came in for a key, and what became of it: ``open``, ``voided``, ``gone`` or ``shown``."""

    generation: int
    booking: str
    phase: str


def now_of(desk: Desk) -> Run[datetime]:
    """The store's clock."""
    return (yield from call(desk.store.ledger.now))


def standing(desk: Desk, key: str) -> Run[Standing | None]:
    """Where *key* stands; None where nothing was ever asked for under it."""
    entry = yield from call(desk.store.ledger.read, desk.full_key(key))
    return (yield from _told(desk, entry)) if entry is not None else None


def further(desk: Desk, key: str) -> Run[tuple[Further, ...]]:
    """The further bookings under *key*."""
    rows = yield from call(desk.store.ledger.strays, desk.full_key(key))
    return tuple([Further(generation=row.generation, booking=row.booking, phase=row.phase) for row in rows])


def open_keys(desk: Desk) -> Run[tuple[Standing, ...]]:
    """Every key whose outcome is not known yet, or that is being cancelled, or that waits for a person."""
    found: list[Entry] = []
    after, some = "", partial(desk.store.ledger.entries, prefix=desk.full_key(""), phases=_OPEN, limit=_PAGE)
    while page := (yield from call(partial(some, after=after))):
        found += page
        after = page[-1].key
    return (yield from _wholes(desk, found))


def booked_between(desk: Desk, since: datetime, before: datetime) -> Run[tuple[Standing, ...]]:
    """Every key with a booking whose row changed last from *since* on and before *before*."""
    found: list[Entry] = []
    at, after, some = since, "", partial(desk.store.ledger.succeeded, prefix=desk.full_key(""), limit=_PAGE)
    while page := (yield from call(some, at, after)):
        found += [row for row in page if row.updated_at < before]
        at, after = page[-1].updated_at, page[-1].key
        if at >= before:
            break
    return (yield from _wholes(desk, found))


def _wholes(desk: Desk, rows: Iterable[Entry]) -> Run[tuple[Standing, ...]]:
    """One for each key that the host knows: a piece is told of with its whole."""
    told: dict[str, Standing] = {}
    for row in rows:
        key = row.parent[0] if row.parent is not None else row.key
        if key in told:
            continue
        whole = row if row.parent is None else (yield from call(desk.store.ledger.read, key))
        # A piece of an earlier generation says nothing of the key any more.
        if whole is not None and (row.parent is None or whole.generation == row.parent[1]):
            told[key] = yield from _told(desk, whole)
    return tuple(told.values())


def _told(desk: Desk, entry: Entry) -> Run[Standing]:
    pieces = (yield from call(desk.store.ledger.pieces, entry)) if entry.phase is Phase.PLANNED else ()
    rows = (entry, *pieces)
    waiting = [desk.own_key(row.key) or row.key for row in rows if row.phase is Phase.NEEDS_PERSON]
    settling = [row.settle_at for row in rows if row.settle_at is not None]
    return Standing(
        key=desk.own_key(entry.key) or entry.key,
        generation=entry.generation,
        operation=entry.operation,
        account=entry.account,
        carrier=entry.carrier,
        phase=phase_of(entry, pieces) if pieces else entry.phase,
        void_wanted=entry.void_wanted,
        booking=next((row.booking for row in rows if row.booking), ""),
        complete=all(row.complete for row in pieces) if pieces else entry.complete,
        attempts=max(row.attempt for row in rows),
        error=next((row.error for row in rows if row.error), ""),
        note=next((row.note for row in rows if row.note), ""),
        purged=any(row.purged_at is not None for row in rows),
        waiting=waiting[0] if waiting else "",
        settle_at=max(settling) if settling else None,
        created_at=entry.created_at,
        changed_at=max(row.updated_at for row in rows),
    )
