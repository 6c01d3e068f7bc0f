"""What is told to the world when a projection follows another: each thing once, whatever happened in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import attrs

from shipkit.events.changing import changes
from shipkit.events.cloud import News, announcement
from shipkit.model import (
    ChangeKind,
    Commitment,
    DeliveryException,
    FrozenMap,
    MilestoneChange,
    Timeline,
    TrackingEvent,
    TransitEstimate,
    Value,
    evolve,
)
from shipkit.ports.events import Announcement, Parcel

__all__ = ["announced"]


def announced(
    parcel: Parcel, timeline: Timeline, fresh: Iterable[TrackingEvent]
) -> tuple[Parcel, tuple[Announcement, ...]]:
    """The announcements that *timeline* calls for, and *parcel* with what is told by now.

    *fresh* are the events that were not known before. Of milestones see `shipkit.events.changes`. A problem is the k-th
    of its reason: it is opened once, resolved where it is over or was none, and opened again where late evidence takes
    its end back; so played in order the announcements leave open what *timeline* has open. Estimate and proof are told
    whenever they are others, an anomaly once.
    """
    telling = _Telling(parcel)
    for event in fresh:
        telling.add(News.EVENT, event, f"event|{event.event_id}", event.time.instant)
    for change in changes(parcel.timeline, timeline, parcel.announced):
        entered = change.kind is ChangeKind.ENTERED
        telling.add(News.ENTERED if entered else News.CORRECTED, change, _change_key(change), change.at.instant)
    for entry in timeline.entries:
        telling.first(entry.milestone.value, entry.ordinal)
    if parcel.number:  # of a shipment the pieces tell the rest themselves
        telling.add_problems(parcel.timeline, timeline)
        telling.add_beside(parcel.timeline, timeline)
    after = attrs.evolve(
        parcel,
        announced=FrozenMap(telling.counts) if telling.counts != parcel.announced else parcel.announced,
        sequence=telling.sequence,
        timeline=timeline,
    )
    return after, tuple(telling.made)


def _change_key(change: MilestoneChange) -> str:
    return change.dedup_key.removeprefix(f"{change.scope}|")


class _Telling:
    """Announcements of one scope, numbered on from its last."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel, self.sequence = parcel, parcel.sequence
        self.counts = dict(parcel.announced)
        self.made: list[Announcement] = []

    def add(self, news: News, data: Value, key: str, happened_at: datetime | None) -> None:
        self.sequence += 1
        self.made.append(
            announcement(news, data, parcel=self.parcel, key=key, sequence=self.sequence, happened_at=happened_at)
        )

    def first(self, name: str, ordinal: int = 1) -> bool:
        """Whether the *ordinal*-th of *name* was never announced; from now on it was."""
        if ordinal <= self.counts.get(name, 0):
            return False
        self.counts[name] = ordinal
        return True

    def add_problems(self, previous: Timeline | None, timeline: Timeline) -> None:
        """Problems that are new, and those that ended or are no more."""
        before = _numbered(previous.exceptions) if previous is not None else {}
        now = _numbered(timeline.exceptions)
        for name, problem in before.items():
            if name not in now and problem.resolved_by is None:
                self.resolved(name, problem, timeline)
        for name, problem in now.items():
            known = before.get(name)
            was_open = known is not None and known.resolved_by is None
            new = self.first(f"opened|{name[0]}", name[1])
            if new or (problem.resolved_by is None and not was_open):
                key = f"opened|{name[0]}|{name[1]}"
                opened = problem if problem.resolved_by is None else attrs.evolve(problem, resolved_by=None)
                self.add(News.OPENED, opened, key if new else f"{key}|{timeline.revision}", problem.since.instant)
                was_open = True
            if problem.resolved_by is not None and was_open:
                self.resolved(name, problem, timeline)

    def resolved(self, name: tuple[str, int], problem: DeliveryException, timeline: Timeline) -> None:
        self.add(News.RESOLVED, problem, f"resolved|{name[0]}|{name[1]}|{timeline.revision}", None)

    def add_beside(self, previous: Timeline | None, timeline: Timeline) -> None:
        """Another estimate, a proof, evidence that does not fit."""
        estimate = _estimate(previous, timeline)
        if estimate is not None:
            self.add(News.TRANSIT, estimate, f"transit|{timeline.revision}", estimate.computed_at)
        if timeline.proof is not None and (previous is None or previous.proof != timeline.proof):
            proof = timeline.proof
            self.add(News.PROVED, proof, f"proved|{timeline.revision}", proof.delivered_at.instant)
        for anomaly in timeline.anomalies:
            name = f"anomaly|{anomaly.kind.value}|{anomaly.event_id}"
            if self.first(name):
                self.add(News.ANOMALY, anomaly, name, None)


def _numbered(problems: Iterable[DeliveryException]) -> dict[tuple[str, int], DeliveryException]:
    """Problems by reason and the k of it that they are; those that ended come first, each part in order of time."""
    times: Counter[str] = Counter()
    found = {}
    for problem in sorted(problems, key=lambda one: one.resolved_by is None):
        reason = str(problem.reason)
        times[reason] += 1
        found[reason, times[reason]] = problem
    return found


def _estimate(previous: Timeline | None, timeline: Timeline) -> TransitEstimate | None:
    """The estimate to tell of: another one, or an empty one where the last was taken back."""
    old = previous.transit if previous is not None else None
    new = timeline.transit
    if old is None or new is None:
        return new if old is None else TransitEstimate(computed_at=old.computed_at, commitment=Commitment.NONE)
    return None if evolve(new, computed_at=old.computed_at) == old else new
