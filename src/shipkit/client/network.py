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

__all__ = ["EXCHANGE", "AsyncBackend", "Backend", "Exchange"]

_CHUNK = 16_384  # a reader that takes a little now and then gets one chunk's time, not the whole body's anew


class Exchange(Protocol):
    """What the sockets want to know of the exchange that they serve."""

    @property
    def until(self) -> float: ...

    @property
    def started(self) -> bool: ...


EXCHANGE: ContextVar[Exchange | None] = ContextVar("shipkit_exchange", default=None)


def _clamped(timeout: float | None, opening_until: float | None = None) -> float | None:
    exchange = EXCHANGE.get()
    if exchange is None:
        return timeout
    until = exchange.until
    if opening_until is not None and not exchange.started:
        until = min(until, opening_until)
    left_s = until - seconds()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the call's deadline is over")
    return left_s if timeout is None else min(timeout, left_s)


def _opening_until(timeout: float | None) -> float | None:
    return None if timeout is None else seconds() + timeout


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, opening_until: float | None) -> None:
        self._inner, self._opening_until = inner, opening_until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _clamped(timeout, self._opening_until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _CHUNK):
            self._inner.write(buffer[at : at + _CHUNK], _clamped(timeout, self._opening_until))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            limit_s = _clamped(timeout, self._opening_until)
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
        until, proxy = _opening_until(timeout), self._proxy
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
            limit_s = _clamped(None, until)
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


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream, opening_until: float | None) -> None:
        self._inner, self._opening_until = inner, opening_until

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, _clamped(timeout, self._opening_until))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, _clamped(timeout, self._opening_until))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            limit_s = _clamped(timeout, self._opening_until)
            return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, limit_s), self._opening_until)
        except BaseException:  # httpcore 1.0 leaves the socket of a cancelled handshake open
            await _closed(self._inner)
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _closed(stream: httpcore.AsyncNetworkStream) -> None:
    """Close *stream* though the task may be cancelled."""
    from anyio import CancelScope

    with CancelScope(shield=True):
        await stream.aclose()


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """The same for asyncio."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._inner: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        until, proxy = _opening_until(timeout), self._proxy
        to = (host, port) if proxy is None else (proxy.host, proxy.port)
        inner = await self._inner.connect_tcp(*to, _clamped(None, until), local_address, socket_options)
        stream = _AsyncStream(inner, until)
        if proxy is None:
            return stream
        try:
            steps = opening(proxy, host, port)
            await stream.write(next(steps))
            while True:
                try:
                    steps.send(await stream.read(4096))
                except StopIteration:
                    return stream
        except BaseException:
            await _closed(stream)
            raise
