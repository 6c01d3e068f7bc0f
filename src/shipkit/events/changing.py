"""What to announce of milestones when a projection follows another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

from shipkit.model import ChangeKind, Milestone, MilestoneChange, MilestoneEntry, Timeline

__all__ = ["changes"]


def changes(
    previous: Timeline | None, current: Timeline, announced: Mapping[str, int] | None = None
) -> tuple[MilestoneChange, ...]:
    """The entries that *current* shows for the first time, and one correction where evidence took others back.

    An entry is the k-th into its milestone, whatever event it now stands on, so one that moves in time is not announced
    again. *announced* has the highest k of each milestone that was ever announced; without it, what *previous* shows.
    Played in order, entries and correction lead from the milestone of *previous* to that of *current*.

    The correction stands first where all that is new comes after it: back to the point from which the journey goes on.
    It stands last where late evidence put new entries before the present one: forward to where the parcel still is.
    """
    before = Counter(str(entry.milestone) for entry in previous.entries) if previous is not None else Counter[str]()
    known = before if announced is None else announced
    now = Counter(str(entry.milestone) for entry in current.entries)
    taken_back = any(count > now[milestone] for milestone, count in before.items())
    told = Milestone.UNKNOWN if previous is None else previous.milestone
    at = _first_new(current, known)
    entered = tuple(_entered(current, known))
    if len(entered) == len(current.entries) - at:
        base = _standing(previous, current, at)
        if base is None or (base.milestone is told and not taken_back):
            return entered
        return (_change(ChangeKind.CORRECTED, current, told, base), *entered)
    played = entered[-1].to_milestone if entered else told
    if played is current.milestone and not taken_back:
        return entered
    return (*entered, _change(ChangeKind.CORRECTED, current, played, current.entries[-1]))


def _first_new(current: Timeline, known: Mapping[str, int]) -> int:
    for index, entry in enumerate(current.entries):
        if entry.ordinal > known.get(str(entry.milestone), 0):
            return index
    return len(current.entries)


def _entered(current: Timeline, known: Mapping[str, int]) -> Iterator[MilestoneChange]:
    before = Milestone.UNKNOWN
    for entry in current.entries:
        if entry.ordinal > known.get(str(entry.milestone), 0):
            yield _change(ChangeKind.ENTERED, current, before, entry)
        before = entry.milestone


def _standing(previous: Timeline | None, current: Timeline, at: int) -> MilestoneEntry | None:
    """The entry before the *at*-th; before the first the parcel was nowhere, as after an entry that was taken back."""
    if at > 0:
        return current.entries[at - 1]
    if previous is None or not previous.entries:
        return None
    return attrs.evolve(previous.entries[-1], milestone=Milestone.UNKNOWN, ordinal=0, reason=None)


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
