"""How much waits in a store and how its parcels stand, read when somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from ..errors import StoreError
from ..ports import Store
from ..ports.events import EventStore
from .measures import Measured

__all__ = ["GAUGES", "waiting"]

GAUGES: Final = (
    "shipkit.queue.depth",
    "shipkit.queue.age",
    "shipkit.parcels.open",
    "shipkit.exceptions.open",
    "shipkit.webhook.silence",
)
"""What `waiting` measures."""

# What a destination will not take by itself any more is a dead letter like one that could not be read.
_QUEUES: Final = {"outbox_dead": "dead_letters"}


def waiting(store: Store | None, environments: Mapping[str, str]) -> list[Measured]:
    """Each queue and how parcels stand, accounts being in *environments*.

    Nothing while the store cannot be read: that is told by the calls that need it.
    """
    if store is None:
        return []
    events: EventStore | None = getattr(store, "events", None)
    try:
        found = [*_queues(store, events)]
        return found if events is None else [*found, *_parcels(events, environments)]
    except StoreError:
        return []


def _queues(store: Store, events: EventStore | None) -> Iterator[Measured]:
    found = {one.queue: (one.depth, one.age_s) for one in store.ledger.backlog()}
    if events is not None:
        at = events.now()
        for queue in events.queues():
            name = _QUEUES.get(queue.name, queue.name)
            depth, age_s = found.get(name, (0, 0.0))
            found[name] = depth + queue.depth, max(age_s, _age_s(queue.oldest_at, at))
    for name, (depth, age_s) in found.items():
        yield Measured("shipkit.queue.depth", depth, (("shipkit.queue", name),))
        yield Measured("shipkit.queue.age", age_s, (("shipkit.queue", name),))


def _parcels(events: EventStore, environments: Mapping[str, str]) -> Iterator[Measured]:
    at, heard, counts = events.now(), events.heard(), events.open_counts()
    parcels: Counter[tuple[str, str]] = Counter()
    problems: Counter[tuple[str, str]] = Counter()
    silence: dict[tuple[tuple[str, str], ...], float] = {}
    for row in counts:
        parcels[row.carrier, row.milestone.value] += row.parcels
        for actor in row.actors:
            problems[row.carrier, actor.value] += row.parcels
        if row.account in heard:
            environment = environments.get(row.account, "")
            known = (("shipkit.environment", environment),) if environment else ()
            where = (("shipkit.carrier", row.carrier), *known)
            silence[where] = max(silence.get(where, 0.0), _age_s(heard[row.account], at))
    for name, word, found in (
        ("shipkit.parcels.open", "shipkit.milestone", parcels),
        ("shipkit.exceptions.open", "shipkit.actor", problems),
    ):
        for (carrier, value), count in found.items():
            yield Measured(name, count, (("shipkit.carrier", carrier), (word, value)))
    for where, age_s in silence.items():
        yield Measured("shipkit.webhook.silence", age_s, where)


def _age_s(oldest_at: datetime | None, at: datetime) -> float:
    return 0.0 if oldest_at is None else max(0.0, (at - oldest_at).total_seconds())
