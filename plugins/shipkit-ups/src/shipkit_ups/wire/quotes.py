"""Rating: what is answered (Rating.yaml, RateResponse, version v2409), and what the answer needs to be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shipkit.flow import Response
from shipkit.model import Commitment, IntRange, RateQuote, RateRequest, TimeWindow, TransitEstimate
from shipkit.readers import wire

from ..codes import SERVICES
from .charges import bill_from_wire
from .common import each, listed, message_from_wire, reader, weight_from_wire
from .times import clock_from_wire, day_from_wire, event_time

__all__ = ["quotes_from_wire"]


@wire
class RateResponse:
    RatedShipment: tuple[Any, ...] = ()


@wire
class RatesReply:
    RateResponse: RateResponse


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
