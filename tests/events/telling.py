"""Tellings of one parcel, pushes and answers, and what a consumer makes of the announcements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
from hypothesis import strategies as st

from shipkit.events.advancing import advanced
from shipkit.model import (
    Commitment,
    EventSource,
    EventTime,
    Milestone,
    ProofOfDelivery,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
    TransitEstimate,
)
from shipkit.ports.events import Announcement, Parcel, ParcelWork
from tests.events.journeys import RECEIVED, event, evidence

NUMBER = TrackingNumber(value="1Z", carrier="acme")
PARCEL = Parcel(
    scope="s",
    carrier="acme",
    account="main",
    number="1Z",
    key="order-1",
    since=datetime(2026, 3, 1, tzinfo=timezone.utc),
)

TRANSITS = st.builds(
    TransitEstimate,
    computed_at=st.sampled_from([RECEIVED - timedelta(hours=hours) for hours in range(3)]),
    commitment=st.sampled_from([Commitment.TARGET, Commitment.NONE]),
)
PROOFS = st.builds(
    ProofOfDelivery,
    delivered_at=st.sampled_from(
        [EventTime(local=datetime(2026, 3, day, 9), precision=TimePrecision.MINUTE) for day in (3, 4)]
    ),
    code_verified=st.none() | st.booleans(),
    age_verified=st.none() | st.just(18),
)


def answer(events: Iterable[TrackingEvent], *, complete: bool = False, hours: float = 0, **beside: Any) -> TrackResult:
    """What a carrier says of the parcel."""
    return TrackResult(
        number=NUMBER,
        events=tuple(events),
        complete=complete,
        received_at=RECEIVED + timedelta(hours=hours),
        **beside,
    )


@st.composite
def tellings(draw: st.DrawFn) -> list[TrackResult]:
    """Pushes and answers about one parcel, none of them full: any events, told any number of times."""
    events = draw(evidence())
    parts = draw(st.lists(st.lists(st.sampled_from(events), max_size=4) if events else st.just([]), max_size=4))
    return [
        answer(
            [attrs.evolve(one, source=draw(st.sampled_from([EventSource.WEBHOOK, EventSource.POLL]))) for one in part],
            transit=draw(st.none() | TRANSITS),
            proof=draw(st.none() | PROOFS),
        )
        for part in [events, *parts]
    ]


class Consumer:
    """Plays announcements in the order in which they come, as a subscriber does."""

    def __init__(self) -> None:
        self.milestone = Milestone.UNKNOWN
        self.open: Counter[str] = Counter()
        self.commitment: str | None = None
        self.keys: list[str] = []
        self.path: list[tuple[str, Milestone, Milestone]] = []
        self.sequence = 0

    def play(self, announcements: Iterable[Announcement]) -> None:
        for one in announcements:
            assert one.sequence == self.sequence + 1
            self.sequence = one.sequence
            self.keys.append(one.key)
            data = json.loads(one.body)["data"]
            kind = one.type.removeprefix("io.shipkit.").removesuffix(".v1")
            if kind.startswith("milestone."):
                before, to = Milestone(data["from_milestone"]), Milestone(data["to_milestone"])
                self.path.append((kind, before, to))
                self.milestone = to
            elif kind == "exception.opened":
                self.open[data["reason"]] += 1
            elif kind == "exception.resolved":
                self.open[data["reason"]] -= 1
            elif kind == "transit.changed":
                self.commitment = data.get("commitment", "unknown")

    def agrees(self, parcel: Parcel) -> None:
        """What was played is what is projected."""
        timeline = parcel.timeline
        assert timeline is not None
        assert self.milestone is timeline.milestone
        assert len(set(self.keys)) == len(self.keys)
        assert self.sequence == parcel.sequence
        still = Counter(str(one.reason) for one in timeline.exceptions if one.resolved_by is None)
        assert +self.open == still
        assert min(self.open.values(), default=0) >= 0
        if timeline.transit is not None:
            assert self.commitment == str(timeline.transit.commitment)
        else:
            assert self.commitment in (None, "none")


class Desk:
    """One parcel's row and evidence, as a store keeps them."""

    def __init__(self, parcel: Parcel = PARCEL) -> None:
        self.parcel = parcel
        self.evidence: dict[str, TrackingEvent] = {}
        self.consumer = Consumer()

    def tell(self, *answers: TrackResult) -> ParcelWork:
        told = [one for result in answers for one in result.events]
        work = advanced(self.parcel, list(self.evidence.values()), told, result=answers)
        self.evidence.update((one.event_id, one) for one in work.events)
        self.parcel = attrs.evolve(work.after, version=self.parcel.version + 1)
        self.consumer.play(work.announcements)
        return work


def all_told(batches: Iterable[Sequence[TrackResult]]) -> Desk:
    """A desk that was told everything, batch by batch, and that agrees with its consumer after each."""
    desk = Desk()
    for batch in batches:
        desk.tell(*batch)
        if desk.parcel.timeline is not None:
            desk.consumer.agrees(desk.parcel)
    return desk


__all__ = ["NUMBER", "PARCEL", "PROOFS", "TRANSITS", "Consumer", "Desk", "all_told", "answer", "event", "tellings"]
