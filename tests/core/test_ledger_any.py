"""Whatever happens to the calls under one key, in any order: one live booking at most once all is quiet, and an end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipkit import MemoryStore, Settings, ShipkitError, SqliteStore
from shipkit.ports import Phase
from shipkit.simulator import Dialect
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
