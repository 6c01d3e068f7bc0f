"""Each conversation by example: what is asked, in which order, and what becomes of every answer."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest

from shipkit.errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    ReplyError,
    ShipkitError,
    UnavailableError,
)
from shipkit.model import (
    AddressCheck,
    AddressKind,
    AddressVerdict,
    BookingState,
    CancelOutcome,
    CancelRequest,
    ChargeType,
    Commitment,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    DropPlace,
    EventNature,
    LabelSpec,
    Length,
    LengthUnit,
    Milestone,
    Money,
    NoticeCode,
    NumberRole,
    PickupCancelRequest,
    PriceBasis,
    Reason,
    ReturnLabelKind,
    ServicePointCapability,
    ServicePointQuery,
    SubscriptionRequest,
    SubscriptionState,
    TimeBasis,
    TrackQuery,
    Weekday,
    Weight,
    WeightUnit,
)
from shipkit.testing import Reply, play, reply
from tests.ups.samples import (
    ABROAD,
    BACK,
    LEAD,
    ORDER,
    PARIS,
    PICKUP,
    QUOTED,
    RALEIGH,
    SECOND,
    UPS,
    at,
    number,
)

GIF, ZPL, PDF, HTML = ("R0lGODlhAQABAAAAACw=", "XlhBXlha", "JVBERi0xLjQK", "PGh0bWw+PC9odG1sPg==")
HEAD = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
VOID = CancelRequest(shipment_id=LEAD, reference="order-1042", tracking_numbers=(number(), number(SECOND)))


def refusal(status: int = 400, code: str = "120100", **headers: str) -> Reply:
    return reply(status, {"response": {"errors": [{"code": code, "message": "no"}]}}, headers)


def money(value: str) -> dict[str, str]:
    return {"CurrencyCode": "USD", "MonetaryValue": value}


def booked(**results: Any) -> Reply:
    """A booking of two packages."""
    rows = [
        {
            "TrackingNumber": value,
            "ShippingLabel": {"ImageFormat": {"Code": "GIF"}, "GraphicImage": GIF},
            "BaseServiceCharge": money("10.00"),
        }
        for value in (LEAD, SECOND)
    ]
    made = {
        "ShipmentCharges": {"TotalCharges": money("20.00")},
        "BillingWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": "2.0"},
        "ShipmentIdentificationNumber": LEAD,
        "PackageResults": rows,
        **results,
    }
    return reply(200, {"ShipmentResponse": {"Response": HEAD, "ShipmentResults": made}})


# What a status proves


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400), RejectedError, "120100"),
        (refusal(403, "250003"), RejectedError, "250003"),
        (refusal(404, "TW0001"), NotFoundError, "TW0001"),
        (refusal(401, "250002"), AuthenticationError, "250002"),
        (refusal(429, "10429"), RateLimitedError, "10429"),
        (refusal(500, "10004"), UnavailableError, "10004"),
        (refusal(503, "10503"), UnavailableError, "10503"),
        (reply(400, "<html><body>Bad Request</body></html>"), UnavailableError, ""),
        (reply(404, {"fault": {"faultstring": "no"}}), UnavailableError, ""),
        (reply(302, b""), UnavailableError, ""),
        (reply(502, b""), UnavailableError, ""),
        (refusal(200, "10004"), RejectedError, "10004"),
        (reply(200, "<html></html>"), ReplyError, ""),
        (reply(200, b""), ReplyError, ""),
    ],
)
def test_only_ups_own_words_are_a_refusal(answer: Reply, kind: type[ShipkitError], code: str) -> None:
    error = play(UPS.create_shipment(ORDER), answer).raised(kind)

    assert type(error) is kind
    assert getattr(error, "carrier_code", "") == code


def test_an_error_knows_ups_number_for_the_exchange_and_when_to_come_again() -> None:
    error = play(UPS.rates(QUOTED), refusal(429, "10429", Bkndtransid="abc", **{"Retry-After": "7"})).raised(
        RateLimitedError
    )

    assert (error.request_id, error.retry_after_s) == ("abc", 7)


def test_a_token_without_an_end_is_good_until_it_is_refused() -> None:
    assert play(UPS.authenticate(), reply(200, {"access_token": "t"})).value.expires_at is None
    play(UPS.authenticate(), reply(200, {"token_type": "Bearer"})).raised(ReplyError)


# Prices


def rated(**members: Any) -> Reply:
    row = {"Service": {"Code": "03", "Description": ""}, "TotalCharges": money("12.00"), **members}
    return reply(200, {"RateResponse": {"Response": HEAD, "RatedShipment": [row]}})


def quote(**members: Any) -> Any:
    (only,) = play(UPS.rates(QUOTED), rated(**members)).value
    return only


def test_the_accounts_own_price_is_the_total_and_the_published_one_stands_beside_it() -> None:
    found = quote(NegotiatedRateCharges={"TotalCharge": money("9.50")}, BaseServiceCharge=money("12.00"))

    assert (found.total, found.list_total) == (Money(Decimal("9.50"), "USD"), Money(Decimal("12.00"), "USD"))
    assert found.basis is PriceBasis.NEGOTIATED
    assert [(charge.type, charge.amount.amount) for charge in found.charges] == [
        (ChargeType.BASE, Decimal("12.00")),
        (ChargeType.UNEXPLAINED, Decimal("-2.50")),
    ]


def test_negotiated_rows_explain_a_negotiated_total() -> None:
    rows = {"BaseServiceCharge": money("8.00"), "ItemizedCharges": [{"Code": "375", **money("1.50")}]}
    found = quote(
        NegotiatedRateCharges={"TotalCharge": money("9.50"), **rows}, BaseServiceCharge=money("12.00"), Zone="204"
    )

    assert [(charge.type, charge.amount.amount) for charge in found.charges] == [
        (ChargeType.BASE, Decimal("8.00")),
        (ChargeType.FUEL, Decimal("1.50")),
    ]
    assert (found.zone, found.service_name) == ("204", "UPS Ground")


def test_a_price_with_taxes_says_so() -> None:
    found = quote(
        TotalChargesWithTaxes=money("14.40"),
        BaseServiceCharge=money("12.00"),
        TaxCharges=[{"Type": "VAT", "MonetaryValue": "2.40"}],
    )

    assert (found.total, found.tax_included) == (Money(Decimal("14.40"), "USD"), True)
    assert [charge.type for charge in found.charges] == [ChargeType.BASE, ChargeType.TAX]


def test_the_day_of_arrival_comes_with_the_price() -> None:
    arrival = {"Arrival": {"Date": "20260305", "Time": "103000"}, "BusinessDaysInTransit": "2"}
    transit = quote(TimeInTransit={"ServiceSummary": {"EstimatedArrival": arrival}}).transit

    assert transit.business_days.least == 2
    assert transit.window.latest.local == datetime(2026, 3, 5, 10, 30)
    assert transit.commitment is Commitment.UNKNOWN


def test_a_charge_without_a_table_keeps_its_code() -> None:
    (charge, rest) = quote(ItemizedCharges=[{"Code": "999", "Description": "MOON", **money("1.00")}]).charges

    assert (charge.type, charge.code, charge.description) == (ChargeType.SURCHARGE, "999", "MOON")
    assert rest.type is ChargeType.UNEXPLAINED


def test_a_service_of_another_continent_keeps_the_code_of_its_own() -> None:
    row = {"serviceLevel": "99", "serviceLevelDescription": "UPS Moonshot", "deliveryDate": "2026-03-09"}
    known = {**row, "serviceLevel": "08", "serviceLevelDescription": "UPS Standard"}
    found = play(UPS.transit_times(QUOTED), reply(200, {"emsResponse": {"services": [row, known]}})).value

    assert [transit.service for transit in found] == ["transit/99", "11"]
    assert found[0].transit.window is not None and found[0].transit.window.latest is not None
    assert found[0].transit.window.latest.local == date(2026, 3, 9)


# Bookings


def test_everything_that_comes_with_a_booking_is_kept_as_it_is() -> None:
    form = {"Code": "01", "Image": {"ImageFormat": {"Code": "PDF"}, "GraphicImage": PDF}}
    receipt = {"ImageFormat": {"Code": "HTML"}, "GraphicImage": HTML}
    row = {"TrackingNumber": LEAD, "ShippingLabel": {"ImageFormat": {"Code": "ZPL"}, "GraphicImage": ZPL}}
    both = [{**row, "ShippingReceipt": receipt}, {**row, "TrackingNumber": SECOND}]
    shipment = play(UPS.create_shipment(ABROAD), booked(Form=form, PackageResults=both)).value

    assert [(paper.kind, paper.format, paper.package_refs) for paper in shipment.documents] == [
        (DocumentKind.LABEL, DocumentFormat.ZPL, ("first",)),
        (DocumentKind.RECEIPT, DocumentFormat.HTML, ("first",)),
        (DocumentKind.LABEL, DocumentFormat.ZPL, ("second",)),
        (DocumentKind.COMMERCIAL_INVOICE, DocumentFormat.PDF, ()),
    ]
    assert shipment.documents[0].content == b"^XA^XZ"
    assert (shipment.total, shipment.basis) == (Money(Decimal("20.00"), "USD"), PriceBasis.LIST)


def test_a_booking_of_another_number_of_packages_is_not_believed() -> None:
    error = play(UPS.create_shipment(attrs.evolve(ORDER, packages=ORDER.packages[:1])), booked()).raised(ReplyError)

    assert "PackageResults" in error.paths[0]


def test_a_label_that_is_none_is_not_handed_on() -> None:
    row = {"TrackingNumber": LEAD, "ShippingLabel": {"ImageFormat": {"Code": "GIF"}, "GraphicImage": ZPL}}
    flow = UPS.create_shipment(attrs.evolve(ORDER, packages=ORDER.packages[:1]))

    play(flow, booked(PackageResults=[row])).raised(ReplyError)


def test_a_booking_whose_label_is_missing_waits_for_it() -> None:
    rows = [{"TrackingNumber": LEAD}, {"TrackingNumber": SECOND}]

    assert play(UPS.create_shipment(ORDER), booked(PackageResults=rows)).value.state is BookingState.LABEL_PENDING


def test_one_package_alone_is_no_list() -> None:
    row = {"TrackingNumber": LEAD, "ShippingLabel": {"ImageFormat": {"Code": "GIF"}, "GraphicImage": GIF}}
    flow = UPS.create_shipment(attrs.evolve(ORDER, packages=ORDER.packages[:1]))

    assert [package.ref for package in play(flow, booked(PackageResults=row)).value.packages] == ["first"]


def test_a_return_brings_its_label_or_the_carrier_does() -> None:
    row = {"TrackingNumber": LEAD, "ShippingLabel": {"ImageFormat": {"Code": "GIF"}, "GraphicImage": GIF}}
    printed = play(UPS.create_return(BACK), booked(PackageResults=row)).value
    mailed = play(
        UPS.create_return(attrs.evolve(BACK, kind=ReturnLabelKind.MAILED)),
        booked(PackageResults={"TrackingNumber": LEAD}),
    ).value

    assert printed.shipment is not None and mailed.shipment is not None
    assert [paper.kind for paper in printed.shipment.documents] == [DocumentKind.RETURN_LABEL]
    assert printed.shipment.tracking_numbers[0].role is NumberRole.RETURN
    assert (mailed.kind, mailed.shipment.documents) == (ReturnLabelKind.MAILED, ())
    assert mailed.shipment.state is BookingState.CONFIRMED
    late = play(UPS.create_return(BACK), booked(PackageResults={"TrackingNumber": LEAD})).value.shipment
    assert late is not None and late.state is BookingState.LABEL_PENDING


# Undoing


def voided(*rows: tuple[str, str], summary: str = "1", text: str = "Voided") -> Reply:
    packages = [
        {"TrackingNumber": value, "Status": {"Code": code, "Description": "Voided" if code == "1" else "Not Voided"}}
        for value, code in rows
    ]
    body = {"Response": HEAD, "SummaryResult": {"Status": {"Code": summary, "Description": text}}}
    return reply(200, {"VoidShipmentResponse": {**body, "PackageLevelResults": packages}})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (voided(), CancelOutcome.VOIDED),
        (voided((LEAD, "1"), (SECOND, "1")), CancelOutcome.VOIDED),
        (voided((LEAD, "1"), (SECOND, "0")), CancelOutcome.PARTLY),
        (voided((LEAD, "0"), (SECOND, "0"), summary="0", text="Not Voided"), CancelOutcome.REJECTED),
        (voided(text="Already Voided"), CancelOutcome.ALREADY_VOIDED),
    ],
)
def test_a_void_says_what_became_of_each_package(answer: Reply, outcome: CancelOutcome) -> None:
    result = play(UPS.cancel_shipment(VOID), answer).value

    assert result.outcome is outcome


def test_one_package_of_several_is_voided_by_its_number() -> None:
    request = attrs.evolve(VOID, tracking_numbers=(number(SECOND),), package_refs=("second",))
    played = play(UPS.cancel_shipment(request), voided((SECOND, "1")))

    assert played.urls[0].endswith(f"/api/shipments/v2409/void/cancel/{LEAD}?trackingnumber={SECOND}")
    (package,) = played.value.packages
    assert (package.package_ref, package.outcome, package.carrier_code) == ("second", CancelOutcome.VOIDED, "1")


def test_several_packages_are_voided_by_a_list() -> None:
    request = attrs.evolve(VOID, package_refs=("first", "second"))
    url = play(UPS.cancel_shipment(request), voided()).urls[0]

    assert url.endswith(f"?trackingnumber=%5B%22{LEAD}%22%2C%22{SECOND}%22%5D")


def tracked(kind: str, *values: str, **members: Any) -> Reply:
    rows = [{"trackingNumber": value, "currentStatus": {"type": kind, "code": "018"}, **members} for value in values]
    return reply(200, {"trackResponse": {"shipment": [{"inquiryNumber": "x", "package": rows}]}})


def test_a_refused_void_of_what_is_void_already_is_no_refusal() -> None:
    played = play(UPS.cancel_shipment(VOID), refusal(400, "190117"), tracked("MV", LEAD), tracked("MV", SECOND))

    assert played.value.outcome is CancelOutcome.ALREADY_VOIDED
    assert [package.tracking_number for package in played.value.packages] == list(VOID.tracking_numbers)


@pytest.mark.parametrize(
    "answers", [(tracked("I", LEAD),), (refusal(404, "TW0001"),), (tracked("MV", LEAD), tracked("I", SECOND))]
)
def test_a_refused_void_of_what_is_not_void_is_refused(answers: tuple[Reply, ...]) -> None:
    error = play(UPS.cancel_shipment(VOID), refusal(400, "190102"), *answers).raised(RejectedError)

    assert error.carrier_code == "190102"


def test_without_numbers_the_shipments_own_decides() -> None:
    request = attrs.evolve(VOID, tracking_numbers=())
    flow = UPS.cancel_shipment(request)

    assert play(flow, refusal(400, "190117"), tracked("MV", LEAD)).urls[1].split("?")[0].endswith(LEAD)
    play(UPS.cancel_shipment(request), refusal(400, "190117"), tracked("I", LEAD)).raised(RejectedError)


# Finding again


def recovered(lead: str, *values: str, label: str = GIF, **members: Any) -> Reply:
    rows = [
        {"TrackingNumber": value, "LabelImage": {"LabelImageFormat": {"Code": "GIF"}, "GraphicImage": label}}
        for value in values
    ]
    row = {"Response": HEAD, "ShipmentIdentificationNumber": lead, "LabelResults": rows, **members}
    return reply(200, {"LabelRecoveryResponse": row})


NOWHERE = refusal(404, "TW0001")


def test_a_booking_is_found_by_its_mark_with_its_labels() -> None:
    played = play(UPS.find_shipments(ORDER), recovered(LEAD, LEAD, SECOND), NOWHERE)
    (shipment,) = played.value

    assert shipment.state is BookingState.CONFIRMED
    assert [(p.ref, p.tracking_number and p.tracking_number.value) for p in shipment.packages] == [
        ("first", LEAD),
        ("second", SECOND),
    ]
    assert [paper.package_refs for paper in shipment.documents] == [("first",), ("second",)]
    asked = played.bodies[0]["LabelRecoveryRequest"]
    assert asked["ReferenceValues"] == {"ReferenceNumber": {"Value": ORDER.mark}, "ShipperNumber": "A1B2C3"}
    url, _, query = played.urls[1].partition("?")
    assert url.endswith(f"/track/v1/reference/details/{ORDER.mark}")
    assert {"fromPickUpDate=20260217", "toPickUpDate=20260402"} <= set(query.split("&")), "its own days, not today's"


@pytest.mark.parametrize("nothing", [refusal(400, "300019"), refusal(404, "300019")])
def test_a_mark_that_nobody_knows_finds_nothing(nothing: Reply) -> None:
    assert play(UPS.find_shipments(ORDER), nothing, NOWHERE).value == ()


def test_a_search_that_failed_has_found_nothing_out() -> None:
    play(UPS.find_shipments(ORDER), refusal(503, "10503")).raised(UnavailableError)
    play(UPS.find_shipments(ORDER), refusal(400, "300019"), refusal(503, "10503")).raised(UnavailableError)
    play(UPS.find_shipments(ORDER), reply(400, "<html></html>")).raised(UnavailableError)


def test_several_bookings_under_one_mark_are_all_found() -> None:
    other = "1Z2220060294314162"
    candidates = {"TrackingCandidate": [{"TrackingNumber": LEAD}, {"TrackingNumber": other}]}
    played = play(
        UPS.find_shipments(attrs.evolve(ORDER, packages=ORDER.packages[:1])),
        reply(200, {"LabelRecoveryResponse": {"Response": HEAD, **candidates}}),
        recovered(LEAD, LEAD),
        recovered(other, other),
        NOWHERE,
    )

    assert [shipment.shipment_id for shipment in played.value] == [LEAD, other]
    assert [body["LabelRecoveryRequest"].get("TrackingNumber") for body in played.bodies[:3]] == [None, LEAD, other]


def test_what_is_void_is_found_as_void() -> None:
    both = play(UPS.find_shipments(ORDER), recovered(LEAD, LEAD, SECOND), tracked("MV", LEAD, SECOND)).value
    by_tracking = play(UPS.find_shipments(ORDER), refusal(400, "300019"), tracked("MV", LEAD, SECOND)).value

    assert [shipment.state for shipment in (*both, *by_tracking)] == [BookingState.VOIDED, BookingState.VOIDED]


def test_a_package_that_was_taken_out_is_not_found_with_the_others() -> None:
    rows = [{"trackingNumber": LEAD, "currentStatus": {"type": "MV"}}, {"trackingNumber": SECOND}]
    answer = reply(200, {"trackResponse": {"shipment": [{"package": rows}]}})
    (labelled,) = play(UPS.find_shipments(ORDER), recovered(LEAD, SECOND), answer).value
    (tracked_,) = play(UPS.find_shipments(ORDER), refusal(400, "300019"), answer).value

    assert [number.value for number in (*labelled.tracking_numbers, *tracked_.tracking_numbers)] == [SECOND, SECOND]
    assert (labelled.state, tracked_.state) == (BookingState.CONFIRMED, BookingState.LABEL_PENDING)


def test_a_package_that_recovery_does_not_name_is_known_from_tracking() -> None:
    (shipment,) = play(UPS.find_shipments(ORDER), recovered(LEAD, LEAD), tracked("M", LEAD, SECOND)).value

    assert [number.value for number in shipment.tracking_numbers] == [LEAD, SECOND]
    assert shipment.state is BookingState.LABEL_PENDING, "its label is still to be fetched"


def test_a_booking_that_only_tracking_knows_still_lacks_its_labels() -> None:
    (shipment,) = play(UPS.find_shipments(ORDER), refusal(400, "300019"), tracked("M", LEAD, SECOND)).value

    assert (shipment.shipment_id, shipment.state) == (LEAD, BookingState.LABEL_PENDING)
    assert [package.ref for package in shipment.packages] == ["first", "second"]


def test_packages_that_tracking_tells_one_by_one_are_one_booking() -> None:
    rows = [{"package": [{"trackingNumber": value, "currentStatus": {"type": "M"}}]} for value in (LEAD, SECOND)]
    answer = reply(200, {"trackResponse": {"shipment": rows}})
    (shipment,) = play(UPS.find_shipments(ORDER), refusal(400, "300019"), answer).value

    assert [number.value for number in shipment.tracking_numbers] == [LEAD, SECOND]


def test_papers_come_again_package_by_package_in_another_format() -> None:
    query = DocumentQuery(
        shipment_id=LEAD, tracking_numbers=VOID.tracking_numbers, label=LabelSpec(format=DocumentFormat.PDF)
    )
    form = {"Image": {"ImageFormat": {"Code": "PDF"}, "GraphicImage": PDF}}
    one, two = (
        reply(
            200,
            {
                "LabelRecoveryResponse": {
                    "LabelResults": {
                        "TrackingNumber": value,
                        "LabelImage": {"LabelImageFormat": {"Code": "PDF"}, "GraphicImage": label},
                    },
                    "Form": form,
                }
            },
        )
        for value, label in ((LEAD, PDF), (SECOND, "JVBERi0xLjUK"))
    )
    played = play(UPS.documents(query), one, two)

    assert [body["LabelRecoveryRequest"]["TrackingNumber"] for body in played.bodies] == [LEAD, SECOND]
    assert [paper.kind for paper in played.value] == [
        DocumentKind.LABEL,
        DocumentKind.COMMERCIAL_INVOICE,
        DocumentKind.LABEL,
    ], "the invoice comes with every package and is kept once"
    assert [paper.package_refs for paper in played.value] == [(LEAD,), (), (SECOND,)]
    only = play(UPS.documents(attrs.evolve(query, kinds=frozenset({DocumentKind.COMMERCIAL_INVOICE}))), one, two)
    assert [paper.kind for paper in only.value] == [DocumentKind.COMMERCIAL_INVOICE]


def test_the_label_of_a_way_back_comes_again_as_one() -> None:
    back = DocumentQuery(shipment_id=LEAD, tracking_numbers=(attrs.evolve(number(), role=NumberRole.RETURN),))
    wanted = DocumentQuery(shipment_id=LEAD, tracking_numbers=(), kinds=frozenset({DocumentKind.RETURN_LABEL}))

    image = {"LabelImageFormat": {"Code": "GIF"}, "GraphicImage": GIF}
    answer = reply(200, {"LabelRecoveryResponse": {"LabelResults": {"TrackingNumber": LEAD, "LabelImage": image}}})
    for query in (back, wanted):
        played = play(UPS.documents(query), answer)
        assert played.bodies[0]["LabelRecoveryRequest"]["TrackingNumber"] == LEAD
        assert [paper.kind for paper in played.value] == [DocumentKind.RETURN_LABEL]


# Tracking


ACTIVITY = {
    "location": {"address": {"city": "Doraville", "stateProvince": "GA", "countryCode": "US"}, "slic": "3001"},
    "status": {"type": "I", "description": "Arrived at Facility ", "code": "AR", "statusCode": "005"},
    "date": "20260302",
    "time": "181300",
    "gmtDate": "20260302",
    "gmtOffset": "-05:00",
    "gmtTime": "23:13:00",
}


def one_event(**changes: Any) -> Any:
    answer = tracked("I", LEAD, activity=[{**ACTIVITY, **changes}])
    (event,) = play(UPS.track(TrackQuery(number=number())), answer).value.events
    return event


def test_an_activity_is_an_event_with_its_place_and_local_time() -> None:
    event = one_event()

    assert (event.milestone, event.reason) == (Milestone.IN_TRANSIT, Reason.ARRIVED_AT_FACILITY)
    assert (event.code_type, event.code, event.subcode, event.text) == ("I", "AR", "005", "Arrived at Facility")
    assert (event.time.local, event.time.offset_min) == (datetime(2026, 3, 2, 18, 13), -300)
    assert event.time.instant == datetime(2026, 3, 2, 23, 13, tzinfo=timezone.utc)
    assert (event.place.city, event.place.region, event.place.country) == ("Doraville", "GA", "US")
    assert event.piece == LEAD


def test_a_status_that_no_source_explains_is_kept_and_counted() -> None:
    states = [{"type": "I", "code": "ZZ"}, {"type": "X", "code": "E7"}, {"type": "I", "code": "ZZ"}, ACTIVITY["status"]]
    answer = tracked("I", LEAD, activity=[{**ACTIVITY, "status": state} for state in states])
    found = play(UPS.track(TrackQuery(number=number())), answer).value

    assert [(event.milestone, event.reason) for event in found.events[:2]] == [
        (None, Reason.UNMAPPED),
        (None, Reason.DELIVERY_EXCEPTION),
    ]
    assert [event.unmapped for event in found.events] == [True, True, True, False]
    counted = [message.carrier_code for message in found.messages if message.code is NoticeCode.UNMAPPED_CODE]
    assert counted == ["I+ZZ", "X+E7"]


@pytest.mark.parametrize(
    ("changes", "offset", "basis"),
    [
        ({"gmtOffset": "+05:30"}, 330, TimeBasis.OFFSET),
        ({"gmtOffset": "-05.00"}, -300, TimeBasis.OFFSET),
        ({"gmtOffset": ""}, -300, TimeBasis.UTC_PAIR),
        ({"gmtOffset": None, "gmtTime": "231300"}, -300, TimeBasis.UTC_PAIR),
        ({"gmtOffset": None, "gmtDate": None}, None, TimeBasis.NONE),
        ({"gmtOffset": None, "gmtDate": "20250101"}, None, TimeBasis.NONE),
    ],
)
def test_the_offset_is_the_one_that_ups_prints_or_that_its_two_clocks_give(
    changes: dict[str, Any], offset: int | None, basis: TimeBasis
) -> None:
    event = one_event(**changes)

    assert (event.time.offset_min, event.time.basis) == (offset, basis)


def test_a_day_without_a_time_is_a_day() -> None:
    assert one_event(time="").time.local == date(2026, 3, 2)


def test_a_code_that_nobody_knows_moves_nothing_and_is_kept() -> None:
    event = one_event(status={"type": "I", "code": "Q7", "description": "?"})

    assert (event.milestone, event.code, event.code_type) == (None, "Q7", "I")


def test_a_scan_of_data_only_is_told_from_one_of_the_parcel() -> None:
    assert one_event(logicalScan=True).nature is EventNature.LOGICAL
    assert one_event(logicalScan=False).nature is EventNature.PHYSICAL
    assert one_event().nature is None


def test_every_package_of_the_shipment_is_tracked_page_by_page() -> None:
    first_, second, third = (
        {"trackingNumber": value, "packageCount": 3, "activity": [ACTIVITY]} for value in (LEAD, SECOND, "1Z3")
    )

    def page(*rows: dict[str, Any]) -> Reply:
        return reply(200, {"trackResponse": {"shipment": [{"package": list(rows)}]}})

    played = play(UPS.track(TrackQuery(number=number())), page(first_), page(first_, second), page(third))
    result = played.value

    assert [event.piece for event in result.events] == [LEAD, SECOND, "1Z3"]
    assert result.complete
    assert [number.value for number in result.related] == [SECOND, "1Z3"]
    assert [url.partition("?")[2] for url in played.urls[1:]] == [
        "locale=en_US&offset=0&count=50",
        "locale=en_US&offset=2&count=50",
    ]


def test_pages_that_do_not_come_leave_an_incomplete_answer() -> None:
    row = {"trackingNumber": LEAD, "packageCount": 3, "activity": [ACTIVITY]}
    answer = reply(200, {"trackResponse": {"shipment": [{"package": [row]}]}})
    empty = reply(200, {"trackResponse": {"shipment": [{}]}})
    result = play(UPS.track(TrackQuery(number=number())), answer, empty).value

    assert (len(result.events), result.complete) == (1, False)


def test_a_delivery_says_when_where_and_to_whom() -> None:
    done = {**ACTIVITY, "status": {"type": "D", "code": "FS", "description": "DELIVERED"}}
    answer = tracked(
        "D",
        LEAD,
        activity=[done],
        deliveryDate=[{"type": "SDD", "date": "20260303"}, {"type": "DEL", "date": "20260302"}],
        deliveryTime={"type": "DEL", "endTime": "181300"},
        deliveryInformation={"location": "Front Door", "receivedBy": "DOE"},
        weight={"unitOfMeasurement": "LBS", "weight": "1.50"},
        service={"code": "003", "description": "UPS Ground"},
    )
    result = play(UPS.track(TrackQuery(number=number())), answer).value

    assert result.proof is not None
    assert (result.proof.place, result.proof.signed_by) == (DropPlace.DOOR, "DOE")
    assert result.proof.delivered_at.instant == datetime(2026, 3, 2, 23, 13, tzinfo=timezone.utc)
    assert (result.weight, result.service, result.transit) == (
        Weight(Decimal("1.50"), WeightUnit.LB),
        "UPS Ground",
        None,
    )


def test_a_parcel_on_its_way_has_a_day_of_arrival() -> None:
    days = [{"type": "SDD", "date": "20260303"}, {"type": "RDD", "date": "20260304"}]
    answer = tracked(
        "I", LEAD, deliveryDate=days, deliveryTime={"type": "EDW", "startTime": "120000", "endTime": "160000"}
    )
    transit = play(UPS.track(TrackQuery(number=number())), answer).value.transit

    assert transit is not None and transit.window is not None
    assert transit.window.earliest is not None and transit.window.latest is not None
    assert (transit.window.earliest.local, transit.window.latest.local) == (
        datetime(2026, 3, 4, 12),
        datetime(2026, 3, 4, 16),
    )


def test_a_number_that_ups_does_not_know_is_not_found() -> None:
    play(UPS.track(TrackQuery(number=number())), NOWHERE).raised(NotFoundError)
    warning = {"warnings": [{"code": "TW0001", "message": "Tracking Information Not Found"}]}
    answer = reply(200, {"trackResponse": {"shipment": [warning]}})
    error = play(UPS.track(TrackQuery(number=number())), answer).raised(NotFoundError)

    assert error.carrier_code == "TW0001"


@pytest.mark.parametrize(
    ("language", "locale"), [("en", "en_US"), ("fr", "fr_FR"), ("de-AT", "de_AT"), ("eu", "en_US")]
)
def test_texts_are_asked_for_in_the_hosts_language(language: str, locale: str) -> None:
    played = play(UPS.track(TrackQuery(number=number(), language=language)), tracked("I", LEAD, activity=[ACTIVITY]))

    assert f"locale={locale}&" in played.urls[0]
    assert played.value.events[0].language == locale[:2]


# Pickups, addresses, points, subscriptions


def test_a_pickup_is_confirmed_with_its_price() -> None:
    price = {
        "CurrencyCode": "USD",
        "ChargeDetail": [
            {"ChargeCode": "B", "ChargeDescription": "BASE CHARGE", "ChargeAmount": "9.60", "TaxAmount": "0.00"},
            {"ChargeCode": "S", "ChargeDescription": "FUEL SURCHARGE", "ChargeAmount": "1.63", "TaxAmount": "0.00"},
        ],
        "GrandTotalOfAllCharge": "11.23",
    }
    answer = {"PickupCreationResponse": {"Response": HEAD, "PRN": "2929602E9CP", "RateResult": price}}
    played = play(UPS.book_pickup(PICKUP), reply(200, answer))
    pickup = played.value

    assert (pickup.confirmation, pickup.total) == ("2929602E9CP", Money(Decimal("11.23"), "USD"))
    assert [(charge.type, charge.code) for charge in pickup.charges] == [
        (ChargeType.PICKUP, "B"),
        (ChargeType.SURCHARGE, "S"),
    ]
    assert played.methods == ["POST"] and not played.requests[0].replayable


def test_a_pickup_is_called_off_by_its_number() -> None:
    answer = reply(200, {"PickupCancelResponse": {"Response": HEAD, "PickupType": "01"}})
    played = play(UPS.cancel_pickup(PickupCancelRequest(confirmation="2929602E9CP")), answer)

    assert played.value.outcome is CancelOutcome.VOIDED
    assert played.urls[0].endswith("/api/shipments/v2409/pickup/02")
    assert played.requests[0].headers["prn"] == "2929602E9CP"


STREET = {
    "AddressLine": ["10 LOVELY ST"],
    "PoliticalDivision2": "RALEIGH",
    "PoliticalDivision1": "NC",
    "PostcodePrimaryLow": "27615",
    "PostcodeExtendedLow": "1234",
    "CountryCode": "US",
}


def checked(line: str, **members: Any) -> Any:
    address = at(RALEIGH, lines=(line,)).address
    assert address is not None
    answer = reply(200, {"XAVResponse": {"Response": HEAD, **members}})
    return play(UPS.check_address(AddressCheck(address=address)), answer).value


@pytest.mark.parametrize(
    ("line", "members", "verdict"),
    [
        ("10 Lovely St", {"ValidAddressIndicator": "", "Candidate": [{"AddressKeyFormat": STREET}]}, "verified"),
        ("10 Lovly St", {"ValidAddressIndicator": "", "Candidate": [{"AddressKeyFormat": STREET}]}, "corrected"),
        ("Lovely St", {"AmbiguousAddressIndicator": "", "Candidate": [{"AddressKeyFormat": STREET}] * 2}, "ambiguous"),
        ("Nowhere", {"NoCandidatesIndicator": ""}, "failed"),
    ],
)
def test_an_address_is_verified_corrected_ambiguous_or_failed(line: str, members: dict[str, Any], verdict: str) -> None:
    assert checked(line, **members).verdict is AddressVerdict(verdict)


def test_a_candidate_is_an_address_in_ups_spelling() -> None:
    kind = {"Code": "2", "Description": "Residential"}
    row = {"AddressKeyFormat": STREET, "AddressClassification": kind}
    result = checked("10 Lovely St", ValidAddressIndicator="", Candidate=[row], AddressClassification=kind)

    assert result.kind is AddressKind.RESIDENTIAL
    (candidate,) = result.candidates
    assert (candidate.lines, candidate.postal_code, candidate.kind) == (
        ("10 LOVELY ST",),
        "27615-1234",
        AddressKind.RESIDENTIAL,
    )


def test_addresses_elsewhere_are_not_ups_to_judge() -> None:
    assert PARIS.address is not None
    error = play(UPS.check_address(AddressCheck(address=PARIS.address))).raised(InputError)

    assert [problem.path for problem in error.problems] == ["/address/country"]


SHOP = {
    "LocationID": "130200",
    "AddressKeyFormat": {
        "ConsigneeName": "THE CORNER SHOP",
        "AddressLine": "10 HIGH ST",
        "PoliticalDivision2": "RALEIGH",
        "PoliticalDivision1": "NC",
        "PostcodePrimaryLow": "27615",
        "CountryCode": "US",
    },
    "Geocode": {"Latitude": "35.88", "Longitude": "-78.63"},
    "Distance": {"Value": "1.5", "UnitOfMeasurement": {"Code": "KM"}},
    "OperatingHours": {
        "StandardHours": [
            {
                "HoursType": "10",
                "DayOfWeek": [
                    {"Day": "1", "ClosedIndicator": ""},
                    {"Day": "2", "OpenHours": "930", "CloseHours": "1700"},
                    {"Day": "3", "Open24HoursIndicator": ""},
                    {"Day": "4", "OpenHours": "1200", "CloseHours": "0"},
                ],
            }
        ]
    },
    "ServiceOfferingList": {"ServiceOffering": [{"Code": "001"}, {"Code": "006"}, {"Code": "999"}]},
    "AccessPointInformation": {"PublicAccessPointID": "U51130200"},
}
NEAR = ServicePointQuery(near=RALEIGH.address, country="US", max_distance=Length(Decimal(1_000_000), LengthUnit.CM))


def located(*points: dict[str, Any]) -> Reply:
    body = {"Response": {"ResponseStatusCode": "1"}, "SearchResults": {"DropLocation": list(points)}}
    return reply(200, {"LocatorResponse": body})


def test_a_point_has_its_public_id_its_hours_and_what_it_is_for() -> None:
    played = play(UPS.service_points(NEAR), located(SHOP))
    (point,) = played.value

    assert (point.id, point.routing["location_id"]) == ("U51130200", "130200")
    assert point.capabilities == {ServicePointCapability.COLLECT, ServicePointCapability.DROP_OFF}
    assert point.distance is not None and point.distance.to(LengthUnit.CM, "ROUND_HALF_EVEN", "1") == 150_000
    assert [(row.weekday, row.opens, row.closes) for row in point.hours] == [
        (Weekday.MONDAY, time(9, 30), time(17)),
        (Weekday.TUESDAY, time(0), time(23, 59)),
        (Weekday.WEDNESDAY, time(12), time(23, 59)),
    ]
    assert played.bodies[0]["LocatorRequest"]["LocationSearchCriteria"]["SearchRadius"] == "10"


def test_a_point_that_is_for_another_purpose_is_none() -> None:
    shop = {**SHOP, "ServiceOfferingList": {"ServiceOffering": [{"Code": "006"}]}}

    assert play(UPS.service_points(NEAR), located(shop)).value == ()
    handing_over = attrs.evolve(NEAR, purpose=ServicePointCapability.DROP_OFF)
    assert len(play(UPS.service_points(handing_over), located(shop)).value) == 1
    silent = {name: value for name, value in SHOP.items() if name != "ServiceOfferingList"}
    assert len(play(UPS.service_points(NEAR), located(silent)).value) == 1


def test_miles_are_not_kilometres() -> None:
    (point,) = play(
        UPS.service_points(NEAR), located({**SHOP, "Distance": {"Value": "2", "UnitOfMeasurement": {"Code": "MI"}}})
    ).value

    assert point.distance == Length(Decimal(126_720), LengthUnit.IN)


def test_no_point_is_said_with_a_status_of_failure() -> None:
    error = {"ErrorSeverity": "Hard", "ErrorCode": "350202", "ErrorDescription": "No locations found"}
    answer = {"LocatorResponse": {"Response": {"ResponseStatusCode": "0", "Error": error}}}

    assert play(UPS.service_points(NEAR), reply(200, answer)).raised(NotFoundError).carrier_code == "350202"
    assert play(UPS.service_points(NEAR), located()).value == ()


SUBSCRIBE = SubscriptionRequest(numbers=VOID.tracking_numbers, callback_url="https://host.example/h", secret="shown")


def test_a_subscription_names_where_to_push_and_what_to_show_there() -> None:
    played = play(UPS.subscribe(SUBSCRIBE), reply(200, {"validTrackingNumbers": [LEAD, SECOND]}))

    assert played.value.state is SubscriptionState.ACTIVE
    assert played.value.ends_on == played.responses[0].received_at.date() + timedelta(days=14)
    assert played.bodies[0]["destination"] == {
        "url": "https://host.example/h",
        "credentialType": "Bearer",
        "credential": "shown",
    }


def test_the_accounts_own_credential_is_used_where_none_is_given() -> None:
    request = attrs.evolve(SUBSCRIBE, secret=None)
    played = play(UPS.subscribe(request), reply(200, {"validTrackingNumbers": [LEAD, SECOND]}))

    assert played.bodies[0]["destination"]["credential"] == "credential-of-the-tests"
    nothing = attrs.evolve(UPS, webhook_credentials=())
    error = play(nothing.subscribe(request)).raised(InputError)
    assert [problem.path for problem in error.problems] == ["/secret"]


def test_a_number_that_ups_does_not_take_is_named() -> None:
    body = {"validTrackingNumbers": [LEAD], "invalidTrackingNumbers": [SECOND]}
    subscription = play(UPS.subscribe(SUBSCRIBE), reply(200, body)).value

    assert subscription.state is SubscriptionState.PARTLY
    assert [number.value for number in subscription.accepted] == [LEAD]
    assert isinstance(subscription.refused[SECOND], RejectedError)


def test_one_credential_is_not_taken_for_its_letters() -> None:
    account = attrs.evolve(UPS, webhook_credentials="only")

    assert account.webhook_credentials == ("only",)
    assert "only" not in repr(account) and UPS.client_secret not in repr(UPS)
