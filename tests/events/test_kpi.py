"""The figures are counts of what happened: any order of reading gives the same, and nothing is guessed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shipkit.events.advancing import advanced
from shipkit.events.kpi import BOOKED, Counting, Spread, on_time
from shipkit.model import (
    Commitment,
    EventTime,
    Milestone,
    TimeBasis,
    TimePrecision,
    TimeWindow,
    TransitEstimate,
)
from shipkit.ports import Phase
from shipkit.ports.events import Parcel
from tests.events.journeys import RECEIVED, START, at, event, evidence

SINCE = START.replace(tzinfo=timezone.utc)


def parcel(scope: str = "s", **more: Any) -> Parcel:
    given = {"carrier": "acme", "account": "acme-de", "number": f"N{scope}", "origin": "DE", "destination": "FR"}
    return Parcel(scope=scope, since=SINCE, **(given | more))


def promised(first_h: float | None, last_h: float | None, offset_min: int | None = 0) -> TransitEstimate:
    window = TimeWindow(
        earliest=None if first_h is None else at(first_h, offset_min),
        latest=None if last_h is None else at(last_h, offset_min),
    )
    return TransitEstimate(window=window, computed_at=RECEIVED, commitment=Commitment.GUARANTEED)


def delivered(hours: float, promise: TransitEstimate | None, offset_min: int | None = 0) -> Parcel:
    told = [event(at(hours, offset_min), "delivered")]
    return advanced(parcel(promise=promise), (), told).after


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_spread_is_ranks_of_what_was_measured(values: list[float]) -> None:
    spread = Spread.of(values)
    assert spread is not None
    assert spread.count == len(values)
    assert spread.longest == max(values)
    for share, value in ((0.5, spread.median), (0.9, spread.p90)):
        assert sum(one <= value for one in values) >= share * len(values)
        assert sum(one < value for one in values) < share * len(values)
    assert Spread.of([]) is None


@given(evidence(), st.lists(st.sampled_from(Phase), max_size=5))
def test_each_thing_is_counted_once(events: list[Any], phases: list[Phase]) -> None:
    work = advanced(parcel(), (), events)
    counting = Counting()
    for phase in phases:
        counting.booking("acme", "DE>FR", phase)
    counting.parcel(work.after)
    for told in work.announcements:
        counting.announcement(attrs.evolve(told, at=RECEIVED + timedelta(hours=5)), work.after)
    (row,) = counting.figures()
    assert (row.carrier, row.lane, row.parcels) == ("acme", "DE>FR", 1)
    assert sum(row.bookings.values()) == len(phases)
    assert row.bookings.get("booked", 0) == sum(phase in BOOKED for phase in phases)
    timeline = work.after.timeline
    assert timeline is not None
    assert dict(row.milestones) == dict.fromkeys({entry.milestone.value for entry in timeline.entries}, 1)
    assert set(row.exceptions) == {str(one.reason) for one in timeline.exceptions}
    assert sum(row.punctual.values()) == (timeline.milestone is Milestone.DELIVERED)
    assert (row.processing_s.count if row.processing_s else 0) == len({one.event_id for one in events})


def test_bookings_that_are_not_settled_are_no_failures() -> None:
    counting = Counting()
    for phase in (Phase.SUCCEEDED, Phase.SUCCEEDED, Phase.REJECTED, Phase.IN_DOUBT, Phase.IN_FLIGHT):
        counting.booking("acme", "", phase)
    (row,) = counting.figures()
    assert row.booking_success == 2 / 3
    assert row.bookings["open"] == 2
    assert row.on_time_rate is None
    assert row.exception_rate == {}


def test_what_was_promised_is_held_against_what_happened() -> None:
    assert on_time(delivered(30, promised(24, 48))) == "on_time"
    assert on_time(delivered(12, promised(24, 48))) == "early"
    assert on_time(delivered(50, promised(24, 48))) == "late"
    assert on_time(delivered(50, promised(24, None))) == "unknown"
    assert on_time(delivered(50, None)) == "unknown"
    assert on_time(parcel(promise=promised(24, 48))) == "unknown"


def test_a_time_without_offset_is_judged_by_its_bounds() -> None:
    assert on_time(delivered(47, promised(24, 48), None)) == "unknown"  # as well before as after the end
    assert on_time(delivered(30, promised(12, 48), None)) == "on_time"
    assert on_time(delivered(70, promised(24, 48), None)) == "late"


def test_a_promise_of_a_day_is_kept_until_its_end() -> None:
    day = EventTime(local=START.date(), precision=TimePrecision.DAY, offset_min=60, basis=TimeBasis.OFFSET)
    promise = TransitEstimate(window=TimeWindow(latest=day), computed_at=RECEIVED)
    evening = datetime(START.year, START.month, START.day, 23, 30)
    when = EventTime(local=evening, precision=TimePrecision.MINUTE, offset_min=60, basis=TimeBasis.OFFSET)
    work = advanced(parcel(promise=promise), (), [event(when, "delivered")])
    assert on_time(work.after) == "on_time"
