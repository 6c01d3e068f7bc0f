"""How much waits in a store's ledger, read when somebody asks."""

from __future__ import annotations

from ..errors import StoreError
from ..ports import Store
from .measures import Measured

__all__ = ["waiting"]


def waiting(store: Store | None) -> list[Measured]:
    """Depth and age of each queue; nothing while the store cannot be read: that is told by the calls that need it."""
    if store is None:
        return []
    try:
        backlog = store.ledger.backlog()
    except StoreError:
        return []
    return [
        measured
        for one in backlog
        for measured in (
            Measured("shipkit.queue.depth", one.depth, (("shipkit.queue", one.queue),)),
            Measured("shipkit.queue.age", one.age_s, (("shipkit.queue", one.queue),)),
        )
    ]
