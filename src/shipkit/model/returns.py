"""A way back for goods already sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal

if TYPE_CHECKING:
    from shipkit.model.bookings import Shipment, TrackingNumber
    from shipkit.model.documents import Document
    from shipkit.model.messages import Message
    from shipkit.model.shipments import ReturnLabelKind, ShipmentRequest
    from shipkit.model.time import EventTime

__all__ = [
    "ReturnRequest",
    "ReturnShipment",
]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReturnRequest(Value):
    """Asks for a way back for goods already sent."""

    shipment: ShipmentRequest
    """``ship_from`` is the customer, ``ship_to`` the place that takes the goods back."""
    kind: ReturnLabelKind
    outbound: TrackingNumber | None = None
    """The number of the journey out."""
    authorization: str | None = attrs.field(
        default=None, metadata=personal("medium", "free_text", mask="hash", by_default=True)
    )
    """The return merchandise authorization (RMA)."""
    valid_days: int | None = attrs.field(default=None, metadata=bounds(least=1))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReturnShipment(Value):
    """A way back as the carrier took it."""

    kind: ReturnLabelKind
    shipment: Shipment | None = None
    """Where it is booked at once."""
    outbound: TrackingNumber | None = None
    authorization: str | None = attrs.field(
        default=None, metadata=personal("medium", "free_text", mask="hash", by_default=True)
    )
    expires_at: EventTime | None = None
    documents: tuple[Document, ...] = ()
    """Where there is no shipment yet."""
    messages: tuple[Message, ...] = ()
