"""Recorded reality: every exchange of an operation that the plugin has ends in canonical values or the right error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import NotFoundError, RejectedError
from shipkit.model import (
    AddressCheck,
    AddressCheckResult,
    AddressVerdict,
    BookingState,
    CancelOutcome,
    CancelRequest,
    ChargeType,
    Document,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    InsuranceRequest,
    LabelSpec,
    ManifestRequest,
    ManifestState,
    Milestone,
    Money,
    PickupCancelRequest,
    PickupRequest,
    PickupState,
    PickupWindow,
    PolicyState,
    RefundRequest,
    RefundState,
    Shipment,
    TimeBasis,
    TrackQuery,
)
from shipkit.testing import Exchange, Played, Recording, play, playback
from tests.easypost.samples import EASYPOST, ELIZABETH, JACK, ORDER, QUOTED, number

#: Exchanges of operations that the plugin does not have, by method and URL, with one word why.
NOT_OURS = {
    ("POST", "https://api.easypost.com/beta/rates"): "beta",
    ("POST", "https://api.easypost.com/v2/customs_infos"): "inlined",
    ("POST", "https://api.easypost.com/v2/claims"): "claims",
    ("POST", "https://api.easypost.com/v2/shipments/shp_322d89bfe10e4874a31e20e3a001be24/rerate"): "re-rating",
}


@pytest.fixture(scope="module")
def recordings(shared: Path) -> dict[str, Recording]:
    found = {path.stem: playback(path) for path in sorted((shared / "recordings/easypost").glob("*.json"))}
    assert len(found) == 22
    return found


def at(recordings: dict[str, Recording], name: str, index: int = -1) -> Exchange:
    return recordings[name].exchanges[index]


def track(exchange: Exchange) -> Played[Any]:
    query = TrackQuery(number=number("EZ1000000001", "easypost"))
    return play(EASYPOST.track(query), exchange.reply)


def buy(draft: Exchange, bought: Exchange) -> Played[Shipment]:
    request = attrs.evolve(ORDER, label=None)
    return play(EASYPOST.create_shipment(request), draft.reply, bought.reply)


PICKUP = PickupRequest(
    reference="pickup-1",
    pickup_from=JACK,
    window=PickupWindow(day=date(2025, 3, 8), ready=time(9), close=time(17)),
    package_count=1,
    shipment_ids=("shp_2d1487afd0f541a4bcf9fecc1b02b28d",),
    instructions="Pickup at front door",
)
MANIFEST = ManifestRequest(
    ship_from=ELIZABETH, day=date(2025, 3, 7), shipment_ids=("shp_c1dd0ad87cfc4a038e632cb27d1d88a6",)
)


def test_every_recorded_rate_is_read_to_the_cent(recordings: dict[str, Recording]) -> None:
    quotes = play(EASYPOST.rates(QUOTED), at(recordings, "test_shipment_create").reply).value

    assert {quote.service: quote.total for quote in quotes} == {
        "usps/Express": Money(Decimal("34.15"), "USD"),
        "usps/Priority": Money(Decimal("7.42"), "USD"),
        "usps/GroundAdvantage": Money(Decimal("6.07"), "USD"),
    }
    assert all(quote.quote_id and quote.quote_id.startswith("shp_") and "/rate_" in quote.quote_id for quote in quotes)
    assert all(quote.transit is not None and quote.zone == "4" for quote in quotes)


def test_a_recorded_purchase_has_its_number_its_label_and_its_price(recordings: dict[str, Recording]) -> None:
    recording = recordings["test_shipment_buy"]
    played = buy(*recording.exchanges)
    shipment = played.value

    assert played.methods == ["POST", "POST"]
    assert played.urls[1] == recording.exchanges[1].request.url
    assert played.bodies[1] == json.loads(recording.exchanges[1].request.content)
    assert shipment.tracking_numbers == (shipment.packages[0].tracking_number,)
    assert shipment.tracking_numbers[0].value == "9400100208303109505657"
    assert shipment.service == "usps/GroundAdvantage"
    assert shipment.state is BookingState.CONFIRMED
    assert [charge.type for charge in shipment.charges] == [ChargeType.BASE]
    assert shipment.total == Money(Decimal("6.07"), "USD")
    (label,) = shipment.documents
    assert (label.kind, label.format, label.dpi) == (DocumentKind.LABEL, DocumentFormat.PNG, 300)
    assert label.url is not None and label.url.endswith("e813a2cf6d079c4ea49714758be7711be0.png")


def test_every_recorded_shipment_that_was_bought_is_read(recordings: dict[str, Recording]) -> None:
    read = []
    for recording in recordings.values():
        for exchange in recording.exchanges:
            body = json.loads(exchange.reply.content)
            if isinstance(body, dict) and body.get("object") == "Shipment" and body["postage_label"]:
                shipment = buy(exchange, exchange).value
                assert shipment.shipment_id == body["id"]
                assert shipment.tracking_numbers[0].value == body["tracking_code"]
                assert shipment.documents[0].url == body["postage_label"]["label_url"]
                read.append(shipment)

    assert len(read) >= 12
    assert {shipment.state for shipment in read} == {BookingState.CONFIRMED, BookingState.VOIDED}


def test_a_converted_label_is_given_in_the_format_asked_for(recordings: dict[str, Recording]) -> None:
    bought, converted = recordings["test_shipment_convert_label"].exchanges[1:]
    query = DocumentQuery(
        shipment_id="shp_5f25253b03cd4bd18d27f49763f2433b",
        tracking_numbers=(number(),),
        label=LabelSpec(format=DocumentFormat.ZPL),
    )
    played = play(EASYPOST.documents(query), bought.reply, converted.reply)
    (label,) = played.value

    assert played.urls[1] == converted.request.url
    assert label.format is DocumentFormat.ZPL
    assert label.url == (
        "https://easypost-files.s3-us-west-2.amazonaws.com/files/postage_label/20250307/"
        "e23ee2095e0f48a1a5deefdf4dca9ea7.zpl"
    )


def test_every_host_of_a_recorded_document_is_one_that_the_facts_name(recordings: dict[str, Recording]) -> None:
    named = {host for hosts in EASYPOST.facts().document_hosts.values() for host in hosts}
    content = b"".join(exchange.reply.content for one in recordings.values() for exchange in one.exchanges)
    seen = {url.split(b"/")[2].decode() for url in content.split(b'"') if url.startswith(b"https://easypost-files")}

    assert seen == named


def test_a_recorded_refund_is_one_that_the_carrier_still_decides(recordings: dict[str, Recording]) -> None:
    exchange = at(recordings, "test_shipment_refund")
    request = CancelRequest(
        shipment_id="shp_700d2963c43b4847883c955eeb846b13", reference="order", tracking_numbers=(number(),)
    )
    played = play(EASYPOST.cancel_shipment(request), exchange.reply)

    assert played.urls == [exchange.request.url]
    assert played.value.outcome is CancelOutcome.REQUESTED
    assert played.value.refund is RefundState.PENDING


def test_recorded_refunds_by_number_are_joined_by_the_number(recordings: dict[str, Recording]) -> None:
    exchange = at(recordings, "test_refund_create")
    request = RefundRequest(tracking_numbers=(number("9400100208303109500775"), number("9400100208303109500000")))
    result = play(EASYPOST.refund(request), exchange.reply).value

    assert [package.outcome for package in result.packages] == [CancelOutcome.REQUESTED, CancelOutcome.NOT_FOUND]
    assert result.outcome is CancelOutcome.PARTLY

    alone = play(EASYPOST.refund(attrs.evolve(request, tracking_numbers=request.tracking_numbers[:1])), exchange.reply)
    assert alone.bodies == [json.loads(exchange.request.content)]


def test_a_recorded_shipment_that_was_retrieved_gives_its_papers(recordings: dict[str, Recording]) -> None:
    exchange = at(recordings, "test_refund_create", 1)
    query = DocumentQuery(shipment_id="shp_82abbe8e8a1f4746bfbe7c943906c52c", tracking_numbers=(number(),))
    played = play(EASYPOST.documents(query), exchange.reply)

    assert played.urls == [exchange.request.url]
    assert [document.kind for document in played.value] == [DocumentKind.LABEL]


def test_recorded_trackers_keep_every_event_and_what_is_known_of_its_time(recordings: dict[str, Recording]) -> None:
    exchanges = [at(recordings, "test_tracker_create", 0), *recordings["test_tracker_retrieve"].exchanges]
    for exchange in exchanges:
        result = track(exchange).value
        announced, printed = result.events

        assert [event.milestone for event in result.events] == [Milestone.ANNOUNCED, Milestone.ANNOUNCED]
        assert announced.time.basis is TimeBasis.NONE, "EasyPost prints Z where it knows no place"
        assert announced.time.offset_min is None
        assert (printed.time.basis, printed.time.offset_min) == (TimeBasis.OFFSET, 0)
        assert printed.place is not None and printed.place.city == "HOUSTON"
        assert result.finished is None, "finalized is true before the parcel moves: it says nothing"

    assert track(exchanges[0]).bodies == [json.loads(exchanges[0].request.content)]


def test_a_recorded_address_that_does_not_exist_is_said_to_fail(recordings: dict[str, Recording]) -> None:
    checks = [*recordings["test_address_create_verify"].exchanges]
    results: list[AddressCheckResult] = [
        play(EASYPOST.check_address(AddressCheck(address=JACK.address)), exchange.reply).value  # type: ignore[arg-type]
        for exchange in checks
    ]

    assert {result.verdict for result in results} == {AddressVerdict.FAILED}
    assert [message.carrier_code for message in results[1].messages] == ["E.ADDRESS.NOT_FOUND"]


def test_a_recorded_refusal_to_verify_is_a_verdict_not_an_error(recordings: dict[str, Recording]) -> None:
    created, refused = recordings["test_address_verify_invalid_address"].exchanges
    for exchange in (created, refused):
        check = EASYPOST.check_address(AddressCheck(address=JACK.address))  # type: ignore[arg-type]
        assert play(check, exchange.reply).value.verdict is AddressVerdict.FAILED

    (message,) = play(
        EASYPOST.check_address(AddressCheck(address=JACK.address)),
        refused.reply,  # type: ignore[arg-type]
    ).value.messages
    assert message.carrier_code == "ADDRESS.VERIFY.FAILURE"
    assert message.text == ("Unable to verify address.; address: Address not found; street1: House number is missing")


def test_the_addresses_that_easypost_corrected_are_read_as_corrected(recordings: dict[str, Recording]) -> None:
    # The same address, verified inside a shipment that was bought: capitals, and four more digits.
    body = json.loads(at(recordings, "test_shipment_buy").reply.content)["to_address"]
    reply = attrs.evolve(at(recordings, "test_address_create_verify").reply, content=json.dumps(body).encode())
    result = play(EASYPOST.check_address(AddressCheck(address=ELIZABETH.address)), reply).value  # type: ignore[arg-type]

    assert result.verdict is AddressVerdict.VERIFIED
    assert result.candidates[0].postal_code == "90277-2506"
    elsewhere = attrs.evolve(ELIZABETH.address, lines=("197 N Harbor Dr",))  # type: ignore[misc]
    assert play(EASYPOST.check_address(AddressCheck(address=elsewhere)), reply).value.verdict is (
        AddressVerdict.CORRECTED
    )


@pytest.mark.parametrize("name", ["test_pickup_buy", "test_pickup_cancel"])
def test_a_recorded_pickup_is_drafted_and_bought(recordings: dict[str, Recording], name: str) -> None:
    drafted, bought = recordings[name].exchanges[1:3]
    played = play(EASYPOST.book_pickup(PICKUP), drafted.reply, bought.reply)

    assert played.urls[1] == bought.request.url
    assert played.bodies[1] == json.loads(bought.request.content)
    assert played.value.state is PickupState.CONFIRMED
    assert played.value.confirmation.startswith("pickup_") and "/WTC" in played.value.confirmation
    assert played.value.total == Money(Decimal("0.00"), "USD")


def test_a_recorded_draft_of_a_pickup_offers_a_rate(recordings: dict[str, Recording]) -> None:
    drafted = at(recordings, "test_pickup_create")
    bought = at(recordings, "test_pickup_buy")

    assert play(EASYPOST.book_pickup(PICKUP), drafted.reply, bought.reply).bodies[1] == {
        "carrier": "USPS",
        "service": "NextDay",
    }


def test_a_recorded_pickup_is_called_off_by_the_confirmation_it_was_given(recordings: dict[str, Recording]) -> None:
    drafted, bought, cancelled = recordings["test_pickup_cancel"].exchanges[1:]
    confirmation = play(EASYPOST.book_pickup(PICKUP), drafted.reply, bought.reply).value.confirmation
    played = play(EASYPOST.cancel_pickup(PickupCancelRequest(confirmation=confirmation)), cancelled.reply)

    assert played.urls == [cancelled.request.url]
    assert played.value.outcome is CancelOutcome.VOIDED


def test_a_recorded_scan_form_closes_the_shipments_named(recordings: dict[str, Recording]) -> None:
    manifest = play(EASYPOST.close_manifest(MANIFEST), at(recordings, "test_scanform_create").reply).value

    assert manifest.state is ManifestState.CLOSED
    assert [entry.accepted for entry in manifest.entries] == [True]
    assert [(paper.kind, paper.format) for paper in manifest.documents] == [(DocumentKind.MANIFEST, DocumentFormat.PDF)]


def test_recorded_insurances_say_what_is_insured_and_what_it_costs(recordings: dict[str, Recording]) -> None:
    alone, shipped = at(recordings, "test_insurance_create"), at(recordings, "test_shipment_insure")
    request = InsuranceRequest(
        reference="order",
        number=number("9400100208303109500690"),
        ship_from=JACK,
        ship_to=ELIZABETH,
        amount=Money(Decimal(100), "USD"),
    )
    policy = play(EASYPOST.insure(request), alone.reply).value
    assert (policy.policy_id, policy.state) == ("ins_dcf565145ccf4f04a8d820d810590ad5", PolicyState.PENDING)
    assert (policy.amount, policy.fee) == (request.amount, Money(Decimal(1), "USD"))

    theirs = attrs.evolve(request, shipment_id="shp_2b8295fe50f048baaaf8378ba1a4b629")
    played = play(EASYPOST.insure(theirs), shipped.reply)
    assert played.urls == [shipped.request.url]
    assert played.bodies == [json.loads(shipped.request.content)]
    assert (played.value.state, played.value.amount) == (PolicyState.ACTIVE, request.amount)


def test_a_recorded_list_is_searched_to_its_last_page(recordings: dict[str, Recording]) -> None:
    first, second = recordings["test_shipment_get_next_page"].exchanges
    pages = [json.loads(exchange.reply.content) for exchange in (first, second)]
    pages[1]["has_more"] = False
    wanted = pages[1]["shipments"][3]
    wanted["reference"] = ORDER.mark
    replies = [attrs.evolve(first.reply, content=json.dumps(page).encode()) for page in pages]
    unknown = at(recordings, "test_error_alternative_format").reply

    played = play(EASYPOST.find_shipments(ORDER), unknown, *replies)

    assert [shipment.shipment_id for shipment in played.value] == [wanted["id"]]
    assert "before_id=shp_6b4d00550e884c07985eaeccfbdf4fc1" in played.urls[2]


def test_recorded_refusals_keep_the_carriers_own_code_and_words(recordings: dict[str, Recording]) -> None:
    error = play(EASYPOST.rates(QUOTED), at(recordings, "test_error").reply).raised(RejectedError)
    assert (error.carrier_code, error.http_status) == ("PARAMETER.REQUIRED", 422)
    assert error.carrier_message == "Missing required parameter.; shipment: cannot be blank"
    assert error.request_id == at(recordings, "test_error").reply.headers["x-ep-request-uuid"]

    other = play(EASYPOST.track(TrackQuery(number=number())), at(recordings, "test_error_alternative_format").reply)
    assert other.raised(NotFoundError).carrier_message.endswith(
        "No eligible insurance found with provided tracking code."
    )


def _read_draft(exchange: Exchange) -> Any:
    return play(EASYPOST.rates(QUOTED), exchange.reply).value


def _read_list(exchange: Exchange) -> Any:
    page = attrs.evolve(
        exchange.reply, content=exchange.reply.content.replace(b'"has_more": true', b'"has_more": false')
    )
    quoted = attrs.evolve(exchange.reply, status=404, content=b'{"error": {"code": "NOT_FOUND"}}')
    return play(EASYPOST.find_shipments(ORDER), quoted, page).value


def _read_documents(exchange: Exchange) -> tuple[Document, ...]:
    query = DocumentQuery(shipment_id="shp_1", tracking_numbers=(number(),))
    return play(EASYPOST.documents(query), exchange.reply).value


def _read_pickup(exchange: Exchange) -> Any:
    return play(EASYPOST.book_pickup(PICKUP), exchange.reply, exchange.reply).value


def _read_address(exchange: Exchange) -> Any:
    return play(EASYPOST.check_address(AddressCheck(address=JACK.address)), exchange.reply).value  # type: ignore[arg-type]


READERS: list[tuple[str, str, Callable[[Exchange], Any]]] = [
    ("GET", "/v2/shipments?", _read_list),
    ("GET", "/v2/shipments/", _read_documents),
    ("POST", "/v2/shipments/", lambda exchange: buy(exchange, exchange).value),
    ("POST", "/v2/shipments", _read_draft),
    ("GET", "/v2/addresses/", _read_address),
    ("POST", "/v2/addresses", _read_address),
    ("POST", "/v2/pickups", _read_pickup),
    ("GET", "/v2/trackers/", lambda exchange: track(exchange).value),
    ("POST", "/v2/trackers", lambda exchange: track(exchange).value),
    (
        "POST",
        "/v2/refunds",
        lambda exchange: play(EASYPOST.refund(RefundRequest(tracking_numbers=(number(),))), exchange.reply).value,
    ),
    ("POST", "/v2/scan_forms", lambda exchange: play(EASYPOST.close_manifest(MANIFEST), exchange.reply).value),
    (
        "POST",
        "/v2/insurances",
        lambda exchange: (
            play(
                EASYPOST.insure(
                    InsuranceRequest(
                        reference="o",
                        number=number(),
                        ship_from=JACK,
                        ship_to=ELIZABETH,
                        amount=Money(Decimal(1), "USD"),
                    )
                ),
                exchange.reply,
            ).value
        ),
    ),
]


def test_every_exchange_is_read_or_listed_with_the_reason(recordings: dict[str, Recording]) -> None:
    read, listed = 0, set()
    for name, recording in recordings.items():
        for exchange in recording.exchanges:
            request = exchange.request
            if (request.method, request.url) in NOT_OURS:
                listed.add((request.method, request.url))
                continue
            path = request.url.removeprefix("https://api.easypost.com")
            reader = next(
                found for method, start, found in READERS if method == request.method and path.startswith(start)
            )
            if name == "test_error":
                with pytest.raises(RejectedError):
                    reader(exchange)
            else:
                assert reader(exchange) is not None
            read += 1

    assert listed == set(NOT_OURS)
    assert read == 38
    assert all(" " not in why for why in NOT_OURS.values())
