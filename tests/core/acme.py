"""Acme Parcel's plugin, for tests of the core: a real one's shape, for the carrier of `tests/simulator/acme.py`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import NotFoundError, RejectedError
from shipkit.flow import Flow, Request, Response, Token, path_segment, secret
from shipkit.model import (
    Address,
    BookedPackage,
    BookingState,
    CancellationResult,
    CancelOutcome,
    CancelRequest,
    CarrierFacts,
    Contact,
    Document,
    DocumentFormat,
    DocumentKind,
    Environment,
    EventTime,
    FindMethod,
    LabelFormatFacts,
    LengthFacts,
    LengthUnit,
    Milestone,
    Money,
    Operation,
    OperationFacts,
    Package,
    Party,
    RateQuote,
    RateRequest,
    RecoveryFacts,
    RecoveryMode,
    ServiceLevel,
    Shipment,
    ShipmentRequest,
    Support,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackQuery,
    TrackResult,
    Weight,
    WeightFacts,
    WeightUnit,
)
from shipkit.readers import Reader, wire

reader = Reader()

MILESTONES: Mapping[str, Milestone] = {
    "announced": Milestone.ANNOUNCED,
    "accepted": Milestone.ACCEPTED,
    "in_transit": Milestone.IN_TRANSIT,
    "out_for_delivery": Milestone.OUT_FOR_DELIVERY,
    "delivered": Milestone.DELIVERED,
}


@reader.hook(Money)
def money_from_wire(row: Mapping[str, Any]) -> Money:
    return Money(Decimal(row["amount"]), row["currency"])


@wire
class RateRow:
    product: str
    price: Money


@wire
class RatesReply:
    rates: tuple[RateRow, ...]


@wire
class PieceRow:
    awb: str
    label: bytes | None = None


@wire
class BookingReply:
    id: str
    pieces: tuple[PieceRow, ...]


@wire
class BookingsReply:
    bookings: tuple[BookingReply, ...]


@wire
class TokenReply:
    access_token: str


@wire
class EventRow:
    code: str
    at: str


@wire
class EventsReply:
    events: tuple[EventRow, ...]


@cache
def acme_facts() -> CarrierFacts:
    return CarrierFacts(
        code="acme",
        name="Acme Parcel",
        interface="Acme developer guide 2.14 (invented)",
        operations={
            Operation(name): OperationFacts(support=Support.YES)
            for name in ("rates", "create_shipment", "find_shipments", "cancel_shipment", "track")
        },
        services=(ServiceLevel(carrier="acme", code="HOME", name="Acme Home"),),
        label_formats=(LabelFormatFacts(format=DocumentFormat.PDF, wire="PDF"),),
        weight=WeightFacts(unit=WeightUnit.KG, decimals=3),
        length=LengthFacts(unit=LengthUnit.CM, decimals=0),
        recovery=RecoveryFacts(
            mode=RecoveryMode.FIND,
            find=FindMethod.EXACT_ALL,
            mark_field="mark",
            refusal_codes=frozenset({"A17"}),
        ),
        hosts={Environment.TEST: frozenset({"api.acme.example"})},
    )


def shipment_to_wire(request: ShipmentRequest) -> dict[str, object]:
    pieces = [{"kg": str(p.weight.to(WeightUnit.KG, ROUND_CEILING, "0.001"))} for p in request.packages]
    return {"ref": request.reference, "mark": request.mark, "product": request.service, "pieces": pieces}


def shipment_from_wire(request: ShipmentRequest, row: BookingReply, response: Response) -> Shipment:
    numbers = [TrackingNumber(value=piece.awb, carrier="acme") for piece in row.pieces]
    documents = [
        Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=piece.label, package_refs=(package.ref,))
        for piece, package in zip(row.pieces, request.packages, strict=False)
        if piece.label
    ]
    return Shipment(
        shipment_id=row.id,
        reference=request.reference,
        state=BookingState.CONFIRMED,
        service=request.service or "HOME",
        packages=tuple(
            BookedPackage(ref=package.ref, position=index, tracking_number=number)
            for index, (package, number) in enumerate(zip(request.packages, numbers, strict=False))
        ),
        tracking_numbers=tuple(numbers),
        documents=tuple(documents),
        created_at=response.received_at,
    )


@attrs.frozen
class Acme(Carrier):
    """Acme Parcel, REST API v2."""

    client_id: str
    client_secret: str = secret()

    code: ClassVar[str] = "acme"

    @classmethod
    def facts(cls) -> CarrierFacts:
        return acme_facts()

    @property
    def _url(self) -> str:
        return self.base_url or "https://api.acme.example/v2"

    def rates(self, request: RateRequest) -> Flow[tuple[RateQuote, ...]]:
        payload = {"pieces": [{"kg": "1"} for _ in request.packages]}
        response = yield Request.json("POST", f"{self._url}/rates", payload, name="rates", replayable=True)
        rows = reader.read(response, RatesReply).rates
        return tuple(RateQuote(service=row.product, total=row.price) for row in rows)

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        response = yield Request.json(
            "POST", f"{self._url}/shipments", shipment_to_wire(request), name="create_shipment"
        )
        return shipment_from_wire(request, reader.read(response, BookingReply), response)

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        url = f"{self._url}/shipments/by-mark/{path_segment(request.mark or '')}"
        try:
            response = yield Request.get(url, name="find_shipments")
        except NotFoundError:
            return ()
        rows = reader.read(response, BookingsReply).bookings
        return tuple(shipment_from_wire(request, row, response) for row in rows)

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        url = f"{self._url}/shipments/{path_segment(request.shipment_id)}"
        yield Request.delete(url, name="cancel_shipment", replayable=True)
        return CancellationResult(outcome=CancelOutcome.VOIDED)

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        response = yield Request.get(f"{self._url}/track/{path_segment(query.number.value)}", name="track")
        events = [
            TrackingEvent(
                code=row.code,
                milestone=MILESTONES.get(row.code),
                time=_time(row.at),
                observed_at=response.received_at,
                mapping_version="acme-1",
            )
            for row in reader.read(response, EventsReply).events
        ]
        return TrackResult(number=query.number, events=tuple(events), complete=True, received_at=response.received_at)

    def check(self, response: Response) -> None:
        if response.status >= 500:
            return
        if response.status == 404:
            raise NotFoundError.of(response)
        if urlsplit(response.request.url).path.endswith("/token") or response.status == 401:
            return
        if error := response.json().get("error"):
            raise RejectedError.of(response, carrier_code=error["code"], carrier_message=error["text"])

    def authenticate(self) -> Flow[Token]:
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        response = yield Request.form(f"{self._url}/token", form, name="token", replayable=True, signed=False)
        return Token(value=reader.read(response, TokenReply).access_token)

    def authorize(self, request: Request, token: Token) -> Request:
        return request.with_header("Authorization", f"Bearer {token.value}")


def _time(text: str) -> EventTime:
    from datetime import datetime

    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return EventTime(
        local=at.replace(tzinfo=None), precision=TimePrecision.SECOND, offset_min=0, basis=TimeBasis.OFFSET
    )


def party(name: str, line: str, postal_code: str, city: str, country: str) -> Party:
    return Party(
        address=Address(lines=(line,), postal_code=postal_code, city=city, country=country),
        contact=Contact(name=name),
    )


def request(reference: str = "SO042", packages: int = 1) -> ShipmentRequest:
    return ShipmentRequest(
        ship_from=party("Sender Ltd", "1 Depot Road", "10115", "Berlin", "DE"),
        ship_to=party("Jo Receiver", "2 Home Street", "75001", "Paris", "FR"),
        packages=tuple(Package(ref=f"box-{n}", weight=Weight("1.5", WeightUnit.KG)) for n in range(1, packages + 1)),
        service="HOME",
        reference=reference,
    )
