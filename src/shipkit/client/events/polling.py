"""Carriers are asked for the parcels whose time has come, and what they say goes the way that pushes go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

import attrs

from ...errors import NotFoundError, ShipkitError
from ...events.plans import PollPlan, Standing, planned, standing
from ...flow import Done, Emit, Run, call, now
from ...model import TrackingEvent
from ...model.scalars import EMPTY
from ...ports import Observation
from ...ports.events import Parcel, ParcelWork
from ..accounts import Account
from ..desk import together
from ..tracking import Asking, batch_size, nothing_more_now, outcomes
from .asking import account_of, as_it_is, query_of
from .committing import Told, committed
from .desk import EventDesk
from .sharing import shares_of

__all__ = ["Asked", "Found", "Polled", "poll", "take_answers"]

_WRITTEN_TOGETHER: Final = 50
_PUSH_TAKES: Final = timedelta(hours=1)
"""Carriers push within minutes of the scan, as a rule: what is older and was not pushed is counted as missed."""


class Found(str, Enum):
    """What asking for one parcel came to."""

    NEWS = "news"
    SAME = "same"
    NOT_FOUND = "not_found"  # the carrier does not know the number
    FAILED = "failed"
    PUT_OFF = "put_off"  # not asked: the account takes no more now, or the time was over; it is due again soon


@attrs.frozen(kw_only=True)
class Asked:
    """One parcel of a round."""

    scope: str
    account: str
    found: Found
    standing: Standing = Standing.OPEN
    """Whether it is asked for any more."""
    error: ShipkitError | None = None
    """Why it failed, or is not found."""


@attrs.frozen(kw_only=True)
class Polled:
    """One round: what became of each parcel that was due, and why accounts were not asked any further."""

    parcels: tuple[Asked, ...] = ()
    stopped: Mapping[str, ShipkitError] = EMPTY
    """By account."""
    missed: int = 0
    """Parcels with news of which a carrier that pushes had not told."""
    announcements: int = 0

    @property
    def taken(self) -> int:
        """How many were due; with 0 there is nothing to do now."""
        return len(self.parcels)

    def count(self, found: Found) -> int:
        """How many parcels of the round came to *found*."""
        return Counter(one.found for one in self.parcels)[found]

    @property
    def given_up(self) -> tuple[str, ...]:
        """The scopes of parcels that are not asked for any more though their journeys have not ended."""
        return tuple([one.scope for one in self.parcels if one.standing.given_up])

    @property
    def missing(self) -> tuple[str, ...]:
        """The scopes of parcels that their carrier ought to know by now, and does not."""
        return tuple([one.scope for one in self.parcels if one.standing is Standing.MISSING])


def poll(desk: EventDesk, limit: int | None = None) -> Run[Polled]:
    """Ask for the parcels that are due, at most *limit* (``poll_batch``), all accounts at once.

    Each is lent to this round (``poll_lease_s``): a round that is killed costs no more than that time. One bad number
    costs the others nothing. Where a carrier answers that it is asked too often, or is down, the rest of its parcels
    is put off until the lease is over.

    Raises:
        StoreError: the store cannot be reached.
    """
    began_at = yield from now()
    rows = yield from _due(desk, desk.settings.poll_batch if limit is None else limit)
    if not rows:
        return Polled()
    heard = yield from call(desk.store.heard)
    by_account: dict[str, list[Parcel]] = {}
    for row in rows:
        by_account.setdefault(row.account, []).append(row)
    until = began_at + desk.settings.poll_lease_s * 0.8
    runs = tuple(_of_account(desk, alias, group, until, alias in heard) for alias, group in by_account.items())
    polled = Polled()
    for done in (yield from together(runs)):
        if done.error is not None:
            raise done.error
        polled = _sum(polled, done.value)
    return polled


def _due(desk: EventDesk, limit: int) -> Run[list[Parcel]]:
    """As many of each account, so that one which is down or slow does not hold up the others."""
    lease_s = desk.settings.poll_lease_s
    aliases = list(desk.desk.accounts)
    share = limit // max(1, len(aliases))
    rows: list[Parcel] = []
    if share and len(aliases) > 1:
        for alias in aliases:
            rows += yield from call(desk.store.due, lease_s, share, (alias,))
    if len(rows) < limit:
        rows += yield from call(desk.store.due, lease_s, limit - len(rows), tuple(aliases))
    return rows


def _of_account(desk: EventDesk, alias: str, parcels: Sequence[Parcel], until: float, pushes: bool) -> Run[Polled]:
    known = [parcel for parcel in parcels if account_of(desk, parcel) is not None]
    others = tuple([_put_off(parcel) for parcel in parcels if account_of(desk, parcel) is None])
    account = desk.desk.account(alias)
    asking = Asking(
        desk=desk.desk,
        account=account,
        read=as_it_is,
        deadline_s=account.deadline_s("track", None),
        begin_until=until,
        stops=nothing_more_now,
    )
    polled, began_at = Polled(parcels=others), (yield from now())
    # What was learnt is written before the rest is asked for: a round that is killed loses the last few answers only.
    size = max(_WRITTEN_TOGETHER, 2 * batch_size(account))
    for first in range(0, len(known), size):
        group = known[first : first + size]
        asked_at = yield from call(desk.store.now)
        done = yield from outcomes(asking, [query_of(desk, parcel) for parcel in group])
        polled = _sum(polled, (yield from take_answers(desk, group, done, pushes=pushes, asked_at=asked_at)))
    if desk.desk.watch():
        yield Emit(event=_seen(account, polled, asking.stopped, (yield from now()) - began_at))
    return attrs.evolve(polled, stopped={alias: asking.stopped}) if asking.stopped is not None else polled


def _seen(account: Account, polled: Polled, stopped: ShipkitError | None, elapsed_s: float) -> Observation:
    """One round of one account: how many parcels it asked for, and why it went no further."""
    return Observation(
        kind="polled",
        account=account.alias,
        carrier=account.carrier.code,
        environment=account.state.environment,
        operation="track",
        elapsed_s=elapsed_s,
        error=stopped.code if stopped is not None else "",
        value=polled.taken - polled.count(Found.PUT_OFF),
    )


def take_answers(
    desk: EventDesk,
    parcels: Sequence[Parcel],
    answers: Sequence[Done | None],
    *,
    pushes: bool = False,
    asked_at: datetime | None = None,
) -> Run[Polled]:
    """Write what carriers said of *parcels*, and when each is asked for next.

    None is no answer, and neither is an error that says that nothing is to be asked there now. *pushes* says that the
    account does push; *asked_at* is a moment before the first was asked, by the store's clock: a push that came in
    later than that may tell of what the answers do not show.
    """
    at = yield from call(desk.store.now)
    course = _Course(desk, at, pushes, asked_at or at)
    rows = {
        parcel.scope: (parcel, done)
        for parcel, done in zip(parcels, answers, strict=True)
        if done is not None and not (done.error is not None and nothing_more_now(done.error))
    }
    answered = [(parcel, done.value) for parcel, done in rows.values() if done.error is None]
    shares = yield from shares_of(desk, answered)
    events = {parcel.scope: share for (parcel, _), share in zip(answered, shares, strict=True)}
    told = {scope: course.told(parcel, done, events.get(scope, ())) for scope, (parcel, done) in rows.items()}
    written = yield from committed(desk, {scope: parcel for scope, (parcel, _) in rows.items()}, told)
    works = {work.before.scope: work for work in written.works}
    outcome = [
        course.outcome(parcel, rows[parcel.scope][1], works.get(parcel.scope))
        if parcel.scope in rows and parcel.scope not in written.failed
        else _put_off(parcel)
        for parcel in parcels
    ]
    return Polled(
        parcels=tuple(outcome),
        missed=sum(work.after.missed > work.before.missed for work in written.works),
        announcements=sum(len(work.announcements) for work in written.works),
    )


@attrs.frozen(eq=False)
class _Course:
    """What the answers of one moment mean for the rows."""

    desk: EventDesk
    at: datetime
    pushes: bool
    asked_at: datetime

    def plan(self, parcel: Parcel) -> PollPlan:
        return self.desk.plan(parcel.account)

    def told(self, parcel: Parcel, done: Done, events: tuple[TrackingEvent, ...]) -> Told:
        """What is joined to the evidence, and what the row says of the answer."""
        if done.error is not None:
            return Told(noted=partial(self._failed, done.error))
        return Told(events=events, results=(done.value,), noted=partial(self._answered, parcel.digest))

    def _failed(self, error: ShipkitError, row: Parcel, _: bool) -> Parcel:
        if isinstance(error, NotFoundError):
            after = attrs.evolve(
                row, polled_at=self.asked_at, polls=row.polls + 1, not_found=row.not_found + 1, failures=0
            )
        else:
            after = attrs.evolve(row, failures=row.failures + 1)
        return planned(after, self.plan(row), self.at)

    def _answered(self, digest: str, row: Parcel, _: bool) -> Parcel:
        news = row.digest != digest
        after = attrs.evolve(
            row,
            polled_at=self.asked_at,
            polls=0 if news else row.polls + 1,
            failures=0,
            not_found=0,
            missed=row.missed + (news and self._missed(row)),
        )
        return planned(after, self.plan(row), self.at)

    def _missed(self, row: Parcel) -> bool:
        """Whether the carrier pushes, and had the time to tell of what is the last entry now."""
        if not self.pushes or row.timeline is None or not row.timeline.entries:
            return False
        if row.polled_at is None and row.pushed_at is None:  # it was under way when it was registered
            return False
        return self.at - row.timeline.entries[-1].at.latest > _PUSH_TAKES

    def outcome(self, parcel: Parcel, done: Done, work: ParcelWork | None) -> Asked:
        """What became of it, as it was written."""
        row = work.after if work is not None else parcel
        if done.error is not None:
            found = Found.NOT_FOUND if isinstance(done.error, NotFoundError) else Found.FAILED
        else:
            found = Found.NEWS if row.digest != parcel.digest else Found.SAME
        return Asked(
            scope=parcel.scope,
            account=parcel.account,
            found=found,
            standing=standing(row, self.plan(row), self.at),
            error=done.error,
        )


def _put_off(parcel: Parcel) -> Asked:
    return Asked(scope=parcel.scope, account=parcel.account, found=Found.PUT_OFF)


def _sum(one: Polled, other: Polled) -> Polled:
    return Polled(
        parcels=(*one.parcels, *other.parcels),
        stopped={**one.stopped, **other.stopped},
        missed=one.missed + other.missed,
        announcements=one.announcements + other.announcements,
    )
