"""Processes at the same rows, forks, full disks, locks and lost sessions: nothing is lost, and the store goes on."""

from __future__ import annotations

import multiprocessing
import os
import select
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import StoreError
from shipkit.ports import Phase
from shipkit.store import SqliteStore
from shipkit.testing.store_values import SHIPMENT, WITH_LABEL, claim
from tests.store.world import SERVER, Worlds, need, on_server, schema_of


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
    session = store.home._free[-1]
    pid = session.connection.info.backend_pid
    with admin() as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        # The server takes its time over it; what it says last has arrived once the socket can be read.
        assert select.select([session.connection.fileno()], [], [], 30)[0]
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
