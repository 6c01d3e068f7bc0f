"""Repeating what may be repeated: jittered, after ``Retry-After``, never past the deadline."""

from __future__ import annotations

from ..errors import NotSentError, OutcomeUnknownError, RateLimitedError, ReachedCarrier, ShipkitError, UnavailableError
from ..flow import Request, Response, Run, Send, now, sleep
from .context import Context

__all__ = ["retrying"]


def retrying(send: Send, context: Context) -> Send:
    """Send a replayable request up to ``attempts`` times; a purchase again only if surely nothing came of it."""
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
                wait_s = float(error.retry_after_s) if error.retry_after_s is not None else bound
                ends_at = context.until if request.replayable or context.not_after is None else context.not_after
                if (yield from now()) + wait_s >= min(ends_at, context.until):
                    raise
                yield context.emit("retry", request=request.name, error=error.code, detail=str(attempt))
                yield from sleep(wait_s, jitter=error.retry_after_s is None)
                attempt += 1

    return retrying_send


def _repeatable(error: ShipkitError, request: Request) -> bool:
    if error.reached_carrier is ReachedCarrier.NO and isinstance(error, (UnavailableError, RateLimitedError)):
        return False  # our own breaker or limit: it said how long, and the caller may have another account
    return request.replayable or isinstance(error, (NotSentError, RateLimitedError))
