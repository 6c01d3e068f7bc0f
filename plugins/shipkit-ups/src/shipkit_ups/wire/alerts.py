"""Track Alert: subscriptions and what UPS pushes (UPSTrackAlert.yaml).

Version v1: the published file has v2, which "removed the destination object" and keeps address and credential on a web
page; it says that v1 remains supported. v1's ``destination`` and the header ``credential`` of its pushes: the same file
of that repository at 54fe14c74d (2024), and the errors VSS500 to VSS800 of today's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from shipkit.errors import CarrierError, RejectedError, ReplyError
from shipkit.flow import Response
from shipkit.model import (
    Commitment,
    EventTime,
    ProofOfDelivery,
    Subscription,
    SubscriptionRequest,
    SubscriptionState,
    TimeWindow,
    TrackingEvent,
    TrackResult,
    TransitEstimate,
    WebhookDelivery,
)
from shipkit.readers import wire

from ..statuses import MAPPING_VERSION, is_mapped, status
from .common import reader
from .numbers import number_from_wire, plain_number
from .times import Clock, Day, event_time, scan_time
from .tracking import locale_of, place_from_wire, unmapped

__all__ = ["DAYS", "SubscriptionReply", "alert_from_wire", "subscription_from_wire", "subscription_to_wire"]

DAYS: Final = 14  # "Each tracking number subscription is valid for 14 days"


def subscription_to_wire(request: SubscriptionRequest, credential: str) -> dict[str, Any]:
    return {
        "locale": locale_of(request.language),
        "countryCode": request.country or locale_of(request.language)[3:],
        "trackingNumberList": [number.value for number in request.numbers],
        "destination": {"url": request.callback_url, "credentialType": "Bearer", "credential": credential},
    }


@wire
class SubscriptionReply:
    validTrackingNumbers: tuple[str, ...] = ()
    invalidTrackingNumbers: tuple[str, ...] = ()


def subscription_from_wire(request: SubscriptionRequest, response: Response) -> Subscription:
    """Which numbers UPS will push for, which not, and until when."""
    reply = reader.read(response, SubscriptionReply)
    valid = {plain_number(value) for value in reply.validTrackingNumbers}
    accepted = tuple(number for number in request.numbers if number.value in valid)
    refused: dict[str, CarrierError] = {
        number.value: RejectedError("UPS takes no subscription for this number", http_status=response.status)
        for number in request.numbers
        if number.value not in valid
    }
    state = SubscriptionState.ACTIVE if not refused else SubscriptionState.PARTLY
    return Subscription(
        state=state if accepted else SubscriptionState.REFUSED,
        accepted=accepted,
        refused=refused,
        ends_on=response.received_at.date() + timedelta(days=DAYS) if accepted else None,
    )


@wire
class LocationRow:
    city: str | None = None
    stateProvince: str | None = None
    country: str | None = None


@wire
class StatusRow:
    type: str | None = None
    code: str | None = None
    description: str | None = None
    descriptionCode: str | None = None


@wire
class AlertRow:
    trackingNumber: str
    activityStatus: StatusRow
    localActivityDate: Day | None = None
    localActivityTime: Clock | None = None
    gmtActivityDate: Day | None = None
    gmtActivityTime: Clock | None = None
    gmtOffset: str | None = None
    activityLocation: LocationRow | None = None
    scheduledDeliveryDate: Day | None = None
    actualDeliveryDate: Day | None = None
    actualDeliveryTime: Clock | None = None
    deliveryStartTime: Clock | None = None
    deliveryEndTime: Clock | None = None
    receivedBy: str | None = None


def alert_from_wire(delivery: WebhookDelivery, payload: object) -> TrackResult:
    """One push is one event of one package.

    Raises:
        ReplyError: it is none, or does not say when it was.
    """
    row = reader.convert(payload, AlertRow)
    number = number_from_wire(row.trackingNumber)
    event = _event(row, number.value, delivery)
    return TrackResult(
        number=number,
        events=(event,),
        complete=False,
        transit=_transit(row, delivery),
        proof=ProofOfDelivery(
            delivered_at=event_time(row.actualDeliveryDate, row.actualDeliveryTime), signed_by=row.receivedBy
        )
        if row.actualDeliveryDate
        else None,
        messages=unmapped([event]),
        received_at=delivery.received_at,
    )


def _event(row: AlertRow, piece: str, delivery: WebhookDelivery) -> TrackingEvent:
    state, place = row.activityStatus, row.activityLocation
    kind, code = state.type or "", state.code or ""
    milestone, reason = status(kind, code)
    return TrackingEvent(
        piece=piece,
        time=_time(row),
        milestone=milestone,
        reason=reason,
        code=code,
        subcode=state.descriptionCode,  # Tracking.yaml calls it statusCode
        code_type=kind or None,
        unmapped=not is_mapped(kind, code),
        text=state.description,
        language="en",
        place=place_from_wire(place.city, place.stateProvince, place.country) if place else None,
        signed_by=row.receivedBy,
        observed_at=delivery.received_at,
        mapping_version=MAPPING_VERSION,
    )


def _time(row: AlertRow) -> EventTime:
    """The local time, or the GMT one where only that is printed; the day of the push is not the day of the event."""
    if row.localActivityDate:
        gmt = row.gmtActivityDate, row.gmtActivityTime
        return scan_time(row.localActivityDate, row.localActivityTime, row.gmtOffset, gmt)
    if not row.gmtActivityDate:
        raise ReplyError("required field missing @ $.localActivityDate", paths=("$.localActivityDate",))
    return scan_time(row.gmtActivityDate, row.gmtActivityTime, "+00:00", (None, None))


def _transit(row: AlertRow, delivery: WebhookDelivery) -> TransitEstimate | None:
    on = row.scheduledDeliveryDate
    if not on or row.actualDeliveryDate:
        return None
    window = TimeWindow(
        earliest=event_time(on, row.deliveryStartTime) if row.deliveryStartTime else None,
        latest=event_time(on, row.deliveryEndTime),
    )
    return TransitEstimate(window=window, commitment=Commitment.UNKNOWN, computed_at=delivery.received_at)
