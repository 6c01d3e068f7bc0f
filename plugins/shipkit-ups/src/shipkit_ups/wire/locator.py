"""UPS Access Points near a place, or one by its id (Locator.yaml, version v3, request option 64)."""

from __future__ import annotations

from datetime import time
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from shipkit.errors import NotFoundError
from shipkit.flow import Response
from shipkit.model import (
    Address,
    GeoPoint,
    Length,
    LengthUnit,
    OpeningInterval,
    ServicePoint,
    ServicePointCapability,
    ServicePointKind,
    ServicePointQuery,
)
from shipkit.readers import wire

from ..points import OFFERINGS, WEEKDAYS
from .common import without_none

__all__ = ["ACCESS_POINTS", "locator_to_wire", "points_from_wire"]

ACCESS_POINTS: Final = "64"
_MOST: Final = 50
_REGULAR_HOURS: Final = "10"
_MM_PER_KM: Final = 1_000_000
_IN_PER_MILE: Final = 63_360


def locator_to_wire(query: ServicePointQuery) -> dict[str, Any]:
    """Distances in kilometres; a radius of 5 to 150 of them."""
    near = query.near
    key = without_none(CountryCode=query.country)
    if isinstance(near, Address):
        key = without_none(
            AddressLine=", ".join(near.lines),
            PoliticalDivision2=near.city,
            PoliticalDivision1=near.region,
            PostcodePrimaryLow=near.postal_code,
            CountryCode=near.country,
        )
    geocode = None
    if isinstance(near, GeoPoint):
        geocode = {"Latitude": format(near.latitude, "f"), "Longitude": format(near.longitude, "f")}
    return {
        "LocatorRequest": without_none(
            Request={"RequestAction": "Locator"},
            OriginAddress=without_none(Geocode=geocode, AddressKeyFormat=key),
            Translate={"Locale": "en_US"},
            UnitOfMeasurement={"Code": "KM"},
            LocationSearchCriteria=without_none(
                MaximumListSize=str(min(query.max_results, _MOST)),
                SearchRadius=_radius(query.max_distance),
                AccessPointSearch=without_none(
                    PublicAccessPointID=query.id, AccessPointStatus=None if query.id else "01"
                ),
            ),
            SortCriteria={"SortType": "01"},
        )
    }


def _radius(distance: Length | None) -> str | None:
    if distance is None:
        return None
    kilometres = (distance.to(LengthUnit.MM, ROUND_CEILING, "1") / _MM_PER_KM).to_integral_value(ROUND_CEILING)
    return str(min(max(kilometres, Decimal(5)), Decimal(150)))


@wire
class GeocodeRow:
    Latitude: Decimal | None = None
    Longitude: Decimal | None = None


@wire
class AddressKeyRow:
    CountryCode: str
    ConsigneeName: str | None = None
    AddressLine: tuple[str, ...] = ()
    PoliticalDivision2: str | None = None
    PoliticalDivision1: str | None = None
    PostcodePrimaryLow: str | None = None
    PostcodeExtendedLow: str | None = None


@wire
class UnitRow:
    Code: str


@wire
class DistanceRow:
    Value: Decimal
    UnitOfMeasurement: UnitRow


@wire
class DayRow:
    Day: str
    OpenHours: str | None = None
    CloseHours: str | None = None
    ClosedIndicator: Any = None
    Open24HoursIndicator: Any = None


@wire
class StandardHoursRow:
    HoursType: str
    DayOfWeek: tuple[DayRow, ...] = ()


@wire
class OperatingHoursRow:
    StandardHours: tuple[StandardHoursRow, ...] = ()


@wire
class OfferingRow:
    Code: str


@wire
class OfferingListRow:
    ServiceOffering: tuple[OfferingRow, ...] = ()


@wire
class AccessPointRow:
    PublicAccessPointID: str | None = None
    ImageURL: str | None = None


@wire
class DropLocationRow:
    LocationID: str
    AddressKeyFormat: AddressKeyRow
    Geocode: GeocodeRow | None = None
    Distance: DistanceRow | None = None
    OperatingHours: OperatingHoursRow | None = None
    ServiceOfferingList: OfferingListRow | None = None
    AccessPointInformation: AccessPointRow | None = None
    Comments: str | None = None


@wire
class SearchResultsRow:
    DropLocation: tuple[DropLocationRow, ...] = ()


@wire
class ErrorRow:
    ErrorCode: str
    ErrorDescription: str | None = None


@wire
class ResponseRow:
    ResponseStatusCode: str
    Error: ErrorRow | None = None


@wire
class LocatorResponse:
    Response: ResponseRow
    SearchResults: SearchResultsRow | None = None


@wire
class LocatorReply:
    LocatorResponse: LocatorResponse


def points_from_wire(query: ServicePointQuery, reply: LocatorReply, response: Response) -> tuple[ServicePoint, ...]:
    """The points as UPS sorts them, nearest first.

    Raises:
        NotFoundError: UPS answers 200 with a status of failure and its own code.
    """
    row = reply.LocatorResponse
    if row.Response.ResponseStatusCode == "0":
        error = row.Response.Error or ErrorRow("")
        raise NotFoundError.of(
            response, carrier_code=error.ErrorCode, carrier_message=error.ErrorDescription or "no location found"
        )
    points = (_point(found) for found in (row.SearchResults or SearchResultsRow()).DropLocation)
    return tuple(point for point in points if _fits(point, query))


def _fits(point: ServicePoint, query: ServicePointQuery) -> bool:
    """Of the kind, and for the purpose: where UPS says what a point is for, it is for nothing else."""
    known = frozenset[ServicePointCapability]().union(*OFFERINGS.values())
    other = point.capabilities and query.purpose in known and query.purpose not in point.capabilities
    return bool(query.id or not other) and (not query.kinds or point.kind in query.kinds)


def _point(row: DropLocationRow) -> ServicePoint:
    """What can be delivered to is an access point, named by its public id; the location's own id is not to be shown."""
    access, key, geocode = row.AccessPointInformation, row.AddressKeyFormat, row.Geocode
    offerings = row.ServiceOfferingList.ServiceOffering if row.ServiceOfferingList else ()
    capabilities = frozenset[ServicePointCapability]().union(*(OFFERINGS.get(o.Code, ()) for o in offerings))
    postal_code = "-".join(part for part in (key.PostcodePrimaryLow, key.PostcodeExtendedLow) if part)
    public_id = access.PublicAccessPointID if access else None
    return ServicePoint(
        id=public_id or row.LocationID,
        carrier="ups",
        kind=ServicePointKind.SHOP,
        name=key.ConsigneeName or "",
        address=Address(
            lines=key.AddressLine,
            city=key.PoliticalDivision2,
            region=key.PoliticalDivision1,
            postal_code=postal_code or None,
            country=key.CountryCode,
        ),
        geo=_geo(geocode),
        distance=_distance(row.Distance),
        capabilities=capabilities,
        hours=tuple(_hours(row.OperatingHours)),
        directions=row.Comments,
        photo_url=access.ImageURL if access else None,
        routing={"location_id": row.LocationID},
    )


def _geo(row: GeocodeRow | None) -> GeoPoint | None:
    if row is None or row.Latitude is None or row.Longitude is None:
        return None
    return GeoPoint(latitude=row.Latitude, longitude=row.Longitude)


def _distance(row: DistanceRow | None) -> Length | None:
    if row is None:
        return None
    if row.UnitOfMeasurement.Code.upper() == "MI":
        return Length(row.Value * _IN_PER_MILE, LengthUnit.IN)
    return Length(row.Value * _MM_PER_KM, LengthUnit.MM)


def _hours(hours: OperatingHoursRow | None) -> list[OpeningInterval]:
    regular = [row for row in (hours.StandardHours if hours else ()) if row.HoursType == _REGULAR_HOURS]
    intervals = []
    for row in (day for standard in regular for day in standard.DayOfWeek):
        if row.Day not in WEEKDAYS or row.ClosedIndicator is not None:
            continue
        if row.Open24HoursIndicator is not None:
            opens, closes = time(0), time(23, 59)
        elif row.OpenHours and row.CloseHours:
            opens, closes = _clock(row.OpenHours), _clock(row.CloseHours)
            closes = time(23, 59) if closes == time(0) else closes
        else:
            continue
        intervals.append(OpeningInterval(weekday=WEEKDAYS[row.Day], opens=opens, closes=closes))
    return intervals


def _clock(text: str) -> time:
    """``930``, ``1700``, and ``0`` for midnight."""
    digits = text.zfill(4)
    return time(int(digits[:2]), int(digits[2:4]))
