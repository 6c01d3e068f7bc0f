"""Pushes: made from what happened, delivered when time goes on, out of order and twice when asked."""

from __future__ import annotations

import hmac
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.simulator import Simulator
from shipkit.simulator.posting import is_loopback
from shipkit.simulator.pushing import in_order
from tests.simulator.conftest import Raw, Receiver

HOUR = 3600
WAY = ["announced", "accepted", "departed", "arrived", "arrived", "out_for_delivery", "delivered"]


def subscribed(raw: Raw, url: str, **more: Any) -> None:
    assert raw.ask("POST", "/v2/hooks", {"url": url, "credential": "s3cret", **more}).status == 201


def test_pushes_go_out_when_the_time_has_come(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")

    assert receiver.codes == []
    acme.deliver()
    assert receiver.codes == ["announced"]
    acme.advance(10 * HOUR)
    assert receiver.codes == ["announced", "accepted", "departed"]
    acme.advance(0)
    assert receiver.codes == WAY[:3], "each is sent once"
    acme.advance(30 * HOUR)
    assert receiver.codes == WAY
    assert all(delivery.accepted and delivery.next_at is None for delivery in acme.pushes())


def test_a_push_carries_what_the_dialect_put_in(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    number = raw.book("M1").json()["pieces"][0]["awb"]
    acme.deliver()

    (push,) = receiver.received
    assert push.path == "/hook"
    assert push.headers["X-Acme-Signature"] == hmac.new(b"s3cret", push.body, "sha256").hexdigest()
    assert json.loads(push.body) == {"number": number, "code": "announced", "at": "2026-03-02T09:00:00+00:00"}


def test_pushes_go_out_of_order_and_twice_on_request(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")

    sent = acme.advance(40 * HOUR, order="shuffled", copies=2)

    assert sorted(receiver.codes) == sorted(WAY * 2)
    assert receiver.codes != [code for code in WAY for _ in range(2)]
    assert len({push.body for push in receiver.received}) == len(WAY), "the second copy has the same bytes"
    assert sorted(len(delivery.attempts) for delivery in sent) == [2] * len(WAY)


def test_reversed_means_the_last_first(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")
    acme.advance(40 * HOUR, order="reversed")
    assert receiver.codes == WAY[::-1]


def test_what_was_delivered_can_be_sent_again(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")
    acme.advance(6 * HOUR)

    acme.redeliver([acme.pushes()[1].id])
    assert receiver.codes == ["announced", "accepted", "accepted"]
    acme.redeliver(order="reversed")
    assert receiver.codes[3:] == ["accepted", "announced"]


def test_a_refused_push_is_tried_again_after_a_while(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")
    receiver.statuses = [500, 404]

    acme.deliver()
    acme.advance(59)
    assert len(receiver.received) == 1
    acme.advance(1)
    assert len(receiver.received) == 2
    acme.advance(600)

    assert receiver.codes == ["announced"] * 3
    (delivery,) = acme.pushes()
    assert [attempt.status for attempt in delivery.attempts] == [500, 404, 200]


def test_a_carrier_gives_up_after_its_last_try(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")
    receiver.statuses = [500] * 9

    for seconds in (0, 60, 600, 3600, 5 * HOUR - 4300):
        acme.advance(seconds)

    assert len(receiver.received) == 1 + len(acme.dialect.push_retries)
    assert acme.pushes()[0].next_at is None
    assert not acme.pushes()[0].accepted


def test_a_receiver_that_is_not_there_is_a_failed_attempt(acme: Simulator, raw: Raw) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    subscribed(raw, f"http://127.0.0.1:{port}/hook")
    raw.book("M1")

    (delivery,) = acme.deliver()

    assert (delivery.attempts[0].status, delivery.accepted) == (None, False)
    assert "Error" in delivery.attempts[0].failure


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/hook", "http://example.org/hook", "https://127.0.0.1/hook", "nonsense"]
)
def test_nothing_is_pushed_outside_this_machine(acme: Simulator, raw: Raw, url: str) -> None:
    subscribed(raw, url)
    raw.book("M1")

    (delivery,) = acme.deliver()

    assert delivery.attempts[0].failure == "a simulator pushes over http to loopback addresses only"


def test_a_subscription_gets_its_own_numbers_and_nothing_older(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    first, second = (raw.book(mark).json()["pieces"][0]["awb"] for mark in ("M1", "M2"))
    acme.advance(1)
    subscribed(raw, receiver.url, numbers=[second])
    acme.advance(6 * HOUR)

    assert receiver.codes == ["accepted"], "announced before the subscription"
    assert json.loads(receiver.received[0].body)["number"] == second
    assert first != second


def test_the_receiver_may_ask_the_carrier_while_it_is_pushed_to(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    number = raw.book("M1").json()["pieces"][0]["awb"]
    seen: list[str] = []
    receiver.on_push = lambda: seen.extend(
        event["code"] for event in raw.ask("GET", f"/v2/track/{number}").json()["events"]
    )

    acme.deliver()

    assert seen == ["announced"]


def test_a_reset_forgets_pushes(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    raw.book("M1")
    acme.deliver()
    acme.reset()
    acme.advance(40 * HOUR)
    assert (acme.pushes(), receiver.codes) == ((), ["announced"])


@pytest.mark.parametrize(
    ("how", "problem"), [({"order": "sideways"}, "not sideways"), ({"copies": 0}, "at least once")]
)
def test_another_order_or_no_copy_is_refused(acme: Simulator, how: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        acme.redeliver(**how)


@given(st.lists(st.integers(), unique=True))
def test_shuffling_loses_nothing_and_is_the_same_each_time(ids: list[int]) -> None:
    shuffled = in_order(ids, "shuffled")
    assert sorted(shuffled) == sorted(ids)
    assert shuffled == in_order(ids, "shuffled")
    assert len(ids) < 2 or shuffled != ids


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/x", "http://127.9.9.9", "http://[::1]:80/", "http://localhost/"]
)
def test_loopback_is_this_machine(url: str) -> None:
    assert is_loopback(url)
