"""A function as a destination, and packages that are not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from shipkit.errors import NotSupportedError, UnavailableError
from shipkit.ports.events import Announcement
from shipkit.publishers import HostCallback, Kafka, NatsJetStream, RabbitMq, RedisStreams
from tests.publishers.outbox import batch


def test_a_function_is_called_with_each_in_order() -> None:
    taken: list[Announcement] = []
    outgoing = batch("acme:a", "acme:b", "acme:a")
    assert HostCallback(taken.append).publish(outgoing) == ()
    assert [(one.scope, one.sequence) for one in taken] == [("acme:a", 1), ("acme:b", 1), ("acme:a", 2)]


def test_what_it_raises_is_a_refusal_told_by_its_class(caplog: pytest.LogCaptureFixture) -> None:
    def take(told: Announcement) -> None:
        if told.scope == "acme:a":
            raise ValueError("CANARY")

    found = HostCallback(take).publish(batch("acme:a", "acme:b", "acme:a"))
    assert [(one.number, one.error) for one in found] == [(1, "refused_ValueError"), (3, "behind")]
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize("index", [0, 1, 2])
def test_where_it_says_that_nothing_can_be_taken_what_was_taken_is_kept(index: int) -> None:
    calls: list[Announcement] = []

    def take(told: Announcement) -> None:
        calls.append(told)
        if len(calls) == index + 1:
            raise UnavailableError("not now")

    destination = HostCallback(take)
    if not index:
        with pytest.raises(UnavailableError):
            destination.publish(batch("acme:a", "acme:b", "acme:a"))
        return
    errors = [(one.number, one.error) for one in destination.publish(batch("acme:a", "acme:b", "acme:a"))]
    assert errors == {1: [(2, "unconfirmed"), (3, "behind")], 2: [(3, "unconfirmed")]}[index]


@pytest.mark.parametrize(
    ("package", "extra", "make"),
    [
        ("kombu", "rabbitmq", lambda: RabbitMq("amqp://127.0.0.1")),
        ("nats", "nats", lambda: NatsJetStream("nats://127.0.0.1")),
        ("redis", "redis", lambda: RedisStreams("redis://127.0.0.1")),
        ("confluent_kafka", "kafka", lambda: Kafka("127.0.0.1")),
    ],
)
def test_a_package_that_is_not_there_is_named_with_its_extra(
    package: str, extra: str, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one == package or one.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotSupportedError, match=rf"shipkit-sdk\[{extra}\]"):
        make()


def test_importing_the_room_imports_no_client_of_a_broker() -> None:
    code = (
        "import sys; from shipkit.publishers import Relay, RabbitMq, NatsJetStream, RedisStreams, Kafka, HttpWebhook\n"
        "print(sorted({'kombu', 'amqp', 'nats', 'redis', 'confluent_kafka'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "body", [b"", b"not JSON", b"[]", b"{}", b'{"id": "1", "source": "x"}', b'{"id": 1, "source": 2}']
)
def test_a_row_that_was_damaged_is_refused_and_stops_no_other_parcel(body: bytes) -> None:
    got: list[Announcement] = []
    outgoing = batch("acme:a", "acme:b", "acme:a", "acme:a", "acme:b")
    outgoing[2] = attrs.evolve(outgoing[2], announcement=attrs.evolve(outgoing[2].announcement, body=body))
    unsent = HostCallback(got.append).publish(outgoing)
    assert [(one.number, one.error) for one in unsent] == [(3, "refused_unreadable"), (4, "behind")]
    assert sorted(one.number for one in got) == [1, 2, 5]
