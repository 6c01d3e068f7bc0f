"""The runner's seconds and the numbers that it draws."""

from __future__ import annotations

import os
import random
import time
from datetime import date, datetime, timezone

__all__ = ["drawn", "request_id", "seconds", "today", "utc_now"]

# time.monotonic() stands still on Linux while the machine is suspended; a send window must not.
_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def seconds() -> float:
    """Seconds that never go back and, where anything tells, count a suspended machine's sleep."""
    return time.clock_gettime(_BOOTTIME) if _BOOTTIME is not None else time.monotonic()


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(timezone.utc)


def today() -> date:
    """The day at the place where this program runs."""
    return date.today()  # noqa: DTZ011 - the local day is what a host means


def request_id() -> str:
    """A number that is unique per request: 32 hexadecimal characters."""
    return os.urandom(16).hex()


def drawn(bound_s: float) -> float:
    """A wait between 0 and *bound_s*: full jitter spreads callers best."""
    return random.uniform(0, bound_s)  # noqa: S311 - spreads load, guards nothing
