"""What a carrier confirmed, the numbers it gave, and how a booking is undone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal
from shipkit.model.scalars import AccountAlias, CarrierCode, ClosedEnum, OpenEnum, Sscc

if TYPE_CHECKING:
    from shipkit.model.documents import Document
    from shipkit.model.measures import Money, Weight
    from shipkit.model.messages import Message
    from shipkit.model.places import Reference
    from shipkit.model.rates import Charge, PriceBasis, TransitEstimate
    from shipkit.model.time import EventTime

__all__ = [
    "BookedPackage",
    "BookingState",
    "CancelOutcome",
    "CancelRequest",
    "CancellationResult",
    "NumberRole",
    "NumberScheme",
    "PackageOutcome",
    "RefundRequest",
    "RefundState",
    "Shipment",
    "TrackingNumber",
    "canonical_number",
]


class BookingState(ClosedEnum):
    """The life of a booking. A refusal is an error and not a state, and where the parcel is, is another axis."""

    CONFIRMED = "confirmed"  # booked, every ordered document in hand
    LABEL_PENDING = "label_pending"  # booked, a document is still to be fetched
    IN_DOUBT = "in_doubt"  # sent, no readable answer: the recovery decides
    VOIDING = "voiding"  # cancellation sent, not yet confirmed
    VOIDED = "voided"  # cancelled at the carrier
    MANIFESTED = "manifested"  # closed in a manifest: can no longer be voided where the carrier says so


class NumberRole(ClosedEnum):
    """What a number identifies."""

    MASTER = "master"
    PIECE = "piece"
    RETURN = "return"
    PARTNER = "partner"
    LAST_MILE = "last_mile"
    REFERENCE = "reference"


class NumberScheme(OpenEnum):
    """A numbering scheme. Open: a value this version does not know is kept raw."""

    S10 = "s10"
    SSCC = "sscc"
    UPS_1Z = "ups_1z"
    IMB = "imb"
    UNKNOWN = "unknown"


class CancelOutcome(ClosedEnum):
    """What became of a cancellation."""

    VOIDED = "voided"  # cancelled now
    REQUESTED = "requested"  # the carrier decides later
    ALREADY_VOIDED = "already_voided"  # was cancelled before: done
    NOT_FOUND = "not_found"  # unknown to the carrier after the time in which it must know it: done
    TOO_LATE = "too_late"  # window over
    ALREADY_USED = "already_used"  # scanned or manifested
    REJECTED = "rejected"  # refused for another reason
    PARTLY = "partly"  # some packages only, see packages


class RefundState(ClosedEnum):
    """What becomes of the money."""

    NONE = "none"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXCLUDED = "excluded"  # this label type is never refunded


_GAPS: Final = dict.fromkeys(map(ord, " \t\r\n\u00a0\u202f-\u2010\u2011\u2012\u2013\u2014"))


def canonical_number(text: str) -> str:
    """A number as it is compared and stored: upper case, without blanks and dashes, leading zeros kept."""
    return text.translate(_GAPS).upper()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrackingNumber(Value):
    """The identifier of a moving thing."""

    value: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """In upper case, without blanks and dashes, leading zeros kept: the constructor sees to it."""
    raw: str | None = attrs.field(default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """As it was given, where that differs."""
    carrier: str
    """The carrier that issued it; behind an aggregator, the real one."""
    role: NumberRole = NumberRole.PIECE
    scheme: NumberScheme = NumberScheme.UNKNOWN
    valid_check: bool | None = None
    """None where the scheme has no check digit."""

    def _whole(self) -> None:
        canonical = canonical_number(self.value)
        if canonical != self.value:
            if self.raw is None:
                object.__setattr__(self, "raw", self.value)
            object.__setattr__(self, "value", canonical)

    def __str__(self) -> str:
        return self.value


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BookedPackage(Value):
    """One package as the carrier took it."""

    ref: str
    """The host's."""
    position: int
    """Counted from 0, as in the request."""
    tracking_number: TrackingNumber | None = None
    """None where the carrier numbers the whole shipment only."""
    barcodes: tuple[str, ...] = attrs.field(default=(), metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """As printed."""
    sscc: Sscc | None = attrs.field(default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    carrier_package_id: str | None = None
    charges: tuple[Charge, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Shipment(Value):
    """What the carrier confirmed."""

    shipment_id: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    """The carrier's."""
    reference: str = attrs.field(metadata=personal("medium", "free_text", mask="hash", by_default=True))
    """The host's."""
    state: BookingState
    service: str
    """As booked."""
    packages: tuple[BookedPackage, ...]
    """In the order of the request; another count than was asked for is in doubt."""
    tracking_numbers: tuple[TrackingNumber, ...]
    """All of them, the master first."""
    documents: tuple[Document, ...] = ()
    total: Money | None = None
    """What will be billed."""
    charges: tuple[Charge, ...] = ()
    """As in `RateQuote`."""
    basis: PriceBasis | None = None
    billable_weight: Weight | None = None
    transit: TransitEstimate | None = None
    return_shipment_id: str | None = attrs.field(
        default=None, metadata=personal("medium", "pseudonym", mask="keep_last_4")
    )
    """Of a return label ordered with it."""
    carrier_refs: tuple[Reference, ...] = ()
    """The carrier's further numbers."""
    created_at: datetime
    """When the carrier's reply was received."""
    carrier_created_at: EventTime | None = None
    """Where the carrier says it."""
    messages: tuple[Message, ...] = ()
    """Notices, such as ``printed_shortened``."""
    carrier: CarrierCode | None = None
    """Filled in by the client."""
    account: AccountAlias | None = None
    """Filled in by the client."""
    key: str | None = None
    """Filled in by the ledger: the host's key, which is never sent to a carrier."""
    generation: int | None = None
    """Filled in by the ledger: 1 for the first booking under the key."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CancelRequest(Value):
    """Asks to undo a booking."""

    shipment_id: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    reference: str = attrs.field(metadata=personal("medium", "free_text", mask="hash", by_default=True))
    tracking_numbers: tuple[TrackingNumber, ...]
    package_refs: tuple[str, ...] = ()
    """Empty means all."""
    reason: str | None = attrs.field(default=None, metadata=personal("low", "free_text", mask="keep"))
    """Where the carrier wants one."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundRequest(Value):
    """Asks for the money of labels that were never used, without undoing a booking of ours."""

    tracking_numbers: tuple[TrackingNumber, ...] = attrs.field(metadata=bounds(min_items=1))
    reference: str | None = attrs.field(
        default=None, metadata=personal("medium", "free_text", mask="hash", by_default=True)
    )
    reason: str | None = attrs.field(default=None, metadata=personal("low", "free_text", mask="keep"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PackageOutcome(Value):
    """What became of the cancellation of one package."""

    package_ref: str | None = None
    """None where it cannot be joined."""
    tracking_number: TrackingNumber | None = None
    outcome: CancelOutcome
    """Never ``PARTLY``."""
    carrier_code: str | None = None
    text: str | None = attrs.field(default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True))
    """The carrier's words."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CancellationResult(Value):
    """The answer to the cancellation of a shipment or pickup, or to a request for a refund."""

    outcome: CancelOutcome
    """A cancellation that was not answered is an `InDoubtError` and no outcome."""
    packages: tuple[PackageOutcome, ...] = ()
    """Where the carrier answers for each package."""
    refund: RefundState | None = None
    amount: Money | None = None
    """Of the refund."""
    until: datetime | None = None
    """The last moment at which it would have been possible."""
    messages: tuple[Message, ...] = ()
