"""Shipping with Mondial Relay through the client, against the simulated carrier."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit import Client
from shipkit.errors import InDoubtError, InputError, LabelPendingError, NotSupportedError, RejectedError, ShipkitError
from shipkit.model import (
    AddressVerdict,
    BookingState,
    DocumentKind,
    DocumentQuery,
    Milestone,
    PageFormat,
    RateRequest,
    ServicePointKind,
    ServicePointRef,
    ShipmentRequest,
)
from shipkit.simulator import Simulator
from shipkit_mondialrelay import MondialRelay
from tests.mondialrelay.samples import CHECK, HOME, NEAR, RELAY, RETURN, label_in, package
from tests.mondialrelay.test_simulator import SIZES, drawn


@pytest.mark.parametrize(
    ("size", "word"),
    [(None, "A4"), (PageFormat.A4, "A4"), (PageFormat.A5, "A5"), (PageFormat.CM_10X15, "10x15")],
)
def test_the_label_is_fetched_from_its_link(client: Client, sim: Simulator, size: PageFormat | None, word: str) -> None:
    request = attrs.evolve(RELAY, label=label_in(size) if size else None)

    shipment = client.create_shipment(request, account="mr", key="order-1")

    [document] = shipment.documents
    assert shipment.state is BookingState.CONFIRMED
    assert document.content is not None
    millimetres, bars, _ = drawn(document.content)
    assert (millimetres, bars) == (SIZES[word], [(shipment.shipment_id, "Code128")])
    assert document.size is not None and document.size.format is (size or PageFormat.A4)
    assert sim.counts("reference")["SO-1"].live == 1


def test_the_same_key_is_the_same_shipment_with_the_same_label(client: Client, sim: Simulator) -> None:
    first, again = (client.create_shipment(RELAY, account="mr", key="order-1") for _ in range(2))

    assert first == again
    assert first.documents[0].content == again.documents[0].content
    assert len(sim.bookings()) == 1


def in_doubt(client: Client) -> InDoubtError:
    with pytest.raises(InDoubtError) as raised:
        client.create_shipment(RELAY, account="mr", key="order-1")
    return raised.value


@pytest.mark.parametrize(
    "fault", ["drop_after_commit", "truncated", "html_page", "empty_body", "500", "200_with_error", "commit_late"]
)
def test_a_booking_without_an_answer_is_never_repeated_and_a_person_decides(
    client: Client, sim: Simulator, fault: str
) -> None:
    """No operation finds a shipment by what we sent."""
    params: dict[str, Any] = {"when": "after"} if fault == "200_with_error" else {}
    sim.add_fault(fault, operation="WSI2_CreationEtiquette", **params)

    for _ in range(2):
        assert in_doubt(client).needs_person
    assert client.recover() == ()
    sim.wait_for_late_commits()
    assert len(sim.bookings()) == 1


def test_an_error_that_proves_a_refusal_frees_the_key(client: Client, sim: Simulator) -> None:
    sim.add_fault("200_with_error", operation="WSI2_CreationEtiquette", when="before")
    with pytest.raises(RejectedError):
        client.create_shipment(RELAY, account="mr", key="order-1")

    client.create_shipment(RELAY, account="mr", key="order-1")

    assert len(sim.bookings()) == 1


def test_a_connection_that_breaks_is_a_doubt_even_where_nothing_was_booked(client: Client, sim: Simulator) -> None:
    sim.add_fault("drop_before", operation="WSI2_CreationEtiquette")

    assert in_doubt(client).needs_person
    assert sim.bookings() == ()


def test_a_refusal_is_final_and_nothing_is_booked(client: Client, sim: Simulator) -> None:
    elsewhere = ServicePointRef(id="005680", country="BE")

    with pytest.raises(RejectedError) as raised:
        client.create_shipment(attrs.evolve(RELAY, service_point=elsewhere), account="mr", key="order-1")

    assert raised.value.carrier_code == "92"
    assert sim.bookings() == ()


def test_after_a_refusal_the_corrected_order_goes_under_the_same_key(client: Client, sim: Simulator) -> None:
    elsewhere = ServicePointRef(id="005680", country="BE")
    with pytest.raises(RejectedError):
        client.create_shipment(attrs.evolve(RELAY, service_point=elsewhere), account="mr", key="order-1")

    client.create_shipment(RELAY, account="mr", key="order-1")

    assert len(sim.bookings()) == 1


def test_a_label_that_is_not_there_yet_is_fetched_by_the_next_call(client: Client, sim: Simulator) -> None:
    sim.add_fault("503", operation="label", times=20)
    sim.add_fault("503", operation="WSI3_GetEtiquettes", times=20)
    with pytest.raises(LabelPendingError) as raised:
        client.create_shipment(RELAY, account="mr", key="order-1", deadline_s=3)
    assert raised.value.shipment is not None
    sim.faults.clear()

    shipment = client.create_shipment(RELAY, account="mr", key="order-1")

    assert shipment.shipment_id == raised.value.shipment.shipment_id
    assert shipment.documents[0].content is not None
    assert len(sim.bookings()) == 1


def test_what_cannot_go_does_not_leave(client: Client, sim: Simulator) -> None:
    with pytest.raises(InputError) as raised:
        client.create_shipment(attrs.evolve(RELAY, service_point=None), account="mr", key="order-1")

    assert "/service_point" in [problem.path for problem in raised.value.problems]
    assert sim.requests() == ()


def test_a_long_street_is_wrapped_and_printed_whole(client: Client) -> None:
    assert HOME.ship_to.address is not None
    address = attrs.evolve(HOME.ship_to.address, lines=("128 avenue du Maréchal Jean de Lattre de Tassigny",))
    request = attrs.evolve(HOME, ship_to=attrs.evolve(HOME.ship_to, address=address))

    shipment = client.create_shipment(request, account="mr", key="order-1")

    assert shipment.documents[0].content is not None
    text = drawn(shipment.documents[0].content)[2]
    assert "128 AVENUE DU MARECHAL JEAN DE" in text and "LATTRE DE TASSIGNY" in text


def test_a_way_back_has_a_return_label(client: Client, sim: Simulator) -> None:
    back = client.create_return(RETURN, account="mr", key="return-1")

    assert back.shipment is not None
    assert [document.kind for document in back.shipment.documents] == [DocumentKind.RETURN_LABEL]
    assert back.shipment.documents[0].content is not None
    [booking] = sim.bookings()
    assert (booking.service, booking.details["members"]["ModeCol"]) == ("LCC", "REL")


def test_from_a_point_to_the_customer(client: Client, sim: Simulator) -> None:
    """Search, book, follow: the whole way."""
    points = client.service_points(NEAR, account="mr")
    locker = next(point for point in points if point.kind is ServicePointKind.LOCKER)
    request: ShipmentRequest = attrs.evolve(RELAY, service_point=ServicePointRef(id=locker.id, country="FR"))
    shipment = client.create_shipment(request, account="mr", key="order-1")

    [before] = client.track([shipment.tracking_numbers[0].value], account="mr")
    sim.advance(30 * 86_400)
    [after] = client.track([shipment.tracking_numbers[0].value], account="mr")

    assert before.value is not None and after.value is not None
    assert before.value.milestone is Milestone.ANNOUNCED
    assert after.value.milestone is Milestone.DELIVERED
    assert Milestone.READY_FOR_PICKUP in {event.milestone for event in after.value.events}


def test_a_number_that_nobody_knows_is_an_error_of_its_own(client: Client, sim: Simulator) -> None:
    shipment = client.create_shipment(HOME, account="mr", key="order-1")

    unknown, known = client.track(["12345678", shipment.shipment_id], account="mr")

    assert unknown.error is not None and unknown.error.code == "not_found"
    assert known.value is not None


def test_papers_are_had_again(client: Client) -> None:
    shipment = client.create_shipment(HOME, account="mr", key="order-1")

    query = DocumentQuery(shipment_id=shipment.shipment_id, tracking_numbers=shipment.tracking_numbers)

    [document] = client.documents(query, account="mr")

    assert document.content == shipment.documents[0].content


def test_addresses_are_checked_by_postal_code_and_town(client: Client) -> None:
    elsewhere = attrs.evolve(CHECK, address=attrs.evolve(CHECK.address, city="Lyon"))

    assert client.check_address(CHECK, account="mr").verdict is AddressVerdict.VERIFIED
    found = client.check_address(elsewhere, account="mr")
    assert found.verdict is AddressVerdict.CORRECTED
    assert found.candidates[0].city == "VILLEURBANNE"


def test_a_parcel_cannot_be_called_back(client: Client, sim: Simulator) -> None:
    client.create_shipment(HOME, account="mr", key="order-1")

    with pytest.raises(NotSupportedError):
        client.cancel_shipment(key="order-1")

    assert sim.bookings()[0].live


def test_there_are_no_prices(client: Client) -> None:
    request = RateRequest(ship_from=HOME.ship_from, ship_to=HOME.ship_to, packages=(package(),))

    answer = client.rates(request, accounts=["mr"])

    assert answer.quotes == ()
    assert [(account, error.code) for account, error in answer.errors.items()] == [("mr", "not_supported")]


def test_no_secret_stands_in_what_is_told(client: Client, account: MondialRelay, sim: Simulator) -> None:
    wrong = attrs.evolve(account, private_key="s3cr3t-k3y")
    with Client({"mr": wrong}) as other, pytest.raises(ShipkitError) as raised:
        other.create_shipment(HOME, account="mr", key="order-1")

    assert "s3cr3t-k3y" not in f"{raised.value} {raised.value!r} {other.accounts!r}"
