"""What a host wants quoted or booked: packages, options, labels and the two requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import attrs

from shipkit.model._fit import fitted_value
from shipkit.model.base import Value
from shipkit.model.marks import VOLATILE, bounds, personal
from shipkit.model.scalars import EMPTY, CarrierCode, ClosedEnum, CurrencyCode, Json, OpenEnum, Sscc, refuse

if TYPE_CHECKING:
    from typing import TypeAlias

    from shipkit.model.customs import CommodityLine, CustomsDeclaration
    from shipkit.model.dangerous_goods import DangerousGood
    from shipkit.model.measures import Dimensions, Length, Money, TemperatureRange, Weight
    from shipkit.model.places import BillingAccount, Party, PartyInRole, Reference, ServicePointRef

__all__ = [
    "CashOnDelivery",
    "CodMethod",
    "DocumentFormat",
    "DocumentKind",
    "Handling",
    "LabelSpec",
    "Notify",
    "NotifyChannel",
    "NotifyEvent",
    "Option",
    "OptionCode",
    "OPTION_TYPES",
    "OptionValue",
    "Package",
    "PackagingKind",
    "PageFormat",
    "PageSize",
    "Payer",
    "Payment",
    "RateRequest",
    "ReturnLabelKind",
    "ReturnSpec",
    "ShipmentRequest",
    "SignatureLevel",
]


class PackagingKind(OpenEnum):
    """A kind of outer packaging. Open: a value this version does not know is kept raw."""

    CUSTOM = "custom"  # the host's own packaging
    BOX = "box"  # the carrier's box
    LETTER = "letter"  # document envelope, may weigh nothing
    PAK = "pak"  # the carrier's padded or plastic pak
    TUBE = "tube"
    BAG = "bag"
    PALLET = "pallet"
    CRATE = "crate"


class Handling(OpenEnum):
    """How a package must be treated. Open: a value this version does not know is kept raw."""

    FRAGILE = "fragile"
    THIS_SIDE_UP = "this_side_up"
    NON_MACHINABLE = "non_machinable"
    NON_STACKABLE = "non_stackable"
    TEMPERATURE_CONTROLLED = "temperature_controlled"
    PERISHABLE = "perishable"
    LIVE_ANIMAL = "live_animal"
    ALCOHOL = "alcohol"
    TOBACCO = "tobacco"


class Payer(ClosedEnum):
    """Who pays."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    THIRD_PARTY = "third_party"


class OptionCode(ClosedEnum):
    """A canonical shipping option; what a carrier offers beyond these goes into ``carrier_options``."""

    SIGNATURE = "signature"  # who must sign
    SATURDAY_DELIVERY = "saturday_delivery"  # deliver on a Saturday
    DELIVERY_ON = "delivery_on"  # deliver on that day
    SAFE_PLACE = "safe_place"  # leave it there when nobody is in
    NO_NEIGHBOUR = "no_neighbour"  # never to a neighbour
    NOTIFY = "notify"  # the carrier tells the recipient
    PREDICT = "predict"  # the recipient gets a time window and may change it
    INSURANCE = "insurance"  # insure up to this amount
    COD = "cod"  # collect money from the recipient
    CARBON_NEUTRAL = "carbon_neutral"  # pay for carbon compensation
    HOLD_AT_LOCATION = "hold_at_location"  # keep it for collection instead of delivering it
    DIRECT_DELIVERY_ONLY = "direct_delivery_only"  # only at the address on the label


class SignatureLevel(ClosedEnum):
    """Whose signature the carrier must take."""

    NONE = "none"  # may be left without a signature
    ANY = "any"  # a signature at the address, whoever gives it
    DIRECT = "direct"  # a signature by someone at that address, no neighbour
    ADULT = "adult"  # a signature by an adult


class NotifyChannel(ClosedEnum):
    """How the recipient is told."""

    EMAIL = "email"
    SMS = "sms"


class NotifyEvent(OpenEnum):
    """What the recipient is told of. Open: a value this version does not know is kept raw."""

    SHIPPED = "shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"


class CodMethod(ClosedEnum):
    """How the recipient may pay."""

    ANY = "any"
    CASH = "cash"
    CARD = "card"
    CHEQUE = "cheque"


class DocumentKind(ClosedEnum):
    """What a document is for."""

    LABEL = "label"
    RETURN_LABEL = "return_label"
    COMMERCIAL_INVOICE = "commercial_invoice"
    PROFORMA = "proforma"
    CN22 = "cn22"
    CN23 = "cn23"
    PACKING_LIST = "packing_list"
    DG_DECLARATION = "dg_declaration"
    MANIFEST = "manifest"
    RECEIPT = "receipt"
    PROOF_OF_DELIVERY = "proof_of_delivery"
    QR_CODE = "qr_code"
    CERTIFICATE_OF_ORIGIN = "certificate_of_origin"
    DELIVERY_NOTE = "delivery_note"
    OTHER = "other"


class DocumentFormat(OpenEnum):
    """The format of a document's bytes. Open: a value this version does not know is kept raw."""

    PDF = "pdf"
    ZPL = "zpl"
    EPL = "epl"
    SPL = "spl"
    PNG = "png"
    GIF = "gif"
    JPG = "jpg"
    TIFF = "tiff"
    HTML = "html"
    TXT = "txt"
    QR = "qr"  # the text to be shown as a QR code


class PageFormat(ClosedEnum):
    """A size of paper or label stock."""

    A4 = "a4"
    A5 = "a5"
    A6 = "a6"
    LETTER = "letter"
    IN_4X6 = "4x6in"
    IN_4X8 = "4x8in"
    CM_10X15 = "10x15cm"
    CUSTOM = "custom"


class ReturnLabelKind(ClosedEnum):
    """How the recipient gets a return label."""

    PRINTED = "printed"
    QR = "qr"
    CARRIER_COLLECTS = "carrier_collects"
    MAILED = "mailed"
    PAID_ON_USE = "paid_on_use"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Package(Value):
    """One box, bag or pallet that gets a label of its own."""

    ref: str = attrs.field(metadata=bounds(min_length=1, max_length=40))
    """Chosen by the host: the join key of every answer, by position where the carrier echoes nothing."""
    weight: Weight
    """Nothing weighs nothing, but for a letter."""
    dimensions: Dimensions | None = None
    packaging: PackagingKind = PackagingKind.CUSTOM
    packaging_code: str | None = None
    """The carrier's own code of a packaging, from its facts; wins over ``packaging``."""
    sscc: Sscc | None = attrs.field(default=None, metadata=bounds(pattern="[0-9]{18}"))
    references: tuple[Reference, ...] = ()
    description: str | None = attrs.field(
        default=None,
        metadata=personal("medium", "special_category_risk", mask="drop", by_default=True)
        | bounds(min_length=1, max_length=100),
    )
    """Plain words."""
    contents: tuple[CommodityLine, ...] = ()
    declared_value: Money | None = None
    """What the goods are worth; insuring them is the option ``insurance``."""
    dangerous_goods: tuple[DangerousGood, ...] = ()
    handling: frozenset[Handling] = frozenset()
    temperature: TemperatureRange | None = None
    label_text: tuple[str, ...] = attrs.field(
        default=(), metadata=personal("medium", "free_text", mask="drop", by_default=True)
    )
    """Printed on the label where the carrier has room."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Payment(Value):
    """Who pays the carriage."""

    payer: Payer = Payer.SENDER
    account: BillingAccount | None = None
    """Whose account, where the sender's is not it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Notify(Value):
    """Messages that the carrier sends, to the address and number of ``ship_to``."""

    channels: frozenset[NotifyChannel] = attrs.field(metadata=bounds(min_items=1))
    events: frozenset[NotifyEvent] = frozenset()
    """Empty means the carrier's usual ones."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CashOnDelivery(Value):
    """Money that the carrier collects from the recipient."""

    amount: Money
    method: CodMethod = CodMethod.ANY
    remit_to: Party | None = None
    """Who gets the money, if not the account holder."""


OptionValue: TypeAlias = "SignatureLevel | date | str | Notify | Money | CashOnDelivery | ServicePointRef"
"""The value of an option, of the one type that belongs to its code; None where the code says it all."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Option(Value):
    """One canonical option and its value; anything else goes into ``carrier_options``."""

    code: OptionCode
    value: OptionValue | None = attrs.field(
        default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True)
    )
    """Of the type in `OPTION_TYPES`; None where the code says it all."""
    package_refs: tuple[str, ...] = ()
    """The packages it is for; empty means the whole shipment."""

    def _whole(self) -> None:
        wanted = OPTION_TYPES[self.code]
        if self.value is None:
            return
        if not wanted:
            refuse("/value", "malformed", f"Option: {self.code} takes no value")
        fitted = fitted_value(wanted, self.value, "/value", "Option")
        if fitted is not self.value:
            object.__setattr__(self, "value", fitted)


OPTION_TYPES: Final[dict[OptionCode, str]] = {
    OptionCode.SIGNATURE: "SignatureLevel",
    OptionCode.SATURDAY_DELIVERY: "",
    OptionCode.DELIVERY_ON: "date",
    OptionCode.SAFE_PLACE: "str",
    OptionCode.NO_NEIGHBOUR: "",
    OptionCode.NOTIFY: "Notify",
    OptionCode.PREDICT: "",
    OptionCode.INSURANCE: "Money",
    OptionCode.COD: "CashOnDelivery",
    OptionCode.CARBON_NEUTRAL: "",
    OptionCode.HOLD_AT_LOCATION: "ServicePointRef",
    OptionCode.DIRECT_DELIVERY_ONLY: "",
}
"""The type of each option's value, by name; empty where the code says it all."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PageSize(Value):
    """A size of paper or label stock; width and height are given for ``CUSTOM``."""

    format: PageFormat
    width: Length | None = None
    height: Length | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LabelSpec(Value):
    """The label that the host can print."""

    format: DocumentFormat | None = None
    """One that the carrier's facts list; None means the carrier's first."""
    dpi: int | None = None
    """Only where the facts offer a choice."""
    size: PageSize | None = None
    orientation: int | None = None
    """0, 90, 180 or 270 degrees."""
    copies: int = attrs.field(default=1, metadata=bounds(least=1))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReturnSpec(Value):
    """A return label that is ordered together with the shipment out."""

    kind: ReturnLabelKind
    return_to: Party | None = None
    """Where the goods come back to; by default ``return_to`` of the request, else ``ship_from``."""
    authorization: str | None = attrs.field(
        default=None, metadata=personal("medium", "free_text", mask="hash", by_default=True)
    )
    """The return merchandise authorization (RMA)."""
    valid_days: int | None = attrs.field(default=None, metadata=bounds(least=1))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RateRequest(Value):
    """Asks what it costs. A `ShipmentRequest` may be given in its place: the client takes what rating needs."""

    ship_from: Party
    """Where the goods leave."""
    ship_to: Party
    """Where they go; with ``service_point``, the person who collects."""
    return_to: Party | None = None
    """Where goods go that cannot be delivered; by default ``ship_from``."""
    account_holder: Party | None = None
    """Only where the owner of the account is not ``ship_from``."""
    parties: tuple[PartyInRole, ...] = attrs.field(default=(), metadata=bounds(unique="role"))
    """Roles at customs and in billing."""
    packages: tuple[Package, ...] = attrs.field(metadata=bounds(min_items=1, unique="ref"))
    services: tuple[str, ...] = ()
    """The carrier's codes; empty means all."""
    ship_on: date | None = None
    """Filled in by the client: today in the zone of ``ship_from``, or the day after the account's cut-off."""
    payment: Payment | None = None
    options: tuple[Option, ...] = ()
    customs: CustomsDeclaration | None = None
    service_point: ServicePointRef | None = None
    """Delivery to that point."""
    currency: CurrencyCode | None = None
    """Preferred, where the carrier has a choice."""
    carrier_options: Mapping[CarrierCode, Json] = EMPTY
    """By carrier code; checked against the plugin's own schema, which refuses unknown keys."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ShipmentRequest(Value):
    """What the host wants booked. The account, the key and the deadline are arguments of the call."""

    ship_from: Party
    """Where the goods leave."""
    ship_to: Party
    """Where they go; with ``service_point``, the person who collects."""
    return_to: Party | None = None
    """Where goods go that cannot be delivered; by default ``ship_from``."""
    account_holder: Party | None = None
    """Only where the owner of the account is not ``ship_from``."""
    parties: tuple[PartyInRole, ...] = attrs.field(default=(), metadata=bounds(unique="role"))
    """Roles at customs and in billing."""
    packages: tuple[Package, ...] = attrs.field(metadata=bounds(min_items=1, unique="ref"))
    service: str | None = None
    """The carrier's code, at an aggregator ``carrier/code``; given here or with the call, there when a flow runs."""
    reference: str = attrs.field(
        metadata=personal("medium", "free_text", mask="hash", by_default=True)
        | bounds(min_length=1, max_length=30, pattern="[ -~]+")
    )
    """The host's own number: printed, searched by people, and it may come twice."""
    mark: str | None = attrs.field(default=None, metadata=bounds(max_length=20, pattern="[0-9A-Z-]+") | VOLATILE)
    """Filled in by the ledger: the identity of this attempt, at most 20 of ``[0-9A-Z-]``. It goes into a field that the
    carrier can search, or is the carrier's own key, and it is what a look-up asks for."""
    references: tuple[Reference, ...] = ()
    """Further numbers."""
    quote_id: str | None = None
    """Buys exactly that quote."""
    ship_on: date | None = None
    """Filled in by the client, as in `RateRequest`."""
    payment: Payment | None = None
    options: tuple[Option, ...] = ()
    """One that the carrier does not offer is refused before anything is sent."""
    customs: CustomsDeclaration | None = None
    """Demanded where the lane crosses a customs border."""
    service_point: ServicePointRef | None = None
    """Delivery to that point."""
    drop_off_point: ServicePointRef | None = None
    """The point where the sender hands over."""
    label: LabelSpec | None = None
    return_label: ReturnSpec | None = None
    description: str | None = attrs.field(
        default=None,
        metadata=personal("medium", "special_category_risk", mask="drop", by_default=True)
        | bounds(min_length=1, max_length=100),
    )
    """The goods in plain words, for the whole shipment."""
    instructions: str | None = attrs.field(
        default=None, metadata=personal("high", "free_text", mask="drop", by_default=True)
    )
    """For the driver."""
    carrier_options: Mapping[CarrierCode, Json] = EMPTY
    """By carrier code; checked against the plugin's own schema, which refuses unknown keys."""
    metadata: Mapping[str, str] = attrs.field(
        default=EMPTY, metadata=personal("medium", "free_text", mask="drop", by_default=True) | VOLATILE
    )
    """The host's own; given back, never sent, no part of the fingerprint."""
