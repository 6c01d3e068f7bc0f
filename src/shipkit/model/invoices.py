"""What carriers bill, line by line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.scalars import ClosedEnum, OpenEnum

if TYPE_CHECKING:
    from shipkit.model.bookings import TrackingNumber
    from shipkit.model.measures import Dimensions, Money, Weight
    from shipkit.model.rates import Charge

__all__ = ["InvoiceLine", "InvoiceLineReason", "InvoiceMatch", "InvoiceQuery"]


class InvoiceMatch(ClosedEnum):
    """Whether a line belongs to a shipment of ours."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"


class InvoiceLineReason(OpenEnum):
    """Why it was billed. Open: a value this version does not know is kept raw."""

    BOOKED = "booked"
    REWEIGH = "reweigh"
    REDIMENSION = "redimension"
    ADDRESS_CORRECTION = "address_correction"
    RETURN = "return"
    DUTIES = "duties"
    LATE_PAYMENT = "late_payment"
    OTHER = "other"
    RESIDENTIAL = "residential"  # delivered to somebody's home


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InvoiceQuery(Value):
    """Which of the carrier's invoices: those of some days, or one."""

    since: date | None = None
    """With ``until``, or ``number`` instead."""
    until: date | None = None
    number: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InvoiceLine(Value):
    """What the carrier billed for one parcel and one reason; or for none, such as a fee of the account."""

    invoice_number: str
    line_id: str
    """Unique within the invoice, and the same whenever the same bill is read again."""
    billed_on: date
    tracking_number: TrackingNumber | None = None
    """None for what is billed to the account and not for a parcel."""
    shipment_match: InvoiceMatch
    """``UNMATCHED`` until it was held against our bookings."""
    charges: tuple[Charge, ...]
    """In one currency. Credits are negative."""
    reason: InvoiceLineReason
    """As the carrier gives it: ``BOOKED`` for the transport that was ordered."""
    billed_service: str | None = None
    """The carrier's code or words."""
    billed_weight: Weight | None = None
    billed_dimensions: Dimensions | None = None
    declared_weight: Weight | None = None
    """What the carrier says that the shipper had declared."""
    quoted: Money | None = None
    """The part of the booking's price that this line bills."""

    @property
    def billed(self) -> Money | None:
        """The sum of the charges; None where there are none, or of several currencies."""
        if len({charge.amount.currency for charge in self.charges}) != 1:
            return None
        total = self.charges[0].amount
        for charge in self.charges[1:]:
            total += charge.amount
        return total

    @property
    def difference(self) -> Money | None:
        """What was billed beyond ``quoted``; None where one of the two is missing, or in another currency."""
        billed = self.billed
        if billed is None or self.quoted is None or billed.currency != self.quoted.currency:
            return None
        return billed - self.quoted
