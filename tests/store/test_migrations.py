"""Tables made by an earlier release, by a newer one, and by two processes at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from shipkit.errors import StoreError
from shipkit.ledger.booking import unpacked
from shipkit.model import Shipment
from shipkit.ports import Phase
from shipkit.store import SqliteStore, tables
from shipkit.testing.store_values import claim
from tests.store.world import Worlds, admin, need, on_server, schema_of

# A file of the first release, with a key of every kind in it, as text.
FIRST = Path(__file__).with_name("first_release.sql")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    path = tmp_path / "first.db"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST.read_text())
    connection.close()
    return path


def test_a_file_of_the_first_release_is_brought_up_to_date_with_all_that_is_in_it(first: Path) -> None:
    store = SqliteStore(first, clock=lambda: 1_700_000_000.25)
    try:
        booked = store.read("booked")
        assert booked is not None and booked.phase is Phase.SUCCEEDED and booked.booking == "B1"
        assert unpacked(booked.result, Shipment).documents[0].content == b"%PDF-1.4 label"
        (stray,) = store.strays("booked")
        assert unpacked(stray.result, Shipment).documents[0].content == b"%PDF-1.4 label"
        phases = {row.key: row.phase.value for row in store.entries()}
        assert phases == {
            "booked": "succeeded",
            "doubtful": "in_doubt",
            "flying": "in_flight",
            "poor": "succeeded",
            "refused": "rejected",
            "voided": "in_flight",
        }
        assert {row.key for row in store.due(100)} == {"doubtful", "poor"}, "what waits for nobody is due"
        assert store.claim(claim("booked")) is None and store.claim(claim("refused", 2)) is not None
    finally:
        store.close()


def test_what_was_in_flight_in_the_first_release_is_due_when_its_lease_is_over(first: Path) -> None:
    store = SqliteStore(first, clock=lambda: 1_700_000_071.0)
    try:
        assert {row.key for row in store.due(100)} >= {"flying", "voided"}
    finally:
        store.close()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "new.db").close()
    connection = sqlite3.connect(tmp_path / "new.db")
    connection.execute(f"PRAGMA user_version = {len(tables.SQLITE) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        SqliteStore(tmp_path / "new.db")


@pytest.mark.parametrize("kind", ["postgres", "host"])
def test_newer_tables_on_a_server_are_refused(kind: str, worlds: Worlds) -> None:
    need(kind)
    worlds.store(kind).read("any")
    version = f"UPDATE {schema_of(kind)}.shipkit_meta SET value = %s WHERE name = 'schema'"
    with admin() as connection:
        connection.execute(version, (str(len(tables.POSTGRES) + 1),))
        try:
            with pytest.raises(StoreError, match="newer"):
                on_server(kind).read("any")
        finally:
            connection.execute(version, (str(len(tables.POSTGRES)),))


def _opens(path: str, ready: Any, out: Any) -> None:
    ready.wait(20)
    try:
        store = SqliteStore(path)
        out.put(store.read("booked") is not None)
        store.close()
    except StoreError as error:
        out.put(str(error))


@pytest.mark.process
def test_processes_that_open_an_old_file_at_once_all_find_it_whole(first: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, out = context.Event(), context.Queue()
    workers = [context.Process(target=_opens, args=(str(first), ready, out)) for _ in range(4)]
    for worker in workers:
        worker.start()
    ready.set()
    assert [out.get(timeout=60) for _ in workers] == [True] * 4
    for worker in workers:
        worker.join()


def test_workers_that_make_a_new_file_at_once_all_find_it(tmp_path: Path) -> None:
    for number in range(40):
        told: list[object] = []
        gate = threading.Barrier(6)

        def begin(path: Path, told: list[object] = told, gate: threading.Barrier = gate) -> None:
            gate.wait(20)
            try:
                store = SqliteStore(path)
                told.append(store.read("order-1"))
                store.close()
            except StoreError as error:
                told.append(error)

        threads = [threading.Thread(target=begin, args=(tmp_path / f"{number}.db",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told == [None] * 6


@pytest.mark.parametrize("kind", ["postgres", "host"])
def test_workers_that_need_tables_on_a_server_at_once_all_have_them(kind: str, worlds: Worlds) -> None:
    need(kind)
    for _ in range(3):
        with admin() as connection:
            for (table,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema_of(kind),)
            ).fetchall():
                connection.execute(f"DROP TABLE {schema_of(kind)}.{table}")
        told: list[Any] = []
        gate = threading.Barrier(5)

        def begin(number: int, told: list[Any] = told, gate: threading.Barrier = gate) -> None:
            gate.wait(20)
            try:
                store = on_server(kind)
                told.append(store.claim(claim(f"k{number}")) is not None)
                store.close()
            except StoreError as error:
                told.append(error)

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told == [True] * 5
