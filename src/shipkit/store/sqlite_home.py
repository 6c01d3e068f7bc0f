"""Connections to one SQLite file: durable commits, short waits for locks, none that crosses a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..errors import StoreError
from . import tables
from .dialect import SQLITE, Clashed
from .forks import mind_forks

__all__ = ["MEMORY", "SqliteHome"]

MEMORY = ":memory:"
_LOOK_AGAIN_S = 0.01


class SqliteHome:
    """One connection for all threads of a process, one transaction at a time.

    With *durable* every commit is on the disk before it counts. Without, the newest may be lost with the machine.
    """

    dialect = SQLITE

    def __init__(self, path: str, *, wait_s: float, durable: bool = True) -> None:
        self.path = path
        self._wait_s, self._durable = wait_s, durable
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._end: Callable[[], object] = int  # nothing to close yet
        self._closed = False
        if path != MEMORY:
            mind_forks(self)

    @contextmanager
    def reading(self) -> Iterator[SqliteHome]:
        """Statements that change nothing; each sees the newest commit."""
        with self._guarded():
            yield self

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[SqliteHome]:
        """One transaction; no other writes while it is open, *held* or not. The connection decides how *durable*."""
        with self._guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def ask(self, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*."""
        return self._connected().execute(SQLITE.text(statement), values).fetchall()

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Write."""
        self._connected().execute(SQLITE.text(statement), values)

    def close(self) -> None:
        """Close the connection; what is asked afterwards fails."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def before_fork(self) -> None:
        """A child that inherits a connection believes that it holds the parent's locks, which no system passes on."""
        self._lock.acquire()
        self._disconnect()

    def after_fork(self, child: bool) -> None:
        """Both sides open the file again when they need it."""
        self._lock.release()

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        # The lock is waited for no longer than the file: a call that is stuck must not hold all others for ages.
        if not self._lock.acquire(timeout=self._wait_s):
            raise StoreError(f"the store {self.path} was busy for {self._wait_s:g} s")
        try:
            yield self._connected()
        except sqlite3.IntegrityError as error:
            raise Clashed(str(error)) from error
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise StoreError(f"the store {self.path} failed: {error}") from error
        finally:
            self._lock.release()

    def _connected(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"the store {self.path} is closed")
        if self._connection is None:
            try:
                self._connection = self._opened()
                _migrate(self._connection, self.path)
            except (sqlite3.Error, OSError, StoreError) as error:
                self._disconnect()
                if isinstance(error, StoreError):
                    raise
                raise StoreError(f"the store {self.path} cannot be opened: {error}") from error
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        if self.path != MEMORY:
            # Only a new file is opened here: closing any descriptor of a file drops all locks on it.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=self._wait_s, isolation_level=None, check_same_thread=False)
        self._connection = connection
        self._end = weakref.finalize(self, connection.close)  # a store that nobody closed is closed with the last user
        self._write_ahead(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        # A Mac's fsync leaves the bytes in the drive; elsewhere the setting says nothing.
        connection.execute("PRAGMA fullfsync = ON")
        return connection

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Of connections that make a new file's journal at once SQLite lets one wait and tells the others "locked"."""
        until = time.monotonic() + self._wait_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_LOOK_AGAIN_S)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._end()
            self._connection = None


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == len(tables.SQLITE):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = connection.execute("PRAGMA user_version").fetchone()[0]
        if done > len(tables.SQLITE):
            raise StoreError(f"the store {path} was made by a newer shipkit (schema {done})")
        for number, script in enumerate(tables.SQLITE[done:], done + 1):
            for statement in script.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
