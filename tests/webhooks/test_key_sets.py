"""Key sets over HTTP on loopback: fetched by the host's clock, never by a stranger's push."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import pytest

from shipkit import Client, InputError
from shipkit.client import KeySets
from shipkit.model import DeliveryResult, TrustLevel
from shipkit.settings import Settings
from shipkit.store import MemoryStore
from shipkit.webhooks import AllOf, AnyOf, QueryToken, RawPush, Rsa, Scheme, WebhookAuth, verify
from tests.service.pusher import Pusher
from tests.webhooks.test_rsa import NEW, NOW, OLD, SCHEME, key_set, pem, pushed, row


class Publisher(ThreadingHTTPServer):
    """Whoever publishes a key set, and what it answers now."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.text, self.asked = 200, key_set(row(OLD, "old")), 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks"


class _Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked += 1
        body = self.server.text.encode()
        self.send_response(self.server.status)
        self.send_header("location", self.server.url)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # it was too long for whoever asked
            pass

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sets(clock: Clock) -> Iterator[KeySets]:
    made = KeySets(clock=clock)
    yield made
    made.close()


def applied(sets: KeySets, scheme: Scheme) -> Scheme:
    (auth,) = sets.applied({"shop": Pusher()}, {"shop": WebhookAuth(scheme=scheme)}).values()
    assert auth.scheme is not None
    return auth.scheme


def is_believed(scheme: Scheme, push: RawPush, *secrets: str) -> bool:
    return verify(scheme, push, secrets, now=NOW, max_age_s=300).accepted


def test_a_set_is_fetched_and_a_new_key_is_found_without_a_request_for_each_push_that_names_it(
    publisher: Publisher, sets: KeySets, clock: Clock
) -> None:
    scheme = applied(sets, attrs.evolve(SCHEME, jwks_url=publisher.url))
    assert scheme.trust is TrustLevel.BODY_SIGNED
    assert not is_believed(scheme, pushed(OLD, "old"))
    assert publisher.asked == 0, "judging a push fetches nothing"
    assert (sets.refresh(), sets.refresh(), publisher.asked) == (1, 0, 1)
    assert is_believed(scheme, pushed(OLD, "old"))
    assert not is_believed(scheme, pushed(NEW, "old"))
    clock.now += 3599
    assert sets.refresh() == 0, "a known key with a wrong signature is no reason to fetch"

    publisher.text = key_set(row(OLD, "old"), row(NEW, "new"))
    assert not is_believed(scheme, pushed(NEW, "new"))
    assert (sets.refresh(), is_believed(scheme, pushed(NEW, "new"))) == (1, True)
    for _ in range(50):
        assert not is_believed(scheme, pushed(NEW, "of a stranger"))
        sets.refresh()
    assert publisher.asked == 2, "no sooner than after five minutes"
    clock.now += 300
    assert (sets.refresh(), publisher.asked) == (1, 3)


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, ""), (302, ""), (404, key_set(row(NEW, "new"))), (200, ""), (200, "<html>"), (200, key_set()),
     (200, pem(NEW)), (200, "[" * 100_000), (200, '{"keys": "' + "x" * 300_000 + '"}')],
    ids=["500", "302", "404", "empty", "html", "no keys", "pem", "deep", "long"],  # keys are drawn anew in each process
)  # fmt: skip
def test_what_is_no_key_set_replaces_none_and_is_told(
    publisher: Publisher, sets: KeySets, clock: Clock, caplog: pytest.LogCaptureFixture, status: int, text: str
) -> None:
    scheme = applied(sets, attrs.evolve(SCHEME, jwks_url=publisher.url))
    publisher.status, right, publisher.text = status, publisher.text, text
    with caplog.at_level(logging.WARNING, "shipkit"):
        assert sets.refresh() == 0
    assert "none of those pushes is believed" in caplog.text
    assert not is_believed(scheme, pushed(OLD, "old"))
    publisher.status, publisher.text = 200, right
    clock.now += 30
    assert sets.refresh() == 1

    publisher.status, publisher.text = status, text
    clock.now += 3600
    assert sets.refresh() == 0
    assert is_believed(scheme, pushed(OLD, "old")), "the one before counts on"
    clock.now += 300
    assert sets.refresh() == 0
    clock.now += 86_400
    assert sets.refresh() == 0
    assert not is_believed(scheme, pushed(OLD, "old")), "but not for ever"


def test_nobody_answers(sets: KeySets) -> None:
    from tests.publishers.proxy import free_port

    scheme = applied(sets, attrs.evolve(SCHEME, jwks_url=f"http://127.0.0.1:{free_port()}/"))
    assert sets.refresh() == 0
    assert not is_believed(scheme, pushed(OLD, "old"))
    assert is_believed(scheme, pushed(OLD, "old"), key_set(row(OLD, "old"))), "what the host configured counts too"


def test_a_set_within_a_combination_is_fetched(publisher: Publisher, sets: KeySets) -> None:
    signed = attrs.evolve(SCHEME, jwks_url=publisher.url)
    both = {"signature": signed, "token": QueryToken()}
    either, each = applied(sets, AnyOf(schemes=both)), applied(sets, AllOf(schemes=both))
    assert sets.refresh() == 1, "one address, one set"
    assert is_believed(either, pushed(OLD, "old"))
    assert not is_believed(each, pushed(OLD, "old"), "token=t")
    assert is_believed(each, attrs.evolve(pushed(OLD, "old"), query="token=t"), "token=t")


@pytest.mark.parametrize("url", ["http://keys.example/jwks", "ftp://keys.example/", "https://u:p@keys.example/", "x"])
def test_a_set_comes_over_tls_or_from_this_machine(sets: KeySets, url: str) -> None:
    with pytest.raises(InputError) as caught:
        applied(sets, attrs.evolve(SCHEME, jwks_url=url))
    assert [problem.path for problem in caught.value.problems] == ["/webhooks/shop/scheme/jwks_url"]


@attrs.frozen
class Signs(Pusher):
    """A plugin whose pushes are signed with a published key."""

    url: str = ""

    @property
    def webhook_scheme(self) -> Any:
        return attrs.evolve(SCHEME, jwks_url=self.url)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return ()


def test_a_plugin_whose_sender_publishes_keys_needs_no_configuration(publisher: Publisher) -> None:
    sets, accounts = KeySets(Settings()), {"shop": Signs(url=publisher.url), "other": Pusher()}
    webhooks = sets.applied(accounts, {})
    assert list(webhooks) == ["shop"]
    with Client(accounts, store=MemoryStore(), settings=Settings(signature_age_s=1e12), webhooks=webhooks) as client:
        push = pushed(OLD, "old")
        assert not client.events.receive("shop", push.headers, push.body).taken
        sets.refresh()
        delivery = client.events.receive("shop", push.headers, push.body).delivery
        assert (delivery.result, delivery.trust) == (DeliveryResult.ACCEPTED, TrustLevel.BODY_SIGNED)
    sets.close()


def test_schemes_without_an_address_are_left_as_they_are(sets: KeySets) -> None:
    given = {"shop": WebhookAuth(scheme=Rsa(header="x"), secrets=("s",))}
    assert sets.applied({"shop": Pusher(), "other": Pusher()}, given) == given
    assert (sets.urls, sets.refresh()) == ((), 0)
