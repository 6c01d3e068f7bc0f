"""What Track Alert pushes: who may push, and that a push and a poll tell of one event."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any

import attrs
import pytest

from shipkit.errors import ReplyError
from shipkit.model import Milestone, NoticeCode, SignatureResult, TimeBasis, TrackingEvent, TrackQuery, TrackResult
from shipkit.testing import play, reply
from tests.ups.samples import LEAD, UPS, delivery, number

#: The example of the published file, UPSTrackAlert.yaml, but for the number.
PUSHED: dict[str, Any] = {
    "trackingNumber": LEAD,
    "localActivityDate": "20260302",
    "localActivityTime": "181300",
    "activityLocation": {"city": "DORAVILLE", "stateProvince": "GA", "postalCode": "", "country": "US"},
    "activityStatus": {"type": "I", "code": "AR", "description": "Arrived at Facility", "descriptionCode": "005"},
    "scheduledDeliveryDate": "20260303",
    "gmtActivityDate": "20260302",
    "gmtActivityTime": "231300",
}


def read(**changes: Any) -> TrackResult:
    body = {name: value for name, value in {**PUSHED, **changes}.items() if value is not None}
    (result,) = UPS.read_webhook(delivery(json.dumps(body).encode()))
    return result


def event(**changes: Any) -> TrackingEvent:
    (only,) = read(**changes).events
    return only


def polled(row: dict[str, Any]) -> TrackingEvent:
    """The same scan as tracking tells it."""
    place, state = row["activityLocation"], row["activityStatus"]
    address = {
        "city": place["city"].title(),
        "stateProvince": place["stateProvince"],
        "postalCode": "30340",
        "countryCode": place["country"],
        "country": place["country"],
    }
    activity = {
        "location": {"address": address, "slic": "3001"},
        "status": {
            "type": state["type"],
            "code": state["code"],
            "description": state["description"],
            "statusCode": state["descriptionCode"],
        },
        "date": row["localActivityDate"],
        "time": row["localActivityTime"],
        "gmtDate": row["gmtActivityDate"],
        "gmtTime": "23:13:00",
        "gmtOffset": "-05:00",
    }
    package = {"trackingNumber": row["trackingNumber"], "activity": [activity]}
    answer = reply(200, {"trackResponse": {"shipment": [{"package": [package]}]}})
    (only,) = play(UPS.track(TrackQuery(number=number())), answer).value.events
    return only


def test_a_push_is_one_event_of_one_package() -> None:
    found = event()

    assert (found.milestone, found.code_type, found.code) == (Milestone.IN_TRANSIT, "I", "AR")
    assert found.time.instant == datetime(2026, 3, 2, 23, 13, tzinfo=timezone.utc)
    assert (found.time.offset_min, found.time.basis) == (-300, TimeBasis.UTC_PAIR)
    assert found.piece == LEAD
    assert read().transit is not None and not read().complete


def test_the_same_scan_polled_and_pushed_is_one_event() -> None:
    assert polled(PUSHED).event_id == event().event_id


def test_a_delivery_says_when_and_to_whom() -> None:
    status = {"type": "D", "code": "FS", "description": "DELIVERED", "descriptionCode": "011"}
    result = read(activityStatus=status, actualDeliveryDate="20260302", actualDeliveryTime="181300", receivedBy="DOE")

    assert result.events[0].milestone is Milestone.DELIVERED
    assert result.proof is not None and result.proof.signed_by == "DOE"
    assert result.proof.delivered_at.local == datetime(2026, 3, 2, 18, 13)
    assert result.transit is None


def test_fields_without_a_value_are_no_values() -> None:
    found = event(
        gmtActivityDate="", gmtActivityTime="", activityLocation={"city": "", "country": "US", "postalCode": ""}
    )

    assert (found.time.offset_min, found.place and found.place.city) == (None, None)
    assert event(localActivityTime="").time.local == date(2026, 3, 2)


def test_a_number_with_blanks_is_the_same_number() -> None:
    assert read(trackingNumber=f" {LEAD}").number.value == LEAD


def test_a_push_without_a_local_date_happened_at_its_gmt_time() -> None:
    found = event(localActivityDate="", localActivityTime="181300").time

    assert (found.local, found.offset_min) == (datetime(2026, 3, 2, 23, 13), 0)
    assert event(localActivityDate="", gmtActivityTime="").time.local == date(2026, 3, 2)


def test_a_push_without_any_date_is_not_dated_by_the_day_it_came() -> None:
    gone = dict.fromkeys(("localActivityDate", "localActivityTime", "gmtActivityDate", "gmtActivityTime"))

    with pytest.raises(ReplyError, match=r"\$\.localActivityDate"):
        event(**gone)


def test_a_push_with_a_status_that_no_source_explains_says_so() -> None:
    (notice,) = read(activityStatus={"type": "X", "code": "E7"}).messages

    assert (notice.code, notice.carrier_code) == (NoticeCode.UNMAPPED_CODE, "X+E7")
    assert event(activityStatus={"type": "X", "code": "E7"}).unmapped and not event().unmapped
    assert read().messages == ()


@pytest.mark.parametrize(
    "body", [b"", b"<xml/>", b"[]", b"7", b"{}", b'{"trackingNumber": "1Z"}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_push_is_an_error(body: bytes) -> None:
    with pytest.raises(ReplyError):
        UPS.read_webhook(delivery(body))


@pytest.mark.parametrize(
    ("headers", "result"),
    [
        ({"credential": "credential-of-the-tests"}, SignatureResult.VALID),
        ({"Credential": "credential-of-yesterday"}, SignatureResult.VALID),
        ({"credential": "somebody-elses"}, SignatureResult.INVALID),
        ({"credential": ""}, SignatureResult.INVALID),
        ({}, SignatureResult.ABSENT),
    ],
)
def test_only_who_shows_a_credential_of_the_account_is_ups(headers: dict[str, str], result: SignatureResult) -> None:
    assert UPS.webhook_scheme.verify(headers, b"{}", UPS.webhook_secrets) is result


def test_an_account_without_a_credential_believes_nobody() -> None:
    account = attrs.evolve(UPS, webhook_credentials=())

    assert (
        account.webhook_scheme.verify({"credential": ""}, b"{}", account.webhook_secrets) is not SignatureResult.VALID
    )
