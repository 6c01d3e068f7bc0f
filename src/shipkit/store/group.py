"""Many deliveries in one durable commit: callers wait for the disk together, not one after the other."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import Final

from ..errors import StoreError
from ..model import WebhookDelivery
from ..ports.events import EventStore

__all__ = ["FullError", "GroupCommit"]

_MOST_BYTES: Final = 64 * 1024 * 1024

Waiting = tuple[WebhookDelivery, "Future[bool]"]


class FullError(StoreError):
    """As much waits for the store as may wait: the sender is to come again later."""


class GroupCommit:
    """Puts deliveries into *store*, up to *longest* in one commit, by one thread that begins with the first of them.

    It commits whatever has come since the last commit, at once: a delivery that comes alone waits for nobody. No more
    than *most* deliveries wait at a time, nor more than *most_bytes* of their bodies.
    """

    def __init__(
        self, store: EventStore, *, longest: int = 200, most: int = 5000, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._store, self._longest, self._most, self._most_bytes = store, longest, most, most_bytes
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, delivery: WebhookDelivery) -> Future[bool]:
        """A result that comes once *delivery* is on the disk: False where it was stored already.

        The store's error becomes that of everybody who waits for the same commit. Who cancels the result in time has
        its delivery left out.

        Raises:
            FullError: too much waits.
            StoreError: this was closed.
        """
        result: Future[bool] = Future()
        with self._changed:
            if self._closed:
                raise StoreError("no deliveries are taken any more: the store is being closed")
            size = len(delivery.body)
            if len(self._waiting) >= self._most or (self._waiting and self._bytes + size > self._most_bytes):
                raise FullError(f"{len(self._waiting)} deliveries wait for the store")
            self._waiting.append((delivery, result))
            self._bytes += size
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="shipkit-inbox", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return result

    @property
    def depth(self) -> int:
        """How many deliveries wait."""
        return len(self._waiting)

    def close(self, wait_s: float = 30) -> None:
        """Take nothing more, and commit what waits; what cannot be committed within *wait_s* fails."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(wait_s)
        with self._changed:
            left = self._taken(len(self._waiting))
        _failed(left, StoreError("the store did not take what waited for it before it was closed"))

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                group = self._taken(self._longest)
            if not group:
                return
            self._commit([each for each in group if each[1].set_running_or_notify_cancel()])

    def _taken(self, most: int) -> list[Waiting]:
        group = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(len(delivery.body) for delivery, _ in group)
        return group

    def _commit(self, group: list[Waiting]) -> None:
        if not group:
            return
        try:
            told = self._store.put([delivery for delivery, _ in group])
        except StoreError as error:
            _failed(group, error)
        except Exception as error:
            # One that cannot be written at all is no reason to refuse the others.
            if len(group) == 1:
                _failed(group, error)
            for each in group if len(group) > 1 else ():
                self._commit([each])
        except BaseException as error:
            _failed(group, error)
            raise
        else:
            for (_, result), new in zip(group, told, strict=True):
                result.set_result(new)


def _failed(group: list[Waiting], error: BaseException) -> None:
    for _, result in group:
        if result.running() or result.set_running_or_notify_cancel():
            result.set_exception(error)
