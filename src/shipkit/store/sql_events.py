"""Parcels on their way in a database: what `shipkit.ports.events.EventStore` promises, in one transaction each."""

from __future__ import annotations

import secrets
from typing import Final

from ..ports.events import Work
from .dialect import Session
from .sql_retention import SqlRetention

__all__ = ["SqlEvents"]

_SECRET: Final = "INSERT INTO shipkit_meta (name, value) VALUES ('secret', :secret) ON CONFLICT (name) DO NOTHING"
_DRAWN: Final = "SELECT value FROM shipkit_meta WHERE name = 'secret'"


class SqlEvents(SqlRetention):
    """The events of a store in SQLite or PostgreSQL."""

    def secret(self) -> str:
        """A text drawn when the store was made."""

        def drawn(session: Session) -> str:
            self._tell(session, _SECRET, secret=secrets.token_hex(32))
            return str(self._ask(session, _DRAWN)[0][0])

        found = self._asked(lambda session: self._ask(session, _DRAWN))
        return str(found[0][0]) if found else self._done(drawn)

    def commit(self, work: Work) -> bool:
        """Write all of *work*, or nothing."""
        return self._done(lambda session: self._commit(session, work))

    def _commit(self, session: Session, work: Work) -> bool:
        # Rows are held in one order by everybody: parcels by scope, numbers that somebody waits for, deliveries by id.
        if work.parcels and not self._unmoved(session, work.parcels):
            return False
        at = self._rows.now(session)
        self._write(session, work.parcels, at)
        told = [one for parcel in work.parcels for one in parcel.announcements]
        self._announce(session, told, work.destinations, at)
        if work.letters:
            self._end(session, work.letters, at)
        return True
