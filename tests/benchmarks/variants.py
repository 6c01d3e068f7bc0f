"""The same reply with other digits, call after call: what remembers the texts of the last reply gains nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from decimal import Decimal

__all__ = ["in_turn", "with_other_amounts", "with_other_times"]

COUNT = 96

_AMOUNT = re.compile(rb'("MonetaryValue": ?")([0-9.]+)(")')
_TIME = re.compile(rb'("time": ?"[0-9]{2})[0-9]{4}(")')
_GMT_TIME = re.compile(rb'("gmtTime": ?"[0-9]{2}):[0-9]{2}:[0-9]{2}(")')


def with_other_amounts(content: bytes) -> list[bytes]:
    """Every amount times 1, 2, 3 and so on: the parts still make up their totals."""

    def times(factor: int) -> Callable[[re.Match[bytes]], bytes]:
        return lambda found: found[1] + str(Decimal(found[2].decode()) * factor).encode() + found[3]

    return [_AMOUNT.sub(times(factor), content) for factor in range(1, COUNT + 1)]


def with_other_times(content: bytes) -> list[bytes]:
    """Every scan some seconds after the one before, and each reply's after those of the last."""
    replies = []
    for number in range(COUNT):
        seconds = itertools.count(number * 20 % 3600)
        local = _TIME.sub(lambda found, s=seconds: found[1] + _clock(next(s), b"") + found[2], content)  # type: ignore[misc]
        seconds = itertools.count(number * 20 % 3600)
        replies.append(
            _GMT_TIME.sub(lambda found, s=seconds: found[1] + b":" + _clock(next(s), b":") + found[2], local)
        )  # type: ignore[misc]
    return replies


def _clock(seconds: int, between: bytes) -> bytes:
    return b"%02d%s%02d" % (seconds // 60 % 60, between, seconds % 60)


def in_turn(contents: list[bytes]) -> Callable[[], bytes]:
    """One after the other, without end."""
    return itertools.cycle(contents).__next__
