"""The one adapter that knows httpx: sends a `Request` within its time, and proves what left this machine.

``reached_carrier = no`` is proved by the transport's trace: no request headers were started. In sync mode httpx counts
each read anew, so a dripping server would hold a call for many deadlines; a network backend of ours clamps every
connect, read and write to the time left. Name resolution is the one thing that it cannot cut short.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import httpcore
import httpx

from ..errors import DeadlineError, NotSentError, OutcomeUnknownError, ReplyError, ShipkitError
from ..flow import Headers, Request, Response, Transmit
from ..settings import Settings
from .clock import seconds, utc_now

__all__ = ["Sent", "SyncTransport", "failure_of", "prepared", "reply_of"]

_DEFAULT_HEADERS = [("User-Agent", "shipkit-sdk"), ("Accept-Encoding", "gzip, deflate")]


class Sent:
    """What one exchange's trace says: whether its first byte was about to leave, and was still allowed to."""

    def __init__(self, effect: Transmit) -> None:
        self._effect = effect
        self.started = False

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        # Through a proxy the event comes for the CONNECT as well; only the request's own bytes count.
        if not event.endswith("send_request_headers.started") or info["request"].method == b"CONNECT":
            return
        not_after = self._effect.not_after
        if not_after is not None and seconds() > not_after:
            raise NotSentError(f"{self._effect.request.name}: the send window was over, nothing left")
        self.started = True

    async def traced(self, event: str, info: dict[str, Any]) -> None:
        """The same for asyncio."""
        self(event, info)


def failure_of(effect: Transmit, sent: Sent, error: BaseException) -> ShipkitError:
    """Our error for one of httpx's: what it proves, never what its class suggests."""
    what = f"{effect.request.name}: {type(error).__name__}"
    if not sent.started:
        if seconds() >= effect.until:
            return DeadlineError(f"{what}: the deadline came before anything left")
        return NotSentError(f"{what}: nothing left this machine")
    return OutcomeUnknownError(f"{what}: it left and no whole answer came", since=utc_now())


def reply_of(effect: Transmit, reply: httpx.Response, content: bytes) -> Response:
    """*reply* as our value."""
    headers = Headers(reply.headers.multi_items())
    return Response(
        status=reply.status_code, headers=headers, content=content, request=effect.request, received_at=utc_now()
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
                # Less than the whole: a TLS handshake that asyncio cancels leaves its socket open (httpcore 1.0).
                "connect": min(max(left_s - 0.02, 0.001), settings.connect_timeout_s),
                "read": left_s,
                "write": left_s,
                "pool": left_s,
            },
        },
    )


def refuse_coding(effect: Transmit, reply: httpx.Response) -> None:
    """Refuse a body packed otherwise than we asked for: twice packed, a few bytes fill any memory before they count."""
    if reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity", "gzip", "deflate"):
        raise ReplyError(f"{effect.request.name}: a reply in a coding that was not asked for @ $", paths=("$",))


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
        self._pools: dict[tuple[bool, bool], _Pool] = {}

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
        try:
            with _ending(effect.until):
                reply = self._pool(effect.request).handle_request(prepared(effect, sent, left_s, self._settings))
                try:
                    refuse_coding(effect, reply)
                    content = b"".join(limited(reply.iter_bytes(), effect, self._settings.body_max_bytes))
                finally:
                    reply.close()
        except ShipkitError:
            raise
        except Exception as error:
            raise failure_of(effect, sent, error) from error
        return reply_of(effect, reply, content)

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, request: Request) -> _Pool:
        """The pool for *request*; the authorities that TLS trusts are read when an address first needs them."""
        key = (request.url[:6].lower() == "https:", request.replayable)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                keepalive_s = 30.0 if request.replayable else self._settings.purchase_idle_max_s
                pool = self._pools[key] = _Pool(self._tls if key[0] else None, keepalive_s=keepalive_s)
            return pool

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()


_ends = threading.local()


@contextmanager
def _ending(until: float) -> Iterator[None]:
    """HTTP/1.1 does its input and output in the caller's thread, so the call's end can lie in a thread-local."""
    _ends.until = until
    try:
        yield
    finally:
        _ends.until = None


def _clamped(timeout: float | None) -> float | None:
    until: float | None = getattr(_ends, "until", None)
    if until is None:
        return timeout
    left_s = until - seconds()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the call's deadline is over")
    return left_s if timeout is None else min(timeout, left_s)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _clamped(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _clamped(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _clamped(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError("the name has no address")
        # One address at a time: each would get the whole time anew.
        for address in dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)):
            limit_s = _clamped(timeout)
            try:
                return _Stream(self._inner.connect_tcp(address, port, limit_s, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes], close: Callable[[], None]) -> None:
        self._stream, self._close = stream, close

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._close()


class _Pool:
    """httpx's values over a pool with our network backend; only public API of either."""

    def __init__(self, context: ssl.SSLContext | None, *, keepalive_s: float) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=keepalive_s,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        reply = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        body = _Body(reply.iter_stream(), reply.close)
        return httpx.Response(reply.status, headers=reply.headers, stream=body, extensions=reply.extensions)

    def close(self) -> None:
        self._pool.close()
