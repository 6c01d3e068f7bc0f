"""How well it goes: bookings, delays, problems and milestones by carrier and lane, counted over what a store keeps."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from shipkit.events.cloud import News
from shipkit.model import Commitment, EventTime, FrozenMap, Milestone
from shipkit.ports import Phase
from shipkit.ports.events import Announcement, Parcel

__all__ = ["BOOKED", "Counting", "Figures", "Spread", "commitment_of", "delivered_at", "on_time"]

BOOKED: Final = frozenset({Phase.SUCCEEDED, Phase.VOIDING, Phase.VOIDED})
"""Phases of a key under which something was bought."""


@attrs.frozen(kw_only=True)
class Spread:
    """How long something took: the middle one, that which nine of ten do not exceed, and the longest."""

    count: int
    median: float
    p90: float
    longest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """None of nothing."""
        ordered = sorted(values)
        if not ordered:
            return None
        count = len(ordered)
        return cls(
            count=count, median=ordered[(count - 1) // 2], p90=ordered[-(-count * 9 // 10) - 1], longest=ordered[-1]
        )


@attrs.frozen(kw_only=True)
class Figures:
    """One carrier's, on one lane: ``FR>DE``, or ``""`` where the countries are not known."""

    carrier: str
    lane: str
    bookings: Mapping[str, int]
    """Keys of shipments by how they stand: ``booked``, ``refused``, ``open`` (in flight or in doubt), ``other``."""
    parcels: int
    milestones: Mapping[str, int]
    """Parcels that were ever there, by milestone."""
    hours_to: Mapping[str, Spread]
    """From the booking to the first entry, by milestone; only where the offset of the time is known."""
    exceptions: Mapping[str, int]
    """Parcels that ever had the problem, by reason."""
    punctual: Mapping[str, int]
    """Delivered parcels: ``early``, ``on_time``, ``late`` against what was promised, and ``unknown``."""
    lag_s: Spread | None
    """From the scan to the projection that shows it; only where the offset is known."""
    processing_s: Spread | None
    """From the receipt to that projection: our own share."""

    @property
    def booking_success(self) -> float | None:
        """Booked over booked and refused; None where nothing was settled."""
        settled = self.bookings.get("booked", 0) + self.bookings.get("refused", 0)
        return self.bookings.get("booked", 0) / settled if settled else None

    @property
    def exception_rate(self) -> Mapping[str, float]:
        """By reason, over all parcels."""
        return {reason: count / self.parcels for reason, count in self.exceptions.items()} if self.parcels else {}

    @property
    def completion(self) -> Mapping[str, float]:
        """By milestone, over all parcels."""
        return {name: count / self.parcels for name, count in self.milestones.items()} if self.parcels else {}

    @property
    def on_time_rate(self) -> float | None:
        """Early and on time, over those of which it is known."""
        known = sum(count for name, count in self.punctual.items() if name != "unknown")
        return (known - self.punctual.get("late", 0)) / known if known else None


class Counting:
    """Takes in what a store keeps, in any order, and gives the figures; of a parcel it keeps a few numbers."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}

    def booking(self, carrier: str, lane: str, phase: Phase) -> None:
        """A key of a shipment."""
        if phase in BOOKED:
            how = "booked"
        elif phase is Phase.REJECTED:
            how = "refused"
        else:
            how = "open" if phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON) else "other"
        _more(self._row(carrier, lane).bookings, how)

    def parcel(self, parcel: Parcel) -> None:
        """A parcel that is followed; the row of a shipment of several counts nothing, its parcels do."""
        if not parcel.number:
            return
        row = self._row(parcel.carrier, _lane(parcel))
        row.parcels += 1
        if parcel.timeline is None:
            return
        for entry in parcel.timeline.entries:
            if entry.ordinal == 1:
                _more(row.milestones, entry.milestone.value)
                if entry.at.instant is not None:
                    hours = (entry.at.instant - parcel.since).total_seconds() / 3600
                    row.hours.setdefault(entry.milestone.value, _numbers()).append(hours)
        for reason in {str(problem.reason) for problem in parcel.timeline.exceptions}:
            _more(row.exceptions, reason)
        if parcel.timeline.milestone is Milestone.DELIVERED:
            _more(row.punctual, on_time(parcel))

    def announcement(self, announcement: Announcement, parcel: Parcel) -> None:
        """What was announced of *parcel*: only events tell how long they took."""
        if announcement.type != News.EVENT.value or announcement.at is None:
            return
        told: dict[str, Any] = json.loads(announcement.body)
        row = self._row(parcel.carrier, _lane(parcel))
        if "time" in told:
            row.lag_s.append((announcement.at - _moment(told["time"])).total_seconds())
        row.processing_s.append((announcement.at - _moment(told["data"]["observed_at"])).total_seconds())

    def figures(self) -> tuple[Figures, ...]:
        """By carrier and lane."""
        return tuple([row.told(carrier, lane) for (carrier, lane), row in sorted(self._rows.items())])

    def _row(self, carrier: str, lane: str) -> _Row:
        return self._rows.setdefault((carrier, lane), _Row())


def _lane(parcel: Parcel) -> str:
    return f"{parcel.origin}>{parcel.destination}" if parcel.origin and parcel.destination else ""


def _numbers() -> array[float]:
    return array("d")


@attrs.define
class _Row:
    bookings: dict[str, int] = attrs.Factory(dict)
    parcels: int = 0
    milestones: dict[str, int] = attrs.Factory(dict)
    hours: dict[str, array[float]] = attrs.Factory(dict)
    exceptions: dict[str, int] = attrs.Factory(dict)
    punctual: dict[str, int] = attrs.Factory(dict)
    lag_s: array[float] = attrs.Factory(_numbers)
    processing_s: array[float] = attrs.Factory(_numbers)

    def told(self, carrier: str, lane: str) -> Figures:
        spreads = {name: spread for name, hours in self.hours.items() if (spread := Spread.of(hours)) is not None}
        return Figures(
            carrier=carrier,
            lane=lane,
            bookings=FrozenMap(self.bookings),
            parcels=self.parcels,
            milestones=FrozenMap(self.milestones),
            hours_to=FrozenMap(spreads),
            exceptions=FrozenMap(self.exceptions),
            punctual=FrozenMap(self.punctual),
            lag_s=Spread.of(self.lag_s),
            processing_s=Spread.of(self.processing_s),
        )


def on_time(parcel: Parcel) -> str:
    """``early``, ``on_time`` or ``late`` against the window that was promised, ``unknown`` where it cannot be said.

    The bounds of both times are used, so that a missing offset makes it unknown rather than wrong.
    """
    delivered = delivered_at(parcel)
    window = parcel.promise.window if parcel.promise is not None else None
    if delivered is None or window is None or window.latest is None:
        return "unknown"
    if delivered.earliest > window.latest.latest:
        return "late"
    if window.earliest is not None and delivered.latest < window.earliest.earliest:
        return "early"
    return "on_time" if delivered.latest <= window.latest.latest else "unknown"


def commitment_of(parcel: Parcel) -> Commitment:
    """How firm the promise was."""
    return parcel.promise.commitment if parcel.promise is not None else Commitment.UNKNOWN


def delivered_at(parcel: Parcel) -> EventTime | None:
    """When it was delivered, the last time that it was."""
    entries = parcel.timeline.entries if parcel.timeline is not None else ()
    return next((entry.at for entry in reversed(entries) if entry.milestone is Milestone.DELIVERED), None)


def _more(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
