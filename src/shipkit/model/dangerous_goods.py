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
    """The degree of danger."""

    I = "I"  # noqa: E741
    II = "II"
    III = "III"


class LithiumSection(ClosedEnum):
    """The section of the IATA packing instruction."""

    IA = "IA"
    IB = "IB"
    I = "I"  # noqa: E741
    II = "II"


class LithiumChemistry(ClosedEnum):
    """The chemistry of a cell."""

    ION = "ion"
    METAL = "metal"
    SODIUM_ION = "sodium_ion"


class LithiumConfiguration(ClosedEnum):
    """How a battery travels."""

    STANDALONE = "standalone"
    PACKED_WITH = "packed_with"
    CONTAINED_IN = "contained_in"


class DgRegulation(ClosedEnum):
    """The rule book that the goods are declared under."""

    ADR = "ADR"
    IATA = "IATA"
    IMDG = "IMDG"
    CFR49 = "CFR49"
    TDG = "TDG"


class DgLevel(ClosedEnum):
    """How strictly the goods are regulated."""

    FULL = "full"
    LIMITED_QUANTITY = "limited_quantity"
    EXCEPTED_QUANTITY = "excepted_quantity"
    LIGHTLY_REGULATED = "lightly_regulated"


class DgTransport(ClosedEnum):
    """The means by which the goods may travel."""

    GROUND = "ground"
    PASSENGER_AIRCRAFT = "passenger_aircraft"
    CARGO_AIRCRAFT = "cargo_aircraft"
    WATER = "water"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LithiumBattery(Value):
    """The cells or batteries in a package."""

    chemistry: LithiumChemistry
    configuration: LithiumConfiguration
    watt_hours: Decimal | None = attrs.field(default=None, converter=optional_decimal, metadata=bounds(above=0))
    """Per battery, for lithium ion and sodium ion."""
    lithium_grams: Decimal | None = attrs.field(default=None, converter=optional_decimal, metadata=bounds(above=0))
    """Per battery, for lithium metal."""
    count: int = attrs.field(metadata=bounds(least=1))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DangerousGood(Value):
    """One UN entry in a package."""

    un_number: UnNumber = attrs.field(metadata=bounds(pattern="(?:UN|ID)[0-9]{4}"))
    proper_shipping_name: str
    technical_name: str | None = None
    hazard_class: str
    """Class and division, such as 3, 6.2 or 9."""
    subsidiary: tuple[str, ...] = ()
    packing_group: PackingGroup | None = None
    packing_instruction: str | None = None
    """Such as 650 or 965."""
    section: LithiumSection | None = None
    """For lithium cells and batteries."""
    lithium: LithiumBattery | None = None
    quantity: int = attrs.field(metadata=bounds(least=1))
    """How many inner packages."""
    net: Weight | Volume
    """The mass or volume in each inner package."""
    regulation: DgRegulation
    level: DgLevel
    transport_category: int | None = attrs.field(default=None, metadata=bounds(least=0, most=4))
    """0 to 4, for the points of ADR."""
    tunnel_code: str | None = None
    """The tunnel restriction of ADR."""
    transport: DgTransport | None = None
    reportable_quantity: bool | None = None
    radioactive: bool | None = None
    emergency_contact: Contact | None = None
    """Demanded where the goods are fully regulated."""
