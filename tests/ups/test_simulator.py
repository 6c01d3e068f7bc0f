"""The simulated UPS: its replies have the form of the recorded ones, and the client gets along with it."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from shipkit.client import Client
from shipkit.errors import AuthenticationError, InDoubtError, InputError, RejectedError
from shipkit.model import (
    AddressCheck,
    AddressKind,
    AddressVerdict,
    BookingState,
    CancelOutcome,
    CancelRequest,
    ChargeType,
    Document,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    LabelSpec,
    Milestone,
    PickupState,
    ReturnLabelKind,
    ServicePointQuery,
    ServicePointRef,
    ShipmentRequest,
    SignatureResult,
    SubscriptionRequest,
    SubscriptionState,
    Timeline,
    TrackingEvent,
    TrackQuery,
)
from shipkit.numbers import candidates
from shipkit.simulator import JOURNEYS, Call, Clock, Simulator, StepKind, World
from shipkit.simulator.calls import Headers
from shipkit.testing import playback
from shipkit_ups import Ups
from shipkit_ups.simulator import UpsDialect
from tests.ups.conversations import orders, quoted
from tests.ups.referee import complaints, reply_complaints
from tests.ups.samples import ABROAD, BACK, LEAD, ORDER, PICKUP, QUOTED, RALEIGH, UPS, at, box, delivery, number
from tests.ups.stage import START, Stage, everything, shapes

WANTED = attrs.evolve(ORDER, mark=None)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(UpsDialect(World(Clock(START)))) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    account = Ups(
        client_id="id",
        client_secret="secret",
        shipper_number="A1B2C3",
        base_url=simulator.url,
        webhook_credentials=("shown",),
    )
    with Client({"ups": account}) as made:
        yield made


def buy(client: Client, key: str = "k1", request: ShipmentRequest = WANTED) -> Any:
    return client.create_shipment(request, account="ups", key=key)


# The form of the replies


@pytest.mark.parametrize(
    "name",
    [
        "access_token_success",
        "address_classification_commercial_address",
        "labels_failure",
        "labels_success",
        "rates_failure",
        "rates_success",
        "timings_success",
        "void_success",
    ],
)
def test_a_recorded_request_gets_the_paths_and_types_of_the_recorded_reply(shared: Path, name: str) -> None:
    (exchange,) = playback(shared / "recordings/ups" / f"{name}.json").exchanges
    stage, url = Stage(), urlsplit(exchange.request.url)
    stage.world.book(booking_id=LEAD, numbers=[LEAD], service="03", account="A1B2C3")
    fields = {name: value for name, value in exchange.request.headers.items() if name.lower() != "authorization"}
    credential = "Basic aWQ6c2VjcmV0" if "token" in name else f"Bearer {stage.token.value}"
    reply = stage.dialect.handle(
        Call(
            method=exchange.request.method,
            path=url.path,
            query_string=url.query,
            headers=Headers({**fields, "Authorization": credential}),
            body=exchange.request.content.replace(b"<masked>", b"A1B2C3"),
        )
    )

    ours, theirs = shapes(json.loads(reply.body)), shapes(json.loads(exchange.reply.content))
    assert reply.status == exchange.reply.status
    assert ours.keys() == theirs.keys()
    assert {
        path: kinds for path, kinds in ours.items() if not (kinds <= theirs[path] or "masked" in theirs[path])
    } == {}
    if reply.status == 400:
        assert json.loads(reply.body) == json.loads(exchange.reply.content)


def test_every_reply_is_described_by_the_published_files(shared: Path) -> None:
    seen = list(everything())
    told = [
        (one.request.url, found)
        for one in seen
        if (found := reply_complaints(one.request.method, one.request.url, one.status, one.body))
    ]

    assert told == []
    assert {one.status for one in seen} == {200, 400, 404}
    assert {one.request.name for one in seen} == {
        *("token", "rates", "transit_times", "create_shipment", "create_return", "find_shipments", "documents"),
        *("cancel_shipment", "track", "book_pickup", "cancel_pickup", "check_address", "service_points", "subscribe"),
    }


def test_every_number_has_its_check_digit() -> None:
    stage = Stage()
    for _ in range(30):
        for each in stage.book(service="02").tracking_numbers:
            (found,) = [one for one in candidates(each.value) if one.courier == "ups"]
            assert found.has_check and found.parts["account"] == "A1B2C3"


# What it refuses


def test_a_bad_token_is_refused_with_ups_own_number() -> None:
    stage = Stage()
    stage.token = attrs.evolve(stage.token, value="another")

    with pytest.raises(AuthenticationError) as raised:
        stage.run(UPS.rates(QUOTED))
    assert raised.value.carrier_code == "250002"


def test_a_wrong_secret_gets_no_token(simulator: Simulator) -> None:
    account = Ups(client_id="id", client_secret="wrong", shipper_number="A1B2C3", base_url=simulator.url)
    with Client({"ups": account}) as stranger:
        answer = stranger.rates(QUOTED)

    assert answer.quotes == ()
    assert isinstance(answer.errors["ups"], AuthenticationError)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service": "99"}, "120501"),
        ({"packages": (box(weight="151"),)}, "111035"),
        ({"ship_to": at(ORDER.ship_to, lines=("x" * 36,))}, "120202"),
        ({"account_holder": at(RALEIGH, lines=("x" * 36,))}, "120102"),
    ],
)
def test_a_booking_that_ups_would_not_take_is_refused(changes: dict[str, Any], code: str) -> None:
    stage = Stage()

    assert stage.refused(UPS.create_shipment(attrs.evolve(ORDER, **changes))) == code
    assert stage.world.bookings() == ()


def test_a_question_that_ups_would_not_answer_is_refused() -> None:
    stage = Stage()

    assert stage.refused(UPS.rates(attrs.evolve(QUOTED, ship_to=at(QUOTED.ship_to, region="WA")))) == "111285"
    assert stage.refused(UPS.rates(attrs.evolve(QUOTED, services=("08",)))) == "111210"
    assert stage.refused(UPS.rates(attrs.evolve(QUOTED, packages=(box(weight="151"),)))) == "111035"


def test_tracking_wants_to_know_who_asks() -> None:
    stage = Stage()
    call = Call(
        method="GET",
        path=f"/api/track/v1/details/{LEAD}",
        headers=Headers({"Authorization": f"Bearer {stage.token.value}"}),
    )

    assert stage.dialect.handle(call).status == 400


# Prices and bookings


def test_a_shipment_is_quoted_and_booked_at_that_price(client: Client, simulator: Simulator) -> None:
    quotes = {quote.service: quote for quote in client.rates(QUOTED).quotes}
    shipment = buy(client)

    assert set(quotes) == {"01", "02", "03", "12", "13", "14"}
    assert shipment.state is BookingState.CONFIRMED
    assert shipment.total == quotes["03"].total
    assert [charge.type for charge in shipment.charges][-1] is ChargeType.UNEXPLAINED
    assert buy(client) == shipment
    (counts,) = simulator.counts().values()
    assert (counts.arrivals, counts.bookings, counts.live) == (1, 1, 1)
    assert list(simulator.counts("reference")) == [WANTED.reference]
    assert [line.amount for line in simulator.invoice()] == [quotes["03"].total.amount]


@pytest.mark.parametrize("name", orders())
def test_every_kind_of_booking_is_taken(client: Client, simulator: Simulator, name: str) -> None:
    shipment = buy(client, request=attrs.evolve(orders()[name], mark=None))

    assert shipment.state is BookingState.CONFIRMED
    assert len(shipment.tracking_numbers) == 2
    assert client.rates(attrs.evolve(quoted(orders()[name]), services=("03",))) is not None


@pytest.mark.parametrize("form", [DocumentFormat.GIF, DocumentFormat.ZPL, DocumentFormat.EPL, DocumentFormat.SPL])
def test_labels_come_in_the_format_ordered(client: Client, form: DocumentFormat) -> None:
    shipment = buy(client, request=attrs.evolve(WANTED, label=LabelSpec(format=form)))

    for paper, each in zip(shipment.documents, shipment.tracking_numbers, strict=True):
        assert paper.format is form
        assert each.value in printed(paper)


def printed(paper: Document) -> str:
    """The numbers on a label."""
    content = paper.content
    assert content is not None
    if paper.format is DocumentFormat.GIF:
        return " ".join(found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(content))))
    if paper.format is DocumentFormat.PDF:
        image = pypdfium2.PdfDocument(content)[0].render(scale=4).to_pil()
        return " ".join(found.text for found in zxingcpp.read_barcodes(image))
    return content.decode("latin-1").replace(">:", "")


def test_goods_for_abroad_bring_their_invoice(client: Client) -> None:
    shipment = buy(client, request=attrs.evolve(ABROAD, mark=None))
    (invoice,) = [paper for paper in shipment.documents if paper.kind is DocumentKind.COMMERCIAL_INVOICE]

    assert invoice.format is DocumentFormat.PDF and (invoice.content or b"").startswith(b"%PDF")


def test_a_return_brings_its_label_or_ups_does(client: Client) -> None:
    printed_ = client.create_return(BACK, account="ups", key="r1")
    mailed = client.create_return(attrs.evolve(BACK, kind=ReturnLabelKind.MAILED), account="ups", key="r2")

    assert printed_.shipment is not None and mailed.shipment is not None
    assert [paper.kind for paper in printed_.shipment.documents] == [DocumentKind.RETURN_LABEL]
    assert mailed.shipment.documents == ()


def test_the_days_are_those_of_the_prices(client: Client) -> None:
    days = {each.service: each.transit.business_days for each in client.transit_times(QUOTED, account="ups")}
    priced = {quote.service: quote.transit and quote.transit.business_days for quote in client.rates(QUOTED).quotes}

    assert days == priced


# What goes wrong


@pytest.mark.parametrize("fault", ["drop_after_commit", "500", "503", "empty_body", "truncated", "html_page"])
def test_whatever_becomes_of_the_answer_one_booking_with_its_labels_remains(
    client: Client, simulator: Simulator, fault: str
) -> None:
    simulator.add_fault(fault)
    shipment = buy(client)

    (booking,) = simulator.bookings()
    assert tuple(each.value for each in shipment.tracking_numbers) == booking.numbers
    assert [paper.package_refs for paper in shipment.documents] == [("first",), ("second",)]


def test_what_a_gateway_booked_twice_is_found_twice() -> None:
    stage = Stage()
    booked = [stage.book(), stage.book()]
    found = stage.run(UPS.find_shipments(ORDER))

    assert [shipment.shipment_id for shipment in found] == [shipment.shipment_id for shipment in booked]
    assert [shipment.state for shipment in found] == [BookingState.LABEL_PENDING] * 2, "one label of two came with it"


@pytest.mark.parametrize("fault", ["drop_before", "200_with_error"])
def test_a_booking_that_never_was_leaves_nothing_behind(client: Client, simulator: Simulator, fault: str) -> None:
    simulator.add_fault(fault)
    with pytest.raises((InDoubtError, RejectedError)):
        buy(client)

    assert simulator.bookings() == ()


def test_a_booking_that_no_search_shows_yet_stays_in_doubt(client: Client, simulator: Simulator) -> None:
    simulator.add_fault("find_lags", lag_s=600)
    simulator.add_fault("drop_after_commit")
    with pytest.raises(InDoubtError):
        buy(client)
    simulator.advance(601)

    assert tuple(each.value for each in buy(client).tracking_numbers) == simulator.bookings()[0].numbers
    assert len(simulator.bookings()) == 1


def test_a_token_that_is_gone_is_asked_for_anew(client: Client, simulator: Simulator) -> None:
    client.rates(QUOTED)
    simulator.add_fault("token_revoked")

    assert buy(client).state is BookingState.CONFIRMED
    assert len(simulator.bookings()) == 1


def test_a_refusal_books_nothing_and_the_key_may_be_used_again(client: Client, simulator: Simulator) -> None:
    with pytest.raises(RejectedError) as raised:
        buy(client, request=attrs.evolve(WANTED, service="75"))
    assert raised.value.carrier_code == "120501"

    assert buy(client).state is BookingState.CONFIRMED
    assert len(simulator.bookings()) == 1


def test_what_cannot_go_never_reaches_ups(client: Client, simulator: Simulator) -> None:
    with pytest.raises(InputError):
        buy(client, request=attrs.evolve(WANTED, packages=(box(weight="151"),)))

    assert [request.operation for request in simulator.requests()] == []


# Undoing


def test_a_shipment_is_voided_once_and_not_once_it_is_on_its_way(client: Client, simulator: Simulator) -> None:
    buy(client)
    result = client.cancel_shipment(key="k1")
    assert result.outcome is CancelOutcome.VOIDED
    assert client.cancel_shipment(key="k1") == result
    assert [booking.live for booking in simulator.bookings()] == [False]
    assert simulator.invoice() == ()

    moving = buy(client, "k2")
    simulator.advance(7 * 3600)
    with pytest.raises(RejectedError):
        client.cancel_shipment(key="k2")
    assert simulator.world.booking(moving.shipment_id).live


def test_a_package_is_taken_out_and_the_others_go() -> None:
    stage = Stage()
    booked = stage.book()
    request = CancelRequest(
        shipment_id=booked.shipment_id,
        reference="order-1042",
        tracking_numbers=booked.tracking_numbers[1:],
        package_refs=("second",),
    )
    result = stage.run(UPS.cancel_shipment(request))
    (found,) = stage.run(UPS.find_shipments(ORDER))

    assert [(row.package_ref, row.outcome) for row in result.packages] == [("second", CancelOutcome.VOIDED)]
    assert found.tracking_numbers == booked.tracking_numbers[:1]
    assert stage.world.booking(booked.shipment_id).live


def test_what_somebody_else_voided_is_void(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    with simulator.world.lock:
        simulator.world.void(shipment.shipment_id)

    assert client.cancel_shipment(key="k1").outcome is CancelOutcome.ALREADY_VOIDED


# Papers, parcels, pickups, places


@pytest.mark.parametrize("form", [DocumentFormat.PDF, DocumentFormat.ZPL])
def test_labels_come_again_in_another_format(client: Client, form: DocumentFormat) -> None:
    shipment = buy(client)
    papers = client.documents(
        DocumentQuery(
            shipment_id=shipment.shipment_id,
            tracking_numbers=shipment.tracking_numbers,
            label=LabelSpec(format=form),
        ),
        account="ups",
    )

    assert [paper.format for paper in papers] == [form, form]
    assert all(each.value in printed(paper) for paper, each in zip(papers, shipment.tracking_numbers, strict=True))


def test_a_parcel_is_followed_to_its_door_with_its_own_clock(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    seen = []
    for _ in range(12):
        (outcome,) = client.track(shipment.tracking_numbers[:1], account="ups")
        assert outcome.value is not None
        seen.append(outcome.value)
        simulator.advance(6 * 3600)

    last, events = seen[-1], told(seen[-1])
    assert (seen[0].milestone, last.milestone) == (Milestone.ANNOUNCED, Milestone.DELIVERED)
    assert last.proof is not None and last.proof.signed_by == "JANE DOE"
    assert {event.piece for event in events} == {each.value for each in shipment.tracking_numbers}
    assert {event.time.offset_min for event in events} == {-300}
    assert all(event.code and event.code_type for event in events)


def told(timeline: Timeline) -> list[TrackingEvent]:
    """Every event of every piece."""
    return [event for each in (timeline, *timeline.pieces) for event in each.events]


@pytest.mark.parametrize("journey", ["delivered", "second_attempt", "pickup_point", "exception", "refused"])
def test_every_journey_can_be_told(client: Client, simulator: Simulator, journey: str) -> None:
    shipment = buy(client, request=attrs.evolve(WANTED, packages=(box("first"),)))
    with simulator.world.lock:
        simulator.world.set_journey(shipment.tracking_numbers[0].value, journey)
    simulator.advance(200 * 3600)
    (outcome,) = client.track(shipment.tracking_numbers, account="ups")

    assert outcome.value is not None
    assert len(outcome.value.events) > 3
    delivered = [event.milestone for event in outcome.value.events].count(Milestone.DELIVERED)
    assert delivered == (0 if journey == "refused" else 1)


def test_a_void_parcel_is_cancelled(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    client.cancel_shipment(key="k1")
    (outcome,) = client.track(shipment.tracking_numbers[:1], account="ups")

    assert outcome.value is not None and outcome.value.milestone is Milestone.CANCELLED


def test_a_number_of_nobody_is_not_found(client: Client) -> None:
    (outcome,) = client.track([number("1Z0000000000000000")], account="ups")

    assert outcome.value is None and outcome.error is not None


def test_a_pickup_is_ordered_paid_and_called_off(client: Client, simulator: Simulator) -> None:
    pickup = client.book_pickup(PICKUP, account="ups", key="p1")

    assert (pickup.state, pickup.window) == (PickupState.CONFIRMED, PICKUP.window)
    assert pickup.total is not None
    assert [line.amount for line in simulator.invoice()] == [pickup.total.amount]
    assert client.cancel_pickup(key="p1").outcome is CancelOutcome.VOIDED
    assert [record.state for record in simulator.world.pickups()] == ["voided"]


def test_an_address_is_judged_and_classified(client: Client) -> None:
    def checked(**changes: Any) -> tuple[AddressVerdict, AddressKind]:
        address = at(RALEIGH, **changes).address
        assert address is not None
        result = client.check_address(AddressCheck(address=address), account="ups")
        return result.verdict, result.kind

    assert checked() == (AddressVerdict.VERIFIED, AddressKind.RESIDENTIAL)
    assert checked(lines=("10 Market Plaza",)) == (AddressVerdict.VERIFIED, AddressKind.BUSINESS)
    assert checked(lines=("Lovely Street",))[0] is AddressVerdict.AMBIGUOUS
    assert checked(region="WA")[0] is AddressVerdict.FAILED


def test_a_point_is_found_again_by_its_id(client: Client) -> None:
    points = client.service_points(ServicePointQuery(near=RALEIGH.address, country="US"), account="ups")
    (again,) = client.service_points(ServicePointQuery(id=points[1].id, country="US"), account="ups")

    assert len(points) == 3
    assert again == points[1]
    point = ServicePointRef(id=again.id, country="US", name=again.name, address=again.address)
    assert buy(client, request=attrs.evolve(WANTED, service_point=point)).state is BookingState.CONFIRMED


# Pushes


def test_pushes_show_the_credential_and_are_believed_for_it(client: Client, simulator: Simulator) -> None:
    received: list[tuple[dict[str, str], bytes]] = []
    shipment = buy(client)
    with receiver(received) as url:
        request = SubscriptionRequest(numbers=shipment.tracking_numbers, callback_url=url)
        subscription = client.subscribe(request, account="ups", key="s1")
        assert subscription.state is SubscriptionState.ACTIVE
        simulator.advance(100 * 3600, order="shuffled", copies=2)

    pushes = [client.receive_webhook("ups", headers, body) for headers, body in received]
    assert len(pushes) > 8
    assert {push.delivery.signature for push in pushes} == {SignatureResult.VALID}
    assert {event.milestone for push in pushes for result in push.results for event in result.events} >= {
        Milestone.ACCEPTED,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.DELIVERED,
    }
    headers, body = received[0]
    stranger = {name: "other" if name.lower() == "credential" else value for name, value in headers.items()}
    assert client.receive_webhook("ups", stranger, body).results == ()


def test_every_push_is_described_by_the_published_file_and_tells_what_tracking_tells(shared: Path) -> None:
    stage = Stage()
    orders = itertools.cycle([stage.book, lambda: stage.run(UPS.create_shipment(ABROAD))])
    booked = [order().tracking_numbers for order, _ in zip(orders, JOURNEYS, strict=False)]
    for journey, numbers in zip(JOURNEYS, booked, strict=True):
        for each in numbers:
            stage.world.set_journey(each.value, journey)
    subscription = stage.world.subscribe(
        subscription_id="s", url="https://host.example/h", credential="shown", numbers=[]
    )
    stage.world.clock.advance(timedelta(days=9).total_seconds())
    steps = [step for parcel in stage.world.parcels() for step in parcel.steps_until_now()]

    assert {step.kind for step in steps} == set(StepKind) - {StepKind.VOIDED}
    pushed: set[str] = set()
    for step in steps:
        push = stage.dialect.pushes(step, subscription)
        assert push.headers["credential"] == "shown"
        (result,) = UPS.read_webhook(delivery(push.body))
        pushed |= {event.event_id for event in result.events}
        pointer = ("components", "schemas", "TrackingEventRequest")
        assert complaints("UPSTrackAlert", pointer, "<", json.loads(push.body)) == []
    stage.token = stage.run(UPS.authenticate())
    answers = [stage.run(UPS.track(TrackQuery(number=numbers[0]))) for numbers in booked]
    assert pushed == {event.event_id for answer in answers for event in answer.events}


def test_a_push_after_the_fourteenth_day_does_not_come() -> None:
    stage = Stage()
    booked = stage.book()
    request = SubscriptionRequest(numbers=booked.tracking_numbers, callback_url="https://host.example/h", secret="s")
    subscription = stage.run(UPS.subscribe(request))
    (record,) = stage.world.subscriptions()

    assert record.expires_at is not None
    assert subscription.ends_on == record.expires_at.date()
    assert record.expires_at - START == timedelta(days=14)


@contextlib.contextmanager
def receiver(received: list[tuple[dict[str, str], bytes]]) -> Iterator[str]:
    """A host's endpoint on loopback that keeps what is pushed to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/push"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
