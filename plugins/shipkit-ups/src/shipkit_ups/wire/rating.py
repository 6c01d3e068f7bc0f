"""Rating: RateRequest and RateResponse (Rating.yaml, version v2409)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from shipkit.model import (
    Commitment,
    IntRange,
    Message,
    Package,
    RateQuote,
    RateRequest,
    TimeWindow,
    TransitEstimate,
    Weight,
)
from shipkit.readers import wire

from ..codes import SERVICES
from .charges import Bill, Parts, bill_from_wire, charges_from_wire, parts_from_wire
from .common import (
    address_of,
    crosses_border,
    day,
    event_time,
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

__all__ = ["RatesReply", "quotes_from_wire", "rates_to_wire", "request_option"]

_SUB_VERSION: Final = "2409"


class Rated(NamedTuple):
    """One service's price and promise; read in one go, for it recurs more often than anything else UPS says."""

    service: str
    name: str | None
    bill: Bill
    packages: Sequence[Parts]
    weight: Weight | None
    zone: str | None
    notices: tuple[Message, ...]
    guaranteed: bool
    days: int | None
    arrives_on: str | None
    arrives_at: str | None


@reader.hook(Rated)
def rated_from_wire(row: Mapping[str, Any]) -> Rated:
    service, weight = row["Service"], row.get("BillingWeight")
    promise, timed = row.get("GuaranteedDelivery") or {}, row.get("TimeInTransit") or {}
    estimate = timed["ServiceSummary"]["EstimatedArrival"] if timed else {}
    arrival = estimate.get("Arrival") or {}
    days = promise.get("BusinessDaysInTransit") or estimate.get("BusinessDaysInTransit")
    return Rated(
        service=service["Code"],
        name=service.get("Description") or None,
        bill=bill_from_wire(row, row.get("NegotiatedRateCharges")),
        packages=[parts_from_wire(package) for package in listed(row.get("RatedPackage"))],
        weight=weight_from_wire(weight) if weight else None,
        zone=row.get("Zone") or None,
        notices=tuple([message_from_wire(notice) for notice in listed(row.get("RatedShipmentAlert"))]),
        guaranteed=bool(promise),
        days=int(days) if days else None,
        arrives_on=arrival.get("Date") or None,
        arrives_at=arrival.get("Time") or None,
    )


@wire
class RateResponse:
    RatedShipment: tuple[Rated, ...] = ()


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


def quotes_from_wire(reply: RatesReply, request: RateRequest, received_at: datetime) -> tuple[RateQuote, ...]:
    """One quote per service that was asked for."""
    refs = [package.ref for package in request.packages]
    return tuple(
        [
            _quote_from_wire(row, refs, received_at)
            for row in reply.RateResponse.RatedShipment
            if not request.services or row.service in request.services
        ]
    )


def _quote_from_wire(row: Rated, refs: list[str], received_at: datetime) -> RateQuote:
    bill = row.bill
    return RateQuote(
        service=row.service,
        service_name=row.name or SERVICES.get(row.service),
        total=bill.total,
        charges=charges_from_wire(bill, row.packages, refs),
        tax_included=bill.tax_included,
        basis=bill.basis,
        list_total=bill.list_total,
        transit=_transit_from_wire(row, received_at),
        billable_weight=row.weight,
        zone=row.zone,
        messages=row.notices,
    )


def _transit_from_wire(row: Rated, received_at: datetime) -> TransitEstimate | None:
    if row.days is None and row.arrives_on is None:
        return None
    return TransitEstimate(
        business_days=None if row.days is None else IntRange(least=row.days, most=row.days),
        window=TimeWindow(latest=event_time(row.arrives_on, row.arrives_at)) if row.arrives_on else None,
        commitment=Commitment.GUARANTEED if row.guaranteed else Commitment.UNKNOWN,
        computed_at=received_at,
    )
