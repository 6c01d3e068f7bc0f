"""Stores of every kind with a clock in the test's hands, and what may be done to them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.codec import split, to_json
from shipkit.model import (
    BookingState,
    CancellationResult,
    CancelOutcome,
    Document,
    DocumentFormat,
    DocumentKind,
    Shipment,
)
from shipkit.ports import Claim, Entry, Kept, Stray
from shipkit.store import HostStore, MemoryStore, PostgresStore, SqliteStore
from tests.core.acme import request
from tests.core.script import START

SERVER = os.environ.get("SHIPKIT_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
KINDS = ("memory", "sqlite", "postgres", "host")
DURABLE = KINDS[1:]
TABLES = ("ledger", "document", "stray", "step", "token", "limit")

Clock = Callable[[], float]


class Hands:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.25

    def __call__(self) -> float:
        return self.at


class Worlds:
    """Makes stores; each of a kind has its place, which is empty whenever a store is made in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, 0
        self.open: list[Any] = []

    def store(self, kind: str, clock: Clock | None = None) -> Any:
        """An empty store."""
        self.made += 1
        if kind in ("postgres", "host"):
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

    def close(self) -> None:
        """Close all that were made."""
        for store in self.open:
            store.close()


def on_server(kind: str, clock: Clock | None = None, **more: Any) -> Any:
    """A store on the server, in the schema that this process made for its kind."""
    if kind == "postgres":
        return PostgresStore(SERVER, schema=schema_of(kind), clock=clock, **more)
    return HostStore(lambda: host_cursor(schema_of(kind)), clock=clock, **more)


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
            connection.execute(
                "; ".join([*done, f"DELETE FROM {schema}.shipkit_meta WHERE name IN ('restored', 'salt')"])
            )


def dropped() -> None:
    """Take the schemas of this process away."""
    for kind in ("postgres", "host"):
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
    if kind in ("postgres", "host") and no_server():
        pytest.skip(no_server())


SHIPMENT = Shipment(
    shipment_id="S1",
    reference="SO042",
    state=BookingState.CONFIRMED,
    service="HOME",
    packages=(),
    tracking_numbers=(),
    created_at=START,
)
LABEL = Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 label")
INVOICE = Document(kind=DocumentKind.COMMERCIAL_INVOICE, format=DocumentFormat.PDF, content=b"%PDF-1.4 invoice")
WITH_LABEL = attrs.evolve(SHIPMENT, documents=(LABEL,))
WITH_BOTH = attrs.evolve(SHIPMENT, documents=(LABEL, INVOICE))
VOIDED = CancellationResult(outcome=CancelOutcome.VOIDED)


def claim(key: str = "order-1", attempt: int = 1, generation: int = 1, **changes: object) -> Claim:
    """The intention to send for *key*."""
    values: dict[str, Any] = {
        "key": key,
        "generation": generation,
        "attempt": attempt,
        "operation": "create_shipment",
        "account": "acme-de",
        "carrier": "acme",
        "fingerprint": "f1:a",
        "base": f"{key}-{generation}",
        "owner": "me",
        "request": request(),
        "lease_s": 70.0,
        "settle_s": 910.0,
        "watch_s": 5000.0,
        "attempts_max": 3,
    }
    return Claim(**values | changes)


def plain(entry: Entry | None, *, blobs: bool = True) -> dict[str, Any] | None:
    """A row as data that can be compared, whichever way its store keeps values."""
    if entry is None:
        return None
    members = {field.name: getattr(entry, field.name) for field in attrs.fields(Entry)}
    members["request"] = _one_text(entry.request)
    members["void_result"] = _one_text(entry.void_result)
    members["result"] = _apart(entry.result, blobs=blobs)
    return members


def plain_stray(stray: Stray) -> tuple[Any, ...]:
    """The same of a further booking."""
    return stray.key, stray.generation, stray.booking, stray.attempt, stray.phase, _apart(stray.result, blobs=True)


def _one_text(value: Any) -> bytes | None:
    return value.text if isinstance(value, Kept) else None if value is None else to_json(value)


def _apart(value: Any, *, blobs: bool) -> Any:
    if value is None:
        return None
    text, parts = (value.text, value.blobs) if isinstance(value, Kept) else split(value)
    return text, parts if blobs else ()
