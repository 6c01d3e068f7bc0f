"""The sockets under httpx's client: each connect, read and write within the time of the exchange that it serves.

httpx counts each read anew, so a dripping server, or proxy, would hold a call for many deadlines. Until the request's
own first byte leaves, the time to open a connection counts as well: names, proxy and TLS together. Tunnels through a
proxy are opened here, below httpx, which then knows of a plain connection only. Name resolution in threads is the one
thing that cannot be cut short.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Protocol

import httpcore

from .clock import seconds
from .proxies import Proxy, opening

__all__ = ["EXCHANGE", "Backend", "Exchange", "clamped", "opening_until"]

_CHUNK = 16_384  # a reader that takes a little now and then gets one chunk's time, not the whole body's anew


class Exchange(Protocol):
    """What the sockets want to know of the exchange that they serve."""

    @property
    def until(self) -> float: ...

    @property
    def started(self) -> bool: ...


EXCHANGE: ContextVar[Exchange | None] = ContextVar("shipkit_exchange", default=None)


def clamped(timeout: float | None, opened_by: float | None = None) -> float | None:
    """What is left of *timeout*, of the exchange, and of the time to open its connection until the request began."""
    exchange = EXCHANGE.get()
    if exchange is None:
        return timeout
    until = exchange.until
    if opened_by is not None and not exchange.started:
        until = min(until, opened_by)
    left_s = until - seconds()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the call's deadline is over")
    return left_s if timeout is None else min(timeout, left_s)


def opening_until(timeout: float | None) -> float | None:
    """When the time to open a connection is over."""
    return None if timeout is None else seconds() + timeout


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, opening_until: float | None) -> None:
        self._inner, self._opening_until = inner, opening_until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, clamped(timeout, self._opening_until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _CHUNK):
            self._inner.write(buffer[at : at + _CHUNK], clamped(timeout, self._opening_until))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            limit_s = clamped(timeout, self._opening_until)
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit_s), self._opening_until)
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


class Backend(httpcore.NetworkBackend):
    """Connections of threads; with *proxy*, tunnels through it."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._inner = httpcore.SyncBackend()
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        until, proxy = opening_until(timeout), self._proxy
        if proxy is None:
            return self._connected(host, port, until, local_address, socket_options)
        stream = self._connected(proxy.host, proxy.port, until, local_address, socket_options)
        try:
            _tunnel(stream, proxy, host, port)
        except BaseException:
            stream.close()
            raise
        return stream

    def _connected(
        self, host: str, port: int, until: float | None, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError("the name has no address")
        # One address at a time: each would get the whole time anew.
        for address in dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)):
            limit_s = clamped(None, until)
            try:
                return _Stream(self._inner.connect_tcp(address, port, limit_s, local_address, options), until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


def _tunnel(stream: httpcore.NetworkStream, proxy: Proxy, host: str, port: int) -> None:
    steps = opening(proxy, host, port)
    stream.write(next(steps))
    while True:
        try:
            steps.send(stream.read(4096))
        except StopIteration:
            return
