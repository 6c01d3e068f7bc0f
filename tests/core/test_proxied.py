"""A whole client behind a proxy: what the proxy does to an answer is no reason to buy twice."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client, Settings
from shipkit.errors import InDoubtError, NotSentError, ShipkitError
from shipkit.simulator import Simulator
from shipkit.store import MemoryStore
from shipkit.testing import no_waiting
from tests.core.acme import Acme, request
from tests.core.stages import Line, Script, forward, serving


def relaying(line: Line) -> None:
    for data in forward(line):
        line.send(data)


def losing(operation: bytes) -> Script:
    """A proxy that sends every request on, and loses the answers to one."""

    def script(line: Line) -> None:
        for data in forward(line):
            if operation not in bytes(line.head_seen):
                line.send(data)

    return script


def shipped(kind: type[Any], account: Acme, store: MemoryStore, key: str) -> Any:
    """What one call of either client came to."""
    try:
        with no_waiting():
            if kind is Client:
                with Client({"acme": account}, store=store, settings=Settings(attempts=1)) as client:
                    return client.create_shipment(request(), account="acme", key=key)

            async def call() -> Any:
                async with AsyncClient({"acme": account}, store=store, settings=Settings(attempts=1)) as client:
                    return await client.create_shipment(request(), account="acme", key=key)

            return asyncio.run(call())
    except ShipkitError as error:
        return error


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_works_behind_a_proxy(kind: type[Any], sim: Simulator, acme: Acme) -> None:
    with serving(relaying) as proxy:
        account = attrs.evolve(acme, proxy=f"http://{proxy.authority}")
        assert shipped(kind, account, MemoryStore(), "order-1").documents
        assert proxy.connections >= 2

    assert len(sim.bookings()) == 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_answer_that_the_proxy_lost_is_found(kind: type[Any], sim: Simulator, acme: Acme) -> None:
    store = MemoryStore()
    with serving(losing(b"/v2/shipments HTTP")) as proxy:
        account = attrs.evolve(acme, proxy=f"http://{proxy.authority}")
        assert shipped(kind, account, store, "order-1").documents, "looked up at once"

    assert len(sim.bookings()) == 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_gateway_page_of_the_proxy_leaves_a_doubt(kind: type[Any], sim: Simulator, acme: Acme) -> None:
    def failing(line: Line) -> None:
        for data in forward(line):
            gone = b"POST" in line.head_seen and b"/shipments" in line.head_seen
            line.send(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n" if gone else data)
            if gone:
                return

    store = MemoryStore()
    with serving(failing) as proxy:
        account = attrs.evolve(acme, proxy=f"http://{proxy.authority}")
        sim.add_fault("find_lags", operation="create_shipment")
        result = shipped(kind, account, store, "order-1")

    assert isinstance(result, InDoubtError)
    assert len(sim.bookings()) == 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_proxy_that_is_not_there_leaves_the_key_free(kind: type[Any], sim: Simulator, acme: Acme) -> None:
    store = MemoryStore()
    result = shipped(kind, attrs.evolve(acme, proxy="http://127.0.0.1:1"), store, "order-1")

    assert isinstance(result, NotSentError)
    assert shipped(kind, acme, store, "order-1").documents
    assert len(sim.bookings()) == 1
