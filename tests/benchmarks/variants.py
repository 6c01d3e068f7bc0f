"""The same reply with other digits, call after call: what remembers the texts of the last reply gains nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

__all__ = ["in_turn", "with_other_amounts", "with_other_times"]

COUNT: Final = 96

_AMOUNT: Final = re.compile(rb'("MonetaryValue": ?")([0-9.]+)(")')
_TIME: Final = re.compile(rb'("(?:time|gmtTime)": ?"[0-9]{2}:?)([0-9]{2})(:?)([0-9]{2})(")')


def with_other_amounts(content: bytes) -> list[bytes]:
    """Every amount times 1, 2, 3 and so on: the parts still make up their totals."""

    def times(factor: int) -> Callable[[re.Match[bytes]], bytes]:
        return lambda found: found[1] + str(Decimal(found[2].decode()) * factor).encode() + found[3]

    return [_AMOUNT.sub(times(factor), content) for factor in range(1, COUNT + 1)]


def with_other_times(content: bytes) -> list[bytes]:
    """Every time of day some minutes and seconds later, another offset in each reply."""

    def later(by: int) -> Callable[[re.Match[bytes]], bytes]:
        def moved(found: re.Match[bytes]) -> bytes:
            minutes, seconds = divmod((int(found[2]) * 60 + int(found[4]) + by) % 3600, 60)
            return found[1] + b"%02d" % minutes + found[3] + b"%02d" % seconds + found[5]

        return moved

    return [_TIME.sub(later(37 * number), content) for number in range(COUNT)]


def in_turn(contents: list[bytes]) -> Callable[[], bytes]:
    """One after the other, without end."""
    return itertools.cycle(contents).__next__
