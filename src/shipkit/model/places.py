"""Where things go and who stands there: addresses, contacts, parties, typed numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds, personal
from shipkit.model.scalars import EMPTY, ClosedEnum, CountryCode, LanguageTag, ScriptCode

if TYPE_CHECKING:
    from shipkit.model.measures import GeoPoint

__all__ = [
    "AccessInfo",
    "Address",
    "AddressKind",
    "AddressSpecial",
    "AddressText",
    "BillingAccount",
    "Contact",
    "Party",
    "PartyInRole",
    "PartyRole",
    "Reference",
    "ReferenceType",
    "ServicePointRef",
    "TaxId",
    "TaxIdType",
    "Tristate",
]


class AddressKind(ClosedEnum):
    """What stands at an address."""

    UNKNOWN = "unknown"
    RESIDENTIAL = "residential"
    BUSINESS = "business"


class Tristate(ClosedEnum):
    """Yes, no, or not said."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"


class AddressSpecial(ClosedEnum):
    """Kinds of addresses that carriers treat apart."""

    NONE = "none"
    MILITARY = "military"
    LOCKER = "locker"
    POST_OFFICE = "post_office"
    SERVICE_POINT = "service_point"


class TaxIdType(ClosedEnum):
    """The register that issued a number."""

    VAT = "vat"
    EORI = "eori"
    IOSS = "ioss"
    VOEC = "voec"
    OSS = "oss"
    GST = "gst"
    EIN = "ein"
    SSN = "ssn"
    TIN = "tin"
    ABN = "abn"
    PAN = "pan"
    CPF = "cpf"
    CNPJ = "cnpj"
    PCCC = "pccc"
    PASSPORT = "passport"
    UKIMS = "ukims"
    NATIONAL_ID = "national_id"
    OTHER = "other"


class PartyRole(ClosedEnum):
    """Roles at customs and in billing; the ends of the journey have fields of their own."""

    IMPORTER_OF_RECORD = "importer_of_record"
    EXPORTER_OF_RECORD = "exporter_of_record"
    BUYER = "buyer"
    SELLER = "seller"
    ULTIMATE_CONSIGNEE = "ultimate_consignee"
    PRODUCER = "producer"
    FORWARDING_AGENT = "forwarding_agent"
    BROKER = "broker"
    PAYER = "payer"
    NOTIFY = "notify"


class ReferenceType(ClosedEnum):
    """What a reference number refers to."""

    ORDER = "order"
    PURCHASE_ORDER = "purchase_order"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    DEPARTMENT = "department"
    RMA = "rma"
    PICKING = "picking"
    DELIVERY_NOTE = "delivery_note"
    TRANSACTION = "transaction"
    SSCC = "sscc"
    EXTERNAL = "external"
    OTHER = "other"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AddressText(Value):
    """The printed part of an address in another script."""

    lines: tuple[str, ...] = attrs.field(
        metadata=personal("high", "location", mask="keep_first_2", by_default=True)
        | bounds(min_items=1, max_items=4, min_length=1, max_length=100)
    )
    city: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    region: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    dependent_locality: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="drop", by_default=True)
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AccessInfo(Value):
    """How to get to the door."""

    door_codes: tuple[str, ...] = attrs.field(
        default=(), metadata=personal("critical", "secret", mask="drop", by_default=True) | bounds(max_items=2)
    )
    intercom: str | None = attrs.field(
        default=None, metadata=personal("critical", "secret", mask="drop", by_default=True)
    )
    """The name or number to ring at."""
    floor: str | None = attrs.field(default=None, metadata=personal("medium", "location", mask="drop", by_default=True))
    building: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="drop", by_default=True)
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Address(Value):
    """A postal address."""

    lines: tuple[str, ...] = attrs.field(
        metadata=personal("high", "location", mask="keep_first_2", by_default=True)
        | bounds(max_items=4, min_length=1, max_length=100)
    )
    """What is printed above the town; empty only beside a service point."""
    postal_code: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="keep_first_3", by_default=True)
    )
    """As typed; compared without blanks and in upper case."""
    city: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    """Absent only where the country has none."""
    region: str | None = attrs.field(default=None, metadata=personal("low", "location", mask="keep"))
    """The ISO 3166-2 subdivision without the country's prefix, or the name where there is no code."""
    country: CountryCode
    house_number: str | None = attrs.field(
        default=None, metadata=personal("high", "location", mask="drop", by_default=True)
    )
    """Split out for carriers that demand it; the lines stay what counts."""
    unit: str | None = attrs.field(default=None, metadata=personal("high", "location", mask="drop", by_default=True))
    """A flat, floor or suite."""
    dependent_locality: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="drop", by_default=True)
    )
    """A district, suburb, colonia or urbanizacion."""
    script: ScriptCode = "Latn"
    """The script of the lines."""
    localized: Mapping[ScriptCode, AddressText] = EMPTY
    """The same address in other scripts, for carriers that cannot print the first."""
    kind: AddressKind = AddressKind.UNKNOWN
    """Three-valued, because a guess costs money."""
    po_box: Tristate = Tristate.UNKNOWN
    special: AddressSpecial = AddressSpecial.NONE
    geo: GeoPoint | None = attrs.field(
        default=None, metadata=personal("high", "location", mask="round_1", by_default=True)
    )
    access: AccessInfo | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Contact(Value):
    """A person or a desk: a name, a company, or both."""

    name: str | None = attrs.field(
        default=None, metadata=personal("high", "identity", mask="initials", by_default=True)
    )
    company: str | None = attrs.field(default=None, metadata=personal("low", "identity", mask="keep"))
    """Sole traders are persons: a host may mask it."""
    phone: str | None = attrs.field(
        default=None, metadata=personal("high", "contact", mask="keep_last_2", by_default=True)
    )
    """As typed, in E.164 where the host has it; never invented."""
    email: str | None = attrs.field(default=None, metadata=personal("high", "contact", mask="mail", by_default=True))
    language: LanguageTag | None = None
    """For notifications."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TaxId(Value):
    """A number in a fiscal or customs register."""

    type: TaxIdType
    value: str = attrs.field(metadata=personal("high", "identity", mask="keep_last_2", by_default=True))
    """Without blanks, in upper case."""
    issuer: CountryCode | None = None
    """The country of the register; needed for VAT, EORI and national numbers."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Party(Value):
    """Who stands at one end: an address, a contact, tax numbers."""

    address: Address | None = attrs.field(default=None, metadata=bounds(needed=True))
    contact: Contact | None = attrs.field(default=None, metadata=bounds(needed=True))
    tax_ids: tuple[TaxId, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PartyInRole(Value):
    """A party that is neither end of the journey."""

    role: PartyRole
    party: Party


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reference(Value):
    """A typed number that the carrier prints or gives back."""

    type: ReferenceType
    value: str = attrs.field(
        metadata=personal("medium", "free_text", mask="hash", by_default=True) | bounds(min_length=1, max_length=70)
    )
    """Carriers take less than we do: see the field rules of their facts."""
    barcode: bool = False
    """Printed as a bar code where the carrier can."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BillingAccount(Value):
    """Somebody's account number at the carrier. The host's own credentials are configuration, not data."""

    number: str = attrs.field(metadata=personal("high", "secret", mask="keep_last_3", by_default=True))
    postal_code: str | None = attrs.field(
        default=None, metadata=personal("medium", "location", mask="keep_first_3", by_default=True)
    )
    """Of the account holder."""
    country: CountryCode | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServicePointRef(Value):
    """A drop-off or collection place that was chosen."""

    id: str
    """The carrier's; unique per country and network at most."""
    country: CountryCode
    name: str | None = None
    """Printed where the carrier wants it."""
    address: Address | None = None
    """Some carriers want it beside the id."""
