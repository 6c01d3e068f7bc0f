"""Pushes on their way to subscribers: made from what happened to parcels, delivered over HTTP, tried again."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import attrs
import h11

from .dialect import Dialect, Push
from .journeys import Step

__all__ = ["Attempt", "Delivery", "PushDesk", "is_loopback"]

_TIMEOUT_S: Final = 10.0
_MAX_ANSWER: Final = 1024 * 1024


@attrs.frozen(kw_only=True)
class Attempt:
    """One try to deliver: what the subscriber answered, or why there was no answer."""

    at: datetime
    status: int | None = None
    failure: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@attrs.frozen(kw_only=True)
class Delivery:
    """One push to one subscription and what became of it. ``next_at`` is when it is tried (again), None: no more."""

    id: int
    subscription_id: str
    step: Step
    push: Push
    attempts: tuple[Attempt, ...] = ()
    next_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        return any(attempt.accepted for attempt in self.attempts)


class PushDesk:
    """Collects the pushes of one carrier and delivers them, one at a time, in the order it is told."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._deliveries: dict[int, Delivery] = {}
        self._made: set[tuple[str, str, str, datetime]] = set()

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every push so far, in the order in which things happened."""
        return tuple(self._deliveries.values())

    def reset(self) -> None:
        self._deliveries.clear()
        self._made.clear()

    def collect(self) -> None:
        """Make the pushes for what has happened by now and was not pushed yet."""
        world = self._dialect.world
        with world.lock:
            steps = sorted(
                (step for parcel in world.parcels() for step in parcel.steps_until_now()),
                key=lambda step: (step.at, step.booking_id, step.number, step.index),
            )
            for step in steps:
                for subscription in world.subscriptions():
                    key = (subscription.id, step.number, step.kind.value, step.at)
                    if key in self._made or not subscription.wants(step):
                        continue
                    self._made.add(key)
                    if (push := self._dialect.pushes(step, subscription)) is not None:
                        self._add(subscription.id, step, push)

    def due(self) -> tuple[Delivery, ...]:
        """The pushes that wait to be delivered now, oldest event first."""
        now = self._dialect.world.clock.now()
        return tuple(each for each in self._deliveries.values() if each.next_at is not None and each.next_at <= now)

    async def deliver(self, deliveries: Iterable[Delivery], *, order: str, copies: int) -> tuple[Delivery, ...]:
        """Send each *copies* times, ``in_order``, ``reversed`` or ``shuffled`` (always the same way).

        Raises:
            ValueError: another order, or fewer than one copy.
        """
        ids = in_order([each.id for each in deliveries for _ in range(copies)], order)
        if copies < 1:
            raise ValueError("a push is sent at least once")
        for delivery_id in ids:
            status, failure = await _post(self._dialect_push(delivery_id))
            self._attempted(delivery_id, status, failure)
        return tuple(
            self._deliveries[delivery_id] for delivery_id in dict.fromkeys(ids) if delivery_id in self._deliveries
        )

    def _dialect_push(self, delivery_id: int) -> Push:
        return self._deliveries[delivery_id].push

    def _add(self, subscription_id: str, step: Step, push: Push) -> None:
        delivery_id = len(self._deliveries) + 1
        self._deliveries[delivery_id] = Delivery(
            id=delivery_id, subscription_id=subscription_id, step=step, push=push, next_at=step.at
        )

    def _attempted(self, delivery_id: int, status: int | None, failure: str) -> None:
        now = self._dialect.world.clock.now()
        delivery = self._deliveries.get(delivery_id)
        if delivery is None:
            return  # forgotten by a reset while it was on its way
        attempt = Attempt(at=now, status=status, failure=failure)
        attempts = (*delivery.attempts, attempt)
        retries = self._dialect.push_retries
        failed = sum(not each.accepted for each in attempts)
        again = not any(each.accepted for each in attempts) and failed <= len(retries)
        next_at = now + timedelta(seconds=retries[failed - 1]) if again else None
        self._deliveries[delivery_id] = attrs.evolve(delivery, attempts=attempts, next_at=next_at)


def in_order(ids: list[int], order: str) -> list[int]:
    """The same ids ``in_order``, ``reversed``, or ``shuffled``: the same way each time, and never as they were."""
    if order == "in_order":
        return ids
    if order == "reversed":
        return ids[::-1]
    if order != "shuffled":
        raise ValueError(f"pushes go in_order, reversed or shuffled, not {order}")
    mixed = ids.copy()
    random.Random(len(ids)).shuffle(mixed)
    return mixed if mixed != ids else ids[::-1]


def is_loopback(url: str) -> bool:
    """Whether *url* is plain HTTP to this machine: nothing else is ever pushed to."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http":
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _post(push: Push) -> tuple[int | None, str]:
    """Status of the subscriber's answer, or None and the reason why there is none."""
    if not is_loopback(push.url):
        return None, "a simulator pushes over http to loopback addresses only"
    try:
        return await asyncio.wait_for(_exchange(push), _TIMEOUT_S), ""
    except (OSError, h11.ProtocolError, asyncio.TimeoutError, EOFError) as failed:
        return None, f"{type(failed).__name__}: {failed}"


async def _exchange(push: Push) -> int:
    parts = urlsplit(push.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        http = h11.Connection(h11.CLIENT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = [*push.headers.items(), ("Host", parts.netloc), ("Content-Length", str(len(push.body)))]
        head = http.send(h11.Request(method="POST", target=target, headers=[*fields, ("Connection", "close")]))
        body = http.send(h11.Data(data=push.body)) if push.body else b""
        writer.write((head or b"") + (body or b"") + (http.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return await _status(http, reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _status(http: h11.Connection, reader: asyncio.StreamReader) -> int:
    status = 0
    size = 0
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(65_536)
            size += len(data)
            http.receive_data(data)
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage) or (status and size > _MAX_ANSWER):
            return status
        elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            raise EOFError("the subscriber closed the connection without an answer")
