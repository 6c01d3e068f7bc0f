"""The simulated EasyPost: its replies have the form of the recorded ones, and the client gets along with it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from shipkit.client import Client
from shipkit.errors import InDoubtError, NotFoundError, RejectedError
from shipkit.model import (
    AddressCheck,
    AddressVerdict,
    BookingState,
    CancelOutcome,
    DocumentFormat,
    DocumentQuery,
    InsuranceRequest,
    LabelSpec,
    ManifestRequest,
    ManifestState,
    Milestone,
    Money,
    PickupRequest,
    PickupState,
    PickupWindow,
    PolicyState,
    RefundRequest,
    ReturnLabelKind,
    ReturnRequest,
    ShipmentRequest,
    SubscriptionRequest,
    TrackQuery,
)
from shipkit.simulator import Call, Clock, Simulator, World
from shipkit.testing import Exchange, is_masked, playback
from shipkit_easypost import EasyPost
from shipkit_easypost.simulator import EasyPostDialect
from tests.easypost.samples import CUSTOMS, ELIZABETH, JACK, KEY, ORDER, QUOTED

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
WANTED = attrs.evolve(ORDER, mark=None)
WINDOW = PickupWindow(day=date(2026, 3, 3), ready=time(9), close=time(17), zone="America/Los_Angeles")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(EasyPostDialect(World(Clock(START)))) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    account = EasyPost(api_key=KEY, base_url=simulator.url, webhook_secret="sécret")
    with Client({"ep": account}) as made:
        yield made


def buy(client: Client, key: str = "k1", request: ShipmentRequest = WANTED) -> Any:
    return client.create_shipment(request, account="ep", key=key)


# The form of the replies


class Asking:
    """EasyPost's dialect without a socket: the recorded requests are put to it as they are."""

    def __init__(self) -> None:
        self.world = World(Clock(START))
        self.dialect = EasyPostDialect(self.world)
        self.ids: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        url = urlsplit(path)
        call = Call(
            method=method,
            path=url.path,
            query_string=url.query,
            headers={"authorization": "Bearer EZTK_any"},  # type: ignore[arg-type]
            body=b"" if body is None else json.dumps(body).encode(),
        )
        reply = self.dialect.handle(call)
        self.status = reply.status
        return json.loads(reply.body)


def shapes(value: object, at: str = "$") -> dict[str, set[str]]:
    """The paths of *value* and the types that stand there; text that holds a number is text."""
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


def kind_of(exchange: Exchange) -> str:
    """Replies of one kind: the same operation, and for a shipment whether it is bought."""
    path = urlsplit(exchange.request.url).path.removeprefix("/v2/")
    parts = [part if "_" not in part or part in ("scan_forms", "customs_infos") else "{id}" for part in path.split("/")]
    body = json.loads(exchange.reply.content)
    bought = " bought" if isinstance(body, dict) and body.get("postage_label") else ""
    return f"{exchange.request.method} {'/'.join(parts)} {exchange.reply.status}{bought}"


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, list[Exchange]]:
    kinds: dict[str, list[Exchange]] = {}
    for file in sorted((shared / "recordings/easypost").glob("*.json")):
        for exchange in playback(file).exchanges:
            if not exchange.request.url.endswith(("/beta/rates", "/claims")):
                kinds.setdefault(kind_of(exchange), []).append(exchange)
    return kinds


def put_again(asking: Asking, recording: list[Exchange]) -> Iterator[tuple[Exchange, Any]]:
    """A recorded conversation put to the simulator, its ids replaced by those that the simulator gave."""
    ids: dict[str, str] = {}
    for exchange in recording:
        request = exchange.request
        text = request.url.removeprefix("https://api.easypost.com") + "\n" + request.content.decode()
        for theirs, ours in ids.items():
            text = text.replace(theirs, ours)
        path, _, body = text.partition("\n")
        answer = asking.ask(request.method, path, json.loads(body) if body else None)
        ids |= dict(_pairs(json.loads(exchange.reply.content), answer))
        yield exchange, answer
        asking.world.clock.advance(1)


def _pairs(theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in theirs.keys() & ours.keys():
            yield from _pairs(theirs[name], ours[name])
    elif isinstance(theirs, list) and isinstance(ours, list):
        for a, b in zip(_sorted(theirs), _sorted(ours), strict=False):
            yield from _pairs(a, b)
    elif isinstance(theirs, str) and isinstance(ours, str) and theirs != ours and len(theirs) > 15:
        yield theirs, ours


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: str(row.get("service", ""))) if rows and isinstance(rows[0], dict) else rows


def test_every_reply_has_the_paths_and_types_of_the_recorded_ones_of_its_kind(
    shared: Path, recorded: dict[str, list[Exchange]]
) -> None:
    asked: set[str] = set()
    for file in sorted((shared / "recordings/easypost").glob("*.json")):
        exchanges = [e for e in playback(file).exchanges if not e.request.url.endswith(("/beta/rates", "/claims"))]
        asking = Asking()
        for exchange, answer in put_again(asking, exchanges):
            if file.stem == "test_shipment_get_next_page":
                continue  # its shipments were made before the recording began: see the next test
            assert asking.status == exchange.reply.status, (file.stem, exchange.request.url, answer)
            asked.add(kind := kind_of(exchange))
            compare(answer, [json.loads(one.reply.content) for one in recorded[kind]], kind)

    assert asked == {kind for kind in recorded if "GET shipments 200" not in kind}


def test_a_page_of_the_list_has_the_paths_and_types_of_a_recorded_one(recorded: dict[str, list[Exchange]]) -> None:
    asking = Asking()
    for _ in range(3):
        for exchange in recorded["POST shipments 201 bought"][:1]:
            asking.ask("POST", "/v2/shipments", json.loads(exchange.request.content))
        asking.world.clock.advance(60)
    answer = asking.ask("GET", "/v2/shipments?page_size=2")

    (kind,) = [kind for kind in recorded if "GET shipments 200" in kind]
    compare(answer, [json.loads(one.reply.content) for one in recorded[kind]], kind)


def compare(ours: Any, theirs: list[Any], kind: str) -> None:
    """Nothing that no recorded reply of the kind has; nothing missing that all of them have, and only their types."""
    found, known = shapes(ours), [shapes(one) for one in theirs]
    allowed: dict[str, set[str]] = {}
    for one in known:
        for path, types in one.items():
            allowed.setdefault(path, set()).update(types)
    for path, types in found.items():
        assert path in allowed, f"{kind}: {path} is in no recorded reply"
        assert types <= allowed[path] or "masked" in allowed[path], (
            f"{kind}: {path} is {types}, recorded {allowed[path]}"
        )
    # What hangs on a member that may be empty is missing where it is.
    everywhere = set(known[0]).intersection(*known[1:])
    missing = {path for path in everywhere - set(found) if _is_empty(path, ours)}
    assert everywhere - set(found) == missing, (
        f"{kind}: {everywhere - set(found) - missing} are in all recorded replies"
    )


def _is_empty(path: str, value: Any) -> bool:
    parent = path.rpartition(".")[0] if "." in path.rpartition("[]")[2] else path.removesuffix("[]")
    while parent and parent != "$":
        if shapes(value).get(parent, {"NoneType"}) <= {"NoneType", "list"}:
            return True
        parent = parent.removesuffix("[]") if parent.endswith("[]") else parent.rpartition(".")[0]
    return False


# The client stack


def test_a_shipment_is_quoted_bought_and_returned_again(client: Client, simulator: Simulator) -> None:
    quotes = client.rates(QUOTED).quotes
    assert [quote.service for quote in quotes] == ["usps/GroundAdvantage", "usps/Priority", "usps/Express"]

    shipment = buy(client)
    assert shipment.state is BookingState.CONFIRMED
    assert shipment.total == quotes[0].total
    assert buy(client) == shipment
    (counts,) = simulator.counts().values()
    assert (counts.arrivals, counts.bookings, counts.live) == (1, 1, 1)
    assert list(simulator.counts("reference")) == [WANTED.reference]


@pytest.mark.parametrize("form", [DocumentFormat.PNG, DocumentFormat.PDF, DocumentFormat.ZPL, DocumentFormat.EPL])
def test_labels_are_fetched_from_their_links_in_the_format_ordered(
    client: Client, simulator: Simulator, form: DocumentFormat
) -> None:
    shipment = buy(client, request=attrs.evolve(WANTED, label=LabelSpec(format=form)))
    (label,) = shipment.documents

    assert label.format is form
    assert label.url is not None and label.url.startswith(simulator.url)
    assert codes(form, label.content) == [shipment.tracking_numbers[0].value]


def codes(form: DocumentFormat, content: bytes | None) -> list[str]:
    assert content is not None
    if form is DocumentFormat.PNG:
        image = Image.open(io.BytesIO(content))
        assert round(image.info["dpi"][0]) == 300
    elif form is DocumentFormat.PDF:
        image = pypdfium2.PdfDocument(content)[0].render(scale=4).to_pil()
    else:  # a printer's language: the number stands in it
        return [line for line in ("9400100208303000000015",) if line.encode() in content.replace(b">:", b"")]
    return [found.text for found in zxingcpp.read_barcodes(image)]


def test_the_label_of_a_quote_is_converted_to_the_format_ordered(client: Client, simulator: Simulator) -> None:
    quote = client.rates(QUOTED).quotes[0]
    request = attrs.evolve(WANTED, service=None, quote_id=quote.quote_id, label=LabelSpec(format=DocumentFormat.ZPL))
    shipment = buy(client, request=request)

    assert shipment.shipment_id == (quote.quote_id or "").partition("/")[0]
    assert [document.format for document in shipment.documents] == [DocumentFormat.ZPL]
    assert len(simulator.bookings()) == 1


def test_goods_for_abroad_need_their_declaration(client: Client) -> None:
    abroad = attrs.evolve(ELIZABETH, address=attrs.evolve(ELIZABETH.address, country="CA", postal_code="K1A0B1"))  # type: ignore[misc]
    request = attrs.evolve(WANTED, ship_to=abroad, customs=CUSTOMS, service="usps/PriorityMailInternational")

    assert buy(client, request=request).service == "usps/PriorityMailInternational"


def test_a_refusal_of_the_carrier_buys_nothing_and_may_be_tried_anew(client: Client, simulator: Simulator) -> None:
    with pytest.raises(RejectedError) as raised:
        buy(client, request=attrs.evolve(WANTED, reference="refuse"))
    assert raised.value.carrier_code == "SHIPMENT.POSTAGE.FAILURE"
    assert simulator.bookings() == ()

    assert buy(client).state is BookingState.CONFIRMED, "the same key, another payload"


@pytest.mark.parametrize(
    "fault", ["drop_after_commit", "500", "503", "empty_body", "truncated", "html_page", "commit_twice"]
)
def test_whatever_becomes_of_the_answer_there_is_one_booking_and_its_label(
    client: Client, simulator: Simulator, fault: str
) -> None:
    simulator.add_fault(fault)
    shipment = buy(client)

    assert len(simulator.bookings()) == 1
    assert shipment.tracking_numbers[0].value == simulator.bookings()[0].numbers[0]
    assert shipment.documents[0].content


@pytest.mark.parametrize("fault", ["drop_before", "200_with_error"])
def test_a_purchase_that_never_was_leaves_nothing_behind(client: Client, simulator: Simulator, fault: str) -> None:
    simulator.add_fault(fault)
    with pytest.raises((InDoubtError, RejectedError)):
        buy(client)

    assert simulator.bookings() == ()


def test_a_purchase_that_the_list_does_not_show_yet_stays_in_doubt(client: Client, simulator: Simulator) -> None:
    simulator.add_fault("find_lags", lag_s=600)
    simulator.add_fault("drop_after_commit")
    with pytest.raises(InDoubtError):
        buy(client)
    simulator.advance(601)

    assert buy(client).tracking_numbers[0].value == simulator.bookings()[0].numbers[0]
    assert len(simulator.bookings()) == 1


def test_a_lost_purchase_of_a_quote_is_found_by_the_quote(client: Client, simulator: Simulator) -> None:
    quote = client.rates(QUOTED).quotes[0]
    simulator.add_fault("drop_after_commit")
    shipment = buy(client, request=attrs.evolve(WANTED, service=None, quote_id=quote.quote_id))

    assert shipment.tracking_numbers[0].value == simulator.bookings()[0].numbers[0]


def test_a_lost_purchase_is_found_among_hundreds_of_others(client: Client, simulator: Simulator) -> None:
    asking = simulator.world
    dialect = EasyPostDialect(asking)
    body = json.dumps(
        {
            "shipment": {
                "from_address": {"street1": "1 A St", "country": "US"},
                "to_address": {"street1": "2 B St", "country": "US"},
                "parcel": {"weight": 1},
                "service": "Priority",
                "carrier_accounts": ["ca_1"],
            }
        }
    ).encode()
    simulator.add_fault("drop_after_commit")
    simulator.add_fault("find_lags", lag_s=60)
    with pytest.raises(InDoubtError):
        buy(client)
    header: Any = {"authorization": f"Bearer {KEY}"}
    with asking.lock:
        for _ in range(230):
            assert dialect.handle(Call(method="POST", path="/v2/shipments", headers=header, body=body)).status == 201
    simulator.advance(61)
    # The look-up by reference is not what finds it: EasyPost's list is read to its end.
    simulator.add_fault("html_page", operation="retrieve_shipment", status=404, times=None)
    with pytest.raises(InDoubtError):
        buy(client)
    simulator.faults.clear()

    assert buy(client).shipment_id == simulator.bookings()[0].id
    pages = [request for request in simulator.requests() if request.operation == "find_shipments"]
    assert len(pages) == 1 + 3  # before it showed, then three pages of at most a hundred


def test_a_refund_is_asked_for_once_and_not_once_the_parcel_is_on_its_way(client: Client, simulator: Simulator) -> None:
    buy(client)
    result = client.cancel_shipment(key="k1")
    assert result.outcome is CancelOutcome.REQUESTED
    assert client.cancel_shipment(key="k1") == result
    assert [booking.live for booking in simulator.bookings()] == [False]

    moving = buy(client, "k2")
    simulator.advance(7 * 3600)
    late = client.cancel_shipment(key="k2")
    assert late.outcome is CancelOutcome.REJECTED
    assert simulator.world.booking(moving.shipment_id).live


def test_a_number_is_refunded_whichever_shipment_it_is_of(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    request = RefundRequest(tracking_numbers=shipment.tracking_numbers)

    assert client.refund(request, account="ep", key="refund-1").outcome is CancelOutcome.REQUESTED
    assert simulator.invoice() == ()


def test_a_parcel_is_followed_to_its_door(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    seen = []
    for _ in range(8):
        (outcome,) = client.track(shipment.tracking_numbers, account="ep")
        assert outcome.value is not None
        seen.append(outcome.value.milestone)
        simulator.advance(6 * 3600)

    ordered = list(dict.fromkeys(seen))
    assert ordered[-3:] == [Milestone.IN_TRANSIT, Milestone.OUT_FOR_DELIVERY, Milestone.DELIVERED] or (
        ordered[-1] is Milestone.DELIVERED
    )
    assert outcome.value.proof is not None


@pytest.mark.parametrize("journey", ["delivered", "second_attempt", "pickup_point", "exception", "refused"])
def test_every_journey_can_be_told(client: Client, simulator: Simulator, journey: str) -> None:
    shipment = buy(client)
    with simulator.world.lock:
        simulator.world.set_journey(shipment.tracking_numbers[0].value, journey)
    simulator.advance(100 * 3600)
    (outcome,) = client.track(shipment.tracking_numbers, account="ep")

    assert outcome.value is not None
    expected = Milestone.RETURNING if journey == "refused" else Milestone.DELIVERED
    assert outcome.value.milestone is expected


def test_easyposts_test_numbers_and_a_number_of_nobody(client: Client) -> None:
    outcomes = client.track(["EZ1000000001", "EZ4000000004", "ZZ-nobody"], account="ep")

    assert outcomes[0].value is not None and outcomes[0].value.milestone is Milestone.ANNOUNCED
    assert outcomes[1].value is not None and outcomes[1].value.milestone is Milestone.DELIVERED
    assert isinstance(outcomes[2].error, RejectedError)


def test_an_address_is_verified_corrected_or_unknown(client: Client) -> None:
    def verdict(**change: Any) -> AddressVerdict:
        address = attrs.evolve(JACK.address, **change)  # type: ignore[type-var]
        return client.check_address(AddressCheck(address=address), account="ep").verdict

    assert verdict() is AddressVerdict.VERIFIED
    assert verdict(lines=("000 unknown street",)) is AddressVerdict.FAILED


def test_a_pickup_is_booked_and_called_off(client: Client, simulator: Simulator) -> None:
    request = PickupRequest(
        reference="pickup-1",
        pickup_from=JACK,
        window=WINDOW,
        package_count=1,
        shipment_ids=(buy(client).shipment_id,),
    )
    pickup = client.book_pickup(request, account="ep", key="p1")

    assert (pickup.state, pickup.window) == (PickupState.CONFIRMED, WINDOW)
    assert client.cancel_pickup(key="p1").outcome is CancelOutcome.VOIDED
    assert [record.state for record in simulator.world.pickups()] == ["voided"]


def test_a_day_is_closed_with_a_form_that_can_be_fetched(client: Client, simulator: Simulator) -> None:
    ids = (buy(client, "k1").shipment_id, buy(client, "k2").shipment_id)
    request = ManifestRequest(ship_from=JACK, day=START.date(), shipment_ids=ids)
    manifest = client.close_manifest(request, account="ep", key="m1")

    assert manifest.state is ManifestState.CLOSED
    assert [entry.accepted for entry in manifest.entries] == [True, True]
    assert urlsplit(manifest.documents[0].url or "").path in simulator.world.files
    with pytest.raises(InDoubtError):  # a second form over the same parcels: no listed refusal, so a person looks
        client.close_manifest(request, account="ep", key="m2")


def test_insurance_is_bought_later_and_billed(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    request = InsuranceRequest(
        reference="o",
        shipment_id=shipment.shipment_id,
        number=shipment.tracking_numbers[0],
        amount=Money(Decimal(250), "USD"),
    )
    policy = client.insure(request, account="ep", key="i1")

    assert (policy.state, policy.fee) == (PolicyState.ACTIVE, Money(Decimal("2.50"), "USD"))
    assert [line.amount for line in simulator.invoice() if line.what == "insurance"] == [Decimal("2.5")]


def test_a_return_is_bought_and_its_label_goes_the_other_way(client: Client, simulator: Simulator) -> None:
    back = attrs.evolve(WANTED, ship_from=ELIZABETH, ship_to=JACK, reference="back-1")
    request = ReturnRequest(shipment=back, kind=ReturnLabelKind.PRINTED)
    returned = client.create_return(request, account="ep", key="r1")

    assert returned.shipment is not None and returned.shipment.documents[0].content
    row = simulator.world.drawer("shipments")[returned.shipment.shipment_id]
    assert row["is_return"] and row["from_address"]["name"] == "Jack Sparrow"


def test_a_label_is_converted_on_demand(client: Client) -> None:
    shipment = buy(client)
    query = DocumentQuery(
        shipment_id=shipment.shipment_id,
        tracking_numbers=shipment.tracking_numbers,
        label=LabelSpec(format=DocumentFormat.PDF),
    )
    (label,) = client.documents(query, account="ep")

    assert label.format is DocumentFormat.PDF and (label.content or b"").startswith(b"%PDF")


def test_transit_times_come_from_the_lane(client: Client) -> None:
    times = {each.service: each.transit.business_days for each in client.transit_times(QUOTED, account="ep")}

    assert set(times) == {"usps/Express", "usps/Priority", "usps/GroundAdvantage"}
    assert times["usps/Express"] is not None and times["usps/Express"].most > times["usps/Express"].least


def test_pushes_are_signed_and_read_in_any_order(client: Client, simulator: Simulator) -> None:
    received: list[tuple[dict[str, str], bytes]] = []
    shipment = buy(client)
    with receiver(received) as url:
        request = SubscriptionRequest(numbers=shipment.tracking_numbers, callback_url=url)
        subscription = client.subscribe(request, account="ep", key="s1")
        assert subscription.accepted == shipment.tracking_numbers
        simulator.advance(100 * 3600, order="shuffled", copies=2)

    pushes = [client.receive_webhook("ep", headers, body) for headers, body in received]
    assert len(pushes) > 8
    assert all(push.results for push in pushes)
    assert {push.results[0].number.value for push in pushes} == {shipment.tracking_numbers[0].value}
    assert any(event.milestone is Milestone.DELIVERED for push in pushes for event in push.results[0].events)
    headers, body = received[0]
    assert client.receive_webhook("ep", headers, body.replace(b"USPS", b"UPSS")).results == ()


def test_a_subscription_that_is_renewed_pushes_once_and_is_signed_with_the_new_secret(
    client: Client, simulator: Simulator
) -> None:
    received: list[tuple[dict[str, str], bytes]] = []
    shipment = buy(client)
    with receiver(received) as url:
        request = SubscriptionRequest(numbers=shipment.tracking_numbers, callback_url=url, secret="of-yesterday")
        first = client.subscribe(request, account="ep", key="s1")
        again = client.subscribe(attrs.evolve(request, secret="sécret"), account="ep", key="s2")
        simulator.advance(100 * 3600)

    assert first.subscription_id == again.subscription_id
    assert len(simulator.world.subscriptions()) == 1
    assert len(received) == len({body for _, body in received})
    assert all(client.receive_webhook("ep", headers, body).results for headers, body in received)


def test_another_account_sees_nothing_of_it(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)
    other = EasyPost(api_key="EZTK-of-somebody-else", base_url=simulator.url)
    with Client({"other": other}) as stranger:
        query = DocumentQuery(shipment_id=shipment.shipment_id, tracking_numbers=shipment.tracking_numbers)
        with pytest.raises(NotFoundError):
            stranger.documents(query, account="other")


def test_a_production_key_gets_production_objects() -> None:
    asking = Asking()
    header: Any = {"authorization": "Basic RVpBSzo="}  # EZAK and no password
    call = Call(method="POST", path="/v2/addresses", headers=header, body=b'{"address": {"street1": "1 A St"}}')

    assert json.loads(asking.dialect.handle(call).body)["mode"] == "production"


def test_without_a_key_only_papers_are_given_out() -> None:
    asking = Asking()
    assert asking.dialect.handle(Call(method="GET", path="/v2/shipments")).status == 401
    asking.world.publish("/files/postage_label/x.png", b"x", "image/png")
    assert asking.dialect.handle(Call(method="GET", path="/files/postage_label/x.png")).status == 200


def test_the_tracking_numbers_have_the_check_digit_of_their_carrier() -> None:
    number: Callable[[str], str] = EasyPostDialect(World())._number
    for _ in range(50):
        digits = [int(digit) for digit in number("USPS")]
        assert sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0
        waybill = number("DHLExpress")
        assert int(waybill[:-1]) % 7 == int(waybill[-1])


def receiver(received: list[tuple[dict[str, str], bytes]]) -> Any:
    """A host's endpoint on loopback that keeps what is pushed to it."""
    import contextlib
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    @contextlib.contextmanager
    def running() -> Iterator[str]:
        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/push"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    return running()


def test_the_query_names_the_number_as_easypost_writes_it(simulator: Simulator) -> None:
    account = EasyPost(api_key=KEY, base_url=simulator.url)
    with Client({"ep": account}) as client:
        client.track([TrackQuery(number=buy(client).tracking_numbers[0])], account="ep")

    asked = [request.call.json() for request in simulator.requests() if request.operation == "track"]
    assert asked == [{"tracker": {"tracking_code": simulator.bookings()[0].numbers[0], "carrier": "USPS"}}]
