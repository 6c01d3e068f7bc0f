"""From a carrier's answer about one number to the timeline that everybody agrees on."""

from __future__ import annotations

from ..events import fold, scoped
from ..model import EventSource, Timeline, TrackResult

__all__ = ["timeline"]


def timeline(result: TrackResult, carrier: str, source: EventSource) -> Timeline:
    """The events of *result* within the scope of its number, folded."""
    scope = f"{carrier}:{result.number.value}"
    return fold(
        scoped(result.events, scope, source=source),
        scope=scope,
        tracking_number=result.number,
        transit=result.transit,
        proof=result.proof,
    )
