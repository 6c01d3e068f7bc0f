"""Stores of every kind, each with a place that can be emptied, and servers that may not be there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shipkit.store import HostStore, MemoryLimits, MemoryStore, MemoryTokens, PostgresStore, SqliteStore
from shipkit.testing.store_values import Clock, Open

SERVER = os.environ.get("SHIPKIT_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
KINDS = ("memory", "sqlite", "postgres", "host")
DURABLE = KINDS[1:]
SERVERS = ("postgres", "host", "host3")
TABLES = (
    *("ledger", "document", "stray", "step", "token", "limit"),
    *("inbox", "delivery", "parked", "told", "parcel", "event", "announcement", "announced", "outbox", "lease"),
)


class Worlds:
    """Makes stores; each of a kind has its place, which is empty whenever a store is made in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, 0
        self.open: list[Any] = []

    def store(self, kind: str, clock: Clock | None = None) -> Any:
        """An empty store."""
        self.made += 1
        if kind in SERVERS:
            emptied(kind)
        store = self.beside(kind, clock)
        self.open.append(store)
        return store

    def beside(self, kind: str, clock: Clock | None = None) -> Any:
        """A further store in the place of the newest of its kind, as another worker has it."""
        if kind == "memory":
            return MemoryStore(clock=clock) if clock else MemoryStore()
        if kind == "sqlite":
            path = self.folder / f"{self.made}.db"
            return SqliteStore(path, clock=clock) if clock else SqliteStore(path)
        return on_server(kind, clock)

    def place(self, kind: str) -> Open:
        """A new place with nothing in it, as the contract of stores wants it; who opens stores there closes them."""
        if kind == "memory":
            return in_memory()
        self.made += 1
        if kind in SERVERS:
            emptied(kind)
        return lambda clock: self.beside(kind, clock)

    def close(self) -> None:
        """Close all that were made."""
        for store in self.open:
            store.close()


def in_memory() -> Open:
    """A place in memory: everybody who opens it gets the one store that there is, all of it on one clock."""
    made: list[MemoryStore] = []

    def opened(clock: Clock) -> MemoryStore:
        if not made:
            made.append(MemoryStore(clock=clock))
            made[0].tokens, made[0].limits = MemoryTokens(clock), MemoryLimits(clock)
        return made[0]

    return opened


def on_server(kind: str, clock: Clock | None = None, **more: Any) -> Any:
    """A store on the server, in the schema that this process made for its kind."""
    if kind == "postgres":
        return PostgresStore(SERVER, schema=schema_of(kind), clock=clock, **more)
    cursor = host_cursor if kind == "host" else modern_cursor
    return HostStore(lambda: cursor(schema_of(kind)), clock=clock, **more)


@contextmanager
def host_cursor(schema: str) -> Iterator[Any]:
    """As Odoo hands them out: psycopg2, REPEATABLE READ, committed on leaving."""
    import psycopg2
    from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

    pool = _pool(schema, os.getpid())  # a child of a fork makes its own
    connection = pool.pop() if pool else psycopg2.connect(SERVER, options=f"-csearch_path={schema}")
    connection.set_isolation_level(ISOLATION_LEVEL_REPEATABLE_READ)
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        pool.append(connection)


@contextmanager
def modern_cursor(schema: str) -> Iterator[Any]:
    """As a host on psycopg 3 hands them out: READ COMMITTED, committed on leaving."""
    import psycopg

    pool = _pool(schema, os.getpid())
    connection = pool.pop() if pool else psycopg.connect(SERVER, options=f"-csearch_path={schema}")
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        pool.append(connection)


@cache
def _pool(schema: str, pid: int) -> list[Any]:
    return []


@cache
def schema_of(kind: str) -> str:
    """A schema of this process's own."""
    name = f"shipkit_test_{kind}_{secrets.token_hex(6)}"
    with admin() as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return name


@contextmanager
def admin() -> Iterator[Any]:
    """A connection beside the stores."""
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as connection:
        yield connection


def emptied(kind: str) -> None:
    """Take everything out of the tables of *kind*, where there are any."""
    schema = schema_of(kind)
    with admin() as connection:
        if connection.execute("SELECT to_regclass(%s)", (f"{schema}.shipkit_meta",)).fetchone()[0] is not None:
            done = [f"DELETE FROM {schema}.shipkit_{table}" for table in TABLES]
            done.append(f"DELETE FROM {schema}.shipkit_meta WHERE name IN ('restored', 'salt', 'secret')")
            if connection.execute("SELECT to_regclass(%s)", (f"{schema}.shipkit_inbox",)).fetchone()[0] is not None:
                numbered = f"{schema}.shipkit_announcement_number_seq", f"{schema}.shipkit_inbox_id_seq"
                done += [f"ALTER SEQUENCE {name} RESTART" for name in numbered]
            connection.execute("; ".join(done))


def dropped() -> None:
    """Take the schemas of this process away."""
    for kind in SERVERS:
        if not no_server():
            for connection in _pool(schema_of(kind), os.getpid()):
                connection.close()
            with admin() as connection:
                connection.execute(f"DROP SCHEMA {schema_of(kind)} CASCADE")


@cache
def no_server() -> str:
    """Why nothing runs on PostgreSQL here; empty where it does."""
    try:
        import psycopg
        import psycopg2  # noqa: F401
    except ImportError as missing:
        return str(missing)
    try:
        psycopg.connect(SERVER, connect_timeout=2).close()
    except psycopg.Error as absent:
        return f"no PostgreSQL answers (set SHIPKIT_TEST_POSTGRES): {type(absent).__name__}"
    return ""


def need(kind: str) -> None:
    """Skip the test where *kind* has no server."""
    if kind in SERVERS and no_server():
        pytest.skip(no_server())
