"""Two projections of one parcel beside each other, and what a host believes beside what the evidence says. Pure.

What comes out holds codes, milestones, reasons and times, no names and no addresses: it may be printed and logged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

import attrs

from shipkit.events.transitions import TRANSITIONS, Effect
from shipkit.model import (
    EventTime,
    Milestone,
    MilestoneEntry,
    ProofOfDelivery,
    Timeline,
    TrackingEvent,
    TransitEstimate,
)

__all__ = ["Belief", "Change", "Difference", "Judgement", "Remapped", "Repair", "Verdict", "compared", "judged"]


@attrs.frozen(kw_only=True)
class Change:
    """One thing that differs, as text; empty where there is none."""

    before: str = ""
    after: str = ""


@attrs.frozen(kw_only=True)
class Remapped:
    """Events of one code that mean something else now; each text is ``milestone/reason``, ``-`` for none."""

    code: str
    """The carrier's: type, code and subcode."""
    before: str
    after: str
    events: int


@attrs.frozen(kw_only=True)
class Difference:
    """What a second projection of one parcel has that the first has not, and the other way round. True if anything."""

    scope: str
    milestone: Change | None = None
    reason: Change | None = None
    entered: tuple[str, ...] = ()
    """Entries that are new, as ``milestone#k``."""
    left: tuple[str, ...] = ()
    """Entries that are no more."""
    moved: tuple[str, ...] = ()
    """Entries that are there at another time."""
    remapped: tuple[Remapped, ...] = ()
    events_added: int = 0
    events_removed: int = 0
    opened: tuple[str, ...] = ()
    """Reasons of problems that are open now and were not."""
    closed: tuple[str, ...] = ()
    """Reasons of problems that were open and are not now."""
    attempts: Change | None = None
    transit: Change | None = None
    proof: Change | None = None
    anomalies: tuple[str, ...] = ()
    """Kinds of anomalies that are more or fewer, as ``+kind`` and ``-kind``."""

    def __bool__(self) -> bool:
        return any(value for name, value in attrs.asdict(self, recurse=False).items() if name != "scope")

    def as_dict(self) -> dict[str, Any]:
        """As JSON data; what does not differ is left out."""
        members = attrs.asdict(self)
        return {name: _plain(value) for name, value in members.items() if value}

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """As a table: what, before, after."""
        found: list[tuple[str, str, str]] = []
        for name in ("milestone", "reason", "attempts", "transit", "proof"):
            change: Change | None = getattr(self, name)
            if change is not None:
                found.append((name, change.before, change.after))
        found += [("entry", entry, "") for entry in self.left]
        found += [("entry", "", entry) for entry in self.entered]
        found += [("entry", entry, f"{entry} at another time") for entry in self.moved]
        found += [(f"{one.events} x {one.code}", one.before, one.after) for one in self.remapped]
        found += [("problem", reason, "") for reason in self.closed]
        found += [("problem", "", reason) for reason in self.opened]
        found += [("anomaly", *(("", kind[1:]) if kind[0] == "+" else (kind[1:], ""))) for kind in self.anomalies]
        if self.events_removed or self.events_added:
            found.append(("events", f"-{self.events_removed}", f"+{self.events_added}"))
        return tuple(found)


def compared(before: Timeline, after: Timeline) -> Difference:
    """What differs between two projections of one parcel, such as before and after a table of codes was mended.

    Events are compared where both timelines have them; a stored timeline has none.
    """
    old, new = _events(before), _events(after)
    both = bool(old) and bool(new)
    left, entered = _apart(_names(before), _names(after))
    was_open, is_open = _apart(_open(before), _open(after))
    fewer, more = _apart((one.kind.value for one in before.anomalies), (one.kind.value for one in after.anomalies))
    return Difference(
        scope=after.scope,
        milestone=_differing(str(before.milestone), str(after.milestone)),
        reason=_differing(str(before.reason or "-"), str(after.reason or "-")),
        entered=entered,
        left=left,
        moved=_moved(before, after),
        remapped=_remapped(old, new),
        events_added=len(new.keys() - old.keys()) if both else 0,
        events_removed=len(old.keys() - new.keys()) if both else 0,
        opened=is_open,
        closed=was_open,
        attempts=_differing(str(before.attempts), str(after.attempts)),
        transit=_differing(_transit(before.transit), _transit(after.transit)),
        proof=_differing(_proof(before.proof), _proof(after.proof)),
        anomalies=(*(f"-{kind}" for kind in fewer), *(f"+{kind}" for kind in more)),
    )


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _events(timeline: Timeline) -> dict[str, TrackingEvent]:
    pieces = (event for piece in timeline.pieces for event in piece.events)
    return {event.event_id: event for event in (*timeline.events, *pieces)}


def _names(timeline: Timeline) -> list[str]:
    return [_name(entry) for entry in timeline.entries]


def _name(entry: MilestoneEntry) -> str:
    return f"{entry.milestone}#{entry.ordinal}"


def _open(timeline: Timeline) -> list[str]:
    return [str(one.reason) for one in timeline.exceptions if one.resolved_by is None]


def _apart(before: Iterable[str], after: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What only the one has, and what only the other has, each as often as it has it more."""
    old, new = Counter(before), Counter(after)
    return tuple((old - new).elements()), tuple((new - old).elements())


def _differing(before: str, after: str) -> Change | None:
    return None if before == after else Change(before=before, after=after)


def _moved(before: Timeline, after: Timeline) -> tuple[str, ...]:
    old = {_name(entry): entry.at for entry in before.entries}
    names = [(_name(entry), entry.at) for entry in after.entries]
    return tuple(name for name, at in names if name in old and old[name] != at)


def _remapped(old: dict[str, TrackingEvent], new: dict[str, TrackingEvent]) -> tuple[Remapped, ...]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for event_id, event in new.items():
        known = old.get(event_id)
        if known is not None and _meaning(known) != _meaning(event):
            code = "/".join(part for part in (event.code_type, event.code, event.subcode) if part)
            counts[code, _meaning(known), _meaning(event)] += 1
    return tuple(
        Remapped(code=code, before=before, after=after, events=count)
        for (code, before, after), count in sorted(counts.items())
    )


def _meaning(event: TrackingEvent) -> str:
    return f"{event.milestone or '-'}/{event.reason or '-'}"


def _transit(transit: TransitEstimate | None) -> str:
    """What an estimate says, not when it was made."""
    if transit is None:
        return ""
    days = transit.business_days
    window = transit.window
    parts = [str(transit.commitment)]
    if days is not None:
        parts.append(f"{days.least}-{days.most} business days")
    if window is not None:
        parts.append(f"{_time(window.earliest)}/{_time(window.latest)}")
    return " ".join(parts)


def _proof(proof: ProofOfDelivery | None) -> str:
    """When, and what there is, not who signed."""
    if proof is None:
        return ""
    parts = ("signed_by", "relation", "place", "signature", "photo", "geo", "code_verified", "age_verified", "document")
    return " ".join([_time(proof.delivered_at), *(name for name in parts if getattr(proof, name) is not None)])


def _time(when: EventTime | None) -> str:
    return ".." if when is None else when.local.isoformat()


# What the host believes


class Verdict(str, Enum):
    """What a host's belief is worth."""

    AGREES = "agrees"
    HOST_BEHIND = "host_behind"
    """The parcel went on, and the host does not know."""
    HOST_AHEAD = "host_ahead"
    """The host knows more than the evidence: something was not told to us, or not yet."""
    CONTRADICTION = "contradiction"
    """Both cannot be: the one says delivered, the other lost."""
    UNKNOWN = "unknown"
    """There is no evidence to hold it against."""


class Repair(str, Enum):
    """What would put it right."""

    NONE = "none"
    TAKE_OVER = "take_over"
    """The host takes the milestone of the timeline."""
    ASK = "ask"
    """The carrier is asked now."""
    FOLLOW = "follow"
    """The parcel is followed from now on."""
    PERSON = "person"
    """Somebody looks at it."""


@attrs.frozen(kw_only=True)
class Belief:
    """What a host has in its books of one parcel."""

    key: str = ""
    number: str = ""
    milestone: Milestone | None = None
    """None where it has no idea."""
    delivered_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Judgement:
    """One belief, and what the evidence says of it."""

    belief: Belief
    verdict: Verdict
    milestone: Milestone | None = None
    """What the evidence says; None where the parcel is not followed."""
    repair: Repair = Repair.NONE
    about: str = "milestone"
    """What they differ in: ``milestone`` or ``delivered_at``."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        believed = self.belief.milestone
        return {
            "key": self.belief.key,
            "number": self.belief.number,
            "believed": None if believed is None else believed.value,
            "milestone": None if self.milestone is None else self.milestone.value,
            "verdict": self.verdict.value,
            "repair": self.repair.value,
            "about": self.about,
        }


_SLACK: Final = timedelta(hours=24)  # hosts book deliveries by day, and in their own zone


def judged(belief: Belief, timeline: Timeline | None) -> Judgement:
    """What *belief* is worth beside *timeline*; None where the parcel is not followed."""
    if timeline is None:
        return Judgement(belief=belief, verdict=Verdict.UNKNOWN, repair=Repair.FOLLOW)
    believed, known = belief.milestone or Milestone.UNKNOWN, timeline.milestone
    if believed is known:
        if not _fits(belief, timeline):
            return _judgement(belief, timeline, Verdict.CONTRADICTION, Repair.TAKE_OVER, about="delivered_at")
        return _judgement(belief, timeline, Verdict.AGREES, Repair.NONE)
    if known is Milestone.UNKNOWN:
        return _judgement(belief, timeline, Verdict.UNKNOWN, Repair.ASK)
    if believed is Milestone.UNKNOWN or any(entry.milestone is believed for entry in timeline.entries):
        return _judgement(belief, timeline, Verdict.HOST_BEHIND, Repair.TAKE_OVER)
    if believed.rank > known.rank and _goes_on(known, believed):
        return _judgement(belief, timeline, Verdict.HOST_AHEAD, Repair.ASK)
    if _goes_on(believed, known):
        return _judgement(belief, timeline, Verdict.HOST_BEHIND, Repair.TAKE_OVER)
    return _judgement(belief, timeline, Verdict.CONTRADICTION, Repair.PERSON)


def _judgement(
    belief: Belief, timeline: Timeline, verdict: Verdict, repair: Repair, *, about: str = "milestone"
) -> Judgement:
    return Judgement(belief=belief, verdict=verdict, milestone=timeline.milestone, repair=repair, about=about)


def _goes_on(here: Milestone, there: Milestone) -> bool:
    """Whether a parcel may go from *here* to *there* without anything being odd about it."""
    step = TRANSITIONS[here, there]
    return step.effect is Effect.MOVE and step.anomaly is None


def _fits(belief: Belief, timeline: Timeline) -> bool:
    """Whether the host's time of delivery is that of the evidence, as far as that is known."""
    if belief.delivered_at is None or timeline.milestone is not Milestone.DELIVERED or not timeline.entries:
        return True
    at = timeline.entries[-1].at
    return at.earliest - belief.delivered_at <= _SLACK and belief.delivered_at - at.latest <= _SLACK
