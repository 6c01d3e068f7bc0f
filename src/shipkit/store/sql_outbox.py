"""Announcements in a database, and their way to each destination."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from ..ports.events import Announcement, Outgoing, Queue, Unpublished, Unsent
from . import event_statements as sql
from . import sql_many as many
from .dialect import Session
from .event_values import plain
from .sql_asking import unique
from .sql_parcels import SqlParcels

__all__ = ["SqlOutbox"]

_TOLD: Final = {
    "mark": "text",
    "key": "text",
    "scope": "text",
    "sequence": "bigint",
    "type": "text",
    "body": "bytea",
}
_ROW: Final[dict[str, str]] = dict.fromkeys(("number", *_TOLD, "announced_at"), "")
_OUT: Final[dict[str, str]] = dict.fromkeys(("number", "destination", "scope", "announced_at"), "")
_WRAP: Final = 2**31 - 1
_CLASS: Final = f"CAST(mod(CAST(CAST('shipkit_announcement' AS regclass) AS bigint), {_WRAP}) AS int)"
_LAST: Final = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM shipkit_announcement_number_seq"
# A transaction that is still open tells the number that was the last before it drew its own. Sequences and these locks
# are seen at once by everybody, whatever their snapshot.
_OPEN: Final = f"""SELECT pg_advisory_xact_lock_shared({_CLASS},
  CAST(mod(CASE WHEN is_called THEN last_value ELSE 0 END, {_WRAP}) AS int)) FROM shipkit_announcement_number_seq"""
_STILL_OPEN: Final = f"""SELECT CAST(objid AS bigint) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND CAST(classid AS bigint) = {_CLASS}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_ANNOUNCE: Final = f"""WITH told AS (
  INSERT INTO shipkit_announcement (mark, key, scope, sequence, type, body, announced_at)
  SELECT mark, key, scope, sequence, type, body, CAST(:at AS timestamptz) FROM {many.listed(tuple(_TOLD.items()))}
  ORDER BY place ON CONFLICT (mark) DO NOTHING RETURNING number, scope, announced_at)
INSERT INTO shipkit_outbox (number, destination, scope, announced_at)
SELECT t.number, d.destination, t.scope, t.announced_at
FROM told AS t CROSS JOIN unnest(CAST(:destinations AS text[])) AS d(destination)"""


class SqlOutbox(SqlParcels):
    """The announcements of `shipkit.ports.events.EventStore`."""

    def announcements(self, after: int = 0, limit: int = 100, *, scope: str = "") -> tuple[Announcement, ...]:
        """What was announced, by number, rising."""
        values: dict[str, Any] = {"after": after, "limit": limit} | ({"scope": plain(scope)} if scope else {})
        statement = sql.ANNOUNCED_OF if scope else sql.ANNOUNCED
        rows = self._asked(lambda session: self._ask(session, statement, **values))
        return tuple([self._announcement(row) for row in rows])

    def settled_number(self) -> int:
        """The number up to which all that can be there is there."""

        def within(session: Session) -> int:
            if self._sqlite:
                return int(self._ask(session, sql.LAST_NUMBER_SQLITE)[0][0])
            last: int = self._ask(session, _LAST)[0][0]
            open_ones = [int(row[0]) for row in self._ask(session, _STILL_OPEN)]
            return min([last, *(last - (last - number) % _WRAP for number in open_ones)])

        return self._asked(within)

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease; 0 seconds gives it back."""

        def within(session: Session) -> bool:
            at = self._rows.now(session)
            until = at + timedelta(seconds=seconds)
            self._tell(session, sql.LEASE, name=plain(name), owner=plain(owner), at=at, until=until)
            return bool(self._ask(session, sql.HOLDER, name=plain(name))[0][0] == plain(owner))

        return self._done(within, durable=False)

    def pending(self, destination: str, limit: int) -> tuple[Outgoing, ...]:
        """What is to be sent there next."""
        name = plain(destination)
        if self._asked(lambda session: self._ask(session, sql.LATER, destination=name)):
            self._done(lambda session: self._wake(session, name), durable=False)
        rows = self._asked(lambda session: self._ask(session, sql.PENDING, destination=name, limit=limit))
        return tuple(
            Outgoing(destination=destination, announcement=self._announcement(row[1:]), attempts=row[0]) for row in rows
        )

    def _wake(self, session: Session, destination: str) -> None:
        self._tell(session, sql.WAKE, destination=destination, at=self._rows.now(session))

    def settle(
        self, destination: str, sent: Sequence[int], unsent: Sequence[Unsent] = (), *, again_at: datetime | None = None
    ) -> None:
        """Note what a destination took and what it did not."""
        name = plain(destination)
        failed: dict[tuple[str, bool], list[int]] = {}
        for one in unsent:
            failed.setdefault((plain(one.error), one.dead), []).append(one.number)

        def within(session: Session) -> None:
            if sent:
                self._tell(session, sql.SENT, destination=name, numbers=list(sent))
            for (error, dead), numbers in failed.items():
                next_at = None if dead else again_at
                values = {"error": error, "dead": dead, "next_at": next_at, "numbers": numbers}
                self._tell(session, sql.UNSENT, destination=name, **values)

        if sent or failed:
            self._done(within, durable=False)

    def send_again(self, destination: str, numbers: Sequence[int] = (), *, dead: bool = False) -> int:
        """Make announcements due for *destination* once more."""
        name, chosen = plain(destination), unique(numbers)

        def within(session: Session) -> int:
            if dead:
                found = self._ask(session, sql.DEAD, destination=name)[0][0]
                self._tell(session, sql.REVIVE, destination=name, dead=False)
            else:
                found = self._ask(session, sql.KNOWN, numbers=chosen)[0][0]
                self._tell(session, sql.ONCE_MORE, destination=name, numbers=chosen)
            return int(found)

        return self._done(within) if dead or chosen else 0

    def outbox(
        self, destination: str, *, dead: bool | None = None, after: int = 0, limit: int = 100
    ) -> tuple[Unpublished, ...]:
        """What a destination has not taken, by number, rising."""
        statement = sql.OUT_ALL if dead is None else sql.OUT_DEAD if dead else sql.OUT_WAITING
        values = {"destination": plain(destination), "after": after, "limit": limit}
        rows = self._asked(lambda session: self._ask(session, statement, **values))
        return tuple([self._unpublished(row) for row in rows])

    def _unpublished(self, row: Sequence[Any]) -> Unpublished:
        number, scope, sequence, kind, at, attempts, error, next_at, dead = row
        return Unpublished(
            number=number, scope=scope, sequence=sequence, type=kind, at=self._dialect.time_out(at),
            attempts=attempts, error=error, next_at=self._out(next_at), dead=bool(dead),
        )  # fmt: skip

    def queues(self) -> tuple[Queue, ...]:
        """What waits where."""
        rows = self._asked(lambda session: self._ask(session, sql.QUEUES))
        found = [
            Queue(name=name, destination=destination, depth=depth, oldest_at=self._out(oldest_at))
            for name, destination, depth, oldest_at in rows
        ]
        return tuple(sorted(found, key=lambda queue: (queue.name, queue.destination)))

    def _announce(self, session: Session, told: Sequence[Announcement], to: Sequence[str], at: datetime) -> None:
        """Write what was not told yet, with its outbox rows."""
        first: dict[str, dict[str, Any]] = {}
        for one in told:
            first.setdefault(_mark(one.key), _columns(one))
        if not first:
            return
        known = {row[0] for row in self._ask(session, sql.MARKED, marks=list(first))}
        rows = [row | {"mark": mark} for mark, row in first.items() if mark not in known]
        destinations = [plain(destination) for destination in unique(to)]
        if rows and self._sqlite:
            last, seconds = self._ask(session, sql.LAST_NUMBER_SQLITE)[0][0], self._in(at)
            rows = [row | {"number": last + place, "announced_at": seconds} for place, row in enumerate(rows, 1)]
            many.insert(session, self._dialect, "shipkit_announcement", _ROW, rows)
            out = [row | {"destination": destination} for row in rows for destination in destinations]
            many.insert(session, self._dialect, "shipkit_outbox", _OUT, out)
        elif rows:
            self._ask(session, _OPEN)
            values = many.lists(_TOLD, rows) | {"at": self._in(at), "destinations": destinations}
            self._rows.tell(session, _ANNOUNCE, values)

    def _announcement(self, row: Sequence[Any]) -> Announcement:
        number, key, scope, sequence, kind, body, at = row
        return Announcement(
            number=number, key=key, scope=scope, sequence=sequence, type=kind, body=bytes(body), at=self._out(at)
        )


def _columns(one: Announcement) -> dict[str, Any]:
    return {
        "key": plain(one.key), "scope": plain(one.scope), "sequence": one.sequence, "type": plain(one.type),
        "body": one.body,
    }  # fmt: skip


def _mark(key: str) -> str:
    """What stays of a key for ever: half a hash, as text."""
    digest = sha256(key.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:15]).decode("ascii")
