"""A simulated carrier pushes for real, twice and out of order: one timeline, told once, and no word of it anywhere."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from shipkit import Client
from shipkit.client.masking import _personal
from shipkit.errors import ShipkitError
from shipkit.model import SubscriptionRequest
from shipkit.simulator import Clock, Simulator, World
from shipkit.store import SqliteStore
from shipkit_easypost import EasyPost
from shipkit_easypost.simulator import EasyPostDialect
from tests.client_events.stage import Acme, event, hosted, parcel, row
from tests.easypost.samples import KEY, ORDER
from tests.easypost.test_simulator import receiver

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
SECRET = "sécret"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(EasyPostDialect(World(Clock(START)))) as running:
        yield running


def booked(client: Client, simulator: Simulator, url: str) -> Any:
    shipment = client.create_shipment(ORDER, account="ep", key="order-1")
    request = SubscriptionRequest(numbers=shipment.tracking_numbers, callback_url=url)
    client.subscribe(request, account="ep", key="hook")
    return shipment


def test_pushes_in_any_order_make_one_timeline_that_is_told_once(simulator: Simulator, store: Any) -> None:
    account = EasyPost(api_key=KEY, base_url=simulator.url, webhook_secret=SECRET)
    received: list[tuple[dict[str, str], bytes]] = []
    with Client({"ep": account}, store=store) as client, receiver(received) as url:
        shipment = booked(client, simulator, url)
        number = shipment.tracking_numbers[0].value
        client.events.follow(number, account="ep", key="order-1", since=START)
        simulator.advance(100 * 3600, order="shuffled", copies=2)
        stored = [client.events.receive("ep", headers, body) for headers, body in received]
        assert all(one.taken for one in stored) and any(one.duplicate for one in stored)
        while client.events.process(3).taken:
            pass
        told = [one.key for one in client._desk.store.events.announcements(limit=1000)]  # type: ignore[attr-defined]
        assert max(Counter(told).values()) == 1
        timeline = client.events.timeline(number, account="ep")
        assert timeline.milestone == "delivered"
        assert [key.rpartition("|entered|")[2] for key in told if "|entered|delivered" in key] == ["delivered|1"]
        (asked,) = client.track(number, account="ep")
        assert asked.value is not None
        assert [one.milestone for one in timeline.entries] == [one.milestone for one in asked.value.entries]


def words(order: Any) -> set[str]:
    return {text for text in _personal(order) if len(text) > 3}


def test_nothing_that_is_logged_raised_or_listed_holds_a_word_of_a_push(
    simulator: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = EasyPost(api_key=KEY, base_url=simulator.url, webhook_secret=SECRET)
    received: list[tuple[dict[str, str], bytes]] = []
    shown: list[str] = []
    store = SqliteStore(tmp_path / "s.db")
    with Client({"ep": account}, store=store, observers=[lambda one: shown.append(str(one))]) as c:
        with receiver(received) as url:
            number = booked(c, simulator, url).tracking_numbers[0].value
            simulator.advance(100 * 3600)
        c.events.follow(number, account="ep", since=START)
        for headers, body in received:
            c.events.receive("ep", headers, body)
        shown.append(str(c.events.receive("ep", {"X-Hmac-Signature": "hmac-sha256-hex=00"}, received[0][1])))
        c.events.process()
        shown += [str(c.events.replay()), str(c.events.exceptions()), str(c.events.dead_letters())]
    store.close()
    canaries = words(ORDER) | {KEY, SECRET}
    found = {(text, line[:80]) for line in (*shown, *caplog.text.splitlines()) for text in canaries if text in line}
    assert found == set()


CANARIES = ("Jo Receiver", "2 Home Street", "+49 170 1234567", "jo@example.org", "whsec-of-acme")


def test_a_push_that_breaks_its_plugin_leaves_no_word_behind(
    store: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with hosted(store, kind, carrier=_Talkative()) as host:
        store.events.follow([parcel("P1")])
        spoilt: list[Any] = [
            {"nonsense": CANARIES[0]},
            {CANARIES[1]: CANARIES[2]},
            row("P1", event("accepted", text=CANARIES[0], signed_by=CANARIES[0]), raises=CANARIES[3]),
            row("P1", event("accepted", text=CANARIES[1], signed_by=CANARIES[3])),
            row("P1", {"code": "accepted", "hour": CANARIES[2]}),
        ]
        shown: list[str] = []
        for each in spoilt:
            try:
                shown.append(repr(host.push(each)))
            except ShipkitError as error:
                shown.append(repr(error))
        host.drain()
        host.drain()
        shown += [repr(one) for one in (*host.dead_letters(), host.replay(), *host.seen)]
        letters = host.letters()
        shown += [f"{one.error} {one.detail}" for one in letters]
        shown += [one.body.decode() for one in store.events.announcements(limit=100)]
        assert len(host.dead_letters()) >= 4
    found = {(text, line[:100]) for line in (*shown, caplog.text) for text in CANARIES if text in line}
    assert found == set()


class _Talkative(Acme):
    """A plugin that puts what it read into its exceptions."""

    def read_webhook(self, delivery: Any) -> Any:
        if b"raises" in delivery.body:
            raise ValueError(delivery.body.decode())
        return super().read_webhook(delivery)
