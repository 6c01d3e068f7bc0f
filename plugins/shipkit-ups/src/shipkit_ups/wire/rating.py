"""Rating: RateRequest and RateResponse (Rating.yaml, version v2409)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from shipkit.model import (
    Commitment,
    IntRange,
    Message,
    Money,
    Package,
    RateQuote,
    RateRequest,
    TimeWindow,
    TransitEstimate,
    Weight,
)
from shipkit.readers import wire

from ..codes import SERVICES
from .charges import Items, NegotiatedRow, Parts, TaxRow, price_from_wire
from .common import (
    address_of,
    crosses_border,
    day,
    event_time,
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

__all__ = ["RatesReply", "quotes_from_wire", "rates_to_wire", "request_option"]

_SUB_VERSION: Final = "2409"


@wire
class ServiceRow:
    Code: str
    Description: str | None = None


@wire
class ArrivalRow:
    Date: str
    Time: str | None = None


@wire
class EstimatedArrivalRow:
    Arrival: ArrivalRow
    BusinessDaysInTransit: int | None = None


@wire
class SummaryRow:
    EstimatedArrival: EstimatedArrivalRow


@wire
class TimeInTransitRow:
    ServiceSummary: SummaryRow


@wire
class GuaranteedRow:
    BusinessDaysInTransit: int | None = None


@wire
class RatedShipmentRow:
    Service: ServiceRow
    TotalCharges: Money
    BaseServiceCharge: Money | None = None
    ItemizedCharges: Items = Items()
    RatedPackage: tuple[Parts, ...] = ()
    TaxCharges: tuple[TaxRow, ...] = ()
    TotalChargesWithTaxes: Money | None = None
    NegotiatedRateCharges: NegotiatedRow | None = None
    BillingWeight: Weight | None = None
    Zone: str | None = None
    RatedShipmentAlert: tuple[Message, ...] = ()
    GuaranteedDelivery: GuaranteedRow | None = None
    TimeInTransit: TimeInTransitRow | None = None


@wire
class RateResponse:
    RatedShipment: tuple[RatedShipmentRow, ...] = ()


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
            "Request": {"SubVersion": _SUB_VERSION},
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


def quotes_from_wire(reply: RatesReply, request: RateRequest, received_at: datetime) -> tuple[RateQuote, ...]:
    """One quote per service that was asked for."""
    refs = [package.ref for package in request.packages]
    wanted = frozenset(request.services)
    return tuple(
        _quote_from_wire(row, refs, received_at)
        for row in reply.RateResponse.RatedShipment
        if not wanted or row.Service.Code in wanted
    )


def _quote_from_wire(row: RatedShipmentRow, refs: list[str], received_at: datetime) -> RateQuote:
    price = price_from_wire(row, row.NegotiatedRateCharges, row.RatedPackage, refs)
    return RateQuote(
        service=row.Service.Code,
        service_name=row.Service.Description or SERVICES.get(row.Service.Code),
        total=price.total,
        charges=price.charges,
        tax_included=price.tax_included,
        basis=price.basis,
        list_total=price.list_total,
        transit=_transit_from_wire(row, received_at),
        billable_weight=row.BillingWeight,
        zone=row.Zone,
        messages=row.RatedShipmentAlert,
    )


def _transit_from_wire(row: RatedShipmentRow, received_at: datetime) -> TransitEstimate | None:
    guaranteed = row.GuaranteedDelivery
    days = guaranteed.BusinessDaysInTransit if guaranteed else None
    window = None
    if row.TimeInTransit is not None:
        estimate = row.TimeInTransit.ServiceSummary.EstimatedArrival
        window = TimeWindow(latest=event_time(estimate.Arrival.Date, estimate.Arrival.Time))
        days = estimate.BusinessDaysInTransit if days is None else days
    if days is None and window is None:
        return None
    return TransitEstimate(
        business_days=None if days is None else IntRange(least=days, most=days),
        window=window,
        commitment=Commitment.GUARANTEED if guaranteed else Commitment.UNKNOWN,
        computed_at=received_at,
    )
