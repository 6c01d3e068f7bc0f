"""Connections to a PostgreSQL server of the store's own."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from ..errors import NotSupportedError, StoreError
from .bundles import bundled, values_of
from .dialect import POSTGRES
from .forks import mind_forks
from .server_errors import read_error
from .server_migrations import quoted

__all__ = ["Lone", "PostgresHome"]

_FRESH_S: Final = 0.5
"""A connection that was in use so lately is used again unseen."""
_NAME: Final = "the store in PostgreSQL"
# Remote levels that a server prescribes are stronger than `on`, and stay.
_DURABLE: Final = """SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"""


class PostgresHome:
    """A few connections, each for one transaction at a time, to the server that *parameters* (libpq's) name.

    No call waits longer than *wait_s* for a connection, a lock or a statement. *greet* is told of each new connection,
    before anything else is asked of it.
    """

    dialect = POSTGRES

    def __init__(
        self, dsn: str, parameters: Mapping[str, Any], *, schema: str, wait_s: float, connections: int
    ) -> None:
        try:
            import psycopg
        except ImportError:
            raise NotSupportedError("a store in PostgreSQL needs psycopg: install shipkit-sdk[postgres]") from None
        self.psycopg = psycopg
        self.schema = schema
        self._dsn, self._parameters = dsn, dict(parameters)
        self._wait_s = wait_s
        self._connections = connections
        self._places = threading.BoundedSemaphore(connections)
        self._free: list[_Session] = []
        self._strange: list[_Session] = []
        self._closed = False
        self.greet: Callable[[Any], None] = lambda _: None
        mind_forks(self)

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Statements that change nothing; each sees the newest commit."""
        with self._lent() as session:
            yield session

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[_Session]:
        """One transaction.

        Unless it is *held*, the server knows nothing of it before the end: then all that was told travels in one
        message, which the server takes as one transaction.
        """
        with self._lent() as session, _transaction(session, held=held, durable=durable):
            yield session

    def close(self) -> None:
        """Close the connections; one that is in use is closed when it comes back."""
        self._closed = True
        self.forget()

    def forget(self) -> None:
        """Close the connections that nobody uses."""
        while self._free:
            self._free.pop().connection.close()

    def before_fork(self) -> None:
        """Nothing: a lent connection is in use by a thread that the child will not have."""

    def after_fork(self, child: bool) -> None:
        """The parent's connections stay its own; closing them here would end its sessions."""
        if child:
            self._strange += self._free
            self._free = []
            self._places = threading.BoundedSemaphore(self._connections)

    @contextmanager
    def _lent(self) -> Iterator[_Session]:
        if not self._places.acquire(timeout=self._wait_s):
            raise StoreError(f"{_NAME} was busy for {self._wait_s:g} s: all connections are in use")
        places, pid, session = self._places, os.getpid(), None
        try:
            session = self._taken() or _Session(self._connected(), self.psycopg)
            yield session
        finally:
            if session is not None and os.getpid() == pid:
                self._back(session)
            places.release()

    def _taken(self) -> _Session | None:
        if self._closed:
            raise StoreError(f"{_NAME} is closed")
        while self._free:
            try:
                session = self._free.pop()
            except IndexError:
                break
            if session.lives():
                return session
            session.connection.close()
        return None

    def _back(self, session: _Session) -> None:
        if session.at_rest() and not self._closed:
            self._free.append(session)
        else:
            session.connection.close()

    def _connected(self) -> Any:
        timeout = max(2, round(self._wait_s))  # libpq takes whole seconds, two at least
        given = {"connect_timeout": timeout, "application_name": "shipkit", **self._parameters}
        try:
            connection = self.psycopg.connect(self._dsn, autocommit=True, **given)
        except Exception as error:
            raise read_error(error, _NAME) from error
        try:
            wait_ms = str(round(self._wait_s * 1000))
            connection.execute("SELECT set_config('statement_timeout', %s, false)", (wait_ms,))
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (wait_ms,))
            connection.execute(_DURABLE)
            if self.schema:
                connection.execute("SELECT set_config('search_path', %s, false)", (quoted(self.schema),))
            self.greet(connection)
        except Exception as error:
            connection.close()
            raise read_error(error, _NAME) from error
        return connection


class Lone:
    """A home of just one connection, which somebody else opened and will close."""

    dialect = POSTGRES

    def __init__(self, connection: Any, psycopg: Any) -> None:
        self._session = _Session(connection, psycopg)

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Statements that change nothing."""
        yield self._session

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[_Session]:
        """One transaction."""
        with _transaction(self._session, held=held, durable=durable):
            yield self._session

    def close(self) -> None:
        """Nothing: whoever opened the connection closes it."""


class _Session:
    """One connection, lent for one transaction at a time: what is told waits until something is asked, or the end."""

    def __init__(self, connection: Any, psycopg: Any) -> None:
        self.connection, self.psycopg = connection, psycopg
        self._cursor = connection.cursor()
        self._told: list[tuple[str, dict[str, Any]]] = []
        self._used_at = time.monotonic()

    def lives(self) -> bool:
        """Whether the server is still there; one that ended the session has said so, and that can be read."""
        if self.connection.closed:
            return False
        fresh = time.monotonic() < self._used_at + _FRESH_S
        return fresh or not select.select([self.connection.fileno()], [], [], 0)[0]

    def at_rest(self) -> bool:
        """Whether another transaction may begin here."""
        self._used_at = time.monotonic()
        self._told = []
        idle = self.connection.info.transaction_status == self.psycopg.pq.TransactionStatus.IDLE
        return idle and not self.connection.closed

    def ask(self, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*."""
        if self._told:
            self.flush()
        try:
            found: list[Any] = self._cursor.execute(statement, values).fetchall()
        except Exception as error:
            raise read_error(error, _NAME) from error
        return found

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Write, with the next statement that is asked or at the end."""
        self._told.append((statement, values))

    def flush(self) -> None:
        """Send what was told, in one message."""
        if not self._told:
            return
        told, self._told = self._told, []
        bundle = bundled(tuple([statement for statement, _ in told]))
        try:
            if bundle is not None:
                self._cursor.execute(bundle, values_of(told))
            else:
                cursor = self.psycopg.ClientCursor(self.connection)
                cursor.execute("; ".join([cursor.mogrify(*each) if each[1] else each[0] for each in told]))
        except Exception as error:
            raise read_error(error, _NAME) from error


@contextmanager
def _transaction(session: _Session, *, held: bool, durable: bool) -> Iterator[None]:
    if held:
        session.tell("BEGIN", {})
    if held and not durable:
        session.tell("SET LOCAL synchronous_commit = off", {})
    try:
        yield
        if held:
            session.tell("COMMIT", {})
        session.flush()
    except BaseException:
        with suppress(session.psycopg.Error):  # a broken one is thrown away by who lent it
            session.connection.rollback()
        raise
