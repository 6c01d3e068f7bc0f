"""The simulated DPD France: checked by the published description, by the recordings, and by the whole client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from lxml import etree

from shipkit.client import Client
from shipkit.errors import (
    AuthenticationError,
    InDoubtError,
    NotSupportedError,
    RejectedError,
    ShipkitError,
)
from shipkit.flow import Headers, Request, Response
from shipkit.model import (
    BookingState,
    CancelOutcome,
    CancelRequest,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    LabelSpec,
    NumberRole,
    PageSize,
    ReturnLabelKind,
    ReturnSpec,
    ShipmentRequest,
    TrackingNumber,
)
from shipkit.settings import Settings
from shipkit.simulator import Call, Simulator
from shipkit.testing import playback
from shipkit_dpd_fr.carrier import DpdFrance
from shipkit_dpd_fr.codes import LABELS
from shipkit_dpd_fr.simulator import UNDER_WAY, UNKNOWN, DpdFrDialect
from tests.dpd_fr.referee import valid_body
from tests.dpd_fr.samples import DPD, HOME, PICKUP, RELAY, RETURN, TWO, package
from tests.dpd_fr.strategies import returns, shipments
from tests.dpd_fr.test_envelopes import hypothesis


class Talk:
    """A conversation with the dialect, without a server between; every reply is held against the published schema."""

    def __init__(self) -> None:
        self.dialect = DpdFrDialect()
        self.replies: list[bytes] = []

    def __call__(self, flow: Any, carrier: DpdFrance = DPD) -> Any:
        try:
            request = next(flow)
            while True:
                response = self.answer(request)
                try:
                    carrier.check(response)
                except ShipkitError as error:
                    request = flow.throw(error)
                else:
                    request = flow.send(response)
        except StopIteration as stop:
            return stop.value

    def answer(self, request: Request) -> Response:
        call = Call(method=request.method, path="/eprintwebservice.asmx", body=request.content)
        reply = self.dialect.handle(call)
        self.replies.append(reply.body)
        return Response(
            status=reply.status,
            headers=Headers(reply.headers),
            content=reply.body,
            request=request,
            received_at=self.dialect.world.clock.now(),
        )


@pytest.fixture
def talk() -> Talk:
    return Talk()


def leaf_paths(content: bytes) -> set[str]:
    """Every element below the body, by its local names."""
    return {
        "/".join(str(etree.QName(step).localname) for step in (*reversed(list(element.iterancestors())), element))
        for element in etree.fromstring(content).iter()
    }


# ---- the published description and the recordings as judges


@pytest.mark.usefixtures("shared")
@hypothesis
@given(shipments())
def test_the_answer_to_any_booking_validates_and_is_read(asked: ShipmentRequest) -> None:
    talk = Talk()

    shipment = talk(DPD.create_shipment(asked))

    assert valid_body(talk.replies[-1])
    assert len(shipment.packages) == len(asked.packages)
    expected = BookingState.CONFIRMED if len(asked.packages) == 1 else BookingState.LABEL_PENDING
    assert shipment.state is expected
    found = talk(DPD.find_shipments(attrs.evolve(asked, ship_on=talk.dialect.world.clock.now().date())))
    assert valid_body(talk.replies[-1]) == "GetShipping"
    assert [hit.tracking_numbers for hit in found] == [shipment.tracking_numbers]


@pytest.mark.usefixtures("shared")
@hypothesis
@given(returns())
def test_the_answer_to_any_return_validates(asked: Any) -> None:
    talk = Talk()

    assert talk(DPD.create_return(asked)).shipment.documents
    assert valid_body(talk.replies[-1]) == "CreateReverseInverseShipmentWithLabelsBc"


def test_every_other_answer_validates(shared: Path, talk: Talk) -> None:
    shipment = talk(DPD.create_shipment(TWO))
    query = DocumentQuery(shipment_id=shipment.shipment_id, tracking_numbers=shipment.tracking_numbers)
    cancel = CancelRequest(shipment_id=shipment.shipment_id, reference="r", tracking_numbers=shipment.tracking_numbers)
    talk(DPD.documents(query))
    pickup = attrs.evolve(PICKUP, pickup_from=HOME.ship_to, shipment_ids=(shipment.shipment_id,))
    talk(DPD.book_pickup(pickup))
    talk(DPD.find_shipments(HOME))
    talk(DPD.cancel_shipment(cancel))

    assert {valid_body(reply) for reply in talk.replies} == {
        "CreateMultiShipmentBc",
        "GetLabelBc",
        "CreatePickupAtCustomerBc",
        "GetShipping",
        "TerminateShipment",
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("test_dpd_label", HOME),
        ("test_dpd_format_zpl", attrs.evolve(HOME, label=LabelSpec(format=DocumentFormat.ZPL))),
        ("test_relai_ok", RELAY),
        ("test_common_failed_get_label_1", attrs.evolve(HOME, packages=(package(kg="999.99"),))),
        ("test_auth", HOME),
    ],
)
def test_an_answer_has_the_elements_of_the_recorded_one(
    shared: Path, talk: Talk, name: str, asked: ShipmentRequest
) -> None:
    recorded = playback(shared / "recordings" / "dpd_fr" / f"{name}.json").replies[0]
    if name == "test_auth":
        talk.dialect.users["boutique"] = "another"

    response = talk.answer(next(DPD.create_shipment(asked)))

    assert response.status == recorded.status
    assert response.headers["content-type"] == recorded.headers["content-type"]
    assert leaf_paths(response.content) == leaf_paths(recorded.content)
    if response.status == 500:
        assert response.content.replace(b"\n", b"") == recorded.content.replace(b"\n", b"")


# ---- labels


@pytest.mark.parametrize("wire", LABELS)
def test_every_label_type_is_printed_with_a_bar_code_that_can_be_read(talk: Talk, wire: str) -> None:
    offered = LABELS[wire]
    size = PageSize(format=offered.page) if offered.page else None
    spec = LabelSpec(format=offered.format, dpi=offered.dpi, size=size)

    shipment = talk(DPD.create_shipment(attrs.evolve(HOME, label=spec)))

    [document] = shipment.documents
    assert (document.format, document.dpi, document.size) == (offered.format, offered.dpi, size)
    [barcode] = shipment.packages[0].barcodes
    assert barcode.startswith("%0075004") and barcode.endswith("101902")
    if offered.format is DocumentFormat.PDF:
        assert read_pdf(document.content) == [barcode]
    else:
        assert barcode.encode() in document.content.replace(b">:", b"")


def read_pdf(content: bytes) -> list[str]:
    import pypdfium2
    import zxingcpp

    pdf = pypdfium2.PdfDocument(content)
    try:
        return [code.text for page in pdf for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())]
    finally:
        pdf.close()


def test_a_return_label_that_is_ordered_comes_with_the_parcel(talk: Talk) -> None:
    asked = attrs.evolve(HOME, return_label=ReturnSpec(kind=ReturnLabelKind.PRINTED))

    shipment = talk(DPD.create_shipment(asked))

    assert [document.kind for document in shipment.documents] == [DocumentKind.LABEL, DocumentKind.RETURN_LABEL]
    assert shipment.return_shipment_id not in {str(number) for number in shipment.tracking_numbers}


# ---- what the carrier refuses


def test_a_user_without_a_password_or_with_another_is_not_let_in(talk: Talk) -> None:
    talk.dialect.users["boutique"] = "right"

    for password, fits in (("", False), ("wrong", False), ("right", True)):
        account = attrs.evolve(DPD, password=password)
        if fits:
            assert talk(account.create_shipment(HOME), account)
        else:
            with pytest.raises(AuthenticationError):
                talk(account.create_shipment(HOME), account)
    assert len(talk.dialect.world.bookings()) == 1


@pytest.mark.parametrize("kilograms", ["31.51", "0"])
def test_a_parcel_of_another_weight_is_refused_and_not_booked(talk: Talk, kilograms: str) -> None:
    request = next(DPD.create_shipment(HOME))
    changed = request.content.replace(b">1.2<", f">{kilograms}<".encode())

    response = talk.answer(attrs.evolve(request, content=changed))

    with pytest.raises(RejectedError, match="31,5"):
        DPD.check(response)
    assert not talk.dialect.world.bookings()


def test_a_parcel_of_somebody_else_is_unknown(talk: Talk) -> None:
    number = talk(DPD.create_shipment(HOME)).shipment_id
    other = attrs.evolve(DPD, customer_number=999)
    query = DocumentQuery(shipment_id=number, tracking_numbers=())

    with pytest.raises(RejectedError) as caught:
        talk(other.documents(query), other)

    assert caught.value.carrier_code == UNKNOWN
    assert talk(other.find_shipments(attrs.evolve(HOME, ship_on=talk.dialect.world.clock.now().date())), other) == ()


def test_a_parcel_under_way_is_not_terminated(talk: Talk) -> None:
    shipment = talk(DPD.create_shipment(HOME))
    talk.dialect.world.clock.advance(48 * 3600)

    with pytest.raises(RejectedError) as caught:
        talk(
            DPD.cancel_shipment(
                CancelRequest(
                    shipment_id=shipment.shipment_id, reference="r", tracking_numbers=shipment.tracking_numbers
                )
            )
        )

    assert caught.value.carrier_code == UNDER_WAY


def test_a_terminated_parcel_is_in_no_list_any_more(talk: Talk) -> None:
    shipment = talk(DPD.create_shipment(TWO))
    cancel = CancelRequest(shipment_id=shipment.shipment_id, reference="r", tracking_numbers=shipment.tracking_numbers)

    for _ in range(2):
        assert talk(DPD.cancel_shipment(cancel)).outcome is CancelOutcome.VOIDED

    today = attrs.evolve(TWO, ship_on=talk.dialect.world.clock.now().date())
    assert talk(DPD.find_shipments(today)) == ()
    assert talk.dialect.world.invoice() == ()


@pytest.mark.parametrize("body", [b"", b"<html/>", b"{}", b"<a>" * 50])
def test_an_envelope_that_is_none_is_answered_with_a_fault(talk: Talk, body: bytes) -> None:
    reply = talk.dialect.handle(Call(method="POST", path="/eprintwebservice.asmx", body=body))

    assert reply.status >= 400


# ---- over the wire, with the whole client

SETTINGS = Settings(attempts=2, backoff_first_s=0.01)


@pytest.fixture
def dpd() -> Iterator[Simulator]:
    with Simulator(DpdFrDialect()) as simulator:
        yield simulator


@pytest.fixture
def client(dpd: Simulator) -> Iterator[Client]:
    account = attrs.evolve(DPD, base_url=dpd.url)
    with Client({"dpd": account}, settings=SETTINGS) as client:
        yield client


PLAIN = attrs.evolve(HOME, mark=None, ship_on=None)


def test_a_host_ships_and_cancels_one_parcel(dpd: Simulator, client: Client) -> None:
    shipment = client.create_shipment(PLAIN, account="dpd", key="order-1")

    assert shipment.documents[0].content
    again = client.create_shipment(PLAIN, account="dpd", key="order-1")
    assert again.documents == shipment.documents
    assert client.cancel_shipment(key="order-1").outcome is CancelOutcome.VOIDED
    assert [booking.live for booking in dpd.bookings()] == [False]


def test_a_host_ships_several_packages_and_gets_a_label_for_each_in_the_format_it_asked_for(client: Client) -> None:
    asked = attrs.evolve(TWO, mark=None, ship_on=None, label=LabelSpec(format=DocumentFormat.ZPL))

    shipment = client.create_shipment(asked, account="dpd", key="order-2")

    assert shipment.state is BookingState.CONFIRMED
    assert [(paper.format, paper.package_refs) for paper in shipment.documents] == [
        (DocumentFormat.ZPL, ("a",)),
        (DocumentFormat.ZPL, ("b",)),
    ]


def test_a_host_books_a_return_and_a_pickup(dpd: Simulator, client: Client) -> None:
    back = attrs.evolve(RETURN, shipment=attrs.evolve(RETURN.shipment, mark=None, ship_on=None))

    returned = client.create_return(back, account="dpd", key="return-1")
    assert returned.shipment is not None
    pickup = client.book_pickup(
        attrs.evolve(PICKUP, shipment_ids=(returned.shipment.shipment_id,)), account="dpd", key="pickup-1"
    )

    assert returned.shipment.documents[0].kind is DocumentKind.RETURN_LABEL
    assert pickup.confirmation == "8000000"
    with pytest.raises(NotSupportedError):
        client.cancel_pickup(key="pickup-1")


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("drop_after_commit", {}),
        ("empty_body", {}),
        ("truncated", {}),
        ("html_page", {}),
        ("500", {"when": "after"}),
        ("200_with_error", {"when": "after"}),
    ],
)
@pytest.mark.parametrize("asked", [PLAIN, attrs.evolve(TWO, mark=None, ship_on=None)], ids=["one", "two"])
def test_an_answer_that_is_lost_is_found_in_the_days_list(
    dpd: Simulator, client: Client, fault: str, params: dict[str, str], asked: ShipmentRequest
) -> None:
    dpd.add_fault(fault, **params)

    shipment = client.create_shipment(asked, account="dpd", key="order-3")

    assert shipment.state is BookingState.CONFIRMED
    assert all(paper.content for paper in shipment.documents)
    assert [booking.numbers for booking in dpd.bookings()] == [
        tuple(str(number) for number in shipment.tracking_numbers)
    ]


def test_a_return_whose_answer_is_lost_is_found_as_the_answer_would_have_told_it(
    dpd: Simulator, client: Client
) -> None:
    number = TrackingNumber(value="10774000240000", carrier="dpd_fr")
    plain = attrs.evolve(RETURN.shipment, mark=None, ship_on=None)
    asked = attrs.evolve(RETURN, shipment=plain, outbound=number, authorization="RMA-7")
    dpd.add_fault("drop_after_commit")

    found = client.create_return(asked, account="dpd", key="return-2")

    assert (found.outbound, found.authorization) == (number, "RMA-7")
    assert found.shipment is not None and len(dpd.bookings()) == 1
    assert [paper.kind for paper in found.shipment.documents] == [DocumentKind.RETURN_LABEL]
    assert {number.role for number in found.shipment.tracking_numbers} == {NumberRole.RETURN}


def test_a_refusal_books_nothing_and_the_key_may_be_used_again(dpd: Simulator, client: Client) -> None:
    dpd.add_fault("200_with_error", when="before")

    with pytest.raises(RejectedError):
        client.create_shipment(PLAIN, account="dpd", key="order-4")
    client.create_shipment(PLAIN, account="dpd", key="order-4")

    assert len(dpd.bookings()) == 1


def test_nothing_is_bought_while_a_booking_is_in_doubt(dpd: Simulator, client: Client) -> None:
    dpd.add_fault("drop_before")

    for _ in range(2):
        with pytest.raises(InDoubtError):
            client.create_shipment(PLAIN, account="dpd", key="order-5")

    assert dpd.bookings() == ()


def test_a_revoked_password_is_told_to_the_administrator(dpd: Simulator, client: Client) -> None:
    dpd.add_fault("token_revoked")

    with pytest.raises(AuthenticationError):
        client.create_shipment(PLAIN, account="dpd", key="order-6")
    assert dpd.bookings() == ()


def test_parcels_to_a_relay_point_are_collected_there(dpd: Simulator, client: Client) -> None:
    asked = attrs.evolve(RELAY, mark=None, ship_on=None)

    client.create_shipment(asked, account="dpd", key="order-7")

    assert dpd.bookings()[0].journeys == ("pickup_point",)


# ---- other people's clients


@pytest.mark.parametrize("path", ["/eprintwebservice.asmx", "/dpd-eprintwebservice/eprintwebservice.asmx"])
def test_zeep_alone_makes_a_label_with_the_description_that_is_served(dpd: Simulator, path: str) -> None:
    import zeep

    stranger = zeep.Client(f"{dpd.url}{path}?WSDL")
    address = {"countryPrefix": "FR", "zipCode": "75004", "city": "Paris", "street": "6 Place", "name": "Hugo"}

    result = stranger.service.CreateShipmentWithLabelsBc(
        request={
            "receiveraddress": address,
            "shipperaddress": address,
            "customer_countrycode": 250,
            "customer_centernumber": 77,
            "customer_number": 18028,
            "weight": "1.2",
            "labelType": {"type": "ZPL"},
        },
        _soapheaders={"UserCredentials": {"userid": "u", "password": "p"}},
    )

    assert result.labels.Label[0].label.startswith(b"^XA")
    assert dpd.bookings()[0].mark == ""
