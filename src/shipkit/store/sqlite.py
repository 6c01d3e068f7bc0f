"""The ledger in one SQLite file: the embedded default."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..codec import split, to_json
from ..errors import StoreError
from ..ports import Claim, Entry, Kept, Phase, Stray
from . import schema

if TYPE_CHECKING:
    from ..model.base import Value
    from ..ports import TokenStore

__all__ = ["SqliteStore"]


class SqliteStore:
    """A ledger in the file at *path*, shared by threads and by processes of one machine.

    Commits are durable (WAL, ``synchronous=FULL``), so keep it on a local disk. The file holds names and labels: it is
    made readable for its owner only. One connection serves all threads of a process, and none crosses a fork.

    Raises:
        StoreError: the file cannot be opened, read or written.
    """

    blocking = True

    def __init__(self, path: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        from .memory_tokens import MemoryTokens

        self.path = str(path)
        self.tokens: TokenStore = MemoryTokens()
        self._clock = clock
        self._salt = ""
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        with self._guarded():
            pass
        if self.path != ":memory:":
            _minding_forks().add(self)

    @property
    def ledger(self) -> SqliteStore:
        """This store is its own ledger."""
        return self

    def close(self) -> None:
        """Close the connection; a call afterwards raises `StoreError`."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def now(self) -> datetime:
        """The store's clock: this machine's."""
        return _moment(self._clock())

    def salt(self) -> str:
        """A text drawn when the store was made: marks of two stores never meet."""
        if not self._salt:
            with self._transaction() as connection:
                connection.execute("INSERT OR IGNORE INTO shipkit_meta VALUES ('salt', ?)", (secrets.token_hex(8),))
                row = connection.execute("SELECT value FROM shipkit_meta WHERE name = 'salt'").fetchone()
                self._salt = str(row["value"])
        return self._salt

    def read(self, key: str) -> Entry | None:
        """The newest generation under *key*, with its stored documents."""
        with self._guarded() as connection:
            return self._entry(connection, key)

    def claim(self, claim: Claim) -> Entry | None:
        """Take the key for exactly this generation and attempt, or None."""
        values = {name: getattr(claim, name) for name in Claim.__annotations__}
        values |= {"now": self._clock(), "request": to_json(claim.request)}
        try:
            with self._transaction() as connection:
                taken = connection.execute(schema.CLAIM, values).rowcount == 1
                return self._entry(connection, claim.key) if taken else None
        except sqlite3.IntegrityError:  # another generation of the key is live
            return None

    def take_over(self, entry: Entry) -> Entry | None:
        """The row in doubt, if its lease is over."""
        return self._moved(schema.TAKE_OVER, entry)

    def doubt(self, entry: Entry, error: str) -> None:
        """No readable answer came to this claim."""
        self._update(schema.DOUBT, entry, error=error)

    def not_sent(self, entry: Entry) -> None:
        """Nothing of this claim left the machine."""
        self._update(schema.NOT_SENT, entry)

    def refuse(self, entry: Entry, error: str) -> None:
        """The carrier refused this claim for good."""
        self._update(schema.REFUSE, entry, error=error)

    def absent(self, entry: Entry, asked_at: datetime, attempts_max: int) -> Entry | None:
        """The row as it is once a look-up issued at *asked_at* found nothing; None if that proved nothing."""
        return self._moved(schema.ABSENT, entry, asked_at=asked_at.timestamp(), attempts_max=attempts_max)

    def needs_person(self, entry: Entry, error: str) -> None:
        """Nobody else can end this row."""
        self._update(schema.NEEDS_PERSON, entry, error=error)

    def book(self, entry: Entry, booking: str, value: Value, complete: bool) -> Phase | None:
        """Record a booking: the phase of its row, or None when another was first and this one is now a stray."""
        text, blobs = split(value)
        values = self._values(entry, booking=booking, result=text, complete=complete)
        with self._transaction() as connection:
            if connection.execute(schema.BOOK, values).rowcount == 1:
                self._keep_blobs(connection, entry, blobs)
            elif connection.execute(schema.BOOKED, values).rowcount == 0:
                # A stray has no blobs beside it: its label stands in its own text.
                connection.execute(schema.STRAY, {**values, "result": to_json(value)})
                return None
            return Phase(connection.execute(schema.PHASE, values).fetchone()["phase"])

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """Add the documents of a booking that was recorded without them."""
        text, blobs = split(value)
        with self._transaction() as connection:
            values = self._values(entry, booking=entry.booking, result=text, complete=complete)
            if connection.execute(schema.FILL, values).rowcount == 1:
                self._keep_blobs(connection, entry, blobs)

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone."""
        with self._transaction() as connection:
            entry = self._entry(connection, key)
            if entry is None:
                return None
            connection.execute(schema.WANT_VOID, self._values(entry))
            return self._entry(connection, key)

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone."""
        asked = asked_at.timestamp() if asked_at is not None else None
        return self._update(schema.VOIDED, entry, result=split(value)[0], asked_at=asked)

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it."""
        self._update(schema.KEEP, entry, error=error)

    def close_key(self, key: str) -> Entry | None:
        """A person ends a row that nobody else can end; a new generation may follow."""
        with self._transaction() as connection:
            entry = self._entry(connection, key)
            if entry is not None:
                connection.execute(schema.CLOSE, self._values(entry))
            return self._entry(connection, key)

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*."""
        with self._guarded() as connection:
            rows = connection.execute("SELECT * FROM shipkit_stray WHERE key = ? ORDER BY created_at", (key,))
            names = Stray.__annotations__
            told: list[dict[str, Any]] = [{name: row[name] for name in names} for row in rows]
            for stray in told:
                stray["result"] = Kept(stray["result"])
            return tuple(Stray(**stray) for stray in told)

    def stray_voided(self, stray: Stray) -> None:
        """That further booking was undone."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE shipkit_stray SET phase = 'voided' WHERE key = ? AND generation = ? AND booking = ?",
                (stray.key, stray.generation, stray.booking),
            )

    def open(self, limit: int = 100) -> tuple[Entry, ...]:
        """Rows that a recovery run has work with, longest waiting first."""
        with self._guarded() as connection:
            rows = connection.execute(schema.OPEN, {"limit": limit}).fetchall()
            return tuple(self._made(connection, row) for row in rows)

    def _update(self, statement: str, entry: Entry, **more: Any) -> bool:
        with self._transaction() as connection:
            return connection.execute(statement, self._values(entry, **more)).rowcount == 1

    def _moved(self, statement: str, entry: Entry, **more: Any) -> Entry | None:
        with self._transaction() as connection:
            moved = connection.execute(statement, self._values(entry, **more)).rowcount == 1
            return self._entry(connection, entry.key) if moved else None

    def _values(self, entry: Entry, **more: Any) -> dict[str, Any]:
        return {
            "key": entry.key,
            "generation": entry.generation,
            "attempt": entry.attempt,
            "send": entry.send,
            "owner": entry.owner,
            "now": self._clock(),
            **more,
        }

    def _entry(self, connection: sqlite3.Connection, key: str) -> Entry | None:
        row = connection.execute(schema.READ, {"key": key}).fetchone()
        return None if row is None else self._made(connection, row)

    def _made(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Entry:
        values = dict(row)
        blobs = connection.execute(
            "SELECT content FROM shipkit_blob WHERE key = ? AND generation = ? ORDER BY position",
            (values["key"], values["generation"]),
        )
        try:
            for name in ("lease_until", "settle_at", "created_at", "updated_at"):
                values[name] = _moment(values[name]) if values[name] is not None else None
            for name in ("void_wanted", "sole", "complete"):
                values[name] = bool(values[name])
            values["phase"] = Phase(values["phase"])
            values["request"] = Kept(values["request"])
            for name, kept in (("result", tuple(blob["content"] for blob in blobs)), ("void_result", ())):
                values[name] = Kept(values[name], kept) if values[name] else None
            return Entry(**values)
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(f"the row of {values['key']} cannot be read", key=values["key"]) from error

    def _keep_blobs(self, connection: sqlite3.Connection, entry: Entry, blobs: tuple[bytes, ...]) -> None:
        if blobs:
            connection.execute(
                "DELETE FROM shipkit_blob WHERE key = ? AND generation = ?", (entry.key, entry.generation)
            )
            connection.executemany(
                "INSERT INTO shipkit_blob VALUES (?, ?, ?, ?)",
                [(entry.key, entry.generation, position, blob) for position, blob in enumerate(blobs)],
            )

    def _connected(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"the store {self.path} is closed")
        if self._connection is None:
            try:
                if self.path != ":memory:":
                    # Only a new file is opened here: closing any descriptor of a file drops all locks on it.
                    with suppress(FileExistsError):
                        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
                self._connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
                self._connection.row_factory = sqlite3.Row
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._migrate()
            except (sqlite3.Error, OSError, StoreError) as error:
                self._disconnect()
                if isinstance(error, StoreError):
                    raise
                raise StoreError(f"the store {self.path} cannot be opened: {error}") from error
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _migrate(self) -> None:
        with self._transaction() as connection:
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            if done > len(schema.MIGRATIONS):
                raise StoreError(f"the store {self.path} was made by a newer shipkit (schema {done})")
            for number, script in enumerate(schema.MIGRATIONS[done:], done + 1):
                for statement in script.split(";"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connected()
            except sqlite3.IntegrityError:
                raise
            except (sqlite3.Error, UnicodeError, OverflowError) as error:
                raise StoreError(f"the store {self.path} failed: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@cache
def _minding_forks() -> weakref.WeakSet[SqliteStore]:
    """The open stores; a fork finds none of them connected, and each side opens the file again.

    A child that inherits a connection believes that it holds the parent's locks, which the system does not pass on.
    """
    stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
    held: list[SqliteStore] = []

    def before() -> None:
        held.extend(stores)
        for store in held:
            store._lock.acquire()
            store._disconnect()

    def after() -> None:
        while held:
            held.pop()._lock.release()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)
    return stores


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
