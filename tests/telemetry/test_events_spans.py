"""Pushes, rows of the inbox, batches and rounds of polling are spans; how parcels stand is what the gauges say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families

from shipkit import Client
from shipkit.errors import RateLimitedError
from shipkit.model import Reason
from shipkit.publishers import HostCallback, Relay
from shipkit.service import Endpoint
from shipkit.store import MemoryStore
from shipkit.telemetry import INSTRUMENTS, Prometheus
from tests.client_events.stage import START, Clock, Tracked, event, parcel, pushed, row
from tests.telemetry.conftest import Watched
from tests.telemetry.test_events_canary import knocked


def spans(watched: Watched) -> Counter[str]:
    return Counter(span.name for span in watched.spans())


@attrs.define
class House:
    """A client over the store that is watched, with a carrier that says what the test wants."""

    client: Client
    watched: Watched
    answers: dict[str, Any]

    def push(self, *told: Any, **more: Any) -> Any:
        headers, body = pushed(*told, **more)
        return self.client.events.receive("acme-de", headers, body)

    def rendered(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.watched.prometheus.render())
            for sample in family.samples
        }


@pytest.fixture
def house(watched: Watched) -> Iterator[House]:
    answers: dict[str, Any] = {}
    carrier = Tracked(answers=lambda number: answers.get(number, []))
    with Client(
        {"acme-de": carrier}, store=watched.store, observers=watched.observers, destinations=("erp", "bad")
    ) as client:
        yield House(client, watched, answers)


def test_a_push_that_is_stored_and_read_makes_one_span_each(house: House) -> None:
    house.client.events.follow("P1", account="acme-de", since=START)
    house.push(row("P1", event("accepted")))
    house.push(row("P1", event("accepted")), secret="wrong")
    house.client.events.process()

    stored, refused = house.watched.spans("shipkit.webhook")
    assert dict(stored.attributes or {}) == {
        "shipkit.carrier": "acme",
        "shipkit.delivery_result": "accepted",
        "shipkit.trust": "body_signed",
    }
    assert stored.kind is SpanKind.SERVER and stored.status.is_unset
    assert not refused.status.is_ok and dict(refused.attributes or {})["shipkit.delivery_result"] == "failed"
    (read,) = house.watched.spans("shipkit.process")
    assert dict(read.attributes or {}) == {"shipkit.carrier": "acme", "shipkit.delivery_result": "accepted"}
    assert read.start_time is not None and read.end_time is not None and read.start_time <= read.end_time
    assert house.watched.counted("shipkit.webhook.deliveries", signature="valid") == 1
    assert house.watched.counted("shipkit.webhook.deliveries", signature="invalid") == 1
    assert house.watched.counted("shipkit.webhook.duration") == 2
    assert house.watched.counted("shipkit.events.processing", source="webhook") == 1
    assert house.watched.counted("shipkit.milestones", milestone="accepted") == 1


def test_the_endpoint_times_a_push_from_its_first_byte(house: House) -> None:
    async def act() -> None:
        endpoint = Endpoint(house.client)
        path = await asyncio.to_thread(lambda: house.client.events.webhook_paths()["acme-de"])
        for secret in ("", "wrong"):
            headers, body = pushed(row("P1", event("accepted")), **({"secret": secret} if secret else {}))
            await knocked(endpoint, path, {name.lower(): value for name, value in headers.items()}, body)
        await endpoint.aclose()

    asyncio.run(act())
    assert house.watched.counted("shipkit.webhook.duration", delivery_result="accepted") == 1
    assert house.watched.counted("shipkit.webhook.duration", delivery_result="failed") == 1
    assert spans(house.watched)["shipkit.webhook"] == 2


def test_a_dead_letter_is_counted_as_one(house: House) -> None:
    house.push({"nonsense": 1})
    house.client.events.process()
    (span,) = house.watched.spans("shipkit.process")
    assert dict(span.attributes or {})["shipkit.delivery_result"] == "dead_letter" and not span.status.is_ok
    assert house.watched.counted("shipkit.webhook.deliveries", delivery_result="dead_letter") == 1


def test_batches_of_the_outbox_are_counted_by_what_became_of_them(house: House) -> None:
    house.client.events.follow("P1", account="acme-de", since=START)
    house.push(row("P1", event("accepted")))
    house.client.events.process()

    def refuses(announcement: Any) -> None:
        raise ValueError("no")

    observers = [house.watched.otel.shipkit_observe, house.watched.prometheus.shipkit_observe]
    relay = Relay(
        house.client.entrance().store,
        {"erp": HostCallback(lambda _: None), "bad": HostCallback(refuses)},
        observer=lambda told: [observe(told) for observe in observers],
    )
    relay.round()
    relay.close()
    sent = len(house.client.entrance().store.announcements())
    assert house.watched.counted("shipkit.published", outcome="ok", publisher="host") >= 1
    assert house.watched.counted("shipkit.published", outcome="rejected") >= 1
    while relay.round().sent:
        pass
    assert house.watched.counted("shipkit.published", outcome="ok") == sent > 1
    good, *bad = house.watched.spans("shipkit.publish")
    assert dict(good.attributes or {}) == {"shipkit.publisher": "host", "shipkit.outcome": "ok"}
    assert all(not span.status.is_ok for span in bad if dict(span.attributes or {})["shipkit.outcome"] != "ok")


def test_a_round_of_polling_is_a_span_with_its_outcome(house: House) -> None:
    house.client.events.follow("P1", account="acme-de")
    house.answers["P1"] = [event("accepted", -10)]
    house.client.events.poll()
    house.client.events.follow("P2", account="acme-de")
    house.answers["P2"] = RateLimitedError("slower")
    house.client.events.poll()
    outcomes = [dict(span.attributes or {}).get("shipkit.outcome") for span in house.watched.spans("shipkit.poll")]
    assert outcomes == ["ok", "rate_limited"]


def test_how_parcels_stand_is_told_as_it_is(house: House) -> None:
    events = house.client.events
    for number in ("P1", "P2", "P3"):
        events.follow(number, account="acme-de")
    house.push(
        row("P1", event("delivery_attempted", reason=Reason.REFUSED_BY_RECIPIENT.value)), row("P2", event("in_transit"))
    )
    events.process()
    told = house.rendered()
    here = (("shipkit_carrier", "acme"),)
    parcels = {k[1][1][1]: v for k, v in told.items() if k[0] == "shipkit_parcels_open"}
    assert parcels == {"delivery_attempted": 1, "in_transit": 1, "unknown": 1}
    assert told["shipkit_exceptions_open", (("shipkit_actor", "shipper"), *here)] == 1
    (silence_s,) = [value for key, value in told.items() if key[0] == "shipkit_webhook_silence_seconds"]
    assert silence_s < 60
    points = {name: len(found) for name, found in house.watched.points().items()}
    assert (points["shipkit.parcels.open"], points["shipkit.exceptions.open"]) == (3, 1)

    open_ones = sum(row.parcels for row in house.client.entrance().store.open_counts())
    assert open_ones == sum(parcels.values())


def test_silence_is_that_of_the_account_that_is_silent_longest(watched: Watched) -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    prometheus = Prometheus(store)
    accounts = {"one": Tracked(), "two": Tracked(), "three": Tracked()}
    with Client(accounts, store=store, observers=[prometheus]) as client:
        client._desk.utc_now = clock.now
        store.events.follow([parcel("P1", account="one"), parcel("P2", account="two"), parcel("P3", account="three")])
        for alias, wait_s in (("one", 3600), ("two", 60)):
            headers, body = pushed(row("P9", event("accepted")))
            assert client.events.receive(alias, headers, body).taken
            clock.on(wait_s)
    text = prometheus.render()
    (line,) = [each for each in text.splitlines() if each.startswith("shipkit_webhook_silence_seconds{")]
    assert float(line.rsplit(" ", 1)[1]) == timedelta(seconds=3660).total_seconds()


def test_every_gauge_of_the_table_is_read_by_both_observers(watched: Watched) -> None:
    gauges = {row.name for row in INSTRUMENTS.values() if row.kind == "gauge"}
    from shipkit.telemetry.queues import GAUGES

    assert gauges == {*GAUGES, "shipkit.endpoint.available"}
    assert gauges <= set(watched.points()) | {"shipkit.endpoint.available", *GAUGES}
