"""What must not happen to a row: a label lost or exchanged, a lock dropped, an error of another kind."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import StoreError
from shipkit.ledger.booking import unpacked
from shipkit.model import Document, DocumentFormat, DocumentKind, Shipment
from shipkit.ports import Kept
from shipkit.store import MemoryStore, SqliteStore
from shipkit.testing.store_values import SHIPMENT, Hands, claim

Make = Callable[[Hands], Any]
BOTH = pytest.mark.parametrize(
    "make",
    [lambda clock: MemoryStore(clock=clock), lambda clock: SqliteStore(":memory:", clock=clock)],
    ids=["memory", "sqlite"],
)


def label(name: str) -> Document:
    return Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 " + name.encode())


def with_labels(*names: str) -> Shipment:
    return attrs.evolve(SHIPMENT, documents=tuple(label(name) for name in names))


def stored(store: Any) -> Shipment:
    row = store.read("order-1")
    assert row is not None
    return unpacked(row.result, Shipment)


@BOTH
def test_a_poorer_answer_about_a_complete_booking_leaves_its_labels(make: Make) -> None:
    store = make(Hands())
    entry = store.claim(claim())
    store.book(entry, "S1", with_labels("one", "two"), True)

    store.book(entry, "S1", with_labels("one"), False)

    assert stored(store) == with_labels("one", "two")


@BOTH
def test_a_label_that_was_handed_out_is_not_exchanged_for_another(make: Make) -> None:
    store = make(Hands())
    entry = store.claim(claim())
    store.book(entry, "S1", with_labels("as found"), True)

    store.book(entry, "S1", with_labels("as answered late"), True)

    assert stored(store) == with_labels("as found")


@BOTH
def test_a_further_booking_keeps_its_label(make: Make) -> None:
    store = make(Hands())
    entry = store.claim(claim())
    store.book(entry, "S1", with_labels("first"), True)
    second = attrs.evolve(with_labels("second"), shipment_id="S2")

    store.book(entry, "S2", second, True)

    (stray,) = store.strays("order-1")
    assert unpacked(stray.result, Shipment) == second


def test_what_a_store_holds_and_nobody_can_read_is_the_stores_error() -> None:
    with pytest.raises(StoreError):
        unpacked(Kept(b"{"), Shipment)
    with pytest.raises(StoreError):
        unpacked(Kept(b'{"schema": "shipment/999"}'), Shipment)


def test_a_phase_that_this_version_does_not_know_is_the_stores_error(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    assert store.claim(claim()) is not None
    with store.home.writing() as session:
        session.tell("UPDATE shipkit_ledger SET phase = 'half_done'", {})
    with pytest.raises(StoreError, match="order-1"):
        store.read("order-1")


PROBE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = DELETE")
except sqlite3.OperationalError:
    print("in use")
else:
    print("free")
"""


def seen_by_another_process(path: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROBE, str(path)], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_second_store_on_the_same_file_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    # POSIX drops every lock of a process on a file as soon as it closes any descriptor of that file.
    path = tmp_path / "ledger.db"
    first = SqliteStore(path)
    assert seen_by_another_process(path) == "in use"

    SqliteStore(path).close()

    assert first.read("order-1") is None
    assert seen_by_another_process(path) == "in use"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_locks_the_file_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = SqliteStore(path)
    fork = multiprocessing.get_context("fork")
    ready, done = fork.Event(), fork.Event()

    def child() -> None:
        store.claim(claim())
        ready.set()
        done.wait(20)

    process = fork.Process(target=child)
    process.start()
    try:
        assert ready.wait(20)
        store.close()
        assert seen_by_another_process(path) == "in use"
    finally:
        done.set()
        process.join()


def test_closing_a_store_of_memory_forgets_no_key() -> None:
    store = MemoryStore()
    entry = store.claim(claim())
    assert entry is not None

    store.close()

    store.book(entry, "S1", SHIPMENT, True)
    assert stored(store) == SHIPMENT
