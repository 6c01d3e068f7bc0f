"""Every publisher over its real broker: in order, confirmed, and what a cut or a deaf line makes of it."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.errors import UnavailableError
from shipkit.ports.publishing import Publisher
from shipkit.publishers import RabbitMq, Relay, read_cloud_event
from shipkit.settings import Settings
from shipkit.store.memory_events import MemoryEvents
from tests.publishers.brokers import Broker, KafkaPlace, NatsPlace, RabbitPlace, RedisPlace
from tests.publishers.outbox import announce, batch, eventually, in_order_after_dedup

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.services, pytest.mark.slow]

PLACES = {"rabbitmq": RabbitPlace, "nats": NatsPlace, "redis": RedisPlace, "kafka": KafkaPlace}


def opened(kind: str) -> Iterator[Any]:
    place: Any = PLACES[kind]()
    with place.proxy:
        try:
            yield place
        finally:
            place.close()


@pytest.fixture(params=PLACES)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    for place in opened(request.param):
        if isinstance(place, RabbitPlace):
            place.bind()
        yield place


@pytest.fixture
def rabbitmq() -> Iterator[RabbitPlace]:
    yield from opened("rabbitmq")


@pytest.fixture
def nats() -> Iterator[NatsPlace]:
    yield from opened("nats")


@pytest.fixture
def redis() -> Iterator[RedisPlace]:
    yield from opened("redis")


@pytest.fixture
def kafka() -> Iterator[KafkaPlace]:
    yield from opened("kafka")


SCOPES = [f"acme:{number % 7}" for number in range(60)]
WHOLE = {f"acme:{number}": list(range(1, SCOPES.count(f"acme:{number}") + 1)) for number in range(7)}


def sequences(broker: Broker) -> dict[str, list[int]]:
    return in_order_after_dedup([read_cloud_event(one.body) for one in broker.received()])


def test_everything_arrives_once_and_in_the_order_of_each_parcel(broker: Broker) -> None:
    outgoing = batch(*SCOPES)
    publisher = broker.publisher()
    assert publisher.publish(outgoing) == ()
    got = broker.received()
    publisher.close()
    assert {one.content_type for one in got} == {"application/cloudevents+json"}
    assert sorted(one.body for one in got) == sorted(one.announcement.body for one in outgoing)
    assert all(one.id == read_cloud_event(one.body).id for one in got)
    assert in_order_after_dedup([read_cloud_event(one.body) for one in got]) == WHOLE


def test_a_closed_publisher_leaves_no_thread_and_opens_again_when_it_is_used(broker: Broker) -> None:
    before = set(threading.enumerate())
    publisher = broker.publisher()
    for sequence in (1, 2):
        assert publisher.publish(batch(*["acme:a"] * sequence)[-1:]) == ()
        publisher.close()
        assert set(threading.enumerate()) == before
    del publisher
    gc.collect()
    assert sequences(broker) == {"acme:a": [1, 2]}


def test_a_broker_that_nobody_can_reach_is_unavailable_and_its_password_untold(broker: Broker) -> None:
    broker.proxy.closed = True
    broker.proxy.cut()
    publisher = broker.publisher(timeout_s=1)
    with pytest.raises(UnavailableError) as caught:
        publisher.publish(batch("acme:a"))
    assert "guest" not in str(caught.value)
    assert f"127.0.0.1:{broker.proxy.port}" in str(caught.value)
    broker.proxy.closed = False
    assert publisher.publish(batch("acme:a")) == ()
    publisher.close()
    assert sequences(broker) == {"acme:a": [1]}


def drained(publisher: Publisher, events: MemoryEvents) -> None:
    relay = Relay(events, {"d": publisher}, Settings(relay_batch=20, backoff_first_s=0.05, backoff_max_s=0.2))

    def empty() -> bool:
        relay.round()
        return not sum(one.depth for one in events.queues() if one.name == "outbox")

    eventually(empty, 120)


@pytest.mark.process
def test_a_child_of_fork_opens_a_connection_of_its_own_and_leaves_the_parents_alone(broker: Broker) -> None:
    place = f"127.0.0.1:{broker.proxy.port}"
    given: dict[type, tuple[str, dict[str, str]]] = {
        RabbitPlace: ("RabbitMq", {"url": f"amqp://guest:guest@{place}//", "exchange": broker.name}),
        NatsPlace: ("NatsJetStream", {"servers": f"nats://{place}", "prefix": broker.name, "make_stream": broker.name}),
        RedisPlace: ("RedisStreams", {"url": f"redis://{place}", "stream": broker.name}),
        KafkaPlace: ("Kafka", {"bootstrap": place, "topic": broker.name}),
    }
    kind, words = given[type(broker)]
    command = [sys.executable, "-m", "tests.publishers.forking", kind, json.dumps(words)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert sequences(broker) == {"acme:a": [1, 2, 3]}


@pytest.mark.parametrize("after", [1500, 9000, 20_000])
def test_a_connection_that_is_cut_in_the_middle_costs_repetitions_and_nothing_else(broker: Broker, after: int) -> None:
    events = MemoryEvents()
    announce(events, SCOPES)
    broker.proxy.cut_after = after
    publisher = broker.publisher(timeout_s=2)
    drained(publisher, events)
    publisher.close()
    assert broker.proxy.cut_after is None
    assert sequences(broker) == WHOLE


def test_a_lost_confirmation_is_unsent_and_comes_again_with_the_same_id(broker: Broker) -> None:
    outgoing = batch("acme:a", "acme:b", "acme:a", "acme:a")
    publisher = broker.publisher(timeout_s=2)
    assert publisher.publish(outgoing[:1]) == ()
    broker.proxy.deaf = True
    with pytest.raises(UnavailableError):
        publisher.publish(outgoing[1:])
    broker.proxy.deaf = False
    broker.proxy.cut()
    assert publisher.publish(outgoing[1:]) == ()
    publisher.close()
    assert sequences(broker) == {"acme:a": [1, 2, 3], "acme:b": [1]}


# What is each broker's own --------------------------------------------------------------------------------------------


def errors(publisher: Publisher, *scopes: str) -> list[tuple[int, str]]:
    try:
        return [(one.number, one.error) for one in publisher.publish(batch(*scopes))]
    finally:
        publisher.close()


def test_what_no_queue_wants_is_unsent(rabbitmq: RabbitPlace) -> None:
    assert errors(rabbitmq.publisher(), "acme:a", "acme:a", "acme:b") == [
        (1, "later_unroutable"), (2, "behind"), (3, "later_unroutable"),
    ]  # fmt: skip
    rabbitmq.bind()
    assert errors(rabbitmq.publisher(), "acme:a", "acme:a", "acme:b") == []


def test_what_no_queue_wants_waits_until_there_is_one_however_often_it_was_tried(rabbitmq: RabbitPlace) -> None:
    now = [1_700_000_000.0]
    events = MemoryEvents(clock=lambda: now[0])
    announce(events, SCOPES)
    publisher = rabbitmq.publisher()
    relay = Relay(events, {"d": publisher}, Settings(relay_attempts=2))
    for _ in range(6):
        assert not relay.round().destinations[0].dead
        now[0] += 400
    rabbitmq.bind()
    eventually(lambda: relay.round() and not events.queues()[0].depth and not any(one.depth for one in events.queues()))
    publisher.close()
    assert sequences(rabbitmq) == WHOLE


def test_what_a_full_queue_refuses_is_unsent(rabbitmq: RabbitPlace) -> None:
    rabbitmq.bind(**{"x-max-length": 1, "x-overflow": "reject-publish"})
    assert errors(rabbitmq.publisher(), "acme:a", "acme:a", "acme:a") == [(2, "later_nack"), (3, "behind")]


def test_a_message_over_which_the_broker_closes_the_channel_is_refused_alone(
    rabbitmq: RabbitPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As RabbitMQ does with what is longer than its ``max_message_size``; to lower that needs a server of its own."""
    from amqp.exceptions import PreconditionFailed

    rabbitmq.bind()
    publisher, outgoing = rabbitmq.publisher(), batch("acme:a", "acme:b", "acme:a", "acme:c")
    poison = outgoing[1].announcement.number
    settled = RabbitMq._settled

    def closing(self: RabbitMq) -> None:
        if poison in [message.number for message in self._waiting.values()]:
            raise PreconditionFailed("message size 20000 is larger than configured max size 10000")
        settled(self)

    monkeypatch.setattr(RabbitMq, "_settled", closing)
    assert [(one.number, one.error) for one in publisher.publish(outgoing)] == [(poison, "refused_406")]
    publisher.close()
    assert sequences(rabbitmq).items() >= {"acme:a": [1, 2], "acme:c": [1]}.items()


def test_an_exchange_of_another_kind_is_no_destination(rabbitmq: RabbitPlace) -> None:
    rabbitmq.channel.exchange_delete(rabbitmq.name)
    rabbitmq.channel.exchange_declare(rabbitmq.name, "fanout", durable=True, auto_delete=False)
    with pytest.raises(UnavailableError, match="PreconditionFailed"):
        errors(rabbitmq.publisher(), "acme:a")


def test_a_routing_key_is_the_type_and_the_carrier(rabbitmq: RabbitPlace) -> None:
    rabbitmq.bind()
    assert errors(rabbitmq.publisher(), "acme:a") == []
    message = rabbitmq.channel.basic_get(rabbitmq.name, no_ack=True)
    assert message.delivery_info["routing_key"] == "shipkit.tracking.event.v1.acme"
    assert message.properties["type"] == "io.shipkit.tracking.event.v1"


def test_what_no_stream_covers_is_unsent(nats: NatsPlace) -> None:
    assert errors(nats.publisher(make_stream=""), "acme:a", "acme:a") == [(1, "later_unroutable"), (2, "behind")]


def test_the_stream_itself_drops_what_comes_twice(nats: NatsPlace) -> None:
    for _ in range(2):
        assert errors(nats.publisher(), "acme:a", "acme:b") == []
    assert len(nats.received()) == 2


def test_a_full_stream_is_asked_again_later(nats: NatsPlace) -> None:
    from nats.js.api import DiscardPolicy, StreamConfig

    settings = StreamConfig(name=nats.name, subjects=[f"{nats.name}.>"], max_msgs=1, discard=DiscardPolicy.NEW)
    nats.do(lambda stream: stream.add_stream(settings))
    assert errors(nats.publisher(), "acme:a", "acme:a", "acme:a") == [(2, "later_503"), (3, "behind")]


def test_a_key_of_another_kind_refuses(redis: RedisPlace) -> None:
    redis.client.set(redis.name, "x")
    assert errors(redis.publisher(), "acme:a", "acme:a") == [(1, "refused_wrongtype"), (2, "behind")]


def test_too_few_replicas_confirm_nothing(redis: RedisPlace) -> None:
    assert errors(redis.publisher(timeout_s=3, replicas=1), "acme:a", "acme:a") == [
        (1, "unconfirmed"), (2, "behind"),
    ]  # fmt: skip
    assert len(redis.received()) == 1


def test_a_stream_is_kept_to_about_its_length(redis: RedisPlace) -> None:
    publisher = redis.publisher(maxlen=100)
    for start in range(0, 1000, 100):
        assert publisher.publish(batch(*[f"acme:{start + one}" for one in range(100)])) == ()
    publisher.close()
    assert 100 <= redis.client.xlen(redis.name) < 400


def test_a_parcel_keeps_to_one_partition(kafka: KafkaPlace) -> None:
    assert errors(kafka.publisher(), *SCOPES) == []
    partitions: dict[bytes, set[int]] = {}
    for message in kafka.messages():
        partitions.setdefault(message.key(), set()).add(message.partition())
    assert len(partitions) == 7
    assert {len(one) for one in partitions.values()} == {1}
    assert len(set.union(*partitions.values())) > 1


def test_a_message_that_kafka_would_never_take_is_refused(kafka: KafkaPlace) -> None:
    outgoing = batch("acme:a", "acme:b")
    first = outgoing[0].announcement
    huge = attrs.evolve(first, body=first.body[:-1] + b',"x":"' + b"x" * 5_000 + b'"}')
    publisher = kafka.publisher(options={"message.max.bytes": 4_000})
    found = publisher.publish([attrs.evolve(outgoing[0], announcement=huge), outgoing[1]])
    publisher.close()
    assert [(one.number, one.error) for one in found] == [(1, "refused_msg_size_too_large")]
