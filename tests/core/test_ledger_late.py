"""What comes in late or twice: it is looked for, the first one counts, and every other one is undone or shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipkit import Client, MemoryStore, Settings, Shipment
from shipkit.errors import InputError, NotSupportedError, StoreError
from shipkit.flow import Flow
from shipkit.ledger.watching import next_look_s, next_watch_s
from shipkit.model import CancellationResult, CancelOutcome, CancelRequest, FindMethod, ShipmentRequest, VoidPolicy
from shipkit.ports import Phase
from shipkit.testing.store_values import Hands, claim
from tests.core.acme import Acme, acme_facts
from tests.core.keyed import Mute
from tests.core.test_client import live
from tests.core.test_ledger_modes import Shop, shop
from tests.simulator.acme import AcmeDialect


@pytest.fixture
def acme_shop() -> Iterator[Shop]:
    with shop(AcmeDialect, Acme) as opened:
        yield opened


def strays(opened: Shop) -> list[str]:
    return [stray.phase for stray in opened.store.strays("order-1")]


def test_a_request_that_was_carried_out_twice_ends_in_one_live_booking(acme_shop: Shop) -> None:
    acme_shop.lose("commit_twice")
    shipment = acme_shop.ship()
    assert live(acme_shop.sim) == 2
    assert acme_shop.client.recover() == ()
    assert live(acme_shop.sim) == 2, "nothing is looked for before it has settled"

    acme_shop.wait(1000)
    acme_shop.client.recover()

    assert live(acme_shop.sim) == 1 and strays(acme_shop) == ["voided"]
    assert acme_shop.ship() == shipment
    assert [b.id for b in acme_shop.sim.bookings() if b.state.value == "live"] == [shipment.shipment_id]


def test_a_booking_that_was_answered_at_once_costs_one_look_and_no_more(acme_shop: Shop) -> None:
    acme_shop.ship()
    for _ in range(5):
        acme_shop.wait(5000)
        assert acme_shop.client.recover() == ()
    assert acme_shop.asked == ["create_shipment", "find_shipments"]


def listed_facts() -> Any:
    facts = acme_facts()
    return attrs.evolve(facts, recovery=attrs.evolve(facts.recovery, find=FindMethod.BY_LIST))


class Listed(Acme):
    """It is asked by the day's list, which costs more than one request."""

    @classmethod
    def facts(cls) -> Any:
        return listed_facts()


@pytest.mark.parametrize(
    ("kind", "which", "looks"),
    [(Acme, "none", 0), (Acme, "exact", 1), (Listed, "exact", 0), (Listed, "all", 1), (Mute, "all", 0)],
)
def test_the_host_says_which_bookings_are_looked_for_once_more(kind: type[Acme], which: str, looks: int) -> None:
    with shop(AcmeDialect, kind, Settings(watch_booked=which)) as opened:
        opened.ship()
        opened.wait(2000)
        opened.client.recover()
        assert opened.asked.count("find_shipments") == looks


def test_a_booking_that_comes_after_everything_had_settled_is_undone(acme_shop: Shop) -> None:
    acme_shop.lose("commit_late", after_s=2000)
    acme_shop.doubt()
    acme_shop.wait(1000)
    shipment = acme_shop.ship()
    assert acme_shop.row.attempt == 2 and live(acme_shop.sim) == 1

    acme_shop.wait(1500)
    acme_shop.sim.wait_for_late_commits()
    assert live(acme_shop.sim) == 2
    acme_shop.client.recover()

    assert live(acme_shop.sim) == 1 and acme_shop.ship() == shipment


def test_a_late_booking_resolves_a_row_that_nobody_bought_again(acme_shop: Shop) -> None:
    acme_shop.lose("commit_late", after_s=2000)
    acme_shop.doubt()
    acme_shop.wait(1000)
    acme_shop.client.recover()
    assert acme_shop.row.phase is Phase.ABSENT

    acme_shop.wait(1500)
    acme_shop.sim.wait_for_late_commits()
    ((_, done),) = acme_shop.client.recover()

    assert isinstance(done.value, Shipment) and acme_shop.ship() == done.value
    assert live(acme_shop.sim) == 1


def test_a_late_booking_under_a_key_that_was_undone_is_undone_too(acme_shop: Shop) -> None:
    acme_shop.lose("commit_late", after_s=2000)
    acme_shop.doubt()
    acme_shop.wait(1000)
    assert acme_shop.client.cancel_shipment(key="order-1").outcome is CancelOutcome.VOIDED
    shipment = acme_shop.ship()
    assert shipment.generation == 2

    acme_shop.wait(1500)
    acme_shop.sim.wait_for_late_commits()
    assert live(acme_shop.sim) == 2
    acme_shop.client.recover()
    assert live(acme_shop.sim) == 1 and acme_shop.ship() == shipment


class Renaming(Acme):
    """Where it is looked up, a booking bears another name."""

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        hits = yield from Acme.find_shipments(self, request)
        return tuple(attrs.evolve(hit, shipment_id=f"again-{hit.shipment_id}") for hit in hits)


def test_the_rows_own_booking_is_never_undone_whatever_it_is_called() -> None:
    with shop(AcmeDialect, Renaming, Settings(watch_booked="all")) as opened:
        shipment = opened.ship()
        opened.wait(2000)
        opened.client.recover()
        assert live(opened.sim) == 1 and strays(opened) == []
        # Even where it got among the strays.
        opened.store.book(opened.row, "again", attrs.evolve(shipment, shipment_id="again"), True)
        opened.client.recover()
        assert live(opened.sim) == 1 and strays(opened) == ["shown"]


def closed_facts() -> Any:
    return attrs.evolve(acme_facts(), void=VoidPolicy(window_h=0))


class Closed(Acme):
    """What is booked stays booked."""

    @classmethod
    def facts(cls) -> Any:
        return closed_facts()


class Stubborn(Acme):
    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        raise NotSupportedError("this kind is not undone")


@pytest.mark.parametrize(
    ("kind", "chosen"), [(Acme, Settings(void_strays=False)), (Closed, Settings()), (Stubborn, Settings())]
)
def test_a_second_booking_that_may_not_or_cannot_be_undone_is_shown(kind: type[Acme], chosen: Settings) -> None:
    with shop(AcmeDialect, kind, chosen) as opened:
        told: list[Any] = []
        opened.lose("commit_twice")
        opened.ship()
        opened.wait(2000)
        accounts = {"acme-de": opened.account}
        with Client(accounts, store=opened.store, settings=chosen, observers=[told.append]) as client:
            client.recover()
            assert live(opened.sim) == 2 and strays(opened) == ["shown"]
            assert "shown" in [event.detail for event in told if event.kind == "strays"]
            assert client.recover() == (), "it is told once"


def test_unknown_to_the_carrier_is_no_answer_before_everything_has_settled() -> None:
    with shop(AcmeDialect, Acme) as opened:
        shipment = opened.ship()
        other = attrs.evolve(shipment, shipment_id="acme-99", tracking_numbers=(), packages=())
        opened.store.book(opened.row, "acme-99", other, True)
        opened.client.recover()
        assert strays(opened) == ["open"]
        opened.wait(2000)
        opened.client.recover()
        assert strays(opened) == ["gone"]


def test_an_account_that_is_gone_neither_stops_nor_starves_the_others_and_ends_with_a_person(acme_shop: Shop) -> None:
    acme_shop.lose("drop_before")
    acme_shop.doubt()
    with Client({"other": acme_shop.account}, store=acme_shop.store) as client:
        acme_shop.wait(1000)
        ((key, done),) = client.recover()
        assert key == "order-1" and isinstance(done.error, InputError)
        assert client.recover() == (), "it comes again later"
        looks = 0
        while acme_shop.row.phase is Phase.IN_DOUBT:
            acme_shop.wait(3600)
            looks += len(client.recover())
        assert acme_shop.row.phase is Phase.NEEDS_PERSON and looks < 30
        acme_shop.wait(10 * 86400)
        client.recover()
        assert client.recover() == ()


def test_a_row_that_nobody_can_read_comes_last_and_ends_with_a_person(acme_shop: Shop) -> None:
    acme_shop.lose("drop_before")
    acme_shop.doubt()
    acme_shop.store._replace(attrs.evolve(acme_shop.row, operation="teleport"))
    for n in range(3):
        acme_shop.store.claim(claim(key=f"later-{n}", base=f"B{n}", lease_s=1.0, watch_s=0.0))
    acme_shop.wait(1000)
    first = dict(acme_shop.client.recover(limit=1))
    assert isinstance(first["order-1"].error, StoreError)
    assert [key for key, _ in acme_shop.client.recover(limit=1)] == ["later-0"]
    while acme_shop.row.phase is Phase.IN_DOUBT:
        acme_shop.wait(3600)
        acme_shop.client.recover()
    assert acme_shop.row.phase is Phase.NEEDS_PERSON


def test_looks_at_a_doubt_come_at_growing_distances_and_never_miss_the_moment_of_proof() -> None:
    clock = Hands()
    store = MemoryStore(clock=clock)
    entry = store.claim(claim(settle_s=910.0, watch_s=0.0))
    assert entry is not None and entry.settle_at is not None
    store.doubt(entry, "silence")
    began, looked = clock.at, []
    while clock.at - began < 86_400:
        (row,) = store.due(10)
        looked.append(clock.at - began)
        in_s = next_look_s(row, store.now())
        store.look_again(row, in_s)
        assert store.due(10) == ()
        clock.at += in_s
    assert 910.0 in looked, "asked then, absence proves something"
    assert len(looked) < 25
    gaps = [after - before for before, after in itertools.pairwise(looked)]
    assert gaps[-1] > 100 * gaps[0]


@given(st.integers(60, 20_000), st.integers(0, 100_000), st.integers(1, 3))
@settings(max_examples=50)
def test_watching_ends(settle_s: int, watch_s: int, attempt: int) -> None:
    clock, chosen, looks = Hands(), Settings(settle_s=settle_s, watch_s=watch_s), 0
    store = MemoryStore(clock=clock)
    for number in range(1, attempt + 1):
        entry = store.claim(claim(attempt=number, settle_s=float(settle_s), watch_s=float(watch_s)))
        assert entry is not None
        store.refuse(entry, "no")
    while waiting := list(store._waiting.values()):
        clock.at = max(clock.at, max(waiting).timestamp())
        for row in store.due(10):
            looks += 1
            store.look_again(row, next_watch_s(row, chosen, store.now()))
    assert looks <= (3 + watch_s // settle_s if attempt > 1 else 0)


def test_two_workers_never_get_the_same_row_within_the_hold(acme_shop: Shop) -> None:
    acme_shop.lose("drop_before")
    acme_shop.doubt()
    first = acme_shop.store.due(10, "", 5)
    assert [row.key for row in first] == ["order-1"] and acme_shop.store.due(10, "", 5) == ()
    acme_shop.later.offset += 6
    assert [row.key for row in acme_shop.store.due(10, "", 5)] == ["order-1"]
