"""Addresses that cannot be used: told at once, with a path, and nothing of them in the words."""

from __future__ import annotations

from typing import Any

import pytest

from shipkit.errors import InputError, UnavailableError
from shipkit.publishers import Kafka, NatsJetStream, RabbitMq, RedisStreams
from shipkit.publishers.messages import where
from tests.publishers.outbox import batch

CANARY = "S3cret"
BAD = {
    RabbitMq: [
        f"amqp://user:{CANARY}/x@host//", f"amqp://user:x@host:{CANARY}//", f"redis://:{CANARY}@h",
        f"amqp://h?heartbeat={CANARY}", f"amqp://h?{CANARY}=1", CANARY, "",
    ],
    RedisStreams: [
        f"redis://:{CANARY}/x@host", f"redis://h:{CANARY}", f"amqp://:{CANARY}@h", f"redis://[{CANARY}", CANARY, "",
    ],
    NatsJetStream: ["", [], ["nats://127.0.0.1", ""]],
    Kafka: ["", " "],
}  # fmt: skip


@pytest.mark.services
@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind, all_ in BAD.items() for each in all_])
def test_an_address_that_cannot_be_used_is_refused_when_the_publisher_is_made(kind: Any, address: Any) -> None:
    pytest.importorskip(
        {"RabbitMq": "kombu", "RedisStreams": "redis", "NatsJetStream": "nats"}.get(kind.__name__, "confluent_kafka")
    )
    with pytest.raises(InputError) as caught:
        kind(address)
    assert [problem.path for problem in caught.value.problems] in (["/url"], ["/servers"], ["/bootstrap"])
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (f"amqp://user:{CANARY}@host:5673//", "host:5673"),
        (f"user:{CANARY}@host", "host:1"),
        ("host", "host:1"),
        ("[::1]:7", "::1:7"),
        (f"{CANARY}/b@host:2", "?"),
        (f"amqp://12:34/{CANARY}@host", "?"),
        (f"redis://:{CANARY}#@host", "?"),
        (f"nats://a:{CANARY}@h:1,nats://b:{CANARY}@i:2", "?"),
        ("", "?:1"),
    ],
)
def test_where_something_is_never_tells_a_password(address: str, place: str) -> None:
    assert where(address, 1) == place


@pytest.mark.services
def test_kafka_names_its_broker_without_what_stands_before_it() -> None:
    pytest.importorskip("confluent_kafka")
    publisher = Kafka(f"user:{CANARY}@127.0.0.1:1,other:2", timeout_s=0.2)
    with pytest.raises(UnavailableError) as caught:
        publisher.publish(batch("acme:a"))
    publisher.close()
    assert "127.0.0.1:1" in str(caught.value)
    assert CANARY not in str(caught.value)
