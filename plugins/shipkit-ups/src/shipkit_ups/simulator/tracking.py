"""Tracking: GET /track/v1/details/{number}, by reference, and a shipment page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from shipkit.simulator import Booking, Call, NotInBooksError, Place, Reply, Step, StepKind, route

from .base import RefusedError, UpsBase, one, signed, text_at
from .places import zone_of
from .tariff import PRODUCTS, arrival

__all__ = ["ACTIVITIES", "Tracking", "place_of", "zone_at"]

# Type, code, detail code and words. Types and codes of M, I, D and MV: UPSTrackAlertEnhanced.yaml; the detail codes are
# those of its examples. I+SR: Tracking.yaml, Status. UPS publishes no list for "X" and "U": these
# codes are the simulator's own, as are I+HP and I+Q9.
ACTIVITIES: Final[Mapping[StepKind, tuple[str, str, str, str]]] = {
    StepKind.ANNOUNCED: ("M", "MP", "003", "Shipper created a label, UPS has not received the package yet."),
    StepKind.ACCEPTED: ("I", "OR", "005", "Origin Scan"),
    StepKind.DEPARTED: ("I", "DP", "005", "Departed from Facility"),
    StepKind.ARRIVED: ("I", "AR", "005", "Arrived at Facility"),
    StepKind.OUT_FOR_DELIVERY: ("I", "OT", "021", "Out For Delivery Today"),
    StepKind.ATTEMPTED: ("X", "NH", "014", "The receiver was not available at the time of the first attempt."),
    StepKind.EXCEPTION: ("X", "DJ", "013", "A delay occurred on the way."),
    StepKind.CUSTOMS_HELD: ("X", "CH", "020", "The package is held by the customs agency."),
    StepKind.CUSTOMS_CLEARED: ("I", "SR", "020", "Your package was released by the customs agency."),
    StepKind.HANDED_OVER: ("I", "HP", "022", "The package was handed to a delivery partner."),
    StepKind.REDIRECTED: ("U", "RD", "023", "The package goes to an Access Point instead."),
    StepKind.READY_FOR_PICKUP: ("X", "ZP", "026", "The package is at an Access Point and waits for its receiver."),
    StepKind.DELIVERED: ("D", "FS", "011", "DELIVERED"),
    StepKind.COLLECTED: ("D", "FS", "011", "DELIVERED"),
    StepKind.REFUSED: ("X", "RF", "015", "The receiver does not want the package and refused the delivery."),
    StepKind.RETURNING: ("X", "RS", "016", "Returning to Sender"),
    StepKind.RETURNED: ("X", "RT", "016", "Returned to Sender"),
    StepKind.LOST: ("X", "LP", "024", "An investigation found that the package is lost."),
    StepKind.NOTED: ("U", "PD", "025", "The proof of delivery was recorded."),
    StepKind.UNEXPLAINED: ("I", "Q9", "099", "Processing"),
    StepKind.VOIDED: ("MV", "VP", "018", "Shipment Cancelled"),
}
_HUB: Final = {"city": "Louisville", "stateProvince": "KY", "countryCode": "US", "country": "US"}
_NOT_FOUND: Final = ("TW0001", "Tracking Information Not Found", 404)


def place_of(booking: Booking, place: Place) -> dict[str, str]:
    """Town, state and country of a step."""
    shipment = booking.details["shipment"]
    if place is Place.HUB:
        return dict(_HUB)
    sender = one(shipment.get("ShipFrom")) or one(shipment["Shipper"])
    party = sender if place in (Place.SENDER, Place.ORIGIN_DEPOT) else one(shipment["ShipTo"])
    address = one(party.get("Address"))
    named = {
        "city": text_at(address, ["City"]),
        "stateProvince": text_at(address, ["StateProvinceCode"]),
        "postalCode": text_at(address, ["PostalCode"]) if place is Place.RECIPIENT else "",
        "countryCode": text_at(address, ["CountryCode"]),
        "country": text_at(address, ["CountryCode"]),
    }
    return {name: value for name, value in named.items() if value}


def zone_at(booking: Booking, step: Step) -> timezone:
    """The zone of the place where *step* happens."""
    return zone_of(place_of(booking, step.place)["countryCode"])


class Tracking(UpsBase):
    """Where parcels are; the newest activity first."""

    @route("GET", "/api/track/v1/details/{number}", operation="track")
    @signed
    def track(self, call: Call) -> Reply:
        _check_headers(call)
        number = call.params["number"].upper()
        booking = self._booking(number)
        return self._tracked(call, [_shipment(number, [self._tracked_package(booking, number)])])

    @route("GET", "/api/track/v1/shipment/details/{number}", operation="track")
    @signed
    def track_shipment(self, call: Call) -> Reply:
        _check_headers(call)
        booking = self._booking(call.params["number"].upper())
        offset, count = int(call.query.get("offset", "0")), int(call.query.get("count", "50"))
        numbers = booking.numbers[offset : offset + count]
        return self._tracked(
            call, [_shipment(booking.id, [self._tracked_package(booking, number) for number in numbers])]
        )

    @route("GET", "/api/track/v1/reference/details/{reference}", operation="find_shipments")
    @signed
    def track_reference(self, call: Call) -> Reply:
        _check_headers(call)
        found = self.found(call.params["reference"], call.query.get("shipperNum", ""))
        if not found:
            raise RefusedError(*_NOT_FOUND)
        rows = [
            _shipment(call.params["reference"], [self._tracked_package(booking, number) for number in booking.numbers])
            for booking in found
        ]
        return self._tracked(call, rows)

    def _booking(self, number: str) -> Booking:
        try:
            return self.world.by_number(number)
        except NotInBooksError:
            raise RefusedError(*_NOT_FOUND) from None

    def _tracked(self, call: Call, shipments: list[dict[str, Any]]) -> Reply:
        return Reply.json({"trackResponse": {"shipment": shipments}}, 200, self.tags(call))

    def _tracked_package(self, booking: Booking, number: str) -> dict[str, Any]:
        steps = self.world.parcel(number).steps_until_now()
        if number in booking.voided_numbers and not any(step.kind is StepKind.VOIDED for step in steps):
            steps = (*steps, _void_step(booking, number, len(steps)))
        last, product = steps[-1], PRODUCTS[booking.service]
        index = booking.numbers.index(number)
        row: dict[str, Any] = {
            "trackingNumber": number,
            "deliveryDate": _dates(booking, steps),
            "deliveryTime": _times(booking, last),
            "activity": [_activity(booking, step) for step in reversed(steps)],
            "packageCount": len(booking.numbers),
            "currentStatus": _status(last, short=True),
            "referenceNumber": [{"type": "PACKAGE", "number": ref} for ref in (booking.reference, booking.mark) if ref],
            "service": {
                "code": f"{booking.service:0>3}",
                "levelCode": f"{booking.service:0>3}",
                "description": product.name,
            },
            "weight": {"unitOfMeasurement": "LBS", "weight": booking.details["weights"][index]},
        }
        if last.kind in (StepKind.DELIVERED, StepKind.COLLECTED):
            receiver = text_at(booking.details["shipment"], ("ShipTo", "AttentionName")).upper()
            row["deliveryInformation"] = {"location": "Front Door", "receivedBy": receiver or "RECEIVER"}
        return row


def _check_headers(call: Call) -> None:
    """Tracking.yaml: both are required."""
    for name, code in (("transId", "TV0002"), ("transactionSrc", "TV0004")):
        if not call.headers.get(name):
            raise RefusedError(code, f"Missing {name}")


def _shipment(inquiry: str, packages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"inquiryNumber": inquiry, "package": list(packages), "userRelation": ["SHIPPER"]}


def _void_step(booking: Booking, number: str, index: int) -> Step:
    """A package that was taken out of a shipment whose others go on."""
    at: datetime = booking.voided_numbers[number]
    return Step(number=number, booking_id=booking.id, index=index, kind=StepKind.VOIDED, at=at, place=Place.SENDER)


def _activity(booking: Booking, step: Step) -> dict[str, Any]:
    zone = zone_at(booking, step)
    local, gmt = step.at.astimezone(zone), step.at.astimezone(timezone.utc)
    hours = int((zone.utcoffset(None) or timedelta()).total_seconds() // 3600)
    return {
        "location": {"address": place_of(booking, step.place), "slic": f"{1000 + step.index * 37}"},
        "status": _status(step),
        "date": f"{local:%Y%m%d}",
        "time": f"{local:%H%M%S}",
        "gmtDate": f"{gmt:%Y%m%d}",
        "gmtOffset": f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00",
        "gmtTime": f"{gmt:%H:%M:%S}",
    }


def _status(step: Step, *, short: bool = False) -> dict[str, str]:
    kind, code, detail, text = ACTIVITIES[step.kind]
    if short:
        return {"type": kind, "description": text, "code": detail}
    return {"type": kind, "description": text, "code": code, "statusCode": detail}


def _dates(booking: Booking, steps: Sequence[Step]) -> list[dict[str, str]]:
    there = arrival(PRODUCTS[booking.service], booking.created_at.date())
    rows = [{"type": "SDD", "date": f"{there:%Y%m%d}"}]
    done = [step for step in steps if step.kind in (StepKind.DELIVERED, StepKind.COLLECTED)]
    rows += [{"type": "DEL", "date": f"{step.at.astimezone(zone_at(booking, step)):%Y%m%d}"} for step in done]
    return rows


def _times(booking: Booking, last: Step) -> dict[str, str]:
    if last.kind in (StepKind.DELIVERED, StepKind.COLLECTED):
        return {"type": "DEL", "endTime": f"{last.at.astimezone(zone_at(booking, last)):%H%M%S}"}
    return {"type": "EOD", "endTime": ""}
