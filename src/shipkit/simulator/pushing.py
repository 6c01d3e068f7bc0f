"""Pushes on their way to subscribers: made from what happened to parcels, delivered over HTTP, tried again."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from .dialect import Dialect, Push
from .journeys import Step
from .posting import Lines
from .push_faults import PushFault, PushFaultBox

__all__ = ["Attempt", "Delivery", "PushDesk"]

_AT_A_TIME: Final = 200  # steps that are looked at before others may use the books


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
    """One push to one subscription and what became of it. ``next_at`` is when it is tried (again), None: no more.

    ``faults`` names what hit it; one that is lost is never tried.
    """

    id: int
    subscription_id: str
    step: Step
    push: Push
    attempts: tuple[Attempt, ...] = ()
    next_at: datetime | None = None
    faults: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return any(attempt.accepted for attempt in self.attempts)


class PushDesk:
    """Collects the pushes of one carrier and delivers them in the order it is told, one at a time or several at once.

    A push that was not accepted is tried again at the times that the dialect names, and never forgotten.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.faults = PushFaultBox()
        self._dialect = dialect
        self._deliveries: dict[int, Delivery] = {}
        self._made: set[tuple[str, str, str, datetime]] = set()
        self._under_way: set[int] = set()

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every push so far, in the order in which things happened."""
        return tuple(self._deliveries.values())

    def reset(self) -> None:
        self._deliveries.clear()
        self._made.clear()
        self.faults.clear()

    async def collect(self, of_any_age: Collection[str] = ()) -> None:
        """Make the pushes for what has happened by now and was not pushed yet.

        Of the parcels *of_any_age* also for what happened before somebody subscribed.
        """
        world = self._dialect.world
        with world.lock:
            steps = sorted(
                (step for parcel in world.parcels() for step in parcel.steps_until_now()),
                key=lambda step: (step.at, step.booking_id, step.number, step.index),
            )
        for start in range(0, len(steps), _AT_A_TIME):
            with world.lock:
                self._make(steps[start : start + _AT_A_TIME], of_any_age)
            await asyncio.sleep(0)

    def due(self) -> tuple[Delivery, ...]:
        """The pushes that wait to be delivered now and are not on their way, oldest event first."""
        now = self._dialect.world.clock.now()
        return tuple(
            each
            for each in self._deliveries.values()
            if each.next_at is not None and each.next_at <= now and each.id not in self._under_way
        )

    async def deliver(
        self, deliveries: Iterable[Delivery], *, order: str = "in_order", copies: int = 1, at_once: int = 1
    ) -> tuple[Delivery, ...]:
        """Send each *copies* times, ``in_order``, ``reversed`` or ``shuffled`` (always the same way).

        With *at_once* so many are on their way at the same time, and the receiver sees their order only roughly.

        Raises:
            ValueError: another order, fewer than one copy, or none at once.
        """
        if copies < 1:
            raise ValueError("a push is sent at least once")
        if at_once < 1:
            raise ValueError("at least one push is on its way at once")
        told = tuple(deliveries)
        ids = in_order([each.id for each in told for _ in range(copies * (2 if "twice" in each.faults else 1))], order)
        waiting = deque(ids)
        self._under_way.update(ids)
        try:
            await asyncio.gather(*(self._work(waiting) for _ in range(min(at_once, len(ids)))))
        finally:
            self._under_way.difference_update(ids)
        return tuple(
            self._deliveries[delivery_id] for delivery_id in dict.fromkeys(ids) if delivery_id in self._deliveries
        )

    async def _work(self, waiting: deque[int]) -> None:
        lines = Lines()
        try:
            while waiting:
                delivery = self._deliveries.get(waiting.popleft())
                if delivery is not None:  # else forgotten by a reset
                    self._attempted(delivery.id, *await lines.post(delivery.push))
        finally:
            await lines.close()

    def _make(self, steps: Sequence[Step], of_any_age: Collection[str]) -> None:
        for step in steps:
            for subscription in self._dialect.world.subscriptions():
                key = (subscription.id, step.number, step.kind.value, step.at)
                wanted = subscription.wants(step) or (step.number in of_any_age and subscription.covers(step.number))
                if key in self._made or not wanted:
                    continue
                self._made.add(key)
                if (push := self._dialect.pushes(step, subscription)) is not None:
                    self._add(subscription.id, step, push)

    def _add(self, subscription_id: str, step: Step, push: Push) -> None:
        delivery_id = len(self._deliveries) + 1
        faults = self.faults.take()
        self._deliveries[delivery_id] = Delivery(
            id=delivery_id,
            subscription_id=subscription_id,
            step=step,
            push=push.unsigned() if "unsigned" in faults else push,
            next_at=None if "lost" in faults else step.at + _lag(faults.get("late")),
            faults=tuple(faults),
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


def _lag(fault: PushFault | None) -> timedelta:
    return timedelta(seconds=fault.lag_s if fault is not None else 0)


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
