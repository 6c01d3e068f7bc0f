"""Tracking: TrackApiResponse, by number, by reference, and page by page (Tracking.yaml, version v1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shipkit.model import (
    Commitment,
    DropPlace,
    EventNature,
    EventPlace,
    EventTime,
    Message,
    NoticeCode,
    NoticeLevel,
    ProofOfDelivery,
    TimeWindow,
    TrackingEvent,
    TrackingNumber,
    TrackQuery,
    TrackResult,
    TransitEstimate,
    Weight,
)
from shipkit.readers import wire

from ..codes import MAPPING_VERSION, WEIGHT_UNITS, status
from .common import event_time, number_from_wire, reader, scan_time

__all__ = [
    "PackageRow",
    "TrackReply",
    "Tracked",
    "locale_of",
    "packages_of",
    "track_params",
    "tracked_from_wire",
    "tracked_shipments",
    "warnings_of",
]

# Of a language alone, the country whose texts UPS is asked for; any other language gets English.
_LOCALES: Final[Mapping[str, str]] = {
    "de": "de_DE",
    "en": "en_US",
    "es": "es_ES",
    "fr": "fr_FR",
    "it": "it_IT",
    "nl": "nl_NL",
    "pl": "pl_PL",
}

# deliveryInformation.location is words; those that say where in ours. Tracking.yaml gives "Front Door".
_PLACES: Final[Mapping[str, DropPlace]] = {
    "FRONT DOOR": DropPlace.DOOR,
    "FRONT DESK": DropPlace.RECEPTION,
    "RECEPTION": DropPlace.RECEPTION,
    "RECEIVER": DropPlace.DOOR,
    "DOCK": DropPlace.DOCK,
    "MAIL ROOM": DropPlace.RECEPTION,
}


def locale_of(language: str) -> str:
    """``en_US`` for ``en``; a tag with a region says it all itself."""
    name, _, region = language.partition("-")
    return f"{name}_{region.upper()}" if region else _LOCALES.get(name, "en_US")


def track_params(query: TrackQuery) -> dict[str, str]:
    return {"locale": locale_of(query.language), "returnSignature": "false"}


class Scan(NamedTuple):
    """One row of ``activity``, as far as it does not depend on its package."""

    time: EventTime
    kind: str
    code: str
    subcode: str | None
    text: str | None
    place: EventPlace | None
    logical: bool | None


@reader.hook(Scan)
def scan_from_wire(row: Mapping[str, Any]) -> Scan:
    state = row.get("status") or {}
    location = row.get("location") or {}
    address = location.get("address") or {}
    return Scan(
        time=scan_time(row["date"], row.get("time"), row.get("gmtOffset"), row.get("gmtDate"), row.get("gmtTime")),
        kind=state.get("type") or "",
        code=state.get("code") or state.get("statusCode") or "",
        subcode=state.get("statusCode") or None,
        text=(state.get("description") or "").strip() or None,
        # Without the facility ("slic"): pushes have none, and the same scan told twice must be one event.
        place=EventPlace(
            city=address.get("city") or None,
            region=address.get("stateProvince") or None,
            postal_code=address.get("postalCode") or None,
            country=address.get("countryCode") or None,
        )
        if location
        else None,
        logical=row.get("logicalScan"),
    )


@wire
class StatusRow:
    type: str | None = None
    code: str | None = None


@wire
class DatedRow:
    type: str | None = None
    date: str | None = None


@wire
class TimedRow:
    type: str | None = None
    startTime: str | None = None
    endTime: str | None = None


@wire
class DeliveryRow:
    location: str | None = None
    receivedBy: str | None = None


@wire
class AlternateRow:
    number: str | None = None


@wire
class ServiceRow:
    code: str | None = None
    description: str | None = None


@wire
class WeightRow:
    unitOfMeasurement: str | None = None
    weight: Decimal | None = None


@wire
class PackageRow:
    trackingNumber: str
    activity: tuple[Scan, ...] = ()
    currentStatus: StatusRow | None = None
    deliveryDate: tuple[DatedRow, ...] = ()
    deliveryTime: TimedRow | None = None
    deliveryInformation: DeliveryRow | None = None
    alternateTrackingNumber: tuple[AlternateRow, ...] = ()
    service: ServiceRow | None = None
    weight: WeightRow | None = None
    packageCount: int | None = None


@wire
class WarningRow:
    code: str | None = None
    message: str | None = None


@wire
class ShipmentRow:
    inquiryNumber: str | None = None
    package: tuple[PackageRow, ...] = ()
    warnings: tuple[WarningRow, ...] = ()


@wire
class TrackResponse:
    shipment: tuple[ShipmentRow, ...] = ()


@wire
class TrackReply:
    trackResponse: TrackResponse


def packages_of(reply: TrackReply) -> list[PackageRow]:
    return [package for shipment in reply.trackResponse.shipment for package in shipment.package]


def warnings_of(reply: TrackReply) -> tuple[Message, ...]:
    return tuple(
        Message(level=NoticeLevel.WARNING, code=NoticeCode.CARRIER_NOTICE, carrier_code=row.code, text=row.message)
        for shipment in reply.trackResponse.shipment
        for row in shipment.warnings
    )


def tracked_from_wire(
    query: TrackQuery,
    packages: Sequence[PackageRow],
    messages: tuple[Message, ...],
    received_at: datetime,
) -> TrackResult:
    """Everything about every package of the shipment; the package that was asked for decides what is single."""
    language = locale_of(query.language)[:2]
    asked = next((p for p in packages if number_from_wire(p.trackingNumber).value == query.number.value), packages[0])
    return TrackResult(
        number=query.number,
        events=tuple(event for package in packages for event in _events(package, language, received_at)),
        complete=len(packages) >= max((package.packageCount or 0 for package in packages), default=0),
        service=(asked.service.description or asked.service.code) if asked.service else None,
        transit=_transit(asked, received_at),
        proof=_proof(asked),
        weight=_weight(asked.weight),
        related=_related(query, packages),
        messages=messages,
        received_at=received_at,
    )


def _events(package: PackageRow, language: str, received_at: datetime) -> Iterable[TrackingEvent]:
    piece = number_from_wire(package.trackingNumber).value
    for scan in package.activity:
        milestone, reason = status(scan.kind, scan.code)
        nature = None if scan.logical is None else EventNature.LOGICAL if scan.logical else EventNature.PHYSICAL
        yield TrackingEvent(
            piece=piece,
            time=scan.time,
            milestone=milestone,
            reason=reason,
            code=scan.code,
            subcode=scan.subcode,
            code_type=scan.kind or None,
            text=scan.text,
            language=language,
            place=scan.place,
            nature=nature,
            observed_at=received_at,
            mapping_version=MAPPING_VERSION,
        )


def _transit(package: PackageRow, received_at: datetime) -> TransitEstimate | None:
    """The rescheduled day before the scheduled one; nothing any more once it is delivered."""
    days = {row.type: row.date for row in package.deliveryDate if row.date}
    on = None if "DEL" in days else days.get("RDD") or days.get("SDD")
    if on is None:
        return None
    times = package.deliveryTime or TimedRow()
    window = TimeWindow(
        earliest=event_time(on, times.startTime) if times.startTime else None, latest=event_time(on, times.endTime)
    )
    return TransitEstimate(window=window, commitment=Commitment.UNKNOWN, computed_at=received_at)


def _proof(package: PackageRow) -> ProofOfDelivery | None:
    delivered = next((row.date for row in package.deliveryDate if row.type == "DEL" and row.date), None)
    if delivered is None:
        return None
    times, details = package.deliveryTime, package.deliveryInformation or DeliveryRow()
    at = times.endTime if times is not None and times.type == "DEL" else None
    place = _PLACES.get(details.location.upper(), DropPlace.OTHER) if details.location else None
    scans = [scan.time for scan in package.activity if (scan.kind, scan.code) == ("D", "FS")]
    return ProofOfDelivery(
        delivered_at=scans[0] if scans else event_time(delivered, at), signed_by=details.receivedBy, place=place
    )


def _weight(row: WeightRow | None) -> Weight | None:
    unit = WEIGHT_UNITS.get(row.unitOfMeasurement or "") if row else None
    return Weight(row.weight, unit) if row and unit and row.weight is not None else None


def _related(query: TrackQuery, packages: Sequence[PackageRow]) -> tuple[TrackingNumber, ...]:
    values = [package.trackingNumber for package in packages]
    values += [row.number for package in packages for row in package.alternateTrackingNumber if row.number]
    numbers = dict.fromkeys(number_from_wire(value).value for value in values)
    return tuple(number_from_wire(value) for value in numbers if value != query.number.value)


class Tracked(NamedTuple):
    """A shipment as a search found it: its packages' numbers, and whether every one is void."""

    numbers: tuple[str, ...]
    voided: bool


def tracked_shipments(reply: TrackReply) -> list[Tracked]:
    """Status type MV is "manifest void" (UPSTrackAlertEnhanced.yaml)."""
    return [
        Tracked(
            numbers=tuple(package.trackingNumber for package in shipment.package),
            voided=all((package.currentStatus or StatusRow()).type == "MV" for package in shipment.package),
        )
        for shipment in reply.trackResponse.shipment
        if shipment.package
    ]
