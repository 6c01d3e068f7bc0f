"""Trackers: what EasyPost knows of one parcel, asked for or pushed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from shipkit.errors import ReplyError
from shipkit.flow import Request, Response
from shipkit.model import (
    Classifier,
    Commitment,
    EventPlace,
    EventTime,
    Message,
    Milestone,
    NumberRole,
    ProofOfDelivery,
    TimePrecision,
    TimeWindow,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
    TransitEstimate,
    WebhookDelivery,
    Weight,
    WeightUnit,
)
from shipkit.readers import wire

from .. import codes
from .common import carrier_time, filled, number_from_wire, printed_day, reader

__all__ = ["TrackerRow", "result_from_wire", "results_from_push", "tracker_to_wire"]


@wire
class LocationRow:
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None


@wire
class DetailRow:
    datetime: str
    status: str | None = None
    status_detail: str | None = None
    message: str | None = None
    description: str | None = None
    carrier_code: str | None = None
    tracking_location: LocationRow | None = None


@wire
class CarrierDetailRow:
    service: str | None = None
    guaranteed_delivery_date: str | None = None
    est_delivery_date_local: str | None = None


@wire
class TrackerRow:
    id: str = attrs.field(validator=filled)
    tracking_code: str = attrs.field(validator=filled)
    carrier: str | None = None
    is_return: bool | None = None
    signed_by: str | None = None
    weight: Decimal | None = None
    est_delivery_date: str | None = None
    tracking_details: tuple[DetailRow, ...] = ()
    carrier_detail: CarrierDetailRow | None = None


@wire
class EventRow:
    """A push of any kind: ``tracker.updated``, ``batch.created`` and so on (docs webhooks-guide)."""

    description: str


@wire
class TrackerEventRow:
    result: TrackerRow


def tracker_to_wire(number: TrackingNumber) -> dict[str, object]:
    """The body of ``POST /trackers``; without a carrier EasyPost finds out itself (npm TrackerCreateParameters)."""
    carrier = codes.carrier_name(number.carrier)
    return {"tracker": {"tracking_code": number.value} | ({"carrier": carrier} if carrier else {})}


def result_from_wire(row: TrackerRow, received_at: datetime, asked: TrackingNumber | None = None) -> TrackResult:
    """Everything EasyPost still has of the parcel.

    ``finalized`` is not read: recording test_tracker_create has it true for a parcel that has not moved yet.
    """
    role = NumberRole.RETURN if row.is_return else NumberRole.PIECE
    number = number_from_wire(row.tracking_code, row.carrier, role)
    if asked is not None:
        if asked.value != number.value:
            raise ReplyError("another number than asked for @ $.tracking_code", paths=("$.tracking_code",))
        number = asked
    events = tuple(_event(detail, number, received_at) for detail in row.tracking_details)
    return TrackResult(
        number=number,
        events=events,
        complete=True,
        service=row.carrier_detail.service if row.carrier_detail is not None else None,
        transit=_transit(row, received_at),
        proof=_proof(events, row.signed_by),
        weight=Weight(row.weight, WeightUnit.OZ) if row.weight else None,
        messages=_unmapped(events),
        received_at=received_at,
    )


def _unmapped(events: tuple[TrackingEvent, ...]) -> tuple[Message, ...]:
    names = dict.fromkeys(codes.unmapped(event.code or "", event.subcode or "") for event in events)
    return tuple(Message.unmapped(name) for name in names if name)


def results_from_push(delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
    """The tracker that a push of kind ``tracker.…`` brings; nothing for another kind."""
    pushed = Request(method="POST", url="", name="webhook")
    response = Response(status=200, content=delivery.body, request=pushed, received_at=delivery.received_at)
    if not reader.read(response, EventRow).description.startswith("tracker."):
        return ()
    row = reader.read(response, TrackerEventRow).result
    return (result_from_wire(row, delivery.received_at),)


def _event(detail: DetailRow, number: TrackingNumber, received_at: datetime) -> TrackingEvent:
    status, more = detail.status or "", detail.status_detail or ""
    milestone, reason = codes.meaning(status, more)
    place = _place(detail.tracking_location)
    return TrackingEvent(
        piece=number.value,
        time=carrier_time(detail.datetime, known=_placed(place)),
        milestone=milestone,
        reason=reason,
        code=status,
        subcode=more or None,
        code_type=detail.carrier_code or None,
        unmapped=bool(codes.unmapped(status, more)),
        text=detail.message or detail.description or None,
        place=place,
        classifier=Classifier.ACTUAL,
        observed_at=received_at,
        mapping_version=codes.MAPPING_VERSION,
    )


def _place(row: LocationRow | None) -> EventPlace | None:
    if row is None or not any((row.city, row.state, row.country, row.zip)):
        return None
    return EventPlace(city=row.city, region=row.state, postal_code=row.zip, country=row.country)


def _placed(place: EventPlace | None) -> bool:
    # docs trackers: "when enough location information is present" the time zone of the place is used, else UTC.
    return place is not None and bool(place.postal_code or (place.city and (place.region or place.country)))


def _transit(row: TrackerRow, received_at: datetime) -> TransitEstimate | None:
    detail = row.carrier_detail
    guaranteed = detail.guaranteed_delivery_date if detail is not None else None
    local = detail.est_delivery_date_local if detail is not None else None
    printed = guaranteed or local or row.est_delivery_date
    if not printed:
        return None
    latest = _day(printed) if local and not guaranteed else carrier_time(printed, known=False)
    return TransitEstimate(
        window=TimeWindow(latest=latest),
        commitment=Commitment.GUARANTEED if guaranteed else Commitment.UNKNOWN,
        computed_at=received_at,
    )


def _day(text: str) -> EventTime:
    return EventTime(local=printed_day(text), precision=TimePrecision.DAY)


def _proof(events: tuple[TrackingEvent, ...], signed_by: str | None) -> ProofOfDelivery | None:
    delivered = list(_delivered(events))
    return ProofOfDelivery(delivered_at=delivered[-1], signed_by=signed_by) if delivered else None


def _delivered(events: tuple[TrackingEvent, ...]) -> Iterator[EventTime]:
    # EasyPost lists the oldest first (recording test_tracker_create).
    return (event.time for event in events if event.milestone is Milestone.DELIVERED)
