"""Rating: what is asked (Rating.yaml, RateRequest, version v2409); `quotes` reads the answer."""

from __future__ import annotations

from typing import Any, Final

from shipkit.model import Package, RateRequest

from .common import (
    address_of,
    crosses_border,
    day,
    goods_value,
    is_documents,
    measures_to_wire,
    packaging_code,
    party_to_wire,
    recipient_to_wire,
    total_weight,
    without_none,
)
from .terms import delivery_point, package_options, payment_to_wire, service_options, wants_taxes

__all__ = ["rates_to_wire", "request_option"]

_SUB_VERSION: Final = "2409"


def request_option(request: RateRequest) -> str:
    """Path segment: one service or all, with the day of arrival wherever UPS can be told what it wants for it.

    Across a border that is the value of the goods (Rating.yaml, InvoiceLineTotal).
    """
    option = "Rate" if len(request.services) == 1 else "Shop"
    timed = request.ship_on is not None and (not crosses_border(request) or request.customs is not None)
    return f"{option}timeintransit" if timed else option


def rates_to_wire(request: RateRequest, shipper_number: str) -> dict[str, Any]:
    """The account's own prices beside the published ones, for one service or for all."""
    shipper = request.account_holder or request.ship_from
    country = address_of(shipper).country
    timed = request_option(request).endswith("timeintransit")
    abroad = crosses_border(request)
    arrival = {
        "PackageBillType": "02" if is_documents(request) else "03",
        "Pickup": {"Date": day(request.ship_on)} if request.ship_on else {},
    }
    shipment = without_none(
        Shipper={**party_to_wire(shipper), "ShipperNumber": shipper_number},
        ShipTo=recipient_to_wire(request.ship_to),
        ShipFrom=party_to_wire(request.ship_from) if request.account_holder else None,
        PaymentDetails={"ShipmentCharge": payment_to_wire(request, shipper_number)},
        Service={"Code": request.services[0]} if len(request.services) == 1 else None,
        Package=[_package_to_wire(request, package, country) for package in request.packages],
        ShipmentTotalWeight=total_weight(request.packages, country) if timed and abroad else None,
        InvoiceLineTotal=goods_value(request) if abroad else None,
        DeliveryTimeInformation=arrival if timed else None,
        ShipmentServiceOptions=service_options(request),
        ShipmentRatingOptions={"NegotiatedRatesIndicator": "Y"},
        TaxInformationIndicator="Y" if wants_taxes(request) else None,
        **delivery_point(request),
    )
    own = request.carrier_options.get("ups", {})
    return {
        "RateRequest": {
            "Request": {"RequestOption": request_option(request), "SubVersion": _SUB_VERSION},
            "PickupType": {"Code": own.get("pickup_type", "01")},
            "Shipment": shipment,
        }
    }


def _package_to_wire(request: RateRequest, package: Package, country: str) -> dict[str, Any]:
    return without_none(
        PackagingType={"Code": packaging_code(package)},
        **measures_to_wire(package, country),
        PackageServiceOptions=package_options(request, package),
    )
