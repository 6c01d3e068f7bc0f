"""What a parcel's next state costs, beside a JSON round trip of the same events."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from shipkit.codec import from_json, to_json
from shipkit.events import fold
from shipkit.events.advancing import advanced
from shipkit.model import (
    EventPlace,
    EventSource,
    EventTime,
    Milestone,
    Reason,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
    evolve,
)
from shipkit.ports.events import Parcel

from .timing import Figure, paired

__all__ = ["advancing", "folding"]

EVENTS = 100
_RECEIVED = datetime(2026, 4, 2, 8, tzinfo=timezone.utc)
_WAY = ("announced", "accepted", *["in_transit"] * 5, "out_for_delivery", "delivery_attempted", "in_transit")
_PARCEL = Parcel(
    scope="acme:1Z999AA10123456784:2026-03-02", carrier="acme", account="main", number="1Z999AA10123456784",
    since=datetime(2026, 3, 2, tzinfo=timezone.utc),
)  # fmt: skip


def journey(index: int = 0) -> tuple[TrackingEvent, ...]:
    """A parcel that loops through the network for four days: 100 events, newest first as many carriers list them."""
    begin = datetime(2026, 3, 2, 8) + timedelta(minutes=index)
    return tuple(
        TrackingEvent(
            scope=_PARCEL.scope,
            time=EventTime(
                local=begin + timedelta(hours=hour),
                precision=TimePrecision.MINUTE,
                offset_min=-300,
                basis=TimeBasis.OFFSET,
            ),
            milestone=Milestone(_WAY[hour % len(_WAY)]) if hour < EVENTS - 1 else Milestone.DELIVERED,
            reason=Reason.ARRIVED_AT_FACILITY if hour % 3 else None,
            code=f"C{hour % 17}",
            code_type="I",
            text="Arrived at Facility",
            place=EventPlace(city="Louisville", region="KY", country="US", postal_code="40213"),
            source=EventSource.POLL,
            observed_at=_RECEIVED,
            mapping_version="acme-1",
        )
        for hour in reversed(range(EVENTS))
    )


def _fresh() -> Callable[[], tuple[TrackingEvent, ...]]:
    """Events that nobody has looked at: what they keep once it is asked for, such as their ids, is not there yet."""
    given = itertools.cycle([journey(index) for index in range(8)])
    return lambda: tuple([evolve(event, raw_ref=None) for event in next(given)])


def folding() -> list[Figure]:
    """The fold of events that were just read, beside reading and writing them."""
    events, ready = _fresh(), journey()
    texts = [to_json(event) for event in ready]
    plain: list[Any] = [json.loads(text) for text in texts]
    timeline = fold(ready)
    if timeline.milestone is not Milestone.DELIVERED or len(timeline.events) != EVENTS:
        raise RuntimeError(f"not what is to be measured: {timeline}")
    # To be given fresh events costs something too, on both sides.
    return [
        paired(
            f"fold of {EVENTS} events",
            lambda: fold(events()),
            lambda: (events(), [from_json(to_json(event), TrackingEvent) for event in ready]),
            bar=2,
            against="round trip by our codec",
        ),
        paired(
            f"fold of {EVENTS} events, plain JSON",
            lambda: fold(events()),
            lambda: (events(), [json.loads(json.dumps(one)) for one in plain]),
            bar=None,
            against="json.loads(json.dumps())",
        ),
    ]


def advancing() -> list[Figure]:
    """A parcel with 99 events that is told all 100, digest and announcements included; one that is told nothing new."""
    events, ready = _fresh(), journey()
    number = TrackingNumber(value=_PARCEL.number, carrier="acme")
    result = TrackResult(number=number, events=ready, complete=True, received_at=_RECEIVED)
    before = advanced(_PARCEL, (), ready[1:]).after
    after = attrs.evolve(advanced(before, ready[1:], ready, result=result).after)
    work = advanced(before, ready[1:], ready, result=result)
    if (
        len(work.events) != 1
        or not work.announcements
        or advanced(after, ready, ready, result=result).after is not after
    ):
        raise RuntimeError("not what is to be measured")

    def round_trip() -> object:
        return events(), [from_json(to_json(event), TrackingEvent) for event in ready]

    def moved() -> object:
        told = events()
        return advanced(before, told[1:], told, result=result)

    def still() -> object:
        told = events()
        return advanced(after, told, told, result=result)

    against = "round trip by our codec"
    return [
        paired("a parcel of 100 events moves on", moved, round_trip, bar=2, against=against),
        paired("a parcel of 100 events, nothing new", still, round_trip, bar=None, against=against),
    ]
