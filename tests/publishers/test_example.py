"""The example of a consumer, as it stands, against real brokers: killed, started again, every parcel where it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.events.cloud import News, announcement
from shipkit.model import ChangeKind, Milestone, MilestoneChange
from shipkit.ports.events import Outgoing, Parcel
from shipkit.publishers import NatsJetStream, RabbitMq, RedisStreams
from tests.events.journeys import at
from tests.publishers.brokers import KafkaPlace, NatsPlace, RabbitPlace, RedisPlace
from tests.publishers.outbox import SINCE, eventually

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.process]

WAY = (Milestone.ACCEPTED, Milestone.IN_TRANSIT, Milestone.OUT_FOR_DELIVERY, Milestone.DELIVERED)
SCOPES = [f"acme:{number}" for number in range(20)]


def outgoing() -> list[Outgoing]:
    found = []
    for sequence, milestone in enumerate(WAY, 1):
        for scope in SCOPES:
            change = MilestoneChange(
                kind=ChangeKind.ENTERED, scope=scope, from_milestone=Milestone.UNKNOWN, to_milestone=milestone,
                ordinal=1, at=at(sequence), event_id=f"e{sequence}", revision=sequence,
            )  # fmt: skip
            parcel = Parcel(scope=scope, carrier="acme", account="acme-eu", number=scope[5:], since=SINCE)
            told = announcement(
                News.ENTERED, change, parcel=parcel, key=f"k{sequence}", sequence=sequence, happened_at=None
            )
            found.append(Outgoing(destination="d", announcement=attrs.evolve(told, number=len(found) + 1)))
    return found


@pytest.fixture(params=["rabbitmq", "nats", "redis", "kafka"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str, str, str]]:
    """A publisher to the names that the example uses, and the words that the example takes."""
    kinds: dict[str, Any] = {"rabbitmq": RabbitPlace, "nats": NatsPlace, "redis": RedisPlace, "kafka": KafkaPlace}
    here = kinds[request.param]()
    port = here.proxy.port
    with here.proxy:
        try:
            if request.param == "kafka":
                yield here.publisher(), "kafka", f"127.0.0.1:{port}", "erp"
            elif request.param == "rabbitmq":
                yield RabbitMq(here.url, exchange="shipkit.events"), "rabbitmq", here.url, here.name
            elif request.param == "redis":
                here.client.delete("shipkit.events")
                url = f"redis://127.0.0.1:{port}/0"
                yield RedisStreams(url), "redis", url, here.name
                here.client.delete("shipkit.events")
            else:
                url = f"nats://127.0.0.1:{port}"
                yield NatsJetStream(url, make_stream=here.name), "nats", url, here.name
        finally:
            here.close()


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return connection.execute("SELECT scope, milestone, told FROM parcel").fetchall()
        except sqlite3.OperationalError:  # not made yet
            return []


def test_each_parcel_ends_where_it_is_and_every_change_is_acted_on_once(
    place: tuple[Any, str, str, str], root: Path, tmp_path: Path
) -> None:
    publisher, kind, address, name = place
    path, batch = tmp_path / "parcels.db", outgoing()
    command = [sys.executable, str(root / "examples/consumer/consumer.py"), str(path), kind, address, name]
    with subprocess.Popen(command) as first:
        try:
            # RabbitMQ has nowhere to put it until the consumer's queue is there.
            eventually(lambda: publisher.publish(batch[:40]) == (), 120)
            eventually(lambda: rows(path), 120)
        finally:
            first.kill()
    assert publisher.publish(batch) == ()  # all of it, so the first forty again
    publisher.close()
    with subprocess.Popen(command) as second:
        try:
            eventually(lambda: sum(told for _, _, told in rows(path)) >= len(batch), 120)
        finally:
            second.kill()
    assert sorted(rows(path)) == sorted((scope, "delivered", len(WAY)) for scope in SCOPES)
