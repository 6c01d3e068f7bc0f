"""The adapter for asyncio: the same proofs, with a deadline that cancels."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec

import httpx

from ..errors import DeadlineError, ReplyError, ShipkitError
from ..flow import Response, Transmit
from ..settings import Settings
from .clock import seconds
from .transport import Sent, failure_of, prepared, refuse_coding, reply_of

__all__ = ["AsyncTransport"]


class AsyncTransport:
    """Connections of one client on one event loop: a pool for look-ups, one for purchases."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # What httpcore loads at its first connection would come out of a call's deadline, with the loop standing still.
        for module in ("anyio", "anyio._backends._asyncio"):
            if find_spec(module) is not None:
                import_module(module)
        context = httpx.create_ssl_context()
        self._lookups = _transport(context, keepalive_s=30.0)
        self._purchases = _transport(context, keepalive_s=settings.purchase_idle_max_s)

    async def send(self, effect: Transmit) -> Response:
        """Perform *effect*; raises like the transport for threads."""
        left_s = effect.until - seconds()
        if left_s <= 0:
            raise DeadlineError(f"{effect.request.name}: the deadline came before anything left")
        sent = Sent(effect)
        try:
            return await asyncio.wait_for(self._exchange(effect, sent, left_s), left_s)
        except ShipkitError:
            raise
        except Exception as error:
            raise failure_of(effect, sent, error) from error

    async def _exchange(self, effect: Transmit, sent: Sent, left_s: float) -> Response:
        pool = self._lookups if effect.request.replayable else self._purchases
        reply = await pool.handle_async_request(prepared(effect, sent.traced, left_s, self._settings))
        try:
            refuse_coding(effect, reply)
            total, chunks, limit = 0, [], self._settings.body_max_bytes
            async for chunk in reply.aiter_bytes():
                total += len(chunk)
                if total > limit:
                    raise ReplyError(f"{effect.request.name}: a reply of more than {limit} bytes @ $", paths=("$",))
                chunks.append(chunk)
        finally:
            await reply.aclose()
        return reply_of(effect, reply, b"".join(chunks))

    async def close(self) -> None:
        """Close every connection."""
        await self._lookups.aclose()
        await self._purchases.aclose()


def _transport(context: object, *, keepalive_s: float) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=keepalive_s)
    return httpx.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False)  # type: ignore[arg-type]
