"""What is counted when a parcel's state has moved on: milestones, problems, punctuality, and how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shipkit.constraints.countries import lane_kind
from shipkit.events.kpi import commitment_of, delivered_at, on_time
from shipkit.events.reasons import facts_of
from shipkit.model import FrozenMap, Milestone, TrackingEvent
from shipkit.ports import Observation
from shipkit.ports.events import ParcelWork

__all__ = ["observed"]


def observed(work: ParcelWork, environment: str, at: datetime) -> Iterator[Observation]:
    """What those who watch are told once *work* is written; *at* is the time of that, by the store's clock."""
    before, after = work.before, work.after
    if after.timeline is None or not after.number:
        return

    def told(kind: str, words: dict[str, str], value: float | None = None, took_s: float | None = None) -> Observation:
        return Observation(
            kind=kind,
            account=after.account,
            carrier=after.carrier,
            environment=environment,
            value=value,
            elapsed_s=took_s,
            words=FrozenMap(words),
        )

    known_lane = after.origin and after.destination
    lane = {"lane": lane_kind(after.origin, after.destination).value} if known_lane else {}
    fresh = {told_of.key for told_of in work.announcements}
    for event in work.events:
        if f"{after.scope}|event|{event.event_id}" in fresh:
            source = event.source.value if event.source is not None else "import"
            yield told("event", {"source": source}, _lag_s(event, at), (at - event.observed_at).total_seconds())
    for entry in after.timeline.entries:
        if entry.ordinal == 1 and not before.announced.get(entry.milestone.value):
            instant = entry.at.instant
            hours = None if instant is None else (instant - after.since).total_seconds() / 3600
            yield told("milestone", {"milestone": entry.milestone.value, **lane}, hours)
    known = {(one.reason, one.event_id) for one in before.timeline.exceptions} if before.timeline is not None else set()
    for problem in after.timeline.exceptions:
        if (problem.reason, problem.event_id) not in known:
            reason = problem.reason if facts_of(problem.reason).category else "unmapped"
            yield told("exception", {"reason": str(reason), "actor": problem.action.actor.value})
    if after.timeline.milestone is Milestone.DELIVERED and not before.announced.get(Milestone.DELIVERED.value):
        delivered = delivered_at(after)
        window = after.promise.window if after.promise is not None else None
        end = window.latest.instant if window is not None and window.latest is not None else None
        instant = delivered.instant if delivered is not None else None
        late_h = (instant - end).total_seconds() / 3600 if instant is not None and end is not None else None
        words = {"on_time": on_time(after), "commitment": commitment_of(after).value, **lane}
        yield told("delivered", words, late_h)


def _lag_s(event: TrackingEvent, at: datetime) -> float | None:
    return None if event.time.instant is None else (at - event.time.instant).total_seconds()
