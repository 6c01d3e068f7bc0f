"""One conversation with DPD France after the other, played by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

import attrs
import pytest
from lxml import etree

from shipkit.carrier import (
    BooksPickups,
    Cancels,
    CancelsPickups,
    Documents,
    FindsShipments,
    Rates,
    Returns,
    Ships,
    Tracks,
)
from shipkit.errors import (
    AuthenticationError,
    InputError,
    PluginError,
    RejectedError,
    ReplyError,
    UnavailableError,
)
from shipkit.flow import Request
from shipkit.model import (
    BillingAccount,
    BookingState,
    CancelOutcome,
    CancelRequest,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    Environment,
    LabelSpec,
    Notify,
    NotifyChannel,
    NumberRole,
    Operation,
    Option,
    OptionCode,
    PageFormat,
    PageSize,
    PartyInRole,
    PartyRole,
    Payer,
    Payment,
    PickupState,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnSpec,
    ServicePointRef,
    Support,
    TrackingNumber,
)
from shipkit.testing import play, reply
from shipkit_dpd_fr.carrier import DpdFrance
from tests.dpd_fr.samples import (
    DPD,
    HOME,
    LABEL,
    MARK,
    PICKUP,
    RELAY,
    RETURN,
    TWO,
    booked,
    fault,
    fetched,
    listed,
    package,
    row,
    soap,
)

ONE = "CreateShipmentWithLabelsBc"
MULTI = "CreateMultiShipmentBc"
NUMBER = Reference(type=ReferenceType.INVOICE, value="F-2026-1")
BACK = "CreateReverseInverseShipmentWithLabelsBc"


def said(request: Request) -> dict[str, Any]:
    """What an envelope says, by local names."""

    def walk(element: etree._Element) -> Any:
        if not len(element):
            return element.text
        found: dict[str, Any] = {}
        for child in element:
            found.setdefault(etree.QName(child).localname, []).append(walk(child))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    body = etree.fromstring(request.content).find(".//{*}request")
    assert body is not None
    value = walk(body)
    assert isinstance(value, Mapping)
    return dict(value)


def numbers(*values: str) -> tuple[TrackingNumber, ...]:
    return tuple(TrackingNumber(value=value, carrier="dpd_fr") for value in values)


# ---- the account


def test_what_the_interface_offers_is_what_the_plugin_has() -> None:
    for capability in (Ships, FindsShipments, Cancels, Documents, Returns, BooksPickups):
        assert isinstance(DPD, capability)
    for capability in (Rates, Tracks, CancelsPickups):
        assert not isinstance(DPD, capability)


def test_the_facts_have_a_word_on_every_operation() -> None:
    operations = DPD.facts().operations

    assert set(operations) == set(Operation)
    for operation, facts in operations.items():
        assert hasattr(DPD, operation.value) == (facts.support in (Support.YES, Support.EMULATED))


def test_the_repr_of_an_account_keeps_its_password() -> None:
    assert "s3cr3t" not in repr(DPD)


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        (Environment.TEST, "e-station-testenv.cargonet.software"),
        (Environment.PRODUCTION, "e-station.cargonet.software"),
    ],
)
def test_an_environment_is_a_server_that_the_facts_name(environment: Environment, host: str) -> None:
    account = attrs.evolve(DPD, environment=environment)

    request = next(account.create_shipment(HOME))

    assert request.url.startswith(f"https://{host}/")
    assert DPD.facts().hosts[environment] == {host}


def test_a_base_url_sends_every_request_elsewhere() -> None:
    account = attrs.evolve(DPD, base_url="http://127.0.0.1:8080/")

    assert next(account.create_shipment(HOME)).url == "http://127.0.0.1:8080/eprintwebservice.asmx"


def test_numbers_of_a_contract_may_come_as_text() -> None:
    account = DpdFrance(userid="u", password="p", customer_center="077", customer_number="018028")  # type: ignore[arg-type]

    assert (account.customer_country, account.customer_center, account.customer_number) == (250, 77, 18028)


def test_credentials_go_into_the_soap_header() -> None:
    content = next(DPD.create_shipment(HOME)).content

    header = etree.fromstring(content).find(".//{*}UserCredentials")
    assert header is not None
    assert [child.text for child in header] == ["boutique", "s3cr3t-w0rd"]


# ---- bookings


@pytest.mark.parametrize(
    ("spec", "wire", "content"),
    [
        (None, "PDF", LABEL),
        (LabelSpec(size=PageSize(format=PageFormat.A6)), "PDF_A6", LABEL),
        (LabelSpec(format=DocumentFormat.ZPL), "ZPL", b"^XA^XZ"),
        (LabelSpec(format=DocumentFormat.ZPL, dpi=300), "ZPL300", b"^XA^XZ"),
        (LabelSpec(format=DocumentFormat.ZPL, size=PageSize(format=PageFormat.A6)), "ZPL_A6", b"^XA^XZ"),
        (LabelSpec(format=DocumentFormat.ZPL, dpi=300, size=PageSize(format=PageFormat.A6)), "ZPL300_A6", b"^XA^XZ"),
        (LabelSpec(format=DocumentFormat.EPL), "EPL", b"N\nP1\n"),
    ],
)
def test_every_label_type_can_be_ordered(spec: LabelSpec | None, wire: str, content: bytes) -> None:
    played = play(
        DPD.create_shipment(attrs.evolve(HOME, label=spec)), booked(ONE, "10774000248377", labels=(("BIC3", content),))
    )

    assert said(played.requests[0])["labelType"] == {"type": wire}
    [document] = played.value.documents
    assert document.content == content
    assert document.dpi == (300 if "300" in wire else None)
    page = document.size.format if document.size else None
    assert page == {"PDF": PageFormat.A4}.get(wire, PageFormat.A6 if "A6" in wire else None)


def test_a_label_type_that_does_not_exist_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError):
        next(DPD.create_shipment(attrs.evolve(HOME, label=LabelSpec(format=DocumentFormat.PNG))))


def test_the_mark_goes_where_the_list_shows_it_and_the_order_number_where_people_read_it() -> None:
    request = said(next(DPD.create_shipment(HOME)))

    assert (request["referencenumber"], request["reference2"]) == (MARK, "Parcel 1")
    assert request["referenceInBarcode"] == {"type": "Reference2"}


def test_lines_after_the_street_names_codes_and_notes_have_fields_of_their_own() -> None:
    from shipkit.model import AccessInfo

    assert HOME.ship_to.address is not None
    assert HOME.ship_to.contact is not None
    there = attrs.evolve(
        HOME.ship_to,
        address=attrs.evolve(
            HOME.ship_to.address,
            lines=("6 Place des Vôsges", "Cour B", "Atelier"),
            access=AccessInfo(door_codes=("12A", "99"), intercom="HUGO", floor="2"),
        ),
        contact=attrs.evolve(HOME.ship_to.contact, company="Éditions Hügǒ"),
    )
    request = said(next(DPD.create_shipment(attrs.evolve(HOME, ship_to=there, instructions="sonner deux fois"))))

    assert request["receiveraddress"]["street"] == "6 Place des Vôsges"
    assert request["receiveraddress"]["name"] == "Éditions Hügǒ"
    assert request["receiverinfo"] == {
        "contact": "Hügǒ",
        "name2": "Cour B",
        "name3": "Atelier",
        "digicode1": "12A",
        "digicode2": "99",
        "intercomid": "HUGO",
        "vinfo1": "2",
        "vinfo2": "sonner deux fois",
    }


def test_a_relay_point_takes_the_person_and_their_numbers() -> None:
    request = said(next(DPD.create_shipment(RELAY)))

    assert request["services"] == {
        "contact": {"sms": "+33600000000", "email": "hugo.victor@example.com", "type": "No"},
        "parcelshop": {"shopaddress": {"shopid": "P32500"}},
    }


@pytest.mark.parametrize(
    ("option", "contact"),
    [
        (
            Option(code=OptionCode.PREDICT),
            {"sms": "+33600000000", "email": "hugo.victor@example.com", "type": "Predict"},
        ),
        (
            Option(code=OptionCode.NOTIFY, value=Notify(channels=frozenset({NotifyChannel.EMAIL}))),
            {"email": "hugo.victor@example.com", "type": "AutomaticMail"},
        ),
        (
            Option(code=OptionCode.NOTIFY, value=Notify(channels=frozenset({NotifyChannel.SMS}))),
            {"sms": "+33600000000", "type": "AutomaticSMS"},
        ),
    ],
)
def test_the_recipient_is_told_in_one_way(option: Option, contact: dict[str, str]) -> None:
    request = attrs.evolve(HOME, options=(option,))

    assert said(next(DPD.create_shipment(request)))["services"] == {"contact": contact}


def test_to_the_door_no_number_is_passed_on_that_nobody_asked_to_be_used() -> None:
    assert "services" not in {name for name, value in said(next(DPD.create_shipment(HOME))).items() if value}


def test_the_service_predict_is_the_option_predict() -> None:
    request = attrs.evolve(HOME, service="predict")

    assert said(next(DPD.create_shipment(request)))["services"]["contact"]["type"] == "Predict"
    assert play(DPD.create_shipment(request), booked(ONE, "1")).value.service == "predict"


def test_a_return_label_that_comes_with_the_parcel_is_told_apart() -> None:
    request = attrs.evolve(HOME, return_label=ReturnSpec(kind=ReturnLabelKind.PRINTED, valid_days=20))
    from tests.dpd_fr.samples import parcel

    answer = booked(ONE, "10774000248377", labels=(("BIC3", LABEL), ("REVERSEBIC3", LABEL)))
    with_way_back = attrs.evolve(
        answer, content=answer.content.replace(b"</shipments>", parcel("555", "REVERSE").encode() + b"</shipments>")
    )

    played = play(DPD.create_shipment(request), with_way_back)

    reverse = said(played.requests[0])["services"]["reverse"]
    assert (reverse["expireOffset"], reverse["type"]) == ("20", "Prepared")
    assert [document.kind for document in played.value.documents] == [DocumentKind.LABEL, DocumentKind.RETURN_LABEL]
    assert (played.value.shipment_id, played.value.return_shipment_id) == ("10774000248377", "555")
    assert played.value.state is BookingState.CONFIRMED


def test_a_return_label_that_was_ordered_and_did_not_come_is_pending() -> None:
    request = attrs.evolve(HOME, return_label=ReturnSpec(kind=ReturnLabelKind.PRINTED))

    assert play(DPD.create_shipment(request), booked(ONE, "1")).value.state is BookingState.LABEL_PENDING


@pytest.mark.parametrize("labels", [(), (("BIC3", b""),), (("BIC3", b"<html>"),), (("PROOF", LABEL),)])
def test_a_booking_without_a_label_that_can_be_used_stands_and_waits_for_one(
    labels: tuple[tuple[str, bytes], ...],
) -> None:
    shipment = play(DPD.create_shipment(HOME), booked(ONE, "10774000248377", labels=labels)).value

    assert shipment.state is BookingState.LABEL_PENDING
    assert [str(number) for number in shipment.tracking_numbers] == ["10774000248377"]


@pytest.mark.parametrize("found", [(), ("1", "2"), ("",), (" ",)])
def test_an_answer_with_another_count_of_numbers_is_no_booking(found: tuple[str, ...]) -> None:
    error = play(DPD.create_shipment(HOME), booked(ONE, *found)).raised(ReplyError)

    assert error.paths[0].startswith("$.shipments")


def test_several_packages_are_one_booking_whose_labels_are_fetched() -> None:
    played = play(DPD.create_shipment(TWO), booked(MULTI, "10774000240001", "10774000240002"))

    assert [request.replayable for request in played.requests] == [False]
    slaves = said(played.requests[0])["slaves"]["SlaveRequest"]
    assert [(slave["weight"], slave["referencenumber"], slave["reference2"]) for slave in slaves] == [
        ("1.2", f"{MARK}/1", "Parcel 1"),
        ("0.4", f"{MARK}/2", "Parcel 1"),
    ]
    shipment = played.value
    assert shipment.state is BookingState.LABEL_PENDING
    assert shipment.shipment_id == "10774000240001"
    assert [(parcel.ref, str(parcel.tracking_number)) for parcel in shipment.packages] == [
        ("a", "10774000240001"),
        ("b", "10774000240002"),
    ]
    assert [reference.value for reference in shipment.carrier_refs] == ["10774000240000"]


def test_insurance_goes_to_the_package_it_is_for() -> None:
    from shipkit.model import Money

    insured = Option(code=OptionCode.INSURANCE, value=Money("150.001", "EUR"), package_refs=("b",))

    slaves = said(next(DPD.create_shipment(attrs.evolve(TWO, options=(insured,)))))["slaves"]["SlaveRequest"]

    assert [slave["services"] for slave in slaves] == [
        None,
        {"extraInsurance": {"value": "150.01", "type": "byShipments"}},
    ]


# ---- refusals


def test_a_refusal_keeps_the_carriers_own_words() -> None:
    error = play(DPD.create_shipment(HOME), fault("InvalidZip", "code postal inconnu")).raised(RejectedError)

    assert (error.carrier_code, error.carrier_message, error.http_status) == ("InvalidZip", "code postal inconnu", 500)


def test_a_refusal_inside_200_is_one_too() -> None:
    assert play(DPD.create_shipment(HOME), fault("InvalidZip", status=200)).raised(RejectedError)


def test_only_refusals_that_were_seen_prove_that_nothing_was_booked() -> None:
    assert DPD.facts().recovery.refusal_codes == {"InvalidWeight", "PermissionDenied"}


def test_a_refused_password_is_for_the_administrator() -> None:
    error = play(DPD.documents(DocumentQuery(shipment_id="1", tracking_numbers=())), fault("PermissionDenied"))

    assert error.raised(AuthenticationError).carrier_code == "PermissionDenied"


@pytest.mark.parametrize(
    "answer",
    [
        fault(""),
        reply(500, "<html>oops</html>"),
        reply(503, b""),
        reply(502, "<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        reply(500, soap("<soap:Fault><faultcode>soap:Server</faultcode></soap:Fault>")),
        reply(500, soap("<soap:Fault><detail><Error>text</Error></detail></soap:Fault>")),
    ],
)
def test_a_failure_without_a_code_proves_nothing(answer: Any) -> None:
    response = answer.to(next(DPD.create_shipment(HOME)))

    DPD.check(response)  # raises nothing: the driver decides by the status

    assert isinstance(play(DPD.create_shipment(HOME), answer).error, (ReplyError, UnavailableError))


# ---- returns, labels, pickups


def test_a_return_is_a_parcel_from_the_customer_with_its_label() -> None:
    played = play(DPD.create_return(RETURN), booked(BACK, "10774000250001"))

    request = said(played.requests[0])
    assert request["shipperaddress"]["name"] == "Hügǒ"
    assert request["receiveraddress"]["name"] == "Akrétion"
    assert (request["expire_offset"], request["referencenumber"]) == ("14", MARK)
    assert request["customLabelText"] == "Parcel 1"
    shipment = played.value.shipment
    assert shipment is not None
    assert shipment.state is BookingState.CONFIRMED
    assert [document.kind for document in shipment.documents] == [DocumentKind.RETURN_LABEL]
    assert str(shipment.tracking_numbers[0]) == "10774000250001"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"kind": ReturnLabelKind.QR}, "/kind"),
        ({"shipment": attrs.evolve(RETURN.shipment, packages=TWO.packages)}, "/shipment/packages"),
        (
            {"shipment": attrs.evolve(RETURN.shipment, service_point=ServicePointRef(id="P1", country="FR"))},
            "/shipment/service_point",
        ),
        (
            {"shipment": attrs.evolve(RETURN.shipment, packages=(package(references=(NUMBER,)),))},
            "/shipment/packages/0/references",
        ),
        ({"shipment": attrs.evolve(RETURN.shipment, references=(NUMBER,))}, "/shipment/references"),
    ],
)
def test_a_return_that_the_interface_cannot_book_is_refused(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as caught:
        next(DPD.create_return(attrs.evolve(RETURN, **change)))

    assert [problem.path for problem in caught.value.problems] == [path]


def test_labels_come_again_one_for_each_number_and_in_another_format() -> None:
    query = DocumentQuery(
        shipment_id="1", tracking_numbers=numbers("1", "2"), label=LabelSpec(format=DocumentFormat.ZPL)
    )

    played = play(DPD.documents(query), fetched(b"^XA1^XZ"), fetched(b"^XA2^XZ"))

    assert [said(request)["shipmentNumber"] for request in played.requests] == ["1", "2"]
    assert all(request.replayable for request in played.requests)
    assert [(document.content, document.package_refs) for document in played.value] == [
        (b"^XA1^XZ", ("1",)),
        (b"^XA2^XZ", ("2",)),
    ]


def test_everything_that_keeps_a_return_back_is_told_at_once() -> None:
    asked = attrs.evolve(RETURN, kind=ReturnLabelKind.QR, shipment=attrs.evolve(RETURN.shipment, packages=TWO.packages))
    with pytest.raises(InputError) as caught:
        next(DPD.create_return(asked))

    assert [problem.path for problem in caught.value.problems] == ["/kind", "/shipment/packages"]


def test_several_packages_are_not_booked_for_a_label_that_does_not_exist() -> None:
    with pytest.raises(InputError):
        next(DPD.create_shipment(attrs.evolve(TWO, label=LabelSpec(format=DocumentFormat.PNG))))


@pytest.mark.parametrize(
    ("role", "kinds"), [(NumberRole.RETURN, frozenset()), (NumberRole.PIECE, frozenset({DocumentKind.RETURN_LABEL}))]
)
def test_the_label_of_a_way_back_comes_again_as_one(role: NumberRole, kinds: frozenset[DocumentKind]) -> None:
    (number,) = numbers("1")
    query = DocumentQuery(shipment_id="1", tracking_numbers=(attrs.evolve(number, role=role),), kinds=kinds)

    (label,) = play(DPD.documents(query), fetched(LABEL)).value

    assert (label.kind, label.content) == (DocumentKind.RETURN_LABEL, LABEL)


def test_papers_that_are_no_labels_are_not_asked_for() -> None:
    query = DocumentQuery(
        shipment_id="1", tracking_numbers=numbers("1"), kinds=frozenset({DocumentKind.COMMERCIAL_INVOICE})
    )

    assert play(DPD.documents(query)).value == ()


@pytest.mark.parametrize(
    ("answer", "path"), [(fetched(b"<html>"), "$.labels.Label[0].label"), (fetched(b""), "$.labels.Label[0].label")]
)
def test_a_fetched_label_that_is_none_is_named(answer: Any, path: str) -> None:
    error = play(DPD.documents(DocumentQuery(shipment_id="1", tracking_numbers=())), answer).raised(ReplyError)

    assert error.paths == (path,)


def test_a_pickup_is_confirmed_by_its_number() -> None:
    answer = reply(
        200,
        soap(
            '<CreatePickupAtCustomerBcResponse xmlns="http://www.cargonet.software"><CreatePickupAtCustomerBcResult>'
            "<Sin>4711</Sin></CreatePickupAtCustomerBcResult></CreatePickupAtCustomerBcResponse>"
        ),
    )
    joined = attrs.evolve(
        PICKUP.pickup_from, address=attrs.evolve(PICKUP.pickup_from.address, lines=("27 rue Henri Rolland",))
    )

    played = play(DPD.book_pickup(attrs.evolve(PICKUP, pickup_from=joined)), answer)

    request = said(played.requests[0])
    assert request["pick_date"] == "16/01/2026"
    assert (request["data"]["time_from"], request["data"]["time_to"]) == ("09:30", "17:00")
    assert request["shipments"] == {"string": "10774000248377"}
    assert not played.requests[0].replayable
    assert (played.value.confirmation, played.value.state) == ("4711", PickupState.CONFIRMED)


# ---- undoing


TERMINATED = reply(200, soap('<TerminateShipmentResponse xmlns="http://www.cargonet.software"/>'))


def test_every_parcel_of_a_booking_is_terminated() -> None:
    request = CancelRequest(shipment_id="1", reference="r", tracking_numbers=numbers("1", "2"), reason="doublon")

    played = play(DPD.cancel_shipment(request), TERMINATED, TERMINATED)

    assert [said(sent)["BarcodeId"] for sent in played.requests] == ["1", "2"]
    assert said(played.requests[0])["Reason"] == "doublon"
    assert played.value.outcome is CancelOutcome.VOIDED
    assert [outcome.outcome for outcome in played.value.packages] == [CancelOutcome.VOIDED] * 2


def test_a_refused_cancellation_is_an_error() -> None:
    request = CancelRequest(shipment_id="1", reference="r", tracking_numbers=())

    error = play(DPD.cancel_shipment(request), fault("ShipmentUnknown")).raised(RejectedError)

    assert error.carrier_code == "ShipmentUnknown"


def test_a_cancellation_that_was_carried_out_in_part_says_so() -> None:
    request = CancelRequest(shipment_id="1", reference="r", tracking_numbers=numbers("1", "2"))

    result = play(DPD.cancel_shipment(request), TERMINATED, fault("ShipmentScanned", "déjà flashé")).value

    assert result.outcome is CancelOutcome.PARTLY
    assert [(row.outcome, row.carrier_code) for row in result.packages] == [
        (CancelOutcome.VOIDED, None),
        (CancelOutcome.REJECTED, "ShipmentScanned"),
    ]


# ---- the day's list as recovery

TODAY = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)


def found(request: Any, *replies: Any, at: datetime = TODAY) -> Any:
    return play(DPD.find_shipments(request), *replies, received_at=at)


def test_a_booking_is_found_by_its_mark_in_the_list_of_the_day() -> None:
    played = found(HOME, listed(row("1", "SO-41"), row("10774000248377"), row("3", "ABCDEFGHIJKLM-10")))

    [shipment] = played.value
    assert said(played.requests[0])["date"] == "15/01/2026"
    assert shipment.shipment_id == "10774000248377"
    assert shipment.state is BookingState.LABEL_PENDING
    assert shipment.packages[0].carrier_package_id == "90210774000248377"


def test_every_hit_is_told_for_a_booking_may_have_been_made_twice() -> None:
    assert [shipment.shipment_id for shipment in found(HOME, listed(row("1"), row("2"))).value] == ["1", "2"]


def test_absence_is_proved_by_the_days_on_which_it_can_have_been_booked() -> None:
    played = found(HOME, listed(row("1", "SO-41", name="Somebody")), *[listed()] * 7)

    assert played.value == ()
    assert [said(request)["date"][:5] for request in played.requests] == [
        f"{day:02}/01" for day in (15, 14, 13, 12, 11, 10, 9, 8)
    ]


def test_late_in_the_evening_the_carriers_day_is_the_next_one() -> None:
    late = TODAY.replace(hour=22, minute=30)

    played = found(HOME, listed(), listed(row("1")), *[listed()] * 6, at=late)

    assert [shipment.shipment_id for shipment in played.value] == ["1"]
    assert said(played.requests[1])["date"] == "16/01/2026"


def test_a_parcel_to_be_shipped_later_is_looked_for_on_the_days_before() -> None:
    later = attrs.evolve(HOME, ship_on=date(2026, 2, 20))

    played = found(later, listed(), listed(), listed(row("1")), *[listed()] * 6)

    assert [shipment.shipment_id for shipment in played.value] == ["1"]
    assert "19/02/2026" not in [said(request)["date"] for request in played.requests]


def test_a_parcel_that_stands_in_the_lists_of_two_days_is_one() -> None:
    later = attrs.evolve(HOME, ship_on=date(2026, 1, 10))
    other_parcel = row("1", "SO-41", name="Somebody")

    played = found(later, listed(other_parcel), listed(row("2")), listed(row("2")), *[listed()] * 5)

    assert [shipment.shipment_id for shipment in played.value] == ["2"]


def test_several_packages_are_found_together_in_their_order() -> None:
    rows = (row("2", f"{MARK}/2"), row("9", MARK), row("1", f"{MARK}/1"))

    [shipment] = found(TWO, listed(*rows)).value

    assert [(parcel.ref, str(parcel.tracking_number)) for parcel in shipment.packages] == [("a", "1"), ("b", "2")]
    assert shipment.shipment_id == "1"


def test_a_booking_that_the_list_shows_in_part_is_no_answer() -> None:
    error = found(TWO, listed(row("1", f"{MARK}/1"))).raised(ReplyError)

    assert error.paths == ("$.shippings.Shipping",)


@pytest.mark.parametrize("reference", ["", "Parcel 1"])
def test_a_list_that_shows_another_reference_than_the_mark_proves_no_absence(reference: str) -> None:
    error = found(HOME, listed(row("1", reference))).raised(ReplyError)

    assert error.paths == ("$.shippings.Shipping",)


def test_a_list_that_cannot_be_had_is_no_answer() -> None:
    assert found(HOME, fault("SomethingElse")).raised(RejectedError)


@pytest.mark.parametrize("result", ["", "<GetShippingResult/>"])
def test_a_list_that_is_not_there_is_no_empty_list(result: str) -> None:
    answer = reply(
        200, soap(f'<GetShippingResponse xmlns="http://www.cargonet.software">{result}</GetShippingResponse>')
    )

    assert found(HOME, answer).raised(ReplyError).paths == ("$.shippings.Shipping",)


# ---- what the facts cannot say


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"service": "relais"}, ["/service_point"]),
        ({"service": "predict", "service_point": RELAY.service_point}, ["/service"]),
        ({"service": "classic", "service_point": RELAY.service_point}, ["/service"]),
        ({"service": "relais", "service_point": RELAY.service_point, "packages": TWO.packages}, ["/packages"]),
        (
            {
                "service": "predict",
                "options": (
                    Option(code=OptionCode.PREDICT),
                    Option(code=OptionCode.NOTIFY, value=Notify(channels=frozenset({NotifyChannel.EMAIL}))),
                ),
            },
            ["/options"],
        ),
        (
            {
                "options": (
                    Option(
                        code=OptionCode.NOTIFY,
                        value=Notify(channels=frozenset({NotifyChannel.EMAIL, NotifyChannel.SMS})),
                    ),
                )
            },
            ["/options"],
        ),
        ({"return_label": ReturnSpec(kind=ReturnLabelKind.QR)}, ["/return_label/kind"]),
        ({"drop_off_point": RELAY.service_point}, ["/drop_off_point"]),
        ({"account_holder": HOME.ship_from, "quote_id": "q1"}, ["/account_holder", "/quote_id"]),
        ({"parties": (PartyInRole(role=PartyRole.BUYER, party=HOME.ship_to),)}, ["/parties/0/role"]),
        ({"payment": Payment(payer=Payer.RECIPIENT, account=BillingAccount(number="1"))}, ["/payment/payer"]),
        ({"packages": (package("a"), package("b", label_text=("Bis",)))}, ["/packages/1/label_text"]),
        ({"instructions": "sonner " * 20}, ["/instructions"]),
    ],
)
def test_what_does_not_go_together_is_named(change: dict[str, Any], paths: list[str]) -> None:
    assert [problem.path for problem in DPD.problems(attrs.evolve(HOME, **change))] == paths


def test_insurance_has_a_currency_a_limit_and_a_package() -> None:
    from shipkit.model import Money

    options = tuple(
        Option(code=OptionCode.INSURANCE, value=Money(amount, currency), package_refs=("b",))
        for amount, currency in (("10", "USD"), ("20000.01", "EUR"))
    )
    whole = Option(code=OptionCode.INSURANCE, value=Money("5", "EUR"))

    found = [problem.path for problem in DPD.problems(attrs.evolve(TWO, options=(*options, whole)))]

    assert found == ["/options/0/value/currency", "/options/1/value/amount", "/options/2/package_refs"]


def test_a_second_name_is_shorter_and_nothing_is_cut() -> None:
    assert HOME.ship_to.contact is not None
    contact = attrs.evolve(HOME.ship_to.contact, name="x" * 33, company="y" * 35)
    request = attrs.evolve(HOME, ship_to=attrs.evolve(HOME.ship_to, contact=contact))

    assert [problem.path for problem in DPD.problems(request)] == ["/ship_to/contact/name"]
    with pytest.raises(InputError):
        next(DPD.create_shipment(request))


def test_more_references_than_fields_are_refused() -> None:
    three = tuple(Reference(type=ReferenceType.INVOICE, value=str(index)) for index in range(3))
    request = attrs.evolve(HOME, packages=(package(references=three),))

    assert [problem.path for problem in DPD.problems(request)] == ["/references"]


def test_a_control_character_is_the_hosts_to_mend() -> None:
    request = attrs.evolve(HOME, instructions="a\x08b")

    with pytest.raises((InputError, PluginError)) as caught:
        next(DPD.create_shipment(request))
    assert isinstance(caught.value, InputError)


# ---- cost


def test_an_account_is_configured_without_zeep_and_a_plugin_found_without_its_carrier() -> None:
    code = (
        "import sys, shipkit_dpd_fr; assert 'shipkit_dpd_fr.carrier' not in sys.modules;"
        "from shipkit_dpd_fr import DpdFrance;"
        "DpdFrance(userid='u', password='p', customer_center=1, customer_number=2);"
        "assert not {'zeep', 'lxml', 'requests', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
