"""A consumer that keeps where each parcel is: acts on every announcement once, whatever comes twice.

    python consumer.py parcels.db rabbitmq amqp://guest:guest@127.0.0.1:5672// erp
    python consumer.py parcels.db nats nats://127.0.0.1:4222 erp
    python consumer.py parcels.db redis redis://127.0.0.1:6379/0 erp
    python consumer.py parcels.db kafka 127.0.0.1:9092 erp

The last word names the queue, the durable consumer or the group. What an announcement causes and the note that it was
seen are committed together; only then is it acknowledged to the broker. Killed at any point, it goes on where it was.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing

from shipkit.errors import InputError
from shipkit.model import MilestoneChange
from shipkit.publishers import Published, SqlInbox, read_cloud_event

Handle = Callable[[bytes], None]


class Parcels:
    """The consumer's own database."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.execute("CREATE TABLE IF NOT EXISTS parcel (scope TEXT PRIMARY KEY, milestone TEXT, told INT)")
        SqlInbox(self.connection.cursor(), mark="?").create()
        self.connection.commit()

    def handle(self, body: bytes) -> None:
        """Act on one message, once; what is no announcement is told and left behind."""
        try:
            event = read_cloud_event(body)
        except InputError as error:
            print(f"not read: {error}", file=sys.stderr)
            return
        with self.connection:  # one transaction: the effect and the note that it was seen
            if SqlInbox(self.connection.cursor(), mark="?").first(event):
                self.act(event)

    def act(self, event: Published) -> None:
        """The business: here, where the parcel is. Types that this program does not know are left alone."""
        if isinstance(event.data, MilestoneChange):
            self.connection.execute(
                "INSERT INTO parcel VALUES (?, ?, 1) ON CONFLICT (scope) DO UPDATE SET"
                " milestone = excluded.milestone, told = told + 1",
                (event.scope, str(event.data.to_milestone)),
            )


def from_rabbitmq(url: str, name: str, handle: Handle) -> None:
    """A quorum queue of this consumer's own; a prefetch of one keeps the order when something is given back."""
    import kombu

    exchange = kombu.Exchange("shipkit.events", type="topic", durable=True)
    queue = kombu.Queue(name, exchange, "shipkit.#", durable=True, queue_arguments={"x-queue-type": "quorum"})

    def received(_: object, message: kombu.Message) -> None:
        body = message.body
        handle(body.encode() if isinstance(body, str) else bytes(body))
        message.ack()

    with (
        kombu.Connection(url) as connection,
        connection.Consumer(
            queue, callbacks=[received], accept=["application/cloudevents+json"], prefetch_count=1, auto_declare=True
        ),
    ):
        while True:
            connection.drain_events()


def from_nats(url: str, name: str, handle: Handle) -> None:
    """A durable pull consumer, one message under way at a time."""
    import nats
    from nats.js.api import ConsumerConfig

    async def run() -> None:
        client = await nats.connect(url)
        stream = client.jetstream()
        durable = await stream.pull_subscribe("shipkit.>", durable=name, config=ConsumerConfig(max_ack_pending=1))
        while True:
            try:
                (message,) = await durable.fetch(1, timeout=5)
            except asyncio.TimeoutError:
                continue
            handle(message.data)
            await message.ack_sync()

    asyncio.run(run())


def from_redis(url: str, name: str, handle: Handle) -> None:
    """One member of a group; what it had not acknowledged when it was killed comes first."""
    import redis

    with redis.Redis.from_url(url) as client:
        try:
            client.xgroup_create("shipkit.events", name, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        start: bytes | str = "0"
        while True:
            found = client.xreadgroup(name, "one", {"shipkit.events": start}, count=100, block=1000)
            entries = found[0][1] if found else []
            for number, fields in entries:
                if fields:  # trimmed since it was read
                    handle(fields[b"event"])
                client.xack("shipkit.events", name, number)
            if start != ">":
                start = entries[-1][0] if entries else ">"


def from_kafka(servers: str, name: str, handle: Handle) -> None:
    """One member of a group; the offset is committed after each."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": name,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000,  # a member that was killed holds its partitions that long
        }
    )
    consumer.subscribe(["shipkit.events"])
    try:
        while True:
            message = consumer.poll(1.0)
            if message is None or message.error() is not None:
                continue
            handle(message.value() or b"")
            consumer.commit(message=message, asynchronous=False)
    finally:
        consumer.close()


SOURCES = {"rabbitmq": from_rabbitmq, "nats": from_nats, "redis": from_redis, "kafka": from_kafka}


def main(arguments: list[str]) -> int:
    """Consume until somebody ends the program."""
    if len(arguments) != 4 or arguments[1] not in SOURCES:
        print(__doc__, file=sys.stderr)
        return 2
    path, kind, address, name = arguments
    parcels = Parcels(path)
    with closing(parcels.connection):
        SOURCES[kind](address, name, parcels.handle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
