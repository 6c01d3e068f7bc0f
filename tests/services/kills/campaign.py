"""One run: deliveries come in, parts of the service are killed, everything comes to rest, the books are compared."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from shipkit import Client
from shipkit.config import loaded
from tests.easypost.samples import KEY
from tests.publishers.brokers import KafkaPlace, NatsPlace, RabbitPlace, RedisPlace
from tests.services.kills.feed import SECRET, Delivery, deliveries
from tests.services.kills.oracle import Judgement, judged
from tests.services.kills.processes import Parts
from tests.services.kills.sending import Sender

__all__ = ["PLACES", "Run", "ran"]

PLACES: Mapping[str, Callable[[], Any]] = {
    "rabbitmq": RabbitPlace, "nats": NatsPlace, "redis": RedisPlace, "kafka": KafkaPlace,
}  # fmt: skip
_REST_S = 60.0
"""How long nothing may move while something waits."""
_PER_S = 150.0
"""Deliveries trickle in, and no faster than the kills happen: there is always something under way that they hit."""


@attrs.define
class Run:
    """What a run was, and what came of it."""

    store: str
    judgement: Judgement
    kills: Mapping[str, int]
    lost: int
    """Sends without an answer: what the sender had to send again."""
    refused: Mapping[int, int]
    seconds: float


def ran(store: str, folder: Path, *, count: int, kills: int, seed: int, kinds: tuple[str, ...]) -> Run:
    """*store* is the text of the table ``[store]``.

    Raises:
        AssertionError: it did not come to rest, or a part ended by itself.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        places = {}
        for kind in kinds:
            places[kind] = place = PLACES[kind]()
            stack.enter_context(place.proxy)
            stack.callback(place.close)
        if "rabbitmq" in places:
            places["rabbitmq"].bind()
        port = _free_port()
        config = folder / "shipkit.toml"
        config.write_text(_config(store, places, port))
        config.chmod(0o600)
        pushed = deliveries(count, seed)
        path = _followed(config, pushed)
        parts = Parts(config, kills, seed, folder / "service.log")
        stack.callback(parts.stop)
        sender = Sender(f"http://127.0.0.1:{port}{path}", pushed)
        parts.start()
        sender.start()
        _let_go(sender, parts, count, kills)
        assert sender.join(4 * _REST_S), "not every delivery got its 2xx"
        _rest(config)
        parts.stop()
        ended = {part: many for part, many in parts.ended.items() if many}
        assert not ended, f"parts ended by themselves: {ended}"
        received = {kind: [got.body for got in place.received()] for kind, place in places.items()}
        with _client(config) as client:
            found = judged(client.entrance().store, sender.acknowledged, received)
    refused = {status: sender.refused.count(status) for status in sorted(set(sender.refused))}
    return Run(store.split('"')[1], found, dict(parts.kills), sender.lost, refused, time.monotonic() - began)


def _let_go(sender: Sender, parts: Parts, count: int, kills: int) -> None:
    """Each kill lets its share of the deliveries go, one after the other; the last of them all that are left."""
    given, owed = 0, 0.0
    until = time.monotonic() + 60 + 5 * kills
    while given < count:
        time.sleep(0.02)
        bound = count * (parts.killed() + 1) // (kills + 1)
        owed = min(owed + 0.02 * _PER_S, bound - given)
        if owed >= 1:
            sender.allow(int(owed))
            given, owed = given + int(owed), owed % 1
        assert time.monotonic() < until, f"{parts.killed()} of {kills} kills"


def _rest(config: Path) -> None:
    """Wait until nothing waits: the inbox is read, and every destination has taken everything."""
    before, until = -1, 0.0
    with _client(config) as client:
        while waiting := [queue for queue in client.entrance().store.queues() if queue.depth]:
            depth = sum(queue.depth for queue in waiting)
            if depth != before:
                before, until = depth, time.monotonic() + _REST_S
            assert time.monotonic() < until, f"it does not come to rest: {waiting}"
            time.sleep(0.5)


def _followed(config: Path, pushed: list[Delivery]) -> str:
    """Register every parcel; the path that the carrier pushes to."""
    with _client(config) as client:
        for number in sorted({delivery.number for delivery in pushed}):
            client.events.follow(number, account="easypost", key=f"order-{number}")
        return client.events.webhook_paths()["easypost"]


def _client(config: Path) -> Client:
    found = loaded(config)
    return Client(found.accounts, store=found.store(), settings=found.settings, webhooks=found.webhooks)


def _config(store: str, places: Mapping[str, Any], port: int) -> str:
    lines = [
        "[accounts.easypost]", 'carrier = "easypost"', f'api_key = "{KEY}"', f'webhook_secret = "{SECRET}"',
        "[store]", store,
        "[settings]", "relay_batch = 500", "relay_lease_s = 1", "inbox_lease_s = 1",
        "inbox_attempts = 1000", "inbox_backoff_s = 0.2",
        "[service]", f"port = {port}", "idle_s = 0.05",
    ]  # fmt: skip
    for kind, place in places.items():
        lines += [f"[destinations.{kind}]", f'kind = "{kind}"', *_OPTIONS[kind](place)]
    return "\n".join(lines) + "\n"


_OPTIONS: Mapping[str, Callable[[Any], list[str]]] = {
    "rabbitmq": lambda place: [
        f'url = "amqp://guest:guest@127.0.0.1:{place.port}//"', f'exchange = "{place.name}"'
    ],
    "nats": lambda place: [
        f'servers = ["nats://127.0.0.1:{place.port}"]', f'prefix = "{place.name}"', f'make_stream = "{place.name}"'
    ],
    "redis": lambda place: [f'url = "redis://127.0.0.1:{place.port}/0"', f'stream = "{place.name}"'],
    "kafka": lambda place: [f'bootstrap = "127.0.0.1:{place.proxy.port}"', f'topic = "{place.name}"'],
}  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
