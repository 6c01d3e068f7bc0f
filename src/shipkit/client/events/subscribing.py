"""Carriers that push for single numbers are told of those that are followed, before what they were told runs out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, timezone
from hashlib import sha256
from typing import Final

import attrs

from ... import model as m
from ...carrier import Subscribes
from ...errors import InputError, NotFoundError, RejectedError, ShipkitError
from ...flow import Run, call
from ...ledger.intent import unpacked
from ...model.scalars import EMPTY
from ...ports import Entry
from ...ports.events import Parcel
from ..accounts import Account
from ..desk import capable
from ..kinds import SUBSCRIBE
from ..purchases import purchase
from ..tracking import nothing_more_now
from .amending import amended
from .desk import EventDesk

__all__ = ["REFUSED_AT", "Subscribed", "subscribe_open"]

REFUSED_AT: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""What stands in ``subscribed_until`` of a number that the carrier would not push for: it is not asked again."""
_PAGE: Final = 1000
_AT_ONCE: Final = 100
_PREFIX: Final = "subscribe/"
_ENDLESS: Final = timedelta(days=366)
_LATELY: Final = timedelta(days=2)
_OF_THE_NUMBERS: Final = (RejectedError, NotFoundError, InputError)


@attrs.frozen(kw_only=True)
class Subscribed:
    """What one call came to."""

    accepted: int = 0
    """Numbers that the carrier pushes for from now on, or for longer than before."""
    refused: Mapping[str, ShipkitError] = EMPTY
    """By number."""
    failed: int = 0
    """Numbers that could not be asked for now: the next call does."""
    error: ShipkitError | None = None
    """Why the last of these failed."""


def subscribe_open(desk: EventDesk, alias: str, callback_url: str, secret: str | None = None) -> Run[Subscribed]:
    """Subscribe every open parcel of the account whose subscription is missing, or would soon run out.

    In batches of what the carrier takes, each an intent of the ledger under a key that follows from the day and the
    numbers. What a call bought that was killed before it could note it is noted by the next one.

    Raises:
        InputError: there is no such account.
        NotSupportedError: its carrier takes no subscriptions.
    """
    account = desk.desk.account(alias)
    capable(account.carrier, Subscribes, "subscribe")
    now = yield from call(desk.store.now)
    work = _Work(desk, account, callback_url, secret, now)
    yield from work.note_bought()
    scope = ""
    while not work.stopped and (rows := (yield from call(desk.store.walk, after=scope, limit=_PAGE, open_only=True))):
        wanted = [row for row in rows if work.wants(row)]
        for batch in _batches(wanted, work.most):
            if not work.stopped:
                yield from work.subscribe(batch)
        scope = rows[-1].scope
    return work.result


def _batches(rows: Sequence[Parcel], size: int) -> Iterator[Sequence[Parcel]]:
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


class _Work:
    def __init__(self, desk: EventDesk, account: Account, url: str, secret: str | None, now: datetime) -> None:
        self.desk, self.account, self.url, self.secret, self.now = desk, account, url, secret, now
        facts = account.facts.webhooks
        self.most = (facts.subscribe_max if facts is not None else None) or _AT_ONCE
        days = facts.subscription_days if facts is not None else None
        self.lasts = timedelta(days=days) if days else _ENDLESS
        # A quarter before the end, two days at most: a host that is down over a weekend loses nothing.
        self.margin = min(timedelta(days=2), self.lasts / 4)
        self.stopped = False
        self.result = Subscribed()

    def wants(self, row: Parcel) -> bool:
        """Whether *row* is to be subscribed now."""
        if row.account != self.account.alias or not row.number or row.query is None:
            return False
        until = row.subscribed_until
        return until is None or (until != REFUSED_AT and until - self.now < self.margin)

    def note_bought(self) -> Run[None]:
        """Note what was bought by a call that did not come to it."""
        since, after = self.now - _LATELY, ""
        prefix = self.desk.desk.full_key(_PREFIX)
        ledger = self.desk.desk.store.ledger
        while page := (yield from call(ledger.succeeded, since, after, prefix=prefix, limit=_AT_ONCE)):
            for entry in page:
                if entry.operation == SUBSCRIBE.operation and entry.account == self.account.alias:
                    yield from self._note_row(entry)
            since, after = page[-1].updated_at, page[-1].key

    def _note_row(self, entry: Entry) -> Run[None]:
        if entry.purged_at is not None or entry.carrier != self.account.carrier.code:
            return
        answer = unpacked(entry.result, m.Subscription)
        numbers = [*(number.value for number in answer.accepted), *answer.refused]
        rows = yield from call(self.desk.store.find, [(self.account.carrier.code, number) for number in numbers])
        mine = [row for row in rows if row is not None and row.finished_at is None and row.since <= entry.created_at]
        yield from self._note(mine, answer, entry.created_at)

    def subscribe(self, rows: Sequence[Parcel]) -> Run[None]:
        """Buy one batch; where it is refused as a whole, by halves, until the numbers that are meant stand alone."""
        request = m.SubscriptionRequest(
            numbers=tuple([_number(row) for row in rows]), callback_url=self.url, secret=self.secret
        )
        try:
            answer = yield from purchase(
                self.desk.desk, SUBSCRIBE, request, self.account.alias, self._key(rows), None, bulk=True
            )
        except ShipkitError as error:
            if isinstance(error, _OF_THE_NUMBERS) and len(rows) > 1:
                middle = len(rows) // 2
                yield from self.subscribe(rows[:middle])
                if not self.stopped:
                    yield from self.subscribe(rows[middle:])
                return
            if isinstance(error, (RejectedError, NotFoundError)):
                yield from self._refuse(rows, {rows[0].number: error})
                return
            self.stopped = self.stopped or nothing_more_now(error)
            self.result = attrs.evolve(self.result, failed=self.result.failed + len(rows), error=error)
            return
        yield from self._note(rows, answer, self.now)

    def _key(self, rows: Sequence[Parcel]) -> str:
        said = "\n".join((self.account.alias, self.url, *sorted(row.scope for row in rows)))
        return (
            f"{_PREFIX}{self.now.date().isoformat()}/{sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
        )

    def _note(self, rows: Sequence[Parcel], answer: m.Subscription, at: datetime) -> Run[None]:
        accepted = {number.value for number in answer.accepted}
        until = at + self.lasts
        if answer.ends_on is not None:
            until = datetime.combine(answer.ends_on, time(), timezone.utc)

        def change(row: Parcel) -> Parcel:
            known = row.subscribed_until
            if row.number not in accepted or (known is not None and known >= until):
                return row
            return attrs.evolve(row, subscribed_until=until)

        noted = yield from amended(self.desk, rows, change)
        self.result = attrs.evolve(self.result, accepted=self.result.accepted + noted)
        yield from self._refuse(
            rows, {number: error for number, error in answer.refused.items() if number not in accepted}
        )

    def _refuse(self, rows: Sequence[Parcel], refused: Mapping[str, ShipkitError]) -> Run[None]:
        def change(row: Parcel) -> Parcel:
            known = row.subscribed_until
            if row.number not in refused or (known is not None and (known == REFUSED_AT or known > self.now)):
                return row
            return attrs.evolve(row, subscribed_until=REFUSED_AT)

        if (yield from amended(self.desk, rows, change)):
            self.result = attrs.evolve(self.result, refused={**self.result.refused, **refused})


def _number(row: Parcel) -> m.TrackingNumber:
    if row.query is not None:
        return row.query.number
    return m.TrackingNumber(value=row.number, carrier=row.carrier)
