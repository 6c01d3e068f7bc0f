"""Time in Transit (TimeInTransit.yaml, version v1)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shipkit.model import (
    AddressKind,
    Commitment,
    IntRange,
    RateRequest,
    ServiceTransit,
    TimeWindow,
    TransitEstimate,
)
from shipkit.readers import wire

from ..codes import SERVICES, TRANSIT_SERVICES
from .common import (
    address_of,
    crosses_border,
    goods_value,
    is_documents,
    state_of,
    total_weight,
    without_none,
)
from .times import Clock, Day, event_time

__all__ = ["TransitReply", "transit_to_wire", "transits_from_wire"]

_BY_NAME: Final = {name.upper(): code for code, name in SERVICES.items()}


@wire
class ServiceRow:
    serviceLevel: str
    deliveryDate: Day
    serviceLevelDescription: str | None = None
    deliveryTime: Clock | None = None
    businessTransitDays: int | None = None
    guaranteeIndicator: str | None = None


@wire
class EmsRow:
    services: tuple[ServiceRow, ...] = ()


@wire
class TransitReply:
    emsResponse: EmsRow


def transit_to_wire(request: RateRequest) -> dict[str, Any]:
    """Origin, destination, day and weight; across a border also what the goods are worth."""
    origin, destination = address_of(request.ship_from), address_of(request.ship_to)
    weight = total_weight(request.packages, origin.country)
    value = goods_value(request) if crosses_border(request) else None
    return without_none(
        originCountryCode=origin.country,
        originStateProvince=state_of(origin),
        originCityName=origin.city,
        originPostalCode=origin.postal_code,
        destinationCountryCode=destination.country,
        destinationStateProvince=state_of(destination),
        destinationCityName=destination.city,
        destinationPostalCode=destination.postal_code,
        residentialIndicator="01" if destination.kind is AddressKind.RESIDENTIAL else "02",
        shipDate=request.ship_on.isoformat() if request.ship_on else None,
        weight=Decimal(weight["Weight"]),
        weightUnitOfMeasure=weight["UnitOfMeasurement"]["Code"],
        shipmentContentsValue=Decimal(value["MonetaryValue"]) if value else None,
        shipmentContentsCurrencyCode=value["CurrencyCode"] if value else None,
        billType="02" if is_documents(request) else "03",
        numberOfPackages=len(request.packages),
    )


def transits_from_wire(reply: TransitReply, request: RateRequest, received_at: datetime) -> tuple[ServiceTransit, ...]:
    """One estimate per service, under the code that rating and shipping use where it is known."""
    rows = [(_service(row), row) for row in reply.emsResponse.services]
    wanted = frozenset(request.services)
    return tuple(
        ServiceTransit(service=service, transit=_transit(row, received_at))
        for service, row in rows
        if not wanted or service in wanted
    )


def _service(row: ServiceRow) -> str:
    """The international codes are other ones with the same digits: those go by name, else stay recognisable."""
    name = (row.serviceLevelDescription or "").replace("®", "").upper().strip()
    return TRANSIT_SERVICES.get(row.serviceLevel) or _BY_NAME.get(name) or f"transit/{row.serviceLevel}"


def _transit(row: ServiceRow, received_at: datetime) -> TransitEstimate:
    days = row.businessTransitDays
    return TransitEstimate(
        business_days=None if days is None else IntRange(least=days, most=days),
        window=TimeWindow(latest=event_time(row.deliveryDate, row.deliveryTime)),
        commitment=Commitment.GUARANTEED if row.guaranteeIndicator == "1" else Commitment.TARGET,
        computed_at=received_at,
    )
