"""The simulated carrier's own time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Final

__all__ = ["Clock"]

_LONGEST_S: Final = 10 * 366 * 86_400


class Clock:
    """Virtual time in UTC.

    Without a start it begins at the real now and goes on with real time; with a start it stands still.
    Either way it jumps ahead by :meth:`advance`. It never goes back.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._ticking = start is None
        self._start = datetime.now(timezone.utc) if start is None else start.astimezone(timezone.utc)
        self._origin = time.monotonic()
        self._ahead = timedelta()

    @property
    def started_at(self) -> datetime:
        """The instant at which this clock began."""
        return self._start

    def now(self) -> datetime:
        """The virtual instant, aware, UTC, to the microsecond."""
        passed = timedelta(seconds=time.monotonic() - self._origin) if self._ticking else timedelta()
        return self._start + self._ahead + passed

    def ahead(self, seconds: float) -> datetime:
        """The instant *seconds* from now. Raises ValueError for less than 0 or over ten years."""
        if not 0 <= seconds <= _LONGEST_S:
            raise ValueError(f"time goes on by 0 to {_LONGEST_S} s; it does not go back ({seconds} s)")
        return self.now() + timedelta(seconds=seconds)

    def advance(self, seconds: float) -> datetime:
        """Let *seconds* go by at once; returns the new now. Raises ValueError for less than 0 or over ten years."""
        self.ahead(seconds)
        self._ahead += timedelta(seconds=seconds)
        return self.now()
