"""Events for the tests of the fold: single ones by hand, and any set of them by Hypothesis."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from shipkit.model import (
    Classifier,
    Commitment,
    EventPlace,
    EventTime,
    Milestone,
    Reason,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TransitEstimate,
)
from tests.model.making import event_times

START = datetime(2026, 3, 2, 8, 0)
RECEIVED = datetime(2026, 4, 2, 8, 0, tzinfo=timezone.utc)


def at(hours: float, offset_min: int | None = 0) -> EventTime:
    """A time so many hours after the start, printed with an offset unless it is None."""
    basis = TimeBasis.NONE if offset_min is None else TimeBasis.OFFSET
    local = START + timedelta(hours=hours)
    return EventTime(local=local, precision=TimePrecision.MINUTE, offset_min=offset_min, basis=basis)


def on(day: date) -> EventTime:
    """A time of which only the day is printed."""
    return EventTime(local=day, precision=TimePrecision.DAY)


def event(
    hours: float | EventTime, milestone: str | None = None, reason: str | None = None, **more: Any
) -> TrackingEvent:
    """One event of the parcel."""
    time = hours if isinstance(hours, EventTime) else at(hours)
    given: dict[str, Any] = {
        "scope": "s",
        "code": f"{milestone}/{reason}",
        "observed_at": RECEIVED,
        "mapping_version": "1",
    }
    return TrackingEvent(
        time=time,
        milestone=None if milestone is None else Milestone(milestone),
        reason=None if reason is None else Reason(reason),
        **(given | more),
    )


_MILESTONES = st.none() | st.sampled_from(list(Milestone))
_REASONS = st.none() | st.sampled_from([*Reason, Reason("never_heard_of")])
_TRANSITS = st.none() | st.builds(
    TransitEstimate,
    computed_at=st.sampled_from([RECEIVED, RECEIVED - timedelta(days=1)]),
    commitment=st.sampled_from(Commitment),
)


def _one(**more: Any) -> st.SearchStrategy[TrackingEvent]:
    return st.builds(
        TrackingEvent,
        scope=st.just("s"),
        piece=more.get("piece", st.none()),
        time=event_times(),
        milestone=_MILESTONES,
        reason=_REASONS,
        code=st.sampled_from(["A", "B"]),
        text=st.none() | st.sampled_from(["x", "yy", "zz"]),
        classifier=st.sampled_from([*Classifier, *[Classifier.ACTUAL] * 5]),
        native_id=st.none() | st.sampled_from(["n1", "n2", "n3"]),
        place=st.none() | st.builds(EventPlace, city=st.sampled_from(["Paris", "Lyon"])),
        transit=_TRANSITS,
        signed_by=st.none() | st.sampled_from(["DOE", "ROE"]),
        observed_at=st.sampled_from([RECEIVED, RECEIVED + timedelta(hours=3)]),
        mapping_version=st.sampled_from(["9", "10"]),
    )


@st.composite
def evidence(draw: st.DrawFn, pieces: bool = False) -> list[TrackingEvent]:
    """Any events at all: colliding ids, days and times, missing offsets, retractions, planned events."""
    piece = st.none() | st.sampled_from(["P1", "P2"]) if pieces else st.none()
    events = draw(st.lists(_one(piece=piece), max_size=8))
    for _ in range(draw(st.integers(0, 2))):
        if events:
            target = draw(st.sampled_from(events)).event_id
            kind = draw(st.sampled_from(["retracts", "supersedes"]))
            events.append(event(draw(st.integers(0, 400)), code="R", **{kind: target}))
    return events
