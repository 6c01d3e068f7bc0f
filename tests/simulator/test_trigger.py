"""A milestone that shall happen now: what led there is told, in the manner that was asked for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipkit.simulator import TRIGGERS, NotInBooksError, Simulator, StepKind, Trigger
from tests.simulator.conftest import Raw, Receiver

HOUR = 3600
WAY = ["announced", "accepted", "departed", "arrived", "arrived", "out_for_delivery", "delivered"]


def told(receiver: Receiver) -> list[datetime]:
    return [datetime.fromisoformat(json.loads(push.body)["at"]) for push in receiver.received]


def test_what_led_to_a_milestone_is_pushed_to_the_address_given(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.book("M1")

    sent = acme.trigger("delivered", to=receiver.url, secret="s3cret")

    assert receiver.codes == WAY
    assert all(each.accepted for each in sent)
    assert told(receiver) == [told(receiver)[0] + timedelta(seconds=place) for place in range(7)]


def test_it_happens_to_the_newest_parcel_that_can_still_get_there(
    acme: Simulator, raw: Raw, receiver: Receiver
) -> None:
    first, second = (raw.book(mark).json()["pieces"][0]["awb"] for mark in ("M1", "M2"))

    assert {each.step.number for each in acme.trigger("returned", to=receiver.url)} == {second}
    assert receiver.codes[-1] == "returned"
    assert {each.step.number for each in acme.trigger("delivered", to=receiver.url)} == {first}
    with pytest.raises(ValueError, match="book one"):
        acme.trigger("lost", to=receiver.url)
    with pytest.raises(ValueError, match="delivered behind it"):
        acme.trigger("lost", to=receiver.url, number=first)


def test_what_follows_goes_on_in_the_carriers_time_and_is_pushed_too(
    acme: Simulator, raw: Raw, receiver: Receiver
) -> None:
    raw.book("M1")
    acme.trigger("out_for_delivery", to=receiver.url)
    assert receiver.codes == WAY[:-1]
    acme.advance(5 * HOUR)
    assert receiver.codes == WAY


def test_a_step_that_has_happened_is_told_even_to_who_subscribes_after_it(
    acme: Simulator, raw: Raw, receiver: Receiver
) -> None:
    raw.book("M1")
    acme.advance(HOUR)
    acme.trigger("announced", to=receiver.url)
    acme.trigger("in_transit", to=receiver.url)
    assert receiver.codes == ["announced", "accepted", "departed", "arrived"], "and nothing twice"


def test_the_manner_is_as_asked(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.book("M1")
    acme.advance(17 * HOUR)
    flags = dict.fromkeys(("late", "duplicate", "reversed", "unsigned", "unknown_code"), True)

    acme.trigger("delivered", to=receiver.url, **flags)

    codes = [*WAY[:-1], "unexplained", "delivered"]
    assert receiver.codes == [code for code in codes[::-1] for _ in range(2)]
    assert not any("X-Acme-Signature" in push.headers for push in receiver.received)
    assert acme.clock.now() - told(receiver)[0] > timedelta(hours=5), "told hours after it happened"
    receiver.received.clear()
    raw.log_in()
    raw.book("M2")
    acme.trigger("accepted", to=receiver.url)
    assert all("X-Acme-Signature" in push.headers for push in receiver.received), "for that one call"


def test_those_who_subscribed_are_pushed_to_where_no_address_is_given(
    acme: Simulator, raw: Raw, receiver: Receiver
) -> None:
    raw.book("M1")
    with pytest.raises(NotInBooksError, match="nobody has subscribed"):
        acme.trigger("delivered")
    raw.ask("POST", "/v2/hooks", {"url": receiver.url, "credential": "s3cret"})
    acme.trigger("delivered")
    assert receiver.codes == WAY


@pytest.mark.parametrize("word", sorted(TRIGGERS))
def test_everything_that_has_a_name_can_happen(acme: Simulator, raw: Raw, receiver: Receiver, word: str) -> None:
    raw.book("M1")
    acme.trigger(word, to=receiver.url)
    assert receiver.codes[-1] == TRIGGERS[word].value


def test_every_step_but_a_void_has_a_name() -> None:
    assert set(TRIGGERS.values()) == set(StepKind) - {StepKind.VOIDED, StepKind.UNEXPLAINED}


def test_nothing_happens_to_a_parcel_that_was_voided(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.book("M1")
    (booking,) = acme.bookings()
    with acme.world.lock:
        acme.world.void(booking.id)
    with pytest.raises(ValueError, match="was voided"):
        acme.trigger("delivered", to=receiver.url, number=booking.numbers[0])


def test_a_program_in_another_language_asks_for_it(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.book("M1")
    answer = raw.ask("POST", "/_sim/trigger", {"milestone": "delivered", "to": receiver.url, "duplicate": True})

    assert answer.status == 200
    assert [row["step"] for row in answer.json()] == WAY
    assert receiver.codes == [code for code in WAY for _ in range(2)]
    assert b"s3cret" not in answer.body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"milestone": "teleported"}, 400),
        ({"milestone": "delivered", "late": "yes"}, 400),
        ({"milestone": "delivered", "speed": 1}, 400),
        ({"milestone": 7}, 400),
        ({"milestone": "delivered", "number": "NONE"}, 404),
        ({"milestone": "delivered"}, 404),
    ],
)
def test_what_cannot_be_asked_for_is_refused(acme: Simulator, raw: Raw, data: dict[str, Any], status: int) -> None:
    raw.book("M1")
    assert raw.ask("POST", "/_sim/trigger", data).status == status


def test_the_secret_of_a_trigger_is_not_shown() -> None:
    assert "s3cret" not in repr(Trigger(milestone="delivered", secret="s3cret"))
