"""Policies for booked parcels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import personal
from shipkit.model.scalars import OpenEnum

if TYPE_CHECKING:
    from shipkit.model.bookings import TrackingNumber
    from shipkit.model.measures import Money
    from shipkit.model.messages import Message
    from shipkit.model.places import Party

__all__ = [
    "InsurancePolicy",
    "InsuranceRequest",
    "PolicyState",
]


class PolicyState(OpenEnum):
    """The life of a policy. Open: a value this version does not know is kept raw."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"
    CANCELLED = "cancelled"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InsuranceRequest(Value):
    """Asks to insure a booked parcel."""

    reference: str = attrs.field(metadata=personal("medium", "free_text", mask="hash", by_default=True))
    shipment_id: str | None = attrs.field(default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    number: TrackingNumber
    ship_from: Party | None = None
    """Where the insurer wants it."""
    ship_to: Party | None = None
    """Where the insurer wants it."""
    amount: Money


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InsurancePolicy(Value):
    """A policy as it was issued."""

    policy_id: str
    state: PolicyState
    amount: Money
    fee: Money | None = None
    provider: str | None = None
    messages: tuple[Message, ...] = ()
