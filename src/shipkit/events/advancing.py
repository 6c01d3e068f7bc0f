"""One parcel's next state: what was known, what came in, and so what is written and announced. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import attrs

from shipkit.codec.canon import record
from shipkit.events.announcing import announced
from shipkit.events.evidence import Evidence
from shipkit.events.folding import fold, roll_up
from shipkit.model import Timeline, TrackingEvent, TrackingNumber, TrackResult, evolve
from shipkit.ports.events import Parcel, ParcelWork

__all__ = ["advanced", "projected", "rolled_up"]


def advanced(
    parcel: Parcel,
    known: Iterable[TrackingEvent],
    told: Iterable[TrackingEvent],
    *,
    result: TrackResult | None = None,
) -> ParcelWork:
    """What *parcel* becomes when *told* (events within its scope) joins what is *known* of it.

    *result* is the newest answer, for what it says beside its events. Told again, nothing changes but the version.
    """
    before = Evidence(known)
    after = before.add(told)
    records = {event.event_id: event for event in before}
    changed = tuple(event for event in after if records.get(event.event_id) != event)
    fresh = tuple(event for event in changed if event.event_id not in records)
    timeline, digest = projected(parcel, after, result=result)
    if digest == parcel.digest and parcel.timeline is not None and not changed:
        return ParcelWork(before=parcel, after=parcel)
    following, news = announced(parcel, timeline, fresh)
    return ParcelWork(before=parcel, after=attrs.evolve(following, digest=digest), events=changed, announcements=news)


def projected(
    parcel: Parcel, evidence: Iterable[TrackingEvent], *, result: TrackResult | None = None
) -> tuple[Timeline, str]:
    """The state that *evidence* proves, without its events, and the digest of the whole."""
    old = parcel.timeline
    whole = fold(
        evidence,
        scope=parcel.scope,
        tracking_number=TrackingNumber(value=parcel.number, carrier=parcel.carrier),
        transit=(result.transit if result is not None else None) or (old.transit if old is not None else None),
        proof=(result.proof if result is not None else None) or (old.proof if old is not None else None),
        since=parcel.since,
    )
    digest = sha256(record(whole)).hexdigest()
    revision = (old.revision + (digest != parcel.digest)) if old is not None else 1
    return evolve(whole, events=(), revision=revision), digest


def rolled_up(shipment: Parcel, pieces: Iterable[Timeline]) -> ParcelWork:
    """What the row of a shipment of several becomes, its *pieces* being where they are now."""
    whole = evolve(roll_up(tuple(pieces), scope=shipment.scope), revision=1)
    digest = sha256(record(whole)).hexdigest()
    if digest == shipment.digest:
        return ParcelWork(before=shipment, after=shipment)
    old = shipment.timeline
    timeline = evolve(whole, pieces=(), revision=1 if old is None else old.revision + 1)
    following, news = announced(shipment, timeline, ())
    return ParcelWork(before=shipment, after=attrs.evolve(following, digest=digest), announcements=news)
