"""Many workers at the same rows: one winner, nothing lost, nothing handed out twice."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import StoreError
from shipkit.ports import Phase
from shipkit.store import SqliteStore
from shipkit.store.audit import broken_at
from tests.store.world import SERVER, SHIPMENT, WITH_LABEL, Hands, Worlds, claim, need, on_server, schema_of


def together(workers: int, work: Callable[[int], Any]) -> list[Any]:
    """What *work* gave each of so many threads, all begun at once."""
    gate, found = threading.Barrier(workers), []

    def run(number: int) -> None:
        gate.wait(20)
        try:
            found.append(work(number))
        except Exception as error:  # a thread must not swallow it
            found.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [one for one in found if isinstance(one, Exception)], found
    return found


@pytest.fixture
def shared(durable: str, worlds: Worlds) -> tuple[Any, list[Any]]:
    """One place, and a store of their own in it for each of six workers."""
    first = worlds.store(durable)
    first.read("nobody")
    workers = [worlds.beside(durable) for _ in range(6)]
    worlds.open += workers
    return first, workers


@pytest.mark.slow
def test_every_key_is_claimed_by_exactly_one_of_six_workers(shared: Any, durable: str) -> None:
    store, workers = shared
    keys = [f"k{number:03}" for number in range(500 if durable == "postgres" else 120)]

    def work(number: int) -> list[str]:
        return [key for key in keys if workers[number].claim(claim(key, owner=f"w{number}")) is not None]

    won = Counter(key for found in together(6, work) for key in found)
    assert won == Counter(keys)
    assert all(len(store.history(key)) == 1 for key in keys[::10])


@pytest.mark.slow
def test_of_different_bookings_for_a_key_one_is_its_row_and_the_others_are_kept(shared: Any) -> None:
    store, workers = shared
    entries = [store.claim(claim(f"k{number:02}")) for number in range(30)]

    def work(number: int) -> Any:
        value = attrs.evolve(WITH_LABEL, shipment_id=f"S{number}")
        return [workers[number].book(entry, f"B{number}", value, True) for entry in entries]

    phases = together(6, work)
    for at, entry in enumerate(entries):
        assert sorted(str(phase[at]) for phase in phases) == ["None"] * 5 + [str(Phase.SUCCEEDED)]
        row, strays = store.read(entry.key), store.strays(entry.key)
        assert {row.booking, *(stray.booking for stray in strays)} == {f"B{number}" for number in range(6)}
        assert len(strays) == 5
        assert broken_at(store.history(entry.key)) is None


@pytest.mark.slow
def test_a_row_that_is_due_is_handed_to_one_of_many_recoveries(shared: Any) -> None:
    store, workers = shared
    for number in range(60):
        store.doubt(store.claim(claim(f"k{number:02}")), "silence")

    def work(number: int) -> list[str]:
        return [row.key for _ in range(6) for row in workers[number].due(10, hold_s=60)]

    taken = Counter(key for found in together(6, work) for key in found)
    assert set(taken.values()) == {1} and len(taken) == 60


@pytest.mark.slow
def test_only_one_piece_of_a_parent_is_claimed_at_a_time(shared: Any) -> None:
    store, workers = shared
    for round_ in range(8):
        parent = f"p{round_}"
        keys = [f"{parent}#1/{number}" for number in range(1, 7)]
        assert store.plan(claim(parent), [claim(key, parent=(parent, 1)) for key in keys]) is not None

        def work(number: int, parent: str = parent, keys: list[str] = keys) -> Any:
            return workers[number].claim(claim(keys[number], parent=(parent, 1)))

        assert len([entry for entry in together(6, work) if entry is not None]) == 1


@pytest.mark.slow
def test_an_undoing_parent_reaches_pieces_that_are_claimed_at_that_moment(shared: Any) -> None:
    store, workers = shared
    for round_ in range(8):
        parent = f"p{round_}"
        keys = [f"{parent}#1/{number}" for number in range(1, 4)]
        planned = store.plan(claim(parent), [claim(key, parent=(parent, 1)) for key in keys])

        def work(number: int, parent: Any = planned, keys: list[str] = keys) -> Any:
            if number == 0:
                return workers[0].undo(parent, "refused")
            return workers[number].claim(claim(keys[number - 1], parent=(parent.key, 1)))

        together(4, work)
        assert all(row.void_wanted for row in store.pieces(planned))


@pytest.mark.slow
def test_one_of_many_fetches_a_token_and_one_drops_it(shared: Any) -> None:
    from shipkit.flow import Token

    store, workers = shared
    assert sum(together(6, lambda number: workers[number].tokens.claim("a", f"w{number}", 30))) == 1
    token = Token(value="secret", refresh_token="next")
    owner = "w0"
    store.tokens.put("a", owner, token)
    assert workers[3].tokens.get("a", 60) == token
    assert sum(together(6, lambda number: workers[number].tokens.drop("a", token))) == 1
    assert workers[3].tokens.get("a", 60) is None


@pytest.mark.slow
def test_a_shared_limit_is_never_exceeded(durable: str, worlds: Worlds) -> None:
    clock = Hands()
    store = worlds.store(durable, clock)
    workers = [worlds.beside(durable, clock) for _ in range(4)]
    worlds.open += workers
    store.limits.reserve("warm", 1, 0, 0)
    taken = together(4, lambda number: [workers[number].limits.reserve("x", 1.0, 4.0, 0) for _ in range(5)])
    waits = [wait for found in taken for wait in found]
    assert waits.count(0) == 5, "a burst of five, and not one more"
    clock.at += 2
    assert [store.limits.reserve("x", 1.0, 4.0, 0) for _ in range(3)] == [0, 0, 1.0]


def _claims(kind: str, place: str, name: str, keys: int, out: Any) -> None:
    store: Any = SqliteStore(place) if kind == "sqlite" else _server(place)
    out.put(sum(store.claim(claim(f"k{number}", owner=name)) is not None for number in range(keys)))
    store.close()


def _server(schema: str) -> Any:
    from shipkit.store import PostgresStore

    return PostgresStore(SERVER, schema=schema)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_win_each_key_once(kind: str, worlds: Worlds, tmp_path: Path) -> None:
    need(kind)
    worlds.store(kind)
    place = str(tmp_path / f"{worlds.made}.db") if kind == "sqlite" else schema_of(kind)
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    workers = [context.Process(target=_claims, args=(kind, place, f"w{n}", 100, out)) for n in range(4)]
    for worker in workers:
        worker.start()
    assert sum(out.get(timeout=60) for _ in workers) == 100
    for worker in workers:
        worker.join()


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_leaves_both_sides_with_a_store_that_works(durable: str, worlds: Worlds) -> None:
    store = worlds.store(durable)
    entry = store.claim(claim())
    fork = multiprocessing.get_context("fork")
    out = fork.Queue()

    def child() -> None:
        out.put(str(store.book(entry, "B1", SHIPMENT, True)))

    process = fork.Process(target=child)
    process.start()
    assert store.read("order-1") is not None
    assert out.get(timeout=20) == str(Phase.SUCCEEDED)
    process.join()
    assert store.read("order-1").booking == "B1"


def test_a_closed_store_says_so(durable: str, worlds: Worlds) -> None:
    store = worlds.store(durable)
    store.close()
    for ask in (lambda: store.read("k"), lambda: store.claim(claim()), lambda: store.tokens.get("a", 1)):
        with pytest.raises(StoreError, match="closed"):
            ask()


def test_a_text_that_no_database_takes_is_the_stores_error(durable: str, worlds: Worlds) -> None:
    store = worlds.store(durable)
    with pytest.raises(StoreError):
        store.claim(claim("half \ud800"))
    assert store.claim(claim()) is not None, "and the store goes on"


def test_a_server_that_ends_the_session_is_asked_anew(worlds: Worlds) -> None:
    need("postgres")
    from tests.store.world import admin

    store = worlds.store("postgres")
    store.claim(claim())
    with admin() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shipkit' AND pid = %s",
            (store.home._free[-1].connection.info.backend_pid,),
        )
    store.home._free[-1]._used_at -= 60
    assert store.read("order-1") is not None


def test_no_call_waits_for_a_lock_longer_than_the_store_allows(worlds: Worlds, tmp_path: Path) -> None:
    import sqlite3

    store = SqliteStore(tmp_path / "busy.db", wait_s=0.2)
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.claim(claim())
    other.execute("ROLLBACK")
    other.close()
    assert store.claim(claim()) is not None
    store.close()


def test_a_lock_on_the_server_is_waited_for_no_longer_either(worlds: Worlds) -> None:
    need("postgres")
    from tests.store.world import admin

    worlds.store("postgres").claim(claim())
    store = on_server("postgres", wait_s=0.3)
    with admin() as connection:
        connection.execute("BEGIN")
        connection.execute(f"LOCK TABLE {schema_of('postgres')}.shipkit_ledger IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="too long"):
            store.read("order-1")
        connection.execute("ROLLBACK")
    assert store.read("order-1") is not None
    store.close()


def test_a_disk_that_is_full_is_the_stores_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "full.db")
    entry = store.claim(claim())
    with store.home.writing() as session:
        pages = session.ask("PRAGMA page_count", {})[0][0]
    store.home._connected().execute(f"PRAGMA max_page_count = {pages}")
    big = attrs.evolve(
        WITH_LABEL, documents=(attrs.evolve(WITH_LABEL.documents[0], content=b"%PDF-1.4" + b"x" * 99_999),)
    )
    with pytest.raises(StoreError, match="full"):
        store.book(entry, "B1", big, True)
    row = store.read("order-1")
    assert row is not None and row.phase is Phase.IN_FLIGHT and len(store.history("order-1")) == 1
    store.close()


def test_another_timeline_of_the_server_is_looked_at_first(worlds: Worlds) -> None:
    need("postgres")
    from tests.store.world import admin

    store = worlds.store("postgres")
    store.claim(claim())
    with admin() as connection:
        known = connection.execute(
            f"SELECT value FROM {schema_of('postgres')}.shipkit_meta WHERE name = 'timeline'"
        ).fetchone()
        if known is None:
            pytest.skip("this user may not ask the server for its timeline")
        connection.execute(f"UPDATE {schema_of('postgres')}.shipkit_meta SET value = '0' WHERE name = 'timeline'")
    after = on_server("postgres")
    assert after.read("order-1").phase is Phase.IN_DOUBT
    assert after.claim(claim("another")) is None and after.read("another").phase is Phase.IN_DOUBT
    after.close()
