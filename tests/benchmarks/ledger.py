"""What a ledgered call costs beside two bare durable commits on the same database, and claims per second."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from shipkit.model import BookingState, Document, DocumentFormat, DocumentKind, Shipment
from shipkit.store import PostgresStore, SqliteStore
from shipkit.testing.store_values import claim
from tests.core.script import START
from tests.store.world import SERVER, no_server

from .timing import Figure

__all__ = ["call_on_postgres", "call_on_sqlite", "claims_per_second", "disk"]

PAIRS, CALLS = 15, 30
BAR = 2.2
SECONDS = 2.0
BOOKED = Shipment(
    shipment_id="S1",
    reference="SO042",
    state=BookingState.CONFIRMED,
    service="HOME",
    packages=(),
    tracking_numbers=(),
    created_at=START,
    documents=(
        Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 " + bytes(range(256)) * 80),
    ),
)
LABEL = BOOKED.documents[0].content or b""
CLAIM = claim()


def call_on_sqlite() -> Figure:
    """Claim and record on a file, against two commits of the same bytes."""
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        store = SqliteStore(Path(folder) / "ledger.db")
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute("CREATE TABLE bare (key TEXT PRIMARY KEY, body BLOB)")

        def commits() -> None:
            for body in (bytes(1000), LABEL):
                bare.execute("INSERT INTO bare VALUES (?, ?)", (secrets.token_hex(8), body))

        try:
            return _paired("ledgered call, SQLite", store, commits)
        finally:
            bare.close()
            store.close()


def call_on_postgres() -> Figure:
    """The same on a PostgreSQL server."""
    if no_server():
        raise LookupError(no_server())
    import psycopg

    schema = f"shipkit_bench_{secrets.token_hex(6)}"
    store = PostgresStore(SERVER, schema=schema)
    with psycopg.connect(SERVER, autocommit=True) as bare:
        bare.execute("SET synchronous_commit = on")
        bare.execute(f"CREATE TABLE {schema}.bare (key TEXT PRIMARY KEY, body BYTEA)")

        def commits() -> None:
            for body in (bytes(1000), LABEL):
                bare.execute(f"INSERT INTO {schema}.bare VALUES (%s, %s)", (secrets.token_hex(8), body))

        try:
            return _paired("ledgered call, PostgreSQL", store, commits)
        finally:
            store.close()
            bare.execute(f"DROP SCHEMA {schema} CASCADE")


def claims_per_second() -> list[Figure]:
    """Durable claims by 1, 2 and 4 processes on one database; the ratio is against one process."""
    figures = []
    for kind in ("SQLite", "PostgreSQL"):
        if kind == "PostgreSQL" and no_server():
            continue
        rates = {workers: _rate(kind, workers) for workers in (1, 2, 4)}
        for workers, rate in rates.items():
            name = f"claims per second, {kind}, {workers} process{'es' * (workers > 1)}"
            note = f"{rate:.0f} claims a second"
            figures.append(Figure(name=name, ratio=rate / rates[1], base="one process", note=note))
    return figures


def _paired(name: str, store: Any, commits: Callable[[], None]) -> Figure:
    """By the clock on the wall, for what is waited for is the disk; in turn, for the disk drifts."""

    def call() -> None:
        key = secrets.token_hex(8)
        entry = store.claim(attrs.evolve(CLAIM, key=key, base=key))
        if store.book(entry, f"B-{key}", BOOKED, True, False) is None:
            raise RuntimeError("the booking did not become the row's")

    for _ in range(CALLS):
        call(), commits()
    ours: list[float] = []
    base: list[float] = []
    for _ in range(PAIRS):
        left, right = [], []
        for _ in range(CALLS):
            left.append(_timed(call))
            right.append(_timed(commits))
        ours.append(statistics.median(left))
        base.append(statistics.median(right))
    return Figure(
        name=name,
        ratio=statistics.median(one / two for one, two in zip(ours, base, strict=True)),
        bar=BAR,
        ours_us=statistics.median(ours) * 1e6,
        base_us=statistics.median(base) * 1e6,
        base="two bare durable commits",
    )


def _timed(what: Callable[[], None]) -> float:
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun


def _rate(kind: str, workers: int) -> float:
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        schema = f"shipkit_bench_{secrets.token_hex(6)}"
        place = str(Path(folder) / "ledger.db") if kind == "SQLite" else schema
        _opened(kind, place).close()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])  # else every process spends seconds on importing
        ready, out = context.Barrier(workers), context.Queue()
        processes = [context.Process(target=_claiming, args=(kind, place, ready, out)) for _ in range(workers)]
        for process in processes:
            process.start()
        total = sum(out.get(timeout=60) for _ in processes)
        for process in processes:
            process.join()
        if kind == "PostgreSQL":
            import psycopg

            with psycopg.connect(SERVER, autocommit=True) as connection:
                connection.execute(f"DROP SCHEMA {schema} CASCADE")
        return total / SECONDS


def _claiming(kind: str, place: str, ready: Any, out: Any) -> None:
    store = _opened(kind, place)
    ready.wait(30)
    until, made = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < until:
        key = secrets.token_hex(8)
        made += store.claim(attrs.evolve(CLAIM, key=key, base=key)) is not None
    out.put(made)
    store.close()


def _opened(kind: str, place: str) -> Any:
    return SqliteStore(place) if kind == "SQLite" else PostgresStore(SERVER, schema=place)


def disk() -> str:
    """A folder on a disk: what is in memory has no durable commits."""
    return os.environ.get("SHIPKIT_BENCH_DISK", str(Path.cwd()))
