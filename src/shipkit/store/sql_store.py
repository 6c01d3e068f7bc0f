"""A store in a database: ledger, tokens and limits in the same place."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ..ports import LimitStore, TokenStore
from .dialect import Home, Session
from .sql_archive import SqlArchive
from .sql_ledger import SqlLedger
from .sql_limits import SqlLimits
from .sql_tokens import SqlTokens

if TYPE_CHECKING:
    from .sql_events import SqlEvents

__all__ = ["SqlStore"]

_SALT: Final = "INSERT INTO shipkit_meta (name, value) VALUES ('salt', :salt) ON CONFLICT (name) DO NOTHING"
_DRAWN: Final = "SELECT value FROM shipkit_meta WHERE name = 'salt'"


class SqlStore(SqlLedger, SqlArchive):
    """What a client keeps, in the database that *home* leads to; tokens and limits may have a way of their own.

    Times are the database's, or those of *clock* where one is given.
    """

    def __init__(self, home: Home, clock: Callable[[], float] | None, beside: Home | None = None) -> None:
        super().__init__(home, clock)
        self.beside = beside or home
        self.tokens: TokenStore = SqlTokens(self.beside, clock)
        self.limits: LimitStore = SqlLimits(self.beside, clock)
        self._salt = ""
        self._own_clock = clock

    @cached_property
    def events(self) -> SqlEvents:
        """Parcels on their way, in the same database; loaded when they are first asked for."""
        from .sql_events import SqlEvents

        return SqlEvents(self.home, self._own_clock, self.beside)

    @property
    def ledger(self) -> SqlStore:
        """This store is its own ledger."""
        return self

    def salt(self) -> str:
        """A text drawn when the store was made: marks of two stores never meet."""
        if not self._salt:

            def drawn(session: Session) -> str:
                self._rows.tell(session, _SALT, {"salt": secrets.token_hex(8)})
                return str(self._rows.ask(session, _DRAWN, {})[0][0])

            self._salt = self._done(drawn, held=True)
        return self._salt

    def close(self) -> None:
        """Close the connections; a call afterwards raises `StoreError`."""
        self.home.close()
        self.beside.close()
