"""EasyPost's own words as tables, each with its source, and what they mean in the canonical model.

Sources: "npm" is @easypost/api 8.9.0, file by file under ``types/``; "recording" is a cassette of
EasyPost/easypost-python as named; "docs" is docs.easypost.com as of 2025-05.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shipkit.model import (
    AddressKind,
    ChargeType,
    CodMethod,
    CustomsPurpose,
    DocumentFormat,
    DocumentKind,
    Milestone,
    NonDelivery,
    PageFormat,
    Payer,
    PickupState,
    PolicyState,
    Reason,
    ReferenceType,
    RefundState,
    SignatureLevel,
)

__all__ = [
    "CHARGES",
    "COD_METHODS",
    "CONTENTS",
    "FORMATS",
    "FORMS",
    "INCOTERMS",
    "LABEL_FORMATS",
    "MAPPING_VERSION",
    "NON_DELIVERY",
    "PAYERS",
    "PICKUPS",
    "POLICIES",
    "PRINTED_AS",
    "RESIDENTIAL",
    "SIGNATURES",
    "SIZES",
    "STATUSES",
    "STATUS_DETAILS",
    "carrier_code",
    "carrier_name",
    "meaning",
    "refund_state",
    "service_code",
    "unmapped",
]

# Which state of the two tables below decided a mapping: year and month of their last change, and a number where there
# are more.
MAPPING_VERSION: Final = "easypost-2026.11.1"

# npm Tracker/TrackerStatus: what EasyPost says of the parcel at the time of the scan (confidence: public-doc).
STATUSES: Final[Mapping[str, tuple[Milestone | None, Reason | None]]] = {
    "unknown": (None, None),
    "pre_transit": (Milestone.ANNOUNCED, Reason.DATA_RECEIVED),
    "in_transit": (Milestone.IN_TRANSIT, None),
    "out_for_delivery": (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    "delivered": (Milestone.DELIVERED, Reason.DELIVERED),
    "available_for_pickup": (Milestone.READY_FOR_PICKUP, Reason.AWAITING_COLLECTION),
    "return_to_sender": (Milestone.RETURNING, Reason.RETURNING_TO_SENDER),
    "failure": (None, Reason.DELIVERY_EXCEPTION),
    "cancelled": (Milestone.CANCELLED, Reason.CANCELLED),
    "error": (None, Reason.ERROR),
}

# npm Tracker/TrackerStatusDetail (confidence: public-doc).
STATUS_DETAILS: Final[Mapping[str, tuple[Milestone | None, Reason | None]]] = {
    "address_correction": (None, Reason.ADDRESS_INCORRECT),
    "arrived_at_destination": (Milestone.IN_TRANSIT, Reason.ARRIVED_AT_DELIVERY_DEPOT),
    "arrived_at_facility": (Milestone.IN_TRANSIT, Reason.ARRIVED_AT_FACILITY),
    "arrived_at_pickup_location": (Milestone.READY_FOR_PICKUP, Reason.AWAITING_COLLECTION),
    "awaiting_information": (None, Reason.CONTACT_CARRIER),
    "cancelled": (Milestone.CANCELLED, Reason.CANCELLED),
    "damaged": (None, Reason.DAMAGED),
    "delayed": (None, Reason.DELAYED),
    "delivery_exception": (None, Reason.DELIVERY_EXCEPTION),
    "departed_facility": (Milestone.IN_TRANSIT, Reason.DEPARTED_FACILITY),
    "departed_origin_facility": (Milestone.IN_TRANSIT, Reason.DEPARTED_FACILITY),
    "expired": (None, Reason.TRACKING_EXPIRED),
    "failure": (None, Reason.DELIVERY_EXCEPTION),
    "held": (None, Reason.HELD_BY_CARRIER),
    "in_transit": (Milestone.IN_TRANSIT, None),
    "label_created": (Milestone.ANNOUNCED, Reason.LABEL_CREATED),
    "lost": (Milestone.LOST, Reason.LOST),
    "missorted": (None, Reason.MISSORTED),
    "out_for_delivery": (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    "received_at_destination_facility": (Milestone.IN_TRANSIT, Reason.ARRIVED_AT_DELIVERY_DEPOT),
    "received_at_origin_facility": (Milestone.ACCEPTED, Reason.RECEIVED_AT_ORIGIN),
    "refused": (Milestone.DELIVERY_ATTEMPTED, Reason.REFUSED_BY_RECIPIENT),
    "return": (Milestone.RETURNING, Reason.RETURNING_TO_SENDER),
    "status_update": (None, Reason.INFORMATION),
    "transferred_to_destination_carrier": (Milestone.IN_TRANSIT, Reason.HANDED_TO_PARTNER),
    "transit_exception": (None, Reason.DELIVERY_EXCEPTION),
    "unknown": (None, Reason.UNMAPPED),
    "weather_delay": (None, Reason.DELAYED_WEATHER),
}

# A status that says no more than "moving" or "something happened" is refined by its detail; any other one decides
# alone, since EasyPost pairs "delivered" with the detail "arrived_at_destination".
_REFINED: Final = frozenset({"unknown", "in_transit", "failure", "error"})
_SAYS_NOTHING: Final = frozenset({"", "unknown", "status_update"})


def meaning(status: str, detail: str) -> tuple[Milestone | None, Reason | None]:
    """Where the parcel is and why, as far as EasyPost's two codes say; an unknown status moves nothing.

    An unknown detail leaves the status its milestone, and is why it is counted as unmapped.
    """
    milestone, reason = STATUSES.get(status, (None, Reason.UNMAPPED if status else None))
    if detail in _SAYS_NOTHING or status not in _REFINED:
        return milestone, reason
    at, why = STATUS_DETAILS.get(detail, (None, Reason.UNMAPPED))
    return at or milestone, why or reason


def unmapped(status: str, detail: str) -> str:
    """Which of the two codes the tables do not have, the status before its detail; empty where they have both."""
    if status and status not in STATUSES:
        return status
    return f"{status}/{detail}" if detail not in _SAYS_NOTHING and detail not in STATUS_DETAILS else ""


# EasyPost's names of the carriers behind it, where a source shows one: recording test_shipment_create (USPS),
# npm Address/AddressCreateParameters (UPS, FedEx), commercelayer's API reference (DHLExpress). Any other name is kept
# as EasyPost writes it, so that it can be given back.
_CARRIERS: Final[Mapping[str, str]] = {"USPS": "usps", "UPS": "ups", "FedEx": "fedex", "DHLExpress": "dhl_express"}
_NAMES: Final[Mapping[str, str]] = {code: name for name, code in _CARRIERS.items()}


def carrier_code(name: str) -> str:
    """Our code of the carrier that EasyPost calls *name*."""
    return _CARRIERS.get(name, name)


def carrier_name(code: str) -> str:
    """EasyPost's name of the carrier that we call *code*; empty where the number is only known to be EasyPost's."""
    return "" if code in ("", "easypost") else _NAMES.get(code, code)


def service_code(carrier: str, service: str) -> str:
    """One service of one carrier behind EasyPost, such as ``usps/GroundAdvantage``."""
    return f"{carrier_code(carrier)}/{service}"


# Labels: npm Shipment/Options/LabelFormat; the media types after recording test_shipment_buy (image/png) and npm
# Shipment/PostageLabel. The others are written the same way.
LABEL_FORMATS: Final[Mapping[DocumentFormat, str]] = {
    DocumentFormat.PNG: "PNG",
    DocumentFormat.PDF: "PDF",
    DocumentFormat.ZPL: "ZPL",
    DocumentFormat.EPL: "EPL2",
}
FORMATS: Final[Mapping[str, DocumentFormat]] = {
    "image/png": DocumentFormat.PNG,
    "application/pdf": DocumentFormat.PDF,
    "application/zpl": DocumentFormat.ZPL,
    "application/epl2": DocumentFormat.EPL,
    "png": DocumentFormat.PNG,
    "pdf": DocumentFormat.PDF,
    "zpl": DocumentFormat.ZPL,
    "epl2": DocumentFormat.EPL,
    "epl": DocumentFormat.EPL,
    "gif": DocumentFormat.GIF,
    "jpg": DocumentFormat.JPG,
    "html": DocumentFormat.HTML,
}
SIZES: Final[Mapping[str, PageFormat]] = {"4x6": PageFormat.IN_4X6, "4x8": PageFormat.IN_4X8}

# npm Shipment/Form. What has no kind of its own is "other".
FORMS: Final[Mapping[str, DocumentKind]] = {
    "cn22": DocumentKind.CN22,
    "commercial_invoice": DocumentKind.COMMERCIAL_INVOICE,
    "nafta_certificate_of_origin": DocumentKind.CERTIFICATE_OF_ORIGIN,
    "return_packing_slip": DocumentKind.PACKING_LIST,
    "label_qr_code": DocumentKind.QR_CODE,
    "rma_qr_code": DocumentKind.QR_CODE,
    "cod_return_label": DocumentKind.RETURN_LABEL,
}

# npm Shipment/Options: delivery_confirmation (INDIRECT_SIGNATURE at FedEx only), cod_method, payment, incoterm.
SIGNATURES: Final[Mapping[SignatureLevel, str]] = {
    SignatureLevel.NONE: "NO_SIGNATURE",
    SignatureLevel.ANY: "INDIRECT_SIGNATURE",
    SignatureLevel.DIRECT: "SIGNATURE",
    SignatureLevel.ADULT: "ADULT_SIGNATURE",
}
COD_METHODS: Final[Mapping[CodMethod, str]] = {CodMethod.CASH: "CASH", CodMethod.CHEQUE: "CHECK"}
PAYERS: Final[Mapping[Payer, str]] = {
    Payer.SENDER: "SENDER",
    Payer.RECIPIENT: "RECEIVER",
    Payer.THIRD_PARTY: "THIRD_PARTY",
}
INCOTERMS: Final = frozenset({"EXW", "FCA", "CPT", "CIP", "DAP", "DDP", "FAS", "FOB", "CFR", "CIF"})

# npm Shipment/Options/PrintCustomCode: the codes that FedEx or UPS give to a printed number; both know PO and DP.
PRINTED_AS: Final[Mapping[ReferenceType, str]] = {
    ReferenceType.PURCHASE_ORDER: "PO",
    ReferenceType.DEPARTMENT: "DP",
    ReferenceType.RMA: "RMA",
    ReferenceType.TRANSACTION: "TN",
}

# npm Customs/CustomsInfo: contents_type, non_delivery_option.
CONTENTS: Final[Mapping[CustomsPurpose, str]] = {
    CustomsPurpose.SALE: "merchandise",
    CustomsPurpose.GIFT: "gift",
    CustomsPurpose.SAMPLE: "sample",
    CustomsPurpose.DOCUMENTS: "documents",
    CustomsPurpose.RETURN: "returned_goods",
}
NON_DELIVERY: Final[Mapping[NonDelivery, str]] = {NonDelivery.RETURN: "return", NonDelivery.ABANDON: "abandon"}

# npm Fee/FeeType: the amounts are US dollars with sub-cent precision.
CHARGES: Final[Mapping[str, ChargeType]] = {
    "PostageFee": ChargeType.BASE,
    "LabelFee": ChargeType.HANDLING,
    "InsuranceFee": ChargeType.INSURANCE,
    "TrackerFee": ChargeType.OTHER,
}

# npm Pickup/Pickup and recording test_pickup_cancel ("canceled" with one l, as the interface spells it).
PICKUPS: Final[Mapping[str, PickupState]] = {
    "unknown": PickupState.REQUESTED,
    "scheduled": PickupState.CONFIRMED,
    "canceled": PickupState.CANCELLED,
}

# npm Insurance/InsuranceStatus.
POLICIES: Final[Mapping[str, PolicyState]] = {
    "new": PolicyState.PENDING,
    "pending": PolicyState.PENDING,
    "purchased": PolicyState.ACTIVE,
    "failed": PolicyState.FAILED,
    "cancelled": PolicyState.CANCELLED,
}

# npm Address/Address: residential is true, false or null.
RESIDENTIAL: Final[Mapping[bool, AddressKind]] = {True: AddressKind.RESIDENTIAL, False: AddressKind.BUSINESS}

# npm Shipment/Shipment, refund(): "submitted" is the usual first answer and "rejected" may be asked again;
# "not_applicable" is what carriers that bill on the scan answer, however often one asks.
_REFUNDS: Final[Mapping[str, RefundState]] = {
    "submitted": RefundState.PENDING,
    "refunded": RefundState.APPROVED,
    "rejected": RefundState.REJECTED,
    "not_applicable": RefundState.EXCLUDED,
}


def refund_state(status: str | None) -> RefundState:
    """Where a refund stands; a status nobody has told us of is one that was asked for and is not decided."""
    return _REFUNDS.get(status, RefundState.PENDING) if status else RefundState.NONE
