"""What the relay costs beside the bare clients of the brokers that listen here, as many confirmed at once."""

from __future__ import annotations

import asyncio
import socket
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import attrs

from shipkit import SqliteStore
from shipkit.events.cloud import News, announcement
from shipkit.ports.events import EventStore, Parcel, ParcelWork, Work
from shipkit.ports.publishing import Publisher
from shipkit.publishers import NatsJetStream, RabbitMq, RedisStreams, Relay
from tests.events.journeys import event

from .timing import Figure

__all__ = ["relayed"]

PAIRS = 7
PARCELS = 500
BATCH = 100  # Settings.relay_batch
SINCE = datetime(2026, 3, 1, tzinfo=timezone.utc)

Bare = Callable[[Sequence[bytes]], None]


def relayed() -> list[Figure]:
    """A figure for each broker that listens."""
    places: dict[str, tuple[int, Callable[[str], Any]]] = {
        "RabbitMQ": (5672, _rabbitmq),
        "NATS JetStream": (4222, _nats),
        "Redis Streams": (6379, _redis),
    }
    found = [_figure(name, place) for name, (port, place) in places.items() if _listens(port)]
    if not found:
        raise RuntimeError("no broker listens on its usual port")
    return found


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _figure(name: str, place: Callable[[str], Any]) -> Figure:
    ours, bare_times, ratios = [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteStore(Path(folder) / "store.db")) as store,
        place(f"shipkit-bench-{uuid.uuid4().hex[:10]}") as (publisher, bare),
    ):
        relay = Relay(store.events, {"d": publisher})
        for turn in range(PAIRS + 1):
            bodies = _announced(store.events)
            began = time.perf_counter()
            bare(bodies)
            middle = time.perf_counter()
            while relay.round().sent:
                pass
            ended = time.perf_counter()
            if turn:  # the first one connects
                bare_times.append((middle - began) / PARCELS)
                ours.append((ended - middle) / PARCELS)
                ratios.append(ours[-1] / bare_times[-1])
        relay.close()
    ratio = statistics.median(ratios)
    return Figure(
        name=f"relay from SQLite to {name}, time per event",
        ratio=ratio,
        ours_us=statistics.median(ours) * 1e6,
        base_us=statistics.median(bare_times) * 1e6,
        base=f"the bare client, {BATCH} confirmed together",
        note=f"{1 / statistics.median(ours):.0f} events per second, {1 / ratio:.2f} of the bare client's",
    )


def _announced(events: EventStore) -> list[bytes]:
    """One more announcement of each of so many parcels, in the outbox; their bodies."""
    scopes = [f"acme:{number:04d}" for number in range(PARCELS)]
    if events.parcels(scopes[:1])[0] is None:
        events.follow(
            [Parcel(scope=one, carrier="acme", account="acme-eu", number=one[5:], since=SINCE) for one in scopes]
        )
    works = []
    for known in events.parcels(scopes):
        assert known is not None
        sequence = known.sequence + 1
        told = announcement(
            News.EVENT, event(sequence), parcel=known, key=str(sequence), sequence=sequence, happened_at=None
        )
        works.append(ParcelWork(before=known, after=attrs.evolve(known, sequence=sequence), announcements=(told,)))
    assert events.commit(Work(parcels=tuple(works), destinations=("d",)))
    return [work.announcements[0].body for work in works]


def _batches(bodies: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]


@contextmanager
def _redis(name: str) -> Any:
    import redis

    client = redis.Redis()

    def bare(bodies: Sequence[bytes]) -> None:
        for some in _batches(bodies):
            pipeline = client.pipeline(transaction=False)
            for body in some:
                pipeline.xadd(name, {"event": body})
            pipeline.execute()

    try:
        yield RedisStreams("redis://127.0.0.1:6379/0", stream=name), bare
    finally:
        client.delete(name)
        client.close()


@contextmanager
def _nats(name: str) -> Any:
    import nats

    loop = asyncio.new_event_loop()
    publisher: Publisher = NatsJetStream("nats://127.0.0.1:4222", prefix=name, make_stream=name)

    async def connected() -> Any:
        client = await nats.connect("nats://127.0.0.1:4222")
        await client.jetstream().add_stream(name=name, subjects=[f"{name}.>"])
        return client

    client = loop.run_until_complete(connected())
    stream = client.jetstream()

    async def sent(bodies: Sequence[bytes]) -> None:
        for some in _batches(bodies):
            await asyncio.gather(*(stream.publish(f"{name}.x", body) for body in some))

    async def ended() -> None:
        await stream.delete_stream(name)
        await client.close()

    try:
        yield publisher, lambda bodies: loop.run_until_complete(sent(bodies))
    finally:
        loop.run_until_complete(ended())
        loop.close()


@contextmanager
def _rabbitmq(name: str) -> Any:
    import amqp

    connection = amqp.Connection("127.0.0.1:5672", userid="guest", password="guest")
    connection.connect()
    channel = connection.channel()
    channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
    channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(name, name, "#")
    channel.confirm_select()
    waiting: set[int] = set()
    sent = [0]

    def acknowledged(tag: int, multiple: bool) -> None:
        waiting.difference_update([one for one in waiting if one <= tag] if multiple else [tag])

    channel.events["basic_ack"].add(acknowledged)

    def bare(bodies: Sequence[bytes]) -> None:
        for some in _batches(bodies):
            for body in some:
                sent[0] += 1
                waiting.add(sent[0])
                channel.basic_publish(amqp.Message(body, delivery_mode=2), name, "x", mandatory=True)
            while waiting:
                connection.drain_events(timeout=30)

    try:
        yield RabbitMq("amqp://guest:guest@127.0.0.1:5672//", exchange=name), bare
    finally:
        channel.queue_delete(name)
        channel.exchange_delete(name)
        connection.close()
