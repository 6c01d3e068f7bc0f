"""Days and times as UPS writes them: ``YYYYMMDD``, ``YYYY-MM-DD``; ``HHMMSS``, ``HMMSS``, ``HHMM``, ``HH:MM:SS``."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import Final, TypeAlias

from shipkit.model import EventTime, TimeBasis, TimePrecision

from .common import digits, reader

__all__ = ["Clock", "Day", "clock_from_wire", "day_from_wire", "event_time", "scan_time"]

# Wire classes have members that are called date and time as well.
Day: TypeAlias = date
Clock: TypeAlias = time

_WIDEST_MIN: Final = 14 * 60  # UTC+14, Line Islands


@reader.hook(date)
def day_from_wire(value: str) -> date:
    plain = str(value).replace("-", "")
    if len(plain) != 8 or not (plain.isascii() and plain.isdigit()):
        raise ValueError("not a day")
    number = int(plain)
    return date(number // 10_000, number // 100 % 100, number % 100)


@reader.hook(time)
def clock_from_wire(value: str) -> time:
    clock = digits(str(value))
    if not 3 <= len(clock) <= 6:
        raise ValueError("not a time of day")
    number = int(clock) if len(clock) > 4 else int(clock) * 100
    return time(number // 10_000, number // 100 % 100, number % 100)


def event_time(on: date, at: time | None = None) -> EventTime:
    """A printed day, with its time of day where UPS gives one; where on earth is for the caller to know."""
    if at is None:
        return EventTime(local=on, precision=TimePrecision.DAY)
    return EventTime(local=datetime.combine(on, at), precision=TimePrecision.SECOND)


def scan_time(on: date, at: time | None, offset: str | None, gmt: tuple[date | None, time | None]) -> EventTime:
    """A local time as printed, with the offset that UPS prints (``-05:00``, ``-05.00``) or that its GMT pair gives."""
    if at is None:
        return EventTime(local=on, precision=TimePrecision.DAY)
    local, minutes, basis = datetime.combine(on, at), _minutes(offset) if offset else None, TimeBasis.OFFSET
    if minutes is None:
        minutes, basis = _difference(local, *gmt), TimeBasis.UTC_PAIR
    if minutes is None:
        basis = TimeBasis.NONE
    return EventTime(local=local, precision=TimePrecision.SECOND, offset_min=minutes, basis=basis)


@lru_cache(maxsize=64)
def _minutes(offset: str) -> int | None:
    clock = digits(offset)
    if len(clock) != 4:
        return None
    minutes = int(clock[:2]) * 60 + int(clock[2:])
    return -minutes if offset.lstrip().startswith("-") else minutes


def _difference(local: datetime, on: date | None, at: time | None) -> int | None:
    if on is None or at is None:
        return None
    minutes = round((local - datetime.combine(on, at)).total_seconds() / 60)
    return minutes if abs(minutes) <= _WIDEST_MIN else None
