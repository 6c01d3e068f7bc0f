"""What stands in a simulated carrier's books: values, each as of the moment it was asked for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs

from .journeys import Step

__all__ = [
    "Billing",
    "Booking",
    "BookingState",
    "Charge",
    "Counts",
    "InvoiceLine",
    "ManifestRecord",
    "NotInBooksError",
    "PickupRecord",
    "SimToken",
    "Subscription",
]


class NotInBooksError(LookupError):
    """The carrier has no such booking, parcel, pickup or subscription."""


class BookingState(str, enum.Enum):
    """Whether the carrier still expects (and bills) the goods."""

    LIVE = "live"
    VOIDED = "voided"


class Billing(enum.Enum):
    """When a booking costs money: at once, or when the carrier takes a parcel into custody."""

    ON_PURCHASE = "on_purchase"
    ON_SCAN = "on_scan"


@attrs.frozen(kw_only=True)
class Booking:
    """One purchase in the carrier's books, as it stands now; a later state is another value.

    ``numbers`` has one tracking number per package, in order; ``reference`` is the host's order number, ``mark`` the
    identity the host's ledger gave the attempt; ``labels_issued`` counts how often a label was handed out;
    ``visible_at`` is when a search by mark or reference begins to see it; ``voided_numbers`` says which packages were
    voided, and when (the booking is ``voided`` when all are); ``raw`` is the request that bought it; ``details`` is
    whatever the dialect wants to remember.
    """

    id: str
    numbers: tuple[str, ...]
    service: str = ""
    reference: str = ""
    mark: str = ""
    account: str = ""
    price: Decimal = Decimal(0)
    currency: str = "EUR"
    state: BookingState = BookingState.LIVE
    created_at: datetime
    visible_at: datetime
    voided_at: datetime | None = None
    labels_issued: int = 0
    journeys: tuple[str, ...] = ()
    voided_numbers: Mapping[str, datetime] = attrs.field(factory=dict)
    raw: bytes = attrs.field(default=b"", repr=False)
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def live(self) -> bool:
        return self.state is BookingState.LIVE


@attrs.frozen(kw_only=True)
class Charge:
    """Something the carrier bills besides a booking: a pickup, an insurance, a correction. Credits are negative."""

    what: str
    amount: Decimal
    currency: str
    at: datetime
    booking_id: str = ""
    account: str = ""


@attrs.frozen(kw_only=True)
class InvoiceLine:
    """One line of what the carrier would bill now."""

    what: str
    amount: Decimal
    currency: str
    at: datetime
    booking_id: str = ""
    reference: str = ""
    mark: str = ""
    service: str = ""
    account: str = ""


@attrs.frozen(kw_only=True)
class PickupRecord:
    """An order to collect parcels."""

    id: str
    account: str = ""
    reference: str = ""
    on: date | None = None
    state: str = "scheduled"  #: in the dialect's own words
    created_at: datetime
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class ManifestRecord:
    """A closed day: the bookings handed over together."""

    id: str
    booking_ids: tuple[str, ...]
    account: str = ""
    created_at: datetime
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class Subscription:
    """Where the carrier pushes, for which numbers (none named: every parcel), with which credential."""

    id: str
    url: str
    numbers: frozenset[str] = frozenset()
    credential: str = attrs.field(default="", repr=False)
    account: str = ""
    created_at: datetime
    expires_at: datetime | None = None
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    def wants(self, step: Step) -> bool:
        """Whether *step* is to be pushed there: the parcel is named, the step is younger than the subscription."""
        expired = self.expires_at is not None and step.at > self.expires_at
        return not expired and step.at >= self.created_at and self.covers(step.number)

    def covers(self, number: str) -> bool:
        """Whether that parcel is one of those it is for."""
        return not self.numbers or number in self.numbers


@attrs.frozen(kw_only=True)
class SimToken:
    """An access token the carrier issued."""

    value: str = attrs.field(repr=False)
    account: str
    issued_at: datetime
    expires_at: datetime
    revoked: bool = False


@attrs.frozen(kw_only=True)
class Counts:
    """What the carrier saw under one mark or one reference.

    ``overlapping`` counts purchases that arrived while another of the same mark (or reference) was still open at the
    carrier. With one booking per intent, ``live`` is at most 1.
    """

    arrivals: int = 0
    overlapping: int = 0
    bookings: int = 0
    live: int = 0
    labels: int = 0
    voids: int = 0
