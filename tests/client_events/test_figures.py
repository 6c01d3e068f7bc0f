"""The figures of a business are what its store keeps, whichever client counts, and of the time that was asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from shipkit.errors import InputError
from shipkit.events.kpi import Counting
from shipkit.store import MemoryStore
from tests.client_events.stage import START, Clock, event, hosted, parcel, row


def test_figures_are_those_of_all_parcels_and_events_of_the_time(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        early = clock.at
        store.events.follow([parcel("P1", since=early, origin="DE", destination="FR")])
        host.push(row("P1", event("accepted", 1), event("in_transit", 2)))
        host.drain()
        clock.on(3 * 86_400)
        late = clock.at
        store.events.follow([parcel("P2", since=late)])
        host.push(row("P1", event("delivered", 90)), row("P2", event("accepted", 95)))
        host.drain()

        lane, unknown = sorted(host.figures(), key=lambda one: one.lane, reverse=True)
        assert (lane.lane, lane.parcels, unknown.lane, unknown.parcels) == ("DE>FR", 1, "", 1)
        assert lane.milestones == {"accepted": 1, "in_transit": 1, "delivered": 1}
        assert lane.lag_s is not None and lane.lag_s.count == 3
        assert unknown.lag_s is not None and unknown.lag_s.count == 1

        lane, unknown = sorted(host.figures(late), key=lambda one: one.lane, reverse=True)
        assert lane.parcels == 0 and lane.lag_s is not None and lane.lag_s.count == 1, (
            "an event of now, an older parcel"
        )
        assert unknown.parcels == 1
        assert host.figures(clock.at + timedelta(days=1)) == ()
        with pytest.raises(InputError):
            host.figures(datetime(2026, 3, 1))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 200])
def test_the_announcements_of_a_time_are_found_wherever_it_begins(count: int) -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    with hosted(store, clock=clock) as host:
        store.events.follow([parcel("P1", since=START)])
        times = []
        for place in range(count):
            clock.on(7200)
            times.append(clock.at)
            host.push(row("P1", event("in_transit", place)))
            host.drain()
        for since in [*times[:: max(1, count // 9)], clock.at + timedelta(hours=9)]:
            figures = host.figures(since)
            found = sum(one.lag_s.count for one in figures if one.lag_s is not None)
            assert found == sum(at >= since for at in times)


def test_nothing_counted_is_no_row() -> None:
    assert Counting().figures() == ()
