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
    """A kind of price component. Open: a value this version does not know is kept raw."""

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
    """Which price list a price is from."""

    LIST = "list"  # published
    NEGOTIATED = "negotiated"  # the account's own
    RETAIL = "retail"  # counter
    ESTIMATED = "estimated"  # not binding


class Commitment(ClosedEnum):
    """How firm a promise of delivery is."""

    NONE = "none"  # an expectation only
    TARGET = "target"  # a stated goal
    GUARANTEED = "guaranteed"  # money back
    UNKNOWN = "unknown"  # not said


class EstimateSource(ClosedEnum):
    """Whose estimate it is."""

    CARRIER = "carrier"
    MODEL = "model"
    HOST = "host"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TaxDetail(Value):
    """The tax inside a charge, or on top of it."""

    kind: str | None = None
    """Such as VAT."""
    rate: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    """0.20 is 20 %."""
    base: Money | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Charge(Value):
    """One component of a price."""

    type: ChargeType
    code: str | None = None
    """The carrier's billing code."""
    description: str | None = None
    """The carrier's words."""
    amount: Money
    """Negative only for a discount, a refund, an adjustment, or what the carrier leaves unexplained."""
    tax: TaxDetail | None = None
    package_ref: str | None = None
    """The package that it is for, where it is not the shipment's."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TransitEstimate(Value):
    """When something should arrive: business days, a window, or both."""

    business_days: IntRange | None = None
    window: TimeWindow | None = None
    """Local to the destination."""
    commitment: Commitment = Commitment.UNKNOWN
    source: EstimateSource = EstimateSource.CARRIER
    computed_at: datetime
    """When the carrier's reply was received."""
    confidence: Decimal | None = attrs.field(default=None, converter=optional_decimal)
    """From 0 to 1, of the window."""
    version: str | None = None
    """The model that made it, where the source is a model."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RateQuote(Value):
    """One priced offer."""

    service: str
    """The carrier's code, at an aggregator ``carrier/code``; its name and traits are in the facts."""
    total: Money
    """What will be billed, taxes included if ``tax_included``."""
    charges: tuple[Charge, ...] = ()
    """Empty, or the parts of ``total``, taken from one level only; what the carrier leaves unexplained is one charge of
    its own. No constructor checks the sum: it could refuse a label that was bought."""
    tax_included: bool | None = None
    """None where the carrier does not say."""
    basis: PriceBasis | None = None
    """None where the carrier does not say."""
    list_total: Money | None = None
    """The published price beside a negotiated one."""
    retail_total: Money | None = None
    """The price at the counter."""
    quote_id: str | None = None
    """The carrier's, where exactly this quote can be bought."""
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
    as_of: datetime | None = None
    """Filled in by the client where the account does not answer and its last answer stands in: when that one came."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RateAnswer(Value):
    """The quotes of all accounts asked, cheapest first, and what went wrong at the others."""

    quotes: tuple[RateQuote, ...]
    errors: Mapping[AccountAlias, ShipkitError]
    """One for each account that failed: none is silent."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServiceTransit(Value):
    """The expected transit of one service."""

    service: str
    transit: TransitEstimate
