"""How much waits in a store, read when somebody asks."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..errors import StoreError
from ..ports import Store
from ..ports.events import EventStore
from .measures import Measured

__all__ = ["waiting"]

# What a destination will not take by itself any more is a dead letter like one that could not be read.
_QUEUES: Final = {"outbox_dead": "dead_letters"}


def waiting(store: Store | None) -> list[Measured]:
    """Depth and age of each queue; nothing while the store cannot be read: that is told by the calls that need it."""
    if store is None:
        return []
    try:
        found = {one.queue: (one.depth, one.age_s) for one in store.ledger.backlog()}
        events: EventStore | None = getattr(store, "events", None)
        if events is not None:
            at = events.now()
            for queue in events.queues():
                name = _QUEUES.get(queue.name, queue.name)
                depth, age_s = found.get(name, (0, 0.0))
                found[name] = depth + queue.depth, max(age_s, _age_s(queue.oldest_at, at))
    except StoreError:
        return []
    return [
        measured
        for name, (depth, age_s) in found.items()
        for measured in (
            Measured("shipkit.queue.depth", depth, (("shipkit.queue", name),)),
            Measured("shipkit.queue.age", age_s, (("shipkit.queue", name),)),
        )
    ]


def _age_s(oldest_at: datetime | None, at: datetime) -> float:
    return 0.0 if oldest_at is None else max(0.0, (at - oldest_at).total_seconds())
