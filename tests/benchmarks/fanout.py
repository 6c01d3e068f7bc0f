"""Rate shopping over many accounts: as long as one, not as long as all."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from shipkit import Client
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request
from tests.simulator.acme import AcmeDialect

from .timing import Figure

__all__ = ["ten_accounts"]

RUNS = 7


def ten_accounts() -> Figure:
    """Ten simulated accounts that take 200 ms each, against one of them."""
    with ExitStack() as stack:
        accounts = {}
        for number in range(10):
            sim = stack.enter_context(Simulator(AcmeDialect()))
            sim.add_fault("slow", operation="rates", times=10_000, after_s=0.2)
            accounts[f"acme-{number}"] = Acme(client_id="host", client_secret="x", base_url=f"{sim.url}/v2")
        client = stack.enter_context(Client(accounts))
        asked = request()
        client.rates(asked)
        ratios, left, right = [], [], []
        for _ in range(RUNS):
            began = time.perf_counter()
            answered = client.rates(asked)
            middle = time.perf_counter()
            client.rates(asked, accounts=["acme-0"])
            ended = time.perf_counter()
            if len(answered.quotes) != 10:
                raise RuntimeError(f"not what is to be measured: {answered.errors}")
            ratios.append((middle - began) / (ended - middle))
            left.append(middle - began)
            right.append(ended - middle)
    return Figure(
        name="rates of 10 accounts of 200 ms",
        ratio=statistics.median(ratios),
        bar=1.15,
        ours_us=statistics.median(left) * 1e6,
        base_us=statistics.median(right) * 1e6,
        base="one account",
    )
