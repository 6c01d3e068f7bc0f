"""One time for all: the store's clock, the carrier's and the hosts' move together, or real time would be needed."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any

import shipkit.client
from shipkit.client import clock
from shipkit.simulator import Simulator

__all__ = ["Times"]


class Times:
    """Seconds since the epoch as a store reads them; *advance* moves the carrier first, so that it never lags."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset

    def advance(self, sim: Simulator, seconds: float) -> None:
        """Let *seconds* go by for everybody, when no request is on its way."""
        sim.wait_until_idle()
        sim.advance(seconds)
        self.offset += seconds

    @contextmanager
    def of_hosts(self) -> Iterator[None]:
        """Within this the clients' wall clocks tell this time too: a carrier is asked about days."""

        def utc_now() -> datetime:
            return datetime.now(timezone.utc) + timedelta(seconds=self.offset)

        def today() -> date:
            return utc_now().astimezone().date()

        real: dict[Any, Any] = {clock.utc_now: utc_now, clock.today: today}
        rooms = [
            importlib.import_module(f"shipkit.client.{room.name}")
            for room in pkgutil.iter_modules(shipkit.client.__path__)
        ]
        patched = [
            (room, name, function)
            for room in rooms
            for name, function in vars(room).items()
            if name in ("utc_now", "today") and function in real
        ]
        for room, name, function in patched:
            setattr(room, name, real[function])
        try:
            yield
        finally:
            for room, name, function in patched:
                setattr(room, name, function)
