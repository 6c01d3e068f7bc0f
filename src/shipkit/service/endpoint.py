"""Where carriers push to: one ASGI callable, of the standard library alone.

A push is answered 2xx when the store has it on its disk, and not before. What a stranger sends is answered below 500,
unless it is too much at once: that is declared, by 429 or 503 with ``Retry-After``.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

from ..client.events.answering import PREFIX, Addresses, Answer, Limits, accepted, before_body, problem
from ..client.events.entrance import Entrance
from ..errors import ShipkitError
from ..model import DeliveryResult
from ..store.group import FullError
from ..webhooks import RawPush
from .body import Bells, Body, Held
from .bounds import Bounds, Lane
from .intake import Intake

__all__ = ["Endpoint", "Receives"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger("shipkit.service")
_READY_FOR_S: Final = 2.0
_TEXT: Final = ("content-type", "text/plain; charset=utf-8")
_METRICS: Final = ("content-type", "text/plain; version=0.0.4; charset=utf-8")
# Refusals that come before the body was read, and the headers that announce one.
_UNREAD: Final = frozenset({400, 404, 405, 408, 413, 415, 429, 431, 500, 503})
_BODIES: Final = (b"content-length", b"transfer-encoding")


class Receives(Protocol):
    """What the endpoint needs of a client: `shipkit.Client` and `shipkit.AsyncClient` have it."""

    def entrance(self) -> Entrance: ...


class Endpoint:
    """The ASGI callable for *client*: ``/webhooks/<alias>/<token>``, ``/healthz``, ``/readyz`` and ``/metrics``.

    It may be mounted in another ASGI application. Where the server knows no lifespan, it opens with the first request,
    and the host calls `aclose` when it ends. *metrics* renders the text for Prometheus, for whoever brings
    *metrics_token* as a bearer token; without a token there is no such page. *ready* adds what else must be well.
    """

    def __init__(
        self,
        client: Receives,
        *,
        bounds: Bounds | None = None,
        metrics: Callable[[], str] | None = None,
        metrics_token: str = "",
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self._entrance = client.entrance()
        self._bounds = bounds or Bounds()
        self._limits = Limits(
            body_max_bytes=self._entrance.settings.webhook_body_max_bytes,
            headers_max=self._bounds.headers_max,
            headers_max_bytes=self._bounds.headers_max_bytes,
        )
        self._metrics, self._metrics_token = metrics, metrics_token.encode()
        self._also_ready = ready
        self._lanes: dict[str, Lane] = {}
        self._strangers = Lane(self._bounds.strangers_per_s, time.monotonic())
        self._held, self._bells = Held(), Bells()
        self._name = secrets.token_hex(8)
        self._opening: asyncio.Lock | None = None
        self._addresses: Addresses | None = None
        self._intake: Intake | None = None
        self._ready_until, self._is_ready = 0.0, False
        self._asking: asyncio.Task[bool] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise NotImplementedError(f"ASGI scopes of type {scope['type']} are unknown here")

    async def aopen(self) -> None:
        """Read the store's secret and start to take pushes.

        Raises:
            StoreError: the store cannot be reached; the next request tries again.
        """
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._intake is None:
                self._addresses = await asyncio.to_thread(self._entrance.addresses)
                self._intake = Intake(self._entrance.store)

    async def aclose(self) -> None:
        """Write what was taken, then take no more; a request after that opens it again."""
        intake, self._intake = self._intake, None
        if intake is not None:
            await asyncio.to_thread(intake.close)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.aopen()
                except ShipkitError as error:
                    # The store may come up after us: what arrives before that is answered 503.
                    _log.warning("the store cannot be reached yet: %s", error.code)
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except ShipkitError as error:
            # The store, or a package that is missing here: the sender is to come again.
            _log.error("a push could not be taken: %s", error.code)
            answer = problem(503, retry_after_s=5)
        except Exception as error:
            # The text of it may quote what was sent.
            _log.error("the endpoint failed: %s", type(error).__name__)
            answer = problem(500)
        if answer is None:  # nobody is there any more
            return
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        unread = answer.status in _UNREAD and any(name.lower() in _BODIES for name, _ in scope["headers"])
        if unread and scope.get("http_version", "1.1") < "2":
            headers.append((b"connection", b"close"))  # else the server reads a body that nobody wants, to its end
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body if scope["method"] != "HEAD" else b""})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        if path.startswith(PREFIX):
            if self._intake is None:
                await self.aopen()
            alias = self._addresses.alias(path) if self._addresses is not None else None
            if alias is not None:
                return await self._push(alias, scope, receive)
        elif path in ("/healthz", "/readyz"):
            return await self._state(path, scope["method"])
        elif path == "/metrics" and self._metrics is not None and self._may_read(scope["headers"]):
            return await self._measures(scope["method"])
        wait_s = self._strangers.wait_s(time.monotonic())
        return problem(429, retry_after_s=wait_s) if wait_s else problem(404)

    async def _push(self, alias: str, scope: Scope, receive: Receive) -> Answer | None:
        began_at = time.monotonic()
        lane = self._lanes.get(alias)
        if lane is None:
            lane = self._lanes[alias] = Lane(self._bounds.per_s, began_at)
        wait_s = lane.wait_s(began_at)
        if wait_s:
            return problem(429, retry_after_s=wait_s)
        headers = _headers(scope["headers"])
        answer = before_body(scope["method"], headers, self._limits)
        if answer is not None:
            return answer
        if "content-length" in headers and "transfer-encoding" in headers:
            return problem(400)  # one of two servers may see two requests where the other sees one (RFC 9112, 6.1)
        if lane.open >= self._bounds.at_once or self._held.bytes >= self._bounds.bytes_at_once:
            return problem(503, retry_after_s=1)
        lane.open += 1
        body = Body(self._held, self._limits.body_max_bytes, self._bounds.bytes_at_once)
        try:
            refused = await body.read(receive, self._bells.after(self._bounds.body_s))
            if refused is not None:
                return problem(refused, retry_after_s=1 if refused == 503 else None) if refused else None
            push = RawPush(
                headers=headers,
                body=bytes(body.content),
                query=scope.get("query_string", b"").decode("latin-1"),
                remote=(scope.get("client") or ("",))[0],
            )
            return await self._stored(alias, push, began_at)
        finally:
            lane.open -= 1
            body.drop()

    async def _stored(self, alias: str, push: RawPush, began_at: float) -> Answer:
        delivery = self._entrance.judge(alias, push)
        if delivery.result is not DeliveryResult.ACCEPTED:
            self._entrance.told(delivery, elapsed_s=time.monotonic() - began_at)
            return problem(401)
        intake = self._intake
        if intake is None:  # it closes
            return problem(503, retry_after_s=1)
        with self._bells.after(self._bounds.commit_s):
            try:
                first = await intake.put(delivery)
            except FullError:
                return problem(503, retry_after_s=1)
            self._entrance.told(delivery, first=first, elapsed_s=time.monotonic() - began_at)
            return accepted()
        return problem(503, retry_after_s=5)

    async def _state(self, path: str, method: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return problem(405, reads=True)
        if path == "/readyz" and not await self._well():
            return problem(503, retry_after_s=int(_READY_FOR_S))
        return Answer(200, (_TEXT, ("cache-control", "no-store")), b"ok\n")

    async def _well(self) -> bool:
        """Whether a push would be stored now. The store is asked once in a while, however many want to know."""
        if time.monotonic() >= self._ready_until:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.ensure_future(self._asked())
            await asyncio.wait({self._asking}, timeout=self._bounds.body_s)
        intake = self._intake
        is_taking = intake is not None and not intake.full
        return self._is_ready and is_taking and (self._also_ready is None or self._also_ready())

    async def _asked(self) -> bool:
        self._is_ready = False
        try:
            if self._intake is None:
                await self.aopen()
            # Nobody else has this lease; taking it is a durable write.
            await asyncio.to_thread(self._entrance.store.lease, f"ready:{self._name}", self._name, 1.0)
            self._is_ready = True
        except ShipkitError as error:
            _log.warning("not ready: %s", error.code)
        self._ready_until = time.monotonic() + _READY_FOR_S
        return self._is_ready

    def _may_read(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        given = next((value for name, value in headers if name.lower() == b"authorization"), b"")
        right = hmac.compare_digest(given, b"Bearer " + self._metrics_token)
        return right and bool(self._metrics_token)

    async def _measures(self, method: str) -> Answer:
        if method != "GET" or self._metrics is None:
            return problem(405, reads=True)
        text = await asyncio.to_thread(self._metrics)
        return Answer(200, (_METRICS, ("cache-control", "no-store")), text.encode())


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name in lower case. What is given twice is joined, so that no signature is picked out of several."""
    found: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found
