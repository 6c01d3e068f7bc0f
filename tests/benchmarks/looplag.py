"""What a slow disk costs an event loop: a store whose every write takes 200 ms while fifty calls book."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from shipkit import AsyncClient, SqliteStore
from shipkit.errors import ShipkitError
from shipkit.settings import Settings
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request
from tests.simulator.acme import AcmeDialect

from .timing import Figure

__all__ = ["slow_disk"]

CALLS = 50
FSYNC_S = 0.2
BEAT_S = 0.005


class _SlowStore(SqliteStore):
    """The two writes that every booking waits for; a sleep leaves the interpreter as free as an fsync does."""

    def claim(self, *given: Any) -> Any:
        time.sleep(FSYNC_S)
        return super().claim(*given)

    def book(self, *given: Any) -> Any:
        time.sleep(FSYNC_S)
        return super().book(*given)


def slow_disk() -> Figure:
    """The loop's lag while fifty calls book with such a store, less the lag with the same store on a quick disk."""
    slow, quick = asyncio.run(_lags(_SlowStore)), asyncio.run(_lags(SqliteStore))
    added = max(0.0, statistics.quantiles(slow, n=100)[98] - statistics.quantiles(quick, n=100)[98])
    return Figure(
        name="a store with a 200 ms fsync, loop lag added (p99)",
        ratio=added * 1000,
        unit="ms",
        bar=20,
        ours_us=max(slow) * 1e6,
        base_us=max(quick) * 1e6,
        base="the most, against a quick disk",
    )


async def _lags(kind: type[SqliteStore]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder, Simulator(AcmeDialect()) as sim:
        store = kind(Path(folder) / "store.db")
        account = Acme(client_id="host", client_secret="x", base_url=f"{sim.url}/v2")
        async with AsyncClient({"acme": account}, store=store, settings=Settings(send_window_s=60)) as client:
            await client.rates(request())
            lags: list[float] = []
            beat = asyncio.create_task(_beat(lags))
            try:
                await asyncio.gather(*(_booked(client, number) for number in range(CALLS)))
            finally:
                beat.cancel()
        store.close()
    return lags


async def _booked(client: AsyncClient, number: int) -> None:
    try:
        await client.create_shipment(request(), account="acme", key=f"order-{number}", deadline_s=60)
    except ShipkitError as error:
        raise RuntimeError(f"not what is to be measured: {error!r}") from error


async def _beat(lags: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(BEAT_S)
        lags.append(time.perf_counter() - began - BEAT_S)
