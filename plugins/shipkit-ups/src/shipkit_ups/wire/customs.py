"""What goes with goods across a border: UPS's own invoice form, tax numbers, the vendor's collection number.

Shipping.yaml, ShipmentServiceOptions_InternationalForms, Shipment_GlobalTaxInformation, ShipFrom_VendorInfo.
"""

from __future__ import annotations

import textwrap
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from shipkit.model import (
    Charge,
    ChargeType,
    CommodityLine,
    CustomsDeclaration,
    Party,
    PartyRole,
    ShipmentRequest,
    TaxId,
    TaxIdType,
)

from ..declarations import EXPORT_REASONS, TAX_ID_TYPES, VENDOR_ID_TYPES
from .common import day, party_to_wire, plain, without_none

__all__ = ["described", "forms_to_wire", "sold_to", "taxes_to_wire", "vendor_to_wire"]

_COMMERCIAL, _PARTIAL = "01", "05"
_LINE: Final = 35

# UN/ECE Recommendation 20 to UPS's "Product Unit of Measure Codes"; that table is not in the published files, PCS and
# EA occur in their examples. Anything else is OTH with its own code as the description (Unit_UnitOfMeasurement).
_UNITS: Final = {"C62": "PCS", "H87": "PCS", "EA": "EA", "KGM": "KGS", "LBR": "LBS"}


def sold_to(request: ShipmentRequest) -> Party:
    """Who buys: the party in that role, else who receives."""
    return next((row.party for row in request.parties if row.role is PartyRole.BUYER), request.ship_to)


def forms_to_wire(request: ShipmentRequest, customs: CustomsDeclaration, *, returned: bool) -> dict[str, Any]:
    """UPS's invoice, made from the declaration; it travels without paper where account and destination allow that.

    A paper copy is asked for unless the declaration is paperless. On a return UPS knows the partial invoice only.
    """
    invoice = customs.invoice
    issued_on = invoice.issued_on if invoice else request.ship_on
    return without_none(
        FormType=[_PARTIAL if returned else _COMMERCIAL],
        Contacts={"SoldTo": party_to_wire(sold_to(request))},
        Product=[_product_to_wire(line) for line in customs.lines],
        InvoiceNumber=invoice.number if invoice else request.reference,
        InvoiceDate=day(issued_on) if issued_on else None,
        PurchaseOrderNumber=request.reference,
        TermsOfShipment=customs.incoterm.value if customs.incoterm else None,
        ReasonForExport=EXPORT_REASONS[customs.purpose],
        CurrencyCode=customs.lines[0].unit_value.currency,
        OverridePaperlessIndicator=None if customs.paperless else "Y",
        **_invoice_charges(customs.additional_charges),
    )


def described(line: CommodityLine) -> list[str]:
    """A description in lines of the form's length; more than three do not fit."""
    return textwrap.wrap(line.description, _LINE)


def _product_to_wire(line: CommodityLine) -> dict[str, Any]:
    unit = _UNITS.get(line.uom, "OTH")
    return without_none(
        Description=described(line),
        Unit={
            "Number": str(int(line.quantity)),
            "UnitOfMeasurement": without_none(Code=unit, Description=line.uom if unit == "OTH" else None),
            "Value": plain(line.unit_value.amount),
        },
        CommodityCode=line.hs_code,
        PartNumber=line.sku or line.gtin or f"{line.line}",
        OriginCountryCode=line.origin_country,
    )


def _invoice_charges(charges: tuple[Charge, ...]) -> dict[str, Any]:
    """Freight, insurance and the rest of the invoice's own charges."""
    sums: dict[str, Decimal] = {}
    for charge in charges:
        name = {ChargeType.BASE: "FreightCharges", ChargeType.INSURANCE: "InsuranceCharges"}.get(charge.type)
        name = "Discount" if charge.type is ChargeType.DISCOUNT else name or "OtherCharges"
        sums[name] = sums.get(name, Decimal(0)) + abs(charge.amount.amount)
    rows: dict[str, Any] = {
        name: {"MonetaryValue": str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))} for name, amount in sums.items()
    }
    if "OtherCharges" in rows:
        rows["OtherCharges"]["Description"] = "OTHER"
    return rows


def vendor_to_wire(request: ShipmentRequest) -> dict[str, Any] | None:
    """IOSS or VOEC: the seller's registration under which the tax was collected."""
    for tax_id in request.ship_from.tax_ids:
        if tax_id.type in VENDOR_ID_TYPES:
            return {
                "VendorCollectIDTypeCode": VENDOR_ID_TYPES[tax_id.type],
                "VendorCollectIDNumber": tax_id.value,
                "ConsigneeType": _party_type(request.ship_to),
            }
    return None


def taxes_to_wire(request: ShipmentRequest) -> dict[str, Any] | None:
    """The registered numbers of sender (role 20) and recipient (role 30)."""
    agents = [
        {"AgentRole": role, "TaxIdentificationNumber": rows}
        for role, customer_role, party in (("20", "37", request.ship_from), ("30", "18", request.ship_to))
        if (rows := [_tax_to_wire(tax, customer_role) for tax in party.tax_ids if tax.type not in VENDOR_ID_TYPES])
    ]
    if not agents:
        return None
    return {
        "ShipperTypeValue": _party_type(request.ship_from),
        "ConsigneeTypeValue": _party_type(request.ship_to),
        "AgentTaxIdentificationNumber": agents,
    }


def _tax_to_wire(tax_id: TaxId, customer_role: str) -> dict[str, Any]:
    """Role 30 takes company, personal tax and personal numbers only, so every company number is 1002."""
    kind = TAX_ID_TYPES.get(tax_id.type, "1002")
    if customer_role == "18" and kind not in {"1002", "0005"}:
        kind = "1005" if tax_id.type in (TaxIdType.NATIONAL_ID, TaxIdType.PASSPORT) else "1002"
    return without_none(
        IdentificationNumber=tax_id.value,
        IDNumberCustomerRole=customer_role,
        IDNumberEncryptionIndicator="0",
        IDNumberIssuingCntryCd=tax_id.issuer,
        IDNumberPurposeCode="02" if tax_id.type is TaxIdType.EORI else "01",
        IDNumberTypeCode=kind,
    )


def _party_type(party: Party) -> str:
    """01 business, 02 consumer."""
    return "01" if party.contact is not None and party.contact.company else "02"
