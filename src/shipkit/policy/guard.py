"""Before a request leaves: the breaker, a place among the account's requests, a place within the limit."""

from __future__ import annotations

from functools import partial

from ..errors import (
    CarrierError,
    DeadlineError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    ReachedCarrier,
    ShipkitError,
    UnavailableError,
)
from ..flow import Request, Response, Run, Send, Wait, now
from .breaker import Breaker
from .context import Context, Usage
from .lanes import Ticket
from .limits import passed, slowed

__all__ = ["guarded"]

_FAILURES = (UnavailableError, NotSentError, OutcomeUnknownError)


def guarded(send: Send, context: Context) -> Send:
    """Refuse at once while the breaker is open; wait for a place; learn from what comes back."""
    usage, lanes, bulk = context.state.usage(context.operation), context.state.lanes, context.bulk

    def guarded_send(request: Request) -> Run[Response]:
        breaker, sent_at = usage.breaker, None
        probe = breaker is not None and (yield from _probing(breaker, context))
        if probe:
            yield context.emit("retry", request=request.name, detail="breaker_probe")
        ticket = lanes.enter(bulk)
        try:
            if ticket is not None:
                yield from _turn(ticket, request, context)
            if usage.limit is not None or usage.pace is not None:
                sent_at = yield from passed(usage, context, context.ends_at(request.replayable))
            usage.recent.append(context.started_at)
            response = yield from send(request)
            probe = False
            if usage.pace is not None:
                usage.pace.answered()
            if usage.breaker is not None and usage.breaker.succeeded():
                yield context.emit("breaker", request=request.name, detail="closed")
            return response
        except ShipkitError as error:
            probe = (yield from _learned(error, request, usage, context, probe, sent_at)) and probe
            raise
        finally:
            # Plain calls, so that a run that is thrown away gives its place back like any other.
            lanes.leave(bulk, ticket)
            if probe and breaker is not None:
                breaker.withdrawn()

    return guarded_send


def _breaker(usage: Usage, context: Context) -> Breaker:
    settings, lock = context.settings, context.state.lock
    with lock:
        if usage.breaker is None:
            usage.breaker = Breaker(settings.breaker_failures, settings.breaker_window_s, settings.breaker_open_s, lock)
        return usage.breaker


def _probing(breaker: Breaker, context: Context) -> Run[bool]:
    """Whether this request is the breaker's probe; raises while nothing may pass."""
    wait_s = breaker.wait_s((yield from now()))
    if wait_s > 0:
        raise UnavailableError(
            f"{context.state.carrier} failed repeatedly: no request for {wait_s:.0f} s",
            reached_carrier=ReachedCarrier.NO,
            retry_after_s=int(wait_s) + 1,
        )
    return breaker.is_open


def _turn(ticket: Ticket, request: Request, context: Context) -> Run[None]:
    """Wait for the place of *ticket*."""
    lanes, began_at = context.state.lanes, (yield from now())
    yield Wait(listen=partial(lanes.listen, ticket), until=context.ends_at(request.replayable))
    if not ticket.granted:
        raise DeadlineError(
            f"{request.name}: no place among the account's requests within the time, nothing left",
            deadline_s=context.deadline_s,
        )
    yield context.emit("waited", elapsed_s=(yield from now()) - began_at, detail="lane")


def _learned(
    error: ShipkitError, request: Request, usage: Usage, context: Context, probe: bool, sent_at: float | None
) -> Run[bool]:
    """Tell breaker and pace; True where *error* says nothing of the carrier."""
    if isinstance(error, _FAILURES):
        if _breaker(usage, context).failed((yield from now()), probe):
            yield context.emit("breaker", request=request.name, error=error.code, detail="open")
        return False
    if not isinstance(error, CarrierError) or error.reached_carrier is ReachedCarrier.NO:
        return True
    if usage.breaker is not None and usage.breaker.succeeded():  # it answers
        yield context.emit("breaker", request=request.name, detail="closed")
    if isinstance(error, RateLimitedError):
        yield from slowed(error, sent_at, usage, context)
    return False
