"""A store in the host's own PostgreSQL database, on cursors that the host hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Any, Final

from ..errors import StoreError
from .dialect import POSTGRES
from .server_errors import read_error
from .server_migrations import migrate
from .sql_store import SqlStore

__all__ = ["HostStore"]

_NAME: Final = "the store in the host's database"
# For this transaction only: the connection goes back to the host. Stronger levels of the host's server stay.
_SETTINGS: Final = """SELECT set_config('statement_timeout', %(wait)s, true),
  set_config('lock_timeout', %(wait)s, true),
  set_config('synchronous_commit', CASE WHEN NOT %(durable)s THEN 'off'
    WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN 'on'
    ELSE current_setting('synchronous_commit') END, true)"""


class HostStore(SqlStore):
    """A store on the cursors that *cursors* hands out, such as Odoo's ``registry.cursor``.

    Each call of *cursors* gives a context manager around a DB-API cursor (psycopg2, or psycopg 3) with a transaction of
    its own, which is committed on leaving and rolled back after an exception. It must not be the transaction that the
    host works in: a claim has to stand when that is rolled back. The transactions are short, none is open while the
    carrier is asked, and any isolation level will do: what the database refuses for its sake is done again.

    The tables are made in the first schema of the search path when they are first needed.

    Raises:
        StoreError: the database cannot be reached, or the tables cannot be made, read or written.
    """

    def __init__(
        self,
        cursors: Callable[[], AbstractContextManager[Any]],
        *,
        wait_s: float = 5,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(_HostHome(cursors, wait_s), clock)


class _HostHome:
    """One transaction of the host's kind at a time for each thread; it keeps nothing open."""

    dialect = POSTGRES

    def __init__(self, cursors: Callable[[], AbstractContextManager[Any]], wait_s: float) -> None:
        self._cursors, self._wait = cursors, str(round(wait_s * 1000))
        self._lock = RLock()
        self._ready = self._making = self._closed = False

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Statements that change nothing; they see the same commit."""
        self._prepare()
        with self._transaction(durable=True) as session:
            yield session

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[_Session]:
        """One transaction, *held* or not."""
        self._prepare()
        with self._transaction(durable=durable) as session:
            yield session

    def close(self) -> None:
        """What is asked afterwards fails; the connections are the host's."""
        self._closed = True

    def _prepare(self) -> None:
        if self._closed:
            raise StoreError(f"{_NAME} is closed")
        if not self._ready:
            with self._lock:
                self._make()

    def _make(self) -> None:
        if self._ready or self._making:  # what makes the tables comes by here as well
            return
        self._making = True
        try:
            migrate(self)
            self._ready = True
        finally:
            self._making = False

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[_Session]:
        ours = False
        try:
            with self._cursors() as cursor:
                session = _Session(cursor)
                session.ask(_SETTINGS, {"wait": self._wait, "durable": durable})
                ours = True
                yield session
                ours = False
        except Exception as error:
            if ours:
                raise
            raise read_error(error, _NAME) from error


class _Session:
    """The host's cursor for the length of a transaction."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def ask(self, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*."""
        try:
            self._cursor.execute(statement, values)
            found: list[Any] = self._cursor.fetchall()
        except Exception as error:
            raise read_error(error, _NAME) from error
        return found

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Write."""
        try:
            self._cursor.execute(statement, values)
        except Exception as error:
            raise read_error(error, _NAME) from error
