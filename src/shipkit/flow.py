"""A carrier operation is a generator; here is what it yields, what it is sent, and what drives it.

Two worlds, two types. An author's `Flow` yields a `Request`, is sent the `Response` and returns a canonical value.
The driver's `Run` yields effects, which a client performs with threads or with asyncio. `drive` turns one into the
other; nothing here opens a socket, reads a clock or draws a number.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final, ParamSpec, TypeVar, cast
from urllib.parse import quote, quote_plus, urlencode

import attrs

from .errors import InputError, PluginError, ReplyError, ShipkitError

__all__ = [
    "Call",
    "Done",
    "Effect",
    "Emit",
    "Flow",
    "Fork",
    "Headers",
    "Now",
    "Request",
    "Response",
    "Run",
    "Send",
    "Sleep",
    "Token",
    "Transmit",
    "Wait",
    "call",
    "drive",
    "foreign",
    "now",
    "path_segment",
    "secret",
    "sleep",
]

T = TypeVar("T")
P = ParamSpec("P")

# Values of these headers show, and of no other: any may carry a key, and the carrier decides on its name.
_SHOWN_HEADERS: Final = frozenset({"accept", "content-length", "content-type", "date", "retry-after", "soapaction"})


def secret() -> Any:
    """A field of an account that is never shown, stored or pickled."""
    return attrs.field(repr=False, metadata={"secret": True})


def path_segment(text: str) -> str:
    """*text* as one segment of a URL's path: a slash or a question mark in a carrier's number stays inside it.

    Raises:
        InputError: *text* is empty or one of the two names that lead elsewhere.
    """
    if text in ("", ".", ".."):
        raise InputError(f"{text!r} cannot stand in an address")
    return quote(text, safe="", errors="replace")


class Headers(Mapping[str, str]):
    """Header fields: any case finds them, equal when their values are; the repr shows the harmless ones."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = cast("Iterable[tuple[str, str]]", items.items() if isinstance(items, Mapping) else items)
        self._items: dict[str, tuple[str, str]] = {name.lower(): (name, value) for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._items.values()])

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return {k: v for k, (_, v) in self._items.items()} == {k: v for k, (_, v) in other._items.items()}

    def __hash__(self) -> int:
        return hash(frozenset((k, v) for k, (_, v) in self._items.items()))

    def __repr__(self) -> str:
        shown = {n: v if low in _SHOWN_HEADERS else "***" for low, (n, v) in self._items.items()}
        return f"Headers({shown!r})"

    def pairs(self) -> list[tuple[str, str]]:
        """Name and value of each field, as a transport wants them."""
        return list(self._items.values())

    def with_(self, name: str, value: str) -> Headers:
        """These headers with *name* set to *value*."""
        return self.with_all({name: value})

    def with_all(self, fields: Mapping[str, str]) -> Headers:
        """These headers with each of *fields* set."""
        changed = Headers()
        changed._items = {**self._items, **{name.lower(): (name, value) for name, value in fields.items()}}
        return changed


_NO_HEADERS: Final = Headers()


def _headers(items: Mapping[str, str] | None, content_type: str = "") -> Headers:
    if not items:
        return _of_type(content_type) if content_type else _NO_HEADERS
    headers = Headers(items)
    return headers.with_("Content-Type", content_type) if content_type and "content-type" not in headers else headers


@cache
def _of_type(content_type: str) -> Headers:
    return Headers({"Content-Type": content_type})


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        # Exact: repr() of a float gives back any decimal of up to 15 digits, and carriers' measures have fewer.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")


_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_number
).encode


@attrs.frozen(kw_only=True)
class Request:
    """One HTTP request as a plugin builds it; compared by value, its content never shown.

    ``replayable`` says that sending it twice does no harm. Leaving it out marks the flow's purchase. ``signed`` has it
    pass through the carrier's ``authorize`` or ``sign``. ``name`` is a label of low cardinality for logs and spans.
    ``id`` is unique per request and stamped by the driver, for carriers that want such a number.
    """

    method: str
    url: str
    headers: Headers = _NO_HEADERS
    content: bytes = attrs.field(default=b"", repr=False)
    replayable: bool = False
    signed: bool = True
    name: str
    id: str = attrs.field(default="", eq=False)

    @classmethod
    def json(
        cls,
        method: str,
        url: str,
        payload: object,
        *,
        name: str,
        replayable: bool = False,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Request:
        """A request with a JSON body; a `Decimal` becomes a JSON number, exactly."""
        return cls(
            method=method,
            url=_with_params(url, params),
            headers=_headers(headers, "application/json"),
            content=_encode(payload).encode(),
            replayable=replayable,
            signed=signed,
            name=name,
        )

    @classmethod
    def form(
        cls,
        url: str,
        fields: Mapping[str, str],
        *,
        name: str,
        replayable: bool = False,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A POST of form fields."""
        return cls(
            method="POST",
            url=url,
            headers=_headers(headers, "application/x-www-form-urlencoded"),
            content=urlencode(fields).encode(),
            replayable=replayable,
            signed=signed,
            name=name,
        )

    @classmethod
    def xml(
        cls,
        url: str,
        content: bytes,
        *,
        name: str,
        replayable: bool = False,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A POST of an XML document."""
        return cls(
            method="POST",
            url=url,
            headers=_headers(headers, "text/xml; charset=utf-8"),
            content=content,
            replayable=replayable,
            signed=signed,
            name=name,
        )

    @classmethod
    def get(
        cls,
        url: str,
        *,
        name: str,
        replayable: bool = True,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Request:
        """A look-up: without harm as often as you like, unless the carrier makes purchases with GET."""
        return cls(
            method="GET",
            url=_with_params(url, params),
            headers=_headers(headers),
            replayable=replayable,
            signed=signed,
            name=name,
        )

    @classmethod
    def delete(
        cls,
        url: str,
        *,
        name: str,
        replayable: bool = False,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Request:
        """A DELETE; what it undoes is undone once, so mostly it says ``replayable=True``."""
        return cls(
            method="DELETE",
            url=_with_params(url, params),
            headers=_headers(headers),
            replayable=replayable,
            signed=signed,
            name=name,
        )

    def with_header(self, name: str, value: str) -> Request:
        """The same request with one more header field."""
        return self.with_headers({name: value})

    def with_headers(self, fields: Mapping[str, str]) -> Request:
        """The same request with further header fields."""
        return self._changed(self.headers.with_all(fields), self.id)

    def with_id(self, id: str) -> Request:  # noqa: A002
        """The same request under a number of its own."""
        return self._changed(self.headers, id)

    def _changed(self, headers: Headers, id: str) -> Request:  # noqa: A002
        return Request(
            method=self.method,
            url=self.url,
            headers=headers,
            content=self.content,
            replayable=self.replayable,
            signed=self.signed,
            name=self.name,
            id=id,
        )


def _with_params(url: str, params: Mapping[str, str] | None) -> str:
    if not params:
        return url
    pairs = [f"{_quoted(str(name))}={_quoted(str(value))}" for name, value in params.items()]
    return f"{url}?{'&'.join(pairs)}"


_is_plain: Final = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch


def _quoted(text: str) -> str:
    return text if _is_plain(text) else quote_plus(text)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON number")


def _mended(data: Any) -> Any:
    match data:
        case str():
            return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(item) for item in data]
        case dict():
            return {_mended(name): _mended(item) for name, item in data.items()}
    return data


_decode: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse).decode


@attrs.frozen(kw_only=True, slots=False)  # slots would leave no room for the parsed body
class Response:
    """One HTTP reply: the request it answers, and when it came in (aware UTC, stamped by the driver)."""

    status: int
    headers: Headers = _NO_HEADERS
    content: bytes = attrs.field(default=b"", repr=False)
    request: Request = attrs.field(repr=False)
    received_at: datetime

    def json(self) -> Any:
        """The body as JSON, parsed once; numbers with a point are `Decimal`.

        Raises:
            ReplyError: it is not JSON, or nested deeper than the parser goes.
        """
        known = self.__dict__
        if "_json" not in known:
            known["_json"] = self._parsed()
        return known["_json"]

    def _parsed(self) -> Any:
        content = self.content
        try:
            data = _decode((content[3:] if content.startswith(BOM_UTF8) else content).decode())
            # Half a surrogate pair is legal JSON and no text that anybody could store or send on. One byte is found
            # at once; two or three take longer to look for in a label than its JSON to parse.
            escaped = b"\\" in content and (b"\\ud" in content or b"\\uD" in content)
            return _mended(data) if escaped else data
        except (ValueError, RecursionError) as error:
            kind = "empty" if not content.strip() else "not JSON"
            raise ReplyError.of(self, message=f"the body is {kind} @ $", paths=("$",)) from error

    @property
    def text(self) -> str:
        """The body as text, in the charset that the header names, else UTF-8; what does not fit is replaced."""
        charset = self.headers.get("content-type", "").partition("charset=")[2].split(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except (LookupError, ValueError):  # some codecs are no charsets, and say so in their own ways
            return self.content.decode("utf-8", "replace")

    @property
    def retry_after_s(self) -> int | None:
        """``Retry-After`` in seconds; a date counts from the reply's own ``Date``, so no clock is needed."""
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return None
        if value.isascii() and value.isdigit():
            return int(value[:9])
        from email.utils import parsedate_to_datetime  # loads much, and is rarely needed

        try:
            until = parsedate_to_datetime(value)
            sent = parsedate_to_datetime(self.headers["date"]) if "date" in self.headers else self.received_at
            return max(0, int((until - sent).total_seconds()))
        except (ValueError, TypeError, OverflowError, IndexError):
            return None


@attrs.frozen(kw_only=True)
class Token:
    """A carrier's access token, and until when it says that it holds.

    ``refresh_token`` is what the carrier takes for the next one, where it gives such a thing out (`Refreshes`).
    """

    value: str = attrs.field(repr=False)
    expires_at: datetime | None = None
    refresh_token: str = attrs.field(default="", repr=False)


# Effects are made, performed and thrown away: nobody compares them, and none is kept that could be changed.


@attrs.define(kw_only=True, eq=False)
class Transmit:
    """Send *request*; give up at ``until``; do not let its first byte leave after ``not_after`` (runner's seconds).

    ``proxy`` is the account's own; empty leaves it to the settings. ``left`` is False where whoever performs it knows
    that nothing did: what interrupts it then proves as much as what fails.
    """

    request: Request
    until: float
    not_after: float | None = None
    proxy: str = attrs.field(default="", repr=False)
    left: bool = True


@attrs.define(kw_only=True, eq=False)
class Sleep:
    """Wait. With ``jitter`` the runner draws the length between 0 and ``seconds``."""

    seconds: float
    jitter: bool = False


@attrs.define(eq=False)
class Now:
    """Ask for the runner's seconds: they rise while the machine is suspended and never go back."""


@attrs.define(kw_only=True, eq=False)
class Call:
    """Call a port. One that blocks runs on a thread of its own under asyncio."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    blocking: bool = True


@attrs.define(kw_only=True, eq=False)
class Wait:
    """Wait until somebody calls what is given to ``listen``, or until ``until`` (runner's seconds).

    It may be called from any thread, once, and at once.
    """

    listen: Callable[[Callable[[], None]], None]
    until: float


@attrs.define(kw_only=True, eq=False)
class Emit:
    """Tell those who observe: log, telemetry, ``shipkit_observe``; of a beginning, only those who asked for it.

    Without an ``event`` there is nobody to tell.
    """

    event: Any
    began: bool = False


@attrs.define(eq=False)
class Fork:
    """Do several things at once, at most ``at_once`` of them; the answer is one `Done` for each, in order."""

    runs: tuple[Run[Any], ...]
    at_once: int = 32


@attrs.frozen
class Done:
    """How one of several things ended: with a value, or with one of our errors."""

    value: Any = None
    error: ShipkitError | None = None


Flow = Generator[Request, Response, T]
Effect = Transmit | Sleep | Now | Call | Wait | Emit | Fork
Run = Generator[Effect, Any, T]
Send = Callable[[Request], Run[Response]]

_NOW: Final = Now()


def now() -> Run[float]:
    """The runner's seconds."""
    value: float = yield _NOW
    return value


def sleep(seconds: float, *, jitter: bool = False) -> Run[None]:
    """Wait for *seconds*."""
    yield Sleep(seconds=seconds, jitter=jitter)


def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Run[T]:
    """Call a method of a port; whether it blocks is said by its owner's ``blocking``."""
    blocking = getattr(getattr(function, "__self__", None), "blocking", True)
    value: T = yield Call(function=partial(function, **kwargs) if kwargs else function, args=args, blocking=blocking)
    return value


def drive(flow: Flow[T], send: Send) -> Run[T]:
    """Run an author's flow over *send*: the only place where a `Flow` becomes a `Run`.

    A failure arrives in the flow at its ``yield``. What a flow raises beyond `ShipkitError` becomes a `ReplyError` when
    a reply was read last, else a `PluginError`.
    """
    response: Response | None = None
    failed: BaseException | None = None
    try:
        while True:
            try:
                if failed is not None:
                    request = flow.throw(failed)
                else:
                    request = next(flow) if response is None else flow.send(response)
            except StopIteration as stop:
                value: T = stop.value
                return value
            except ShipkitError:
                raise
            except Exception as error:
                if error is failed:
                    raise
                raise _broken(error, response if failed is None else None) from foreign(error)
            try:
                response, failed = (yield from send(request)), None
            except GeneratorExit:
                raise
            except BaseException as error:
                failed = error
    finally:
        if isinstance(flow, Generator):
            flow.close()


def _broken(error: Exception, response: Response | None) -> ShipkitError:
    if response is None:
        return PluginError(f"the plugin raised {type(error).__name__} while it built a request")
    return ReplyError.of(response, message=f"the plugin raised {type(error).__name__} on the reply @ $", paths=("$",))


def foreign(error: BaseException) -> BaseException:
    """*error* as a cause that may be printed: where it was raised, without its text, which may hold anybody's data."""
    return _ForeignError(type(error).__name__).with_traceback(error.__traceback__)


class _ForeignError(Exception):
    """Something that is not ours, known by its class."""
