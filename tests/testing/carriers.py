"""A small carrier that keeps every rule of the common suite, and ones that break one rule each."""

from __future__ import annotations

import socket
from decimal import ROUND_UP, Decimal
from typing import Any, ClassVar

import attrs

from shipkit import model as m
from shipkit.carrier import Carrier
from shipkit.errors import InputError, NotFoundError, RejectedError
from shipkit.flow import Flow, Request, Response, path_segment, secret
from shipkit.readers import Reader, wire
from shipkit.testing import Conversation, reply

__all__ = ["ASKED", "BAD", "CONVERSATIONS", "GOOD", "Good"]

reader = Reader()
_OFFERED = ("rates", "create_shipment", "track")


@wire
class PieceRow:
    awb: str
    label: bytes


@wire
class BookingReply:
    id: str
    pieces: tuple[PieceRow, ...]


@wire
class RateRow:
    product: str
    total: Decimal
    base: Decimal
    fuel: Decimal


@wire
class RatesReply:
    rates: tuple[RateRow, ...]


@wire
class StepRow:
    code: str


@wire
class StepsReply:
    steps: tuple[StepRow, ...]


FACTS = m.CarrierFacts(
    code="good",
    name="Good Parcel",
    interface="invented for the tests",
    operations={
        operation: m.OperationFacts(support=m.Support.YES if operation in _OFFERED else m.Support.NO)
        for operation in m.Operation
    },
    services=(m.ServiceLevel(carrier="good", code="HOME", name="Good Home"),),
    label_formats=(m.LabelFormatFacts(format=m.DocumentFormat.PDF, wire="PDF"),),
    field_rules=(m.FieldRule(path="/ship_to/contact/name", max_length=60),),
    weight=m.WeightFacts(unit=m.WeightUnit.KG, decimals=3),
    length=m.LengthFacts(unit=m.LengthUnit.CM, decimals=0),
    recovery=m.RecoveryFacts(),
    hosts={m.Environment.PRODUCTION: frozenset({"api.good.example"})},
)


def party_to_wire(party: m.Party) -> dict[str, object]:
    assert party.address is not None
    assert party.contact is not None
    return {
        "name": party.contact.name,
        "company": party.contact.company,
        "lines": list(party.address.lines),
        "town": party.address.city,
        "code": party.address.postal_code,
        "country": party.address.country,
    }


def shipment_to_wire(request: m.ShipmentRequest) -> dict[str, object]:
    customs = request.customs.lines if request.customs else ()
    return {
        "mark": request.mark,
        "from": party_to_wire(request.ship_from),
        "to": party_to_wire(request.ship_to),
        "kg": [str(package.weight.to(m.WeightUnit.KG, ROUND_UP, "0.001")) for package in request.packages],
        "goods": [line.hs_code for line in customs],
    }


@attrs.frozen(kw_only=True)
class Good(Carrier):
    """Good Parcel."""

    code: ClassVar[str] = "good"

    password: str = secret()

    @classmethod
    def facts(cls) -> m.CarrierFacts:
        return FACTS

    def rates(self, request: m.RateRequest) -> Flow[tuple[m.RateQuote, ...]]:
        payload = {"kg": len(request.packages), "to": party_to_wire(request.ship_to)}
        response = yield Request.json("POST", "https://api.good.example/rates", payload, name="rates", replayable=True)
        return tuple(self.quote(row) for row in reader.read(response, RatesReply).rates)

    def quote(self, row: RateRow) -> m.RateQuote:
        charges = (
            m.Charge(type=m.ChargeType.BASE, amount=m.Money(row.base, "EUR")),
            m.Charge(type=m.ChargeType.FUEL, amount=m.Money(row.fuel, "EUR")),
        )
        return m.RateQuote(service=row.product, total=m.Money(row.total, "EUR"), charges=charges)

    def create_shipment(self, request: m.ShipmentRequest) -> Flow[m.Shipment]:
        response = yield self.purchase(shipment_to_wire(request))
        return self.booked(request, reader.read(response, BookingReply), response)

    def purchase(self, payload: object) -> Request:
        return Request.json("POST", "https://api.good.example/shipments", payload, name="create_shipment")

    def booked(self, request: m.ShipmentRequest, row: BookingReply, response: Response) -> m.Shipment:
        numbers = [m.TrackingNumber(value=piece.awb, carrier="good") for piece in row.pieces]
        return m.Shipment(
            shipment_id=row.id,
            reference=request.reference,
            state=m.BookingState.CONFIRMED,
            service="HOME",
            packages=tuple(
                m.BookedPackage(ref=package.ref, position=position, tracking_number=number)
                for position, (package, number) in enumerate(zip(request.packages, numbers, strict=False))
            ),
            tracking_numbers=tuple(numbers),
            documents=tuple(
                m.Document(
                    kind=m.DocumentKind.LABEL,
                    format=m.DocumentFormat.PDF,
                    content=piece.label,
                    package_refs=(package.ref,),
                )
                for package, piece in zip(request.packages, row.pieces, strict=False)
            ),
            created_at=response.received_at,
        )

    def track(self, query: m.TrackQuery) -> Flow[m.TrackResult]:
        number = path_segment(query.number.value)
        response = yield Request.get(f"https://api.good.example/track/{number}", name="track")
        events = tuple(self.event(row, response) for row in reader.read(response, StepsReply).steps)
        return m.TrackResult(number=query.number, events=events, complete=True, received_at=response.received_at)

    def event(self, row: StepRow, response: Response) -> m.TrackingEvent:
        return m.TrackingEvent(
            code=row.code,
            milestone=self.milestone(row.code),
            time=m.EventTime(local=response.received_at.date(), precision=m.TimePrecision.DAY),
            observed_at=response.received_at,
            mapping_version="good-1",
        )

    def milestone(self, code: str) -> m.Milestone | None:
        return {"DL": m.Milestone.DELIVERED}.get(code)

    def check(self, response: Response) -> None:
        if response.status == 404:
            raise NotFoundError.of(response)
        if response.status == 422:
            raise RejectedError.of(response, carrier_message="refused")


GOOD = Good(password="a-long-password")

_LABEL = "JVBERi0xLjQKbGFiZWwK"  # %PDF-1.4
ASKED = m.ShipmentRequest(
    ship_from=m.Party(
        address=m.Address(lines=("6 Place des Vosges",), postal_code="75004", city="Paris", country="FR"),
        contact=m.Contact(name="Ada"),
    ),
    ship_to=m.Party(
        address=m.Address(lines=("Unter den Linden 77",), postal_code="10117", city="Berlin", country="DE"),
        contact=m.Contact(name="Bob"),
    ),
    packages=(m.Package(ref="P1", weight=m.Weight(Decimal(1), m.WeightUnit.KG)),),
    service="HOME",
    reference="order-1042",
    mark="MARK",
)
CONVERSATIONS = (
    Conversation(
        operation="create_shipment",
        argument=ASKED,
        replies=(reply(200, {"id": "B1", "pieces": [{"awb": "A1", "label": _LABEL}]}),),
    ),
    Conversation(operation="create_shipment", argument=ASKED, replies=(reply(422, {}),), error=RejectedError),
    Conversation(
        operation="rates",
        argument=m.RateRequest(ship_from=ASKED.ship_from, ship_to=ASKED.ship_to, packages=ASKED.packages),
        replies=(reply(200, {"rates": [{"product": "HOME", "total": "7.50", "base": "7", "fuel": "0.50"}]}),),
    ),
    Conversation(
        operation="track",
        argument=m.TrackQuery(number=m.TrackingNumber(value="A1", carrier="good")),
        replies=(reply(200, {"steps": [{"code": "IT"}, {"code": "DL"}]}),),
    ),
)


class Lies(Good):
    """Declares an operation that it does not have."""

    @classmethod
    def facts(cls) -> m.CarrierFacts:
        operations = {**FACTS.operations, m.Operation.INSURE: m.OperationFacts(support=m.Support.YES)}
        return attrs.evolve(FACTS, operations=operations)


class Counts(Good):
    """Sends another request each time."""

    calls: ClassVar[list[int]] = []

    def purchase(self, payload: object) -> Request:
        self.calls.append(1)
        return Request.json("POST", f"https://api.good.example/{len(self.calls)}", payload, name="create_shipment")


class Connects(Good):
    """Sends for itself."""

    def purchase(self, payload: object) -> Request:
        socket.create_connection(("127.0.0.1", 9))
        return Good.purchase(self, payload)


class Drops(Good):
    """Calls a flow of its own and forgets it."""

    def create_shipment(self, request: m.ShipmentRequest) -> Flow[m.Shipment]:
        self.track(m.TrackQuery(number=m.TrackingNumber(value="A1", carrier="good")))
        return (yield from Good.create_shipment(self, request))


class BuysTwice(Good):
    """Has two purchases in one flow."""

    def track(self, query: m.TrackQuery) -> Flow[m.TrackResult]:
        yield Request.json("POST", "https://api.good.example/track", {}, name="track")
        return (yield from Good.track(self, query))


class Clings(Good):
    """Cannot be left."""

    def rates(self, request: m.RateRequest) -> Flow[tuple[m.RateQuote, ...]]:
        try:
            return (yield from Good.rates(self, request))
        except GeneratorExit:
            return (yield from Good.rates(self, request))


class Accepts(Good):
    """Takes a refusal for a booking."""

    def check(self, response: Response) -> None:
        """Nothing is ever wrong."""

    def create_shipment(self, request: m.ShipmentRequest) -> Flow[m.Shipment]:
        response = yield self.purchase(shipment_to_wire(request))
        return self.booked(request, BookingReply(id="B1", pieces=()), response)


class Trusts(Good):
    """Reads a reply without a reader."""

    def create_shipment(self, request: m.ShipmentRequest) -> Flow[m.Shipment]:
        response = yield self.purchase(shipment_to_wire(request))
        rows = response.json()["pieces"]
        pieces = tuple(PieceRow(awb=row["awb"], label=b"%PDF-1.4") for row in rows)
        return self.booked(request, BookingReply(id=response.json()["id"], pieces=pieces), response)


class Invents(Good):
    """Takes every code that it does not know for a parcel on its way."""

    def milestone(self, code: str) -> m.Milestone | None:
        return {"DL": m.Milestone.DELIVERED}.get(code, m.Milestone.IN_TRANSIT)


class Mislabels(Good):
    """Says that a text is a PDF."""

    def booked(self, request: m.ShipmentRequest, row: BookingReply, response: Response) -> m.Shipment:
        shipment = Good.booked(self, request, row, response)
        papers = tuple(attrs.evolve(paper, content=b"hello") for paper in shipment.documents)
        return attrs.evolve(shipment, documents=papers)


class Miscounts(Good):
    """Forgets a charge."""

    def quote(self, row: RateRow) -> m.RateQuote:
        return attrs.evolve(Good.quote(self, row), charges=Good.quote(self, row).charges[:1])


class Cuts(Good):
    """Cuts what is too long."""

    def purchase(self, payload: Any) -> Request:
        name = payload["to"]["name"][:10]
        return Good.purchase(self, {**payload, "to": {**payload["to"], "name": name, "lines": [], "town": ""}})


class Forgets(Good):
    """Tells customs nothing."""

    def purchase(self, payload: Any) -> Request:
        return Good.purchase(self, {**payload, "goods": []})


class Refuses(Good):
    """Takes a request through the checks and refuses it then."""

    def create_shipment(self, request: m.ShipmentRequest) -> Flow[m.Shipment]:
        if request.instructions:
            raise InputError("no instructions")
        return (yield from Good.create_shipment(self, request))


@attrs.frozen(kw_only=True)
class Tells(Good):
    """Shows its password."""

    password: str = attrs.field(metadata={"secret": True})


#: The check that each of them fails.
BAD: dict[str, type[Good]] = {
    "capabilities": Lies,
    "pure_requests": Counts,
    "no_io": Connects,
    "source": Drops,
    "purchases": BuysTwice,
    "closing": Clings,
    "recordings": Accepts,
    "replies": Trusts,
    "events": Invents,
    "documents": Mislabels,
    "charges": Miscounts,
    "texts": Cuts,
    "customs": Forgets,
    "secrets": Tells,
}
