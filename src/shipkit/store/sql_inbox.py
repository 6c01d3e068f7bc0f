"""The inbox in a database: deliveries are stored once, lent to one worker at a time, and end or go back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from ..model import SignatureResult, WebhookDelivery
from ..ports.events import Letter, LetterEnd, LetterState
from . import event_statements as sql
from . import sql_many as many
from .dialect import Session
from .event_tables import BUCKETS
from .event_values import delivery_of, delivery_text, plain
from .sql_asking import Asking, firsts, unique

__all__ = ["SqlInbox"]

_GIVEN: Final = {
    "account": "text",
    "delivery_id": "text",
    "carrier": "text",
    "received_at": "timestamptz",
    "heard_at": "timestamptz",
    "head": "bytea",
    "body": "bytea",
}
# Of two at once the second waits for the first to end, and is then told that it is known.
_PUT: Final = f"""WITH given AS (SELECT * FROM {many.listed(tuple(_GIVEN.items()))}),
stored AS (
  INSERT INTO shipkit_inbox (account, delivery_id, carrier, state, due_at, received_at, heard_at)
  SELECT account, delivery_id, carrier, 'new', (SELECT {{now}}), received_at, heard_at FROM given ORDER BY place
  ON CONFLICT (account, delivery_id) DO NOTHING RETURNING id, account, delivery_id),
kept AS (
  INSERT INTO shipkit_delivery (id, head, body)
  SELECT s.id, g.head, g.body FROM stored AS s
  JOIN given AS g ON g.account = s.account AND g.delivery_id = s.delivery_id)
SELECT account, delivery_id FROM stored"""
_LETTER: Final[dict[str, str]] = dict.fromkeys(
    ("id", "account", "delivery_id", "carrier", "state", "due_at", "received_at", "heard_at"), ""
)
_BODY: Final[dict[str, str]] = dict.fromkeys(("id", "head", "body"), "")
_ENDED: Final = {
    "id": "bigint",
    "state": "text",
    "owner": "text",
    "due_at": "timestamptz",
    "lease_until": "timestamptz",
    "next_at": "timestamptz",
    "error": "text",
    "detail": "text",
    "waits_for": "text",
    "ended_at": "timestamptz",
}
_WAITING: Final = {"carrier": "text", "number": "text", "letter": "bigint"}
_TOLD: Final = {"scope": "text", "letter": "bigint"}


class SqlInbox(Asking):
    """The deliveries of `shipkit.ports.events.EventStore`."""

    def put(self, deliveries: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        """Store deliveries, all in one commit; False for one that is stored already."""
        names = [(plain(one.account), plain(one.delivery_id)) for one in deliveries]
        first: dict[tuple[str, str], dict[str, Any]] = {}
        for name, delivery in zip(names, deliveries, strict=True):
            if name not in first:
                first[name] = self._columns(name, delivery)
        if not first:
            return ()
        if self._sqlite:
            new = self._done(lambda session: self._put_each(session, first))
        else:
            values = many.lists(_GIVEN, list(first.values()))
            new = self._done(lambda session: _names(self._rows.ask(session, _PUT, values)), held=False)
        return firsts(names, new)

    def _columns(self, name: tuple[str, str], delivery: WebhookDelivery) -> dict[str, Any]:
        head, body = delivery_text(delivery)
        received_at = self._in(delivery.received_at)
        heard_at = None if delivery.signature is SignatureResult.INVALID else received_at
        return {
            "account": name[0], "delivery_id": name[1], "carrier": plain(delivery.carrier),
            "received_at": received_at, "heard_at": heard_at, "head": head, "body": body,
        }  # fmt: skip

    def _put_each(self, session: Session, given: Mapping[tuple[str, str], dict[str, Any]]) -> set[tuple[str, str]]:
        known = _names(self._ask(session, sql.STORED, names=[list(name) for name in given]))
        new = [name for name in given if name not in known]
        last, at = self._ask(session, sql.LAST_LETTER)[0][0], self._in(self._rows.now(session))
        rows = [given[name] | {"id": last + place, "state": "new", "due_at": at} for place, name in enumerate(new, 1)]
        many.insert(session, self._dialect, "shipkit_inbox", _LETTER, rows)
        many.insert(session, self._dialect, "shipkit_delivery", _BODY, rows)
        return set(new)

    def take(self, owner: str, lease_s: float, limit: int) -> tuple[Letter, ...]:
        """Lend the new deliveries that are due longest."""

        def within(session: Session) -> tuple[Letter, ...]:
            at = self._rows.now(session)
            ids = [row[0] for row in self._ask(session, sql.FREE, at=at, limit=limit)]
            if not ids:
                return ()
            self._tell(session, sql.LEND, ids=ids, owner=owner, until=at + timedelta(seconds=lease_s))
            found = {row[0]: self._letter(row) for row in self._ask(session, sql.TAKEN, ids=ids)}
            return tuple([found[number] for number in ids])

        return self._done(within, durable=False)

    def letters(
        self,
        states: Sequence[LetterState] = (),
        *,
        account: str = "",
        ids: Sequence[int] = (),
        after: int = 0,
        limit: int = 100,
        bodies: bool = False,
    ) -> tuple[Letter, ...]:
        """Deliveries by id, rising."""
        chosen = {"account": bool(account), "ids": bool(ids), "bodies": bodies}
        statements = [sql.letters(page, **chosen) for page in sql.pages_of(states)]
        values: dict[str, Any] = {"after": after, "limit": limit}
        values |= {"account": plain(account)} if account else {}
        values |= {"ids": list(ids)} if ids else {}
        pages = self._asked(lambda session: [self._ask(session, each, **values) for each in statements])
        rows = sorted((row for page in pages for row in page), key=lambda row: row[0])[:limit]
        return tuple([self._letter(row) for row in rows])

    def take_up(self, ids: Sequence[int]) -> int:
        """Make deliveries new again."""
        return self._done(lambda session: self._release(session, unique(ids))) if ids else 0

    def heard(self) -> Mapping[str, datetime]:
        """By account when the last authentic push came in."""
        rows = self._asked(lambda session: self._ask(session, sql.HEARD))
        return {account: self._dialect.time_out(at) for account, at in rows}

    def _release(self, session: Session, ids: Iterable[int]) -> int:
        held = self._ask(session, sql.HELD, ids=list(ids))
        kept = [row[0] for row in held if row[4] is None]
        if kept:
            self._tell(session, sql.RELEASE, ids=kept, at=self._rows.now(session))
            self._tell(session, sql.UNPARK, ids=kept)
        return len(kept)

    def _release_parked(self, session: Session, numbers: Mapping[str, Sequence[str]]) -> None:
        """What waits for one of *numbers*, by carrier, is new again."""
        waiting: list[int] = []
        for carrier, given in numbers.items():
            waiting += [row[0] for row in self._ask(session, sql.PARKED, carrier=carrier, numbers=list(given))]
        if waiting:
            self._release(session, sorted(set(waiting)))

    def _meet(self, session: Session, numbers: Iterable[str]) -> None:
        """Have those who register a number and those who park a delivery for it come one after the other.

        The row is written, not only locked: an older snapshot would not show what the other did, and must clash.
        """
        buckets = sorted({crc32(number.encode()) % BUCKETS for number in numbers})
        if buckets and not self._sqlite:
            self._ask(session, sql.MEET, buckets=buckets)
            self._tell(session, sql.MET, buckets=buckets)

    def _end(self, session: Session, ends: Sequence[LetterEnd], at: datetime) -> None:
        """End what is still with whoever ends it; parked ones whose number is known by now are new again."""
        given = {end.id: end for end in ends}
        parked = [end for end in given.values() if end.state is LetterState.PARKED]
        self._meet(session, [plain(number) for end in parked for number in end.waits_for])
        held = self._ask(session, sql.HELD, ids=list(given))
        mine = {row[0]: row[3] for row in held if (row[1], row[2]) == (given[row[0]].owner, "new")}
        known = self._known(session, [(mine[end.id], end) for end in parked if end.id in mine])
        rows, waiting, told = [], [], []
        for number, carrier in mine.items():
            end = given[number]
            told += [{"scope": plain(scope), "letter": number} for scope in unique(end.scopes)]
            if end.state is LetterState.PARKED and known[carrier].intersection(map(plain, end.waits_for)):
                continue
            rows.append(self._end_columns(end, at))
            if end.state is LetterState.PARKED:
                names = unique([plain(each) for each in end.waits_for])
                waiting += [{"carrier": carrier, "number": each, "letter": number} for each in names]
        many.change(session, self._dialect, "shipkit_inbox", "id", _ENDED, rows)
        many.insert(session, self._dialect, "shipkit_parked", _WAITING, waiting, _ONCE)
        many.insert(session, self._dialect, "shipkit_told", _TOLD, told, _ONCE)
        back = mine.keys() - {row["id"] for row in rows}
        if back:
            self._release(session, sorted(back))

    def _known(self, session: Session, parked: Sequence[tuple[str, LetterEnd]]) -> dict[str, set[str]]:
        """Of the numbers that are waited for those which somebody registered, by carrier."""
        asked: dict[str, set[str]] = {}
        for carrier, end in parked:
            asked.setdefault(carrier, set()).update(map(plain, end.waits_for))
        return {
            carrier: {row[0] for row in self._ask(session, sql.KNOWN_NUMBERS, carrier=carrier, numbers=list(numbers))}
            for carrier, numbers in asked.items()
        }

    def _end_columns(self, end: LetterEnd, at: datetime) -> dict[str, Any]:
        again = end.state is LetterState.NEW
        waits_for = end.waits_for if end.state is LetterState.PARKED else ()
        return {
            "id": end.id, "state": end.state.value, "owner": "", "lease_until": None,
            "due_at": self._in(end.next_at or at) if again else None,
            "next_at": self._in(end.next_at) if again else None,
            "error": plain(end.error), "detail": plain(end.detail),
            "waits_for": json.dumps(waits_for) if waits_for else "", "ended_at": None if again else self._in(at),
        }  # fmt: skip

    def _letter(self, row: Sequence[Any]) -> Letter:
        number, state, attempts, owner, lease_until, next_at, error, detail, waits_for, ended_at, purged_at, *rest = row
        head, body = rest
        return Letter(
            id=number,
            delivery=delivery_of(bytes(head), b"" if body is None else bytes(body), number),
            state=LetterState(state),
            attempts=attempts,
            owner=owner,
            lease_until=self._out(lease_until),
            next_at=self._out(next_at),
            error=error,
            detail=detail,
            waits_for=tuple(json.loads(waits_for)) if waits_for else (),
            ended_at=self._out(ended_at),
            purged_at=self._out(purged_at),
        )


_ONCE: Final = "ON CONFLICT DO NOTHING"


def _names(rows: Iterable[Any]) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in rows}
