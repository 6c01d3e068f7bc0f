"""The rules over real sockets: processes that share a limit, and carriers that hang, refuse and break."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client, SqliteStore
from shipkit.errors import DeadlineError, OutcomeUnknownError, ShipkitError, UnavailableError
from shipkit.model import CarrierFacts, Operation, OperationFacts, RateAnswer, RateLimit, Support
from shipkit.ports import LedgerStore
from shipkit.settings import Settings
from shipkit.simulator import Call, Simulator
from tests.core.acme import Acme, acme_facts, request
from tests.policy.test_limits import most_in
from tests.simulator.acme import AcmeDialect

CALLS, PER_S = 10, 1


class Limited(Acme):
    """Acme, where rates may be asked so often."""

    @classmethod
    def facts(cls) -> CarrierFacts:
        facts = acme_facts()
        limited = OperationFacts(support=Support.YES, rate_limit=RateLimit(calls=CALLS, per_s=PER_S), timeout_s=45)
        return attrs.evolve(facts, operations={**facts.operations, Operation.RATES: limited})


class Clocked(AcmeDialect):
    """Notes when each question for rates came in."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[float] = []

    def _account(self, call: Call) -> str:
        self.arrived.append(time.monotonic())
        return super()._account(call)


WORKER = """
import sys
from shipkit import Client
from tests.core.acme import request
from tests.policy.test_clients import Limited
from tests.policy.places import opened
account = Limited(client_id="host", client_secret="client-secret", base_url=sys.argv[1])
with Client({"acme-de": account}, store=opened(sys.argv[2])) as client:
    client.track("AC1", account="acme-de")  # a connection and a token
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(12):
        assert not client.rates(request(), deadline_s=30).errors
"""


@pytest.mark.process
@pytest.mark.slow
def test_processes_that_share_a_store_never_send_one_more_than_the_limit(shared_place: str, root: Path) -> None:
    dialect = Clocked()
    with Simulator(dialect) as sim:
        arguments = [sys.executable, "-c", WORKER, f"{sim.url}/v2", shared_place]
        started = [
            subprocess.Popen(arguments, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        for worker in started:
            assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
        dialect.arrived.clear()
        for worker in started:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in started:
            worker.communicate(timeout=60)
    assert [worker.returncode for worker in started] == [0] * 3
    assert len(dialect.arrived) == 36
    assert most_in(PER_S, dialect.arrived) <= CALLS
    assert max(dialect.arrived) - min(dialect.arrived) < 36 / CALLS * 2, "nor is it much slower than the limit"


def shopped(answer: RateAnswer, elapsed_s: float) -> None:
    assert {quote.account for quote in answer.quotes} == {"good-1", "good-2"}
    assert set(answer.errors) == {"hung", "refused", "broken"}
    for alias, error in answer.errors.items():
        assert isinstance(error, ShipkitError) and error.account == alias and error.operation == "rates"
    assert isinstance(answer.errors["hung"], (OutcomeUnknownError, DeadlineError))
    assert answer.errors["refused"].code == "authentication"
    assert isinstance(answer.errors["broken"], UnavailableError)
    assert elapsed_s < 1.0 * 1.5


def test_a_hung_a_refused_and_a_broken_carrier_cost_the_others_nothing() -> None:
    with Simulator(AcmeDialect()) as good, Simulator(AcmeDialect()) as hung, Simulator(AcmeDialect()) as broken:
        hung.add_fault("slow", operation="rates", times=None, after_s=5.0)
        broken.add_fault("html_page", operation="rates", times=None)

        def at(sim: Simulator, secret: str = "client-secret") -> Acme:
            return Acme(client_id="host", client_secret=secret, base_url=f"{sim.url}/v2")

        accounts = {
            "good-1": at(good),
            "hung": at(hung),
            "refused": at(good, "wrong"),
            "broken": at(broken),
            "good-2": at(good),
        }
        with Client(accounts) as client:
            client.rates(request(), accounts=["good-1"])
            began = time.monotonic()
            shopped(client.rates(request(), deadline_s=1.0), time.monotonic() - began)

        async def asked() -> None:
            async with AsyncClient(accounts) as other:
                await other.rates(request(), accounts=["good-1"])
                began = time.monotonic()
                shopped(await other.rates(request(), deadline_s=1.0), time.monotonic() - began)

        asyncio.run(asked())


def test_no_call_of_a_database_runs_on_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, seen = SqliteStore(tmp_path / "store.db"), set()
    for part, names in (
        (store.ledger, [name for name in vars(LedgerStore) if not name.startswith("_") and name != "blocking"]),
        (store.tokens, ["get", "claim", "put", "release", "drop"]),
        (store.limits, ["reserve", "hold"]),
    ):
        for name in names:
            method = getattr(part, name)

            def noted(*given: Any, _method: Any = method, _name: str = name, **named: Any) -> Any:
                seen.add((_name, threading.current_thread() is threading.main_thread()))
                return _method(*given, **named)

            monkeypatch.setattr(part, name, noted)

    async def booked(sim: Simulator) -> None:
        account = Limited(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")
        async with AsyncClient({"acme-de": account}, store=store) as client:
            await client.rates(request())
            await asyncio.gather(
                *(client.create_shipment(request(), account="acme-de", key=f"order-{n}") for n in range(5))
            )
            await client.cancel_shipment(key="order-1")

    with Simulator(AcmeDialect()) as sim:
        asyncio.run(booked(sim))
    assert {"claim", "book", "reserve"} <= {name for name, _ in seen}
    assert not [name for name, on_loop in seen if on_loop]


def test_a_carrier_that_is_known_to_take_longer_gets_longer_unless_the_caller_says_so() -> None:
    account = Limited(client_id="host", client_secret="client-secret")
    with Client({"acme-de": account}, settings=Settings(deadline_s=30)) as client:
        known = client._desk.accounts["acme-de"]
        assert known.deadline_s("rates", None) == 45
        assert known.deadline_s("rates", 3) == 3
        assert known.deadline_s("track", None) == 30
