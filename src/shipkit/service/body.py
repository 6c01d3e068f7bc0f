"""Reads the body of a request: so many bytes, in so much time, and no more of all of them than memory is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

__all__ = ["Bell", "Body", "Held"]


class Bell:
    """Ends the wait of the task inside it after *seconds*; the code behind it runs only then.

    ``asyncio.timeout`` came with Python 3.11, and ``wait_for`` makes a task for each wait.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._rang = seconds, False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._handle = asyncio.get_running_loop().call_later(self._seconds, self._ring)

    def _ring(self) -> None:
        self._rang = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._handle.cancel()
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

    async def read(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]], seconds: float) -> int | None:
        """None when all of it is here; else the status of the refusal, 0 where the sender has gone."""
        with Bell(seconds):
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
