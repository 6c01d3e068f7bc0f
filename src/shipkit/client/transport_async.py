"""The adapter for asyncio: the same proofs, with a deadline that cancels."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec

import httpcore
import httpx
from anyio import fail_after

from ..errors import DeadlineError, ReplyError, ShipkitError
from ..flow import Request, Response, Transmit
from ..settings import Settings
from .clock import seconds
from .network import EXCHANGE
from .network_async import AsyncBackend
from .proxies import Proxy, proxy_for
from .transport import Sent, addressed, failure_of, prepared, refuse_answer, reply_of, trusted

__all__ = ["AsyncTransport"]


class AsyncTransport:
    """Connections of one client on one event loop: a pool for look-ups, one for purchases."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pools: dict[tuple[bool, bool, Proxy | None], _Pool] = {}
        # What httpcore loads at its first connection would come out of a call's deadline, with the loop standing still.
        for module in ("anyio", "anyio._backends._asyncio"):
            if find_spec(module) is not None:
                import_module(module)

    async def send(self, effect: Transmit) -> Response:
        """Perform *effect*; raises like the transport for threads."""
        sent = Sent(effect)
        left_s = effect.until - seconds()
        if left_s <= 0:
            raise DeadlineError(f"{effect.request.name}: the deadline came before anything left")
        token = EXCHANGE.set(sent)
        try:
            with fail_after(left_s):
                return await self._exchange(effect, sent, left_s)
        except ShipkitError:
            raise
        except Exception as error:
            raise failure_of(effect, sent, error) from error
        finally:
            EXCHANGE.reset(token)

    async def _exchange(self, effect: Transmit, sent: Sent, left_s: float) -> Response:
        proxy = proxy_for(effect.proxy or self._settings.proxy, effect.request.url)
        pool = self._pool(effect.request, proxy)
        reply = await pool.handle_request(prepared(effect, sent.traced, left_s, self._settings))
        try:
            refuse_answer(effect, reply, proxy)
            total, chunks, limit = 0, [], self._settings.body_max_bytes
            async for chunk in reply.aiter_bytes():
                total += len(chunk)
                if total > limit:
                    raise ReplyError(f"{effect.request.name}: a reply of more than {limit} bytes @ $", paths=("$",))
                chunks.append(chunk)
        finally:
            await reply.aclose()
        return reply_of(effect, reply.status_code, reply.headers.multi_items(), b"".join(chunks))

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.close()

    def _pool(self, request: Request, proxy: Proxy | None) -> _Pool:
        key = (request.url[:6].lower() == "https:", request.replayable, proxy)
        pool = self._pools.get(key)
        if pool is None:
            keepalive_s = 30.0 if request.replayable else self._settings.purchase_idle_max_s
            pool = self._pools[key] = _Pool(self._tls if key[0] else None, proxy, keepalive_s=keepalive_s)
        return pool

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return trusted(self._settings)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes], close: Callable[[], Awaitable[None]]) -> None:
        self._stream, self._close = stream, close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        await self._close()


class _Pool:
    """The same as for threads."""

    def __init__(self, context: ssl.SSLContext | None, proxy: Proxy | None, *, keepalive_s: float) -> None:
        self._proxy = proxy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=keepalive_s,
            network_backend=AsyncBackend(proxy if context is not None else None),
        )

    async def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._pool.handle_async_request(addressed(request, self._proxy))
        body = _Body(reply.aiter_stream(), reply.aclose)
        return httpx.Response(reply.status, headers=reply.headers, stream=body, extensions=reply.extensions)

    async def close(self) -> None:
        await self._pool.aclose()
