"""UPS's words for customs, as tables, each with its source.

"Shipping.yaml" is the file of github.com/UPS-API/api-documentation at e6f36df4da (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shipkit.model import CustomsPurpose, TaxIdType

__all__ = ["EXPORT_REASONS", "INCOTERMS", "TAX_ID_TYPES", "VENDOR_ID_TYPES"]

# Shipping.yaml InternationalForms.ReasonForExport ("any other reason" may follow in plain words).
EXPORT_REASONS: Final[Mapping[CustomsPurpose, str]] = {
    CustomsPurpose.SALE: "SALE",
    CustomsPurpose.GIFT: "GIFT",
    CustomsPurpose.SAMPLE: "SAMPLE",
    CustomsPurpose.RETURN: "RETURN",
    CustomsPurpose.REPAIR: "REPAIR",
    CustomsPurpose.PERSONAL_EFFECTS: "PERSONAL EFFECTS",
    CustomsPurpose.HUMANITARIAN: "HUMANITARIAN",
    CustomsPurpose.DOCUMENTS: "DOCUMENTS",
    CustomsPurpose.OTHER: "OTHER",
}

# Shipping.yaml InternationalForms.TermsOfShipment; DPU is not among them.
INCOTERMS: Final = frozenset({"CFR", "CIF", "CIP", "CPT", "DDP", "DAP", "EXW", "FAS", "FCA", "FOB"})

# Shipping.yaml TaxIdentificationNumber.IDNumberTypeCode, and ShipFrom_VendorInfo.VendorCollectIDTypeCode.
TAX_ID_TYPES: Final[Mapping[TaxIdType, str]] = {
    TaxIdType.EORI: "0002",
    TaxIdType.NATIONAL_ID: "1003",
    TaxIdType.PASSPORT: "1004",
    TaxIdType.SSN: "0005",
    TaxIdType.OTHER: "1001",
}
VENDOR_ID_TYPES: Final[Mapping[TaxIdType, str]] = {TaxIdType.IOSS: "0356", TaxIdType.VOEC: "0357"}
