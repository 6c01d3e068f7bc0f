"""Tracking: TrackApiResponse, by number, by reference, and page by page (Tracking.yaml, version v1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shipkit.flow import Response
from shipkit.model import (
    Commitment,
    DropPlace,
    EventNature,
    EventPlace,
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

from ..codes import WEIGHT_UNITS
from ..statuses import MAPPING_VERSION, is_mapped, status
from .common import day, each
from .numbers import number_from_wire, plain_number
from .times import Clock, Day, clock_from_wire, day_from_wire, event_time, scan_time

__all__ = [
    "PackageRow",
    "TrackReply",
    "Tracked",
    "locale_of",
    "packages_of",
    "place_from_wire",
    "search_days",
    "track_params",
    "tracked_from_wire",
    "tracked_shipments",
    "unmapped",
    "warnings_of",
]

_SEARCH_BEFORE: Final = timedelta(days=14)
_SEARCH_AFTER: Final = timedelta(days=30)

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


def search_days(on: date | None) -> dict[str, str]:
    """The days of pickup in which to look for a reference: around the day of shipping.

    Without them UPS looks from 14 days before today to today (Tracking.yaml), and what is to be picked up tomorrow, or
    was a month ago, would seem never to have been booked.
    """
    if on is None:
        return {}
    return {"fromPickUpDate": day(on - _SEARCH_BEFORE), "toPickUpDate": day(on + _SEARCH_AFTER)}


def track_params(query: TrackQuery) -> dict[str, str]:
    return {"locale": locale_of(query.language), "returnSignature": "false"}


@wire
class StatusRow:
    type: str | None = None
    code: str | None = None


@wire
class DatedRow:
    type: str | None = None
    date: Day | None = None


@wire
class TimedRow:
    type: str | None = None
    startTime: Clock | None = None
    endTime: Clock | None = None


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
    activity: tuple[Any, ...] = ()
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
    query: TrackQuery, packages: Sequence[PackageRow], messages: tuple[Message, ...], response: Response
) -> TrackResult:
    """Everything about every package of the shipment; the package that was asked for decides what is single.

    Raises:
        ReplyError: an activity cannot be read.
    """
    language = locale_of(query.language)[:2]
    asked, events = packages[0], []
    scans: list[TrackingEvent] = []
    for package in packages:
        piece = plain_number(package.trackingNumber)
        of_package = _events(package, piece, language, response)
        events += of_package
        if piece == query.number.value or package is asked:
            asked, scans = package, of_package
    return TrackResult(
        number=query.number,
        events=tuple(events),
        complete=len(packages) >= max([package.packageCount or 0 for package in packages]),
        service=(asked.service.description or asked.service.code) if asked.service else None,
        transit=_transit(asked, response.received_at),
        proof=_proof(asked, scans),
        weight=_weight(asked.weight),
        related=_related(query, packages),
        messages=(*messages, *unmapped(events)),
        received_at=response.received_at,
    )


def unmapped(events: Iterable[TrackingEvent]) -> tuple[Message, ...]:
    """A notice for each status that no source explains, such as ``X+E7``."""
    seen = dict.fromkeys([(event.code_type or "", event.code or "") for event in events])
    return tuple([Message.unmapped("+".join(pair)) for pair in seen if not is_mapped(*pair)])


def _events(package: PackageRow, piece: str, language: str, response: Response) -> list[TrackingEvent]:
    def event(row: Mapping[str, Any]) -> TrackingEvent:
        return _event_from_wire(row, piece, language, response.received_at)

    return each(response, event, package.activity, "$.trackResponse..activity")


def _event_from_wire(row: Mapping[str, Any], piece: str, language: str, received_at: datetime) -> TrackingEvent:
    state, location, at = row.get("status") or {}, row.get("location"), row.get("time")
    kind, subcode, logical = state.get("type") or "", state.get("statusCode") or None, row.get("logicalScan")
    code = state.get("code") or subcode or ""
    offset, text = row.get("gmtOffset"), state.get("description")
    milestone, reason = status(kind, code)
    return TrackingEvent(
        piece=piece,
        time=scan_time(
            day_from_wire(row["date"]),
            clock_from_wire(at) if at else None,
            offset,
            (None, None) if offset else _gmt(row),
        ),
        milestone=milestone,
        reason=reason,
        code=code,
        subcode=subcode,
        code_type=kind or None,
        unmapped=not is_mapped(kind, code),
        text=text.strip() or None if text else None,
        language=language,
        place=_place(location) if location else None,
        nature=None if logical is None else EventNature.LOGICAL if logical else EventNature.PHYSICAL,
        observed_at=received_at,
        mapping_version=MAPPING_VERSION,
    )


def _gmt(row: Mapping[str, Any]) -> tuple[date | None, time | None]:
    on, at = row.get("gmtDate"), row.get("gmtTime")
    return day_from_wire(on) if on else None, clock_from_wire(at) if at else None


def _place(location: Mapping[str, Any]) -> EventPlace:
    address = location.get("address") or {}
    return place_from_wire(address.get("city"), address.get("stateProvince"), address.get("countryCode"))


@lru_cache(maxsize=256)
def place_from_wire(city: str | None, region: str | None, country: str | None) -> EventPlace:
    """Only what a push says of every scan, for the same scan told twice must be one event: no facility ("slic"), no
    postal code ("blank until the delivery event occurs", UPSTrackAlert.yaml).
    """
    return EventPlace(city=city or None, region=region or None, country=country or None)


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


def _proof(package: PackageRow, events: Sequence[TrackingEvent]) -> ProofOfDelivery | None:
    delivered = next((row.date for row in package.deliveryDate if row.type == "DEL" and row.date), None)
    if delivered is None:
        return None
    times, details = package.deliveryTime, package.deliveryInformation or DeliveryRow()
    at = times.endTime if times is not None and times.type == "DEL" else None
    place = _PLACES.get(details.location.upper(), DropPlace.OTHER) if details.location else None
    scanned = next((event.time for event in events if event.code == "FS" and event.code_type == "D"), None)
    return ProofOfDelivery(delivered_at=scanned or event_time(delivered, at), signed_by=details.receivedBy, place=place)


def _weight(row: WeightRow | None) -> Weight | None:
    unit = WEIGHT_UNITS.get(row.unitOfMeasurement or "") if row else None
    return Weight(row.weight, unit) if row and unit and row.weight is not None else None


def _related(query: TrackQuery, packages: Sequence[PackageRow]) -> tuple[TrackingNumber, ...]:
    values = [package.trackingNumber for package in packages]
    values += [row.number for package in packages for row in package.alternateTrackingNumber if row.number]
    numbers = dict.fromkeys([plain_number(value) for value in values])
    return tuple([number_from_wire(value) for value in numbers if value != query.number.value])


class Tracked(NamedTuple):
    """A shipment as a search found it: the numbers of its packages, and those that are not void."""

    numbers: tuple[str, ...]
    live: tuple[str, ...]


def tracked_shipments(reply: TrackReply) -> list[Tracked]:
    """Status type MV is "manifest void" (UPSTrackAlertEnhanced.yaml)."""
    return [
        Tracked(
            numbers=tuple([package.trackingNumber for package in shipment.package]),
            live=tuple([package.trackingNumber for package in shipment.package if not _is_void(package)]),
        )
        for shipment in reply.trackResponse.shipment
        if shipment.package
    ]


def _is_void(package: PackageRow) -> bool:
    return package.currentStatus is not None and package.currentStatus.type == "MV"
