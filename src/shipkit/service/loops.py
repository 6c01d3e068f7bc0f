"""Work that goes on until the service stops: each kind in a thread of its own, and none of them stops another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from ..errors import ShipkitError

__all__ = ["Loop", "Loops", "State"]

_log = logging.getLogger("shipkit.service")
_BACKOFF_FIRST_S: Final = 1.0
_BACKOFF_MAX_S: Final = 60.0


@attrs.frozen(kw_only=True)
class Loop:
    """One kind of work: *step* does a piece of it, and says whether there is more to be done at once."""

    name: str
    step: Callable[[], bool]
    idle_s: float
    """How long it rests when there was nothing more."""
    backoff_max_s: float = _BACKOFF_MAX_S


@attrs.frozen(kw_only=True)
class State:
    """How it stands with one loop."""

    name: str
    alive: bool
    failures: int
    """In a row; 0 when the last piece of work went well."""
    since_s: float
    """Since the last piece of work that went well."""


@attrs.define
class _Running:
    loop: Loop
    thread: threading.Thread
    failures: int = 0
    well_at: float = attrs.field(factory=time.monotonic)


class Loops:
    """Starts them, and stops them when each has finished the piece of work that it has begun.

    A piece that fails is told by its code, and the loop rests the longer the more often it failed in a row. What is no
    failure of a piece, such as memory that has run out, ends the thread: *ended* is called, for the process is to be
    started anew.
    """

    def __init__(self, loops: Sequence[Loop], ended: Callable[[], object] = lambda: None) -> None:
        self.stopping = threading.Event()
        self._ended = ended
        self._running = []
        for number, loop in enumerate(loops):
            name = f"shipkit-{loop.name}-{number}"
            self._running.append(_Running(loop, threading.Thread(target=self._run, args=(number,), name=name)))

    def start(self) -> None:
        """Begin."""
        for one in self._running:
            one.thread.start()

    def stop(self, seconds: float) -> bool:
        """Let each finish what it does; whether all have, within *seconds*."""
        self.stopping.set()
        until = time.monotonic() + seconds
        for one in self._running:
            if one.thread.ident is not None:
                one.thread.join(max(0.0, until - time.monotonic()))
        return not any(one.thread.is_alive() for one in self._running)

    def states(self) -> tuple[State, ...]:
        """How it stands with each."""
        now = time.monotonic()
        return tuple(
            State(
                name=one.loop.name,
                alive=one.thread.is_alive(),
                failures=one.failures,
                since_s=now - one.well_at,
            )
            for one in self._running
        )

    def _run(self, number: int) -> None:
        one = self._running[number]
        try:
            while not self.stopping.is_set():
                rest_s = self._piece(one)
                if rest_s:
                    self.stopping.wait(rest_s)
        finally:
            if not self.stopping.is_set():
                self._ended()

    def _piece(self, one: _Running) -> float:
        """Do a piece of work; how long to rest after it."""
        try:
            more = one.loop.step()
        except Exception as error:
            # The text of it may quote a parcel; the code of ours, or the class, is free of that.
            code = error.code if isinstance(error, ShipkitError) else type(error).__name__
            one.failures += 1
            rest_s: float = min(one.loop.backoff_max_s, _BACKOFF_FIRST_S * 2.0 ** min(one.failures - 1, 10))
            _log.warning("%s failed (%s), %s in a row; again in %.0f s", one.loop.name, code, one.failures, rest_s)
            return rest_s
        if one.failures:
            _log.info("%s goes on after %s failures", one.loop.name, one.failures)
        one.failures, one.well_at = 0, time.monotonic()
        return 0.0 if more else one.loop.idle_s
