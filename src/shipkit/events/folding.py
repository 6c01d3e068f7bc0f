"""The projection: evidence in, the state everyone agrees on out. Pure, total, and the same for any order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Final, NamedTuple

from shipkit.codec.canon import record
from shipkit.events.evidence import Evidence
from shipkit.events.problems import Problems
from shipkit.events.transitions import TRANSITIONS, Effect, Transitions
from shipkit.model import (
    Anomaly,
    AnomalyKind,
    Classifier,
    DropPlace,
    EventTime,
    Milestone,
    MilestoneEntry,
    ProofOfDelivery,
    Reason,
    RecipientRelation,
    TimeBasis,
    Timeline,
    TrackingEvent,
    TrackingNumber,
    TransitEstimate,
    evolve,
)

__all__ = ["fold", "fullest", "newest", "roll_up"]

_FUTURE: Final = timedelta(hours=24)
_EVER: Final = datetime.min.replace(tzinfo=timezone.utc)
_RECYCLED: Final = timedelta(days=30)  # carriers hand out numbers again after months; labels are used within days


def fold(
    events: Iterable[TrackingEvent],
    *,
    scope: str | None = None,
    tracking_number: TrackingNumber | None = None,
    transit: TransitEstimate | None = None,
    proof: ProofOfDelivery | None = None,
    since: datetime | None = None,
    absent: Container[str] = (),
    previous: Timeline | None = None,
    transitions: Transitions = TRANSITIONS,
) -> Timeline:
    """The state that *events* prove. Never raises, whatever the events; informational ones never move the milestone.

    *transit* and *proof* are what the carrier said beside its events, *since* is when the shipment was made, *absent*
    the ids that its answers no longer show, *previous* the projection whose revision this one continues. Events of
    several pieces give one timeline per piece, rolled up.
    """
    evidence = Evidence(events)
    place = scope if scope is not None else min((event.scope for event in evidence if event.scope), default="")
    beside = _Beside(transit, since, absent, transitions)
    pieces = sorted({event.piece for event in evidence if event.piece})
    if len(pieces) > 1:
        folded = [
            _project(
                Evidence(event for event in evidence if not event.piece or event.piece == piece),
                place,
                _piece_number(piece, tracking_number),
                beside,
            )
            for piece in pieces
        ]
        timeline = evolve(roll_up(folded, scope=place), evidence_count=len(evidence))
    else:
        timeline = _project(evidence, place, tracking_number, beside)
    return _revised(timeline if proof is None else evolve(timeline, proof=proof), previous)


class _Beside(NamedTuple):
    """What is known beside the events, and the table to fold by."""

    transit: TransitEstimate | None
    since: datetime | None
    absent: Container[str]
    transitions: Transitions


def _piece_number(piece: str, whole: TrackingNumber | None) -> TrackingNumber | None:
    return None if whole is None else TrackingNumber(value=piece, carrier=whole.carrier)


def _revised(timeline: Timeline, previous: Timeline | None) -> Timeline:
    if previous is None:
        return timeline
    same = evolve(timeline, revision=previous.revision)
    return same if same == previous else evolve(timeline, revision=previous.revision + 1)


def _project(evidence: Evidence, scope: str, number: TrackingNumber | None, beside: _Beside) -> Timeline:
    withdrawn = {event_id for event in evidence for event_id in (event.retracts, event.supersedes) if event_id}
    placed = sorted((_place_in_time(event), event) for event in evidence if event.event_id not in withdrawn)
    journey = _Journey(beside.transitions, beside.since)
    for (moment, _, _), event in placed:
        journey.meet(event, moment)
        if event.event_id in beside.absent:
            journey.wonder(AnomalyKind.WITHDRAWN_CANDIDATE, event)
    ordered = [event for _, event in placed]
    return Timeline(
        scope=scope,
        tracking_number=number,
        milestone=journey.milestone,
        reason=journey.reason,
        entries=tuple(journey.entries),
        events=tuple(ordered),
        exceptions=journey.problems.all(),
        attempts=journey.attempts,
        transit=_latest_transit(ordered, beside.transit),
        proof=journey.proof(),
        anomalies=tuple(journey.anomalies),
        evidence_count=len(evidence),
        mapping_versions=frozenset(event.mapping_version for event in evidence),
        revision=1,
    )


def _place_in_time(event: TrackingEvent) -> tuple[datetime, int, str]:
    """Total: moment, rank, identity. Never the order of arrival, never that of the carrier's list.

    Without an offset the local time is read as UTC. Of a day only the day is known, where the place is known that of
    the place: early milestones go before its scans, late ones after them.
    """
    rank = -1 if event.milestone is None else event.milestone.rank
    return _moment(event.time, rank), rank, event.event_id


def _moment(when: EventTime, rank: int) -> datetime:
    local = when.local
    if isinstance(local, datetime):
        return when.instant or local.replace(tzinfo=timezone.utc)
    late = rank >= Milestone.OUT_FOR_DELIVERY.rank
    shift = time(23, 58 + rank // 60, rank % 60) if late else time(0, 0, max(rank, 0))
    moment = datetime.combine(local, shift, timezone.utc)
    if when.offset_min is None or when.basis is TimeBasis.NONE:
        return moment
    try:
        return moment - timedelta(minutes=when.offset_min)
    except OverflowError:  # the first or the last day of the calendar
        return moment


def _latest_transit(events: list[TrackingEvent], beside: TransitEstimate | None) -> TransitEstimate | None:
    found = [event.transit for event in events if event.transit is not None]
    if beside is not None:
        found.append(beside)
    return newest(found)


def newest(estimates: Iterable[TransitEstimate]) -> TransitEstimate | None:
    """The estimate that was computed last; of two of one moment always the same one."""
    found = list(estimates)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda transit: (transit.computed_at, record(transit)))


def fullest(proofs: Iterable[ProofOfDelivery]) -> ProofOfDelivery | None:
    """The proof that says most, then that of the latest hand-over; of two that tie always the same one."""
    found = list(proofs)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda proof: (_said(proof), proof.delivered_at.latest, record(proof)))


def _said(proof: ProofOfDelivery) -> int:
    told = (proof.signed_by, proof.relation, proof.place, proof.signature, proof.photo, proof.geo, proof.code_verified,
            proof.age_verified, proof.document)  # fmt: skip
    return sum(item is not None for item in told)


class _Journey:
    """A parcel on its way through the transition table."""

    def __init__(self, transitions: Transitions, since: datetime | None) -> None:
        self.transitions, self.since = transitions, since
        self.milestone = Milestone.UNKNOWN
        self.reason: Reason | None = None
        self.entries: list[MilestoneEntry] = []
        self.times: Counter[Milestone] = Counter()
        self.anomalies: list[Anomaly] = []
        self.problems = Problems()
        self.attempts = 0
        self.attempt: TrackingEvent | None = None
        self.handover: TrackingEvent | None = None
        self.signer: str | None = None

    def meet(self, event: TrackingEvent, moment: datetime) -> None:
        """One event, in its place in time, which is never before the earliest that it can be."""
        if event.classifier is not Classifier.ACTUAL:
            return
        if moment - event.observed_at > _FUTURE and event.time.earliest - event.observed_at > _FUTURE:
            self.wonder(AnomalyKind.FUTURE_EVENT, event)
        if self.since is not None and self.since - event.time.latest > _RECYCLED:
            self.wonder(AnomalyKind.PREDATES_SHIPMENT, event)
        if event.milestone is None or event.milestone is Milestone.UNKNOWN:
            self.inform(event)
            return
        step = self.transitions[self.milestone, event.milestone]
        if step.anomaly is not None:
            self.wonder(step.anomaly, event)
        if step.effect is Effect.IGNORE:
            return
        meant = step.milestone if step.effect is Effect.REWRITE and step.milestone else event.milestone
        moved = step.effect is not Effect.STAY and meant is not self.milestone
        self.count_attempt(event, meant, moved=moved)
        if moved:
            self.enter(meant, event)
        elif event.reason is not None:
            self.reason = event.reason
        self.problems.scanned(event, moved=moved, attempts=self.attempts)
        self.sign(event)

    def wonder(self, kind: AnomalyKind, event: TrackingEvent) -> None:
        self.anomalies.append(Anomaly(kind=kind, event_id=event.event_id, milestone=self.milestone))

    def inform(self, event: TrackingEvent) -> None:
        """An event that says nothing of where the parcel is: it may say why, while the journey is open."""
        if event.reason is not None and not self.milestone.terminal:
            self.reason = event.reason
        self.problems.told(event, attempts=self.attempts, open_journey=not self.milestone.terminal)
        self.sign(event)

    def enter(self, milestone: Milestone, event: TrackingEvent) -> None:
        self.milestone, self.reason = milestone, event.reason
        self.times[milestone] += 1
        self.entries.append(
            MilestoneEntry(
                milestone=milestone,
                ordinal=self.times[milestone],
                at=event.time,
                event_id=event.event_id,
                reason=event.reason,
            )
        )
        self.handover = event if milestone is Milestone.DELIVERED else None
        self.signer = None

    def count_attempt(self, event: TrackingEvent, meant: Milestone, *, moved: bool) -> None:
        """Two scans on one day tell of one attempt; a scan on another day without a tour between them, of a second."""
        if meant is not Milestone.DELIVERY_ATTEMPTED:
            return
        if moved or self.attempt is None or _day(self.attempt) != _day(event):
            self.attempts += 1
        self.attempt = event

    def sign(self, event: TrackingEvent) -> None:
        if self.milestone is Milestone.DELIVERED and event.signed_by:
            self.signer = self.signer or event.signed_by

    def proof(self) -> ProofOfDelivery | None:
        """What the events themselves say of the hand-over."""
        if self.handover is None:
            return None
        relation, place = _HANDED.get(str(self.handover.reason), (None, None))
        return ProofOfDelivery(delivered_at=self.handover.time, signed_by=self.signer, relation=relation, place=place)


_HANDED: Final[dict[str, tuple[RecipientRelation | None, DropPlace | None]]] = {
    "delivered_to_neighbour": (RecipientRelation.NEIGHBOUR, None),
    "delivered_safe_place": (None, DropPlace.SAFE_PLACE),
    "delivered_mailbox": (None, DropPlace.MAILBOX),
    "delivered_reception": (RecipientRelation.RECEPTION, DropPlace.RECEPTION),
    "delivered_to_agent": (RecipientRelation.AGENT, None),
    "collected_by_recipient": (RecipientRelation.RECIPIENT, None),
}


def _day(event: TrackingEvent) -> str:
    return event.time.local.isoformat()[:10]


def roll_up(pieces: Iterable[Timeline], *, scope: str) -> Timeline:
    """The timeline of a shipment of several *pieces*: as far as its least advanced open piece, done when all are.

    Its entries are what that comes to as the pieces go on, one after the other in time.
    """
    ordered = tuple(sorted(pieces, key=_piece_order))
    exceptions = [one for piece in ordered for one in piece.exceptions]
    exceptions.sort(key=lambda one: one.resolved_by is not None)
    leading = _leading([piece.milestone for piece in ordered])
    delivered = sum(piece.milestone is Milestone.DELIVERED for piece in ordered)
    versions: frozenset[str] = frozenset()
    return Timeline(
        scope=scope,
        milestone=Milestone.UNKNOWN if leading is None else ordered[leading].milestone,
        reason=None if leading is None else ordered[leading].reason,
        entries=tuple(_entries(ordered)),
        events=(),
        exceptions=tuple(exceptions),
        attempts=max((piece.attempts for piece in ordered), default=0),
        transit=newest(piece.transit for piece in ordered if piece.transit is not None),
        anomalies=tuple(anomaly for piece in ordered for anomaly in piece.anomalies),
        pieces=ordered,
        partially_delivered=0 < delivered < len(ordered),
        evidence_count=sum(piece.evidence_count for piece in ordered),
        mapping_versions=versions.union(*(piece.mapping_versions for piece in ordered)),
        revision=1,
    )


def _piece_order(piece: Timeline) -> tuple[str, str, bytes]:
    """By number. How often a piece was computed says nothing of it, so its revision is no part."""
    number = piece.tracking_number.value if piece.tracking_number else ""
    return number, piece.scope, record(evolve(piece, revision=1))


def _leading(milestones: Sequence[Milestone]) -> int | None:
    """The piece whose state is the shipment's; where all have ended, one that did not end well before one that did."""
    if not milestones:
        return None
    still_open = [index for index, milestone in enumerate(milestones) if not milestone.terminal]
    if still_open:
        return min(still_open, key=lambda index: milestones[index].rank)
    return max(range(len(milestones)), key=lambda index: milestones[index].rank)


def _entries(pieces: tuple[Timeline, ...]) -> Iterator[MilestoneEntry]:
    """What the shipment entered, each time by the entry of a piece."""
    steps = []
    for index, piece in enumerate(pieces):
        moment = _EVER
        for position, entry in enumerate(piece.entries):
            moment = max(moment, _moment(entry.at, entry.milestone.rank))  # a piece's entries stay in their order
            steps.append((moment, position, index, entry))
    steps.sort(key=lambda step: step[:3])
    here = [Milestone.UNKNOWN for _ in pieces]
    whole = Milestone.UNKNOWN
    times: Counter[Milestone] = Counter()
    for _, _, index, entry in steps:
        here[index] = entry.milestone
        leading = _leading(here)
        if leading is None or here[leading] is whole:
            continue
        whole = here[leading]
        times[whole] += 1
        if whole is not Milestone.UNKNOWN:
            reason = entry.reason if entry.milestone is whole else None
            yield evolve(entry, milestone=whole, ordinal=times[whole], reason=reason)
