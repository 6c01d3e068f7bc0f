"""What the calls of an event store cost among few parcels and among many: it must not depend on how many there are.

``python -m tests.benchmarks.events_store 10000 1000000`` measures these sizes; the table of benchmarks has small ones.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs

from shipkit.ports.events import EventStore, LetterEnd, LetterState, ParcelWork, Work
from shipkit.store import SqliteStore
from shipkit.store.event_values import delivery_text, event_text, parcel_text
from shipkit.testing.event_store_values import BEGAN, announcement, delivery, event, parcel

from .ledger import disk
from .timing import Figure

__all__ = ["flat"]

SMALL, LARGE = 2_000, 40_000
ROUNDS, WARM = 60, 5
BAR = 2.0
"""A hundred times as many rows are one level more of a tree, and pages that are not in SQLite's own cache."""
OPEN = 2_000
"""So many parcels are on their way, have codes that nobody explains, and wait for something, however many there are."""
NOW = BEGAN + timedelta(days=30)

_COUNT = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :parcels)"
_SCOPE = "'acme:' || printf('%010d', n * 7919 % 2147483647) || ':20231101'"


def flat(small: int = SMALL, large: int = LARGE) -> list[Figure]:
    """Each call on a file with *large* parcels against the same on one with *small*, in turn; medians, by the wall."""
    with (
        tempfile.TemporaryDirectory(dir=disk()) as folder,
        _filled(folder, small) as few,
        _filled(folder, large) as many,
    ):
        figures = []
        for name, call in _CALLS.items():
            took: dict[int, list[float]] = {small: [], large: []}
            for _ in range(ROUNDS + WARM):
                for parcels, store in ((small, few), (large, many)):
                    took[parcels].append(_timed(call, store, parcels))
            base, ours = (statistics.median(times[WARM:]) for times in (took[small], took[large]))
            figures.append(
                Figure(
                    name=f"event store, {name}, {large:,} parcels",
                    ratio=ours / base,
                    bar=BAR,
                    ours_us=ours * 1e6,
                    base_us=base * 1e6,
                    base=f"{small:,} parcels",
                )
            )
        return figures


@contextmanager
def _filled(folder: str, parcels: int) -> Iterator[EventStore]:
    """A file with so many parcels, three events, two announcements and one delivery each, most of them at their end."""
    path = Path(folder) / f"{parcels}.db"
    SqliteStore(path).close()
    _fill(path, parcels)
    store = SqliteStore(path, clock=lambda: NOW.timestamp(), wait_s=60)
    try:
        yield store.events
    finally:
        store.close()


def _fill(path: Path, parcels: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    template = parcel("N")
    state = parcel_text(attrs.evolve(template, digest="d" * 64))
    head, body = delivery_text(delivery("x", body=b'{"event": "scan"}' * 40))
    records = [event_text(event(template.scope, minute)) for minute in range(3)]
    ended = (BEGAN + timedelta(days=3)).timestamp()
    common = {"parcels": parcels, "at": BEGAN.timestamp(), "ended": ended, "open": parcels - OPEN}
    for statement, values in (
        (
            f"""INSERT INTO shipkit_parcel (scope, carrier, account, number, key, since, version, next_poll_at,
              finished_at, created_at, updated_at, milestone, actors, state)
            {_COUNT} SELECT {_SCOPE}, 'acme', 'main', substr({_SCOPE}, 6, 10), 'order-' || n, :at, 3,
              CASE WHEN n > :open THEN :ended + n END, CASE WHEN n <= :open THEN :ended END,
              :at, :at, 'in_transit', '', :state FROM c""",
            {"state": state},
        ),
        *(
            (
                f"""INSERT INTO shipkit_event (scope, event_id, observed_at, record, carrier, code_type, code, subcode)
                {_COUNT} SELECT {_SCOPE}, 'h:' || printf('%024d', n * 3 + {number}), :at + n, :record,
                  CASE WHEN n > :open THEN 'acme' END, '', CASE WHEN n > :open THEN 'Z' || (n % 50) END, '' FROM c""",
                {"record": record},
            )
            for number, record in enumerate(records)
        ),
        (
            f"""INSERT INTO shipkit_announcement (mark, key, scope, sequence, type, body, announced_at)
            {_COUNT} SELECT printf('%020d', n * 2 + s), {_SCOPE} || '|' || s, {_SCOPE}, s, 't', :body, :at
            FROM c CROSS JOIN (SELECT 1 AS s UNION ALL SELECT 2)""",
            {"body": b"x" * 400},
        ),
        (
            """INSERT INTO shipkit_outbox (number, destination, scope, announced_at)
            SELECT number, 'erp', scope, announced_at FROM shipkit_announcement WHERE number > :open * 2""",
            {},
        ),
        (
            f"""INSERT INTO shipkit_inbox (id, account, delivery_id, carrier, state, due_at, received_at, heard_at,
              ended_at)
            {_COUNT} SELECT n, 'account-' || (n % 5), hex(n * 7919), 'acme',
              CASE WHEN n <= :open THEN 'done' WHEN n % 2 THEN 'new' ELSE 'dead' END,
              CASE WHEN n > :open AND n % 2 THEN :at END, :at + n, :at + n,
              CASE WHEN n <= :open THEN :ended END FROM c""",
            {},
        ),
        (
            f"INSERT INTO shipkit_delivery (id, head, body) {_COUNT} SELECT n, :head, :body FROM c",
            {"head": head, "body": body},
        ),
    ):
        connection.execute(statement, common | values)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _some(parcels: int) -> str:
    """The scope of any of them."""
    return f"acme:{random.randrange(1, parcels + 1) * 7919 % 2147483647:010d}:20231101"


def _put(store: EventStore, parcels: int) -> None:
    store.put([delivery(f"{random.getrandbits(80):x}") for _ in range(20)])


def _one_parcel(store: EventStore, parcels: int) -> None:
    """A delivery is taken, its parcel is found and read, and all that follows is written."""
    (letter,) = store.take("w", 600, 1)
    (found,) = store.find([("acme", _some(parcels)[5:15])])
    assert found is not None and store.evidence([found.scope])[found.scope]
    scan = event(found.scope, 1, native_id=f"{random.getrandbits(60):x}")
    name = f"{random.getrandbits(60):x}"
    told = tuple(announcement(found.scope, place, f"{name}|{place}") for place in (3, 4))
    one = ParcelWork(before=found, after=attrs.evolve(found, polls=1), events=(scan,), announcements=told)
    end = LetterEnd(id=letter.id, owner="w", state=LetterState.DONE, scopes=(found.scope,))
    assert store.commit(Work(parcels=(one,), letters=(end,), destinations=("erp",)))


def _relayed(store: EventStore, parcels: int) -> None:
    found = store.pending("erp", 3)
    store.settle("erp", [one.announcement.number for one in found])


def _followed(store: EventStore, parcels: int) -> None:
    name = f"{random.getrandbits(60):x}"
    store.follow([parcel(name)])


_CALLS: dict[str, Callable[[EventStore, int], Any]] = {
    "20 deliveries stored": _put,
    "one delivery worked off": _one_parcel,
    "a parcel registered": _followed,
    "3 announcements relayed": _relayed,
    "20 parcels due": lambda store, _: store.due(0, 20),
    "20 parcels by number": lambda store, parcels: store.find([("acme", _some(parcels)[5:15]) for _ in range(20)]),
    "a parcel by key": lambda store, parcels: store.of_key(f"order-{random.randrange(1, parcels)}"),
    "100 parcels walked": lambda store, parcels: store.walk(after=_some(parcels), limit=100),
    "100 open parcels walked": lambda store, _: store.walk(open_only=True, limit=100),
    "dead letters": lambda store, _: store.letters([LetterState.DEAD]),
    "queues": lambda store, _: store.queues(),
    "parcels counted": lambda store, _: store.open_counts(),
    "last pushes": lambda store, _: store.heard(),
    "codes unmapped": lambda store, _: store.unmapped(),
    "nothing to purge": lambda store, _: store.purge_events(BEGAN, BEGAN, datetime(2000, 1, 1, tzinfo=timezone.utc)),
}


def _timed(call: Callable[[EventStore, int], Any], store: EventStore, parcels: int) -> float:
    begun = time.perf_counter()
    call(store, parcels)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sizes = [int(each) for each in sys.argv[1:3]]
    for figure in flat(*sizes):
        said = "holds" if figure.holds else "MISSED"
        print(f"{figure.name:58} {figure.ratio:6.2f} {said:7} {figure.ours_us:9.0f} us {figure.base_us:9.0f} us")
