"""Places within rate limits, for the workers of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

__all__ = ["MemoryLimits"]


@attrs.define(eq=False)
class _Row:
    free_at: float = float("-inf")
    """When the places given out so far are used up at the steady pace (GCRA's theoretical arrival time)."""
    held_until: float = float("-inf")


class MemoryLimits:
    """One row for each name; its size does not depend on the limit."""

    blocking = False

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        # Asked anew each time, so that a test can set it forward.
        self._clock = clock or (lambda: time.monotonic())  # noqa: PLW0108
        self._lock = threading.Lock()
        self._rows: dict[str, _Row] = {}

    def reserve(self, name: str, step_s: float, slack_s: float, within_s: float) -> float:
        """Seconds until the next place under *name*; it is taken if that is *within_s*."""
        with self._lock:
            at = self._clock()
            row = self._rows.setdefault(name, _Row())
            place = max(at, row.free_at - slack_s, row.held_until)
            if place - at <= within_s:
                row.free_at = max(row.free_at, place) + step_s
            return place - at

    def hold(self, name: str, for_s: float) -> None:
        """No place under *name* comes before *for_s* seconds are over; a hold is never shortened."""
        with self._lock:
            row = self._rows.setdefault(name, _Row())
            row.held_until = max(row.held_until, self._clock() + for_s)
