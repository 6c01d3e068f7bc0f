"""Problems on the way: opened by an event that tells of one, closed by the next one that shows it is over."""

from __future__ import annotations

from functools import cache
from typing import Final

import attrs

from shipkit.events.reasons import facts_of
from shipkit.model import ActionRequired, DeliveryException, Reason, Severity, TrackingEvent

__all__ = ["Problems"]

# Reasons that say a problem is over without saying where the parcel is, and the category they close (None: all).
_ENDS: Final[dict[Reason, str | None]] = {
    Reason.PROBLEM_RESOLVED: None,
    Reason.CUSTOMS_CLEARED: "customs",
    Reason.EXPORT_CLEARED: "customs",
}


class Problems:
    """The exceptions of one journey, open and closed."""

    def __init__(self) -> None:
        self.open: list[DeliveryException] = []
        self.closed: list[DeliveryException] = []

    def all(self) -> tuple[DeliveryException, ...]:
        """Open ones first, each part in order of time."""
        return (*self.open, *self.closed)

    def scanned(self, event: TrackingEvent, *, moved: bool, attempts: int) -> None:
        """A scan with a place in the journey: moving on, or a scan without a problem, ends what was open."""
        if moved or not _is_problem(event):
            self.close(event, None)
        self.told(event, attempts=attempts)

    def told(self, event: TrackingEvent, *, attempts: int, open_journey: bool = True) -> None:
        """An event that may tell of a problem, or of the end of one."""
        if event.reason is None:
            return
        if event.reason in _ENDS:
            self.close(event, _ENDS[event.reason])
        if not open_journey or not _is_problem(event):
            return
        if any(known.reason == event.reason for known in self.open):
            return
        facts = facts_of(event.reason)
        self.open.append(
            DeliveryException(
                reason=event.reason,
                severity=facts.severity,
                since=event.time,
                attempts=attempts if facts.category == "attempt" else None,
                action=ActionRequired(actor=facts.action_by),
                event_id=event.event_id,
            )
        )

    def close(self, event: TrackingEvent, category: str | None) -> None:
        """Close what is open, of one category or of all."""
        if not self.open:
            return
        ended = [one for one in self.open if category is None or facts_of(one.reason).category == category]
        self.open = [one for one in self.open if one not in ended]
        self.closed += [attrs.evolve(one, resolved_by=event.event_id) for one in ended]


@cache
def _bad() -> frozenset[Reason]:
    return frozenset(reason for reason in Reason if facts_of(reason).severity is not Severity.INFO)


def _is_problem(event: TrackingEvent) -> bool:
    return event.reason is not None and event.reason in _bad()
