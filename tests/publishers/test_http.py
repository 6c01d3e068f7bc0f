"""Outgoing webhooks against a server on loopback: signed, in order, and every answer understood."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from shipkit.errors import InputError, UnavailableError
from shipkit.publishers import HttpWebhook, Relay, read_cloud_event
from shipkit.settings import Settings
from shipkit.store.memory_events import MemoryEvents
from tests.publishers.outbox import announce, batch, eventually, in_order_after_dedup
from tests.publishers.proxy import free_port

OLD, NEW = (f"whsec_{base64.b64encode(bytes([value]) * 24).decode()}" for value in (1, 2))


class Receiver(ThreadingHTTPServer):
    """A consumer: takes what is posted, and answers as the test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.silent = threading.Event()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks?token=CANARY"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if self.server.silent.is_set():
            self.server.release.wait(30)
            self.close_connection = True
            return
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        size = int(headers.get("content-length", 0))
        for name, value in ({"content-length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if size:
            self.wfile.write(b"x" * size)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def webhook(receiver: Receiver) -> Iterator[HttpWebhook]:
    made = HttpWebhook(receiver.url, [NEW, OLD], timeout_s=30)
    yield made
    made.close()


def test_each_is_a_cloud_event_that_a_receiver_with_either_secret_believes(
    receiver: Receiver, webhook: HttpWebhook
) -> None:
    outgoing = batch("acme:a", "acme:b", "acme:a")
    assert webhook.publish(outgoing) == ()
    assert len(receiver.posted) == 3
    for headers, body in receiver.posted:
        assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert headers["webhook-id"] == read_cloud_event(body).id
        for secret in (OLD, NEW):
            assert Webhook(secret).verify(body, headers) == json.loads(body)
    assert in_order_after_dedup([read_cloud_event(body) for _, body in receiver.posted]) == {
        "acme:a": [1, 2], "acme:b": [1],
    }  # fmt: skip


def test_the_time_in_the_signature_is_that_of_the_sending(receiver: Receiver) -> None:
    at = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
    webhook = HttpWebhook(receiver.url, OLD, now=lambda: at)
    webhook.publish(batch("acme:a"))
    webhook.close()
    assert receiver.posted[0][0]["webhook-timestamp"] == str(int(at.timestamp()))


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (200, {"content-length": "5"}, None),
        (202, {}, None),
        (302, {"location": "http://127.0.0.1:1/"}, "refused_302"),
        (307, {"location": "/other"}, "refused_307"),
        (400, {}, "refused_400"),
        (410, {}, "refused_410"),
        (408, {}, "later_408"),
        (429, {}, "later_429"),
        (500, {}, "later_500"),
        (503, {}, "later_503"),
        (200, {"content-length": "100000"}, "refused_long_answer"),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver, webhook: HttpWebhook, status: int, headers: dict[str, str], error: str | None
) -> None:
    receiver.answers = [(status, headers)]
    found = [(one.number, one.error) for one in webhook.publish(batch("acme:a", "acme:a", "acme:b"))]
    assert found == ([] if error is None else [(1, error), (2, "behind")])
    assert len(receiver.posted) == (3 if error is None else 2)  # no redirection is followed


def test_three_failures_in_a_row_leave_the_rest_for_later(receiver: Receiver, webhook: HttpWebhook) -> None:
    receiver.answers = [(500, {})] * 10
    found = webhook.publish(batch("acme:a", "acme:b", "acme:c", "acme:d", "acme:d"))
    assert [one.error for one in found] == ["later_500"] * 3 + ["behind"] * 2
    assert len(receiver.posted) == 3


def test_retry_after_is_kept_and_nothing_is_sent_meanwhile(receiver: Receiver, webhook: HttpWebhook) -> None:
    receiver.answers = [(204, {}), (429, {"retry-after": "90"})]
    found = webhook.publish(batch("acme:a", "acme:b", "acme:c"))
    assert [(one.number, one.error) for one in found] == [(2, "later_429"), (3, "behind")]
    with pytest.raises(UnavailableError) as caught:
        webhook.publish(batch("acme:c"))
    assert 80 < (caught.value.retry_after_s or 0) <= 91
    assert len(receiver.posted) == 2


def test_no_answer_in_time_is_later_and_comes_again_under_the_same_id(receiver: Receiver) -> None:
    webhook = HttpWebhook(receiver.url, OLD, timeout_s=0.5)
    receiver.silent.set()
    assert [one.error for one in webhook.publish(batch("acme:a"))] == ["later_no_answer"]
    receiver.silent.clear()
    receiver.release.set()
    eventually(lambda: webhook.publish(batch("acme:a")) == ())
    webhook.close()
    assert len({headers["webhook-id"] for headers, _ in receiver.posted}) == 1


def test_nobody_there_is_unavailable_and_neither_address_nor_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    webhook = HttpWebhook(f"http://127.0.0.1:{free_port()}/hooks?token=CANARY", OLD, timeout_s=2)
    with pytest.raises(UnavailableError) as caught:
        webhook.publish(batch("acme:a", "acme:b"))
    webhook.close()
    assert "CANARY" not in str(caught.value) + caplog.text + repr(webhook)
    assert OLD not in caplog.text + repr(webhook)


def test_through_a_relay_every_failure_is_made_good_in_order(receiver: Receiver, webhook: HttpWebhook) -> None:
    events = MemoryEvents()
    scopes = [f"acme:{number % 3}" for number in range(12)]
    announce(events, scopes)
    receiver.answers = [(204, {}), (500, {}), (204, {}), (400, {})]
    relay = Relay(events, {"d": webhook}, Settings(backoff_first_s=0.05))

    def empty() -> bool:
        relay.round()
        return not sum(one.depth for one in events.queues() if one.name == "outbox")

    eventually(empty)
    got = [read_cloud_event(body) for _, body in receiver.posted]
    assert in_order_after_dedup(got) == {f"acme:{number}": [1, 2, 3, 4] for number in range(3)}
    assert len(got) == 14


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks", "http://10.0.0.1/", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "https://",
        "https://user:password@example.com/", "https://example.com/#part", "https://example.com:x/", "hooks",
        "https://example.com/a b", "https://exämple.com/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(InputError) as caught:
        HttpWebhook(url, OLD)
    assert url not in str(caught.value)


@pytest.mark.parametrize("url", ["https://example.com/hooks", "http://localhost:8000/", "http://[::1]:8000/"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    HttpWebhook(url, OLD).close()


def test_a_secret_that_is_none_is_refused_at_once() -> None:
    for secrets in ([], ["password"], [OLD, "whsec_short"]):
        with pytest.raises(InputError):
            HttpWebhook("https://example.com/", secrets)
