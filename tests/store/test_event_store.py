"""What databases add to the contract of event stores: open transactions, rollbacks, other processes, crashes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.ports.events import EventStore, LetterEnd, LetterState, ParcelWork, Work
from shipkit.store import SqliteStore, tables
from shipkit.store import event_statements as sql
from shipkit.store.dialect import SQLITE
from shipkit.store.sql_events import SqlEvents
from shipkit.testing.event_store_values import announcement, delivery, event, parcel, work
from shipkit.testing.store_races import together
from tests.store.world import SERVER, Worlds, admin, host_cursor, need, on_server, schema_of

SCOPE = "acme:N1:20231101"
SERVERS = ("postgres", "host", "host3")
LONG_S = 60


def within(store: EventStore, opened: Callable[[], None]) -> Any:
    """*store* with something that happens while its next commit is written, and not there for others yet."""
    assert isinstance(store, SqlEvents)
    write = store._announce

    def announced(session: Any, *given: Any) -> None:
        write(session, *given)
        session.ask("SELECT 1", {})  # what was told until now is sent before it
        opened()

    store._announce = announced  # type: ignore[method-assign]
    return store


@pytest.mark.parametrize("kind", SERVERS)
def test_a_reader_waits_for_a_transaction_that_is_still_open(kind: str, worlds: Worlds) -> None:
    need(kind)
    store = worlds.store(kind).events
    other = on_server(kind)
    worlds.open.append(other)
    store.follow([parcel("N1"), parcel("N2")])
    first, second = store.parcels([SCOPE, "acme:N2:20231101"])
    assert first is not None and second is not None
    assert store.commit(work(first, tell=2))
    settled = store.settled_number()
    seen: list[tuple[int, list[int]]] = []

    def look() -> None:
        # Numbers 3 and 4 are drawn and not there; the other worker's 5 is.
        assert other.events.commit(work(second, tell=1))
        seen.append((other.events.settled_number(), [one.number for one in other.events.announcements()]))

    (again,) = store.parcels([SCOPE])
    assert again is not None
    assert within(store, look).commit(work(again, tell=2))
    ((during, numbers),) = seen
    assert during == settled == 2 and numbers == [1, 2, 5], "a reader would have gone on from 5, and missed two"
    assert other.events.settled_number() == 5
    assert [one.number for one in other.events.announcements(after=during)] == [3, 4, 5]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_transaction_that_is_rolled_back_holds_nothing_up(kind: str, worlds: Worlds) -> None:
    need(kind)
    store = worlds.store(kind).events
    store.follow([parcel("N1")])
    (found,) = store.parcels([SCOPE])
    assert found is not None

    def fails() -> None:
        raise ZeroDivisionError

    broken = on_server(kind)
    worlds.open.append(broken)
    with pytest.raises(ZeroDivisionError):
        within(broken.events, fails).commit(work(found, event(SCOPE, 1), tell=2, to=("erp",)))
    assert store.settled_number() == 2, "drawn, and never to be seen"
    assert store.announcements() == () and store.evidence([SCOPE]) == {SCOPE: ()} and store.pending("erp", 9) == ()
    assert store.commit(work(found, tell=1)) and [one.number for one in store.announcements()] == [3]


def test_what_the_host_rolls_back_does_not_take_ours_along(worlds: Worlds) -> None:
    need("host")
    store = worlds.store("host").events
    with pytest.raises(ZeroDivisionError), host_cursor(schema_of("host")) as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS hosts_own (name TEXT)")
        cursor.execute("INSERT INTO hosts_own VALUES ('draft')")
        assert store.put([delivery("a")]) == (True,)
        store.follow([parcel("N1")])
        raise ZeroDivisionError
    assert [one.delivery.delivery_id for one in store.letters()] == ["a"] and store.of_key("order-N1")
    with host_cursor(schema_of("host")) as cursor:
        cursor.execute("SELECT to_regclass('hosts_own')")
        assert cursor.fetchone()[0] is None


@contextmanager
def opened(kind: str, path: str) -> Any:
    """A store as another process opens it."""
    store = SqliteStore(path) if kind == "sqlite" else on_server_in(path)
    try:
        yield store.events
    finally:
        store.close()


def on_server_in(schema: str) -> Any:
    from shipkit.store import PostgresStore

    return PostgresStore(SERVER, schema=schema)


def place_of(kind: str, worlds: Worlds) -> tuple[Any, str]:
    need(kind)
    store = worlds.store(kind)
    return store, str(worlds.folder / f"{worlds.made}.db") if kind == "sqlite" else schema_of(kind)


def _puts(kind: str, path: str, worker: int, gate: Any, out: Any) -> None:
    gate.wait(LONG_S)
    with opened(kind, path) as store:
        names = [f"n{number}" for number in range(40)][:: -1 if worker % 2 else 1]
        new = [name for name in names if store.put([delivery(name)])[0]]
        taken = []
        while letters := store.take(f"w{worker}", 600, 3):
            taken += [one.delivery.delivery_id for one in letters]
        out.put((new, taken))


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_store_and_take_each_delivery_once(kind: str, worlds: Worlds) -> None:
    store, path = place_of(kind, worlds)
    context = multiprocessing.get_context("spawn")
    gate, out = context.Event(), context.Queue()
    workers = [context.Process(target=_puts, args=(kind, path, number, gate, out)) for number in range(3)]
    for worker in workers:
        worker.start()
    gate.set()
    told = [out.get(timeout=LONG_S) for _ in workers]
    for worker in workers:
        worker.join()
    expected = Counter(f"n{number}" for number in range(40))
    assert Counter(name for new, _ in told for name in new) == expected
    left = [one.delivery.delivery_id for one in store.events.take("last", 600, 1000)]
    assert Counter([name for _, taken in told for name in taken] + left) == expected


def _commits(kind: str, path: str, ready: Any) -> None:
    """A worker that ends deliveries with all that follows from them, until somebody kills it."""
    with opened(kind, path) as store:
        number = 0
        while True:
            number += 1
            (found,) = store.parcels([SCOPE])
            store.put([delivery(f"{os.getpid()}-{number}")])
            (letter,) = store.take("w", 600, 1)
            told = tuple(announcement(SCOPE, found.sequence + place) for place in (1, 2))
            after = attrs.evolve(found, polls=found.polls + 1, sequence=found.sequence + 2)
            scan = event(SCOPE, 1, native_id=str(found.version))
            one = ParcelWork(before=found, after=after, events=(scan,), announcements=told)
            end = LetterEnd(id=letter.id, owner="w", state=LetterState.DONE, scopes=(SCOPE,))
            store.commit(Work(parcels=(one,), letters=(end,), destinations=("erp", "crm")))
            ready.set()


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_worker_that_is_killed_leaves_commits_whole(kind: str, worlds: Worlds) -> None:
    store, path = place_of(kind, worlds)
    events = store.events
    events.follow([parcel("N1")])
    context = multiprocessing.get_context("spawn")
    killed = 0
    while killed < 3:
        ready = context.Event()
        worker = context.Process(target=_commits, args=(kind, path, ready))
        worker.start()
        assert ready.wait(LONG_S)
        time.sleep(0.004 * killed + 0.013)  # somewhere in a commit; where does not matter
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        killed += 1
        found = settled(events)
        assert found.version == found.polls
        assert len(events.evidence([SCOPE])[SCOPE]) == found.version
        assert [one.sequence for one in events.announcements(limit=10**6)] == list(range(1, 2 * found.version + 1))
        for destination in ("erp", "crm"):
            assert len(events.pending(destination, 10**6)) == 2 * found.version
        states = Counter(one.state for one in events.letters(limit=10**6))
        assert states[LetterState.DONE] == found.version and states[LetterState.NEW] <= killed
        # What the dead one held is lent for long; the next begins with what it puts itself.
        for letter in events.letters([LetterState.NEW], limit=10**6):
            events.take_up([letter.id])
            assert events.take("gone", 10**6, 1)


def settled(events: EventStore) -> Any:
    """The parcel, once nobody writes any more: a server may still end what a dead client sent."""
    until, last = time.monotonic() + LONG_S, None
    while time.monotonic() < until:
        (found,) = events.parcels([SCOPE])
        assert found is not None
        if last is not None and found.version == last:
            return found
        last = found.version
        time.sleep(0.2)
    raise AssertionError("somebody still writes")


def test_no_statement_walks_through_all_rows(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "plans.db").close()
    connection = sqlite3.connect(tmp_path / "plans.db")
    texts = {
        name: text for name, text in vars(sql).items() if name.isupper() and name[0] != "_" and isinstance(text, str)
    }
    texts["UNMAPPED"] = texts["UNMAPPED"].replace("{since}", " AND observed_at >= :since")
    for state in (LetterState.NEW, LetterState.PARKED, LetterState.DEAD):
        texts[f"letters {state.value}"] = sql.letters((state,), account=True, ids=False, bodies=True)
    texts["walk"] = sql.walk(since=False, open_only=True)
    walked = {}
    for name, text in texts.items():
        if "shipkit_meeting" in text or "unnest" in text:  # PostgreSQL's own
            continue
        plan = connection.execute(f"EXPLAIN QUERY PLAN {SQLITE.text(text)}", defaultdict(lambda: None))
        scans = [row[3] for row in plan if row[3].startswith("SCAN shipkit")]
        if scans:
            walked[name] = scans
    connection.close()
    # What waits in the outbox is counted, and from indexes alone what is on its way and what is unmapped.
    assert walked == {
        "OPEN_COUNTS": ["SCAN shipkit_parcel USING COVERING INDEX shipkit_parcel_counted"],
        "QUEUES": ["SCAN shipkit_outbox"],
        "UNMAPPED": ["SCAN shipkit_event USING COVERING INDEX shipkit_event_unmapped"],
    }


def test_a_file_of_the_previous_release_gets_the_tables_of_events(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    for number, script in enumerate(tables.SQLITE[:2], 1):
        connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute("INSERT INTO shipkit_meta (name, value) VALUES ('salt', 'kept')")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    assert store.salt() == "kept" and store.events.put([delivery("a")]) == (True,)
    store.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_schema_of_the_previous_release_gets_the_tables_of_events(kind: str, worlds: Worlds) -> None:
    need(kind)
    schema = schema_of(kind)
    with admin() as connection:
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)
        ).fetchall():
            connection.execute(f"DROP TABLE {schema}.{table} CASCADE")
        with connection.transaction():
            connection.execute(f"SET LOCAL search_path = {schema}")
            connection.execute("CREATE TABLE shipkit_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute("INSERT INTO shipkit_meta VALUES ('schema', '1')")
            connection.execute(tables.POSTGRES[0])

    def begin(number: int) -> bool:
        store = on_server(kind)
        try:
            return bool(store.events.put([delivery(f"n{number}")])[0])
        finally:
            store.close()

    assert together(4, begin) == [True] * 4
