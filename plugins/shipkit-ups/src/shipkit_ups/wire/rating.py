"""Rating: RateRequest and RateResponse (Rating.yaml, version v2409)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shipkit.flow import Response
from shipkit.model import (
    Commitment,
    IntRange,
    Package,
    RateQuote,
    RateRequest,
    TimeWindow,
    TransitEstimate,
)
from shipkit.readers import wire

from ..codes import SERVICES
from .charges import bill_from_wire
from .common import (
    address_of,
    crosses_border,
    day,
    each,
    goods_value,
    is_documents,
    listed,
    measures_to_wire,
    message_from_wire,
    packaging_code,
    party_to_wire,
    reader,
    recipient_to_wire,
    total_weight,
    weight_from_wire,
    without_none,
)
from .terms import delivery_point, package_options, payment_to_wire, service_options, wants_taxes
from .times import clock_from_wire, day_from_wire, event_time

__all__ = ["quotes_from_wire", "rates_to_wire", "request_option"]

_SUB_VERSION: Final = "2409"


@wire
class RateResponse:
    RatedShipment: tuple[Any, ...] = ()


@wire
class RatesReply:
    RateResponse: RateResponse


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


def quotes_from_wire(request: RateRequest, response: Response) -> tuple[RateQuote, ...]:
    """One quote per service that was asked for.

    Raises:
        ReplyError: a price cannot be read.
    """
    refs = [package.ref for package in request.packages]

    def quote(row: Mapping[str, Any]) -> RateQuote:
        return _quote_from_wire(row, refs, response.received_at)

    rows = reader.read(response, RatesReply).RateResponse.RatedShipment
    quotes = each(response, quote, rows, "$.RateResponse.RatedShipment")
    return tuple([quote for quote in quotes if not request.services or quote.service in request.services])


def _quote_from_wire(row: Mapping[str, Any], refs: list[str], received_at: datetime) -> RateQuote:
    service, weight = row["Service"], row.get("BillingWeight")
    code, notices = service["Code"], row.get("RatedShipmentAlert")
    if not code:
        raise ValueError("a price of no service")
    bill = bill_from_wire(row, row.get("NegotiatedRateCharges"), row.get("RatedPackage"), refs)
    return RateQuote(
        service=code,
        service_name=service.get("Description") or SERVICES.get(code),
        total=bill.total,
        charges=bill.charges,
        tax_included=bill.tax_included,
        basis=bill.basis,
        list_total=bill.list_total,
        transit=_transit_from_wire(row, received_at),
        billable_weight=weight_from_wire(weight) if weight else None,
        zone=row.get("Zone") or None,
        messages=tuple([message_from_wire(notice) for notice in listed(notices)]) if notices else (),
    )


def _transit_from_wire(row: Mapping[str, Any], received_at: datetime) -> TransitEstimate | None:
    promise, timed = row.get("GuaranteedDelivery"), row.get("TimeInTransit")
    if not promise and not timed:
        return None
    estimate = timed["ServiceSummary"]["EstimatedArrival"] if timed else {}
    days = (promise or {}).get("BusinessDaysInTransit") or estimate.get("BusinessDaysInTransit")
    arrival = estimate.get("Arrival") or {}
    window = None
    if arrival.get("Date"):
        at = clock_from_wire(arrival["Time"]) if arrival.get("Time") else None
        window = TimeWindow(latest=event_time(day_from_wire(arrival["Date"]), at))
    return TransitEstimate(
        business_days=IntRange(least=int(days), most=int(days)) if days else None,
        window=window,
        commitment=Commitment.GUARANTEED if promise else Commitment.UNKNOWN,
        computed_at=received_at,
    )
