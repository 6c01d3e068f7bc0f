"""Clients that do not wait: a test of retries should not sleep through them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import attrs

__all__ = ["Waits", "no_waiting"]


@attrs.define
class Waits:
    """What clients would have waited, in order and in seconds."""

    waited: list[float] = attrs.Factory(list)

    @property
    def total(self) -> float:
        """Seconds by which the clients' clock was put forward."""
        return sum(self.waited)


@contextmanager
def no_waiting() -> Iterator[Waits]:
    """Within this, clients of both kinds put their clock forward instead of waiting; time limits count that time.

    Nothing else in the process changes: ``time.sleep`` and ``asyncio.sleep`` are what they were for everybody else.
    """
    from shipkit.client import clock, sync, tasks, transport, transport_async
    from shipkit.store import memory_limits

    waits = Waits()

    def seconds() -> float:
        return clock.seconds() + waits.total

    def sleep(wait_s: float) -> None:
        waits.waited.append(wait_s)

    async def sleep_async(wait_s: float) -> None:
        waits.waited.append(wait_s)
        await asyncio.sleep(0)

    changes: list[tuple[ModuleType, str, Any]] = [
        (sync, "time", _Other(time, "sleep", sleep)),
        (tasks, "asyncio", _Other(asyncio, "sleep", sleep_async)),
        (memory_limits, "time", _Other(time, "monotonic", lambda: time.monotonic() + waits.total)),
        *[(module, "seconds", seconds) for module in (sync, tasks, transport, transport_async)],
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield waits
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class _Other:
    """A module with one function replaced, for one user of it."""

    def __init__(self, module: ModuleType, name: str, function: Any) -> None:
        self._module = module
        setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
