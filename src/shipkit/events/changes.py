"""What to announce when a projection follows another."""

from __future__ import annotations

from collections import Counter

import attrs

from shipkit.model import ChangeKind, Milestone, MilestoneChange, MilestoneEntry, Timeline

__all__ = ["changes"]


def changes(previous: Timeline | None, current: Timeline) -> tuple[MilestoneChange, ...]:
    """The entries that *current* shows for the first time, and one correction where evidence took some back.

    An entry is the k-th into its milestone, whatever event it now stands on, so one that moves in time is not announced
    again. What was announced before *previous* is the outbox's to know: it keeps each ``dedup_key`` once.
    """
    known = _counts(previous)
    found: list[MilestoneChange] = []
    before = Milestone.UNKNOWN
    for entry in current.entries:
        if entry.ordinal > known[entry.milestone]:
            found.append(_change(ChangeKind.ENTERED, current, before, entry))
        before = entry.milestone
    now = _counts(current)
    if previous is not None and any(now[milestone] < count for milestone, count in known.items()):
        cause = current.entries[-1] if current.entries else _nothing_left(previous.entries[-1])
        found.append(_change(ChangeKind.CORRECTED, current, previous.milestone, cause))
    return tuple(found)


def _nothing_left(last: MilestoneEntry) -> MilestoneEntry:
    """Every entry was taken back: the parcel is where it was before the first."""
    return attrs.evolve(last, milestone=Milestone.UNKNOWN, ordinal=0, reason=None)


def _counts(timeline: Timeline | None) -> Counter[Milestone]:
    return Counter(entry.milestone for entry in timeline.entries) if timeline is not None else Counter()


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
