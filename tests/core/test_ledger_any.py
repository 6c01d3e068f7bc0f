"""Whatever happens to the calls under one key, in any order: one live booking at most once all is quiet, and an end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipkit import MemoryStore, Settings, ShipkitError, SqliteStore
from shipkit.model import NoticeCode
from shipkit.ports import Phase
from shipkit.simulator import Dialect
from shipkit.store.audit import broken_at
from tests.core.acme import Acme
from tests.core.keyed import Mute, Native, RefusingDialect, RepeatingDialect, Unique
from tests.core.test_client import Later
from tests.core.test_ledger_modes import Shop, shop
from tests.simulator.acme import AcmeDialect


def in_memory(clock: Later) -> Any:
    return MemoryStore(clock=clock)


def in_sql(clock: Later) -> Any:
    return SqliteStore(":memory:", clock=clock)


KINDS: list[tuple[type[Dialect], type[Acme], Callable[[Later], Any]]] = [
    (AcmeDialect, Acme, in_memory),
    (AcmeDialect, Acme, in_sql),
    (RepeatingDialect, Native, in_memory),
    (RefusingDialect, Unique, in_sql),
    (AcmeDialect, Mute, in_memory),
]
FAULTS = ["drop_before", "drop_after_commit", "500", "truncated", "find_lags", "commit_twice", "200_with_error", "429"]
STEPS = st.one_of(
    st.tuples(st.just("ship"), st.just(0)),
    st.tuples(st.just("recover"), st.just(0)),
    st.tuples(st.just("cancel"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([30, 600, 1000])),
    st.tuples(st.just("fault"), st.integers(0, len(FAULTS) - 1)),
    st.tuples(st.just("find fails"), st.just(0)),
)


def taken(opened: Shop, what: str, number: int) -> None:
    match what:
        case "ship":
            opened.ship(deadline_s=3)
        case "recover":
            opened.client.recover(deadline_s=3)
        case "cancel":
            opened.client.cancel_shipment(key="order-1", deadline_s=3)
        case "wait":
            opened.wait(number)
        case "fault":
            more = {"lag_s": 60} if FAULTS[number] == "find_lags" else {}
            opened.lose(FAULTS[number], **more)
        case "find fails":
            opened.sim.add_fault("503", operation="find_shipments", times=1, retry_after_s=0)


@pytest.mark.parametrize(("dialect", "kind", "make"), KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_one_live_booking_at_most_and_every_key_comes_to_an_end(
    dialect: type[Dialect], kind: type[Acme], make: Callable[[Later], Any], steps: list[tuple[str, int]]
) -> None:
    with shop(dialect, kind, Settings(attempts=1), make) as opened:
        for what, number in [*steps, ("ship", 0)]:
            with suppress(ShipkitError):
                taken(opened, what, number)
        opened.sim.faults.clear()
        for _ in range(8):
            opened.wait(2000)
            opened.client.recover()

        row = opened.row
        assert row.phase not in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)
        booked = [booking.id for booking in opened.sim.bookings() if booking.state.value == "live"]
        twice = kind is Mute and "commit_twice" in [FAULTS[n] for what, n in steps if what == "fault"]
        assert len(booked) <= 1 or twice, "twice only where a gateway did it and nobody can be asked"
        if row.phase is Phase.SUCCEEDED:
            assert row.booking in booked
        if row.phase in (Phase.VOIDED, Phase.REJECTED, Phase.ABSENT, Phase.NEW):
            assert booked == [] or twice
        assert all(count.overlapping == 0 for count in opened.sim.counts("mark").values())


MORE_STEPS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(["SO042", "SO042", "SO043"])),
    st.tuples(st.just("close"), st.just(0)),
    st.tuples(st.just("enter"), st.just(0)),
    st.tuples(st.just("restored"), st.sampled_from([0, 600])),
    st.tuples(st.just("very late"), st.sampled_from([500, 4000])),
    STEPS,
)


class Host:
    """It asks for one order or another under a key, decides what a person decides, and remembers what it was handed."""

    def __init__(self, opened: Shop) -> None:
        self.opened, self.handed = opened, dict[int | None, Any]()

    @property
    def live(self) -> list[str]:
        return [booking.id for booking in self.opened.sim.bookings() if booking.state.value == "live"]

    def does(self, what: str, how: Any) -> None:
        client, store = self.opened.client, self.opened.store
        match what:
            case "order":
                self.is_handed(self.opened.ship(how, deadline_s=3), how)
            case "close":
                client.close_key(key="order-1", note="not there")
            case "enter":
                row = store.read("order-1")
                if row is not None and row.phase is Phase.NEEDS_PERSON and self.live:
                    client.resolve(key="order-1", shipment_id=self.live[0])
            case "restored":
                store.restored(how, 910)
            case "very late":
                self.opened.lose("commit_late", after_s=how)
            case _:
                taken(self.opened, what, how)

    def is_handed(self, shipment: Any, reference: str) -> None:
        assert shipment.reference == reference, "what came late for one order was handed out for another"
        first = self.handed.setdefault(shipment.generation, shipment)
        messages = {message.code for message in (*first.messages, *shipment.messages)}
        assert first == shipment or NoticeCode.ENTERED_BY_PERSON in messages


@pytest.mark.parametrize(("dialect", "kind", "make"), KINDS[:2] + KINDS[3:4])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(MORE_STEPS, max_size=16))
def test_whatever_comes_late_and_whatever_a_person_decides_no_live_booking_is_unknown(
    dialect: type[Dialect], kind: type[Acme], make: Callable[[Later], Any], steps: list[tuple[str, Any]]
) -> None:
    with shop(dialect, kind, Settings(attempts=1), make) as opened:
        host = Host(opened)
        for what, how in steps:
            with suppress(ShipkitError):
                host.does(what, how)
        opened.sim.faults.clear()
        for _ in range(12):
            opened.wait(4000)
            opened.sim.wait_for_late_commits()
            opened.client.recover()
        row = opened.store.read("order-1")
        strays = {stray.booking: stray.phase for stray in opened.store.strays("order-1")}
        shown = {booking for booking, phase in strays.items() if phase == "shown"}
        own = {row.booking} if row is not None and row.phase is Phase.SUCCEEDED else set()
        assert own <= set(host.live) <= own | shown and "open" not in strays.values()
        if row is not None:
            assert row.phase not in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)
            assert broken_at(opened.store.history("order-1"), row) is None
