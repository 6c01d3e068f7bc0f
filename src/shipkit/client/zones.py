"""Where an account's carrier prints no offset: what its places, its zone texts and the account tell of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..carrier import Carrier, KnowsZones, able
from ..model import TimeBasis, TrackingEvent

__all__ = ["placed"]


def placed(carrier: Carrier | None, events: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """*events* with the offsets that follow from what else is known; without a *carrier*, from their places alone."""
    given = tuple(events)
    if all(event.time.basis is not TimeBasis.NONE for event in given):
        return given  # most carriers print it, and the tables of zones need not be loaded
    from ..events.zones import located

    known: dict[str, Any] = {"account_zone": carrier.zone} if carrier is not None else {}
    if carrier is not None and able(carrier, KnowsZones):
        known |= {"zone_texts": carrier.zone_texts, "zone_of": carrier.zone_of}
    return tuple([located(event, **known) for event in given])
