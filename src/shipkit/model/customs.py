"""What customs must know of goods that cross a border."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal
from shipkit.model.scalars import ClosedEnum, CountryCode, Gtin, HsCode, UnitCode, Url, decimal

if TYPE_CHECKING:
    from shipkit.model.measures import Money, Weight
    from shipkit.model.places import BillingAccount, Party, Reference
    from shipkit.model.rates import Charge
    from shipkit.model.shipments import Payer

__all__ = [
    "Certification",
    "CommodityLine",
    "CustomsDeclaration",
    "CustomsForm",
    "CustomsPurpose",
    "Incoterm",
    "InvoiceKind",
    "InvoiceRef",
    "NonDelivery",
]


class CustomsPurpose(ClosedEnum):
    """Why the goods cross the border."""

    SALE = "sale"
    GIFT = "gift"
    SAMPLE = "sample"
    DOCUMENTS = "documents"
    RETURN = "return"
    REPAIR = "repair"
    PERSONAL_EFFECTS = "personal_effects"
    HUMANITARIAN = "humanitarian"
    OTHER = "other"


class Incoterm(ClosedEnum):
    """Incoterms 2020; older terms are mapped in a plugin, which says so."""

    EXW = "EXW"
    FCA = "FCA"
    CPT = "CPT"
    CIP = "CIP"
    DAP = "DAP"
    DPU = "DPU"
    DDP = "DDP"
    FAS = "FAS"
    FOB = "FOB"
    CFR = "CFR"
    CIF = "CIF"


class NonDelivery(ClosedEnum):
    """What happens to goods that cannot be delivered."""

    RETURN = "return"
    ABANDON = "abandon"
    FORWARD = "forward"


class CustomsForm(ClosedEnum):
    """Which customs form."""

    CN22 = "cn22"  # up to 300 SDR
    CN23 = "cn23"
    COMMERCIAL_INVOICE = "commercial_invoice"
    NONE = "none"


class InvoiceKind(ClosedEnum):
    """Whether the goods are sold."""

    COMMERCIAL = "commercial"
    PROFORMA = "proforma"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CommodityLine(Value):
    """Goods of one kind, for customs and for packing."""

    line: int = attrs.field(metadata=bounds(least=1))
    """Counted from 1; no two lines share it."""
    sku: str | None = attrs.field(default=None, metadata=personal("low", "free_text", mask="keep"))
    gtin: Gtin | None = attrs.field(default=None, metadata=bounds(pattern="[0-9]{8}|[0-9]{12,14}"))
    description: str = attrs.field(metadata=personal("medium", "special_category_risk", mask="drop", by_default=True))
    """Plain words: customs refuses "parts" and "gift" (ICS2)."""
    quantity: Decimal = attrs.field(converter=decimal, metadata=bounds(above=0))
    uom: UnitCode = "C62"
    """C62 is "one"; H87, "piece", means the same."""
    unit_value: Money
    net_weight: Weight | None = None
    """Of the whole line, as customs forms have it; ``unit_value`` is of one."""
    gross_weight: Weight | None = None
    hs_code: HsCode | None = attrs.field(default=None, metadata=bounds(pattern="[0-9]{6,10}"))
    """Demanded by some lanes."""
    export_hs_code: HsCode | None = attrs.field(default=None, metadata=bounds(pattern="[0-9]{6,10}"))
    """Where the country of export counts otherwise."""
    import_hs_code: HsCode | None = attrs.field(default=None, metadata=bounds(pattern="[0-9]{6,10}"))
    """Where the country of import counts otherwise."""
    origin_country: CountryCode | None = None
    """Where it was made."""
    manufacturer: Party | None = None
    export_control: str | None = None
    """The ECCN, or the position in a control list."""
    license: str | None = attrs.field(default=None, metadata=personal("low", "free_text", mask="keep"))
    url: Url | None = attrs.field(
        default=None, metadata=personal("medium", "special_category_risk", mask="drop", by_default=True)
    )
    """The product's page, for carriers that ask for it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InvoiceRef(Value):
    """The seller's invoice that goes with the goods."""

    number: str = attrs.field(
        metadata=personal("medium", "free_text", mask="hash", by_default=True) | bounds(min_length=1, max_length=50)
    )
    issued_on: date
    kind: InvoiceKind = InvoiceKind.COMMERCIAL


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Certification(Value):
    """Who signs the declaration."""

    signer: str = attrs.field(metadata=personal("high", "identity", mask="initials", by_default=True))
    place: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    signed_on: date | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CustomsDeclaration(Value):
    """What customs must know. Roles stand in the request's ``parties``, numbers in the parties' ``tax_ids``."""

    purpose: CustomsPurpose
    lines: tuple[CommodityLine, ...] = attrs.field(metadata=bounds(min_items=1, unique="line"))
    """Their sums agree with the contents of the packages."""
    incoterm: Incoterm | None = None
    incoterm_place: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    duties_payer: Payer | None = None
    duties_account: BillingAccount | None = None
    """Whose account, where a third party pays."""
    invoice: InvoiceRef | None = None
    additional_charges: tuple[Charge, ...] = ()
    """Freight, insurance, packing."""
    non_delivery: NonDelivery = NonDelivery.RETURN
    certify: Certification | None = None
    export_refs: tuple[Reference, ...] = ()
    """Numbers of the export: MRN, AES ITN, B13A, EEL/PFC."""
    paperless: bool | None = None
    """Whether the carrier passes the invoice on electronically."""
    form: CustomsForm | None = None
    """Chosen by value and carrier where it is not given."""
