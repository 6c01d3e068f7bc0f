"""Every envelope that we build is one that the published description of the service accepts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from shipkit.flow import Request
from shipkit.model import CancelRequest, DocumentQuery, PickupRequest, ReturnRequest, ShipmentRequest, WeightUnit
from tests.dpd_fr.referee import valid_request
from tests.dpd_fr.samples import DPD
from tests.dpd_fr.strategies import cancellations, label_queries, pickups, returns, shipments

pytestmark = pytest.mark.usefixtures("shared")

# Requests that make no sense together (predict beside a relay point) are drawn and left out.
hypothesis = settings(suppress_health_check=list(HealthCheck))


def first(flow: Iterator[Any]) -> Request:
    request = next(flow)
    flow.close()  # type: ignore[attr-defined]
    assert isinstance(request, Request)
    return request


def leaves(request: Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in etree.fromstring(request.content).iter():
        if not len(element):
            found.setdefault(etree.QName(element).localname, []).append(element.text or "")
    return found


@hypothesis
@given(shipments())
def test_a_booking_validates_and_says_what_was_asked(asked: ShipmentRequest) -> None:
    sent = first(DPD.create_shipment(asked))

    several = len(asked.packages) > 1
    assert valid_request(sent.content) == ("CreateMultiShipmentBc" if several else "CreateShipmentWithLabelsBc")
    assert not sent.replayable
    told = leaves(sent)
    assert told["reference2"] == [asked.reference] * len(asked.packages)
    identity = asked.mark or asked.reference
    marks = [f"{identity}/{index + 1}" for index in range(len(asked.packages))] if several else [identity]
    assert told["referencenumber"] == marks
    for package, kilograms in zip(asked.packages, told["weight"], strict=True):
        assert Decimal(kilograms) == package.weight.to(WeightUnit.KG, ROUND_CEILING, "0.01")
    words = " ".join(value for values in told.values() for value in values)
    assert asked.ship_to.address is not None
    for line in asked.ship_to.address.lines:
        assert line in words


@hypothesis
@given(shipments())
def test_the_same_request_is_the_same_envelope(asked: ShipmentRequest) -> None:
    assert first(DPD.create_shipment(asked)) == first(DPD.create_shipment(asked))


@hypothesis
@given(shipments())
def test_a_look_up_validates_and_is_harmless(asked: ShipmentRequest) -> None:
    sent = first(DPD.find_shipments(asked))

    assert valid_request(sent.content) == "GetShipping"
    assert sent.replayable


@hypothesis
@given(returns())
def test_a_return_validates(asked: ReturnRequest) -> None:
    sent = first(DPD.create_return(asked))

    assert valid_request(sent.content) == "CreateReverseInverseShipmentWithLabelsBc"
    assert leaves(sent)["expire_offset"] == [str(asked.valid_days or 30)]


@given(pickups())
def test_a_pickup_validates(asked: PickupRequest) -> None:
    sent = first(DPD.book_pickup(asked))

    assert valid_request(sent.content) == "CreatePickupAtCustomerBc"
    assert leaves(sent).get("string", []) == [number.value for number in asked.tracking_numbers]


@given(cancellations())
def test_a_cancellation_validates(asked: CancelRequest) -> None:
    sent = first(DPD.cancel_shipment(asked))

    assert valid_request(sent.content) == "TerminateShipment"
    assert leaves(sent)["BarcodeId"] == [asked.tracking_numbers[0].value]


@given(label_queries())
def test_a_label_fetched_again_validates(asked: DocumentQuery) -> None:
    sent = first(DPD.documents(asked))

    assert valid_request(sent.content) == "GetLabelBc"
    assert leaves(sent)["shipmentNumber"] == [asked.tracking_numbers[0].value]


def test_the_referee_refuses_what_is_not_published(shared: Path) -> None:
    from tests.dpd_fr.samples import HOME

    content = first(DPD.create_shipment(HOME)).content

    for change in ((b"<ns0:type>PDF<", b"<ns0:type>GIF<"), (b"ns0:weight>", b"ns0:mass>")):
        assert change[0] in content
        with pytest.raises(AssertionError):
            valid_request(content.replace(*change))
