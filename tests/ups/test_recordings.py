"""Recorded reality: every exchange ends in canonical values or in the right error."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import RejectedError
from shipkit.model import (
    AddressCheck,
    AddressCheckLevel,
    AddressKind,
    AddressVerdict,
    BookingState,
    CancelOutcome,
    CancelRequest,
    ChargeType,
    Commitment,
    DocumentFormat,
    DocumentKind,
    IntRange,
    Money,
    NumberRole,
    PriceBasis,
    Weight,
    WeightUnit,
)
from shipkit.testing import Exchange, play, playback
from tests.ups.referee import reply_complaints
from tests.ups.samples import LEAD, ORDER, QUOTED, RALEIGH, UPS, number

Recorded = Callable[[str], Exchange]
NAMES = {
    "access_token_success",
    "address_classification_commercial_address",
    "labels_failure",
    "labels_success",
    "rates_failure",
    "rates_success",
    "timings_success",
    "void_success",
}


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Recorded:
    folder = shared / "recordings/ups"
    assert {path.stem for path in folder.glob("*.json")} == NAMES

    def exchange(name: str) -> Exchange:
        (only,) = playback(folder / f"{name}.json").exchanges
        return only

    return exchange


def test_a_token_lives_as_long_as_ups_says(recorded: Recorded) -> None:
    exchange = recorded("access_token_success")
    played = play(UPS.authenticate(), exchange.reply)

    assert played.value.value == json.loads(exchange.reply.content)["access_token"]
    assert played.value.expires_at == played.responses[0].received_at + timedelta(seconds=14399)
    (sent,) = played.requests
    assert (sent.method, sent.url) == (exchange.request.method, exchange.request.url)
    assert sent.content == exchange.request.content
    assert {"authorization", "x-merchant-id"} <= {name.lower() for name in sent.headers}


def test_every_service_is_a_quote_whose_charges_add_up(recorded: Recorded) -> None:
    reply = recorded("rates_success").reply
    quotes = play(UPS.rates(QUOTED), reply).value
    rows = json.loads(reply.content)["RateResponse"]["RatedShipment"]

    assert [quote.service for quote in quotes] == [row["Service"]["Code"] for row in rows]
    for quote, row in zip(quotes, rows, strict=True):
        assert quote.total == Money(Decimal(row["TotalCharges"]["MonetaryValue"]), "USD")
        assert sum(charge.amount.amount for charge in quote.charges) == quote.total.amount
        assert {charge.type for charge in quote.charges} == {ChargeType.BASE, ChargeType.FUEL, ChargeType.RESIDENTIAL}
        assert {charge.package_ref for charge in quote.charges} == {None, "first", "second"}
        assert quote.basis is PriceBasis.LIST
        assert [note.carrier_code for note in quote.messages] == [
            alert["Code"] for alert in _listed(row["RatedShipmentAlert"])
        ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_guaranteed_service_says_how_many_days_it_takes(recorded: Recorded) -> None:
    quotes = play(UPS.rates(QUOTED), recorded("rates_success").reply).value
    transits = {quote.service: quote.transit for quote in quotes}

    ground, second_day = transits["03"], transits["02"]
    assert ground is None
    assert second_day is not None and second_day.business_days == IntRange(least=2, most=2)
    assert second_day.commitment is Commitment.GUARANTEED


def test_only_the_services_asked_for_are_quoted(recorded: Recorded) -> None:
    request = attrs.evolve(QUOTED, services=("02", "12"))

    assert [quote.service for quote in play(UPS.rates(request), recorded("rates_success").reply).value] == ["02", "12"]


@pytest.mark.parametrize(("name", "code"), [("rates_failure", "111285"), ("labels_failure", "120202")])
def test_a_refusal_carries_ups_own_code_and_text(recorded: Recorded, name: str, code: str) -> None:
    reply = recorded(name).reply
    flow = UPS.rates(QUOTED) if name == "rates_failure" else UPS.create_shipment(ORDER)
    error = play(flow, reply).raised(RejectedError)

    assert (error.carrier_code, error.http_status) == (code, 400)
    assert error.carrier_message == json.loads(reply.content)["response"]["errors"][0]["message"]
    assert error.request_id == reply.headers["bkndtransid"]


def test_a_booking_has_its_numbers_labels_and_price(recorded: Recorded) -> None:
    shipment = play(UPS.create_shipment(ORDER), recorded("labels_success").reply).value

    assert shipment.state is BookingState.CONFIRMED
    assert [package.ref for package in shipment.packages] == ["first", "second"]
    assert [number.role for number in shipment.tracking_numbers] == [NumberRole.MASTER, NumberRole.PIECE]
    assert shipment.shipment_id == shipment.tracking_numbers[0].value
    assert shipment.billable_weight == Weight(Decimal("8.0"), WeightUnit.LB)
    assert (shipment.total, shipment.basis) == (Money(Decimal("47.48"), "USD"), PriceBasis.NEGOTIATED)
    assert [paper.package_refs for paper in shipment.documents] == [("first",), ("second",)]
    for package in shipment.packages:
        assert {charge.type for charge in package.charges} == {ChargeType.BASE, ChargeType.FUEL}


def test_a_negotiated_total_without_rows_leaves_a_difference_that_is_named(recorded: Recorded) -> None:
    shipment = play(UPS.create_shipment(ORDER), recorded("labels_success").reply).value

    assert shipment.total is not None
    assert sum(charge.amount.amount for charge in shipment.charges) == shipment.total.amount
    (rest,) = [charge for charge in shipment.charges if charge.type is ChargeType.UNEXPLAINED]
    assert rest.amount == Money(Decimal("-0.48"), "USD")


def test_the_labels_are_the_bytes_that_ups_sent(recorded: Recorded) -> None:
    reply = recorded("labels_success").reply
    shipment = play(UPS.create_shipment(ORDER), reply).value
    rows = json.loads(reply.content)["ShipmentResponse"]["ShipmentResults"]["PackageResults"]

    assert [paper.content for paper in shipment.documents] == [
        base64.b64decode(row["ShippingLabel"]["GraphicImage"]) for row in rows
    ]
    assert all(paper.content is not None and paper.content.startswith(b"GIF8") for paper in shipment.documents)
    assert {(paper.kind, paper.format) for paper in shipment.documents} == {(DocumentKind.LABEL, DocumentFormat.GIF)}


def test_every_service_has_its_day_of_arrival_under_the_code_of_its_price(recorded: Recorded) -> None:
    transits = play(UPS.transit_times(QUOTED), recorded("timings_success").reply).value
    found = {transit.service: transit.transit for transit in transits}

    assert set(found) == {"14", "01", "13", "02", "03", "12"}
    ground, early = found["03"], found["14"]
    assert (ground.commitment, early.commitment) == (Commitment.TARGET, Commitment.GUARANTEED)
    assert ground.business_days == IntRange(least=2, most=2)
    assert early.window is not None and early.window.latest is not None
    assert early.window.latest.local == datetime(2024, 1, 30, 8, 0)


def test_a_void_is_voided(recorded: Recorded) -> None:
    exchange = recorded("void_success")
    request = CancelRequest(shipment_id=LEAD, reference="order-1042", tracking_numbers=(number(),))
    played = play(UPS.cancel_shipment(request), exchange.reply)

    assert played.value.outcome is CancelOutcome.VOIDED
    assert played.methods == ["DELETE"]
    assert played.urls[0] == exchange.request.url.replace("/v1/", "/v2409/")


def test_an_address_is_classified(recorded: Recorded) -> None:
    assert RALEIGH.address is not None
    check = AddressCheck(address=RALEIGH.address, level=AddressCheckLevel.CLASSIFY)
    result = play(UPS.check_address(check), recorded("address_classification_commercial_address").reply).value

    assert (result.verdict, result.kind) == (AddressVerdict.VERIFIED, AddressKind.BUSINESS)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_published_files_with_their_corrections_describe_what_was_recorded(recorded: Recorded, name: str) -> None:
    exchange = recorded(name)
    request, reply = exchange.request, exchange.reply

    assert reply_complaints(request.method, request.url, reply.status, json.loads(reply.content)) == []
