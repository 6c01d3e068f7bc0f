"""The one adapter that knows httpx: sends a `Request` within its time, and proves what left this machine.

``reached_carrier = no`` is proved by the transport's trace: no headers of the request were started, whatever a proxy
was asked before. Everything after that is ``maybe`` until a whole answer was read.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import httpcore
import httpx

from ..errors import DeadlineError, NotSentError, OutcomeUnknownError, ReplyError, ShipkitError
from ..flow import Headers, Request, Response, Transmit
from ..settings import Settings
from .clock import seconds, utc_now
from .network import EXCHANGE, Backend
from .proxies import Proxy, proxy_for

__all__ = [
    "Sent",
    "SyncTransport",
    "addressed",
    "failure_of",
    "limited",
    "prepared",
    "refuse_answer",
    "reply_of",
    "trusted",
]

_DEFAULT_HEADERS = [("User-Agent", "shipkit-sdk"), ("Accept-Encoding", "gzip, deflate")]
# A proxy that forwards plain HTTP answers like this in its own name, and nobody can tell it from the carrier's.
_OF_NOBODY = (407, 502, 503, 504)


class Sent:
    """What one exchange's trace says: whether its first byte was about to leave, and was still allowed to."""

    def __init__(self, effect: Transmit) -> None:
        self._effect = effect
        self.until = effect.until
        effect.left = False

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        if not event.endswith("send_request_headers.started"):
            return
        not_after = self._effect.not_after
        if not_after is not None and seconds() > not_after:
            raise NotSentError(f"{self._effect.request.name}: the send window was over, nothing left")
        self._effect.left = True

    @property
    def started(self) -> bool:
        """Whether the first byte of the request left, or was about to."""
        return self._effect.left

    async def traced(self, event: str, info: dict[str, Any]) -> None:
        """The same for asyncio."""
        self(event, info)


def failure_of(effect: Transmit, sent: Sent, error: BaseException) -> ShipkitError:
    """Our error for one of httpx's: what it proves, never what its class suggests."""
    what = f"{effect.request.name}: {type(error).__name__}{_reason(error)}"
    if not sent.started:
        if seconds() >= effect.until:
            return DeadlineError(f"{what}: the deadline came before anything left")
        return NotSentError(f"{what}: nothing left this machine")
    return OutcomeUnknownError(f"{what}: it left and no whole answer came", since=utc_now())


def _reason(error: BaseException) -> str:
    """What an administrator can act on, and nobody else's words."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, httpcore.ProxyError):
        return f" ({error})"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f" ({cause.verify_message})"
    return ""


def reply_of(effect: Transmit, status: int, headers: list[tuple[str, str]], content: bytes) -> Response:
    """A reply as our value."""
    return Response(
        status=status, headers=Headers(headers), content=content, request=effect.request, received_at=utc_now()
    )


def prepared(effect: Transmit, trace: Any, left_s: float, settings: Settings) -> httpx.Request:
    """The request as httpx wants it; no client of httpx's stands between, so no cookie and no netrc gets in."""
    request = effect.request
    return httpx.Request(
        request.method,
        request.url,
        headers=[*_DEFAULT_HEADERS, *request.headers.pairs()],
        content=request.content or None,
        extensions={
            "trace": trace,
            "timeout": {
                "connect": min(left_s, settings.connect_timeout_s),
                "read": left_s,
                "write": left_s,
                "pool": left_s,
            },
        },
    )


def addressed(request: httpx.Request, proxy: Proxy | None) -> httpcore.Request:
    """*request* as httpcore wants it; plain HTTP goes to *proxy* with its whole address (RFC 9112, 3.2.2)."""
    url, headers = request.url, request.headers.raw
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    if proxy is not None and url.scheme == "http":
        whole = bytes(target)
        target = httpcore.URL(scheme=b"http", host=proxy.host.encode("ascii"), port=proxy.port, target=whole)
        headers = [*headers, *proxy.headers]
    return httpcore.Request(
        method=request.method, url=target, headers=headers, content=request.stream, extensions=request.extensions
    )


def trusted(settings: Settings) -> ssl.SSLContext:
    """What TLS trusts; SSL_CERT_FILE and SSL_CERT_DIR count as they do for every program that uses OpenSSL."""
    if settings.ca_file:
        return ssl.create_default_context(cafile=settings.ca_file)
    return httpx.create_ssl_context()


def refuse_answer(effect: Transmit, reply: httpx.Response, proxy: Proxy | None) -> None:
    """Refuse what is no answer of the carrier's, and a body packed otherwise than we asked for.

    Twice packed, a few bytes fill any memory before they count.
    """
    name, status = effect.request.name, reply.status_code
    if status in _OF_NOBODY and proxy is not None and effect.request.url[:5].lower() == "http:":
        raise OutcomeUnknownError(f"{name}: {status}, of the proxy or of the carrier", since=utc_now())
    if reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity", "gzip", "deflate"):
        raise ReplyError(f"{name}: a reply in a coding that was not asked for @ $", paths=("$",))


def limited(chunks: Iterable[bytes], effect: Transmit, limit: int) -> Iterator[bytes]:
    """*chunks* until they are more than *limit* bytes."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise ReplyError(f"{effect.request.name}: a reply of more than {limit} bytes @ $", paths=("$",))
        yield chunk


class SyncTransport:
    """Connections of one client for threads: a pool for look-ups, and one for purchases that keeps nothing idle."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pools: dict[tuple[bool, bool, Proxy | None], _Pool] = {}

    def send(self, effect: Transmit) -> Response:
        """Perform *effect*.

        Raises:
            NotSentError, DeadlineError: nothing left this machine.
            OutcomeUnknownError: it left and no whole answer came within the time.
        """
        sent = Sent(effect)
        left_s = effect.until - seconds()
        if left_s <= 0:
            raise DeadlineError(f"{effect.request.name}: the deadline came before anything left")
        token = EXCHANGE.set(sent)
        try:
            return self._exchanged(effect, sent, left_s)
        except ShipkitError:
            raise
        except Exception as error:
            raise failure_of(effect, sent, error) from error
        finally:
            EXCHANGE.reset(token)

    def _exchanged(self, effect: Transmit, sent: Sent, left_s: float) -> Response:
        proxy = proxy_for(effect.proxy or self._settings.proxy, effect.request.url)
        pool = self._pool(effect.request, proxy)
        reply = pool.handle_request(prepared(effect, sent, left_s, self._settings))
        try:
            refuse_answer(effect, reply, proxy)
            content = b"".join(limited(reply.iter_bytes(), effect, self._settings.body_max_bytes))
        finally:
            reply.close()
        return reply_of(effect, reply.status_code, reply.headers.multi_items(), content)

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, request: Request, proxy: Proxy | None) -> _Pool:
        """The pool for *request*; the authorities that TLS trusts are read when an address first needs them."""
        key = (request.url[:6].lower() == "https:", request.replayable, proxy)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                keepalive_s = 30.0 if request.replayable else self._settings.purchase_idle_max_s
                pool = self._pools[key] = _Pool(self._tls if key[0] else None, proxy, keepalive_s=keepalive_s)
            return pool

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return trusted(self._settings)


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes], close: Callable[[], None]) -> None:
        self._stream, self._close = stream, close

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._close()


class _Pool:
    """httpx's values over a pool with our network backend; only public API of either."""

    def __init__(self, context: ssl.SSLContext | None, proxy: Proxy | None, *, keepalive_s: float) -> None:
        self._proxy = proxy
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=keepalive_s,
            # Plain HTTP goes to the proxy as to a server.
            network_backend=Backend(proxy if context is not None else None),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = self._pool.handle_request(addressed(request, self._proxy))
        body = _Body(reply.iter_stream(), reply.close)
        return httpx.Response(reply.status, headers=reply.headers, stream=body, extensions=reply.extensions)

    def close(self) -> None:
        self._pool.close()
