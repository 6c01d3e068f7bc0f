"""What the simulated UPS charges and how long it takes. All figures are invented; that they add up is UPS's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from .base import RefusedError, listed, one, text_at

__all__ = ["PRODUCTS", "Parcel", "Price", "Product", "arrival", "currency_of", "offered", "parcels_of", "price_of"]

_CENT: Final = Decimal("0.01")
_FUEL: Final = Decimal("0.1694")  # recorded 2024-01-17: 18.01 on 106.34
_RESIDENTIAL: Final = Decimal("5.65")
_NEGOTIATED: Final = Decimal("0.99")  # recorded 2024-02-07: 47.48 of 47.96
_POUNDS_PER_KG: Final = Decimal("2.20462262")
_MAX_LB: Final = 150


class Product(NamedTuple):
    """One service: its price per parcel and begun pound, and its days."""

    code: str
    name: str
    transit_code: str
    first: Decimal
    per_lb: Decimal
    days: int
    guaranteed: bool
    by: str


PRODUCTS: Final[Mapping[str, Product]] = {
    row.code: row
    for row in (
        Product("01", "UPS Next Day Air®", "1DA", Decimal("98.84"), Decimal("1.50"), 1, True, "12:00:00"),
        Product("02", "UPS 2nd Day Air®", "2DA", Decimal("30.36"), Decimal("0.70"), 2, True, "23:00:00"),
        Product("03", "UPS Ground", "GND", Decimal("13.58"), Decimal("0.35"), 3, False, "23:00:00"),
        Product("12", "UPS 3 Day Select®", "3DS", Decimal("23.09"), Decimal("0.50"), 3, True, "23:00:00"),
        Product("13", "UPS Next Day Air Saver®", "1DP", Decimal("91.10"), Decimal("1.40"), 1, True, "23:00:00"),
        Product("14", "UPS Next Day Air® Early", "1DM", Decimal("127.34"), Decimal("1.80"), 1, True, "08:00:00"),
        Product("07", "UPS Worldwide Express®", "01", Decimal("61.20"), Decimal("2.90"), 2, True, "12:00:00"),
        Product("08", "UPS Worldwide Expedited®", "05", Decimal("44.10"), Decimal("2.10"), 4, False, "23:30:00"),
        Product("11", "UPS Standard", "68", Decimal("11.40"), Decimal("0.45"), 2, False, "23:30:00"),
        Product("54", "UPS Worldwide Express Plus®", "21", Decimal("92.80"), Decimal("3.20"), 2, True, "09:00:00"),
        Product("65", "UPS Worldwide Saver®", "28", Decimal("55.70"), Decimal("2.60"), 2, True, "23:30:00"),
        Product("59", "UPS 2nd Day Air A.M.®", "2DM", Decimal("35.20"), Decimal("0.80"), 2, True, "10:30:00"),
        Product("70", "UPS Access Point Economy", "", Decimal("7.90"), Decimal("0.30"), 3, False, "23:30:00"),
    )
}
_US: Final = ("01", "02", "03", "12", "13", "14")  # the recorded answer, in its order
_AMERICA: Final = frozenset({"US", "PR"})
_EUROPE: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
_CURRENCIES: Final = {"US": "USD", "PR": "USD", "CA": "CAD", "GB": "GBP", "JP": "JPY", "CH": "CHF", "MX": "MXN"}


def currency_of(country: str) -> str:
    """The shipper's own money."""
    return _CURRENCIES.get(country, "EUR" if country in _EUROPE else "USD")


def offered(origin: str, destination: str) -> tuple[str, ...]:
    """The services on a lane, in UPS's order."""
    if {origin, destination} <= _AMERICA:
        return _US
    if origin == destination or {origin, destination} <= _EUROPE:
        return ("07", "11", "54", "65")
    return ("07", "08", "54", "65")


class Parcel(NamedTuple):
    """One package as UPS weighs it: in pounds, actual and billed."""

    weight: Decimal
    billed: Decimal
    insured: Decimal

    @property
    def actual(self) -> str:
        return str(self.weight.quantize(Decimal("0.1"), ROUND_HALF_UP))


def parcels_of(packages: Any) -> list[Parcel]:
    """The packages of a rating or a shipping request.

    Raises:
        RefusedError: there is none, or one is too heavy.
    """
    parcels = [_parcel(package) for package in listed(packages)]
    if not parcels:
        raise RefusedError("120500", "Missing or invalid package information")
    return parcels


def _parcel(package: Mapping[str, Any]) -> Parcel:
    row = one(package.get("PackageWeight"))
    weight = Decimal(str(row.get("Weight") or 0))
    if text_at(row, ("UnitOfMeasurement", "Code")).upper() in {"KGS", "KG"}:
        weight *= _POUNDS_PER_KG
    # A tenth is lost and found in going from kilograms to pounds and back: 70 kg are allowed too.
    if weight > Decimal("154.4") or (weight > _MAX_LB and text_at(row, ("UnitOfMeasurement", "Code")) == "LBS"):
        raise RefusedError("111035", "The maximum per package weight for the selected service is 150.00 pounds.")
    sizes = one(package.get("Dimensions"))
    sides = [Decimal(str(sizes.get(name) or 0)) for name in ("Length", "Width", "Height")]
    divisor = 5000 / _POUNDS_PER_KG if text_at(sizes, ("UnitOfMeasurement", "Code")) == "CM" else Decimal(139)
    volume = sides[0] * sides[1] * sides[2] / divisor
    billed = max(weight, volume, Decimal("0.1")).to_integral_value(ROUND_CEILING)
    insured = text_at(package, ("PackageServiceOptions", "DeclaredValue", "MonetaryValue"))
    return Parcel(weight=weight, billed=billed, insured=Decimal(insured or 0))


class Price(NamedTuple):
    """A price in UPS's parts: per package, for the shipment, together."""

    bases: tuple[Decimal, ...]
    fuels: tuple[Decimal, ...]
    covers: tuple[Decimal, ...]
    residential: Decimal
    total: Decimal
    negotiated: Decimal


def price_of(product: Product, parcels: Sequence[Parcel], *, residential: bool) -> Price:
    """Base and fuel of each package, one surcharge for the shipment, and their sum."""
    bases = tuple((product.first + product.per_lb * parcel.billed).quantize(_CENT) for parcel in parcels)
    fuels = tuple((base * _FUEL).quantize(_CENT, ROUND_HALF_UP) for base in bases)
    covers = tuple((parcel.insured / 100).quantize(_CENT, ROUND_HALF_UP) for parcel in parcels)
    extra = _RESIDENTIAL * len(parcels) if residential else Decimal("0.00")
    total = sum(bases) + sum(fuels) + sum(covers) + extra
    return Price(bases, fuels, covers, extra, total, (total * _NEGOTIATED).quantize(_CENT, ROUND_HALF_UP))


def arrival(product: Product, ship_on: date) -> date:
    """The day of arrival: business days only."""
    day = ship_on
    for _ in range(product.days):
        day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
    return day
