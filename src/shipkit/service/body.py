"""Reads the body of a request: so many bytes, in so much time, and no more of all of them than memory is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Final

__all__ = ["Bell", "Bells", "Body", "Held"]


_TICK_S: Final = 0.05


class Bells:
    """Ends waits that take too long: ``with bells.after(seconds): ...``; the code behind it then runs, and only then.

    One timer looks at all of them, a few times in a second. ``asyncio.timeout`` came with Python 3.11 and sets a timer
    for each wait; ``wait_for`` makes a task.
    """

    def __init__(self) -> None:
        self._waits: dict[Bell, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def after(self, seconds: float) -> Bell:
        """One for the task that runs now."""
        return Bell(self._waits, seconds, self)

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that somebody looks, on *loop*."""
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(_TICK_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        now = loop.time()
        for bell in [bell for bell, until in self._waits.items() if until <= now]:
            bell.ring()
        if self._waits:
            loop.call_later(_TICK_S, self._sweep, loop)
        else:
            self._loop = None


class Bell:
    """One wait."""

    __slots__ = ("_bells", "_rang", "_seconds", "_task", "_waits")

    def __init__(self, waits: dict[Bell, float], seconds: float, bells: Bells) -> None:
        self._waits, self._seconds, self._bells, self._rang = waits, seconds, bells, False
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._waits[self] = loop.time() + self._seconds
        self._bells.look(loop)

    def ring(self) -> None:
        """It takes too long."""
        self._rang = True
        self._waits.pop(self, None)
        if self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._waits.pop(self, None)
        if not self._rang or kind is not asyncio.CancelledError:
            return False
        uncancel = getattr(self._task, "uncancel", None)  # from Python 3.11 on
        return uncancel is None or uncancel() == 0


class Held:
    """The bytes of all bodies that are in memory."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Body:
    """One body; what it holds counts among *held* until it is dropped."""

    __slots__ = ("_all", "_held", "_most", "content")

    def __init__(self, held: Held, most: int, all_of_them: int) -> None:
        self._held, self._most, self._all = held, most, all_of_them
        self.content = bytearray()

    async def read(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]], bell: Bell) -> int | None:
        """None when all of it is here; else the status of the refusal, 0 where the sender has gone."""
        with bell:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return 0
                piece = message.get("body", b"")
                self.content += piece
                self._held.bytes += len(piece)
                if len(self.content) > self._most:
                    return 413
                if self._held.bytes > self._all:
                    return 503
                if not message.get("more_body", False):
                    return None
        return 408

    def drop(self) -> None:
        """Give the memory back."""
        self._held.bytes -= len(self.content)
        self.content.clear()
