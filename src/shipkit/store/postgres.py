"""A store in PostgreSQL: for workers on several machines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from .postgres_home import Lone, PostgresHome
from .server_migrations import migrate
from .sql_ledger import SqlLedger
from .sql_store import SqlStore

__all__ = ["PostgresStore"]

# The timeline rises when a standby takes over. Not every server lets everybody ask for it.
_MAY_ASK: Final = "SELECT has_function_privilege('pg_control_checkpoint()', 'EXECUTE')"
_TIMELINE: Final = "SELECT timeline_id FROM pg_control_checkpoint()"
_KNOWN: Final = "SELECT value FROM shipkit_meta WHERE name = 'timeline'"
_KNOW: Final = """INSERT INTO shipkit_meta (name, value) VALUES ('timeline', %(timeline)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_LOCK: Final = "SELECT pg_advisory_lock(7447542)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(7447542)"


class PostgresStore(SqlStore):
    """A store on the server that *dsn* or *parameters* (those of libpq) name, with psycopg 3.

    The tables stand in *schema*, which is made where it is missing, or in the first schema of the search path; they
    hold names, labels and access tokens, so who may read them is for the database to say. Times are the server's. No
    call waits longer than *wait_s* for a connection, a lock or a statement.

    A standby that took over may lack the newest commits. Where the server tells its timeline this is seen at the next
    connection, and everything that may be lost is looked for first, as after `restored`: commits up to *lag_s* old,
    settled after *settle_s* at the latest.

    Raises:
        StoreError: the server cannot be reached, or the tables cannot be made, read or written.
        NotSupportedError: psycopg is not installed.
    """

    def __init__(
        self,
        dsn: str = "",
        *,
        schema: str = "",
        wait_s: float = 5,
        connections: int = 8,
        lag_s: float = 60,
        settle_s: float = 910,
        clock: Callable[[], float] | None = None,
        **parameters: Any,
    ) -> None:
        home = PostgresHome(dsn, parameters, schema=schema, wait_s=wait_s, connections=connections)
        super().__init__(home, clock)
        self._psycopg, self._clock = home.psycopg, clock
        self._lag_s, self._settle_s = lag_s, settle_s
        self._looking = threading.Lock()
        self._timeline = ""
        try:
            migrate(home, schema)
            home.greet = self._greeted
            home.forget()
            with home.reading():
                pass
        except BaseException:
            home.close()
            raise

    def _greeted(self, connection: Any) -> None:
        """See whether another server answers than the one that was written to."""
        with self._looking:
            if not connection.execute(_MAY_ASK).fetchone()[0]:
                return
            timeline = str(connection.execute(_TIMELINE).fetchone()[0])
            if timeline == self._timeline:
                return
            connection.execute(_LOCK)
            try:
                known = connection.execute(_KNOWN).fetchone()
                if known is not None and known[0] != timeline:
                    SqlLedger(Lone(connection, self._psycopg), self._clock).restored(self._lag_s, self._settle_s)
                if known is None or known[0] != timeline:
                    connection.execute(_KNOW, {"timeline": timeline})
            finally:
                connection.execute(_UNLOCK)
            self._timeline = timeline
