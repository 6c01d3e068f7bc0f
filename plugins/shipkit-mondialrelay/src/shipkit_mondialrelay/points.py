"""Mondial Relay's own words for places: Points Relais, lockers, towns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from math import ceil
from typing import Any, Final

import attrs

from shipkit.errors import InputError
from shipkit.model import (
    Address,
    AddressCheck,
    AddressCheckLevel,
    AddressCheckResult,
    AddressSpecial,
    AddressVerdict,
    DateRange,
    GeoPoint,
    Length,
    LengthUnit,
    OpeningInterval,
    ProblemCode,
    ServicePoint,
    ServicePointCapability,
    ServicePointKind,
    ServicePointQuery,
    Weekday,
)
from shipkit.readers import wire

from .fields import POINT, TOWN, TOWN_MAX, Sheet, printed
from .wire import CODE, reader

__all__ = [
    "PointsReply",
    "TownsReply",
    "points_from_wire",
    "points_to_wire",
    "town_to_wire",
    "towns_from_wire",
]

# The manual's limits, as vinted's client mondial_relay restates them (parcel_shops/search.rb, postal_codes/search.rb).
_POINTS_MAX: Final = 30
_TOWNS_MAX: Final = 15
# ``Action`` keeps the points that take part in it: goods are collected there, or handed over.
_ACTIONS: Final = {
    ServicePointCapability.COLLECT: "24R",
    ServicePointCapability.DROP_OFF: "REL",
    ServicePointCapability.RETURNS: "REL",
}
_LOCKER: Final = "LOCKER"  # in the member Information, seen in recorded traffic
_WEEK: Final = tuple(
    zip(("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"), Weekday, strict=True)
)


@wire
class Degrees:
    """A coordinate: seven decimals after a comma, ``45,7728450``; ``04,8630410`` with a leading zero."""

    value: Decimal


@wire
class Period:
    Debut: date | None = None
    Fin: date | None = None


@wire
class Periods:
    Periode: tuple[Period, ...] = ()


@wire
class Hours:
    string: tuple[time | None, ...] = ()


@wire
class PointRow:
    Num: str
    CP: str
    Ville: str
    Pays: str
    LgAdr1: str
    LgAdr2: str | None = None
    LgAdr3: str | None = None
    LgAdr4: str | None = None
    Localisation1: str | None = None
    Localisation2: str | None = None
    Latitude: Degrees | None = None
    Longitude: Degrees | None = None
    Information: str | None = None
    Horaires_Lundi: Hours | None = None
    Horaires_Mardi: Hours | None = None
    Horaires_Mercredi: Hours | None = None
    Horaires_Jeudi: Hours | None = None
    Horaires_Vendredi: Hours | None = None
    Horaires_Samedi: Hours | None = None
    Horaires_Dimanche: Hours | None = None
    Informations_Dispo: Periods | None = None
    URL_Photo: str | None = None
    Distance: int | None = None


@wire
class PointRows:
    PointRelais_Details: tuple[PointRow, ...] = ()


@wire
class PointsReply:
    PointsRelais: PointRows | None = None


@wire
class TownRow:
    CP: str
    Ville: str


@wire
class TownRows:
    Commune: tuple[TownRow, ...] = ()


@wire
class TownsReply:
    Liste: TownRows | None = None


@reader.hook(Degrees)
def degrees_from_wire(value: Any) -> Degrees:
    return Degrees(value=Decimal(str(value).strip().replace(",", ".")))


@reader.hook(date)
def day_from_wire(value: Any) -> date:
    """A day, sent as its midnight."""
    return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])


@reader.hook(time)
def hour_from_wire(value: Any) -> time:
    """Written ``0930``."""
    hour, minute = int(value[:2]), int(value[2:])
    return time(23, 59) if hour == 24 else time(hour, minute)


def points_to_wire(query: ServicePointQuery) -> dict[str, object]:
    """The members of WSI4_PointRelais_Recherche; coordinates win over the postal code, which wins over the town.

    Raises:
        InputError: it says neither where to look nor which point.
    """
    sheet = Sheet()
    near = query.near
    address, geo = (near, near.geo) if isinstance(near, Address) else (None, near)
    town = sheet.text(address.city, "/near/city", most=TOWN_MAX, allowed=TOWN) if address else ""
    postcode = sheet.postcode(address, "/near/postal_code") if address and address.postal_code else ""
    if query.id and not POINT.fullmatch(query.id):
        sheet.refuse("/id", ProblemCode.MALFORMED, "is the point's number of six digits, leading zeros kept")
    if not (query.id or geo or town or (address and address.postal_code)):
        sheet.refuse("/near", ProblemCode.MISSING, "needs a postal code, a town or coordinates")
    if sheet.problems:
        raise InputError(problems=tuple(sheet.problems))
    drive = query.services == ("DRI",) and query.purpose is ServicePointCapability.COLLECT
    return {
        "Pays": query.country,
        "NumPointRelais": query.id or "",
        "Ville": "" if postcode or query.id else town,
        "CP": "" if query.id else postcode,
        "Latitude": f"{geo.latitude:.7f}" if geo and not query.id else "",
        "Longitude": f"{geo.longitude:.7f}" if geo and not query.id else "",
        "Poids": str(max(15, ceil(query.weight.grams))) if query.weight else "",
        "Action": "DRI" if drive else _ACTIONS.get(query.purpose, ""),
        "RayonRecherche": str(ceil(query.max_distance.millimetres / 1_000_000)) if query.max_distance else "",
        "NombreResultats": min(_POINTS_MAX, max(10, query.max_results)) if not query.kinds else _POINTS_MAX,
    }


def points_from_wire(query: ServicePointQuery, reply: PointsReply) -> tuple[ServicePoint, ...]:
    """The points of the reply that fit *query*, nearest first as the carrier sorts them."""
    rows = reply.PointsRelais.PointRelais_Details if reply.PointsRelais else ()
    points = (_point_from_wire(row, query.purpose) for row in rows)
    return tuple(point for point in points if _fits(point, query))[: query.max_results]


def _fits(point: ServicePoint, query: ServicePointQuery) -> bool:
    if query.kinds and point.kind not in query.kinds:
        return False
    if query.ready_on and any(closure.first <= query.ready_on <= closure.last for closure in point.closures):
        return False
    far, most = point.distance, query.max_distance
    return not (far and most and far.millimetres > most.millimetres)


def _point_from_wire(row: PointRow, purpose: ServicePointCapability) -> ServicePoint:
    lines = tuple(text for text in (_text(row.LgAdr3), _text(row.LgAdr4)) if text)
    north, east = row.Latitude, row.Longitude
    place = GeoPoint(latitude=north.value, longitude=east.value) if north and east else None
    return ServicePoint(
        id=row.Num.strip(),
        carrier=CODE,
        kind=ServicePointKind.LOCKER if _text(row.Information).upper() == _LOCKER else ServicePointKind.SHOP,
        name=" ".join(filter(None, (_text(row.LgAdr1), _text(row.LgAdr2)))),
        address=Address(
            lines=lines,
            postal_code=_text(row.CP),
            city=_text(row.Ville),
            country=_text(row.Pays),
            special=AddressSpecial.SERVICE_POINT,
            geo=place,
        ),
        geo=place,
        # In metres: the recorded search around Villeurbanne has 1739 for a shop of the same town.
        distance=Length(Decimal(row.Distance) * 100, LengthUnit.CM) if row.Distance else None,
        capabilities=frozenset({purpose}) if purpose in _ACTIONS else frozenset(),
        hours=tuple(_hours(row)),
        closures=tuple(_closures(row)),
        directions=" ".join(filter(None, (_text(row.Localisation1), _text(row.Localisation2)))) or None,
        photo_url=_text(row.URL_Photo) or None,
    )


def _hours(row: PointRow) -> Iterator[OpeningInterval]:
    """Two stretches a day; ``0000`` to ``0000`` is none."""
    for name, weekday in _WEEK:
        hours: Hours | None = getattr(row, f"Horaires_{name}")
        times = hours.string if hours else ()
        for opens, closes in zip(times[::2], times[1::2], strict=False):
            if opens is not None and closes is not None and opens < closes:
                yield OpeningInterval(weekday=weekday, opens=opens, closes=closes)


def _closures(row: PointRow) -> Iterator[DateRange]:
    for period in row.Informations_Dispo.Periode if row.Informations_Dispo else ():
        if period.Debut and period.Fin and period.Debut <= period.Fin:
            yield DateRange(first=period.Debut, last=period.Fin)


def _text(value: str | None) -> str:
    """Texts come filled with blanks to their width."""
    return " ".join((value or "").split())


def town_to_wire(request: AddressCheck) -> dict[str, str]:
    """The members of WSI2_RechercheCP: towns by postal code, else by name.

    Raises:
        InputError: neither is given, or a classification is asked for, which the carrier does not make.
    """
    sheet = Sheet()
    address = request.address
    if request.level is AddressCheckLevel.CLASSIFY:
        sheet.refuse("/level", ProblemCode.NOT_OFFERED, "Mondial Relay knows postal codes and towns only")
    town = sheet.text(address.city, "/address/city", most=TOWN_MAX, allowed=TOWN)
    postcode = sheet.postcode(address, "/address/postal_code") if address.postal_code or not town else ""
    if sheet.problems:
        raise InputError(problems=tuple(sheet.problems))
    return {
        "Pays": address.country,
        "Ville": "" if postcode else town,
        "CP": postcode,
        "NbResult": str(_TOWNS_MAX),
    }


def towns_from_wire(request: AddressCheck, reply: TownsReply) -> AddressCheckResult:
    """Whether postal code and town belong together; the street is not looked at."""
    given = request.address
    rows = reply.Liste.Commune if reply.Liste else ()
    same = [row for row in rows if _same(row, given)]
    verdict = AddressVerdict.VERIFIED if same else AddressVerdict.AMBIGUOUS
    if not same and len(rows) < 2:
        verdict = AddressVerdict.CORRECTED if rows else AddressVerdict.FAILED
    candidates = (attrs.evolve(given, postal_code=_text(row.CP), city=_text(row.Ville)) for row in same or rows)
    return AddressCheckResult(verdict=verdict, candidates=tuple(candidates))


def _same(row: TownRow, given: Address) -> bool:
    return (not given.postal_code or _plain(row.CP) == _plain(given.postal_code)) and (
        not given.city or _plain(row.Ville) == _plain(given.city)
    )


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", printed(text))
