"""What carriers say of numbers: many at once, each with an outcome of its own, and the timeline that follows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from ..carrier import Carrier, Tracks, TracksMany, able
from ..errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    PluginError,
    RateLimitedError,
    ReachedCarrier,
    RejectedError,
    ReplyError,
    ShipkitError,
    UnavailableError,
)
from ..events import fold, scoped
from ..flow import Done, Fork, Run, drive, now
from ..model import EventSource, NoticeCode, Operation, Outcome, Timeline, TrackQuery, TrackResult
from ..policy import Context, Stack
from .desk import Desk, capable
from .zones import placed

if TYPE_CHECKING:
    from .accounts import Account

__all__ = ["Asking", "batch_size", "nothing_more_now", "outcomes", "timeline", "tracks", "unmapped"]

T = TypeVar("T")
_OF_ONE_NUMBER: Final = (RejectedError, NotFoundError, ReplyError, InputError, PluginError)


def timeline(result: TrackResult, carrier: Carrier, source: EventSource) -> Timeline:
    """The events of *result* within the scope of its number, folded."""
    scope = f"{carrier.code}:{result.number.value}"
    return fold(
        placed(carrier, scoped(result.events, scope, source=source)),
        scope=scope,
        tracking_number=result.number,
        transit=result.transit,
        proof=result.proof,
    )


def tracks(account: Account) -> bool:
    """Whether the account can be asked for a number."""
    return able(account.carrier, Tracks) or able(account.carrier, TracksMany)


@attrs.define(kw_only=True, eq=False)
class Asking(Generic[T]):
    """One list of numbers at one account: how long it may take, what is made of each answer, when it is enough.

    *stops* says of an error that nothing more is to be asked at this account now, and ``stopped`` keeps it; by default
    the list goes on whatever comes. *until* is the end of the whole list, in the runner's seconds; without it each call
    has its own deadline. *begin_until* is the moment after which none is begun any more.
    """

    desk: Desk
    account: Account
    read: Callable[[TrackResult], T]
    deadline_s: float
    until: float | None = None
    begin_until: float | None = None
    bulk: bool = True
    stops: Callable[[ShipkitError], bool] = lambda _: False
    stopped: ShipkitError | None = attrs.field(default=None, init=False)
    late: bool = attrs.field(default=False, init=False)

    def may_begin(self, at: float) -> bool:
        """Whether another call may begin."""
        if self.begin_until is not None and at >= self.begin_until:
            self.late = True
        return self.stopped is None and not self.late

    def failed(self, error: ShipkitError) -> None:
        """Note what came back instead of an answer."""
        if self.stopped is None and self.stops(error):
            self.stopped = error


def nothing_more_now(error: ShipkitError) -> bool:
    """Whether *error* says that asking for the next number would fare no better: too many calls, or an open breaker,
    or credentials that are refused (an account may be locked by those who try again and again)."""
    if isinstance(error, (RateLimitedError, AuthenticationError)):
        return True
    return isinstance(error, UnavailableError) and error.reached_carrier is ReachedCarrier.NO


def outcomes(asking: Asking[T], queries: Sequence[TrackQuery]) -> Run[list[Done | None]]:
    """What became of each of *queries*, in order; None for those that were not asked about any more.

    However long the list is, only as many calls exist as may be under way at once (``list_concurrency``).
    """
    work = _Work(asking, queries)
    if len(work.todo) == 1:  # no thread for one
        yield from work.worker()
        return work.done
    places = min(asking.desk.settings.list_concurrency, len(work.todo))
    if places:
        yield Fork(tuple(work.worker() for _ in range(places)), places)
    return work.done


class _Work(Generic[T]):
    """The numbers that wait, in the batches that the carrier takes, and what became of the others."""

    def __init__(self, asking: Asking[T], queries: Sequence[TrackQuery]) -> None:
        self.asking, self.queries = asking, queries
        self.done: list[Done | None] = [None] * len(queries)
        size = batch_size(asking.account) if len(queries) > 1 else 1
        places = range(len(queries))
        self.todo = deque(tuple(places[first : first + size]) for first in range(0, len(queries), size))

    def worker(self) -> Run[None]:
        """Work on what waits until nothing does."""
        while self.asking.may_begin((yield from now())):
            try:
                places = self.todo.popleft()
            except IndexError:
                return
            yield from (self._one(places[0]) if len(places) == 1 else self._several(places))

    def _one(self, place: int) -> Run[None]:
        asking, query = self.asking, self.queries[place]
        try:
            self.done[place] = yield from _answer(asking, query)
        except ShipkitError as error:
            asking.failed(error)
            self.done[place] = Done(error=error)

    def _several(self, places: tuple[int, ...]) -> Run[None]:
        asking, carrier = self.asking, self.asking.account.carrier
        try:
            found = yield from _answers(asking, tuple(self.queries[place] for place in places))
        except ShipkitError as error:
            asking.failed(error)
            if isinstance(error, _OF_ONE_NUMBER) and able(carrier, Tracks):
                # The carrier refuses the whole call, and one number may be the reason: each goes by itself.
                self.todo.extendleft((place,) for place in reversed(places))
                return
            found = [Done(error=error)] * len(places)
        for place, done in zip(places, found, strict=True):
            self.done[place] = done


def batch_size(account: Account) -> int:
    """How many numbers one call of the account takes."""
    if not able(account.carrier, TracksMany):
        return 1
    facts = account.facts.operations.get(Operation.TRACK_MANY)
    return max(1, facts.batch_max) if facts is not None else 1


def _answer(asking: Asking[Any], query: TrackQuery) -> Run[Done]:
    if not able(asking.account.carrier, Tracks) and able(asking.account.carrier, TracksMany):
        return (yield from _answers(asking, (query,)))[0]
    desk, account = asking.desk, asking.account
    value = yield from desk.answer(account, query, asking.deadline_s, asking.until, asking.bulk, asking.read)
    return Done(value)


def _answers(asking: Asking[Any], queries: tuple[TrackQuery, ...]) -> Run[list[Done]]:
    def asked(stack: Stack) -> Run[list[Done]]:
        found = yield from drive(capable(stack.carrier, TracksMany, "track_many").track_many(queries), stack.send)
        if len(found) != len(queries):
            text = f"{len(queries)} numbers were asked about, and {len(found)} outcomes came @ $"
            raise ReplyError(text, paths=("$",))
        for one in found:
            if one.value is not None:
                yield from unmapped(one.value, stack.context)
        return [_done(one, asking.read) for one in found]

    return asking.desk.calling(
        asking.account, "track_many", asking.deadline_s, queries, asked, until=asking.until, bulk=asking.bulk
    )


def _done(outcome: Outcome[TrackResult], read: Callable[[TrackResult], Any]) -> Done:
    if outcome.value is not None:
        return Done(read(outcome.value))
    return Done(error=outcome.error or ReplyError("an outcome without a value and without an error @ $", paths=("$",)))


def unmapped(result: TrackResult, context: Context) -> Run[None]:
    """Count each status code of *result* that no table explains."""
    for message in result.messages:
        if message.code is NoticeCode.UNMAPPED_CODE:
            yield context.emit("unmapped_code", detail=message.carrier_code or "")
