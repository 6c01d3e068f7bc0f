"""Mass, length, volume and money: exact, as given, with their unit."""

from __future__ import annotations

from datetime import date
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds
from shipkit.model.scalars import ClosedEnum, CurrencyCode, decimal, optional_decimal, refuse

__all__ = [
    "DateRange",
    "Dimensions",
    "GeoPoint",
    "IntRange",
    "Length",
    "LengthUnit",
    "Money",
    "TemperatureRange",
    "Volume",
    "VolumeUnit",
    "Weight",
    "WeightUnit",
]


class WeightUnit(ClosedEnum):
    """The unit of a mass."""

    G = "g"  # gram
    KG = "kg"  # kilogram
    OZ = "oz"  # avoirdupois ounce, 28.349523125 g
    LB = "lb"  # avoirdupois pound, 453.59237 g


class LengthUnit(ClosedEnum):
    """The unit of a length."""

    MM = "mm"  # millimetre
    CM = "cm"  # centimetre
    IN = "in"  # inch, 25.4 mm


class VolumeUnit(ClosedEnum):
    """The unit of a volume."""

    ML = "ml"  # millilitre
    L = "l"  # litre
    M3 = "m3"  # cubic metre
    FL_OZ = "fl_oz"  # US fluid ounce, 29.5735295625 ml
    GAL = "gal"  # US gallon, 3.785411784 l


# One unit in grams, millimetres or millilitres. Exact: the pound, the inch and the US gallon are defined so.
_FACTORS: Final[dict[str, Fraction]] = {
    "g": Fraction(1),
    "kg": Fraction(1000),
    "oz": Fraction("28.349523125"),
    "lb": Fraction("453.59237"),
    "mm": Fraction(1),
    "cm": Fraction(10),
    "in": Fraction("25.4"),
    "ml": Fraction(1),
    "l": Fraction(1000),
    "m3": Fraction(1_000_000),
    "fl_oz": Fraction("29.5735295625"),
    "gal": Fraction("3785.411784"),
}


_WIDE: Final = Context(prec=300)  # decimal() bounds the digits, so that nothing is rounded but where it is said


@cache
def _ratio(source: str, target: str) -> tuple[int, int]:
    return (_FACTORS[source] / _FACTORS[target]).as_integer_ratio()


@lru_cache(maxsize=256)
def _quantum(text: str) -> tuple[Decimal, int, int, int, int]:
    """A rounding step: as a number, as a ratio, and as digits and exponent."""
    step = Decimal(text)
    if step <= 0:
        raise ValueError(f"the quantum {text!r} is not above 0")
    parts = step.as_tuple()
    return (step, *step.as_integer_ratio(), int("".join(map(str, parts.digits))), int(parts.exponent))


_ROUNDINGS: Final = frozenset(
    (ROUND_UP, ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN)
)


def _rounded(numerator: int, denominator: int, rounding: str) -> int:
    """The whole number for a fraction that is not negative, by a rounding mode of the decimal module."""
    whole, rest = divmod(numerator, denominator)
    if not rest:
        return whole
    if rounding in (ROUND_UP, ROUND_CEILING):
        return whole + 1
    if rounding in (ROUND_DOWN, ROUND_FLOOR):
        return whole
    twice = 2 * rest
    if twice == denominator:
        return whole + {ROUND_HALF_UP: 1, ROUND_HALF_DOWN: 0, ROUND_HALF_EVEN: whole % 2}[rounding]
    return whole + (twice > denominator)


def _convert(value: Decimal, source: ClosedEnum, target: ClosedEnum, rounding: str, quantum: Decimal | str) -> Decimal:
    if not rounding.startswith("ROUND_"):
        rounding = f"ROUND_{rounding.upper()}"  # a word of facts, such as half_up
    if rounding not in _ROUNDINGS:
        raise ValueError(f"{rounding!r} is not a rounding of a measure")
    step, step_up, step_down, digits, exponent = _quantum(str(quantum))
    if source is target and digits == 1:
        return value.copy_abs().quantize(step, rounding, _WIDE)
    number, scale = value.as_integer_ratio()
    up, down = _ratio(source, target)
    steps = _rounded(number * up * step_down, scale * down * step_up, rounding)
    return _WIDE.scaleb(Decimal(steps * digits), exponent)


def _in_base(value: Decimal, unit: ClosedEnum) -> Fraction:
    number, scale = value.as_integer_ratio()
    up, down = _base(unit)
    return Fraction(number * up, scale * down)


@cache
def _base(unit: ClosedEnum) -> tuple[int, int]:
    return _FACTORS[unit].as_integer_ratio()


def _refuse_negative(self: Any) -> None:
    if self.value < 0:
        refuse("/value", "out_of_range", f"{type(self).__name__}: must not be negative")


@attrs.frozen(eq=False, repr=False)
class Weight(Value):
    """An exact mass in the unit the host gave; converted only at a carrier's boundary.

    Whole grams would move a parcel of whole ounces into another price tier.
    """

    value: Decimal = attrs.field(converter=decimal, metadata=bounds(least=0, max_decimals=6))
    unit: WeightUnit
    """Never converted on input, and never assumed."""

    def _whole(self) -> None:
        _refuse_negative(self)

    def to(self, unit: WeightUnit, rounding: str, quantum: Decimal | str) -> Decimal:
        """The weight in *unit*, rounded once to a multiple of *quantum*, with a rounding mode of the decimal module.

        Exact: no other rounding happens on the way, so 16 oz are 1 lb and 0.453593 kg (rounded up to six decimals).
        """
        return _convert(self.value, self.unit, unit, rounding, quantum)

    @property
    def grams(self) -> Fraction:
        """The exact mass, to compare weights given in different units."""
        return _in_base(self.value, self.unit)

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}"


@attrs.frozen(eq=False, repr=False)
class Length(Value):
    """An exact length in the unit the host gave; converted only at a carrier's boundary."""

    value: Decimal = attrs.field(converter=decimal, metadata=bounds(above=0, max_decimals=6))
    unit: LengthUnit
    """Never converted on input, and never assumed."""

    def _whole(self) -> None:
        _refuse_negative(self)

    def to(self, unit: LengthUnit, rounding: str, quantum: Decimal | str) -> Decimal:
        """The length in *unit*, rounded once to a multiple of *quantum*, with a rounding mode of the decimal module."""
        return _convert(self.value, self.unit, unit, rounding, quantum)

    @property
    def millimetres(self) -> Fraction:
        """The exact length, to compare lengths given in different units."""
        return _in_base(self.value, self.unit)

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}"


@attrs.frozen(eq=False, repr=False)
class Volume(Value):
    """An exact volume in the unit the host gave."""

    value: Decimal = attrs.field(converter=decimal, metadata=bounds(above=0, max_decimals=6))
    unit: VolumeUnit

    def _whole(self) -> None:
        _refuse_negative(self)

    def to(self, unit: VolumeUnit, rounding: str, quantum: Decimal | str) -> Decimal:
        """The volume in *unit*, rounded once to a multiple of *quantum*, with a rounding mode of the decimal module."""
        return _convert(self.value, self.unit, unit, rounding, quantum)

    @property
    def millilitres(self) -> Fraction:
        """The exact volume, to compare volumes given in different units."""
        return _in_base(self.value, self.unit)

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Dimensions(Value):
    """The outer size of a package: three sides, or the length and diameter of a tube."""

    length: Length
    """The longest side."""
    width: Length | None = None
    """Needed unless there is a diameter."""
    height: Length | None = None
    """Needed unless there is a diameter."""
    diameter: Length | None = None
    """Of a tube, which then has no width and height."""
    pinned: bool = False
    """Whether the orientation given is kept (this side up); else the constructor puts the longest side first."""

    def _whole(self) -> None:
        if self.pinned or self.width is None or self.height is None:
            return
        sides = (self.length, self.width, self.height)
        one_unit = self.length.unit is self.width.unit is self.height.unit
        ordered = sorted(sides, key=_number if one_unit else _millimetres, reverse=True)
        for name, side, given in zip(("length", "width", "height"), ordered, sides, strict=True):
            if side is not given:
                object.__setattr__(self, name, side)

    def __str__(self) -> str:
        return " x ".join(
            str(side) for side in (self.length, self.width, self.height, self.diameter) if side is not None
        )


def _number(side: Length) -> Decimal:
    return side.value


def _millimetres(side: Length) -> Fraction:
    return side.millimetres


@attrs.frozen(eq=False, repr=False)
class Money(Value):
    """An amount in one currency; it may be finer than the currency's smallest coin until it is rounded for show."""

    amount: Decimal = attrs.field(converter=decimal)
    currency: CurrencyCode
    """Never implied."""

    def __add__(self, other: Money) -> Money:
        """The exact sum.

        Raises:
            InputError: the currencies differ; nothing here knows a rate of exchange.
        """
        return Money(_exact_sum(self.amount, self._same(other).amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(_exact_sum(self.amount, self._same(other).amount.copy_negate()), self.currency)

    def __neg__(self) -> Money:
        return Money(self.amount.copy_negate(), self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            refuse("/currency", "inconsistent", f"{self.currency} and {other.currency} cannot be added")
        return other

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def _exact_sum(one: Decimal, other: Decimal) -> Decimal:
    return _WIDE.add(one, other)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GeoPoint(Value):
    """A place on the map, in degrees of WGS 84."""

    latitude: Decimal = attrs.field(converter=decimal, metadata=bounds(least=-90, most=90))
    """North of the equator, from -90 to 90."""
    longitude: Decimal = attrs.field(converter=decimal, metadata=bounds(least=-180, most=180))
    """East of Greenwich, from -180 to 180."""
    accuracy_m: int | None = attrs.field(default=None, metadata=bounds(above=0))
    """The radius in metres within which it is right."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class IntRange(Value):
    """Whole numbers from least to most, both included."""

    least: int = attrs.field(metadata=bounds(least=0))
    most: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TemperatureRange(Value):
    """The temperatures in degrees Celsius that the goods stand; open at the end that is not given."""

    min_c: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    max_c: Decimal | None = attrs.field(default=None, converter=optional_decimal)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DateRange(Value):
    """The days from first to last, both included."""

    first: date
    last: date
