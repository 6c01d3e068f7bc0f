"""The same sockets for asyncio; a room of its own, so that threads never load asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Iterable
from typing import Any, cast

import httpcore
from anyio import CancelScope

from .network import clamped, opening_until
from .proxies import Proxy, opening

__all__ = ["AsyncBackend"]


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream, opening_until: float | None) -> None:
        self._inner, self._opening_until = inner, opening_until

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, clamped(timeout, self._opening_until))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, clamped(timeout, self._opening_until))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            limit_s = clamped(timeout, self._opening_until)
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
    with CancelScope(shield=True):
        await stream.aclose()


async def _connected(connecting: Coroutine[Any, Any, httpcore.AsyncNetworkStream]) -> httpcore.AsyncNetworkStream:
    """The connection, in a task of its own: on Python 3.10 anyio swallows a cancellation that comes as one stands."""
    task = asyncio.get_running_loop().create_task(connecting)
    try:
        return await asyncio.shield(task)
    except BaseException:
        with CancelScope(shield=True):
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is None:
                await task.result().aclose()
        raise


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Connections of tasks; with *proxy*, tunnels through it."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        until, proxy = opening_until(timeout), self._proxy
        to = (host, port) if proxy is None else (proxy.host, proxy.port)
        connecting = self._inner.connect_tcp(*to, clamped(None, until), local_address, socket_options)
        stream = _AsyncStream(await _connected(connecting), until)
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
