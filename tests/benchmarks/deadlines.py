"""A carrier that takes the request and never answers costs the deadline, and hardly more."""

from __future__ import annotations

import asyncio
import itertools
import socket
import statistics
import time
from collections.abc import Callable

from shipkit import AsyncClient, Client, MemoryStore, Settings
from shipkit.errors import InDoubtError, ReachedCarrier
from shipkit.flow import Token
from tests.core.acme import Acme, request

from .timing import Figure

__all__ = ["hung"]

RUNS = 7
DEADLINE_S = 0.5


def hung() -> list[Figure]:
    """Prices asked of a server that accepts the connection and says nothing, with threads and with asyncio."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts; nobody ever reads
        account = Acme(client_id="host", client_secret="x", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v2")
        settings = Settings(breaker_failures=10 * RUNS)
        with Client({"acme": account}, store=_with_token(), settings=settings) as client:
            threads = _elapsed(lambda: client.rates(request(), deadline_s=DEADLINE_S).errors["acme"])
        tasks = asyncio.run(_tasks(account, settings))
        others = _others(account, settings)
    return [_figure("threads", threads), _figure("asyncio", tasks), *others]


def _others(account: Acme, settings: Settings) -> list[Figure]:
    """A booking, a look at a parcel, and a login, each at the carrier that says nothing."""
    numbers = itertools.count()

    def book(client: Client) -> object:
        try:
            return client.create_shipment(request(), account="acme", key=f"o-{next(numbers)}", deadline_s=DEADLINE_S)
        except InDoubtError as error:
            return error

    def track(client: Client) -> object:
        return client.track("AC1", account="acme", deadline_s=DEADLINE_S)[0].error

    def login(client: Client) -> object:
        return client.rates(request(), deadline_s=DEADLINE_S).errors["acme"]

    figures = []
    for kind, ask, store in (
        ("booking", book, _with_token()),
        ("tracking", track, _with_token()),
        ("login", login, MemoryStore()),
    ):
        with Client({"acme": account}, store=store, settings=settings) as client:
            figures.append(_figure(f"{kind}, threads", _elapsed(lambda ask=ask, client=client: ask(client))))  # type: ignore[misc]
    return figures


def _with_token() -> MemoryStore:
    store = MemoryStore()
    store.tokens.put("acme", "bench", Token(value="t"))
    return store


async def _tasks(account: Acme, settings: Settings) -> list[float]:
    async with AsyncClient({"acme": account}, store=_with_token(), settings=settings) as client:
        taken = []
        for _ in range(RUNS + 1):
            began = time.perf_counter()
            answered = await client.rates(request(), deadline_s=DEADLINE_S)
            taken.append(time.perf_counter() - began)
            _refuse_other(answered.errors["acme"])
        return taken[1:]


def _elapsed(call: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        error = call()
        taken.append(time.perf_counter() - began)
        _refuse_other(error)
    return taken[1:]  # the first one loads the transport


def _refuse_other(error: object) -> None:
    if getattr(error, "reached_carrier", None) is not ReachedCarrier.MAYBE:
        raise RuntimeError(f"not what is to be measured: {error!r}")


def _figure(kind: str, taken: list[float]) -> Figure:
    return Figure(
        name=f"a hung carrier, {kind}",
        ratio=statistics.median(taken) / DEADLINE_S,
        bar=1.05,
        ours_us=statistics.median(taken) * 1e6,
        base_us=DEADLINE_S * 1e6,
        base="its deadline",
    )
