"""Collections."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from shipkit.errors import CarrierError, InputError, RejectedError
from shipkit.flow import Response
from shipkit.model import (
    CancellationResult,
    CancelOutcome,
    Charge,
    ChargeType,
    Message,
    Money,
    NoticeLevel,
    Pickup,
    PickupRequest,
    PickupState,
    PickupWindow,
    Problem,
    ProblemCode,
)
from shipkit.readers import wire

from .. import codes
from .common import MessageRow, filled, iso_instant, messages_from_wire, party_to_wire

__all__ = ["PickupRow", "cancellation_from_wire", "chosen_rate", "pickup_from_wire", "pickup_id", "pickup_to_wire"]


@wire
class PickupRateRow:
    carrier: str = attrs.field(validator=filled)
    service: str = attrs.field(validator=filled)
    rate: Decimal
    currency: str = attrs.field(validator=filled)


@wire
class PickupRow:
    id: str = attrs.field(validator=filled)
    status: str | None = None
    confirmation: str | None = None
    min_datetime: str | None = None
    max_datetime: str | None = None
    pickup_rates: tuple[PickupRateRow, ...] = ()
    messages: tuple[MessageRow, ...] = ()


def pickup_to_wire(request: PickupRequest) -> dict[str, object]:
    """The body of ``POST /pickups`` (recording test_pickup_create): for one shipment, at the carrier that has it.

    Raises:
        InputError: not exactly one shipment is named.
    """
    if len(request.shipment_ids) != 1:
        code = ProblemCode.MISSING if not request.shipment_ids else ProblemCode.TOO_MANY
        text = f"EasyPost collects by shipment: name exactly one, not {len(request.shipment_ids)}"
        raise InputError(problems=(Problem(path="/shipment_ids", code=code, text=text, limit="1"),))
    pickup: dict[str, object] = {
        "address": party_to_wire(request.pickup_from),
        "min_datetime": _moment(request.window.day, request.window.ready, request.window.zone),
        "max_datetime": _moment(request.window.day, request.window.close, request.window.zone),
        "shipment": {"id": request.shipment_ids[0]},
        "reference": request.reference,
    }
    if request.instructions:
        pickup["instructions"] = request.instructions
    return {"pickup": pickup}


def _moment(day: date, at: time, zone: str | None) -> str:
    try:
        return datetime.combine(day, at, ZoneInfo(zone) if zone else None).isoformat()
    except (ZoneInfoNotFoundError, ValueError):
        problem = Problem(path="/window/zone", code=ProblemCode.UNKNOWN_VALUE, text="no zone of the IANA database")
        raise InputError(problems=(problem,)) from None


def chosen_rate(request: PickupRequest, row: PickupRow, response: Response) -> dict[str, str]:
    """The cheapest pickup rate, among *request*'s services where it names some: it is bought by carrier and service.

    Raises:
        RejectedError: there is none; the carriers' words are in the message.
    """
    wanted = {service.lower() for service in request.services}
    fitting = [
        rate
        for rate in row.pickup_rates
        if not wanted or codes.service_code(rate.carrier, rate.service).lower() in wanted
    ]
    if not fitting:
        said = "; ".join(message.text or "" for message in messages_from_wire(row.messages))
        raise RejectedError.of(response, message="no carrier offers this pickup", carrier_message=said)
    best = min(fitting, key=lambda rate: rate.rate)
    return {"carrier": best.carrier, "service": best.service}


def pickup_from_wire(request: PickupRequest, row: PickupRow, bought: dict[str, str], received_at: datetime) -> Pickup:
    """The collection as taken. ``confirmation`` is EasyPost's id, which cancelling needs, and the carrier's number."""
    charges = tuple(
        Charge(type=ChargeType.PICKUP, code=rate.service, amount=Money(rate.rate, rate.currency))
        for rate in row.pickup_rates
        if rate.carrier == bought["carrier"] and rate.service == bought["service"]
    )[:1]
    return Pickup(
        confirmation=f"{row.id}/{row.confirmation}" if row.confirmation else row.id,
        state=codes.PICKUPS.get(row.status or "", PickupState.REQUESTED),
        window=_window(row, request.window),
        pickup_from=request.pickup_from,
        package_count=request.package_count,
        charges=charges,
        total=charges[0].amount if charges else None,
        created_at=received_at,
        messages=messages_from_wire(row.messages),
    )


def pickup_id(confirmation: str) -> str:
    """EasyPost's id within a confirmation of ours."""
    return confirmation.partition("/")[0]


def cancellation_from_wire(row: PickupRow, refusal: CarrierError | None = None) -> CancellationResult:
    """Whether the collection is called off; after a *refusal*, whether it had been before."""
    cancelled = codes.PICKUPS.get(row.status or "") is PickupState.CANCELLED
    if refusal is None:
        return CancellationResult(outcome=CancelOutcome.VOIDED if cancelled else CancelOutcome.REQUESTED)
    if cancelled:
        return CancellationResult(outcome=CancelOutcome.ALREADY_VOIDED)
    message = Message(
        level=NoticeLevel.WARNING, carrier_code=refusal.carrier_code or None, text=refusal.carrier_message or None
    )
    return CancellationResult(outcome=CancelOutcome.REJECTED, messages=(message,))


def _window(row: PickupRow, asked: PickupWindow) -> PickupWindow:
    # EasyPost answers in UTC. Without a zone its times are the ones that were sent, and recording test_pickup_buy
    # shows a window of no length, which says nothing.
    if not (row.min_datetime and row.max_datetime and asked.zone):
        return asked
    zone = ZoneInfo(asked.zone)
    ready, close = (iso_instant(text).astimezone(zone) for text in (row.min_datetime, row.max_datetime))
    if close <= ready or close.date() != ready.date():
        return asked
    return PickupWindow(day=ready.date(), ready=ready.time(), close=close.time(), zone=asked.zone)
