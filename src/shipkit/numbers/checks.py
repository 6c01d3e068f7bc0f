"""Check digits, each a function of serial, check character, weights and the end that the weights count from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["CHECKS", "gs1_valid", "s10_valid"]

Check = Callable[[str, str, tuple[int, ...], bool], bool]

_ALNUM: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _value(char: str) -> int:
    """A digit counts as itself, a letter as in 1Z numbers: A is 2, and so on, modulo 10."""
    return int(char) if char.isdigit() else (ord(char) - 3) % 10


def _weighted(serial: str, weights: tuple[int, ...], from_right: bool) -> int:
    chars = reversed(serial) if from_right else serial
    return sum(_value(char) * weights[place % len(weights)] for place, char in enumerate(chars))


def _mod10(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    return -_weighted(serial, weights, from_right) % 10 == int(check)


def _mod11_mod10(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    return _weighted(serial, weights, from_right) % 11 % 10 == int(check)


def _mod7(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    return int(serial) % 7 == int(check)


def _s10(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    rest = _weighted(serial, weights, from_right) % 11
    return {0: 5, 1: 0}.get(rest, 11 - rest) == int(check)


def _luhn(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(serial)))
    return -sum(number - 9 * (number > 9) for number in doubled) % 10 == int(check)


def _mod37_36(serial: str, check: str, weights: tuple[int, ...], from_right: bool) -> bool:
    """ISO/IEC 7064, MOD 37,36."""
    rest = 36
    for char in serial:
        rest = (rest + _ALNUM.index(char)) % 36 or 36
        rest = rest * 2 % 37
    return _ALNUM[(37 - rest) % 36] == check


CHECKS: Final[dict[str, Check]] = {
    "weighted_mod10": _mod10,
    "weighted_mod11_mod10": _mod11_mod10,
    "remainder_mod7": _mod7,
    "s10": _s10,
    "luhn": _luhn,
    "iso7064_mod37_36": _mod37_36,
    "none": lambda serial, check, weights, from_right: True,
}


def gs1_valid(digits: str) -> bool:
    """Whether the last digit of a GTIN (8, 12, 13, 14 digits) or SSCC (18) is its check digit."""
    if not (digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14, 18)):
        return False
    return _mod10(digits[:-1], digits[-1], (3, 1), True)


def s10_valid(number: str) -> bool:
    """Whether an S10 number ends in a country that exists; the check digit is the rule's business."""
    from shipkit.constraints.codes import COUNTRIES

    return number[-2:] in COUNTRIES
