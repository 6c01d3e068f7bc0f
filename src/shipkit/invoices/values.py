"""What a bill is held against, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import attrs

from ..model import (
    EMPTY,
    ClosedEnum,
    Dimensions,
    InvoiceLine,
    InvoiceLineReason,
    Milestone,
    Money,
    Timeline,
    Weight,
    canonical_number,
)

__all__ = ["Booked", "Finding", "FindingKind", "Seen", "Terms"]


class FindingKind(ClosedEnum):
    """What a line of a bill turned out to be; each line is exactly one of them."""

    AGREES = "agrees"  # billed as booked, within the tolerance
    DIFFERS = "differs"  # billed otherwise than booked: the reason says why
    UNPRICED = "unpriced"  # booked without a price: nothing can be compared
    CURRENCY = "currency"  # billed in another currency than booked
    CREDIT = "credit"  # money back, set against the first line that is still open
    DUPLICATE = "duplicate"  # billed before, and not credited since
    VOIDED = "voided"  # billed though the booking was cancelled
    UNUSED = "unused"  # billed though the carrier never scanned the parcel
    UNMATCHED = "unmatched"  # billed for a number that is none of ours
    AMBIGUOUS = "ambiguous"  # the number belongs to several bookings of ours
    ACCOUNT = "account"  # billed to the account and to no parcel
    UNBILLED = "unbilled"  # the one without a line: delivered and not billed


def _canonical(numbers: Mapping[str, Weight]) -> Mapping[str, Weight]:
    return {canonical_number(number): value for number, value in numbers.items()}


def _sized(numbers: Mapping[str, Dimensions]) -> Mapping[str, Dimensions]:
    return {canonical_number(number): value for number, value in numbers.items()}


def _numbers(numbers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical_number(number) for number in numbers))


@attrs.frozen(kw_only=True)
class Booked:
    """One booking of ours, as far as a bill can be held against it."""

    id: str
    """The host's own name of it; it comes back in the findings."""
    numbers: tuple[str, ...] = attrs.field(converter=_numbers)
    """The tracking numbers of all its parcels."""
    total: Money | None = None
    """What the carrier said it would bill, for all parcels together."""
    tax_included: bool | None = None
    """Whether ``total`` has the tax; where nobody knows, it has it if the bill then agrees."""
    booked_on: date | None = None
    voided: bool = False
    returned: bool = False
    """A way back, which carriers bill as a return."""
    residential: bool | None = None
    """Whether it was booked to somebody's home; None where nobody knows."""
    weights: Mapping[str, Weight] = attrs.field(default=EMPTY, converter=_canonical)
    """Declared, by tracking number."""
    dimensions: Mapping[str, Dimensions] = attrs.field(default=EMPTY, converter=_sized)
    """Declared, by tracking number."""


@attrs.frozen(kw_only=True)
class Seen:
    """Where a parcel has come to, as far as the carrier told."""

    milestone: Milestone
    delivered_on: date | None = None
    """Local to the place, where that is known."""

    @classmethod
    def of(cls, timeline: Timeline) -> Seen:
        """What *timeline* knows of it."""
        days = [entry.at.local for entry in timeline.entries if entry.milestone is Milestone.DELIVERED]
        at = days[-1] if timeline.milestone is Milestone.DELIVERED and days else None
        return cls(milestone=timeline.milestone, delivered_on=at and date(at.year, at.month, at.day))

    @property
    def scanned(self) -> bool | None:
        """Whether the carrier ever had it; None where its way is not known, or it was cancelled."""
        if self.milestone is Milestone.ANNOUNCED:
            return False
        return None if self.milestone in (Milestone.UNKNOWN, Milestone.CANCELLED) else True


@attrs.frozen(kw_only=True)
class Terms:
    """From when on something is a difference."""

    tolerance: Mapping[str, Decimal] = EMPTY
    """The difference in each currency, up or down, that nobody looks at; 0 where a currency is not named."""
    unused_after_days: int = 14
    """Billed, and not scanned this long after it was booked: the label was not used."""
    unbilled_after_days: int = 30
    """Delivered this long ago, and not billed."""


@attrs.frozen(kw_only=True)
class Finding:
    """What one line turned out to be; for a booking that was not billed, what is missing."""

    kind: FindingKind
    line: InvoiceLine | None = None
    """With ``shipment_match`` and ``quoted`` filled in; None for what was not billed."""
    booking: str | None = None
    """`Booked.id`."""
    numbers: tuple[str, ...] = ()
    billed: Money | None = None
    booked: Money | None = None
    """The part of the booking's price that this line bills; the lines of a booking share its price."""
    difference: Money | None = None
    """``billed`` minus ``booked``: all that was billed, where nothing of it was booked."""
    reason: InvoiceLineReason | None = None
    """Why it was billed, or billed otherwise."""
    against: tuple[str, str] | None = None
    """Invoice number and line id of the line that this one repeats or credits."""
