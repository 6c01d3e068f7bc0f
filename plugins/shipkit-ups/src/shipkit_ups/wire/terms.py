"""What a price and a booking have in common: options, the point of delivery, who pays.

Rating.yaml and Shipping.yaml spell these alike (ShipmentServiceOptions, PackageServiceOptions, ShipmentCharge).
"""

from __future__ import annotations

from typing import Any

from shipkit.model import (
    BillingAccount,
    Money,
    Option,
    OptionCode,
    Package,
    Payer,
    RateRequest,
    ServicePointRef,
    ShipmentRequest,
    SignatureLevel,
)

from ..codes import DELIVERY_CONFIRMATION, EUROPEAN_UNION
from .common import address_of, address_to_wire, lane_of, plain, without_none

__all__ = [
    "collection_point",
    "delivery_point",
    "money_to_wire",
    "package_options",
    "payment_to_wire",
    "service_options",
    "signed_per_package",
    "wants_taxes",
]

_PRESENT = "Y"  # the value of an indicator is ignored


def money_to_wire(amount: Money) -> dict[str, str]:
    return {"CurrencyCode": amount.currency, "MonetaryValue": plain(amount.amount)}


def signed_per_package(request: RateRequest | ShipmentRequest) -> bool:
    """Within the US and Puerto Rico each package is confirmed, elsewhere the shipment.

    UPS's table of origins and destinations is not in the published files; these pairs are what they say of the
    neighbouring fields (PackageServiceOptions: ShipperReleaseIndicator, COD).
    """
    return set(lane_of(request)) <= {"US", "PR"}


def wants_taxes(request: RateRequest | ShipmentRequest) -> bool:
    """Whether the host asked for prices with taxes (``carrier_options``)."""
    return bool(request.carrier_options.get("ups", {}).get("taxes"))


def _wanted(request: RateRequest | ShipmentRequest) -> dict[OptionCode, Option]:
    return {option.code: option for option in request.options if not option.package_refs}


def service_options(request: RateRequest | ShipmentRequest) -> dict[str, Any]:
    """ShipmentServiceOptions: what holds for all packages."""
    wanted = _wanted(request)
    indicators = {
        "SaturdayDeliveryIndicator": OptionCode.SATURDAY_DELIVERY,
        "UPScarbonneutralIndicator": OptionCode.CARBON_NEUTRAL,
        "DirectDeliveryOnlyIndicator": OptionCode.DIRECT_DELIVERY_ONLY,
    }
    options: dict[str, Any] = {name: _PRESENT for name, code in indicators.items() if code in wanted}
    signature = wanted[OptionCode.SIGNATURE].value if OptionCode.SIGNATURE in wanted else None
    if isinstance(signature, SignatureLevel) and signature in DELIVERY_CONFIRMATION and not signed_per_package(request):
        options["DeliveryConfirmation"] = {"DCISType": DELIVERY_CONFIRMATION[signature][1]}
    return options


def package_options(request: RateRequest | ShipmentRequest, package: Package) -> dict[str, Any]:
    """PackageServiceOptions: what holds for one package, named or as one of all."""
    options: dict[str, Any] = {}
    for option in request.options:
        if option.package_refs and package.ref not in option.package_refs:
            continue
        if option.code is OptionCode.INSURANCE and isinstance(option.value, Money):
            options["DeclaredValue"] = money_to_wire(option.value)
        if option.code is OptionCode.SIGNATURE and signed_per_package(request):
            if option.value is SignatureLevel.NONE:
                options["ShipperReleaseIndicator"] = _PRESENT
            elif isinstance(option.value, SignatureLevel) and option.value in DELIVERY_CONFIRMATION:
                options["DeliveryConfirmation"] = {"DCISType": DELIVERY_CONFIRMATION[option.value][0]}
    return options


def collection_point(request: RateRequest | ShipmentRequest) -> tuple[str, ServicePointRef] | None:
    """Indication and point: 02 delivery to a UPS Access Point, 01 kept there for collection."""
    if request.service_point is not None:
        return "02", request.service_point
    for option in request.options:
        if option.code is OptionCode.HOLD_AT_LOCATION and isinstance(option.value, ServicePointRef):
            return "01", option.value
    return None


def delivery_point(request: RateRequest | ShipmentRequest) -> dict[str, Any]:
    """The members that send the parcels to a UPS Access Point."""
    found = collection_point(request)
    if found is None:
        return {}
    indication, point = found
    contact = request.ship_to.contact
    address = point.address or address_of(request.ship_to)
    return {
        "ShipmentIndicationType": [{"Code": indication}],
        "AlternateDeliveryAddress": without_none(
            Name=point.name or point.id,
            AttentionName=(contact.name or contact.company) if contact else None,
            UPSAccessPointID=point.id,
            Address=address_to_wire(address),
        ),
    }


def payment_to_wire(request: RateRequest | ShipmentRequest, shipper_number: str) -> list[dict[str, Any]]:
    """ShipmentCharge: 01 carriage, 02 duties and taxes (the receiver pays those unless it is said)."""
    payer, account = Payer.SENDER, None
    if request.payment is not None:
        payer, account = request.payment.payer, request.payment.account
    rows = [{"Type": "01", **_bill(payer, account, shipper_number)}]
    customs = request.customs
    payer_of_duties = customs.duties_payer if customs is not None and _has_duties(request) else None
    if customs is not None and payer_of_duties not in (None, Payer.RECIPIENT):
        rows.append({"Type": "02", **_bill(payer_of_duties, customs.duties_account, shipper_number)})
    return rows


def _has_duties(request: RateRequest | ShipmentRequest) -> bool:
    """Type 02 "is invalid for Qualified Domestic Shipments": one country, US and PR, inside the EU (Shipping.yaml)."""
    lane = set(lane_of(request))
    return len(lane) > 1 and not lane <= {"US", "PR"} and not lane <= EUROPEAN_UNION


def _bill(payer: Payer, account: BillingAccount | None, shipper_number: str) -> dict[str, Any]:
    if payer is Payer.SENDER or account is None:
        return {"BillShipper": {"AccountNumber": shipper_number}}
    address = without_none(PostalCode=account.postal_code, CountryCode=account.country)
    if payer is Payer.RECIPIENT:
        address.pop("CountryCode", None)
    kind = "BillReceiver" if payer is Payer.RECIPIENT else "BillThirdParty"
    return {kind: without_none(AccountNumber=account.number, Address=address)}
