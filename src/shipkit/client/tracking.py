"""From a carrier's answer about one number to the timeline that everybody agrees on."""

from __future__ import annotations

import attrs

from ..events import fold, scoped
from ..model import EventSource, Timeline, TrackResult

__all__ = ["timeline"]


def timeline(result: TrackResult, carrier: str, source: EventSource) -> Timeline:
    """The events of *result* within the scope of its number, folded."""
    scope = f"{carrier}:{result.number.value}"
    events = [event if event.source else attrs.evolve(event, source=source) for event in result.events]
    return fold(
        scoped(events, scope),
        scope=scope,
        tracking_number=result.number,
        transit=result.transit,
        proof=result.proof,
    )
