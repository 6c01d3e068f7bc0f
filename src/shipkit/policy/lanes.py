"""So many requests of one account at once, and work of lists behind single calls: pure state, no clock, no thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

__all__ = ["Lanes", "Ticket"]


class Ticket:
    """A request that waits for its place; ``granted`` once it has one."""

    __slots__ = ("bulk", "call", "granted")

    def __init__(self, bulk: bool) -> None:
        self.bulk = bulk
        self.granted = False
        self.call: Callable[[], None] | None = None


class Lanes:
    """*places* for the requests of one account, of which bulk work may take *bulk_places*; single calls go first.

    Who entered must leave, whatever happens in between, and so must who only waits: `leave` is a plain call, for a
    ``finally``. A place that comes free passes to the next in the same step, so nobody can slip in between.
    """

    def __init__(
        self, places: int = 16, bulk_share: float = 1, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._places = max(1, places)
        self._bulk_places = min(self._places, max(1, int(self._places * bulk_share)))
        self._lock = lock if lock is not None else nullcontext()
        self._taken = self._bulk_taken = 0
        self._single: deque[Ticket] = deque()
        self._bulk: deque[Ticket] = deque()

    def enter(self, bulk: bool) -> Ticket | None:
        """Take a place: None where one was free, else a ticket to wait with."""
        with self._lock:
            if self._free(bulk):
                self._taken += 1
                self._bulk_taken += bulk
                return None
            ticket = Ticket(bulk)
            (self._bulk if bulk else self._single).append(ticket)
            return ticket

    def listen(self, ticket: Ticket, call: Callable[[], None]) -> None:
        """Have *call* called when *ticket* has its place: at once if that is so already."""
        with self._lock:
            ticket.call = call
            granted = ticket.granted
        if granted:
            call()

    def leave(self, bulk: bool, ticket: Ticket | None = None) -> None:
        """Give the place of `enter` back, or the wait for one up."""
        with self._lock:
            if ticket is not None and not ticket.granted:
                (self._bulk if bulk else self._single).remove(ticket)
                return
            self._taken -= 1
            self._bulk_taken -= bulk
            if not self._single and not self._bulk:
                return
            following = self._next()
        if following is not None and following.call is not None:
            following.call()

    @property
    def taken(self) -> tuple[int, int]:
        """How many places are taken, and how many of them by bulk work."""
        return self._taken, self._bulk_taken

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._single) + len(self._bulk)

    def _free(self, bulk: bool) -> bool:
        return self._taken < self._places and (not bulk or self._bulk_taken < self._bulk_places)

    def _next(self) -> Ticket | None:
        for queue, bulk in ((self._single, False), (self._bulk, True)):
            if queue and self._free(bulk):
                ticket = queue.popleft()
                ticket.granted = True
                self._taken += 1
                self._bulk_taken += bulk
                return ticket
        return None
