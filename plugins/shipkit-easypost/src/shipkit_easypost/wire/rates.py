"""Prices and expected arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from shipkit.model import (
    Commitment,
    IntRange,
    Message,
    Money,
    NoticeCode,
    NoticeLevel,
    PriceBasis,
    RateQuote,
    ServiceTransit,
    TimeWindow,
    TransitEstimate,
)
from shipkit.readers import wire

from .. import codes
from .common import MessageRow, carrier_time, filled

__all__ = ["RateRow", "RatesReply", "SmartRates", "quotes_from_wire", "transit_from_wire", "transits_from_wire"]


@wire
class TimeInTransit:
    """Business days within which a share of parcels arrived, from EasyPost's history of the lane (docs smartrate)."""

    percentile_50: int | None = None
    percentile_75: int | None = None
    percentile_85: int | None = None
    percentile_90: int | None = None
    percentile_95: int | None = None
    percentile_97: int | None = None
    percentile_99: int | None = None


@wire
class RateRow:
    """One carrier's price; ``id`` is missing where rates are asked for without a shipment."""

    service: str = attrs.field(validator=filled)
    carrier: str = attrs.field(validator=filled)
    rate: Decimal
    currency: str = attrs.field(validator=filled)
    id: str | None = None
    list_rate: Decimal | None = None
    list_currency: str | None = None
    retail_rate: Decimal | None = None
    retail_currency: str | None = None
    delivery_days: int | None = None
    delivery_date: str | None = None
    delivery_date_guaranteed: bool | None = None
    time_in_transit: TimeInTransit | None = None


@wire
class RatesReply:
    id: str = attrs.field(validator=filled)
    rates: tuple[RateRow, ...]
    messages: tuple[MessageRow, ...] = ()
    usps_zone: str | None = None


@wire
class SmartRates:
    result: tuple[RateRow, ...]


def quotes_from_wire(reply: RatesReply, services: tuple[str, ...], received_at: datetime) -> Iterator[RateQuote]:
    """One quote per rate; what the account's other carriers complained of goes with each, since each travels alone."""
    wanted = {service.lower() for service in services}
    complaints = tuple(_complaint(row) for row in reply.messages)
    for row in reply.rates:
        service = codes.service_code(row.carrier, row.service)
        if wanted and service.lower() not in wanted:
            continue
        yield RateQuote(
            service=service,
            service_name=row.service,
            total=Money(row.rate, row.currency),
            basis=PriceBasis.NEGOTIATED,
            list_total=_money(row.list_rate, row.list_currency),
            retail_total=_money(row.retail_rate, row.retail_currency),
            quote_id=f"{reply.id}/{row.id}" if row.id else None,
            transit=transit_from_wire(row, received_at),
            zone=reply.usps_zone if row.carrier == "USPS" else None,
            messages=complaints,
        )


def _complaint(row: MessageRow) -> Message:
    text = ": ".join(part for part in (row.carrier, row.message) if part)
    return Message(level=NoticeLevel.WARNING, code=NoticeCode.PARTIAL_ANSWER, carrier_code=row.type or None, text=text)


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return Money(amount, currency) if amount is not None and currency else None


def transit_from_wire(row: RateRow, received_at: datetime) -> TransitEstimate | None:
    """The carrier's days and date; whether the offset of that date is the destination's is not said anywhere."""
    if row.delivery_days is None and not row.delivery_date:
        return None
    latest = carrier_time(row.delivery_date, known=False) if row.delivery_date else None
    return TransitEstimate(
        business_days=_days(row.delivery_days, row.delivery_days),
        window=TimeWindow(latest=latest) if latest is not None else None,
        commitment=Commitment.GUARANTEED if row.delivery_date_guaranteed else Commitment.UNKNOWN,
        computed_at=received_at,
    )


def transits_from_wire(reply: SmartRates, services: tuple[str, ...], received_at: datetime) -> Iterator[ServiceTransit]:
    """Half the parcels arrived within the first number of days, 95 of 100 within the second."""
    wanted = {service.lower() for service in services}
    for row in reply.result:
        days, service = row.time_in_transit, codes.service_code(row.carrier, row.service)
        if days is None or days.percentile_50 is None or (wanted and service.lower() not in wanted):
            continue
        estimate = TransitEstimate(
            business_days=_days(days.percentile_50, days.percentile_95),
            commitment=Commitment.NONE,
            computed_at=received_at,
            confidence=Decimal("0.95") if days.percentile_95 is not None else Decimal("0.5"),
        )
        yield ServiceTransit(service=service, transit=estimate)


def _days(least: int | None, most: int | None) -> IntRange | None:
    if least is None:
        return None
    return IntRange(least=least, most=max(least, most if most is not None else least))
