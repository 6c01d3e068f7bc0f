"""Limit and breaker: pure state over the runner's seconds, one per account and operation."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ..errors import CarrierError, NotSentError, OutcomeUnknownError, RateLimitedError, ReachedCarrier, UnavailableError
from ..flow import Request, Response, Run, Send, now, sleep
from .context import Context

__all__ = ["Breaker", "Gate", "guarded"]


class Breaker:
    """Opens after ``failures`` within ``window_s``; after ``open_s`` one probe decides."""

    def __init__(self, failures: int, window_s: float, open_s: float) -> None:
        self._limit, self._window_s, self._open_s = failures, window_s, open_s
        self._failed_at: list[float] = []
        self._open_until: float | None = None

    def wait_s(self, at: float) -> float:
        """Seconds until a request may pass; 0 lets this one through (the probe pushes the next one back)."""
        if self._open_until is None:
            return 0.0
        if at < self._open_until:
            return self._open_until - at
        self._open_until = at + self._open_s
        return 0.0

    def succeeded(self) -> None:
        """The carrier answered."""
        if self._failed_at or self._open_until is not None:
            self._failed_at.clear()
            self._open_until = None

    def failed(self, at: float) -> bool:
        """The carrier was down or silent; True when that opened the breaker."""
        self._failed_at = [moment for moment in self._failed_at if at - moment < self._window_s] + [at]
        if self._open_until is None and len(self._failed_at) < self._limit:
            return False
        opened = self._open_until is None
        self._open_until = at + self._open_s
        return opened


class Gate:
    """Lets at most ``calls`` through in any ``per_s`` seconds, in order (GCRA); *lock* keeps threads apart."""

    def __init__(self, calls: int, per_s: float, lock: AbstractContextManager[object] | None = None) -> None:
        self._step_s = per_s / calls
        self._slack_s = per_s - self._step_s
        self._next_at = float("-inf")
        self._lock = lock if lock is not None else nullcontext()

    def reserve(self, at: float, within_s: float = float("inf")) -> float:
        """Return the seconds until the next place comes; it is taken if that is *within_s*."""
        with self._lock:
            place = max(self._next_at, at)
            wait_s = max(0.0, place - self._slack_s - at)
            if wait_s <= within_s:
                self._next_at = place + self._step_s
            return wait_s


def guarded(send: Send, context: Context) -> Send:
    """Refuse at once while the breaker is open; wait for a place within the carrier's rate limit."""

    def guarded_send(request: Request) -> Run[Response]:
        breaker = context.state.breakers.get(context.operation)
        gate = context.state.gates.get(context.operation)
        if breaker is not None:
            at = yield from now()
            wait_s = breaker.wait_s(at)
            if wait_s > 0:
                raise UnavailableError(
                    f"{context.state.carrier} failed repeatedly: no request for {wait_s:.0f} s",
                    reached_carrier=ReachedCarrier.NO,
                    retry_after_s=int(wait_s) + 1,
                )
            if gate is not None:
                yield from _pass(gate, at, context)
        elif gate is not None:
            yield from _pass(gate, (yield from now()), context)
        try:
            response = yield from send(request)
        except (UnavailableError, NotSentError, OutcomeUnknownError) as error:
            if breaker is None:
                breaker = context.state.breakers.setdefault(context.operation, _breaker(context))
            if breaker.failed((yield from now())):
                yield context.emit("breaker", request=request.name, error=error.code, detail="open")
            raise
        except CarrierError:
            if breaker is not None:  # it answers
                breaker.succeeded()
            raise
        if breaker is not None:
            breaker.succeeded()
        return response

    return guarded_send


def _breaker(context: Context) -> Breaker:
    settings = context.settings
    return Breaker(settings.breaker_failures, settings.breaker_window_s, settings.breaker_open_s)


def _pass(gate: Gate, at: float, context: Context) -> Run[None]:
    left_s = context.until - at
    wait_s = gate.reserve(at, left_s)
    if wait_s > left_s:
        raise RateLimitedError(
            f"our own limit for {context.operation} at {context.state.carrier}: next place in {wait_s:.0f} s",
            reached_carrier=ReachedCarrier.NO,
            retry_after_s=int(wait_s) + 1,
        )
    if wait_s > 0:
        yield from sleep(wait_s)
