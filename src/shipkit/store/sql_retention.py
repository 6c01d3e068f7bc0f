"""What a database forgets of parcels on their way: by age, and by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from ..model import evolve
from ..ports.events import FORGOTTEN, Forgiven, PurgedEvents
from . import event_statements as sql
from . import sql_many as many
from .dialect import Session
from .event_values import (
    delivery_of,
    delivery_text,
    event_of,
    event_text,
    forgotten_event,
    forgotten_parcel,
    parcel_text,
    plain,
)
from .sql_asking import unique
from .sql_outbox import SqlOutbox

__all__ = ["SqlRetention"]

_STATE: Final = {"scope": "text", "state": "bytea", "version": "bigint"}
_BARE: Final = {"id": "bigint", "head": "bytea", "body": "bytea"}
_MARK: Final = {"mark": "text"}
_PAGE: Final = 500


class SqlRetention(SqlOutbox):
    """The retention of `shipkit.ports.events.EventStore`; a few hundred rows in each commit."""

    def purge_events(
        self, bodies_before: datetime, evidence_before: datetime, announcements_before: datetime
    ) -> PurgedEvents:
        """Take away what is older; ids and scopes stay."""
        return PurgedEvents(
            bodies=self._purge_bodies(bodies_before),
            parcels=self._purge_evidence(evidence_before),
            announcements=self._purge_announcements(announcements_before),
        )

    def forget_parcels(self, keys: Sequence[str]) -> Forgiven:
        """Blank what is personal in the evidence of these shipments."""
        events = bodies = 0
        for key in unique([plain(key) for key in keys if key]):
            blanked, emptied = self._done(lambda session, key=key: self._forget(session, key))  # type: ignore[misc]
            events, bodies = events + blanked, bodies + emptied
        return Forgiven(events=events, bodies=bodies)

    def _purge_bodies(self, before: datetime) -> int:
        def within(session: Session) -> tuple[int, int]:
            found = [row[0] for row in self._ask(session, sql.BODIES_ENDED, before=before)]
            return len(found), self._blank(session, found, ended_only=True)

        return self._in_pages(within)

    def _purge_evidence(self, before: datetime) -> int:
        def within(session: Session) -> tuple[int, int]:
            found = [row[0] for row in self._ask(session, sql.FINISHED, before=before)]
            rows = self._ask(session, sql.FINISHED_STILL, scopes=found, before=before) if found else []
            if rows:
                scopes = [row[0] for row in rows]
                self._tell(session, sql.NO_EVIDENCE, scopes=scopes)
                self._forget_rows(session, rows)
                self._tell(session, sql.EVIDENCE_GONE, scopes=scopes, at=self._rows.now(session))
            return len(found), len(rows)

        return self._in_pages(within)

    def _purge_announcements(self, before: datetime) -> int:
        """Page by page from the oldest on; one that somebody still waits for is passed over."""
        gone, after = 0, (datetime.fromtimestamp(0, before.tzinfo), 0)
        while True:
            seen, taken = self._done(lambda session, after=after: self._drop(session, before, after))  # type: ignore[misc]
            gone += taken
            if seen is None:
                return gone
            after = seen

    def _drop(
        self, session: Session, before: datetime, after: tuple[datetime, int]
    ) -> tuple[tuple[datetime, int] | None, int]:
        rows = self._ask(session, sql.OLD_NEWS, before=before, after_at=after[0], after=after[1])
        taken = [row for row in rows if not row[3]]
        if taken:
            marks = [{"mark": row[1]} for row in taken]
            many.insert(session, self._dialect, "shipkit_announced", _MARK, marks, "ON CONFLICT DO NOTHING")
            self._tell(session, sql.DROP, numbers=[row[0] for row in taken])
        return ((self._dialect.time_out(rows[-1][2]), rows[-1][0]) if rows else None), len(taken)

    def _in_pages(self, within: Callable[[Session], tuple[int, int]]) -> int:
        """The sum over one commit for each page, until a page has nothing that could be written."""
        total = 0
        while True:
            found, written = self._done(within)
            total += written
            if not written or found < _PAGE:
                return total

    def _forget(self, session: Session, key: str) -> tuple[int, int]:
        rows = self._ask(session, sql.HOLD_KEY, key=key)
        if not rows:
            return 0, 0
        scopes = [row[0] for row in rows]
        records = [
            {"scope": scope, "event_id": name, "record": event_text(forgotten_event(name, event_of(name, bytes(text))))}
            for scope, name, text in self._ask(session, sql.EVIDENCE, scopes=scopes)
        ]
        for record in records:
            self._tell(session, sql.BLANK_EVENT, **record)
        self._tell(session, sql.BLANK_CODES, scopes=scopes, code=FORGOTTEN)
        self._forget_rows(session, rows)
        about = [row[0] for row in self._ask(session, sql.TOLD_OF, scopes=scopes)]
        return len(records), self._blank(session, about)

    def _forget_rows(self, session: Session, rows: Sequence[Any]) -> None:
        parcels = [forgotten_parcel(self._parcel(row)) for row in rows]
        # The version rises: who read the row before does not write it back.
        states = [
            {"scope": row[0], "state": parcel_text(parcel), "version": parcel.version + 1}
            for row, parcel in zip(rows, parcels, strict=True)
        ]
        many.change(session, self._dialect, "shipkit_parcel", "scope", _STATE, states)

    def _blank(self, session: Session, ids: Sequence[int], *, ended_only: bool = False) -> int:
        held = self._ask(session, sql.HELD, ids=list(ids)) if ids else []
        chosen = [row[0] for row in held if row[4] is None and not (ended_only and row[2] == "new")]
        if chosen:
            heads = [
                (row[0], delivery_of(bytes(row[1]), b"", row[0])) for row in self._ask(session, sql.HEADS, ids=chosen)
            ]
            bare = [
                {"id": number, "head": delivery_text(evolve(delivery, headers={}))[0], "body": b""}
                for number, delivery in heads
            ]
            many.change(session, self._dialect, "shipkit_delivery", "id", _BARE, bare)
            self._tell(session, sql.PURGED, ids=chosen, at=self._rows.now(session))
            self._tell(session, sql.UNPARK, ids=chosen)
            self._tell(session, sql.UNTOLD, ids=chosen)
        return len(chosen)
