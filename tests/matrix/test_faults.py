"""Every fault of every simulated carrier, through both clients: one booking per key, and its label in hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client, InDoubtError, MemoryStore, Settings, ShipkitError, Shipment
from shipkit.model import FindMethod, ServicePointRef, ShipmentRequest
from shipkit.ports import Phase
from shipkit.registry import Registry
from shipkit.simulator import FAULTS, Simulator
from tests.benchmarks.requests import american, french

ONE = american().packages[:1]
ORDERS: dict[str, ShipmentRequest] = {
    "ups": american(),
    "easypost": attrs.evolve(american(), packages=ONE, service="usps/Priority"),
    "dpd_fr": attrs.evolve(french(), service="classic"),
    "mondialrelay": attrs.evolve(french(), service="24R", service_point=ServicePointRef(id="020288", country="FR")),
}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "ups": {"client_id": "id", "client_secret": "secret", "shipper_number": "A1B2C3"},
    "easypost": {"api_key": "EZTK0123456789"},
    "dpd_fr": {"userid": "user", "password": "secret", "customer_center": 77, "customer_number": 12345},
    "mondialrelay": {"enseigne": "BDTEST13", "private_key": "PrivateK"},
}
RECOVERED = ("ups", "easypost", "dpd_fr")


class Later:
    """The store's clock, which a test moves past the settling time."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture(params=list(ORDERS))
def sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with Simulator(Registry().simulator(request.param)()) as running:
        yield running


def account(sim: Simulator) -> Any:
    code = sim.dialect.code
    return Registry().carrier(code)(base_url=sim.url, **ACCOUNTS[code])


def live(sim: Simulator) -> list[Any]:
    return [booking for booking in sim.bookings() if booking.state.value == "live"]


def held(shipment: Shipment) -> bool:
    return bool(shipment.documents) and all(document.content for document in shipment.documents)


def shipped(sim: Simulator, later: Later, store: MemoryStore) -> Shipment | ShipkitError:
    """Ship one order as a patient host does: again after a doubt, and again after the settling time."""
    code = sim.dialect.code
    with Client({code: account(sim)}, store=store, settings=Settings(attempts=2)) as client:
        for wait_s in (0, 0, 5000, 5000):
            later.offset += wait_s
            if wait_s:
                sim.advance(wait_s)
            try:
                return client.create_shipment(ORDERS[code], account=code, key="order-1", deadline_s=3)
            except ShipkitError as error:
                last = error
    return last


def shipped_by_tasks(sim: Simulator, later: Later, store: MemoryStore) -> Shipment | ShipkitError:
    code = sim.dialect.code

    async def ship() -> Shipment | ShipkitError:
        async with AsyncClient({code: account(sim)}, store=store, settings=Settings(attempts=2)) as client:
            for wait_s in (0, 0, 5000, 5000):
                later.offset += wait_s
                if wait_s:
                    await asyncio.to_thread(sim.advance, wait_s)
                try:
                    return await client.create_shipment(ORDERS[code], account=code, key="order-1", deadline_s=3)
                except ShipkitError as error:
                    last = error
        return last

    return asyncio.run(ship())


def exact(sim: Simulator) -> bool:
    """Whether the carrier can be asked for everything under one mark, and undoes what it is told to."""
    facts = account(sim).facts()
    return facts.recovery.find in (FindMethod.EXACT_ALL, FindMethod.EXACT_ONE)


def swept(sim: Simulator, later: Later, store: MemoryStore) -> None:
    """What a host's recovery does some time after: a second booking is undone."""
    later.offset += 5000
    sim.advance(5000)
    with Client({sim.dialect.code: account(sim)}, store=store) as client:
        client.recover()


PARAMS: dict[str, dict[str, Any]] = {
    "slow": {"after_s": 0.2},
    "drip": {"interval_s": 0.001, "size": 400},
    "commit_late": {"after_s": 0.3},
    "429": {"retry_after_s": 0},
    "503": {"retry_after_s": 0},
}


@pytest.mark.slow
@pytest.mark.parametrize("ship", [shipped, shipped_by_tasks], ids=["threads", "tasks"])
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_one_order_is_one_booking_with_its_label_whatever_the_carrier_does(
    sim: Simulator, ship: Any, fault: str
) -> None:
    sim.add_fault(fault, operation="purchase", times=1, **PARAMS.get(fault, {}))
    later = Later()
    store = MemoryStore(clock=later)

    outcome = ship(sim, later, store)

    sim.wait_for_late_commits()
    row = store.read("order-1")
    assert row is not None, outcome
    if isinstance(outcome, Shipment):
        assert held(outcome)
        assert row.phase is Phase.SUCCEEDED
        swept(sim, later, store)
        assert len(live(sim)) == 1 or (fault == "commit_twice" and not exact(sim))
        numbers = {number.value for number in outcome.tracking_numbers}
        assert numbers and any(numbers <= {*booking.numbers, booking.id} for booking in live(sim))
    else:
        # Where nobody can be asked, a person decides, and nothing was bought to be on the safe side.
        assert sim.dialect.code not in RECOVERED, repr(outcome)
        assert isinstance(outcome, InDoubtError) and outcome.needs_person
        assert row.phase is Phase.NEEDS_PERSON
        assert len(sim.bookings()) <= 1 + (fault == "commit_twice")
    assert all(count.overlapping == 0 for count in sim.counts("mark").values())
