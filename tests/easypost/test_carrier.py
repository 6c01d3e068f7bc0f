"""Conversations with EasyPost, played by hand."""

from __future__ import annotations

import json
import pickle
from datetime import date, time
from decimal import Decimal
from typing import Any

import attrs
import pytest

from shipkit.carrier import (
    Cancels,
    Documents,
    EstimatesTransit,
    FindsShipments,
    Insures,
    Manifests,
    PicksUp,
    Rates,
    ReadsWebhooks,
    Refunds,
    Returns,
    ServicePoints,
    Ships,
    Signs,
    Subscribes,
    Tracks,
    ValidatesAddresses,
)
from shipkit.constraints import problems
from shipkit.errors import (
    AuthenticationError,
    InputError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    ReplyError,
)
from shipkit.model import (
    BookingState,
    CancelOutcome,
    CancelRequest,
    Commitment,
    CustomsPurpose,
    DocumentFormat,
    DocumentQuery,
    Environment,
    InsuranceRequest,
    LabelSpec,
    ManifestKind,
    ManifestRequest,
    Milestone,
    Money,
    NoticeCode,
    NumberRole,
    Option,
    OptionCode,
    PackagingKind,
    PartyInRole,
    PartyRole,
    PickupCancelRequest,
    PickupRequest,
    PickupWindow,
    Problem,
    Reason,
    Reference,
    ReferenceType,
    RefundRequest,
    RefundState,
    ReturnLabelKind,
    ReturnRequest,
    ServicePointRef,
    SignatureResult,
    SubscriptionRequest,
    SubscriptionState,
    TimeBasis,
    TimePrecision,
    TrackQuery,
)
from shipkit.testing import PLAYED_AT, Reply, play, reply
from shipkit_easypost import EasyPost
from tests.easypost.samples import (
    BOX,
    CUSTOMS,
    EASYPOST,
    ELIZABETH,
    JACK,
    KEY,
    ORDER,
    QUOTED,
    RECEIVED_AT,
    delivery,
    number,
)

NOT_FOUND = reply(404, {"error": {"code": "NOT_FOUND", "message": "The requested resource could not be found."}})


def rate(service: str = "GroundAdvantage", price: str = "6.07", rate_id: str = "rate_1", **more: Any) -> dict[str, Any]:
    return {"id": rate_id, "carrier": "USPS", "service": service, "rate": price, "currency": "USD", **more}


def draft(*rates: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "shp_1",
        "created_at": "2026-03-02T08:59:58Z",
        "reference": ORDER.mark,
        "rates": list(rates or [rate()]),
        **more,
    }


def bought(**more: Any) -> dict[str, Any]:
    label = {
        "label_url": "https://easypost-files.s3.us-west-2.amazonaws.com/l.png",
        "label_file_type": "image/png",
        "label_resolution": 300,
        "label_size": "4x6",
    }
    return {
        **draft(),
        "selected_rate": rate(),
        "tracking_code": "9400100208303109505657",
        "postage_label": label,
        "fees": [{"type": "LabelFee", "amount": "0.00000"}, {"type": "PostageFee", "amount": "6.07000"}],
        **more,
    }


def error(code: str, message: str = "no", status: int = 422) -> Reply:
    return reply(status, {"error": {"code": code, "message": message, "errors": []}})


# The account


def test_the_key_says_whether_money_is_spent() -> None:
    assert EasyPost(api_key="EZTKabc").environment is Environment.TEST
    assert EasyPost(api_key="EZAKabc").environment is Environment.PRODUCTION
    assert EasyPost(api_key="abc").environment is Environment.TEST
    assert EasyPost(api_key="abc", environment=Environment.PRODUCTION).environment is Environment.PRODUCTION


@pytest.mark.parametrize(("key", "environment"), [("EZTKabc", "production"), ("EZAKabc", "test")])
def test_a_key_of_the_other_world_is_refused(key: str, environment: str) -> None:
    with pytest.raises(InputError) as raised:
        EasyPost(api_key=key, environment=environment)

    assert [problem.path for problem in raised.value.problems] == ["/environment"]
    assert key not in str(raised.value)


def test_no_secret_is_shown_and_no_account_is_pickled() -> None:
    account = EasyPost(api_key="EZTK-very-secret", webhook_secret="also-secret")

    assert "secret" not in repr(account)
    with pytest.raises(TypeError):
        pickle.dumps(account)


def test_the_plugin_has_what_the_interface_offers_and_nothing_else() -> None:
    offered = [
        Rates,
        EstimatesTransit,
        Ships,
        FindsShipments,
        Cancels,
        Refunds,
        Documents,
        Tracks,
        ValidatesAddresses,
        PicksUp,
        Manifests,
        Returns,
        Insures,
        ReadsWebhooks,
        Subscribes,
        Signs,
    ]
    assert all(isinstance(EASYPOST, protocol) for protocol in offered)
    assert not isinstance(EASYPOST, ServicePoints)


# Errors


def test_only_an_error_of_easyposts_own_says_that_something_does_not_exist() -> None:
    asked = TrackQuery(number=number())

    play(EASYPOST.track(asked), NOT_FOUND).raised(NotFoundError)
    play(EASYPOST.track(asked), reply(404, {"message": "no Route matched with those values"})).raised(ReplyError)
    play(EASYPOST.track(asked), reply(404, "<html>not here</html>")).raised(ReplyError)


def test_each_status_becomes_the_error_that_it_proves() -> None:
    asked = TrackQuery(number=number())

    assert play(EASYPOST.track(asked), error("UNAUTHORIZED", status=401)).raised(AuthenticationError).http_status == 401
    limited = play(EASYPOST.track(asked), reply(429, "slow down", {"Retry-After": "7"})).raised(RateLimitedError)
    assert limited.retry_after_s == 7
    assert play(EASYPOST.track(asked), error("PAYMENT_REQUIRED", status=402)).raised(RejectedError).carrier_code == (
        "PAYMENT_REQUIRED"
    )
    assert play(EASYPOST.track(asked), error("FORBIDDEN", status=403)).raised(RejectedError).carrier_code == "FORBIDDEN"


def test_an_error_inside_a_success_is_an_error() -> None:
    played = play(EASYPOST.create_shipment(ORDER), reply(200, draft()), error("SHIPMENT.POSTAGE.FAILURE", status=200))

    assert played.raised(RejectedError).carrier_code == "SHIPMENT.POSTAGE.FAILURE"


def test_the_words_of_an_error_are_found_in_every_form_in_which_they_come() -> None:
    forms = [
        ({"error": "just a text"}, "just a text"),
        ({"error": {"code": "X", "message": ["one", {"two": "three"}]}}, "one; three"),
        ({"error": {"code": "X", "message": "top", "errors": ["a text"]}}, "top; a text"),
        ({"error": {"code": "X", "message": "top", "errors": {"field": "zip", "message": "bad"}}}, "top; zip: bad"),
    ]
    for body, words in forms:
        assert play(EASYPOST.rates(QUOTED), reply(422, body)).raised(RejectedError).carrier_message == words


# Prices


def test_a_quote_says_what_the_carriers_that_gave_none_complained_of() -> None:
    message = {"carrier": "FedEx", "type": "rate_error", "message": "Shipment cannot weigh less than 16oz"}
    (quote,) = play(EASYPOST.rates(QUOTED), reply(201, draft(messages=[message]))).value

    assert [(m.code, m.text) for m in quote.messages] == [
        (NoticeCode.PARTIAL_ANSWER, "FedEx: Shipment cannot weigh less than 16oz")
    ]
    nothing = play(EASYPOST.rates(QUOTED), reply(201, {**draft(messages=[message]), "rates": []}))
    assert "cannot weigh less" in nothing.raised(RejectedError).carrier_message


def test_only_the_services_asked_for_are_quoted() -> None:
    answer = reply(201, draft(rate(), rate("Express", "34.15", "rate_2")))
    quotes = play(EASYPOST.rates(attrs.evolve(QUOTED, services=("usps/Express",))), answer).value

    assert [quote.service for quote in quotes] == ["usps/Express"]


def test_a_guaranteed_date_is_told_from_an_expected_one() -> None:
    rates = [
        rate(delivery_days=2, delivery_date="2026-03-04T12:00:00Z", delivery_date_guaranteed=True),
        rate("Priority", delivery_days=3),
        rate("Media"),
    ]
    firm, loose, silent = (quote.transit for quote in play(EASYPOST.rates(QUOTED), reply(201, draft(*rates))).value)

    assert firm is not None and firm.commitment is Commitment.GUARANTEED and firm.window is not None
    assert firm.window.latest is not None and firm.window.latest.basis is TimeBasis.NONE
    assert loose is not None and loose.commitment is Commitment.UNKNOWN and loose.window is None
    assert firm.computed_at == PLAYED_AT
    assert silent is None


def test_transit_times_are_the_percentiles_of_the_lane() -> None:
    days = {"percentile_50": 2, "percentile_75": 2, "percentile_95": 4}
    smart = {"result": [rate(time_in_transit=days), rate("Media")]}
    played = play(EASYPOST.transit_times(QUOTED), reply(201, draft()), reply(200, smart))
    (estimate,) = played.value

    assert played.urls[1].endswith("/shipments/shp_1/smartrate")
    assert estimate.service == "usps/GroundAdvantage"
    assert estimate.transit.business_days is not None
    assert (estimate.transit.business_days.least, estimate.transit.business_days.most) == (2, 4)
    assert estimate.transit.confidence == Decimal("0.95")


# Purchases


def test_the_cheapest_account_that_has_the_service_is_bought() -> None:
    rates = [rate(price="9.00", rate_id="rate_dear"), rate(price="6.07", rate_id="rate_cheap"), rate("Express", "1.00")]
    played = play(EASYPOST.create_shipment(ORDER), reply(201, draft(*rates)), reply(200, bought()))

    assert played.bodies[1] == {"rate": {"id": "rate_cheap"}}
    assert [request.replayable for request in played.requests] == [True, False]


def test_a_service_that_nobody_quoted_is_refused_before_anything_is_bought() -> None:
    message = {"carrier": "USPS", "type": "rate_error", "message": "too heavy"}
    played = play(EASYPOST.create_shipment(ORDER), reply(201, draft(rate("Express"), messages=[message])))

    refused = played.raised(RejectedError)
    assert len(played.requests) == 1
    assert "usps/Express" in refused.message and refused.carrier_message == "USPS: too heavy"


def test_a_quote_is_bought_as_it_is() -> None:
    request = attrs.evolve(ORDER, quote_id="shp_77/rate_88", service=None)
    played = play(EASYPOST.create_shipment(request), reply(200, bought(id="shp_77")))

    assert played.urls == ["https://api.easypost.com/v2/shipments/shp_77/buy"]
    assert played.bodies == [{"rate": {"id": "rate_88"}}]
    assert played.value.service == "usps/GroundAdvantage"


def test_a_label_of_a_quote_in_another_format_is_left_to_be_converted() -> None:
    request = attrs.evolve(ORDER, quote_id="shp_77/rate_88", label=LabelSpec(format=DocumentFormat.ZPL))
    shipment = play(EASYPOST.create_shipment(request), reply(200, bought())).value

    assert shipment.state is BookingState.LABEL_PENDING
    assert shipment.documents == ()
    assert shipment.tracking_numbers


def test_a_label_that_cannot_be_converted_is_handed_over_with_a_warning() -> None:
    label = {**bought()["postage_label"], "label_file_type": "application/pdf"}
    request = attrs.evolve(ORDER, label=LabelSpec(format=DocumentFormat.ZPL))
    shipment = play(
        EASYPOST.create_shipment(request), reply(201, draft()), reply(200, bought(postage_label=label))
    ).value

    assert shipment.documents[0].format is DocumentFormat.PDF
    assert [message.code for message in shipment.messages] == [NoticeCode.FORMAT_CHANGED]


def test_insurance_is_bought_with_the_label_and_part_of_the_price() -> None:
    request = attrs.evolve(
        ORDER,
        options=(Option(code=OptionCode.INSURANCE, value=Money(Decimal(100), "USD")),),
        carrier_options={"easypost": {"end_shipper_id": "es_1"}},
    )
    fees = [*bought()["fees"], {"type": "InsuranceFee", "amount": "1.00000"}]
    played = play(EASYPOST.create_shipment(request), reply(201, draft()), reply(200, bought(fees=fees)))

    assert played.bodies[1] == {"rate": {"id": "rate_1"}, "insurance": "100", "end_shipper_id": "es_1"}
    assert played.value.total == Money(Decimal("7.07"), "USD")
    assert sum(charge.amount.amount for charge in played.value.charges) == Decimal("7.07")


@pytest.mark.parametrize("currency", ["USD", "CAD"])
def test_a_postage_that_the_carrier_bills_itself_is_the_rate(currency: str) -> None:
    row = bought(fees=[{"type": "LabelFee", "amount": "0.05000"}], selected_rate=rate() | {"currency": currency})
    shipment = play(EASYPOST.create_shipment(ORDER), reply(201, draft()), reply(200, row)).value

    total = {"USD": Money(Decimal("6.12"), "USD"), "CAD": Money(Decimal("6.07"), "CAD")}
    assert shipment.total == total[currency]
    parts = {charge.amount.currency for charge in shipment.charges}
    assert parts in ({"USD"}, set())


def test_the_carrier_behind_easypost_is_the_one_that_the_number_is_of() -> None:
    for name, code in {"USPS": "usps", "DHLExpress": "dhl_express", "FedExSmartPost": "FedExSmartPost"}.items():
        chosen = rate() | {"carrier": name}
        request = attrs.evolve(ORDER, service=f"{code}/GroundAdvantage")
        shipment = play(
            EASYPOST.create_shipment(request), reply(201, draft(chosen)), reply(200, bought(selected_rate=chosen))
        ).value

        assert shipment.tracking_numbers[0].carrier == code
        assert shipment.service == f"{code}/GroundAdvantage"


@pytest.mark.parametrize("missing", ["tracking_code", "selected_rate", "id"])
def test_an_answer_to_a_purchase_that_lacks_what_makes_it_one_is_unreadable(missing: str) -> None:
    row = {name: value for name, value in bought().items() if name != missing}
    played = play(EASYPOST.create_shipment(ORDER), reply(201, draft()), reply(200, row))

    assert played.raised(ReplyError).paths == (f"$.{missing}",)


def test_a_purchase_without_a_label_is_still_a_purchase() -> None:
    shipment = play(EASYPOST.create_shipment(ORDER), reply(201, draft()), reply(200, bought(postage_label=None))).value

    assert (shipment.state, shipment.documents) == (BookingState.LABEL_PENDING, ())


def test_a_return_is_a_booking_with_a_number_for_the_way_back() -> None:
    request = ReturnRequest(shipment=ORDER, kind=ReturnLabelKind.PRINTED, authorization="RMA-9", outbound=number())
    back = play(EASYPOST.create_return(request), reply(201, draft()), reply(200, bought(is_return=True))).value

    assert back.shipment is not None
    assert back.shipment.tracking_numbers[0].role is NumberRole.RETURN
    assert back.shipment.documents[0].kind == "return_label"
    assert (back.authorization, back.outbound) == ("RMA-9", number())
    with pytest.raises(InputError):
        next(EASYPOST.create_return(attrs.evolve(request, kind=ReturnLabelKind.QR)))
    with pytest.raises(InputError, match="/valid_days"):
        next(EASYPOST.create_return(attrs.evolve(request, valid_days=14)))


# Recovery


def page(*rows: dict[str, Any], more: bool = False) -> Reply:
    return reply(200, {"shipments": list(rows), "has_more": more})


def test_a_lost_purchase_is_looked_for_around_the_day_of_its_draft() -> None:
    played = play(EASYPOST.find_shipments(ORDER), reply(200, draft()), page(bought(), bought(reference="another")))

    assert [shipment.shipment_id for shipment in played.value] == ["shp_1"]
    assert played.urls[0].endswith(f"/shipments/{ORDER.mark}")
    assert "start_datetime=2026-03-01T08%3A59%3A58Z&end_datetime=2026-03-03T08%3A59%3A58Z" in played.urls[1]
    assert all(request.replayable for request in played.requests)


def test_a_draft_that_was_not_bought_is_no_purchase() -> None:
    assert play(EASYPOST.find_shipments(ORDER), reply(200, draft()), page()).value == ()


def test_a_purchase_that_only_the_reference_finds_counts() -> None:
    hits = play(EASYPOST.find_shipments(ORDER), reply(200, bought()), page()).value

    assert [shipment.shipment_id for shipment in hits] == ["shp_1"]


def test_an_unknown_reference_proves_nothing_until_the_list_has_been_read() -> None:
    request = attrs.evolve(ORDER, ship_on=date(2026, 3, 4))
    played = play(EASYPOST.find_shipments(request), NOT_FOUND, page(bought(id="shp_9")))

    assert [shipment.shipment_id for shipment in played.value] == ["shp_9"]
    assert "start_datetime=2026-02-01T00%3A00%3A00Z&end_datetime=2026-04-04T00%3A00%3A00Z" in played.urls[1]


def test_every_hit_on_every_page_is_found_once() -> None:
    played = play(
        EASYPOST.find_shipments(ORDER),
        reply(200, bought(id="shp_3")),
        page(bought(id="shp_3"), bought(id="shp_x", reference="another"), more=True),
        page(bought(id="shp_2", refund_status="submitted"), more=True),
        page(draft(id="shp_0")),
    )

    assert [shipment.shipment_id for shipment in played.value] == ["shp_3", "shp_2"]
    assert [shipment.state for shipment in played.value] == [BookingState.CONFIRMED, BookingState.VOIDED]
    assert "before_id=shp_x" in played.urls[2] and "before_id=shp_2" in played.urls[3]


def test_a_list_that_breaks_off_is_no_proof_of_absence() -> None:
    for rows in ((), (bought(reference="another"),)):
        first = page(*rows, more=True)
        replies = [NOT_FOUND, first] if not rows else [NOT_FOUND, first, first]
        assert play(EASYPOST.find_shipments(ORDER), *replies).raised(ReplyError).paths == ("$.has_more",)


def test_the_purchase_of_a_quote_is_looked_up_by_its_own_shipment() -> None:
    request = attrs.evolve(ORDER, quote_id="shp_77/rate_88")
    theirs = {"zip": "90277-2506", "country": "US"}
    found = play(EASYPOST.find_shipments(request), reply(200, bought(id="shp_77", reference=None, to_address=theirs)))
    assert [shipment.shipment_id for shipment in found.value] == ["shp_77"]

    for answer in (
        reply(200, draft(id="shp_77")),
        NOT_FOUND,
        reply(200, bought(id="shp_77", to_address={"zip": "10001", "country": "US"})),
    ):
        assert play(EASYPOST.find_shipments(request), answer).value == ()


def test_a_request_without_a_mark_is_not_looked_for() -> None:
    with pytest.raises(InputError):
        next(EASYPOST.find_shipments(attrs.evolve(ORDER, mark=None)))


def test_the_ledger_believes_a_refusal_and_looks_after_a_duplicate() -> None:
    recovery = EASYPOST.facts().recovery

    assert "SHIPMENT.POSTAGE.FAILURE" in recovery.refusal_codes
    for code in ("SHIPMENT.POSTAGE.EXISTS", "SHIPMENT.PURCHASE.IN_PROGRESS", "SHIPMENT.POSTAGE.NO_RESPONSE"):
        assert not any(code.startswith(listed.rstrip("*")) for listed in recovery.refusal_codes)


# Undoing

CANCEL = CancelRequest(shipment_id="shp_1", reference="order-1042", tracking_numbers=(number(),))


@pytest.mark.parametrize(
    ("status", "outcome", "refund"),
    [
        ("submitted", CancelOutcome.REQUESTED, RefundState.PENDING),
        ("refunded", CancelOutcome.VOIDED, RefundState.APPROVED),
        ("rejected", CancelOutcome.REJECTED, RefundState.REJECTED),
        ("not_applicable", CancelOutcome.REJECTED, RefundState.EXCLUDED),
        ("a new word", CancelOutcome.REQUESTED, RefundState.PENDING),
        (None, CancelOutcome.REJECTED, RefundState.NONE),
    ],
)
def test_what_became_of_a_refund_is_said(status: str | None, outcome: CancelOutcome, refund: RefundState) -> None:
    result = play(EASYPOST.cancel_shipment(CANCEL), reply(200, bought(refund_status=status))).value

    assert (result.outcome, result.refund) == (outcome, refund)


def test_a_refund_that_was_asked_for_before_is_done() -> None:
    refused = error("SHIPMENT.REFUND.UNAVAILABLE", "Refund not available.")
    again = play(EASYPOST.cancel_shipment(CANCEL), refused, reply(200, bought(refund_status="submitted"))).value
    assert again.outcome is CancelOutcome.ALREADY_VOIDED

    late = play(EASYPOST.cancel_shipment(CANCEL), refused, reply(200, bought())).value
    assert late.outcome is CancelOutcome.REJECTED
    assert [(m.carrier_code, m.text) for m in late.messages] == [
        ("SHIPMENT.REFUND.UNAVAILABLE", "Refund not available.")
    ]


def test_numbers_of_several_carriers_are_not_refunded_at_once() -> None:
    mixed = RefundRequest(tracking_numbers=(number(), number("1Z999AA10123456784", "ups")))
    with pytest.raises(InputError):
        next(EASYPOST.refund(mixed))


def test_the_carrier_of_a_number_that_only_easypost_knows_is_asked_for_before_the_refund() -> None:
    request = RefundRequest(tracking_numbers=(number(carrier="easypost"),))
    refunds = [{"tracking_code": number().value, "status": "submitted"}]
    played = play(EASYPOST.refund(request), reply(200, tracker()), reply(201, refunds))

    assert played.bodies[1] == {"refund": {"carrier": "USPS", "tracking_codes": [number().value]}}
    assert [sent.replayable for sent in played.requests] == [True, False]


def test_no_refund_is_asked_of_a_carrier_that_nobody_knows() -> None:
    request = RefundRequest(tracking_numbers=(number(carrier="easypost"),))
    played = play(EASYPOST.refund(request), reply(200, {**tracker(), "carrier": None}))

    assert [problem.path for problem in played.raised(InputError).problems] == ["/tracking_numbers"]


def test_a_refund_is_that_of_its_number_however_it_is_written() -> None:
    rows = [{"tracking_code": "9400 1002 0830 3109 5056 33", "status": "submitted"}]
    request = RefundRequest(tracking_numbers=(number("9400100208303109505633"),))

    assert play(EASYPOST.refund(request), reply(201, rows)).value.outcome is CancelOutcome.REQUESTED


def test_a_pickup_that_was_called_off_before_is_done() -> None:
    request = PickupCancelRequest(confirmation="pickup_1/WTC1")
    refused = error("PICKUP.CANCEL.FAILED")

    played = play(EASYPOST.cancel_pickup(request), refused, reply(200, {"id": "pickup_1", "status": "canceled"}))
    assert played.value.outcome is CancelOutcome.ALREADY_VOIDED
    assert played.urls[1].endswith("/pickups/pickup_1")
    other = play(EASYPOST.cancel_pickup(request), refused, reply(200, {"id": "pickup_1", "status": "scheduled"}))
    assert other.value.outcome is CancelOutcome.REJECTED


# Papers


def test_a_label_in_the_format_at_hand_is_not_converted() -> None:
    query = DocumentQuery(shipment_id="shp_1", tracking_numbers=(number(),))
    for label in (None, LabelSpec(format=DocumentFormat.PNG)):
        played = play(EASYPOST.documents(attrs.evolve(query, label=label)), reply(200, bought()))
        assert [document.format for document in played.value] == [DocumentFormat.PNG]


def test_forms_are_papers_of_their_own_kind() -> None:
    forms = [
        {"form_type": "commercial_invoice", "form_url": "https://x/ci.pdf"},
        {"form_type": "high_value_report", "form_url": "https://x/hv.pdf"},
    ]
    query = DocumentQuery(shipment_id="shp_1", tracking_numbers=(number(),))
    kinds = [document.kind for document in play(EASYPOST.documents(query), reply(200, bought(forms=forms))).value]
    assert kinds == ["label", "commercial_invoice", "other"]

    only = attrs.evolve(query, kinds=frozenset({"commercial_invoice"}))
    assert [d.kind for d in play(EASYPOST.documents(only), reply(200, bought(forms=forms))).value] == [
        "commercial_invoice"
    ]


# Following


def detail(status: str, more: str, **fields: Any) -> dict[str, Any]:
    return {"status": status, "status_detail": more, "datetime": "2026-03-03T10:00:00Z", **fields}


def tracker(*details: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "trk_1", "tracking_code": number().value, "carrier": "USPS", "tracking_details": details, **more}


def test_a_parcel_that_arrived_is_delivered_though_its_detail_speaks_of_a_facility() -> None:
    row = tracker(detail("delivered", "arrived_at_destination"), signed_by="J TESTER")
    result = play(EASYPOST.track(TrackQuery(number=number())), reply(200, row)).value

    assert (result.events[0].milestone, result.events[0].reason) == (Milestone.DELIVERED, Reason.DELIVERED)
    assert result.proof is not None and result.proof.signed_by == "J TESTER"


@pytest.mark.parametrize(
    ("status", "more", "milestone", "reason"),
    [
        ("in_transit", "received_at_origin_facility", Milestone.ACCEPTED, Reason.RECEIVED_AT_ORIGIN),
        ("in_transit", "status_update", Milestone.IN_TRANSIT, None),
        ("in_transit", "lost", Milestone.LOST, Reason.LOST),
        ("in_transit", "weather_delay", Milestone.IN_TRANSIT, Reason.DELAYED_WEATHER),
        ("failure", "refused", Milestone.DELIVERY_ATTEMPTED, Reason.REFUSED_BY_RECIPIENT),
        ("failure", "unknown", None, Reason.DELIVERY_EXCEPTION),
        ("unknown", "unknown", None, None),
        ("a new word", "in_transit", None, Reason.UNMAPPED),
    ],
)
def test_status_and_detail_together_say_where_it_is_and_why(
    status: str, more: str, milestone: Milestone | None, reason: Reason | None
) -> None:
    (event,) = play(EASYPOST.track(TrackQuery(number=number())), reply(200, tracker(detail(status, more)))).value.events

    assert (event.milestone, event.reason) == (milestone, reason)
    assert (event.code, event.subcode) == (status, more)


def test_a_code_that_no_source_explains_is_counted() -> None:
    rows = [detail("a new word", "in_transit"), detail("in_transit", "another"), detail("in_transit", "in_transit")]
    found = play(EASYPOST.track(TrackQuery(number=number())), reply(200, tracker(*rows, *rows))).value

    assert [(message.code, message.carrier_code) for message in found.messages] == [
        (NoticeCode.UNMAPPED_CODE, "a new word"),
        (NoticeCode.UNMAPPED_CODE, "in_transit/another"),
    ]
    assert [event.unmapped for event in found.events] == [True, True, False] * 2


@pytest.mark.parametrize(
    ("place", "known"),
    [
        (None, False),
        ({"city": None, "state": "TX", "country": "US", "zip": None}, False),
        ({"city": "HOUSTON", "state": "TX", "country": None, "zip": None}, True),
        ({"city": None, "state": None, "country": None, "zip": "77063"}, True),
    ],
)
def test_the_offset_of_a_time_is_believed_only_where_the_place_is_known(place: Any, known: bool) -> None:
    row = tracker(detail("in_transit", "in_transit", tracking_location=place))
    (event,) = play(EASYPOST.track(TrackQuery(number=number())), reply(200, row)).value.events

    assert (event.time.offset_min, event.time.basis) == ((0, TimeBasis.OFFSET) if known else (None, TimeBasis.NONE))


def test_a_time_without_an_offset_is_given_none() -> None:
    place = {"city": "HOUSTON", "state": "TX", "country": "US", "zip": "77063"}
    row = tracker({**detail("in_transit", "in_transit", tracking_location=place), "datetime": "2026-03-02T09:00:00"})
    (event,) = play(EASYPOST.track(TrackQuery(number=number())), reply(200, row)).value.events

    assert (event.time.offset_min, event.time.basis) == (None, TimeBasis.NONE)


def test_an_expected_day_at_the_place_is_better_than_a_time_of_no_place() -> None:
    asked = EASYPOST.track(TrackQuery(number=number()))
    row = tracker(est_delivery_date="2026-03-05T00:00:00Z", carrier_detail={"est_delivery_date_local": "2026-03-04"})
    transit = play(asked, reply(200, row)).value.transit

    assert transit is not None and transit.window is not None and transit.window.latest is not None
    assert transit.window.latest.local == date(2026, 3, 4)
    assert transit.window.latest.precision is TimePrecision.DAY


def test_a_tracker_of_another_number_is_not_taken_for_the_one_asked() -> None:
    row = {**tracker(), "tracking_code": "9400100208303109505640"}

    play(EASYPOST.track(TrackQuery(number=number())), reply(200, row)).raised(ReplyError)


def test_a_subscription_watches_every_number_that_can_be_watched() -> None:
    bad = number("123", "usps")
    request = SubscriptionRequest(numbers=(number(), bad), callback_url="https://host.example/push/1")
    hook = {"id": "hook_1", "url": request.callback_url}
    refused = error("TRACKER.NOT_FOUND")
    played = play(
        EASYPOST.subscribe(request),
        reply(200, tracker()),
        refused,
        reply(200, {"webhooks": [{"id": "hook_0", "url": "https://elsewhere.example"}]}),
        reply(201, hook),
    )

    assert played.methods == ["POST", "POST", "GET", "POST"]
    assert [request.replayable for request in played.requests] == [True, True, True, False]
    assert played.bodies[3] == {"webhook": {"url": request.callback_url, "webhook_secret": EASYPOST.webhook_secret}}
    assert (played.value.state, played.value.subscription_id) == (SubscriptionState.PARTLY, "hook_1")
    assert played.value.accepted == (number(),) and list(played.value.refused) == ["123"]

    again = play(
        EASYPOST.subscribe(request), reply(200, tracker()), refused, reply(200, {"webhooks": [hook]}), reply(200, hook)
    )
    assert again.methods[3] == "PATCH" and again.bodies[3] == {"webhook_secret": EASYPOST.webhook_secret}

    none = play(EASYPOST.subscribe(request), refused, refused)
    none.raised(RejectedError)


def push(description: str = "tracker.updated", **more: Any) -> bytes:
    row = tracker(detail("out_for_delivery", "out_for_delivery"))
    return json.dumps({"id": "evt_1", "object": "Event", "description": description, "result": row, **more}).encode()


def test_a_push_is_signed_over_its_bytes_with_the_normalised_secret() -> None:
    # The account's secret has an accent: EasyPost's own client decomposes it before it signs.
    body, scheme = push(), EASYPOST.webhook_scheme
    headers = {"X-Hmac-Signature": scheme.signature(body, EASYPOST.webhook_secret)}

    assert headers["X-Hmac-Signature"].startswith("hmac-sha256-hex=")
    assert scheme.verify(headers, body, EASYPOST.webhook_secrets) is SignatureResult.VALID
    assert scheme.verify(headers, body + b" ", EASYPOST.webhook_secrets) is SignatureResult.INVALID
    assert scheme.verify({}, body, EASYPOST.webhook_secrets) is SignatureResult.ABSENT
    assert scheme.verify(headers, body, EasyPost(api_key=KEY).webhook_secrets) is SignatureResult.INVALID


def test_the_signature_is_the_one_that_easyposts_own_client_computes() -> None:
    # PyPI easypost 10.7.0, easypost.util.validate_webhook, accepts exactly this for that secret and body.
    theirs = "hmac-sha256-hex=562be7a716cb4c03373fe99c34ee0da0f3fd9184950e5f060f6309cd8398fd19"

    assert EASYPOST.webhook_scheme.signature(b'{"description":"tracker.updated"}', "sécret") == theirs


def test_a_push_is_read_like_an_answer() -> None:
    (result,) = EASYPOST.read_webhook(delivery(push()))

    assert result.number == number()
    assert [event.milestone for event in result.events] == [Milestone.OUT_FOR_DELIVERY]
    assert result.received_at == RECEIVED_AT
    assert EASYPOST.read_webhook(delivery(push("batch.created"))) == ()


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"description": "tracker.updated"}'])
def test_a_push_that_cannot_be_read_says_so(body: bytes) -> None:
    with pytest.raises(ReplyError):
        EASYPOST.read_webhook(delivery(body))


# Pickups, manifests, insurance

PICKUP = PickupRequest(
    reference="pickup-1",
    pickup_from=JACK,
    window=PickupWindow(day=date(2026, 3, 4), ready=time(9), close=time(17), zone="America/Los_Angeles"),
    package_count=1,
    shipment_ids=("shp_1",),
)


def pickup(**more: Any) -> dict[str, Any]:
    rates = [
        {"carrier": "USPS", "service": "NextDay", "rate": "3.00", "currency": "USD"},
        {"carrier": "UPS", "service": "Same-day", "rate": "1.00", "currency": "USD"},
    ]
    return {"id": "pickup_1", "status": "unknown", "pickup_rates": rates, **more}


def test_the_cheapest_pickup_is_bought_unless_a_service_is_named() -> None:
    done = reply(200, pickup(status="scheduled", confirmation="WTC1"))
    cheap = play(EASYPOST.book_pickup(PICKUP), reply(200, pickup()), done)
    named = play(EASYPOST.book_pickup(attrs.evolve(PICKUP, services=("usps/NextDay",))), reply(200, pickup()), done)

    assert cheap.bodies[1] == {"carrier": "UPS", "service": "Same-day"}
    assert named.bodies[1] == {"carrier": "USPS", "service": "NextDay"}
    assert named.value.total == Money(Decimal(3), "USD")
    none = play(EASYPOST.book_pickup(attrs.evolve(PICKUP, services=("fedex/Any",))), reply(200, pickup()))
    none.raised(RejectedError)


def test_a_confirmed_window_is_told_in_the_zone_of_the_place() -> None:
    window = {"min_datetime": "2026-03-04T18:00:00Z", "max_datetime": "2026-03-05T01:00:00Z"}
    done = reply(200, pickup(status="scheduled", confirmation="WTC1", **window))
    booked = play(EASYPOST.book_pickup(PICKUP), reply(200, pickup()), done).value

    assert (booked.window.ready, booked.window.close) == (time(10), time(17))
    night = {**window, "max_datetime": "2026-03-05T09:00:00Z"}
    over = reply(200, pickup(status="scheduled", confirmation="WTC1", **night))
    assert play(EASYPOST.book_pickup(PICKUP), reply(200, pickup()), over).value.window == PICKUP.window


@pytest.mark.parametrize("ids", [(), ("shp_1", "shp_2")])
def test_a_pickup_is_for_one_shipment(ids: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as raised:
        next(EASYPOST.book_pickup(attrs.evolve(PICKUP, shipment_ids=ids)))

    assert [problem.path for problem in raised.value.problems] == ["/shipment_ids"]


def test_a_pickup_in_a_zone_that_does_not_exist_is_refused() -> None:
    window = attrs.evolve(PICKUP.window, zone="Mars/Olympus")
    with pytest.raises(InputError):
        next(EASYPOST.book_pickup(attrs.evolve(PICKUP, window=window)))


def test_pickups_and_manifests_without_a_shipment_are_refused_before_anything_is_sent() -> None:
    for request in (attrs.evolve(PICKUP, shipment_ids=()), attrs.evolve(MANIFEST, shipment_ids=())):
        refused = problems(request, EASYPOST.facts())
        assert [problem.path for problem in refused] == ["/shipment_ids"]
    assert problems(PICKUP, EASYPOST.facts()) == problems(MANIFEST, EASYPOST.facts()) == ()


MANIFEST = ManifestRequest(ship_from=JACK, day=date(2026, 3, 4), shipment_ids=("shp_1", "shp_2"))


def test_a_form_that_covers_fewer_parcels_than_named_accepts_none_for_sure() -> None:
    form = {"id": "sf_1", "status": "created", "tracking_codes": ["1"], "form_url": "https://x/f.pdf"}
    manifest = play(EASYPOST.close_manifest(MANIFEST), reply(200, form)).value

    assert [entry.accepted for entry in manifest.entries] == [False, False]
    assert [message.code for message in manifest.messages] == [NoticeCode.PARTIAL_ANSWER]


def test_a_manifest_names_its_shipments_and_is_a_paper() -> None:
    for request in (attrs.evolve(MANIFEST, shipment_ids=()), attrs.evolve(MANIFEST, kind=ManifestKind.DIGITAL)):
        with pytest.raises(InputError):
            next(EASYPOST.close_manifest(request))


def test_insurance_is_in_dollars_and_knows_both_ends_of_a_strangers_parcel() -> None:
    request = InsuranceRequest(reference="o", number=number(), amount=Money(Decimal(5), "EUR"), shipment_id="shp_1")
    with pytest.raises(InputError):
        next(EASYPOST.insure(request))
    stranger = attrs.evolve(request, amount=Money(Decimal(5), "USD"), shipment_id=None)
    with pytest.raises(InputError) as raised:
        next(EASYPOST.insure(stranger))
    assert [problem.path for problem in raised.value.problems] == ["/ship_from", "/ship_to"]


# What is refused before anything is sent


def found(request: Any) -> dict[str, str]:
    everything: list[Problem] = [
        *problems(request, EASYPOST.facts(), schema=EASYPOST.options_schema()),
        *EASYPOST.problems(request),
    ]
    return {problem.path: problem.code.value for problem in everything}


def test_a_good_request_has_no_problem() -> None:
    assert found(ORDER) == {}
    assert found(QUOTED) == {}
    assert found(attrs.evolve(ORDER, quote_id="shp_1/rate_1", service=None)) == {}


POINT = ServicePointRef(id="P1", country="US")


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"packages": (BOX, attrs.evolve(BOX, ref="b2")), "quote_id": "shp_1/rate_1"}, "/quote_id", "inconsistent"),
        ({"service": "GroundAdvantage"}, "/service", "malformed"),
        ({"quote_id": "rate_1"}, "/quote_id", "malformed"),
        ({"service_point": POINT}, "/service_point", "not_offered"),
        ({"drop_off_point": POINT}, "/drop_off_point", "not_offered"),
        ({"account_holder": JACK}, "/account_holder", "not_offered"),
        ({"packages": (attrs.evolve(BOX, label_text=("handle me",)),)}, "/packages/0/label_text", "not_offered"),
        (
            {"parties": (PartyInRole(role=PartyRole.IMPORTER_OF_RECORD, party=JACK),)},
            "/parties/0/role",
            "not_offered",
        ),
        (
            {"packages": (attrs.evolve(BOX, packaging=PackagingKind.BOX),)},
            "/packages/0/packaging_code",
            "missing",
        ),
        (
            {"options": (Option(code=OptionCode.INSURANCE, value=Money(Decimal(1), "EUR")),)},
            "/options/0/value/currency",
            "not_offered",
        ),
        (
            {"options": (Option(code=OptionCode.HOLD_AT_LOCATION, value=POINT),)},
            "/options/0/value",
            "not_offered",
        ),
        ({"options": (Option(code=OptionCode.NO_NEIGHBOUR),)}, "/options/0/code", "not_offered"),
        (
            {"references": tuple(Reference(type=ReferenceType.OTHER, value=str(n)) for n in range(3))},
            "/references",
            "too_many",
        ),
        ({"label": LabelSpec(format=DocumentFormat.GIF)}, "/label/format", "not_offered"),
        (
            {"carrier_options": {"easypost": {"carrier_account": ["ca_1"]}}},
            "/carrier_options/easypost/carrier_account",
            "unknown_value",
        ),
        (
            {"carrier_options": {"easypost": {"carrier_accounts": ["1"]}}},
            "/carrier_options/easypost/carrier_accounts/0",
            "malformed",
        ),
    ],
)
def test_what_easypost_cannot_do_is_refused_by_its_path(change: dict[str, Any], path: str, code: str) -> None:
    assert found(attrs.evolve(ORDER, **change)).get(path) == code


def test_goods_that_cross_a_border_are_declared_whole() -> None:
    abroad = attrs.evolve(ELIZABETH, address=attrs.evolve(ELIZABETH.address, country="MX", postal_code="06000"))  # type: ignore[misc]
    bare = attrs.evolve(CUSTOMS.lines[0], origin_country=None, net_weight=None)
    declared = attrs.evolve(CUSTOMS, lines=(bare,), purpose=CustomsPurpose.GIFT)

    assert found(attrs.evolve(ORDER, ship_to=abroad))["/customs"] in ("lane_requires", "missing")
    lacking = found(attrs.evolve(ORDER, ship_to=abroad, customs=declared))
    assert {"/customs/lines/0/origin_country", "/customs/lines/0/net_weight"} <= set(lacking)
    assert found(attrs.evolve(ORDER, ship_to=abroad, customs=CUSTOMS)) == {}
