"""An outbox for the tests: parcels that have announced so many things each, in any store of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import attrs

from shipkit.events.cloud import News, announcement
from shipkit.ports.events import Announcement, EventStore, Outgoing, Parcel, ParcelWork, Work
from tests.events.journeys import event

SINCE = datetime(2026, 3, 1, tzinfo=timezone.utc)


def told(scope: str, sequence: int, news: News = News.EVENT, number: int = 0) -> Announcement:
    """The *sequence*-th announcement of a parcel."""
    parcel = Parcel(
        scope=scope, carrier="acme", account="acme-eu", number=scope.rsplit(":", maxsplit=1)[-1], since=SINCE
    )
    made = announcement(
        news,
        event(sequence, code=str(sequence)),
        parcel=parcel,
        key=f"k{sequence}",
        sequence=sequence,
        happened_at=None,
    )
    return attrs.evolve(made, number=number)


def batch(*scopes: str) -> list[Outgoing]:
    """Outgoing announcements, the n-th of a scope having the sequence n."""
    counts: dict[str, int] = {}
    found = []
    for number, scope in enumerate(scopes, 1):
        counts[scope] = counts.get(scope, 0) + 1
        found.append(Outgoing(destination="d", announcement=told(scope, counts[scope], number=number)))
    return found


def announce(events: EventStore, scopes: Sequence[str], destinations: Sequence[str] = ("d",)) -> None:
    """Put one announcement for each of *scopes* in the outbox, in that order."""
    for scope in scopes:
        (known,) = events.parcels([scope])
        if known is None:
            events.follow([Parcel(scope=scope, carrier="acme", account="acme-eu", number=scope, since=SINCE)])
            (known,) = events.parcels([scope])
        assert known is not None
        after = attrs.evolve(known, sequence=known.sequence + 1)
        work = ParcelWork(before=known, after=after, announcements=(told(scope, after.sequence),))
        assert events.commit(Work(parcels=(work,), destinations=tuple(destinations)))


def in_order_after_dedup(received: Sequence[Any]) -> dict[str, list[int]]:
    """By scope the sequences of *received* (`Published`), what came twice left out."""
    seen: set[tuple[str, str]] = set()
    found: dict[str, list[int]] = {}
    for one in received:
        if (one.source, one.id) not in seen:
            seen.add((one.source, one.id))
            found.setdefault(one.scope, []).append(one.sequence)
    return found


def eventually(holds: Callable[[], object], within_s: float = 60) -> None:
    """Wait until *holds* does."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)
