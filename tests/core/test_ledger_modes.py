"""What ends a doubt at carriers that recognise an identity, and at those that nobody can ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shipkit import AsyncClient, Client, InDoubtError, MemoryStore, RejectedError, Settings, Shipment
from shipkit.ports import Entry, Phase
from shipkit.simulator import Dialect, Simulator
from tests.core.acme import Acme, request
from tests.core.keyed import Mute, Native, RefusingDialect, RepeatingDialect, ShortLived, Unique
from tests.core.test_client import Later, live
from tests.simulator.acme import AcmeDialect

LOST = ["drop_after_commit", "drop_before", "500", "truncated"]


class Shop:
    """One host with one account, whose store has a clock that a test moves on."""

    def __init__(
        self,
        sim: Simulator,
        kind: type[Acme],
        settings: Settings | None = None,
        make: Callable[[Later], Any] | None = None,
    ) -> None:
        self.sim = sim
        self.later = Later()
        self.store: Any = make(self.later) if make is not None else MemoryStore(clock=self.later)
        self.account = kind(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")
        self.client = Client({"acme-de": self.account}, store=self.store, settings=settings)

    def ship(self, reference: str = "SO042", deadline_s: float = 5) -> Shipment:
        return self.client.create_shipment(request(reference), account="acme-de", key="order-1", deadline_s=deadline_s)

    def doubt(self) -> InDoubtError:
        with pytest.raises(InDoubtError) as caught:
            self.ship()
        return caught.value

    def lose(self, fault: str, times: int = 1, **more: float) -> None:
        self.sim.add_fault(fault, operation="create_shipment", times=times, **more)

    def wait(self, seconds: float) -> None:
        self.later.offset += seconds
        self.sim.advance(seconds)

    @property
    def row(self) -> Entry:
        row: Entry | None = self.store.read("order-1")
        assert row is not None
        return row

    @property
    def asked(self) -> list[str]:
        return [seen.operation for seen in self.sim.requests() if seen.operation != "token"]

    @property
    def marks(self) -> set[str]:
        return set(self.sim.counts("mark"))


@contextmanager
def shop(
    dialect: type[Dialect],
    kind: type[Acme],
    settings: Settings | None = None,
    make: Callable[[Later], Any] | None = None,
) -> Iterator[Shop]:
    with Simulator(dialect()) as sim:
        opened = Shop(sim, kind, settings, make)
        with opened.client:
            yield opened
        opened.store.close()


@pytest.fixture
def native() -> Iterator[Shop]:
    with shop(RepeatingDialect, Native) as opened:
        yield opened


@pytest.fixture
def unique() -> Iterator[Shop]:
    with shop(RefusingDialect, Unique) as opened:
        yield opened


@pytest.mark.parametrize("fault", LOST)
def test_a_native_key_goes_out_again_at_once_and_books_once(native: Shop, fault: str) -> None:
    native.lose(fault)
    shipment = native.ship()

    assert shipment.documents[0].content
    assert native.asked == ["create_shipment", "create_shipment"], "nobody has to be asked"
    assert len(native.marks) == live(native.sim) == 1
    assert (native.row.attempt, native.row.send) == (1, 2)


def test_asyncio_sends_a_native_key_again_too(native: Shop) -> None:
    native.lose("drop_before")

    async def ship() -> Shipment:
        async with AsyncClient({"acme-de": native.account}, store=native.store) as client:
            return await client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)

    assert asyncio.run(ship()).documents[0].content
    assert live(native.sim) == 1


def test_the_third_sending_waits_until_the_first_two_have_settled(native: Shop) -> None:
    native.lose("drop_before", times=2)
    doubt = native.doubt()
    assert not doubt.needs_person and doubt.retry_at == native.row.settle_at
    native.wait(600)
    assert native.doubt().retry_at == native.row.settle_at
    assert native.asked == ["create_shipment"] * 2, "nothing leaves before that"

    native.wait(400)
    assert native.ship().documents[0].content
    assert live(native.sim) == 1 and native.row.send == 3


def test_a_refusal_while_an_earlier_sending_is_open_proves_nothing(native: Shop) -> None:
    native.lose("drop_after_commit")
    native.sim.add_fault("200_with_error", operation="create_shipment", times=1)
    native.doubt()
    assert native.row.phase is Phase.IN_DOUBT and not native.row.sole
    assert live(native.sim) == 1

    native.wait(2000)
    assert native.ship().documents[0].content
    assert live(native.sim) == 1


def test_a_refusal_counts_once_every_sending_has_settled(native: Shop) -> None:
    native.lose("drop_before", times=2)
    native.doubt()
    native.wait(2000)
    native.sim.add_fault("200_with_error", operation="create_shipment", times=1)
    with pytest.raises(RejectedError):
        native.ship()
    assert native.row.phase is Phase.REJECTED

    native.ship("SO043")
    assert (native.row.attempt, live(native.sim)) == (2, 1)


def test_an_identity_is_sent_as_often_as_allowed_and_then_a_person_decides(native: Shop) -> None:
    native.lose("drop_before", times=9)
    native.doubt()
    native.wait(2000)
    assert native.doubt().needs_person
    assert native.row.phase is Phase.NEEDS_PERSON and native.row.send == 3
    assert native.asked == ["create_shipment"] * 3


def test_a_key_that_the_carrier_may_have_forgotten_is_not_sent_again() -> None:
    with shop(RepeatingDialect, ShortLived) as opened:
        opened.lose("drop_before")
        assert opened.doubt().needs_person
        assert opened.asked == ["create_shipment"]


def test_a_recovery_sends_a_native_key_again(native: Shop) -> None:
    native.lose("drop_before", times=2)
    native.doubt()
    native.wait(2000)
    ((key, done),) = native.client.recover()

    assert key == "order-1" and isinstance(done.value, Shipment)
    assert native.ship() == done.value


def test_a_wish_to_cancel_is_never_carried_out_by_buying(native: Shop) -> None:
    native.lose("drop_before", times=2)
    native.doubt()
    native.wait(2000)
    with pytest.raises(InDoubtError) as caught:
        native.client.cancel_shipment(key="order-1")
    assert caught.value.needs_person
    assert native.asked == ["create_shipment"] * 2


@pytest.mark.parametrize("fault", LOST)
def test_a_unique_reference_is_looked_up_and_then_sent_again(unique: Shop, fault: str) -> None:
    unique.lose(fault)
    assert unique.ship().documents[0].content
    assert unique.asked[:2] == ["create_shipment", "find_shipments"], "it is asked first"
    assert len(unique.marks) == live(unique.sim) == 1


def test_a_reference_in_use_means_look_and_never_refused(unique: Shop) -> None:
    unique.lose("find_lags", lag_s=60)
    unique.lose("drop_after_commit")
    unique.doubt()
    assert unique.asked == ["create_shipment", "find_shipments", "create_shipment", "find_shipments"]
    assert unique.row.phase is Phase.IN_DOUBT and live(unique.sim) == 1

    unique.wait(120)
    assert unique.ship().documents[0].content
    assert live(unique.sim) == 1 and unique.row.send == 2


def test_a_reference_is_sent_as_often_as_allowed_and_then_a_person_decides(unique: Shop) -> None:
    unique.lose("drop_before", times=9)
    for _ in range(4):
        doubt = unique.doubt()
        unique.wait(2000)
    assert doubt.needs_person and unique.row.send == 3 and live(unique.sim) == 0


def test_nothing_is_repeated_at_a_carrier_that_cannot_be_asked() -> None:
    with shop(AcmeDialect, Mute) as opened:
        opened.lose("drop_before")
        doubt = opened.doubt()
        assert doubt.needs_person and doubt.retry_at is None
        opened.wait(5000)
        assert opened.doubt().needs_person
        assert opened.asked == ["create_shipment"] and opened.client.recover() == ()


def test_what_is_in_doubt_says_when_asking_again_can_help() -> None:
    with shop(AcmeDialect, Acme) as opened:
        opened.lose("drop_before")
        assert opened.doubt().retry_at == opened.row.settle_at
    with shop(RefusingDialect, Unique) as opened:
        opened.lose("drop_before")
        opened.sim.add_fault("503", operation="find_shipments", times=9, retry_after_s=0)
        doubt = opened.doubt()
        assert doubt.retry_at == doubt.since, "the carrier guards the reference: at once"
