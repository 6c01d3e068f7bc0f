"""A wire that plays recorded replies, under the real clients and the real ledger."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import attrs

from shipkit.carrier import Carrier
from shipkit.client import AsyncClient, Client
from shipkit.flow import Request, Response, Transmit
from shipkit.store import MemoryStore
from shipkit.testing import Reply, reply

LABELS = {"png": b"\x89PNG\r\n\x1a\nlabel", "zpl": b"^XA^FDlabel^XZ", "pdf": b"%PDF-1.4\nlabel"}
TOKEN = reply(200, {"access_token": "token", "expires_in": "14399"})


@attrs.define
class Wire:
    """Answers each request with the next of *replies*, then with *spare*; tokens and files it has of its own."""

    replies: list[Reply]
    spare: Reply = attrs.field(factory=lambda: reply(503, b"nothing left to say"))
    document: Reply | None = None
    requests: list[Request] = attrs.Factory(list)

    @property
    def purchases(self) -> list[str]:
        """The purchases that left."""
        return [request.name for request in self.requests if not request.replayable]

    def send(self, effect: Transmit) -> Response:
        request = effect.request
        self.requests.append(request)
        if request.name == "token":
            return TOKEN.to(request)
        if request.name == "document":
            return self._file(request.url).to(request)
        return (self.replies.pop(0) if self.replies else self.spare).to(request)

    def _file(self, url: str) -> Reply:
        if self.document is not None:
            return self.document
        kind = next((kind for kind in LABELS if f".{kind}" in url.lower()), "pdf")
        return reply(200, LABELS[kind])

    def close(self) -> None:
        """Nothing is open."""


@attrs.define
class AsyncWire:
    """The same for asyncio."""

    wire: Wire

    async def send(self, effect: Transmit) -> Response:
        await asyncio.sleep(0)
        return self.wire.send(effect)

    async def close(self) -> None:
        """Nothing is open."""


def _store() -> MemoryStore:
    store = MemoryStore()
    store._salt = "of the tests"  # marks are made from it, and are to be the same in two runs
    return store


def _numbered(client: Client | AsyncClient) -> None:
    numbers = count(1)
    client._desk.request_id = lambda: f"{next(numbers):032x}"


def client_on(wire: Wire, carrier: Carrier) -> Client:
    """A client for threads whose one account, ``it``, is at the other end of *wire*."""
    client = Client({"it": carrier}, store=_store())
    _numbered(client)
    client._transport, client._transport_pid = wire, os.getpid()  # type: ignore[assignment]
    return client


def run_async(wire: Wire, carrier: Carrier, call: Callable[[AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
    """What *call* gives on a client for asyncio at the end of *wire*."""

    async def run() -> Any:
        async with AsyncClient({"it": carrier}, store=_store()) as client:
            _numbered(client)
            client._transport = AsyncWire(wire)  # type: ignore[assignment]
            return await call(client)

    return asyncio.run(run())


def outcome_of(function: Callable[[], Any]) -> tuple[str, Any]:
    """What a call gave or raised, in a form that compares."""
    from shipkit.errors import ShipkitError

    try:
        return "value", function()
    except ShipkitError as error:
        return type(error).__name__, str(error)
