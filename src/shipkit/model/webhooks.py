"""Calls that carriers make to us, and how they are subscribed to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal
from shipkit.model.scalars import EMPTY, AccountAlias, CarrierCode, ClosedEnum, CountryCode, LanguageTag, Url

if TYPE_CHECKING:
    from shipkit.errors import ShipkitError
    from shipkit.model.bookings import TrackingNumber

__all__ = [
    "DedupResult",
    "DeliveryResult",
    "SignatureResult",
    "Subscription",
    "SubscriptionRequest",
    "SubscriptionState",
    "TrustLevel",
    "WebhookDelivery",
]


class TrustLevel(ClosedEnum):
    """How far a push can be believed."""

    BODY_SIGNED = "body_signed"  # the bytes are signed
    SENDER_AUTHENTICATED = "sender_authenticated"  # a shared header or password only: a hint, the carrier is asked
    UNAUTHENTICATED = "unauthenticated"  # a hint


class SignatureResult(ClosedEnum):
    """The result of a verification."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    NOT_SUPPORTED = "not_supported"


class DedupResult(ClosedEnum):
    """Whether a delivery was seen before."""

    FIRST = "first"
    DUPLICATE = "duplicate"


class DeliveryResult(ClosedEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    FAILED = "failed"
    DEAD_LETTER = "dead_letter"


class SubscriptionState(ClosedEnum):
    """The life of a subscription."""

    ACTIVE = "active"
    PARTLY = "partly"
    ENDED = "ended"
    REFUSED = "refused"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WebhookDelivery(Value):
    """One call that a carrier made to us."""

    delivery_id: str
    """The sender's id, else a hash of the raw body."""
    carrier: CarrierCode
    account: AccountAlias
    received_at: datetime
    headers: Mapping[str, str] = attrs.field(metadata=personal("critical", "secret", mask="drop", by_default=True))
    """Those on the list of allowed ones."""
    body: bytes = attrs.field(metadata=personal("critical", "mixed", mask="length_and_hash", by_default=True))
    """The exact bytes; parsed only after they were verified."""
    signature: SignatureResult
    trust: TrustLevel
    signature_age_ok: bool | None = None
    """None where the scheme has no time."""
    dedup: DedupResult
    event_ids: tuple[str, ...] = ()
    result: DeliveryResult
    error: ShipkitError | None = None
    """Why it failed or was parked."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SubscriptionRequest(Value):
    """Asks the carrier to push."""

    numbers: tuple[TrackingNumber, ...] = attrs.field(metadata=bounds(min_items=1))
    callback_url: Url = attrs.field(metadata=personal("critical", "secret", mask="drop", by_default=True))
    """With a path that cannot be guessed."""
    secret: str | None = attrs.field(
        default=None, metadata=personal("critical", "secret", mask="drop", by_default=True)
    )
    """Shared with the carrier."""
    until: date | None = None
    country: CountryCode | None = None
    """Of the destination, where the carrier asks."""
    language: LanguageTag = "en"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Subscription(Value):
    """What the carrier will push."""

    subscription_id: str | None = None
    """Where the carrier gives one."""
    state: SubscriptionState
    accepted: tuple[TrackingNumber, ...]
    refused: Mapping[str, ShipkitError] = EMPTY
    """By canonical number."""
    ends_on: date | None = None
