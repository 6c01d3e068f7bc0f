"""A shipment before it is bought: what is to be sent, from where to where, and how."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Any

from shipkit.model import (
    CashOnDelivery,
    Dimensions,
    Handling,
    Length,
    LengthUnit,
    Option,
    OptionCode,
    Package,
    PartyRole,
    Payer,
    Payment,
    RateRequest,
    Reference,
    ReferenceType,
    ShipmentRequest,
    SignatureLevel,
    Weight,
    WeightUnit,
)

from .. import codes
from .common import party_to_wire
from .customs import customs_to_wire, tax_identifiers_to_wire

__all__ = ["draft_to_wire", "inches", "ounces"]

OPTIONS_OF_OURS = "easypost"


def draft_to_wire(
    request: RateRequest | ShipmentRequest, *, returning: bool = False, authorization: str | None = None
) -> dict[str, object]:
    """The body of ``POST /shipments`` for one parcel.

    The ledger's mark goes into ``reference``, which ``GET /shipments`` shows again; the host's own number is printed.
    A return keeps the addresses of the way out: "a Shipment with is_return: true actually ships to the listed From
    Address" (npm Insurance/Insurance).
    """
    package = request.packages[0]
    start, end = (request.ship_to, request.ship_from) if returning else (request.ship_from, request.ship_to)
    shipment: dict[str, object] = {
        "from_address": party_to_wire(start),
        "to_address": party_to_wire(end),
        "parcel": _parcel_to_wire(package),
        "options": _options_to_wire(request, package, authorization),
    }
    if returning:
        shipment["is_return"] = True
    if request.return_to is not None:
        shipment["return_address"] = party_to_wire(request.return_to)
    for party in request.parties:
        if party.role is PartyRole.BUYER:
            shipment["buyer_address"] = party_to_wire(party.party)
    if isinstance(request, ShipmentRequest) and request.mark:
        shipment["reference"] = request.mark
    if request.customs is not None:
        shipment["customs_info"] = customs_to_wire(request.customs)
    if taxes := tax_identifiers_to_wire(start, end):
        shipment["tax_identifiers"] = taxes
    if accounts := carrier_options(request).get("carrier_accounts"):
        shipment["carrier_accounts"] = list(accounts)
    return {"shipment": {name: value for name, value in shipment.items() if value not in ({}, [])}}


def carrier_options(request: RateRequest | ShipmentRequest) -> Any:
    """What the host gave for EasyPost alone."""
    return request.carrier_options.get(OPTIONS_OF_OURS) or {}


def ounces(weight: Weight) -> Decimal:
    """EasyPost takes ounces with one decimal (npm Parcel/Parcel); rounded up, so that nothing is declared too light."""
    return weight.to(WeightUnit.OZ, ROUND_CEILING, "0.1")


def inches(length: Length) -> Decimal:
    """EasyPost takes inches with one decimal (npm Parcel/Parcel); rounded up."""
    return length.to(LengthUnit.IN, ROUND_CEILING, "0.1")


def _parcel_to_wire(package: Package) -> dict[str, object]:
    parcel: dict[str, object] = {"weight": ounces(package.weight)}
    if package.dimensions is not None:
        parcel |= _sides_to_wire(package.dimensions)
    if package.packaging_code:
        parcel["predefined_package"] = package.packaging_code
    return parcel


def _sides_to_wire(size: Dimensions) -> dict[str, object]:
    width, height = size.width or size.diameter, size.height or size.diameter
    if width is None or height is None:
        return {}
    return {"length": inches(size.length), "width": inches(width), "height": inches(height)}


def _options_to_wire(
    request: RateRequest | ShipmentRequest, package: Package, authorization: str | None
) -> dict[str, object]:
    options: dict[str, object] = {}
    for option in request.options:
        options |= _option_to_wire(option)
    if request.ship_on is not None:
        options["label_date"] = _noon(request.ship_on)
    if Handling.NON_MACHINABLE in package.handling:
        options["machinable"] = False
    if Handling.ALCOHOL in package.handling:
        options["alcohol"] = True
    options |= _payment_to_wire(request.payment)
    options |= _duties_to_wire(request)
    if isinstance(request, RateRequest):
        if request.currency:
            options["currency"] = request.currency
    else:
        options |= _label_to_wire(request, package, authorization)
    return {**options, **(carrier_options(request).get("options") or {})}


def _noon(day: date) -> str:
    # label_date wants an offset; noon in UTC is the same calendar day from Hawaii to Sydney.
    return f"{day.isoformat()}T12:00:00Z"


def _option_to_wire(option: Option) -> dict[str, object]:
    value = option.value
    if option.code is OptionCode.SIGNATURE and isinstance(value, SignatureLevel):
        return {"delivery_confirmation": codes.SIGNATURES[value]}
    if option.code is OptionCode.COD and isinstance(value, CashOnDelivery):
        cod: dict[str, object] = {"cod_amount": str(value.amount.amount)}
        return cod | ({"cod_method": codes.COD_METHODS[value.method]} if value.method in codes.COD_METHODS else {})
    flags = {
        OptionCode.SATURDAY_DELIVERY: "saturday_delivery",
        OptionCode.CARBON_NEUTRAL: "carbon_neutral",
        OptionCode.HOLD_AT_LOCATION: "hold_for_pickup",
    }
    return {flags[option.code]: True} if option.code in flags else {}


def _payment_to_wire(payment: Payment | None) -> dict[str, object]:
    if payment is None or payment.payer is Payer.SENDER or payment.account is None:
        return {}
    return {"payment": _billed_to(payment.payer, payment.account)}


def _duties_to_wire(request: RateRequest | ShipmentRequest) -> dict[str, object]:
    customs = request.customs
    if customs is None:
        return {}
    options: dict[str, object] = {"incoterm": customs.incoterm.value} if customs.incoterm is not None else {}
    if customs.duties_payer not in (None, Payer.SENDER) and customs.duties_account is not None:
        options["duty_payment"] = _billed_to(customs.duties_payer, customs.duties_account)
    if customs.invoice is not None:
        options["invoice_number"] = customs.invoice.number
    return options


def _billed_to(payer: Payer, account: Any) -> dict[str, str]:
    fields = {
        "type": codes.PAYERS[payer],
        "account": account.number,
        "country": account.country,
        "postal_code": account.postal_code,
    }
    return {name: value for name, value in fields.items() if value}


def _label_to_wire(request: ShipmentRequest, package: Package, authorization: str | None) -> dict[str, object]:
    options: dict[str, object] = {}
    if request.label is not None and request.label.format is not None:
        form = request.label.format
        options["label_format"] = codes.LABEL_FORMATS.get(form, form.value.upper())
    if request.description or package.description:
        options["content_description"] = request.description or package.description
    if request.instructions:
        options["handling_instructions"] = request.instructions
    further = [Reference(type=ReferenceType.RMA, value=authorization)] if authorization else []
    return options | _printed([*further, *request.references, *package.references], request.reference)


def _printed(references: Iterable[Reference], own: str) -> dict[str, object]:
    """The host's number and two more are printed on the label, an invoice number in a field of its own."""
    options: dict[str, object] = {"print_custom_1": own}
    slot = 2
    for reference in references:
        if reference.type is ReferenceType.INVOICE:
            options["invoice_number"] = reference.value
            continue
        options[f"print_custom_{slot}"] = reference.value
        if reference.type in codes.PRINTED_AS:
            options[f"print_custom_{slot}_code"] = codes.PRINTED_AS[reference.type]
        if reference.barcode:
            options[f"print_custom_{slot}_barcode"] = True
        slot += 1
    return options
