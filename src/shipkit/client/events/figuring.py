"""The figures of a business, read from what the store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from ...errors import InputError, StoreError
from ...events.kpi import Counting, Figures
from ...flow import Run, call
from ...ledger.intent import unpacked
from ...ledger.pieces import phase_of
from ...model import Problem, ProblemCode
from ...ports import Entry, Phase
from ..kinds import kind_of
from .desk import EventDesk

__all__ = ["figures"]

_PAGE: Final = 1000
_MARGIN: Final = timedelta(hours=1)
"""Numbers and times of announcements rise together, but for commits that overlap."""
_BOOKS: Final = ("create_shipment", "create_return")


def figures(desk: EventDesk, since: datetime | None = None) -> Run[tuple[Figures, ...]]:
    """By carrier and lane: keys, parcels and announcements that were made at *since* or later.

    Of everything a page at a time is read; what is kept meanwhile is a few numbers for each parcel and each event.

    Raises:
        InputError: *since* has no offset from UTC.
    """
    if since is not None and since.tzinfo is None:
        text = "has no offset from UTC"
        raise InputError(problems=(Problem(path="/since", code=ProblemCode.MALFORMED, text=text),))
    since = since if since is not None else datetime.min.replace(tzinfo=timezone.utc)
    counting = Counting()
    yield from _bookings(desk, counting, since)
    scope = ""
    while parcels := (yield from call(desk.store.walk, after=scope, limit=_PAGE, since=since)):
        for parcel in parcels:
            counting.parcel(parcel)
        scope = parcels[-1].scope
    number = yield from _last_before(desk, since - _MARGIN if since.year > 1 else since)
    while told := (yield from call(desk.store.announcements, number, _PAGE)):
        fresh = [one for one in told if one.at is not None and one.at >= since]
        scopes = tuple(dict.fromkeys(one.scope for one in fresh))
        rows = (yield from call(desk.store.parcels, scopes)) if scopes else ()
        known = {row.scope: row for row in rows if row is not None}
        for one in fresh:
            if one.scope in known:
                counting.announcement(one, known[one.scope])
        number = told[-1].number
    return counting.figures()


def _last_before(desk: EventDesk, at: datetime) -> Run[int]:
    """The number of an announcement before *at*, such that few of those before it are read in vain: by halving."""
    low, high = 0, (yield from call(desk.store.settled_number))
    while low < high:
        middle = (low + high) // 2
        found = yield from call(desk.store.announcements, middle, 1)
        if found and found[0].at is not None and found[0].at < at:
            low = found[0].number
        else:
            high = middle
    return low


def _bookings(desk: EventDesk, counting: Counting, since: datetime) -> Run[None]:
    after, prefix = "", desk.desk.full_key("")
    while entries := (yield from call(desk.desk.store.ledger.entries, prefix=prefix, after=after, limit=_PAGE)):
        for entry in entries:
            if entry.operation in _BOOKS and entry.parent is None and entry.created_at >= since:
                planned = entry.phase is Phase.PLANNED
                pieces = (yield from call(desk.desk.store.ledger.pieces, entry)) if planned else ()
                counting.booking(entry.carrier, _lane(entry), phase_of(entry, pieces))
        after = entries[-1].key


def _lane(entry: Entry) -> str:
    """``FR>DE``, as the request says; empty where it is purged."""
    return ">".join(_countries(entry)) if entry.purged_at is None else ""


def _countries(entry: Entry) -> Iterator[str]:
    try:
        request: Any = unpacked(entry.request, kind_of(entry).request_type)
    except StoreError:  # a newer version wrote it: it counts without its lane
        return
    shipment = getattr(request, "shipment", None) or request
    for party in (shipment.ship_from, shipment.ship_to):
        if party.address is not None:
            yield str(party.address.country)
