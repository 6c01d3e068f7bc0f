"""What an event's milestone does to the one a parcel is at: a total table, so that no event is undefined.

Rank is not the rule: "the highest rank wins" would leave every returned parcel on its way back, and "the newest event
wins" would un-deliver a parcel whose signature image is filed an hour later.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from shipkit.model import AnomalyKind, Milestone

__all__ = ["TRANSITIONS", "Effect", "Step", "Transitions"]


class Effect(str, Enum):
    """What becomes of the state."""

    MOVE = "move"
    """The parcel enters the event's milestone."""
    STAY = "stay"
    """The event fits and changes nothing."""
    IGNORE = "ignore"
    """The event does not fit and changes nothing."""
    REWRITE = "rewrite"
    """The event means another milestone here: a carrier's "delivered" on the way back is a return."""


class Step(NamedTuple):
    """One cell of the table."""

    effect: Effect
    milestone: Milestone | None = None
    """What the event means here, for ``REWRITE``."""
    anomaly: AnomalyKind | None = None


Transitions = Mapping[tuple[Milestone, Milestone], Step]

_CELLS: Final = {
    "m": Step(Effect.MOVE),
    "s": Step(Effect.STAY),
    "a": Step(Effect.IGNORE, anomaly=AnomalyKind.LATE_ANNOUNCEMENT),
    "e": Step(Effect.IGNORE, anomaly=AnomalyKind.EVENT_AFTER_TERMINAL),
    "c": Step(Effect.IGNORE, anomaly=AnomalyKind.CANCELLED_WHILE_MOVING),
    "L": Step(Effect.MOVE, anomaly=AnomalyKind.LEFT_TERMINAL),
    "V": Step(Effect.MOVE, anomaly=AnomalyKind.MOVED_AFTER_CANCEL),
    "g": Step(Effect.REWRITE, Milestone.RETURNING),
    "d": Step(Effect.REWRITE, Milestone.RETURNED),
}
_EVENTS: Final = tuple(milestone for milestone in Milestone if milestone is not Milestone.UNKNOWN)
# A row per state, a column per milestone of an event, both in the order of Milestone: announced, accepted, in_transit,
# out_for_delivery, delivery_attempted, ready_for_pickup, delivered, returning, returned, lost, destroyed, cancelled.
# Between custody and the end any move goes, for networks loop; only `accepted` is the first custody and comes once.
_ROWS: Final = {
    "unknown": "mmmmmmmmmmmm",
    "announced": "smmmmmmmmmmm",
    "accepted": "asmmmmmmmmmc",
    "in_transit": "assmmmmmmmmc",
    "out_for_delivery": "asmsmmmmmmmc",
    "delivery_attempted": "asmmsmmmmmmc",
    "ready_for_pickup": "asmmmsmmmmmc",
    "delivered": "aeeeeesLLLee",
    "returning": "agggggdsmmmc",
    "returned": "aeeeeeeeseee",
    "lost": "aLLLLLLLLsLe",
    "destroyed": "aeeeeeeeeese",
    "cancelled": "aVVVVVVVVVVs",
}

TRANSITIONS: Final[Transitions] = {
    (Milestone(state), event): _CELLS[cell]
    for state, row in _ROWS.items()
    for event, cell in zip(_EVENTS, row, strict=True)
}
"""The table that `fold` uses. A host with another policy gives another table, not other code."""
