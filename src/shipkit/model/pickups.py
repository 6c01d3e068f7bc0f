"""Collections by the carrier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal
from shipkit.model.scalars import EMPTY, CarrierCode, ClosedEnum, Json, OpenEnum, ZoneName

if TYPE_CHECKING:
    from shipkit.model.bookings import TrackingNumber
    from shipkit.model.measures import Money, Weight
    from shipkit.model.messages import Message
    from shipkit.model.places import Party
    from shipkit.model.rates import Charge

__all__ = [
    "Pickup",
    "PickupCancelRequest",
    "PickupLocation",
    "PickupRequest",
    "PickupState",
    "PickupWindow",
]


class PickupState(ClosedEnum):
    """The life of a collection."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    COMPLETED = "completed"


class PickupLocation(OpenEnum):
    """Where the parcels stand. Open: a value this version does not know is kept raw."""

    FRONT = "front"
    BACK = "back"
    SIDE = "side"
    RECEPTION = "reception"
    MAILROOM = "mailroom"
    DOCK = "dock"
    OTHER = "other"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PickupWindow(Value):
    """When parcels can be collected, local to the place."""

    day: date
    ready: time
    close: time
    """After ``ready``."""
    zone: ZoneName | None = None
    """Filled in by the client, from the place or the account."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PickupRequest(Value):
    """Asks the carrier to collect."""

    reference: str = attrs.field(
        metadata=personal("medium", "free_text", mask="hash", by_default=True)
        | bounds(min_length=1, max_length=30, pattern="[ -~]+")
    )
    """The host's own number."""
    pickup_from: Party
    window: PickupWindow
    package_count: int = attrs.field(metadata=bounds(least=1))
    weight: Weight | None = None
    """Of all packages together."""
    shipment_ids: tuple[str, ...] = attrs.field(
        default=(), metadata=personal("medium", "pseudonym", mask="keep_last_4")
    )
    """Where the carrier wants them."""
    tracking_numbers: tuple[TrackingNumber, ...] = ()
    """Where the carrier wants them."""
    services: tuple[str, ...] = ()
    """The carrier's codes of what is collected."""
    location: PickupLocation | None = None
    instructions: str | None = attrs.field(
        default=None, metadata=personal("high", "free_text", mask="drop", by_default=True)
    )
    carrier_options: Mapping[CarrierCode, Json] = EMPTY


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Pickup(Value):
    """A collection as the carrier took it."""

    confirmation: str
    """The carrier's number."""
    state: PickupState
    window: PickupWindow
    """As confirmed."""
    pickup_from: Party | None = None
    package_count: int | None = None
    charges: tuple[Charge, ...] = ()
    total: Money | None = None
    created_at: datetime
    """When the carrier's reply was received."""
    messages: tuple[Message, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PickupCancelRequest(Value):
    """Calls a collection off."""

    confirmation: str
    window: PickupWindow | None = None
    """Where the carrier wants the day."""
    reason: str | None = attrs.field(default=None, metadata=personal("low", "free_text", mask="keep"))
