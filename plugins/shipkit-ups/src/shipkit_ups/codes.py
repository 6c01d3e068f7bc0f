"""UPS's vocabularies as tables, each with its source.

"Shipping.yaml" and the like are the files of github.com/UPS-API/api-documentation at e6f36df4da (2026). "Recorded" is
traffic of 2024 with UPS's own test server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shipkit.model import (
    DocumentFormat,
    LengthUnit,
    NotifyEvent,
    PackagingKind,
    ReturnLabelKind,
    SignatureLevel,
    WeightUnit,
)

__all__ = [
    "ADDRESS_KINDS",
    "CHARACTER_SETS",
    "DELIVERY_CONFIRMATION",
    "DOCUMENT_FORMATS",
    "EUROPEAN_UNION",
    "IMPERIAL",
    "LENGTH_UNITS",
    "NOTIFICATIONS",
    "PACKAGINGS",
    "RECOVERY_FORMATS",
    "RETURN_SERVICES",
    "SERVICES",
    "SHIP_FORMATS",
    "STATE_REQUIRED",
    "TRANSIT_SERVICES",
    "WEIGHT_UNITS",
]

# Service code: Shipping.yaml Shipment_Service.Code, Rating.yaml Shipment_Service.Code (names of the latter where both
# have one). Mail Innovations (M2..M7), Roadie (C6..C8), freight (71, 96) and Trade Direct (T0, T1) are other products
# with other requests and are left out.
SERVICES: Final[Mapping[str, str]] = {
    "01": "UPS Next Day Air",
    "02": "UPS 2nd Day Air",
    "03": "UPS Ground",
    "07": "UPS Worldwide Express",
    "08": "UPS Worldwide Expedited",
    "11": "UPS Standard",
    "12": "UPS 3 Day Select",
    "13": "UPS Next Day Air Saver",
    "14": "UPS Next Day Air Early",
    "17": "UPS Worldwide Economy DDU",
    "54": "UPS Worldwide Express Plus",
    "59": "UPS 2nd Day Air A.M.",
    "65": "UPS Saver",
    "70": "UPS Access Point Economy",
    "72": "UPS Worldwide Economy DDP",
    "74": "UPS Express 12:00",
    "75": "UPS Heavy Goods",
    "82": "UPS Today Standard",
    "83": "UPS Today Dedicated Courier",
    "84": "UPS Today Intercity",
    "85": "UPS Today Express",
    "86": "UPS Today Express Saver",
}

# Time in Transit speaks other codes than the rest. TimeInTransit.yaml lists the domestic ones; names as recorded
# (2024-01-29). What the international ones mean depends on the origin and is not in the file: they stay as sent.
TRANSIT_SERVICES: Final[Mapping[str, str]] = {
    "1DA": "01",
    "1DAS": "01",
    "2DA": "02",
    "GND": "03",
    "3DS": "12",
    "1DP": "13",
    "1DM": "14",
    "1DMS": "14",
    "2DM": "59",
}

# Shipping.yaml Package_Packaging.Code; the numbers differ between products, these are UPS parcel's.
PACKAGINGS: Final[Mapping[PackagingKind, str]] = {
    PackagingKind.CUSTOM: "02",
    PackagingKind.LETTER: "01",
    PackagingKind.TUBE: "03",
    PackagingKind.PAK: "04",
    PackagingKind.BOX: "21",
    PackagingKind.PALLET: "30",
    PackagingKind.BAG: "02",
    PackagingKind.CRATE: "02",
}

# Shipping.yaml LabelSpecification.LabelImageFormat.Code, and what may come back: labels, receipts (HTML), forms (PDF).
SHIP_FORMATS: Final[Mapping[DocumentFormat, str]] = {
    DocumentFormat.GIF: "GIF",
    DocumentFormat.ZPL: "ZPL",
    DocumentFormat.EPL: "EPL",
    DocumentFormat.SPL: "SPL",
}
# Shipping.yaml LabelRecoveryRequest_LabelSpecification: "PDF -- label is in PDF format".
RECOVERY_FORMATS: Final[Mapping[DocumentFormat, str]] = {**SHIP_FORMATS, DocumentFormat.PDF: "PDF"}
DOCUMENT_FORMATS: Final[Mapping[str, DocumentFormat]] = {
    "GIF": DocumentFormat.GIF,
    "ZPL": DocumentFormat.ZPL,
    "EPL": DocumentFormat.EPL,
    "EPL2": DocumentFormat.EPL,
    "SPL": DocumentFormat.SPL,
    "PDF": DocumentFormat.PDF,
    "PNG": DocumentFormat.PNG,
    "HTML": DocumentFormat.HTML,
    "01": DocumentFormat.HTML,
}

# Shipping.yaml Shipment_ReturnService.Code: 9 print return label, 2 print and mail, 3 one attempt of the driver.
RETURN_SERVICES: Final[Mapping[ReturnLabelKind, str]] = {
    ReturnLabelKind.PRINTED: "9",
    ReturnLabelKind.MAILED: "2",
    ReturnLabelKind.CARRIER_COLLECTS: "3",
}

# Shipping.yaml DCISType: (at the package, at the shipment). "direct" is left out: the file does not say whether a
# neighbour may sign.
DELIVERY_CONFIRMATION: Final[Mapping[SignatureLevel, tuple[str, str]]] = {
    SignatureLevel.ANY: ("2", "1"),
    SignatureLevel.ADULT: ("3", "2"),
}

# Shipping.yaml ShipmentServiceOptions_Notification.NotificationCode.
NOTIFICATIONS: Final[Mapping[NotifyEvent, str]] = {
    NotifyEvent.SHIPPED: "6",
    NotifyEvent.EXCEPTION: "7",
    NotifyEvent.DELIVERED: "8",
}

# Shipping.yaml LabelSpecification.CharacterSet: the language that stands for each character set, and Python's codec.
CHARACTER_SETS: Final[Mapping[str, str]] = {
    "eng": "latin-1",
    "pol": "iso8859-2",
    "tur": "iso8859-9",
    "rus": "iso8859-5",
}

# AddressValidation.yaml AddressClassification.Code: 1 commercial, 2 residential.
ADDRESS_KINDS: Final[Mapping[str, str]] = {"1": "business", "2": "residential"}

WEIGHT_UNITS: Final[Mapping[str, WeightUnit]] = {"LBS": WeightUnit.LB, "KGS": WeightUnit.KG, "OZS": WeightUnit.OZ}
LENGTH_UNITS: Final[Mapping[str, LengthUnit]] = {"IN": LengthUnit.IN, "CM": LengthUnit.CM}

# "The unit of measurement must be valid for the Shipper country or territory" (Shipping.yaml): pounds and inches here,
# kilograms and centimetres elsewhere.
IMPERIAL: Final = frozenset({"US", "PR", "VI"})

# Shipping.yaml, StateProvinceCode: "Required for US, Canada, and Vietnam"; Ireland: the county.
STATE_REQUIRED: Final = frozenset({"US", "CA", "VN", "IE"})

# Members of the customs union, for the demands that Shipping.yaml drops inside it.
EUROPEAN_UNION: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
