"""What a host is told of its keys without knowing what it asked for under them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client, InDoubtError, InputError, MemoryStore, Settings, SqliteStore
from shipkit import model as m
from shipkit.ports import Phase
from shipkit.simulator import Simulator
from tests.core.acme import Acme, acme_facts, request
from tests.core.keyed import Mute
from tests.core.test_client import Later
from tests.simulator.acme import AcmeDialect

BEGINNING = datetime(2000, 1, 1, tzinfo=timezone.utc)
ONE_BY_ONE = attrs.evolve(acme_facts(), limits=m.Limits(packages_per_booking=1))


@attrs.frozen
class OneByOne(Acme):
    """Acme, if it took one package a call."""

    @classmethod
    def facts(cls) -> m.CarrierFacts:
        return ONE_BY_ONE


class Host:
    """A host whose keys have a namespace, in a store that it shares with another one."""

    def __init__(self, sim: Simulator, kind: type[Acme], store: Any) -> None:
        self.sim, self.store = sim, store
        self.account = kind(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")
        accounts = {"acme-de": self.account}
        self.client = Client(accounts, store=store, settings=Settings(namespace="shop"))
        self.other = Client(accounts, store=store, settings=Settings(namespace="other"))

    def ship(self, key: str = "order-1", packages: int = 1) -> m.Shipment:
        asked = request("SO042")
        boxes = tuple(attrs.evolve(asked.packages[0], ref=str(number)) for number in range(1, packages + 1))
        asked = attrs.evolve(asked, packages=boxes)
        return self.client.create_shipment(asked, account="acme-de", key=key, deadline_s=5)

    def lost(self, key: str = "order-1", fault: str = "drop_after_commit", packages: int = 1) -> None:
        self.sim.add_fault(fault, operation="create_shipment", times=1)
        self.sim.add_fault("500", operation="find_shipments", times=50)
        with pytest.raises(InDoubtError):
            self.ship(key, packages)
        self.sim.faults.clear()

    @property
    def phases(self) -> dict[str, Phase]:
        return {one.key: one.phase for one in self.client.ledger.open()}

    def booked(self) -> list[str]:
        ledger = self.client.ledger
        return [one.key for one in ledger.booked(since=BEGINNING, before=ledger.now() + timedelta(seconds=1))]


@pytest.fixture(params=["memory", "sqlite"])
def later_store(request: pytest.FixtureRequest, tmp_path: Any) -> tuple[Later, Any]:
    later = Later()
    made = MemoryStore(clock=later) if request.param == "memory" else SqliteStore(tmp_path / "l.db", clock=later)
    return later, made


@pytest.fixture
def host(later_store: tuple[Later, Any], request: pytest.FixtureRequest) -> Iterator[Host]:
    kind = getattr(request, "param", Acme)
    with Simulator(AcmeDialect()) as sim:
        made = Host(sim, kind, later_store[1])
        with made.client, made.other:
            yield made
        later_store[1].close()


def test_a_doubt_is_listed_until_it_has_ended(host: Host) -> None:
    host.ship("order-0")
    host.lost()
    assert host.phases == {"order-1": Phase.IN_DOUBT}
    assert host.other.ledger.open() == ()

    found = host.client.ledger.finish(key="order-1")
    assert found.documents[0].content and found.key == "order-1"
    assert host.phases == {}
    assert host.ship() == found, "the host's own call gives the same one"


def test_what_is_booked_is_given_out_without_its_request(host: Host) -> None:
    shipment = host.ship()
    asked = len(host.sim.requests())
    assert host.client.ledger.finish(key="order-1") == shipment
    assert len(host.sim.requests()) == asked
    assert host.booked() == ["order-1"] and host.other.ledger.booked(since=BEGINNING, before=_far()) == ()


def test_bookings_are_told_between_two_moments(host: Host, later_store: tuple[Later, Any]) -> None:
    host.ship("order-1")
    later_store[0].offset += 60
    middle = host.client.ledger.now()
    later_store[0].offset += 60
    host.ship("order-2")
    ledger = host.client.ledger
    assert [one.key for one in ledger.booked(since=BEGINNING, before=middle)] == ["order-1"]
    assert [one.key for one in ledger.booked(since=middle, before=_far())] == ["order-2"]


def test_what_was_cancelled_is_no_booking_any_more(host: Host) -> None:
    host.ship()
    host.client.cancel_shipment(key="order-1")
    told = host.client.ledger.standing(key="order-1")
    assert told is not None and told.phase is Phase.VOIDED
    assert host.client.ledger.finish(key="order-1") is None
    assert host.booked() == []


def test_a_key_that_nobody_used_stands_nowhere(host: Host) -> None:
    assert host.client.ledger.standing(key="order-9") is None
    with pytest.raises(InputError):
        host.client.ledger.finish(key="order-9")


@pytest.mark.parametrize("host", [Mute], indirect=True)
def test_a_key_that_waits_for_a_person_says_so_and_is_not_finished(host: Host) -> None:
    host.sim.add_fault("drop_after_commit", operation="create_shipment", times=1)
    with pytest.raises(InDoubtError):
        host.ship()
    (told,) = host.client.ledger.open()
    assert (told.phase, told.waiting, told.booking) == (Phase.NEEDS_PERSON, "order-1", "")
    with pytest.raises(InDoubtError) as caught:
        host.client.ledger.finish(key="order-1")
    assert caught.value.needs_person and caught.value.key == "order-1"


@pytest.mark.parametrize("host", [OneByOne], indirect=True)
def test_an_order_in_pieces_is_told_as_one(host: Host) -> None:
    host.lost(packages=3)
    assert host.phases == {"order-1": Phase.IN_DOUBT}
    assert host.client.ledger.finish(key="order-1") is None, "two pieces are left for the host to buy"
    told = host.client.ledger.standing(key="order-1")
    assert told is not None and told.phase is Phase.PLANNED and host.booked() == ["order-1"]

    whole = host.ship(packages=3)
    assert host.client.ledger.finish(key="order-1") == whole
    assert host.phases == {} and host.booked() == ["order-1"]


def test_the_values_name_nobody(host: Host) -> None:
    host.lost()
    text = repr(host.client.ledger.open())
    person = request("SO042").ship_to.contact
    assert person is not None and person.name and person.name not in text


def test_asyncio_is_told_the_same(host: Host) -> None:
    shipment = host.ship()
    host.lost("order-2")

    async def told() -> tuple[Any, ...]:
        settings = Settings(namespace="shop")
        async with AsyncClient({"acme-de": host.account}, store=host.store, settings=settings) as client:
            ledger = client.ledger
            assert (await ledger.now()).tzinfo is not None
            booked = await ledger.booked(since=BEGINNING, before=_far())
            opened = await ledger.open()
            assert await ledger.finish(key="order-1") == shipment
            return booked, opened, await ledger.standing(key="order-1"), await ledger.further(key="order-1")

    ledger = host.client.ledger
    standing = ledger.standing(key="order-1")
    assert asyncio.run(told()) == (ledger.booked(since=BEGINNING, before=_far()), ledger.open(), standing, ())


def _far() -> datetime:
    return datetime(2200, 1, 1, tzinfo=timezone.utc)
