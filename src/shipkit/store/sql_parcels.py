"""Parcels and their evidence in a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from ..model import Actor, Milestone, TrackingEvent
from ..ports.events import OpenCount, Parcel, ParcelWork, Unmapped
from . import event_statements as sql
from . import sql_many as many
from .dialect import Session
from .event_values import (
    COLUMNS,
    event_of,
    event_text,
    is_unmapped,
    listed_code,
    parcel_members,
    parcel_text,
    plain,
    standing_of,
)
from .sql_asking import firsts, unique
from .sql_inbox import SqlInbox

__all__ = ["SqlParcels"]

_CHANGED: Final = {
    "scope": "text",
    "carrier": "text",
    "account": "text",
    "number": "text",
    "key": "text",
    "since": "timestamptz",
    "version": "bigint",
    "next_poll_at": "timestamptz",
    "finished_at": "timestamptz",
    "updated_at": "timestamptz",
    "milestone": "text",
    "actors": "text",
    "state": "bytea",
}
_NEW: Final = _CHANGED | {"created_at": "timestamptz"}
_EVENT: Final = {
    "scope": "text",
    "event_id": "text",
    "observed_at": "timestamptz",
    "record": "bytea",
    "carrier": "text",
    "code_type": "text",
    "code": "text",
    "subcode": "text",
}
_REPLACED: Final = "ON CONFLICT (scope, event_id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _EVENT if name not in ("scope", "event_id")
)


class SqlParcels(SqlInbox):
    """The parcels of `shipkit.ports.events.EventStore`."""

    def follow(self, parcels: Sequence[Parcel]) -> tuple[bool, ...]:
        """Register parcels, and release what was parked for them."""
        first: dict[str, Parcel] = {}
        for parcel in parcels:
            first.setdefault(plain(parcel.scope), parcel)
        new = self._done(lambda session: self._follow(session, first)) if first else set()
        return firsts([plain(parcel.scope) for parcel in parcels], new)

    def _follow(self, session: Session, given: Mapping[str, Parcel]) -> set[str]:
        known = {row[0] for row in self._ask(session, sql.REGISTERED, scopes=list(given))}
        new = {scope: given[scope] for scope in sorted(given) if scope not in known}
        if not new:
            return set()
        at = self._rows.now(session)
        rows = [
            self._columns_of(attrs.evolve(parcel, version=0), at) | {"created_at": self._in(at)}
            for parcel in new.values()
        ]
        # One that somebody else registered at the same moment clashes here: it is looked at again.
        many.insert(session, self._dialect, "shipkit_parcel", _NEW, rows)
        numbers: dict[str, list[str]] = {}
        for parcel in new.values():
            if parcel.number:
                numbers.setdefault(plain(parcel.carrier), []).append(plain(parcel.number))
        self._meet(session, [number for each in numbers.values() for number in each])
        self._release_parked(session, numbers)
        return set(new)

    def find(self, numbers: Sequence[tuple[str, str]]) -> tuple[Parcel | None, ...]:
        """The parcel of each carrier and number that was registered last."""
        if not numbers:
            return ()
        pairs = [(plain(carrier), plain(number)) for carrier, number in numbers]

        def within(session: Session) -> list[Any]:
            if self._sqlite:
                return self._ask(session, sql.FIND_SQLITE, names=[list(pair) for pair in pairs])
            carriers, given = zip(*pairs, strict=True)
            return self._ask(session, sql.FIND_POSTGRES, carriers=carriers, numbers=given)

        scopes = [row[0] for row in self._asked(within)]
        found = self._read([scope for scope in scopes if scope is not None])
        return tuple([None if scope is None else found.get(scope) for scope in scopes])

    def parcels(self, scopes: Sequence[str]) -> tuple[Parcel | None, ...]:
        """The parcels by scope."""
        names = [plain(scope) for scope in scopes]
        found = self._read(names)
        return tuple([found.get(name) for name in names])

    def _read(self, scopes: Sequence[str]) -> dict[str, Parcel]:
        if not scopes:
            return {}
        rows = self._asked(lambda session: self._ask(session, sql.PARCELS, scopes=unique(scopes)))
        return {row[0]: self._parcel(row) for row in rows}

    def of_key(self, key: str) -> tuple[Parcel, ...]:
        """The host's shipment."""
        rows = self._asked(lambda session: self._ask(session, sql.OF_KEY, key=plain(key)))
        return tuple([self._parcel(row) for row in rows])

    def walk(
        self, *, after: str = "", limit: int = 1000, since: datetime | None = None, open_only: bool = False
    ) -> tuple[Parcel, ...]:
        """Parcels by scope, rising."""
        statement = sql.walk(since=since is not None, open_only=open_only)
        values: dict[str, Any] = {"after": plain(after), "limit": limit} | ({"since": since} if since else {})
        rows = self._asked(lambda session: self._ask(session, statement, **values))
        return tuple([self._parcel(row) for row in rows])

    def evidence(self, scopes: Sequence[str]) -> Mapping[str, tuple[TrackingEvent, ...]]:
        """What is known of each parcel."""
        names = {plain(scope): scope for scope in scopes}
        found: dict[str, list[TrackingEvent]] = {scope: [] for scope in scopes}
        if names:
            rows = self._asked(lambda session: self._ask(session, sql.EVIDENCE, scopes=list(names)))
            for scope, event_id, text in rows:
                found[names[scope]].append(event_of(event_id, bytes(text)))
        return {scope: tuple(events) for scope, events in found.items()}

    def due(self, lease_s: float, limit: int, accounts: Sequence[str] = ()) -> tuple[Parcel, ...]:
        """Parcels that are to be asked for now, put off for everybody else."""

        def within(session: Session) -> tuple[Parcel, ...]:
            at = self._rows.now(session)
            values = {"at": at, "limit": limit}
            if accounts:
                each = [self._ask(session, sql.DUE_OF, account=plain(one), **values) for one in unique(accounts)]
                waiting = sorted((row for rows in each for row in rows), key=lambda row: (row[7], row[0]))[:limit]
            else:
                waiting = self._ask(session, sql.DUE, **values)
            until = at + timedelta(seconds=lease_s)
            if waiting:
                self._tell(session, sql.PUT_OFF, scopes=[row[0] for row in waiting], until=until)
            return tuple([attrs.evolve(self._parcel(row), next_poll_at=until) for row in waiting])

        return self._done(within, durable=False)

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Parcels on their way by where they are and who must act."""
        rows = self._asked(lambda session: self._ask(session, sql.OPEN_COUNTS))
        found = [
            OpenCount(
                account=account, carrier=carrier, milestone=Milestone(milestone),
                actors=tuple(map(Actor, actors.split())), parcels=parcels,
            )
            for account, carrier, milestone, actors, parcels in rows
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda row: (row.account, row.carrier, row.milestone.value, row.actors)))

    def unmapped(self, since: datetime | None = None) -> tuple[Unmapped, ...]:
        """Codes that no table explains, most frequent first."""
        statement = sql.UNMAPPED.replace("{since}", "" if since is None else " AND observed_at >= :since")
        rows = self._asked(lambda session: self._ask(session, statement, **({"since": since} if since else {})))
        found = [
            Unmapped(
                carrier=row[0], code_type=row[1], code=row[2], subcode=row[3], events=row[4],
                first_at=self._dialect.time_out(row[5]), last_at=self._dialect.time_out(row[6]),
            )
            for row in rows
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda row: (-row.events, row.carrier, row.code_type, row.code, row.subcode)))

    def _unmoved(self, session: Session, work: Sequence[ParcelWork]) -> bool:
        """Hold the rows of *work*, and see whether they are as they were read."""
        read = {plain(one.before.scope): one.before.version for one in work}
        return {row[0]: row[1] for row in self._ask(session, sql.VERSIONS, scopes=list(read))} == read

    def _write(self, session: Session, work: Sequence[ParcelWork], at: datetime) -> None:
        after = [attrs.evolve(one.after, scope=one.before.scope, version=one.before.version + 1) for one in work]
        rows = [self._columns_of(parcel, at) for parcel in after]
        many.change(session, self._dialect, "shipkit_parcel", "scope", _CHANGED, rows)
        events = {
            (plain(parcel.scope), event.event_id): self._event_columns(parcel, event)
            for parcel, one in zip(after, work, strict=True)
            for event in one.events
        }
        self._keep(session, events.values())

    def _keep(self, session: Session, rows: Iterable[dict[str, Any]]) -> None:
        many.insert(session, self._dialect, "shipkit_event", _EVENT, list(rows), _REPLACED)

    def _columns_of(self, parcel: Parcel, at: datetime) -> dict[str, Any]:
        milestone, actors = standing_of(parcel)
        return {
            "scope": plain(parcel.scope), "carrier": plain(parcel.carrier), "account": plain(parcel.account),
            "number": plain(parcel.number), "key": plain(parcel.key), "since": self._in(parcel.since),
            "version": parcel.version, "next_poll_at": self._in(parcel.next_poll_at),
            "finished_at": self._in(parcel.finished_at), "updated_at": self._in(at),
            "milestone": milestone.value, "actors": " ".join(actor.value for actor in actors),
            "state": parcel_text(parcel),
        }  # fmt: skip

    def _event_columns(self, parcel: Parcel, event: TrackingEvent) -> dict[str, Any]:
        found: dict[str, Any] = dict.fromkeys(_EVENT) | {
            "scope": plain(parcel.scope), "event_id": plain(event.event_id),
            "observed_at": self._in(event.observed_at), "record": event_text(event),
        }  # fmt: skip
        if is_unmapped(event):
            codes = zip(("code_type", "code", "subcode"), listed_code(event), strict=True)
            found |= {name: plain(code) for name, code in codes} | {"carrier": plain(parcel.carrier)}
        return found

    def _parcel(self, row: Sequence[Any]) -> Parcel:
        values = dict(zip(COLUMNS, row, strict=False))
        for name in ("since", "next_poll_at", "finished_at", "created_at", "updated_at", "purged_at"):
            values[name] = self._out(values[name])
        return Parcel(**values, **parcel_members(bytes(row[-1]), row[0]))
