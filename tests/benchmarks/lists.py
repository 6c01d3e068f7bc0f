"""A list of orders: the memory that it takes does not depend on its length."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from shipkit import Client, SqliteStore
from shipkit.client.lists import Order
from shipkit.flow import Response, Transmit
from tests.core.acme import Acme, request

from .timing import Figure

__all__ = ["flat"]

SHORT = 1_000
LONG = int(os.environ.get("SHIPKIT_BENCH_ORDERS", "3000"))  # 10,000 say the same, and take over a minute
LABEL = "JVBERi0x" + "A" * 40_000  # about what a label weighs


class Carrier:
    """Acme in this process: every booking has a label, and nothing is kept."""

    def send(self, effect: Transmit) -> Response:
        sent = effect.request
        body: dict[str, object] = {"access_token": "t"}
        if sent.name == "create_shipment":
            mark = json.loads(sent.content or b"{}")["mark"]
            body = {"id": mark, "pieces": [{"awb": mark.replace("-", ""), "label": LABEL}]}
        at = datetime.now(timezone.utc)
        return Response(status=200, content=json.dumps(body).encode(), request=sent, received_at=at)

    def close(self) -> None:
        pass


def flat() -> list[Figure]:
    """The most that a list takes against one of a thousand orders, and what is left of it when it is done."""
    with tempfile.TemporaryDirectory() as folder:
        account = Acme(client_id="host", client_secret="x")
        with Client({"acme": account}, store=SqliteStore(Path(folder) / "ledger.db")) as client:
            client._transport, client._transport_pid = Carrier(), os.getpid()  # type: ignore[assignment]
            _shipped(client, 100)
            tracemalloc.start()
            short, left, _ = _shipped(client, SHORT)
            long, more, took_s = _shipped(client, LONG)
            tracemalloc.stop()
    note = f"{LONG / took_s:.0f} orders a second, memory being traced"
    return [
        Figure(
            name=f"memory of a list of {LONG:,} orders",
            ratio=long / short,
            bar=1.1,
            base=f"one of {SHORT:,} ({short / 1e6:.1f} MB at most)",
            note=note,
        ),
        Figure(
            name="left in memory by each of its orders",
            ratio=(more - left) / LONG,
            bar=10,
            unit="B",
            base=note,
        ),
    ]


def _shipped(client: Client, count: int) -> tuple[float, float, float]:
    """The most that was in use meanwhile, what is afterwards, and how long it took."""
    gc.collect()
    if tracemalloc.is_tracing():
        tracemalloc.reset_peak()
    began = time.perf_counter()
    for outcome in client.create_shipments(_orders(count)):
        if outcome.error is not None or outcome.shipment is None or not outcome.shipment.documents:
            raise RuntimeError(f"not what is to be measured: {outcome.error}")
    took_s = time.perf_counter() - began
    _, most = tracemalloc.get_traced_memory()
    gc.collect()
    return most, tracemalloc.get_traced_memory()[0], took_s


def _orders(count: int) -> Iterator[Order]:
    return (Order(f"{count}-{n}", request(f"SO{n}"), "acme") for n in range(count))
