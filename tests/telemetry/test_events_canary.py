"""The whole way of pushes, and whatever goes wrong on it: nothing that is told anywhere holds a secret or a person."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shipkit import Client
from shipkit.cli import main
from shipkit.client.masking import _personal
from shipkit.errors import ShipkitError
from shipkit.events.comparing import Belief
from shipkit.model import Milestone, SubscriptionRequest
from shipkit.publishers import HostCallback, HttpWebhook, Relay
from shipkit.service import Endpoint
from shipkit.simulator import Clock, Simulator, World
from shipkit.store import SqliteStore
from shipkit.telemetry import OpenTelemetry, Prometheus
from shipkit.testing import no_waiting
from shipkit.webhooks import Unsigned
from shipkit.webhooks.auth import WebhookAuth
from shipkit_easypost import EasyPost
from shipkit_easypost.simulator import EasyPostDialect
from tests.easypost.samples import ORDER
from tests.easypost.test_simulator import receiver

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
KEY, SECRET, HOOK, DOOR = (
    "EZTK-canary",
    "push-secret-canary",
    "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTE=",
    "door-canary",
)
PEOPLE = (
    "Wilhelmina Canary",
    "17 Canary Lane",
    "+1 555 010 7788",
    "wilhelmina@canary.example",
    "Left with Wilhelmina at the door of number 19, ring twice",
)
DESTINATIONS = ("broken", "refusing", "deaf", "there")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("events", "list", "--all"),
    ("events", "show", "order-1"),
    ("events", "dead-letters"),
    ("events", "exceptions"),
    ("events", "unmapped"),
    ("events", "queues"),
    ("events", "outbox"),
    ("events", "silent"),
    ("events", "kpi", "--since", "52w"),
    ("events", "replay"),
    ("events", "reconcile"),
    ("events", "process"),
    ("events", "show", "nobodys-key"),
    ("listen", "--once"),
    ("store", "show"),
)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return {"content-type": "application/json", "x-hmac-signature": f"hmac-sha256-hex={digest}"}


def spoilt(good: bytes) -> Iterator[bytes]:
    """Bodies that are not, or not quite, what the carrier sends, with people in them."""
    name, street, phone, mail, words = PEOPLE
    told = json.loads(good)
    yield json.dumps({"description": "tracker.updated", "result": name}).encode()
    yield json.dumps({"description": "tracker.updated", "result": {street: {"tracking_details": [phone]}}}).encode()
    yield f"<html><title>{name}</title>{mail}</html>".encode()
    yield f"{{{words}".encode()
    yield b"\xff\xfe" + name.encode("utf-16")
    for member in ("tracking_code", "status", "tracking_details"):
        result = {**told["result"], member: {name: [street, mail]}}
        yield json.dumps({**told, "result": result}).encode()
    details = [{**one, "message": words} for one in told["result"]["tracking_details"]]
    proof = {"signed_by": name, "tracking_details": details}
    yield json.dumps({**told, "id": "evt_9", "result": {**told["result"], **proof}}).encode()


async def knocked(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """One request to the ASGI callable, and its answer."""
    sent: list[Any] = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": named,
        "query_string": b"",
        "client": ("::1", 1),
    }
    await endpoint(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.slow
def test_nothing_that_is_told_of_pushes_holds_a_secret_or_a_person(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    store, told, bodies = SqliteStore(tmp_path / "events.db"), list[str](), list[tuple[dict[str, str], bytes]]()
    prometheus = Prometheus(store)
    otel = OpenTelemetry(tracer_provider=tracers, meter_provider=meters, store=store)
    tokens: set[str] = set()

    with Simulator(EasyPostDialect(World(Clock(START)))) as sim, receiver(bodies) as url:
        accounts = {
            "ep": EasyPost(api_key=KEY, webhook_secret=SECRET, base_url=sim.url),
            "hint": EasyPost(api_key=KEY, webhook_secret=SECRET, base_url=sim.url),
        }
        client = Client(
            accounts,
            store=store,
            observers=[otel, prometheus, lambda event: told.append(str(event))],
            destinations=DESTINATIONS,
            webhooks={"hint": WebhookAuth(scheme=Unsigned())},
        )
        with client, no_waiting():
            numbers: list[str] = []
            for number, alias in enumerate(accounts, 1):
                shipment = client.create_shipment(ORDER, account=alias, key=f"order-{number}")
                request = SubscriptionRequest(numbers=shipment.tracking_numbers, callback_url=url)
                client.subscribe(request, account=alias, key=f"hook-{number}")
                numbers.append(shipment.tracking_numbers[0].value)
            first = numbers[0]
            sim.advance(100 * 3600, order="shuffled", copies=2)
            pushes = tuple(bodies)
            client.events.follow_booked()
            paths = client.events.webhook_paths()
            tokens |= {path.rpartition("/")[2] for path in paths.values()}
            told += asyncio.run(_pushed(Endpoint(client), paths, bodies))
            for body in spoilt(max((body for _, body in bodies if first.encode() in body), key=len)):
                told.append(str(client.events.answer("POST", paths["ep"], signed(body), body)))
                told.append(repr(client.events.receive("ep", signed(body), body)))
            for _ in range(3):
                told.append(repr(client.events.process()))
            told += _looked_at(client)
            told += _relayed(client, prometheus, url)
        store_events = store.events
        letters = [f"{one.error} {one.detail} {one.waits_for}" for one in store_events.letters(limit=1000)]
        published = [one.body.decode() for one in store_events.announcements(limit=10_000)]
        scopes = [one.scope for one in store_events.walk()]
        known = [str(event.text) for events in store_events.evidence(scopes).values() for event in events]
        metrics = prometheus.render() + str(reader.get_metrics_data())
        store.close()
        lines = _said(sim.url, capsys)
    with sqlite3.connect(tmp_path / "events.db") as database:
        errors = [row[0] for row in database.execute("SELECT error FROM shipkit_outbox")]
    database.close()
    tracers.shutdown()
    meters.shutdown()

    shown = {
        "a log line": caplog.text,
        "a span": "".join(span.to_json() for span in exporter.get_finished_spans()),
        "a metric": metrics,
        "an observation, an answer, a repr or an error": "\n".join(told),
        "the inbox": "\n".join(letters),
        "the outbox": "\n".join(errors),
        "what is published": "\n".join(published),
        "the command line": lines,
    }
    canaries = {text for text in _personal(ORDER) if len(text) > 3} | {KEY, SECRET, HOOK, DOOR, *PEOPLE, *tokens}
    canaries |= {body[:60].decode("latin-1") for _, body in pushes}
    found = [(place, text) for place, line in shown.items() for text in canaries if text in line]

    assert len(canaries) > 12 and len(tokens) == 2
    names = {span.name for span in exporter.get_finished_spans()}
    assert {"shipkit.webhook", "shipkit.process", "shipkit.publish"} <= names
    assert len(published) > 10 and any(errors) and any("bad_reply" in line for line in letters)
    assert all(text for text in shown.values())
    assert any(PEOPLE[4] in row for row in known), (known[:4], letters)
    assert found == []


async def _pushed(
    endpoint: Endpoint, paths: Mapping[str, str], bodies: list[tuple[dict[str, str], bytes]]
) -> list[str]:
    """Every push to both accounts, and what strangers send beside them."""
    answers = []
    for path in paths.values():
        answers += [await knocked(endpoint, path, headers, body) for headers, body in bodies]
    name = PEOPLE[0].encode()
    for path in (*paths.values(), "/webhooks/ep/guess", f"/{PEOPLE[0]}", "/metrics"):
        for headers in (signed(name, "guess"), {"x-hmac-signature": PEOPLE[3]}, {"authorization": f"Bearer {SECRET}"}):
            answers.append(await knocked(endpoint, path, headers, name))
            answers.append(await knocked(endpoint, path, headers, name * 100_000))
    await endpoint.aclose()
    statuses = {status for status, _ in answers}
    assert {200, 401, 404, 413} <= statuses and max(statuses) < 500
    return [f"{status} {body.decode()}" for status, body in answers]


def _looked_at(client: Client) -> list[str]:
    """All that a host may look at, as text."""
    events, told = client.events, []
    letters = events.dead_letters()
    assert letters, "spoilt ones are dead"
    told += [repr(letters), str(events.take_up([one.id for one in letters])), repr(events.process())]
    beliefs = [Belief(key="order-1", milestone=Milestone.LOST), Belief(number="NOBODYS")]
    told += [repr(events.replay()), repr(events.replay(apply=True)), repr(events.exceptions())]
    told += [repr(events.reconcile(beliefs)), repr(events.reconcile(apply=True)), repr(events.poll())]
    told += [repr(events.silent()), repr(events.figures())]
    for call in (
        lambda: events.follow(PEOPLE[1], account="ep", key="order-2"),
        lambda: events.timeline(PEOPLE[0], account="ep"),
        lambda: events.receive("nobody", {}, PEOPLE[0].encode()),
        lambda: events.exceptions(actor=PEOPLE[0]),
    ):
        try:
            told.append(str(type(call())))
        except ShipkitError as error:
            told += [type(error).__name__, error.code]
    return told


def _relayed(client: Client, prometheus: Prometheus, url: str) -> list[str]:
    """Rounds to destinations that fail in their own ways."""

    def broken(announcement: Any) -> None:
        raise RuntimeError(f"{PEOPLE[0]} {HOOK} {announcement.body.decode()}")

    class Refusing(HostCallback):
        def publish(self, batch: Any) -> Any:
            raise RuntimeError(f"amqp://shop:{DOOR}@broker {batch}")

    publishers = {
        "broken": HostCallback(broken),
        "refusing": Refusing(lambda _: None),
        "deaf": HttpWebhook(f"http://127.0.0.1:9/{DOOR}", HOOK, timeout_s=1),
        "there": HttpWebhook(f"{url}/{DOOR}", HOOK),
    }
    relay = Relay(client.entrance().store, publishers, observer=prometheus.shipkit_observe)
    told, sent = [], 0
    for _ in range(3):
        done = relay.round()
        told.append(repr(done))
        relay = Relay(client.entrance().store, publishers, owner=relay._owner, observer=_both(prometheus, client))
        sent += done.sent
    relay.close()
    assert sent > 3, "the one that is there takes them"
    return told


def _both(prometheus: Prometheus, client: Client) -> Any:
    def tell(event: Any) -> None:
        prometheus.shipkit_observe(event)
        client._watchers.tell(event)

    return tell


def _said(url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the commands print, for people and for programs."""
    path = Path("shipkit.toml")
    path.touch(mode=0o600)
    accounts = "".join(
        f'[accounts.{alias}]\ncarrier = "easypost"\napi_key = "{KEY}"\nwebhook_secret = "{SECRET}"\n'
        f'base_url = "{url}"\n'
        for alias in ("ep", "hint")
    )
    erp = f'[destinations.erp]\nkind = "http"\nurl = "https://erp.example.com/{DOOR}"\nsecrets = ["{HOOK}"]\n'
    path.write_text(f'{accounts}[store]\npath = "events.db"\n{erp}')
    capsys.readouterr()
    for command in COMMANDS:
        assert main([*command]) in (0, 1, 2)
        assert main([*command, "--json"]) in (0, 1, 2)
    out, err = capsys.readouterr()
    assert "delivered" in out
    return out + err
