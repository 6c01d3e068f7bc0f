"""Play one conversation by hand: the flow's requests on one side, the replies that a test wrote on the other."""

from __future__ import annotations

import inspect
import json
from collections.abc import Generator, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar, cast

import attrs

from shipkit.errors import ShipkitError
from shipkit.flow import Effect, Headers, Request, Response, Token, drive

__all__ = ["PLAYED_AT", "Played", "Reply", "play", "reply"]

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

PLAYED_AT: Final = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
"""When every played reply came in, unless a test says otherwise."""

_TOKEN: Final = Token(value="played-token")
_ENDLESS: Final = 200  # requests of one conversation


@attrs.frozen(kw_only=True)
class Reply:
    """What a carrier answers, before it is the answer to any request."""

    status: int
    headers: Headers = attrs.field(factory=Headers)
    content: bytes = attrs.field(default=b"", repr=False)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # Hypothesis's own signature
        # Hypothesis prints every field of a value, those kept out of its repr too: a label would fill the screen.
        printer.text(f"{self!r} of {len(self.content)} bytes")

    def to(self, request: Request, received_at: datetime = PLAYED_AT) -> Response:
        """This reply as the answer to *request*."""
        return Response(
            status=self.status,
            headers=self.headers,
            content=self.content,
            request=request,
            received_at=received_at,
        )


def reply(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """A reply of *status*: bytes and text go out as they are, anything else as JSON."""
    if isinstance(body, bytes):
        content, kind = body, ""
    elif isinstance(body, str):
        content, kind = body.encode(), "text/xml; charset=utf-8" if body.lstrip().startswith("<") else "text/plain"
    else:
        content, kind = json.dumps(body, default=_number).encode(), "application/json"
    fields = Headers(headers or {})
    return Reply(
        status=status,
        headers=fields.with_("Content-Type", kind) if kind and "content-type" not in fields else fields,
        content=content,
    )


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")


@attrs.frozen(kw_only=True)
class Played(Generic[T]):
    """A conversation that took place: what was sent, and how it ended."""

    requests: tuple[Request, ...]
    responses: tuple[Response, ...]
    error: BaseException | None = None
    result: T | None = None

    @property
    def methods(self) -> list[str]:
        """HTTP method of each request, in order."""
        return [request.method for request in self.requests]

    @property
    def urls(self) -> list[str]:
        """Address of each request, in order."""
        return [request.url for request in self.requests]

    @property
    def bodies(self) -> list[Any]:
        """Body of each request as JSON; None where it has none."""
        return [
            json.loads(request.content, parse_float=Decimal) if request.content else None for request in self.requests
        ]

    @property
    def value(self) -> T:
        """What the flow returned.

        Raises:
            BaseException: the error with which the flow ended instead.
        """
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # T itself may be None

    def raised(self, kind: type[E]) -> E:
        """The error with which it ended, which must be of *kind*."""
        if self.error is None:
            raise AssertionError(f"{kind.__name__} was expected, the flow returned {self.result!r}")
        if not isinstance(self.error, kind):
            raise AssertionError(f"{kind.__name__} was expected, {self.error!r} was raised") from self.error
        return self.error


def play(
    flow: Generator[Request, Response, T],
    *replies: Reply | BaseException,
    carrier: Any = None,
    token: Token = _TOKEN,
    received_at: datetime = PLAYED_AT,
    spare: Reply | None = None,
) -> Played[T]:
    """Run *flow* against *replies*, one for each request; an exception among them is raised at the ``yield``.

    Each request is numbered and signed, and each reply checked, by *carrier*, as the driver does it. Left out, the
    carrier is the one whose method *flow* is. A flow that asks for more than it is given fails the test, and so does
    one that returns before every reply is used; unless there is a *spare* reply, for whatever else it asks.
    """
    carrier = carrier or inspect.getgeneratorlocals(flow).get("self")
    stage = _Stage(carrier=carrier, token=token, received_at=received_at, waiting=list(replies), spare=spare)
    run = drive(flow, stage.send)
    try:
        next(run)
    except StopIteration as stop:
        if stage.waiting and spare is None:
            raise AssertionError(f"{len(stage.waiting)} replies were not asked for") from None
        return Played(requests=tuple(stage.requests), responses=tuple(stage.responses), result=stop.value)
    except ShipkitError as error:
        return Played(requests=tuple(stage.requests), responses=tuple(stage.responses), error=error)
    raise AssertionError("a flow yields requests only")


@attrs.define(kw_only=True)
class _Stage:
    """The driver's part: it numbers, signs, answers and checks."""

    carrier: Any
    token: Token
    received_at: datetime
    waiting: list[Reply | BaseException]
    spare: Reply | None
    requests: list[Request] = attrs.Factory(list)
    responses: list[Response] = attrs.Factory(list)

    def send(self, request: Request) -> Generator[Effect, Any, Response]:
        request = self._signed(attrs.evolve(_as_request(request), id=f"played-{len(self.requests) + 1}"))
        self.requests.append(request)
        if len(self.requests) > _ENDLESS:
            raise AssertionError(f"the flow asks without end, last for {request.name}")
        answer = self.waiting.pop(0) if self.waiting else self.spare
        if answer is None:
            raise AssertionError(f"no reply left for {request.method} {request.url} ({request.name})")
        if isinstance(answer, BaseException):
            raise answer
        response = answer.to(request, self.received_at)
        self.responses.append(response)
        check = getattr(self.carrier, "check", None)
        if check is not None:
            check(response)
        yield from ()  # the driver's sends are generators; this one has nothing to wait for
        return response

    def _signed(self, request: Request) -> Request:
        if not request.signed:
            return request
        if hasattr(self.carrier, "authorize"):
            return cast(Request, self.carrier.authorize(request, self.token))
        if hasattr(self.carrier, "sign"):
            return cast(Request, self.carrier.sign(request))
        return request


def _as_request(yielded: object) -> Request:
    if not isinstance(yielded, Request):
        raise AssertionError(f"the flow yielded {type(yielded).__name__}, not a request")
    return yielded
