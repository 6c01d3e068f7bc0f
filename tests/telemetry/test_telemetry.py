"""What is measured is what happened, under the names of the table, and tells nobody's data."""

from __future__ import annotations

import asyncio
import csv
import logging
import time
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from shipkit import AsyncClient, Client, Settings, errors
from shipkit.client.lists import Order
from shipkit.errors import ShipkitError
from shipkit.model import Environment, Operation
from shipkit.ports import Observation
from shipkit.simulator import Simulator
from shipkit.telemetry import ATTRIBUTES, INSTRUMENTS, Prometheus
from shipkit.telemetry.prometheus import family
from shipkit.testing import no_waiting
from tests.core.acme import Acme, request
from tests.telemetry.conftest import Watched

SECRETS = ("client-secret", "Jo Receiver", "2 Home Street", "1 Depot Road", "Sender Ltd", "SO042", "order-")


@pytest.fixture
def listed(shared: Path) -> dict[str, dict[str, str]]:
    with (shared / "domain" / "telemetry.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_every_instrument_stands_in_the_table_as_it_is(listed: dict[str, dict[str, str]]) -> None:
    for row in INSTRUMENTS.values():
        meant = listed[row.name]
        told = (row.kind, row.unit, " ".join(row.attributes), row.measure, row.meaning)
        assert told == tuple(meant[key] for key in ("instrument", "unit", "attributes", "measure", "meaning"))


def test_no_attribute_has_more_values_than_the_table_gives_it(listed: dict[str, dict[str, str]]) -> None:
    for attribute in ATTRIBUTES.values():
        most = listed[attribute.name]["unit"]
        assert not most.isdigit() or 0 < len(attribute.values) <= int(most)


def test_the_closed_sets_are_those_of_the_code() -> None:
    codes = {getattr(errors, name).code for name in errors.__all__ if hasattr(getattr(errors, name), "code")} - {""}
    assert ATTRIBUTES["shipkit.outcome"].values == codes | {"ok"}
    assert ATTRIBUTES["shipkit.operation"].values == {each.value for each in Operation}
    assert ATTRIBUTES["shipkit.environment"].values == {each.value for each in Environment}


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("drop_before", {}), ("drop_after_commit", {}), ("429", {}), ("500", {}), ("503", {}),
    ("drop_after_commit", {"times": 9}),
]  # fmt: skip


def worked(sim: Simulator, accounts: dict[str, Acme], watched: Watched) -> None:
    """A day of a host in threads: what goes well, what fails, what is looked for."""
    settings = Settings(attempts=2, breaker_failures=3)
    with no_waiting(), Client(accounts, store=watched.store, observers=watched.observers, settings=settings) as client:
        client.rates(request())
        client.create_shipment(request(), account="acme-de", key="order-1")
        client.create_shipment(request(), account="acme-de", key="order-1")
        for number, (fault, named) in enumerate(FAULTS):
            sim.add_fault(fault, operation="create_shipment", **{"times": 1, **named})
            try:
                client.create_shipment(request(), account="acme-fr", key=f"order-{number}-{fault}", deadline_s=2)
            except ShipkitError:
                pass
        client.track("unknown", account="acme-de")
        client.recover()


@pytest.fixture
def accounts(acme: Acme) -> dict[str, Acme]:
    return {"acme-de": acme, "acme-fr": attrs.evolve(acme, client_id="other", environment="certification")}


def test_whatever_is_emitted_is_of_the_table_with_values_of_the_closed_sets(
    sim: Simulator, accounts: dict[str, Acme], watched: Watched, listed: dict[str, dict[str, str]]
) -> None:
    worked(sim, accounts, watched)
    emitted: list[tuple[str, dict[str, Any]]] = [(span.name, dict(span.attributes or {})) for span in watched.spans()]
    emitted += [(name, dict(one.attributes)) for name, points in watched.points().items() for one in points]

    assert {name for name, _ in emitted} >= {"shipkit.call", "shipkit.send", "shipkit.recover", "shipkit.bookings"}
    for name, attributes in emitted:
        allowed = listed[name]["attributes"].split()
        missing = set(allowed) - set(attributes)
        assert not set(attributes) - set(allowed)
        assert not missing or (name == "shipkit.recover" and missing == {"shipkit.recovery_result"})
        for key, value in attributes.items():
            assert not ATTRIBUTES[key].values or value in ATTRIBUTES[key].values, (name, key, value)
            assert key != "shipkit.carrier" or value == "acme"


def nested(spans: list[Any], host: Any) -> None:
    """Sends within calls within the host's own span."""
    by_id = {span.context.span_id: span for span in spans}
    assert len({span.context.trace_id for span in spans}) == 1
    for span in spans:
        parent = by_id.get(span.parent.span_id) if span.parent else None
        if span.name == "shipkit.call":
            assert parent is not None and parent.name == host.name
        if span.name in ("shipkit.send", "shipkit.recover"):
            assert parent is not None and parent.name in ("shipkit.call", "shipkit.recover")


def test_spans_nest_in_threads(sim: Simulator, acme: Acme, watched: Watched) -> None:
    many = {f"acme-{number}": attrs.evolve(acme, client_id=f"host-{number}") for number in range(6)}
    client = Client(many, store=watched.store, observers=watched.observers)
    with watched.tracer.start_as_current_span("a job of the host") as host, no_waiting(), client:
        assert len(client.rates(request()).quotes) >= 6
        client.create_shipment(request(), account="acme-1", key="order-1")

    spans = watched.spans()
    nested([span for span in spans if span.name != host.name] + [host], host)
    assert len(watched.spans("shipkit.call")) == 7
    assert len({span.parent.span_id for span in watched.spans("shipkit.send") if span.parent}) == 7


def test_the_spans_of_a_list_nest_too(sim: Simulator, acme: Acme, watched: Watched) -> None:
    orders = [Order(key=f"order-{number}", request=request(), account="acme-de") for number in range(5)]

    async def job() -> None:
        async with AsyncClient({"acme-de": acme}, observers=watched.observers) as client:
            assert [one async for one in client.create_shipments(orders)]

    with watched.tracer.start_as_current_span("a job of the host") as host, no_waiting():
        with Client({"acme-de": acme}, store=watched.store, observers=watched.observers) as client:
            assert len(list(client.create_shipments(orders))) == 5
        asyncio.run(job())

    nested([span for span in watched.spans() if span.name != host.name] + [host], host)
    assert len(watched.spans("shipkit.call")) == 10


def test_spans_nest_in_tasks(sim: Simulator, acme: Acme, watched: Watched) -> None:
    many = {f"acme-{number}": attrs.evolve(acme, client_id=f"host-{number}") for number in range(6)}

    async def job() -> None:
        async with AsyncClient(many, store=watched.store, observers=watched.observers) as client:
            one = client.create_shipment(request(), account="acme-1", key="order-1")
            two = client.create_shipment(request(), account="acme-2", key="order-2")
            await asyncio.gather(client.rates(request()), one, two)

    with watched.tracer.start_as_current_span("a job of the host") as host, no_waiting():
        asyncio.run(job())

    nested([span for span in watched.spans() if span.name != host.name] + [host], host)
    assert len(watched.spans("shipkit.call")) == 8


def test_an_error_is_told_by_our_code_alone(sim: Simulator, acme: Acme, watched: Watched) -> None:
    sim.add_fault("drop_after_commit", operation="create_shipment")
    sim.add_fault("503", operation="find_shipments", times=9)
    client = Client({"acme-de": acme}, store=watched.store, observers=watched.observers)
    with no_waiting(), client, pytest.raises(ShipkitError):
        client.create_shipment(request(), account="acme-de", key="order-1")

    (call,) = watched.spans("shipkit.call")
    assert not call.status.is_ok and call.status.description == "in_doubt"
    assert all(not span.events for span in watched.spans()), "an exception's text may say anything"
    assert watched.counted("shipkit.queue.depth", queue="in_doubt") == 1


def test_a_cancelled_call_ends_its_span_and_counts_for_nothing(sim: Simulator, acme: Acme, watched: Watched) -> None:
    sim.add_fault("slow", operation="rates", after_s=1.0)

    async def job() -> None:
        async with AsyncClient({"acme-de": acme}, store=watched.store, observers=watched.observers) as client:
            task = asyncio.create_task(client.rates(request()))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(job())

    (call,) = watched.spans("shipkit.call")
    assert not call.status.is_ok
    assert "shipkit.outcome" not in (call.attributes or {})
    assert not watched.counted("shipkit.call.duration")


def test_each_figure_counts_what_the_carrier_saw(sim: Simulator, acme: Acme, watched: Watched) -> None:
    settings = Settings(attempts=2)
    with (
        no_waiting(),
        Client({"acme-de": acme}, store=watched.store, observers=watched.observers, settings=settings) as client,
    ):
        client.create_shipment(request(), account="acme-de", key="order-1")
        client.create_shipment(request(), account="acme-de", key="order-1")
        sim.add_fault("503", operation="rates", times=1)
        client.rates(request())

    requests = [one for one in sim.requests() if one.operation]
    assert watched.counted("shipkit.send.duration") == len(requests)
    assert watched.counted("shipkit.send.duration", status_class="5xx") == 1
    assert watched.counted("shipkit.retries", retry_cause="5xx", request="rates") == 1
    assert watched.counted("shipkit.auth.refreshes") == 1
    assert watched.counted("shipkit.bookings", booking_result="booked") == 1, "returned again is not booked again"
    assert watched.counted("shipkit.call.duration", operation="create_shipment", outcome="ok") == 2


def test_a_token_that_is_refused_is_a_retry_of_its_own(sim: Simulator, acme: Acme, watched: Watched) -> None:
    with Client({"acme-de": acme}, store=watched.store, observers=watched.observers) as client:
        client.rates(request())
        sim.add_fault("token_revoked", operation="rates")
        assert not client.rates(request()).errors

    assert watched.counted("shipkit.retries", retry_cause="401") == 1
    assert watched.counted("shipkit.auth.refreshes") == 2
    assert not watched.counted("shipkit.auth.errors")


def test_credentials_that_are_refused_for_good_are_counted(sim: Simulator, acme: Acme, watched: Watched) -> None:
    wrong = attrs.evolve(acme, client_secret="wrong")
    sim.add_fault("token_revoked", operation="rates", times=9)
    with no_waiting(), Client({"acme-de": wrong}, store=watched.store, observers=watched.observers) as client:
        assert client.rates(request()).errors

    assert watched.counted("shipkit.auth.errors") == 1
    assert watched.counted("shipkit.call.duration", outcome="authentication") == 1


def test_a_doubt_is_counted_when_it_ends(sim: Simulator, acme: Acme, watched: Watched) -> None:
    sim.add_fault("drop_after_commit", operation="create_shipment")
    sim.add_fault("503", operation="find_shipments", times=3)
    with no_waiting(), Client({"acme-de": acme}, store=watched.store, observers=watched.observers) as client:
        with pytest.raises(ShipkitError):
            client.create_shipment(request(), account="acme-de", key="order-1")
        assert not watched.counted("shipkit.bookings")
        client.create_shipment(request(), account="acme-de", key="order-1")

    assert watched.counted("shipkit.bookings", booking_result="booked") == 1
    assert watched.counted("shipkit.recoveries", recovery_result="found") == 1


def test_a_breaker_that_opens_shows_the_endpoint_as_gone(sim: Simulator, acme: Acme, watched: Watched) -> None:
    settings = Settings(attempts=1, breaker_failures=2)
    sim.add_fault("503", operation="rates", times=2)
    with Client({"acme-de": acme}, store=watched.store, observers=watched.observers, settings=settings) as client:
        client.track("unknown", account="acme-de")
        for _ in range(3):
            client.rates(request())

    assert watched.counted("shipkit.breaker.opened", operation="rates") == 1
    available = {
        one.attributes["shipkit.operation"]: one.value for one in watched.points()["shipkit.endpoint.available"]
    }
    assert available == {"rates": 0, "track": 1}


def test_a_breakers_probe_is_a_retry_and_an_answer_brings_the_endpoint_back(
    sim: Simulator, acme: Acme, watched: Watched
) -> None:
    settings = Settings(attempts=1, breaker_failures=2, breaker_open_s=0.05)
    sim.add_fault("503", operation="rates", times=2)
    with Client({"acme-de": acme}, store=watched.store, observers=watched.observers, settings=settings) as client:
        for _ in range(2):
            client.rates(request())
        time.sleep(0.1)
        assert not client.rates(request()).errors

    assert watched.counted("shipkit.retries", retry_cause="breaker_probe", request="rates") == 1
    assert watched.counted("shipkit.endpoint.available", operation="rates") == 1


def test_nothing_that_is_told_holds_a_secret_or_a_person(
    sim: Simulator, accounts: dict[str, Acme], watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "shipkit")
    worked(sim, accounts, watched)
    shown = [caplog.text, watched.prometheus.render(), str(watched.reader.get_metrics_data() or "")]
    shown += [span.to_json() for span in watched.spans()]

    assert "request" in caplog.text
    assert not [secret for secret in SECRETS if any(secret in text for text in shown)]
    assert not any(sim.url in text or "http" in text.replace("https://prometheus", "") for text in shown[:2])


# Prometheus' text, with its own parser as the referee.


def test_prometheus_reads_the_same_figures(sim: Simulator, accounts: dict[str, Acme], watched: Watched) -> None:
    worked(sim, accounts, watched)
    parsed = {one.name: one for one in text_string_to_metric_families(watched.prometheus.render())}

    for name, points in watched.points().items():
        row = INSTRUMENTS[name]
        found = parsed[family(row).removesuffix("_total")]
        assert found.type == row.kind
        assert found.documentation == row.meaning
        for point in points:
            labels = {key.replace(".", "_"): value for key, value in point.attributes.items()}
            samples = {one.name: one.value for one in found.samples if one.labels == labels}
            if row.kind == "histogram":
                assert samples[f"{found.name}_count"] == point.count
                assert samples[f"{found.name}_sum"] == pytest.approx(point.sum)
            elif name != "shipkit.queue.age":
                assert samples[family(row)] == point.value


def test_the_names_follow_opentelemetrys_rules_for_prometheus() -> None:
    assert {family(row) for row in INSTRUMENTS.values() if row.kind != "span"} == {
        "shipkit_call_duration_seconds",
        "shipkit_send_duration_seconds",
        "shipkit_retries_total",
        "shipkit_limit_wait_seconds",
        "shipkit_auth_errors_total",
        "shipkit_auth_refreshes_total",
        "shipkit_endpoint_available_ratio",
        "shipkit_breaker_opened_total",
        "shipkit_queue_depth",
        "shipkit_queue_age_seconds",
        "shipkit_recoveries_total",
        "shipkit_events_unmapped_total",
        "shipkit_bookings_total",
        "shipkit_webhook_deliveries_total",
        "shipkit_webhook_duration_seconds",
        "shipkit_webhook_silence_seconds",
        "shipkit_published_total",
        "shipkit_events_lag_seconds",
        "shipkit_events_processing_seconds",
        "shipkit_exceptions_total",
        "shipkit_exceptions_open",
        "shipkit_deliveries_total",
        "shipkit_delivery_lateness_hours",
        "shipkit_milestones_total",
        "shipkit_milestone_time_hours",
        "shipkit_parcels_open",
    }


@given(
    carrier=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\\"\n'), min_size=1),
    seconds=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
)
def test_any_text_and_any_time_are_read_back(carrier: str, seconds: list[float]) -> None:
    kept = Prometheus()
    for elapsed_s in seconds:
        kept.shipkit_observe(Observation(kind="request", carrier=carrier, request="rates", elapsed_s=elapsed_s))
    (parsed,) = text_string_to_metric_families(kept.render())
    values = {(one.name, one.labels.get("le")): one.value for one in parsed.samples}
    buckets = [value for (name, _), value in values.items() if name.endswith("_bucket")]

    assert {one.labels["shipkit_carrier"] for one in parsed.samples} == {carrier}
    assert buckets == sorted(buckets)
    assert values["shipkit_send_duration_seconds_count", None] == buckets[-1] == len(seconds)
    assert values["shipkit_send_duration_seconds_sum", None] == pytest.approx(sum(seconds))
    assert values["shipkit_send_duration_seconds_bucket", "1"] == sum(one <= 1 for one in seconds)


def test_threads_lose_no_count() -> None:
    from concurrent.futures import ThreadPoolExecutor

    kept = Prometheus()
    event = Observation(kind="request", carrier="acme", request="rates", status=200, elapsed_s=0.1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [kept.shipkit_observe(event) for _ in range(500)], range(8)))

    assert 'shipkit_send_duration_seconds_count{shipkit_carrier="acme",' in kept.render()
    (line,) = [line for line in kept.render().splitlines() if "_count{" in line]
    assert line.endswith(" 4000")


def test_for_whom_nobody_watches_nothing_is_built(sim: Simulator, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def noted(**given: Any) -> Observation:
        built.append(given["kind"])
        return Observation(**given)

    monkeypatch.setattr("shipkit.policy.context.Observation", noted)
    with Client({"acme-de": acme}) as client:
        client.rates(request())
        client.create_shipment(request(), account="acme-de", key="order-1")
    assert built == []
    with Client({"acme-de": acme}, observers=[lambda event: None]) as client:
        client.rates(request())
    assert built == ["request", "token", "request", "call"]
