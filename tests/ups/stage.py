"""The simulated UPS without a socket: conversations are played against it, and every exchange is kept."""

from __future__ import annotations

import itertools
import json
from collections.abc import Generator, Iterator
from datetime import date, datetime, timezone
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import attrs

from shipkit.errors import NotFoundError, RejectedError, ShipkitError
from shipkit.flow import Headers, Request, Response, Token
from shipkit.model import (
    AddressCheck,
    AddressCheckLevel,
    CancelRequest,
    DocumentFormat,
    DocumentQuery,
    GeoPoint,
    LabelSpec,
    PickupCancelRequest,
    ReturnLabelKind,
    ServicePointQuery,
    Shipment,
    ShipmentRequest,
    SubscriptionRequest,
    TrackQuery,
)
from shipkit.simulator import Call, Clock, World
from shipkit.simulator.calls import Headers as CallHeaders
from shipkit.testing import is_masked
from shipkit_ups.simulator import UpsDialect
from tests.ups.conversations import orders, quoted
from tests.ups.samples import BACK, ORDER, PARIS, PICKUP, QUOTED, RALEIGH, UPS, at, number

__all__ = ["START", "Exchanged", "Stage", "everything", "shapes"]

T = TypeVar("T")
START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


@attrs.frozen
class Exchanged:
    """One request and what the simulator made of it."""

    request: Request
    status: int
    body: Any


class Stage:
    """One simulated UPS, its clock, and the exchanges so far."""

    def __init__(self) -> None:
        self.world = World(Clock(START))
        self.dialect = UpsDialect(self.world)
        self.exchanges: list[Exchanged] = []
        self._ids = itertools.count(1)
        self.token: Token = self.run(UPS.authenticate())

    def run(self, flow: Generator[Request, Response, T]) -> T:
        """Carry *flow* out as the driver does."""
        try:
            request = next(flow)
            while True:
                response = self.ask(request)
                try:
                    UPS.check(response)
                except ShipkitError as error:
                    request = flow.throw(error)
                else:
                    request = flow.send(response)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # a generator's own word for it

    def ask(self, request: Request) -> Response:
        """What the simulator answers to *request*."""
        request = attrs.evolve(request, id=f"staged-{next(self._ids):025d}")
        if request.signed:
            request = UPS.authorize(request, self.token)
        url = urlsplit(request.url)
        call = Call(
            id=next(self._ids),
            method=request.method,
            path=unquote(url.path),
            query_string=url.query,
            headers=CallHeaders(request.headers),
            body=request.content,
        )
        reply = self.dialect.handle(call)
        self.exchanges.append(Exchanged(request, reply.status, json.loads(reply.body)))
        return Response(
            status=reply.status,
            headers=Headers(reply.headers),
            content=reply.body,
            request=request,
            received_at=self.world.clock.now(),
        )

    def refused(self, flow: Generator[Request, Response, Any]) -> str:
        """UPS's own number for the refusal with which *flow* ends."""
        try:
            value = self.run(flow)
        except (RejectedError, NotFoundError) as error:
            return error.carrier_code
        raise AssertionError(f"it was not refused: {value!r}")

    def book(self, **changes: Any) -> Shipment:
        return self.run(UPS.create_shipment(attrs.evolve(ORDER, **changes)))


def everything() -> Iterator[Exchanged]:
    """Every operation of the simulator, used once at least, refusals among them."""
    stage = Stage()
    for name, order in orders().items():
        _journey(stage, attrs.evolve(order, mark=f"MARK {name}"), quick=name not in ("plain", "abroad"))
    for kind in (ReturnLabelKind.PRINTED, ReturnLabelKind.MAILED):
        stage.run(UPS.create_return(attrs.evolve(BACK, kind=kind)))
    _others(stage)
    return iter(stage.exchanges)


def _journey(stage: Stage, order: ShipmentRequest, *, quick: bool) -> None:
    question = quoted(order)
    if order.service in ("03", "11", "65"):
        stage.run(UPS.rates(question))
    stage.run(UPS.transit_times(question))
    booked = stage.run(UPS.create_shipment(order))
    stage.run(UPS.find_shipments(order))
    if quick:
        return
    papers = DocumentQuery(shipment_id=booked.shipment_id, tracking_numbers=booked.tracking_numbers)
    for form in (None, DocumentFormat.PDF, DocumentFormat.EPL):
        stage.run(UPS.documents(attrs.evolve(papers, label=LabelSpec(format=form) if form else None)))
    numbers = SubscriptionRequest(
        numbers=(*booked.tracking_numbers, number("123")), callback_url="https://host.example/h", secret="s"
    )
    stage.run(UPS.subscribe(numbers))
    for _ in range(3):
        stage.run(UPS.track(TrackQuery(number=booked.tracking_numbers[-1])))
        stage.world.clock.advance(20 * 3600)
        stage.token = stage.run(UPS.authenticate())


def _others(stage: Stage) -> None:
    twice = [stage.book(mark="TWICE") for _ in range(2)]
    stage.run(UPS.find_shipments(attrs.evolve(ORDER, mark="TWICE")))
    for booked in twice:
        cancel = CancelRequest(
            shipment_id=booked.shipment_id, reference="x", tracking_numbers=booked.tracking_numbers[1:]
        )
        stage.run(UPS.cancel_shipment(attrs.evolve(cancel, package_refs=("second",))))
        whole = attrs.evolve(cancel, tracking_numbers=booked.tracking_numbers)
        for _ in range(2):
            stage.run(UPS.cancel_shipment(whole))
    single = stage.book(packages=ORDER.packages[:1])
    stage.run(
        UPS.cancel_shipment(
            CancelRequest(shipment_id=single.shipment_id, reference="x", tracking_numbers=single.tracking_numbers)
        )
    )
    confirmation = stage.run(UPS.book_pickup(PICKUP)).confirmation
    stage.run(UPS.cancel_pickup(PickupCancelRequest(confirmation=confirmation)))
    for address in (RALEIGH.address, at(RALEIGH, lines=("Main Street",)).address, at(RALEIGH, region="WA").address):
        for level in AddressCheckLevel:
            assert address is not None
            stage.run(UPS.check_address(AddressCheck(address=address, level=level)))
    near = ServicePointQuery(near=PARIS.address, country="FR")
    point = stage.run(UPS.service_points(near))[0]
    stage.run(UPS.service_points(ServicePointQuery(id=point.id, country="FR")))
    stage.run(UPS.service_points(attrs.evolve(near, near=GeoPoint(latitude="48.85", longitude="2.35"))))
    refusals = (
        UPS.service_points(ServicePointQuery(id="U00000000", country="FR")),
        UPS.rates(attrs.evolve(QUOTED, services=("08",), ship_on=date(2026, 3, 3))),
        UPS.create_shipment(attrs.evolve(ORDER, service="99")),
        UPS.cancel_pickup(PickupCancelRequest(confirmation=confirmation)),
        UPS.track(TrackQuery(number=number("1Z0000000000000000"))),
        UPS.documents(DocumentQuery(shipment_id="x", tracking_numbers=(number("1Z0000000000000000"),))),
        UPS.find_shipments(attrs.evolve(ORDER, mark="NEVER")),
    )
    for flow in refusals[:-1]:
        stage.refused(flow)
    assert stage.run(refusals[-1]) == ()


def shapes(value: object, at: str = "$") -> dict[str, set[str]]:
    """The paths of *value* and the types that stand there."""
    found: dict[str, set[str]] = {}

    def walk(value: object, at: str) -> None:
        kind = "number" if type(value) in (int, float) else "masked" if is_masked(value) else type(value).__name__
        found.setdefault(at, set()).add(kind)
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{at}.{name}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{at}[]")

    walk(value, at)
    return found
