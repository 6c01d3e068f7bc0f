"""What is told to the world when a projection follows another: each thing once, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from shipkit.events.cloud import News, announcement
from shipkit.model import (
    ChangeKind,
    DeliveryException,
    FrozenMap,
    Milestone,
    MilestoneChange,
    MilestoneEntry,
    Timeline,
    TrackingEvent,
    Value,
)
from shipkit.ports.events import Announcement, Parcel

__all__ = ["announced"]


def announced(
    parcel: Parcel, timeline: Timeline, fresh: Iterable[TrackingEvent]
) -> tuple[Parcel, tuple[Announcement, ...]]:
    """The announcements that *timeline* calls for, and *parcel* with what is told by now.

    *fresh* are the events that were not known before. Of milestones the k-th entry is told when a projection first
    shows k, and never again; where the entries that are told, played in order, would leave the parcel elsewhere than
    *timeline* does, one correction follows.
    """
    told = _Telling(parcel)
    for event in fresh:
        told.add(News.EVENT, event, f"event|{event.event_id}", event.time.instant)
    for change in told.changes(timeline):
        entered = change.kind is ChangeKind.ENTERED
        told.add(News.ENTERED if entered else News.CORRECTED, change, _change_key(change), change.at.instant)
    told.add_problems(parcel.timeline, timeline)
    told.add_beside(parcel.timeline, timeline)
    counts = dict(parcel.announced)
    for entry in timeline.entries:
        counts[entry.milestone.value] = max(counts.get(entry.milestone.value, 0), entry.ordinal)
    after = attrs.evolve(
        parcel, announced=FrozenMap(counts), told=timeline.milestone, sequence=told.sequence, timeline=timeline
    )
    return after, tuple(told.made)


def _change_key(change: MilestoneChange) -> str:
    key = f"{change.kind.value}|{change.to_milestone.value}|{change.ordinal}"
    return key if change.kind is ChangeKind.ENTERED else f"{key}|{change.revision}"


class _Telling:
    """Announcements of one scope, numbered on from its last."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel, self.sequence = parcel, parcel.sequence
        self.made: list[Announcement] = []

    def add(self, news: News, data: Value, key: str, happened_at: datetime | None) -> None:
        self.sequence += 1
        self.made.append(
            announcement(news, data, parcel=self.parcel, key=key, sequence=self.sequence, happened_at=happened_at)
        )

    def changes(self, timeline: Timeline) -> Iterator[MilestoneChange]:
        """The entries that are shown for the first time, and where that does not lead to the present, a correction."""
        at = self.parcel.told
        before = Milestone.UNKNOWN
        for entry in timeline.entries:
            if entry.ordinal > self.parcel.announced.get(entry.milestone.value, 0):
                yield _change(ChangeKind.ENTERED, timeline, before, entry)
                at = entry.milestone
            before = entry.milestone
        if at is not timeline.milestone:
            previous = self.parcel.timeline.entries if self.parcel.timeline is not None else ()
            cause = timeline.entries[-1] if timeline.entries else previous[-1] if previous else None
            if cause is not None:
                here = cause if timeline.entries else attrs.evolve(cause, milestone=Milestone.UNKNOWN, ordinal=0)
                yield _change(ChangeKind.CORRECTED, timeline, at, here)

    def add_problems(self, previous: Timeline | None, timeline: Timeline) -> None:
        """Problems that are new, and those that ended or are no more."""
        known = {_name(one): one for one in previous.exceptions} if previous is not None else {}
        now = {_name(one): one for one in timeline.exceptions}
        for name, problem in now.items():
            if name not in known:
                self.add(News.OPENED, problem, f"opened|{name}", problem.since.instant)
            if problem.resolved_by is not None and (name not in known or known[name].resolved_by is None):
                self.add(News.RESOLVED, problem, f"resolved|{name}", None)
        for name, problem in known.items():
            if name not in now and problem.resolved_by is None:
                self.add(News.RESOLVED, problem, f"resolved|{name}", None)

    def add_beside(self, previous: Timeline | None, timeline: Timeline) -> None:
        """Another estimate, a proof, evidence that does not fit."""
        if timeline.transit is not None and (previous is None or previous.transit != timeline.transit):
            self.add(News.TRANSIT, timeline.transit, f"transit|{timeline.revision}", timeline.transit.computed_at)
        if timeline.proof is not None and (previous is None or previous.proof != timeline.proof):
            proof = timeline.proof
            self.add(News.PROVED, proof, f"proved|{timeline.revision}", proof.delivered_at.instant)
        known = {(one.kind, one.event_id) for one in previous.anomalies} if previous is not None else set()
        for anomaly in timeline.anomalies:
            if (anomaly.kind, anomaly.event_id) not in known:
                self.add(News.ANOMALY, anomaly, f"anomaly|{anomaly.kind.value}|{anomaly.event_id}", None)


def _name(problem: DeliveryException) -> str:
    return f"{problem.reason}|{problem.event_id}"


def _change(kind: ChangeKind, timeline: Timeline, before: Milestone, entry: MilestoneEntry) -> MilestoneChange:
    return MilestoneChange(
        kind=kind,
        scope=timeline.scope,
        tracking_number=timeline.tracking_number,
        from_milestone=before,
        to_milestone=entry.milestone,
        ordinal=entry.ordinal,
        reason=entry.reason,
        at=entry.at,
        event_id=entry.event_id,
        revision=timeline.revision,
    )
