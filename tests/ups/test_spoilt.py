"""Whatever UPS, or what stands between, makes of a reply: canonical values that lack nothing, or a typed error."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import ShipkitError
from shipkit.flow import Token
from shipkit.model import (
    AddressCheck,
    BookingState,
    CancelRequest,
    DocumentQuery,
    Pickup,
    PickupCancelRequest,
    RateQuote,
    ServicePointQuery,
    Shipment,
    SubscriptionRequest,
    TrackingNumber,
    TrackQuery,
    TrackResult,
)
from shipkit.testing import Reply, play, reply
from shipkit.testing.spoiling import Mutation, mutations
from tests.ups.samples import ABROAD, BACK, ORDER, PICKUP, QUOTED, RALEIGH, UPS, delivery
from tests.ups.stage import Stage

Flow = Generator[Any, Any, Any]


def _conversations() -> dict[str, tuple[Callable[[], Flow], tuple[Reply, ...]]]:
    """Each operation with the replies that the simulator gave it."""
    stage = Stage()
    found: dict[str, tuple[Callable[[], Flow], tuple[Reply, ...]]] = {}

    def hold(name: str, flow: Callable[[], Flow]) -> Any:
        before = len(stage.exchanges)
        value = stage.run(flow())
        answers = [reply(one.status, one.body) for one in stage.exchanges[before:]]
        found[name] = flow, tuple(answers)
        return value

    assert RALEIGH.address is not None
    check, near = AddressCheck(address=RALEIGH.address), ServicePointQuery(near=RALEIGH.address, country="US")
    hold("authenticate", UPS.authenticate)
    hold("rates", lambda: UPS.rates(QUOTED))
    hold("transit_times", lambda: UPS.transit_times(QUOTED))
    booked = hold("create_shipment", lambda: UPS.create_shipment(ORDER))
    hold("create_shipment abroad", lambda: UPS.create_shipment(ABROAD))
    hold("create_return", lambda: UPS.create_return(BACK))
    hold("find_shipments", lambda: UPS.find_shipments(attrs.evolve(ORDER, reference="other")))
    numbers: tuple[TrackingNumber, ...] = booked.tracking_numbers
    papers = DocumentQuery(shipment_id=booked.shipment_id, tracking_numbers=numbers)
    hold("documents", lambda: UPS.documents(papers))
    hold("track", lambda: UPS.track(TrackQuery(number=numbers[1])))
    subscription = SubscriptionRequest(numbers=numbers, callback_url="https://host.example/h", secret="s")
    hold("subscribe", lambda: UPS.subscribe(subscription))
    cancel = CancelRequest(shipment_id=booked.shipment_id, reference="order-1042", tracking_numbers=numbers)
    hold("cancel_shipment", lambda: UPS.cancel_shipment(cancel))
    hold("cancel_shipment again", lambda: UPS.cancel_shipment(cancel))
    pickup = hold("book_pickup", lambda: UPS.book_pickup(PICKUP))
    hold("cancel_pickup", lambda: UPS.cancel_pickup(PickupCancelRequest(confirmation=pickup.confirmation)))
    hold("check_address", lambda: UPS.check_address(check))
    hold("service_points", lambda: UPS.service_points(near))
    return found


CONVERSATIONS = _conversations()


def ending(name: str, place: int, spoilt: Reply) -> Any:
    """The value or the typed error with which a conversation ends; None where it asks for more or for less."""
    flow, answers = CONVERSATIONS[name]
    try:
        played = play(flow(), *answers[:place], spoilt, *answers[place + 1 :], carrier=UPS)
    except AssertionError as error:
        assert "not asked for" in str(error) or "no reply left" in str(error), error
        return None
    if played.error is not None:
        assert isinstance(played.error, ShipkitError)
        return played.error
    return played.result


@pytest.mark.parametrize("name", CONVERSATIONS)
@given(data=st.data())
def test_any_reply_ends_in_a_value_or_in_a_typed_error(name: str, data: st.DataObject) -> None:
    _, answers = CONVERSATIONS[name]
    place = data.draw(st.integers(0, len(answers) - 1))
    mutation: Mutation = data.draw(mutations(answers[place]))

    value = ending(name, place, mutation.reply)
    for part in value if isinstance(value, tuple) else (value,):
        whole(part, faithful=mutation.faithful)


def whole(value: Any, *, faithful: bool) -> None:
    """A value that came out lacks nothing that its reader counts on."""
    if isinstance(value, Shipment):
        assert value.shipment_id and value.tracking_numbers
        assert all(number.value for number in value.tracking_numbers)
        labels = [paper for paper in value.documents if paper.package_refs]
        assert len(labels) >= len(value.packages) or value.state is not BookingState.CONFIRMED
        assert all(paper.content for paper in value.documents)
    elif isinstance(value, RateQuote):
        assert value.service and value.total.currency
        assert (
            not faithful or not value.charges or sum(row.amount.amount for row in value.charges) == value.total.amount
        )
    elif isinstance(value, TrackResult):
        assert all(event.observed_at == value.received_at for event in value.events)
    elif isinstance(value, Pickup):
        assert value.confirmation
    elif isinstance(value, Token):
        assert value.value


@given(data=st.data())
def test_a_spoilt_booking_lacks_no_number_and_no_label_that_the_whole_one_had(data: st.DataObject) -> None:
    _, (answer,) = CONVERSATIONS["create_shipment"]
    mutation: Mutation = data.draw(mutations(answer))
    original, value = ending("create_shipment", 0, answer), ending("create_shipment", 0, mutation.reply)

    if isinstance(value, Shipment) and mutation.faithful:
        assert {number.value for number in value.tracking_numbers} == {
            number.value for number in original.tracking_numbers
        }
        labels = {paper.content for paper in value.documents}
        assert labels == {paper.content for paper in original.documents} or value.state is BookingState.LABEL_PENDING


def test_without_a_change_every_conversation_ends_in_a_value() -> None:
    for name, (_, answers) in CONVERSATIONS.items():
        for place, answer in enumerate(answers):
            value = ending(name, place, answer)
            assert value is not None and not isinstance(value, ShipkitError), name


@given(st.data())
def test_a_spoilt_push_is_read_or_a_typed_error(data: st.DataObject) -> None:
    body = {
        "trackingNumber": "1Z2220060290602143",
        "localActivityDate": "20260302",
        "localActivityTime": "181300",
        "activityStatus": {"type": "I", "code": "AR", "description": "Arrived at Facility"},
        "gmtActivityDate": "20260302",
        "gmtActivityTime": "231300",
    }
    mutation: Mutation = data.draw(mutations(reply(200, json.dumps(body).encode())))
    try:
        (result,) = UPS.read_webhook(delivery(mutation.reply.content))
    except ShipkitError:
        return
    assert result.number.value
