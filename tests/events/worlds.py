"""Simulated parcels and what carriers tell of them, true by construction: the scripts say where each parcel ends.

The script of a parcel names at each step what the carrier's scan says and where the parcel then is; that second column
is the truth, and nothing of the fold is used to make it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import attrs

from shipkit.events.zones import located
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

__all__ = ["ENDS", "World", "simulated"]


class Step(NamedTuple):
    """One scan: what it says, how many hours after the one before, and where the parcel is then (None: as before)."""

    says: str | None
    reason: str
    after_h: float
    truth: str | None
    far: bool = True
    """At the recipient's end, in the zone there."""


@attrs.frozen(kw_only=True)
class World:
    """One parcel: what happened, in what order and batches it is told, and where it truly is."""

    number: int
    end: str
    style: str
    parcel: Parcel
    batches: tuple[tuple[TrackResult, ...], ...]
    truth: Milestone

    def arrivals(self) -> list[TrackingEvent]:
        """Every event as it came in."""
        return [event for batch in self.batches for result in batch for event in result.events]


def _network(random: Random, steps: int) -> list[Step]:
    found = []
    for _ in range(steps):
        reason = random.choice(["arrived_at_facility", "departed_facility", "processed_at_facility"])
        found.append(Step("in_transit", reason, random.uniform(3, 14), "in_transit", random.random() < 0.5))
        if random.random() < 0.1:
            found.append(Step(None, random.choice(["delayed_weather", "delayed_carrier", "unmapped"]), 1.2, None))
    return found


def _tour(random: Random) -> Step:
    return Step("out_for_delivery", "loaded_for_delivery", random.uniform(9, 14), "out_for_delivery")


def _failed(random: Random) -> Step:
    reason = random.choice(["recipient_absent", "notice_left", "access_restricted", "business_closed"])
    return Step("delivery_attempted", reason, random.uniform(2, 5), "delivery_attempted")


def _handed(random: Random) -> Step:
    reason = random.choice(["delivered", "delivered_signed", "delivered_safe_place", "delivered_to_neighbour"])
    return Step("delivered", reason, random.uniform(2, 6), "delivered")


def _waits(random: Random) -> Step:
    return Step("ready_for_pickup", "awaiting_collection", random.uniform(3, 6), "ready_for_pickup")


def _back(random: Random, *, home: bool = True) -> list[Step]:
    """The way back; many carriers scan the hand-over to the sender as a delivery."""
    steps = [Step("returning", "returning_to_sender", random.uniform(10, 30), "returning")]
    for _ in range(random.randint(1, 3)):
        says = random.choice(["in_transit", "in_transit", "out_for_delivery", "returning"])
        steps.append(Step(says, "arrived_at_facility", random.uniform(6, 20), "returning", random.random() < 0.5))
    if home:
        says, reason = random.choice(
            [("delivered", "delivered"), ("returned", "returned_to_sender"), ("delivered", "delivered_signed")]
        )
        steps.append(Step(says, reason, random.uniform(9, 20), "returned", False))
    return steps


def _script(random: Random, end: str) -> list[Step]:
    """From the announcement to the end."""
    first = Step("accepted", random.choice(["picked_up", "dropped_off"]), random.uniform(4, 30), "accepted", False)
    steps = [Step("announced", "label_created", 0, "announced", False)] if random.random() < 0.93 else []
    if end == "cancelled":
        return [*steps, Step("cancelled", "cancelled_by_shipper", 8, "cancelled", False)]
    if end == "moved_after_cancel":
        steps.append(Step("cancelled", "cancelled_by_shipper", 3, "cancelled", False))
    if random.random() < 0.9:
        steps.append(first)
    steps += _network(random, random.randint(1, 6))
    if end == "customs_hold" or random.random() < 0.1:
        steps.append(Step(None, random.choice(["customs_held", "duties_unpaid"]), 3, None))
        steps.append(Step(None, "customs_cleared", random.uniform(5, 60), None))
        steps += _network(random, 1)
    if end == "seized":
        return [*steps, Step("destroyed", "seized", 30, "destroyed")]
    if end == "lost":
        return [*steps, Step("lost", "lost", random.uniform(100, 300), "lost")]
    if end == "found":
        steps.append(Step("lost", "lost", random.uniform(100, 300), "lost"))
        steps += _network(random, 1)
    if end == "redirected":
        steps += [Step(None, "redirected", 2, None), *_network(random, 2)]
    if end in ("second_attempt", "third_attempt", "shop_after_attempt"):
        for _ in range(2 if end == "third_attempt" else 1):
            steps += [_tour(random), _failed(random)]
            if random.random() < 0.5:  # back at the depot, the day after
                steps.append(Step("in_transit", "arrived_at_delivery_depot", random.uniform(9, 14), "in_transit"))
    if end == "wrong_delivery":
        steps += [_tour(random), Step("delivered", "delivered", 3, "delivered"), Step("RETRACT", "error", 2, None)]
        steps[-1] = steps[-1]._replace(truth="out_for_delivery")
    if end in ("shop", "shop_after_attempt"):
        return [
            *steps,
            *([_tour(random)] if end == "shop" else []),
            _waits(random),
            Step("delivered", "collected_by_recipient", random.uniform(5, 90), "delivered"),
        ]
    if end == "uncollected":
        return [*steps, _tour(random), _waits(random), Step(None, "uncollected", 100, None), *_back(random)]
    if end == "refused":
        refused = Step("delivery_attempted", "refused_by_recipient", 3, "delivery_attempted")
        return [*steps, _tour(random), refused, *_back(random)]
    if end == "returning":
        return [*steps, _tour(random), _failed(random), *_back(random, home=False)]
    if end == "sent_back":
        return [*steps, _tour(random), _handed(random), *_back(random)]
    return [*steps, _tour(random), _handed(random)]


#: How often each end comes, in parts; the shares are invented, only that each end is there matters.
ENDS: Final = {
    "delivered": 22, "second_attempt": 10, "third_attempt": 4, "shop": 10, "shop_after_attempt": 5, "uncollected": 5,
    "refused": 8, "returning": 4, "sent_back": 4, "customs_hold": 6, "seized": 2, "lost": 4, "found": 3,
    "redirected": 5, "wrong_delivery": 4, "cancelled": 2, "moved_after_cancel": 2,
}  # fmt: skip

_TRAILING: Final = (
    Step(None, "proof_recorded", 1, None),
    Step(None, "information", 2, None),
    Step("in_transit", "processed_at_facility", 2, None),  # a scanner that was emptied late stamps its own hour
    Step("announced", "data_received", 3, None),
    Step("out_for_delivery", "loaded_for_delivery", 1, None),
    Step(None, "unmapped", 5, None),
)
_WAYS: Final = (  # countries and zones of both ends
    ("DE", "Europe/Berlin", "DE", "Europe/Berlin"),
    ("FR", "Europe/Paris", "FR", "Europe/Paris"),
    ("DE", "Europe/Berlin", "JP", "Asia/Tokyo"),
    ("GB", "Europe/London", "FI", "Europe/Helsinki"),
    ("US", "America/Los_Angeles", "US", "America/New_York"),
    ("US", "America/New_York", "DE", "Europe/Berlin"),
)
#: How a carrier prints its times: with offsets; local, with a country that has one zone; local and nothing else.
STYLES: Final = ("offsets", "places", "bare")


def simulated(number: int, seed: int = 1) -> World:
    """The *number*-th parcel of a campaign."""
    random = Random(f"{seed}/{number}")
    end = random.choices(list(ENDS), weights=list(ENDS.values()))[0]
    steps = _script(random, end)
    if random.random() < 0.2:  # seen while it is still on its way
        steps = steps[: random.randint(1, len(steps))]
    truth = next(Milestone(step.truth) for step in reversed(steps) if step.truth is not None)
    if random.random() < 0.35 and truth not in (Milestone.LOST, Milestone.CANCELLED):
        kinds = _TRAILING if truth.terminal else [step for step in _TRAILING if step.says is None]
        steps = [*steps, *random.choices(kinds, k=random.randint(1, 3))]
    style = random.choices(STYLES, weights=(5, 3, 2))[0]
    ways = _WAYS if style == "offsets" else _WAYS[:4] if style == "places" else _WAYS[:2]
    begin = datetime(2026, 1, 5, tzinfo=timezone.utc) + timedelta(minutes=random.randrange(330 * 24 * 60))
    parcel = Parcel(
        scope=f"acme:{number}:{begin:%Y-%m-%d}", carrier="acme", account="main", number=str(number), since=begin
    )
    events = _events(random, steps, begin, parcel, style, random.choice(ways))
    batches = _told(random, events, begin, parcel)
    return World(number=number, end=end, style=style, parcel=parcel, batches=batches, truth=truth)


def _events(
    random: Random, steps: list[Step], begin: datetime, parcel: Parcel, style: str, way: tuple[str, str, str, str]
) -> list[TrackingEvent]:
    moment, found = begin, list[TrackingEvent]()
    own_ids = random.random() < 0.3
    last = max((index for index, step in enumerate(steps) if step.says in ("delivered", "returned")), default=-1)
    for index, step in enumerate(steps):
        moment += timedelta(hours=step.after_h, minutes=1)
        country, zone = (way[2], way[3]) if step.far else (way[0], way[1])
        # Of a day only the day: what follows on it in truth would come before it, which no rule could know.
        goes_back = any(later.says == "returning" and later.after_h < 24 for later in steps[index + 1 : index + 2])
        by_day = (step.says == "announced" and index == 0 and moment.hour < 20) or (index == last and not goes_back)
        time = _printed(moment, zone, style, only_day=by_day and random.random() < 0.2)
        retracts = found[-1].event_id if step.says == "RETRACT" else None
        says = None if step.says in (None, "RETRACT") else Milestone(step.says)
        event = TrackingEvent(
            scope=parcel.scope,
            time=time,
            milestone=says,
            reason=Reason(step.reason),
            code=f"{step.says}-{step.reason}",
            text=step.reason.replace("_", " "),
            place=EventPlace(city=zone.partition("/")[2], country=None if style == "bare" else country),
            native_id=f"e{index}" if own_ids else None,
            retracts=retracts,
            signed_by="DOE" if step.reason == "delivered_signed" else None,
            source=EventSource.POLL,
            observed_at=moment + timedelta(minutes=5),
            mapping_version="acme-1",
        )
        found.append(located(event))
    return found


def _printed(moment: datetime, zone: str, style: str, *, only_day: bool) -> EventTime:
    here = moment.astimezone(ZoneInfo(zone))
    local: datetime | date = here.replace(tzinfo=None, second=0, microsecond=0)
    if only_day:
        return EventTime(local=here.date(), precision=TimePrecision.DAY)
    if style != "offsets":
        return EventTime(local=local, precision=TimePrecision.MINUTE)
    offset = here.utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds() // 60)
    return EventTime(local=local, precision=TimePrecision.MINUTE, offset_min=minutes, basis=TimeBasis.OFFSET)


def _told(
    random: Random, events: list[TrackingEvent], begin: datetime, parcel: Parcel
) -> tuple[tuple[TrackResult, ...], ...]:
    """Pushes late, twice, unordered or never, and full answers between them; what was not pushed is polled at last."""
    number = TrackingNumber(value=parcel.number, carrier="acme")

    def answer(told: Iterable[TrackingEvent], at: datetime, source: EventSource, *, full: bool) -> TrackResult:
        listed = [evolve(event, source=source, observed_at=at) for event in told]
        return TrackResult(number=number, events=tuple(listed), complete=full, received_at=at)

    arrivals: list[tuple[datetime, int, TrackResult]] = []
    missed = False
    for index, event in enumerate(events):
        known_at = event.observed_at
        if random.random() < 0.12:
            missed = True
            continue
        poor = evolve(event, text=None, signed_by=None)
        for _ in range(1 + (random.random() < 0.25)):
            late = random.choice([0.01, 0.01, 0.02, 0.5, 3, 8, 50])
            at = known_at + timedelta(hours=late * random.random())
            arrivals.append((at, index, answer([poor], at, EventSource.WEBHOOK, full=False)))
    end = max(event.observed_at for event in events)
    polls = [begin + (end - begin) * random.random() for _ in range(random.randint(0, 3))]
    if missed or random.random() < 0.5:
        polls.append(end + timedelta(hours=random.uniform(0, 30)))
    for at in polls:
        shown = [event for event in reversed(events) if event.observed_at <= at]
        if shown:
            arrivals.append((at, len(events), answer(shown, at, EventSource.POLL, full=True)))
    arrivals.sort(key=lambda arrival: arrival[:2])
    batches: list[list[TrackResult]] = []
    for _, _, result in arrivals:
        if not batches or random.random() < 0.6:
            batches.append([])
        batches[-1].append(result)
    for batch in batches:
        random.shuffle(batch)
    return tuple(tuple(batch) for batch in batches)
