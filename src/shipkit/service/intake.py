"""Pushes from an event loop into a store: many at once, one durable commit for all of them, one wake-up of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Final

from ..model import WebhookDelivery
from ..ports.events import EventStore
from ..store.group import GroupCommit

__all__ = ["Intake"]

_MOST: Final = 4096
_CLOSE_S: Final = 30.0


class Intake:
    """Hands pushes to the thread of a `GroupCommit`. Belongs to the loop it is made on.

    ``asyncio.wrap_future`` would wake the loop for every push; here a commit of 200 wakes it once.
    """

    def __init__(self, store: EventStore) -> None:
        self._group = GroupCommit(store, most=_MOST)
        self._loop = asyncio.get_running_loop()
        self._ended: deque[tuple[asyncio.Future[bool], Future[bool]]] = deque()
        self._awake = False

    @property
    def full(self) -> bool:
        """Nothing more would be taken."""
        return self._group.depth >= _MOST

    @property
    def depth(self) -> int:
        """How many wait for a commit to begin."""
        return self._group.depth

    def put(self, delivery: WebhookDelivery) -> asyncio.Future[bool]:
        """True when *delivery* is on the disk, False when it was there before.

        Raises:
            FullError: it was not taken.
            StoreError: in the future, or at once where it was closed; it was not written.
        """
        waiting: asyncio.Future[bool] = self._loop.create_future()
        result = self._group.put(delivery)
        result.add_done_callback(lambda done: self._end(waiting, done))
        return waiting

    def close(self) -> None:
        """Write what waits, and end."""
        self._group.close(_CLOSE_S)

    def _end(self, waiting: asyncio.Future[bool], done: Future[bool]) -> None:
        """In the thread that writes, or in the loop's where it was quicker."""
        self._ended.append((waiting, done))
        if not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._settle)
            except RuntimeError:  # the loop has ended, and with it everybody who waited
                pass

    def _settle(self) -> None:
        self._awake = False  # before the first is taken: what comes from now on wakes the loop again
        while self._ended:
            waiting, done = self._ended.popleft()
            if waiting.done():  # whoever waited has gone
                continue
            error = done.exception()
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())
