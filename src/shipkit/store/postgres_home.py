"""Connections to a PostgreSQL server of the store's own."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import attrs

from ..errors import NotSupportedError, StoreError
from .dialect import POSTGRES, Dialect
from .forks import mind_forks
from .server_errors import read_error
from .server_migrations import quoted

__all__ = ["Lone", "PostgresHome"]

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
        self._free: list[Any] = []
        self._strange: list[Any] = []
        self._closed = False
        self.greet: Callable[[Any], None] = lambda _: None
        mind_forks(self)

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Statements that change nothing; each sees the newest commit."""
        with self._lent() as connection:
            yield _Session(connection, self.psycopg)

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[_Session]:
        """One transaction.

        Unless it is *held*, the server knows nothing of it before the end: then all that was told travels in one
        message, which the server takes as one transaction.
        """
        with self._lent() as connection, _transaction(connection, self.psycopg, held=held, durable=durable) as session:
            yield session

    def close(self) -> None:
        """Close the connections; one that is in use is closed when it comes back."""
        self._closed = True
        self.forget()

    def forget(self) -> None:
        """Close the connections that nobody uses."""
        while self._free:
            self._free.pop().close()

    def before_fork(self) -> None:
        """Nothing: a lent connection is in use by a thread that the child will not have."""

    def after_fork(self, child: bool) -> None:
        """The parent's connections stay its own; closing them here would end its sessions."""
        if child:
            self._strange += self._free
            self._free = []
            self._places = threading.BoundedSemaphore(self._connections)

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        if not self._places.acquire(timeout=self._wait_s):
            raise StoreError(f"{_NAME} was busy for {self._wait_s:g} s: all connections are in use")
        pid, connection = os.getpid(), None
        try:
            connection = self._taken() or self._connected()
            yield connection
        finally:
            if connection is not None and os.getpid() == pid:
                self._back(connection)
            self._places.release()

    def _taken(self) -> Any:
        if self._closed:
            raise StoreError(f"{_NAME} is closed")
        while self._free:
            try:
                connection = self._free.pop()
            except IndexError:
                break
            # A server that ended the session has said so: what can be read here is its last word.
            if not connection.closed and not select.select([connection.fileno()], [], [], 0)[0]:
                return connection
            connection.close()
        return None

    def _back(self, connection: Any) -> None:
        idle = connection.info.transaction_status == self.psycopg.pq.TransactionStatus.IDLE
        if idle and not self._closed and not connection.closed:
            self._free.append(connection)
        else:
            connection.close()

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


@attrs.frozen(eq=False)
class Lone:
    """A home of just one connection, which somebody else opened and will close."""

    connection: Any
    psycopg: Any
    dialect: Dialect = POSTGRES

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Statements that change nothing."""
        yield _Session(self.connection, self.psycopg)

    @contextmanager
    def writing(self, *, held: bool = False, durable: bool = True) -> Iterator[_Session]:
        """One transaction."""
        with _transaction(self.connection, self.psycopg, held=held, durable=durable) as session:
            yield session

    def close(self) -> None:
        """Nothing: whoever opened the connection closes it."""


@contextmanager
def _transaction(connection: Any, psycopg: Any, *, held: bool, durable: bool) -> Iterator[_Session]:
    session = _Session(connection, psycopg)
    if held:
        session.raw("BEGIN")
    if held and not durable:
        session.raw("SET LOCAL synchronous_commit = off")
    try:
        yield session
        if held:
            session.raw("COMMIT")
        session.flush()
    except BaseException:
        with suppress(psycopg.Error):  # a broken one is thrown away by who lent it
            connection.rollback()
        raise


class _Session:
    """One connection for the length of a transaction: what is told is kept until something is asked, or the end."""

    def __init__(self, connection: Any, psycopg: Any) -> None:
        self._connection = connection
        self._writer = psycopg.ClientCursor(connection)
        self._told: list[str] = []

    def ask(self, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*."""
        if self._told:
            self.flush()
        try:
            found: list[Any] = self._connection.execute(statement, values).fetchall()
        except Exception as error:
            raise read_error(error, _NAME) from error
        return found

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Write, with the next statement that is asked or at the end."""
        try:
            self._told.append(self._writer.mogrify(statement, values))
        except Exception as error:
            raise read_error(error, _NAME) from error

    def raw(self, statement: str) -> None:
        """A statement without parameters."""
        self._told.append(statement)

    def flush(self) -> None:
        """Send what was told."""
        if self._told:
            told, self._told = "; ".join(self._told), []
            try:
                self._writer.execute(told)
            except Exception as error:
                raise read_error(error, _NAME) from error
