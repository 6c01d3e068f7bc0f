"""Prices, what they consist of, and when the goods should arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.scalars import AccountAlias, CarrierCode, ClosedEnum, OpenEnum, optional_decimal

if TYPE_CHECKING:
    from shipkit.errors import ShipkitError
    from shipkit.model.measures import IntRange, Money, Weight
    from shipkit.model.messages import Message
    from shipkit.model.time import TimeWindow

__all__ = [
    "Charge",
    "ChargeType",
    "Commitment",
    "EstimateSource",
    "PriceBasis",
    "RateAnswer",
    "RateQuote",
    "ServiceTransit",
    "TaxDetail",
    "TransitEstimate",
]


class ChargeType(OpenEnum):
    """Kind of price component; values this version does not know stay raw."""

    BASE = "base"
    FUEL = "fuel"
    SURCHARGE = "surcharge"
    RESIDENTIAL = "residential"
    REMOTE_AREA = "remote_area"
    OVERSIZE = "oversize"
    ADDITIONAL_HANDLING = "additional_handling"
    PEAK = "peak"
    INSURANCE = "insurance"
    COD = "cod"
    SIGNATURE = "signature"
    SATURDAY = "saturday"
    PICKUP = "pickup"
    DUTY = "duty"
    TAX = "tax"
    BROKERAGE = "brokerage"
    DISBURSEMENT = "disbursement"
    DISCOUNT = "discount"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    HANDLING = "handling"
    OTHER = "other"
    UNEXPLAINED = "unexplained"  # what the carrier's total holds beyond its parts


class PriceBasis(ClosedEnum):
    """Which price list."""

    LIST = "list"  # published
    NEGOTIATED = "negotiated"  # the account's own
    RETAIL = "retail"  # counter
    ESTIMATED = "estimated"  # not binding


class Commitment(ClosedEnum):
    """How firm the promise is."""

    NONE = "none"  # an expectation only
    TARGET = "target"  # a stated goal
    GUARANTEED = "guaranteed"  # money back
    UNKNOWN = "unknown"  # not said


class EstimateSource(ClosedEnum):
    """Whose estimate."""

    CARRIER = "carrier"
    MODEL = "model"
    HOST = "host"


@attrs.frozen(kw_only=True, repr=False)
class TaxDetail(Value):
    """The tax inside or on top of a charge."""

    kind: str | None = None
    """Such as VAT."""
    rate: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    """0.20 is 20 %."""
    base: Money | None = None


@attrs.frozen(kw_only=True, repr=False)
class Charge(Value):
    """One price component."""

    type: ChargeType
    code: str | None = None
    """The carrier's billing code."""
    description: str | None = None
    """The carrier's words."""
    amount: Money
    """Negative only for discount, refund, adjustment, unexplained."""
    tax: TaxDetail | None = None
    package_ref: str | None = None
    """A charge of one package."""


@attrs.frozen(kw_only=True, repr=False)
class TransitEstimate(Value):
    """When it should arrive; the only form of an expected delivery time."""

    business_days: IntRange | None = None
    """One of business_days, window is required."""
    window: TimeWindow | None = None
    """Local to the destination."""
    commitment: Commitment = Commitment.UNKNOWN
    source: EstimateSource = EstimateSource.CARRIER
    computed_at: datetime
    """The reply's received_at; never a clock in a plugin."""
    confidence: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    """0..1, of the window."""
    version: str | None = None
    """Model that made it; required when source is model."""


@attrs.frozen(kw_only=True, repr=False)
class RateQuote(Value):
    """One priced offer."""

    service: str
    """The carrier's code (aggregators: carrier/code); its name and traits are in the facts."""
    total: Money
    """What will be billed; tax included if tax_included."""
    charges: tuple[Charge, ...] = ()
    """Empty, or their sum equals total; parts are taken from one level only; what the carrier leaves unexplained is
    one charge of type unexplained; tests and the kit check the sum, no constructor does."""
    tax_included: bool | None = None
    """None = not said."""
    basis: PriceBasis | None = None
    """None = not said."""
    list_total: Money | None = None
    """Published price beside a negotiated one."""
    retail_total: Money | None = None
    """Counter price."""
    quote_id: str | None = None
    """The carrier's, if it can be bought."""
    valid_until: datetime | None = None
    transit: TransitEstimate | None = None
    billable_weight: Weight | None = None
    dim_divisor: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    zone: str | None = None
    service_name: str | None = None
    """The carrier's words."""
    messages: tuple[Message, ...] = ()
    carrier: CarrierCode | None = None
    """Filled in by the client."""
    account: AccountAlias | None = None
    """Filled in by the client: where to buy it."""


@attrs.frozen(kw_only=True, repr=False)
class RateAnswer(Value):
    """Quotes of all accounts asked, cheapest first, and what went wrong."""

    quotes: tuple[RateQuote, ...]
    """May be empty."""
    errors: Mapping[AccountAlias, ShipkitError]
    """One per account that failed; none is silent."""


@attrs.frozen(kw_only=True, repr=False)
class ServiceTransit(Value):
    """Expected transit of one service."""

    service: str
    transit: TransitEstimate
