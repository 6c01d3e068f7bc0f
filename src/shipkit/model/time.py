"""Times as carriers print them, with what is known of their offset, and hours local to a place."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

import attrs

from shipkit.model.base import Value
from shipkit.model.scalars import ClosedEnum, LocalDateTime, ZoneName

__all__ = [
    "CutOff",
    "EventTime",
    "OpeningInterval",
    "TimeBasis",
    "TimePrecision",
    "TimeWindow",
    "Weekday",
]


class TimePrecision(ClosedEnum):
    """How exactly a time was printed."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class TimeBasis(ClosedEnum):
    """How the offset of a time is known."""

    OFFSET = "offset"  # the carrier printed an offset or Z
    UTC_PAIR = "utc_pair"  # the carrier gave local and UTC time
    ZONE_TEXT = "zone_text"  # a zone abbreviation, read through the plugin's table
    LOCATION = "location"  # from the place of the event
    ACCOUNT = "account"  # from the account's zone
    NONE = "none"  # not known: bounds only


class Weekday(ClosedEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EventTime(Value):
    """A time as the carrier printed it, with its offset from UTC and how we know that; nothing is called UTC by hope.
    A time as the carrier printed it, with its offset from UTC and how we know that; nothing is called UTC by hope."""

    local: LocalDateTime | date
    """Exactly as printed, never shifted; a date where only the day was printed."""
    precision: TimePrecision
    """``DAY`` where ``local`` is a date."""
    offset_min: int | None = None
    """Minutes east of UTC."""
    zone: ZoneName | None = None
    """The zone of the place, where it is known."""
    zone_text: str | None = None
    """The abbreviation that was printed, such as EST: not one zone all over the world."""
    basis: TimeBasis = TimeBasis.NONE
    """An offset that a carrier fills in where it knows none counts as ``NONE``."""

    @property
    def instant(self) -> datetime | None:
        """The moment in UTC; None where the offset is not known, or only the day is."""
        if self.basis is TimeBasis.NONE or self.offset_min is None or not isinstance(self.local, datetime):
            return None
        return _in_utc(self.local, self.offset_min)

    @property
    def earliest(self) -> datetime:
        """The earliest moment it can have been, in UTC: without an offset the local time minus 14 hours."""
        return self._bound(time.min, 14 * 60)

    @property
    def latest(self) -> datetime:
        """The latest moment it can have been, in UTC: without an offset plus 12 hours; a day ends at 23:59:59."""
        return self._bound(time(23, 59, 59), -12 * 60)

    def _bound(self, of_day: time, widest_offset_min: int) -> datetime:
        local = self.local if isinstance(self.local, datetime) else datetime.combine(self.local, of_day)
        known = self.basis is not TimeBasis.NONE and self.offset_min is not None
        return _in_utc(local, self.offset_min if known and self.offset_min is not None else widest_offset_min)


def _in_utc(local: datetime, offset_min: int) -> datetime:
    moment = local.replace(tzinfo=timezone.utc)
    try:
        return moment - timedelta(minutes=offset_min) if offset_min else moment
    except OverflowError:  # the first or the last day of the calendar
        return moment


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TimeWindow(Value):
    """From when to when something is to happen; open at the end that is not given."""

    earliest: EventTime | None = None
    latest: EventTime | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpeningInterval(Value):
    """One stretch of opening hours, local to the place."""

    weekday: Weekday
    opens: time
    closes: time
    """After ``opens``; midnight is written 23:59."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CutOff(Value):
    """The latest hand-over for the same day."""

    weekday: Weekday
    at: time
    """Local to ``zone``."""
    zone: ZoneName
