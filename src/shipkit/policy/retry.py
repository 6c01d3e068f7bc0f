"""Repeating what may be repeated: jittered, after ``Retry-After``, never past the deadline."""

from __future__ import annotations

from ..errors import NotSentError, OutcomeUnknownError, RateLimitedError, ReachedCarrier, ShipkitError, UnavailableError
from ..flow import Request, Response, Run, Send, now, sleep
from .context import Context

__all__ = ["retrying"]


def retrying(send: Send, context: Context) -> Send:
    """Send a replayable request up to ``attempts`` times; a purchase again only if surely nothing came of it.

    A wait that would not end within the call's time is not begun, whatever attempts are left.
    """
    settings = context.settings

    def retrying_send(request: Request) -> Run[Response]:
        attempt = 1
        while True:
            try:
                return (yield from send(request))
            except (NotSentError, RateLimitedError, OutcomeUnknownError, UnavailableError) as error:
                if attempt >= settings.attempts or not _repeatable(error, request):
                    raise
                bound = min(settings.backoff_first_s * settings.backoff_factor ** (attempt - 1), settings.backoff_max_s)
                named_s = error.retry_after_s
                left_s = context.ends_at(request.replayable) - (yield from now())
                if (bound if named_s is None else named_s) >= left_s:
                    raise
                yield context.emit("retry", request=request.name, error=error.code, detail=str(attempt))
                if named_s:
                    yield from sleep(named_s)
                # After a time that the carrier named, too: it named the same to everybody.
                yield from sleep(min(bound, left_s - (named_s or 0)), jitter=True)
                attempt += 1

    return retrying_send


def _repeatable(error: ShipkitError, request: Request) -> bool:
    if error.reached_carrier is ReachedCarrier.NO and isinstance(error, (UnavailableError, RateLimitedError)):
        return False  # our own breaker or limit: it said how long, and the caller may have another account
    return request.replayable or isinstance(error, (NotSentError, RateLimitedError))
