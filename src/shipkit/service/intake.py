"""Pushes from an event loop into a store: many at once, one durable commit for all of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Final

from ..model import WebhookDelivery
from ..ports.events import EventStore

__all__ = ["FullError", "Intake"]

_BATCH: Final = 200


class FullError(Exception):
    """More waits for the store than is held in memory; the sender is told to come again."""


class Intake:
    """One thread that writes what waits, as many as wait, up to 200 in a commit. Belongs to the loop it is made on.

    Whoever waits is told when the commit stands: each commit wakes the loop once, not once for each push.
    """

    def __init__(self, store: EventStore, *, waiting_max: int = 4096) -> None:
        self._store, self._waiting_max = store, waiting_max
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[WebhookDelivery, asyncio.Future[bool]]] = []
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="shipkit-intake", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Nothing more is taken."""
        return self._closed or len(self._waiting) >= self._waiting_max

    def put(self, delivery: WebhookDelivery) -> asyncio.Future[bool]:
        """True when *delivery* is on the disk, False when it was there before.

        Raises:
            FullError: it was not taken.
            StoreError: in the future; it was not written.
        """
        future: asyncio.Future[bool] = self._loop.create_future()
        with self._wake:
            if self.full:
                raise FullError
            self._waiting.append((delivery, future))
            if len(self._waiting) == 1:
                self._wake.notify()
        return future

    def close(self) -> None:
        """Write what waits, and end."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _write(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closed:
                    self._wake.wait()
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if not batch:
                return
            self._commit(batch)

    def _commit(self, batch: Sequence[tuple[WebhookDelivery, asyncio.Future[bool]]]) -> None:
        futures = [future for _, future in batch]
        try:
            first = self._store.put([delivery for delivery, _ in batch])
        except Exception as error:
            self._tell(futures, (), error)
        else:
            self._tell(futures, first, None)

    def _tell(self, futures: Sequence[asyncio.Future[bool]], first: Sequence[bool], error: Exception | None) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, futures, first, error)
        except RuntimeError:  # the loop has ended, and with it everybody who waited
            pass


def _settle(futures: Sequence[asyncio.Future[bool]], first: Sequence[bool], error: Exception | None) -> None:
    for index, future in enumerate(futures):
        if future.done():  # whoever waited has gone
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(first[index])
