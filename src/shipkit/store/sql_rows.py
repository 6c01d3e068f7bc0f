"""The rows of one store, within a transaction: what an event begins with, and how what it made is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from ..errors import StoreError
from ..ports import Entry, Step
from . import statements as sql
from .audit import digest_of, step_of
from .dialect import Home, Session, moment
from .rows import BODIES, HEAD, UNREAD, columns_of, entry_of, kept, step_columns, whole

__all__ = ["Begun", "Rows", "carried", "lost_times"]

# The columns that have a default in the tables, as long as a row says nothing else.
_DEFAULTS = {"booking": "", "error": "", "note": ""}
_NEW = tuple(
    (field.name, _DEFAULTS.get(field.name, attrs.NOTHING)) for field in attrs.fields(Entry) if field.name not in BODIES
)
_HEAD_ONLY = tuple(name for name in HEAD if name not in ("key", "generation", "parent_key", "parent_generation"))


@attrs.define(eq=False)
class Begun:
    """What an event finds: the row, the time, and the end of the key's trail, which grows as lines are written."""

    row: Entry | None
    at: datetime
    number: int
    digest: str
    restored: str | None = None


class Rows:
    """How values go into the tables of *home* and come back; times are its clock's, or *clock*'s."""

    def __init__(self, home: Home, clock: Callable[[], float] | None) -> None:
        self.home, self.dialect, self._clock = home, home.dialect, clock
        self._clocked = clock is not None

    def ask(self, session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
        """The rows of *statement*, which may ask for the time."""
        if self._clock is not None and "{now}" in statement:
            values = {**values, "now": self.dialect.time_in(moment(self._clock()))}
        return session.ask(self.dialect.text(statement, clocked=self._clocked), values)

    def tell(self, session: Session, statement: str, values: dict[str, Any]) -> None:
        """Write."""
        session.tell(self.dialect.text(statement), values)

    def now(self, session: Session) -> datetime:
        """The store's clock."""
        return self.dialect.time_out(self.ask(session, sql.NOW, {})[0][0])

    def begin(self, session: Session, key: str, generation: int | None = None) -> Begun:
        """The row of that generation, or the newest, and what is needed to write its next line."""
        statement = sql.NEWEST_HEAD if generation is None else sql.HEAD_OF
        values = {"key": key} if generation is None else {"key": key, "generation": generation}
        at, end, restored, *row = self.ask(session, statement, values)[0]
        found = entry_of(self.dialect, row) if row[0] is not None else None
        number, _, digest = (end or "0").partition(" ")
        return Begun(found, self.dialect.time_out(at), int(number), digest, restored)

    def put(
        self, session: Session, begun: Begun, event: str, before: Entry | None, row: Entry, detail: str = ""
    ) -> Entry:
        """Write *row*, which *event* made of *before*, and the line that says so."""
        if before is None:
            values = self._new(row)
            self.tell(session, sql.insert(tuple(values)), values)
            if row.result is not None:  # a row that was lost, and comes back with its booking
                self._change(session, attrs.evolve(row, result=None, booking=""), row)
        else:
            self._change(session, before, row)
        self.step(session, begun, step_of(event, before, row, begun.number + 1, detail=detail))
        return row

    def step(self, session: Session, begun: Begun, step: Step) -> None:
        """Write the next line of the trail; two who write the same number clash."""
        digest = digest_of(begun.digest, step)
        self.tell(session, sql.STEP_IN, step_columns(self.dialect, step) | {"digest": digest})
        begun.number, begun.digest = step.number, digest

    def keep_documents(self, session: Session, entry: Entry, stray: str, blobs: tuple[bytes, ...]) -> None:
        """Store the bytes of documents beside the row, or beside its *stray*."""
        name = {"key": entry.key, "generation": entry.generation, "stray": stray}
        for position, content in enumerate(blobs):
            self.tell(session, sql.KEEP_DOCUMENT, {**name, "position": position, "content": content})

    def documents(self, session: Session, key: str, generation: int, stray: str = "") -> list[Any]:
        """The bytes beside a row or a stray."""
        values = {"key": key, "generation": generation, "stray": stray}
        return [row[0] for row in self.ask(session, sql.DOCUMENTS, values)]

    def entry(self, session: Session, row: Any, *, blobs: bool = True) -> Entry:
        """A whole row as a value, with the bytes of its documents unless told otherwise."""
        head, bodies = row[: len(HEAD)], row[len(HEAD) :]
        held = self.documents(session, row[0], row[1]) if blobs and bodies[1] else ()
        return entry_of(self.dialect, head, bodies, held)

    def _new(self, row: Entry) -> dict[str, Any]:
        members = {}
        for name, default in _NEW:
            value = getattr(row, name)
            if value is not None and value != default:
                members[name] = value
        return {**columns_of(self.dialect, members), "request": whole(row.request)}

    def _change(self, session: Session, before: Entry, row: Entry) -> None:
        members: dict[str, Any] = {}
        for name in _HEAD_ONLY:
            value = getattr(row, name)
            if value != getattr(before, name):
                members[name] = value
        if row.parent != before.parent:
            members["parent"] = row.parent
        values = columns_of(self.dialect, members)
        if row.request is not before.request:
            values["request"] = whole(row.request)
        if row.void_result is not before.void_result:
            values["void_result"] = whole(row.void_result)
        if row.result is not before.result:
            if before.booking:
                own = {"key": row.key, "generation": row.generation, "stray": ""}
                self.tell(session, sql.DROP_DOCUMENTS, own)
            found = kept(row.result)
            values["result"] = found.text
            self.keep_documents(session, row, "", found.blobs)
        if values:
            where = {"key": row.key, "generation": row.generation}
            self.tell(session, sql.update(tuple(values)), {**values, **where})


def lost_times(text: str | None) -> tuple[datetime, datetime, datetime] | None:
    """What a restore left: the earliest send that may be lost, when all are settled, and how long that counts."""
    if text is None:
        return None
    try:
        first, settled, until = (moment(seconds) for seconds in json.loads(text))
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreError("what the store says of its restore cannot be read") from error
    return first, settled, until


def carried(row: Entry, given: Entry) -> Entry:
    """*row* with the request of *given*, of which it is the next state."""
    return attrs.evolve(row, request=given.request) if row.request is UNREAD else row
