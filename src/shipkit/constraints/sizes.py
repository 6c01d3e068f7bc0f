"""Masses and lengths in one exact unit, to be compared: what differs by a millionth of a gram differs."""

from __future__ import annotations

from decimal import ROUND_UP, Context, Decimal
from typing import TYPE_CHECKING, Final

from shipkit.model.measures import Length, LengthUnit, Volume, VolumeUnit, Weight, WeightUnit

if TYPE_CHECKING:
    from shipkit.model.facts import GirthFormula

    from .rules import Draft

__all__ = ["grams", "millilitres", "millimetres", "plus", "round_size", "sides", "volume"]

# Every unit of the model is a decimal number of grams, millimetres or millilitres with at most ten decimals.
_EXACT: Final = Decimal("1E-10")
_ONE: Final = Decimal(1)
_GRAMS: Final = {unit: Weight(_ONE, unit).to(WeightUnit.G, ROUND_UP, _EXACT) for unit in WeightUnit}
_MILLIMETRES: Final = {unit: Length(_ONE, unit).to(LengthUnit.MM, ROUND_UP, _EXACT) for unit in LengthUnit}
_MILLILITRES: Final = {unit: Volume(_ONE, unit).to(VolumeUnit.ML, ROUND_UP, _EXACT) for unit in VolumeUnit}

# Wide enough that nothing is rounded, whatever the host has set for its own arithmetic.
_WIDE: Final = Context(prec=400)
_times: Final = _WIDE.multiply
plus: Final = _WIDE.add
"""The exact sum of two numbers."""


def grams(weight: Weight) -> Decimal:
    """The exact mass in grams."""
    return _times(weight.value, _GRAMS[weight.unit])


def millimetres(length: Length) -> Decimal:
    """The exact length in millimetres."""
    return _times(length.value, _MILLIMETRES[length.unit])


def millilitres(volume: Volume) -> Decimal:
    """The exact volume in millilitres."""
    return _times(volume.value, _MILLILITRES[volume.unit])


def sides(size: Draft) -> tuple[Decimal, ...] | None:
    """The three sides in millimetres, longest first (a tube stands in its box); None while one is not known."""
    width, height = (size.width, size.height) if size.diameter is None else (size.diameter, size.diameter)
    edges = []
    for side in (size.length, width, height):
        if side is None or side.value is None or side.unit is None:
            return None
        edges.append(_times(side.value, _MILLIMETRES[side.unit]))
    edges.sort(reverse=True)
    return tuple(edges)


def volume(edges: tuple[Decimal, ...]) -> Decimal:
    """The volume of a box in millilitres."""
    return _times(_times(_times(edges[0], edges[1]), edges[2]), Decimal("0.001"))


def round_size(formula: GirthFormula, edges: tuple[Decimal, ...]) -> Decimal:
    """The combined size in millimetres that carriers limit, by one of their formulas."""
    longest, width, height = edges
    girth = _times(2, plus(width, height))
    if formula == "girth":
        return girth
    return plus(longest, girth if formula == "length_plus_girth" else plus(width, height))
