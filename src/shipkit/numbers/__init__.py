"""What a tracking number can be: all candidates with their strength, never one guess.

S10, SSCC and 1Z stand in code; the numbers of single couriers are data, read on first use, and plugins add their own.
Digits alone prove little: of random numbers of 12 digits every sixth passes some courier's check digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

import attrs

from shipkit.model import FrozenMap, NumberScheme, TrackingNumber, canonical_number
from shipkit.numbers.checks import CHECKS, gs1_valid, s10_valid

__all__ = ["Candidate", "Rule", "Strength", "candidates", "canonical_number", "gs1_valid", "recognised", "rules"]


class Strength(str, Enum):
    """How much a match proves, most first."""

    STRONG = "strong"
    """Letters and a check digit."""
    PROBABLE = "probable"
    """Digits and a check digit: a hint."""
    WITH_CARRIER = "with_carrier"
    """No check digit: offered only where the courier is known from elsewhere."""


_ORDER: Final = {strength: place for place, strength in enumerate(Strength)}


def _tuple(weights: Iterable[int]) -> tuple[int, ...]:
    return tuple(weights)


@attrs.frozen(kw_only=True)
class Rule:
    """The shape of one kind of number, and its check digit."""

    courier: str
    """Whose numbers they are: a courier, or the body that numbers for many (``upu``, ``gs1``)."""
    rule: str
    """The name of the rule; unique with its courier."""
    pattern: str
    """Regular expression over the canonical number, with the groups ``serial`` and ``check`` and named parts."""
    check: str = "none"
    """How ``serial`` gives ``check``: a name of `shipkit.numbers.checks.CHECKS`."""
    strength: Strength = attrs.field(converter=Strength)
    weights: tuple[int, ...] = attrs.field(default=(), converter=_tuple)
    from_right: bool = False
    """Whether the weights count from the right end of the serial."""
    prefix: str = ""
    """Put before the serial before it is summed, where it does not stand there."""
    check_is_printed_only: bool = False
    """Whether the check character belongs to the bar code only, and not to the number that is stored."""
    scheme: NumberScheme = NumberScheme.UNKNOWN
    source: str = ""

    def match(self, number: str) -> Mapping[str, str] | None:
        """The named parts of a canonical *number* that follows this rule; None where it does not."""
        found = _compiled(self.pattern).fullmatch(number)
        if found is None:
            return None
        parts = {name: part for name, part in found.groupdict().items() if part is not None}
        holds: Callable[..., bool] = CHECKS[self.check]
        if not holds(self.prefixed(parts["serial"]), parts.get("check", ""), self.weights, self.from_right):
            return None
        return None if self.scheme is NumberScheme.S10 and not s10_valid(number) else FrozenMap(parts)

    def prefixed(self, serial: str) -> str:
        """The serial as it is summed."""
        return serial if serial.startswith(self.prefix) else self.prefix + serial


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


@attrs.frozen(kw_only=True)
class Candidate:
    """One thing that a number can be."""

    number: str
    """The number as it is stored: canonical, without a check character that is only printed."""
    courier: str
    rule: str
    strength: Strength
    has_check: bool
    """Whether a check digit was there and right."""
    scheme: NumberScheme
    parts: Mapping[str, str]
    """Named parts, such as ``service`` or ``country``."""


_IN_CODE: Final = (
    Rule(
        courier="upu",
        rule="s10",
        pattern="(?P<service>[A-Z]{2})(?P<serial>[0-9]{8})(?P<check>[0-9])(?P<country>[A-Z]{2})",
        check="s10",
        weights=(8, 6, 4, 2, 3, 5, 9, 7),
        strength=Strength.STRONG,
        scheme=NumberScheme.S10,
        source="UPU standard S10",
    ),
    Rule(
        courier="gs1",
        rule="sscc_18",
        pattern="(?:00)?(?P<serial>[0-9]{17})(?P<check>[0-9])",
        check="weighted_mod10",
        weights=(3, 1),
        strength=Strength.PROBABLE,
        scheme=NumberScheme.SSCC,
        source="GS1 General Specifications, check digit",
    ),
    Rule(
        courier="ups",
        rule="1z",
        pattern="1Z(?P<serial>(?P<account>[A-Z0-9]{6})(?P<service>[A-Z0-9]{2})[A-Z0-9]{7})(?P<check>[0-9])",
        check="weighted_mod10",
        weights=(1, 2),
        strength=Strength.STRONG,
        scheme=NumberScheme.UPS_1Z,
        source="jkeen/tracking_number_data: ups.json",
    ),
)


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of the core: those in code, then those of the data file."""
    import json
    from importlib.resources import files

    rows: list[dict[str, Any]] = json.loads(files("shipkit.numbers").joinpath("rules.json").read_text(encoding="utf-8"))
    return (*_IN_CODE, *(Rule(**row) for row in rows))


def candidates(number: str, *, carrier: str | None = None, more: Iterable[Rule] = ()) -> tuple[Candidate, ...]:
    """Everything that *number* can be, most likely first.

    *carrier* is a courier that is known otherwise, from the booking or from the person who asks: its rules come first,
    and those without a check digit count at all. *more* are the rules of plugins.
    """
    canonical = canonical_number(number)
    found = []
    for rule in (*rules(), *more):
        if rule.strength is Strength.WITH_CARRIER and rule.courier != carrier:
            continue
        parts = rule.match(canonical)
        if parts is not None:
            found.append(_candidate(rule, canonical, parts))
    return tuple(sorted(found, key=lambda one: (one.courier != carrier, _ORDER[one.strength])))


def _candidate(rule: Rule, number: str, parts: Mapping[str, str]) -> Candidate:
    return Candidate(
        number=number[:-1] if rule.check_is_printed_only else number,
        courier=rule.courier,
        rule=rule.rule,
        strength=rule.strength,
        has_check=rule.check != "none",
        scheme=rule.scheme,
        parts=parts,
    )


def recognised(number: TrackingNumber) -> TrackingNumber:
    """*number* with its scheme and whether its check digit holds, where it follows S10, SSCC or 1Z."""
    for rule in _IN_CODE:
        shaped = _compiled(rule.pattern).fullmatch(number.value)
        if shaped and (rule.scheme is not NumberScheme.SSCC or number.value.startswith("00")):
            return attrs.evolve(number, scheme=rule.scheme, valid_check=rule.match(number.value) is not None)
    return number
