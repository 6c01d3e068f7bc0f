"""One parcel's next state: what was known, what came in, and so what is written and announced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from typing import Final

import attrs

from shipkit.codec.canon import record
from shipkit.events.announcing import announced
from shipkit.events.evidence import Evidence, is_forgotten, scoped
from shipkit.events.folding import fold, fullest, newest, roll_up
from shipkit.model import (
    EventSource,
    FrozenMap,
    Timeline,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
    TransitEstimate,
    evolve,
)
from shipkit.ports.events import Parcel, ParcelWork

__all__ = ["advanced", "divided", "projected", "rolled_up"]

Answers = TrackResult | Sequence[TrackResult] | None
"""What a carrier answered about one parcel: nothing, once, or several times."""

_NO_DAY: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def advanced(
    parcel: Parcel,
    known: Iterable[TrackingEvent],
    told: Iterable[TrackingEvent],
    *,
    result: Answers = None,
    withdrawn_after: int = 2,
) -> ParcelWork:
    """What *parcel* becomes when *told* (events within its scope) joins what is *known* of it.

    *result* are the answers that told them, for what they say beside their events. An event that carriers' answers
    showed and that *withdrawn_after* full ones in a row do not show is a candidate for withdrawal: it is flagged, and
    counts on. Told again, nothing changes: no record, no revision, no announcement.
    """
    before = Evidence(known)
    answers = _answers(result)
    if any(is_forgotten(event) for event in before):
        answers = tuple(_nameless(answer) for answer in answers)
    after, changed = before.joined(told)
    here = _beside(parcel, answers)
    absent = _absent(here, before, after, answers)
    if absent != here.absent:
        here = attrs.evolve(here, absent=absent)
    kept = _unchanged(parcel, here, withdrawn_after) if not changed else None
    if kept is not None:
        same = kept is parcel.timeline and here is parcel
        return ParcelWork(before=parcel, after=parcel if same else attrs.evolve(here, timeline=kept))
    timeline, digest = projected(here, after, withdrawn_after=withdrawn_after)
    fresh = [event for event in changed if event.event_id not in before]
    following, news = announced(here, timeline, fresh)
    return ParcelWork(before=parcel, after=attrs.evolve(following, digest=digest), events=changed, announcements=news)


def projected(
    parcel: Parcel, evidence: Iterable[TrackingEvent], *, result: Answers = None, withdrawn_after: int = 2
) -> tuple[Timeline, str]:
    """The state that *evidence* proves, without its events, and the digest of the whole.

    The digest leaves out when an estimate was last confirmed: told again, it is the same estimate.
    """
    old = parcel.timeline
    parcel = _beside(parcel, _answers(result))
    whole = fold(
        evidence,
        scope=parcel.scope,
        tracking_number=TrackingNumber(value=parcel.number, carrier=parcel.carrier),
        transit=parcel.transit,
        proof=parcel.proof,
        since=parcel.since,
        absent=_candidates(parcel, withdrawn_after),
    )
    digest = _digest(whole)
    revision = (old.revision + (digest != parcel.digest)) if old is not None else 1
    pieces = tuple(evolve(piece, events=()) for piece in whole.pieces)
    return evolve(whole, events=(), pieces=pieces, revision=revision), digest


def rolled_up(shipment: Parcel, pieces: Iterable[Timeline]) -> ParcelWork:
    """What the row of a shipment of several becomes, its *pieces* being where they are now.

    It announces the milestones of the whole; what befalls one piece is announced in the scope of that piece.
    """
    given = tuple(
        evolve(piece, revision=1) for piece in pieces
    )  # how often each was computed says nothing of the whole
    whole = roll_up(given, scope=shipment.scope)
    digest, old = _digest(whole), shipment.timeline
    revision = 1 if old is None else old.revision + (digest != shipment.digest)
    timeline = evolve(whole, pieces=(), revision=revision)
    if timeline == old and digest == shipment.digest:
        return ParcelWork(before=shipment, after=shipment)
    following, news = announced(shipment, timeline, ())
    return ParcelWork(before=shipment, after=attrs.evolve(following, digest=digest), announcements=news)


def divided(
    result: TrackResult, parcels: Iterable[Parcel], *, source: EventSource | None = None
) -> Mapping[str, tuple[TrackingEvent, ...]]:
    """The events of *result* by the scope of the parcel that they are of, within that scope; *parcels* are followed.

    An event of a piece that is followed by itself is that parcel's. All others are of the parcel that was asked for;
    where that one is a piece itself, or is not followed, events of pieces that nobody follows are nobody's, and events
    of no piece are of each piece that the answer names.
    """
    by_number = {parcel.number: parcel for parcel in parcels if parcel.number}
    asked = by_number.get(result.number.value)
    named = {event.piece for event in result.events if event.piece} | {one.value for one in result.related}
    is_piece = any(event.piece == result.number.value for event in result.events)
    found: dict[str, list[TrackingEvent]] = {}
    for event in result.events:
        own = by_number.get(event.piece) if event.piece else None
        if own is not None:
            owners = [own]
        elif asked is not None:
            owners = [] if event.piece and is_piece else [asked]
        else:
            owners = [] if event.piece else [parcel for number, parcel in by_number.items() if number in named]
        for parcel in owners:
            found.setdefault(parcel.scope, []).append(event)
    return {scope: scoped(events, scope, source=source) for scope, events in found.items()}


def _answers(result: Answers) -> tuple[TrackResult, ...]:
    if result is None:
        return ()
    return (result,) if isinstance(result, TrackResult) else tuple(result)


def _nameless(answer: TrackResult) -> TrackResult:
    """*answer* about a parcel that was forgotten: its proof says no more who took it, and shows nothing."""
    if answer.proof is None:
        return answer
    blank = dict.fromkeys(("signed_by", "signature", "photo", "geo", "document"))
    return evolve(answer, proof=evolve(answer.proof, **blank))


def _beside(parcel: Parcel, answers: tuple[TrackResult, ...]) -> Parcel:
    """*parcel* with what the answers told beside their events: whatever their order, the newest and the fullest."""
    transits = [parcel.transit, *(one.transit for one in answers)]
    proofs = [parcel.proof, *(one.proof for one in answers)]
    transit, proof = newest(filter(None, transits)), fullest(filter(None, proofs))
    if transit == parcel.transit and proof == parcel.proof:
        return parcel
    return attrs.evolve(parcel, transit=transit, proof=proof)


def _unchanged(parcel: Parcel, here: Parcel, withdrawn_after: int) -> Timeline | None:
    """The timeline that *parcel* has, where no more than the confirmation of its estimate is new; else None."""
    old = parcel.timeline
    if old is None or here.proof != parcel.proof:
        return None
    if _candidates(parcel, withdrawn_after) != _candidates(here, withdrawn_after):
        return None
    if here.transit == parcel.transit:
        return old
    transit = newest(one for one in (old.transit, here.transit) if one is not None)
    return evolve(old, transit=transit) if _dateless(transit) == _dateless(old.transit) else None


def _absent(parcel: Parcel, before: Evidence, after: Evidence, answers: tuple[TrackResult, ...]) -> Mapping[str, int]:
    """By event the full answers in a row that lacked it.

    Events that were first heard of by a push are left out: answers may never have shown them. An answer without a
    single event withdraws none: carriers forget parcels as a whole.
    """
    if not parcel.absent and not any(one.complete and one.events for one in answers):
        return parcel.absent
    dead = {event_id for event in after for event_id in (event.retracts, event.supersedes) if event_id}
    polled = {one.event_id for one in after if one.source is EventSource.POLL} - dead
    known = {event.event_id for event in before if event.source is EventSource.POLL}
    counts = {event_id: count for event_id, count in parcel.absent.items() if event_id in polled}
    for answer in sorted(answers, key=lambda one: one.received_at):
        shown = _shown(answer, parcel.scope)
        if answer.complete and shown:
            counts = {event_id: counts.get(event_id, 0) + 1 for event_id in (known & polled) - shown.keys()}
        known |= {event_id for event_id, source in shown.items() if answer.complete or source is EventSource.POLL}
    return FrozenMap(sorted(counts.items()))


def _shown(answer: TrackResult, scope: str) -> dict[str, EventSource | None]:
    """The ids within *scope* of what an answer shows, and by what way each came."""
    events = answer.events
    if any(event.scope != scope for event in events):
        events = scoped(events, scope)
    return {event.event_id: event.source for event in events}


def _candidates(parcel: Parcel, withdrawn_after: int) -> frozenset[str]:
    return frozenset(event_id for event_id, count in parcel.absent.items() if count >= withdrawn_after)


def _dateless(transit: TransitEstimate | None) -> TransitEstimate | None:
    """What an estimate says, whenever it was last said."""
    return None if transit is None else evolve(transit, computed_at=_NO_DAY)


def _digest(whole: Timeline) -> str:
    pieces = tuple(evolve(piece, transit=_dateless(piece.transit)) for piece in whole.pieces)
    return sha256(record(evolve(whole, transit=_dateless(whole.transit), pieces=pieces))).hexdigest()
