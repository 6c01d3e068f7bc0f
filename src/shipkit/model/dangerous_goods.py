"""Dangerous goods in a package, after ADR, IATA, IMDG, 49 CFR and TDG."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds
from shipkit.model.scalars import ClosedEnum, UnNumber, optional_decimal

if TYPE_CHECKING:
    from shipkit.model.measures import Volume, Weight
    from shipkit.model.places import Contact

__all__ = [
    "DangerousGood",
    "DgLevel",
    "DgRegulation",
    "DgTransport",
    "LithiumBattery",
    "LithiumChemistry",
    "LithiumConfiguration",
    "LithiumSection",
    "PackingGroup",
]


class PackingGroup(ClosedEnum):
    """Degree of danger."""

    I = "I"  # noqa: E741
    II = "II"
    III = "III"


class LithiumSection(ClosedEnum):
    """Section of the IATA packing instruction."""

    IA = "IA"
    IB = "IB"
    I = "I"  # noqa: E741
    II = "II"


class LithiumChemistry(ClosedEnum):
    """Chemistry of the cell."""

    ION = "ion"
    METAL = "metal"
    SODIUM_ION = "sodium_ion"


class LithiumConfiguration(ClosedEnum):
    """How the battery travels."""

    STANDALONE = "standalone"
    PACKED_WITH = "packed_with"
    CONTAINED_IN = "contained_in"


class DgRegulation(ClosedEnum):
    """Rule book."""

    ADR = "ADR"
    IATA = "IATA"
    IMDG = "IMDG"
    CFR49 = "CFR49"
    TDG = "TDG"


class DgLevel(ClosedEnum):
    """How strictly it is regulated."""

    FULL = "full"
    LIMITED_QUANTITY = "limited_quantity"
    EXCEPTED_QUANTITY = "excepted_quantity"
    LIGHTLY_REGULATED = "lightly_regulated"


class DgTransport(ClosedEnum):
    """Means it may travel by."""

    GROUND = "ground"
    PASSENGER_AIRCRAFT = "passenger_aircraft"
    CARGO_AIRCRAFT = "cargo_aircraft"
    WATER = "water"


@attrs.frozen(kw_only=True, repr=False)
class LithiumBattery(Value):
    """Cells or batteries in the package."""

    chemistry: LithiumChemistry
    configuration: LithiumConfiguration
    watt_hours: Decimal | None = attrs.field(default=None, converter=optional_decimal, metadata=bounds(above=0))
    """Ion and sodium_ion: > 0, per battery."""
    lithium_grams: Decimal | None = attrs.field(default=None, converter=optional_decimal, metadata=bounds(above=0))
    """Metal: > 0, per battery."""
    count: int = attrs.field(metadata=bounds(least=1))
    """>= 1."""


@attrs.frozen(kw_only=True, repr=False)
class DangerousGood(Value):
    """One UN entry in a package."""

    un_number: UnNumber = attrs.field(metadata=bounds(pattern="(?:UN|ID)[0-9]{4}"))
    proper_shipping_name: str
    technical_name: str | None = None
    hazard_class: str
    """Class and division, such as 3, 6.2, 9."""
    subsidiary: tuple[str, ...] = ()
    packing_group: PackingGroup | None = None
    packing_instruction: str | None = None
    """Such as 650, 965."""
    section: LithiumSection | None = None
    """Lithium cells and batteries."""
    lithium: LithiumBattery | None = None
    quantity: int = attrs.field(metadata=bounds(least=1))
    """Inner packages, >= 1."""
    net: Weight | Volume
    """Per inner package."""
    regulation: DgRegulation
    level: DgLevel
    transport_category: int | None = attrs.field(default=None, metadata=bounds(least=0, most=4))
    """0..4, ADR points."""
    tunnel_code: str | None = None
    """ADR."""
    transport: DgTransport | None = None
    reportable_quantity: bool | None = None
    radioactive: bool | None = None
    emergency_contact: Contact | None = None
    """Required when level is full."""
