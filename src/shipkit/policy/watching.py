"""What is told of an exchange and of a look, for those who watch; without them nothing stands around either."""

from __future__ import annotations

from typing import TypeVar

from ..errors import InDoubtError, ShipkitError
from ..flow import Request, Response, Run, Send, now
from .context import Context, next_number

__all__ = ["looked", "watched"]

T = TypeVar("T")


def watched(send: Send, context: Context) -> Send:
    """Tell of each exchange: what the carrier takes, not what we wait for."""

    def watched_send(request: Request) -> Run[Response]:
        number, name = next_number(), request.name
        yield context.began("request", id=number, request=name)
        began_at = yield from now()
        try:
            response = yield from send(request)
        except GeneratorExit:
            raise  # nobody is there to be told
        except BaseException as error:
            status, elapsed_s = getattr(error, "http_status", None), (yield from now()) - began_at
            told = _code(error)
            yield context.emit("request", id=number, request=name, status=status, error=told, elapsed_s=elapsed_s)
            raise
        elapsed_s = (yield from now()) - began_at
        yield context.emit("request", id=number, request=name, status=response.status, elapsed_s=elapsed_s)
        return response

    return watched_send if context.watch else send


def looked(run: Run[T | None], context: Context) -> Run[T | None]:
    """Tell how one look for a booking in doubt ended: ``found``, ``absent``, ``needs_person``, or as it was."""
    if not context.watch:
        return (yield from run)
    number = next_number()
    yield context.began("recovery", id=number)
    try:
        row = yield from run
    except GeneratorExit:
        raise
    except BaseException as error:
        person = isinstance(error, InDoubtError) and error.needs_person
        yield context.emit("recovery", id=number, error=_code(error), detail="needs_person" if person else "")
        raise
    yield context.emit("recovery", id=number, detail="absent" if row is None else "found")
    return row


def _code(error: BaseException) -> str:
    """The code of our error, else what ended it: a cancellation, mostly."""
    return (error.code or "carrier_error") if isinstance(error, ShipkitError) else type(error).__name__
