"""Not more than the carrier allows: the limit that it states, kept by all workers, and the pace that its 429s teach."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import attrs

from ..errors import RateLimitedError, ReachedCarrier
from ..flow import Run, call, now, sleep
from .context import Context, Usage

__all__ = ["Limit", "Pace", "expected", "passed", "slowed"]

_SHORT_WINDOW_S = 10
_RECOVERY_S = 60
_PAUSE_S = 0.5


@attrs.frozen
class Limit:
    """At most so many calls in any window, as GCRA's two figures; nothing is remembered of single calls."""

    step_s: float
    slack_s: float

    @classmethod
    def of(cls, calls: int, per_s: float, margin_s: float = 0.0) -> Limit:
        """At most *calls* in any *per_s* seconds, by arrival at the carrier if that comes within *margin_s*.

        A burst of b and then one every step makes b + per_s / step in one window, so what may go at once is taken off
        the pace. In a short window an even pace costs nobody more than the window. In a long one, such as a day's
        quota, half goes at once.
        """
        calls = max(1, calls)
        burst = 1 if per_s <= _SHORT_WINDOW_S else (calls + 1) // 2
        step_s = (per_s + margin_s) / (calls - burst + 1)
        return cls(step_s, (burst - 1) * step_s)


_NO_LIMIT = Limit(0.0, 0.0)


class Pace:
    """An even pace that 429s taught: half of what was too much at once, then more by the same amount every second.

    After half a minute it is as fast as it was; once it would be twice as fast it is over. A carrier that goes on
    refusing is asked after longer and longer pauses, and only a 429 among answers halves the pace again: a window that
    is used up says nothing of how fast it may be used. At least one request goes in *slowest_s*.
    """

    blocking = False

    def __init__(
        self, at: float, per_s: float, slowest_s: float, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._slowest_s = slowest_s
        self._lock = lock if lock is not None else nullcontext()
        self._next_at = self._held_until = float("-inf")
        self._since = self._refused_at = at
        self._answered, self._pause_s = False, 0.0
        self.turns = 0
        self._halve(at, per_s)

    def per_s(self, at: float) -> float:
        """Requests a second, at this moment."""
        return self._low + self._gain * max(0.0, at - self._since)

    def over(self, at: float) -> bool:
        """Whether it has nothing to say any more."""
        return self.per_s(at) >= 2 * self._former and at >= self._held_until

    def reserve(self, at: float, within_s: float) -> float:
        """Seconds until the next place comes; it is taken if that is *within_s*."""
        with self._lock:
            place = max(at, self._next_at, self._held_until)
            if place - at <= within_s:
                self._next_at = place + 1 / self.per_s(at)
            return place - at

    def refused(self, sent_at: float | None, at: float, wait_s: float | None = None) -> bool:
        """The carrier answered 429, and perhaps named a wait; True if that made the pace slower.

        Of requests that left before the last 429 came, only the wait is heard.
        """
        with self._lock:
            news = sent_at is not None and sent_at >= self._refused_at
            slower = news and self._answered
            if slower:
                self._halve(at, self.per_s(at))
            elif news:
                self._refused_at, self._pause_s = at, min(2 * self._pause_s, self._slowest_s)
            if wait_s is not None or news:
                self._hold(at + (self._pause_s if wait_s is None else wait_s))
            return slower

    def answered(self) -> None:
        """The carrier took a request."""
        self._answered = True

    def _halve(self, at: float, per_s: float) -> None:
        self._since = self._refused_at = at
        self._former = max(per_s, 2 / self._slowest_s)
        self._low, self._gain = self._former / 2, self._former / _RECOVERY_S
        self._answered, self._pause_s = False, _PAUSE_S
        self._hold(at + _PAUSE_S)

    def _hold(self, until: float) -> None:
        """Whoever waits with a place of an earlier turn asks again."""
        if until > self._held_until:
            self._held_until, self._next_at = until, float("-inf")
            self.turns += 1


def passed(usage: Usage, context: Context, until: float) -> Run[float]:
    """Wait for a place within the limit and the pace; the moment when it came.

    Raises:
        RateLimitedError: it comes after *until*; nothing was sent.
    """
    began_at = at = yield from now()
    limit = usage.limit or _NO_LIMIT
    while True:
        pace = usage.pace
        if pace is not None and pace.over(at):
            usage.pace = pace = None
        turn = pace.turns if pace is not None else 0
        if pace is not None:
            at = yield from _place(partial(_of_pace, pace), at, until, context)
        if limit is not _NO_LIMIT or (pace is not None and context.limits.blocking):
            # Where no limit is stated a shared store still knows what the carrier told another worker to wait.
            at = yield from _place(partial(_of_limit, limit, context), at, until, context)
        if usage.pace is pace and (pace is None or pace.turns == turn):
            break
    if at > began_at:
        yield context.emit("waited", elapsed_s=at - began_at, detail="limit")
    return at


def expected(usage: Usage, context: Context) -> Run[None]:
    """Wait until a place may be had soon, without taking it: the send window of a claimed purchase is short."""
    pace, limit = usage.pace, usage.limit
    while True:
        at = yield from now()
        wait_s = pace.reserve(at, -1) if pace is not None and not pace.over(at) else 0.0
        if limit is not None:
            wait_s = max(wait_s, (yield from _of_limit(limit, context, at, -1)))
        if at + wait_s > context.until:
            raise _no_place(wait_s, context)
        if wait_s <= context.settings.send_window_s / 2:
            return
        yield from sleep(wait_s - context.settings.send_window_s / 4)


def slowed(error: RateLimitedError, sent_at: float | None, usage: Usage, context: Context) -> Run[None]:
    """What a 429 teaches: a slower pace for this process, and for every worker the wait that the carrier named."""
    at = yield from now()
    wait_s = None if error.retry_after_s is None else min(float(error.retry_after_s), context.settings.hold_max_s)
    pace, first = usage.pace, usage.pace is None
    if pace is None:
        pace = _learned(at, usage, context)
    slower = pace.refused(sent_at, at, wait_s)
    if wait_s:
        yield from call(context.limits.hold, _name(context), wait_s)
    if slower or first:
        yield context.emit("slowed", error=error.code)


def _learned(at: float, usage: Usage, context: Context) -> Pace:
    with context.state.lock:
        if usage.pace is None:
            span_s = max(1.0, at - usage.recent[0]) if usage.recent else 1.0
            usage.pace = Pace(at, len(usage.recent) / span_s, context.settings.pace_slowest_s, context.state.lock)
        return usage.pace


def _place(reserve: Callable[[float, float], Run[float]], at: float, until: float, context: Context) -> Run[float]:
    """Wait for the place that *reserve* gives; work of lists takes only what is free now, so single calls go first."""
    while True:
        left_s = until - at
        wait_s = yield from reserve(at, 0.0 if context.bulk else left_s)
        if wait_s <= 0:
            return at
        if wait_s > left_s:
            raise _no_place(wait_s, context)
        at = yield from now()
        yield from sleep(wait_s)
        came_at = yield from now()
        late_s, at = came_at - at - wait_s, came_at
        # A machine that woke us late would put this request among those of the next places.
        if not context.bulk and late_s <= context.settings.limit_margin_s / 2:
            return at


def _of_pace(pace: Pace, at: float, within_s: float) -> Run[float]:
    return call(pace.reserve, at, within_s)


def _of_limit(limit: Limit, context: Context, _: float, within_s: float) -> Run[float]:
    return call(context.limits.reserve, _name(context), limit.step_s, limit.slack_s, within_s)


def _name(context: Context) -> str:
    return f"{context.state.name}/{context.operation}"


def _no_place(wait_s: float, context: Context) -> RateLimitedError:
    return RateLimitedError(
        f"our own limit for {context.operation} at {context.state.carrier}: next place in {wait_s:.0f} s",
        reached_carrier=ReachedCarrier.NO,
        retry_after_s=int(wait_s) + 1,
    )
