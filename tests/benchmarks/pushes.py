"""Sends signed pushes as fast as they are answered: ``python -m tests.benchmarks.pushes PORT PATH COUNT``.

It prints the seconds. A process of its own, with as little of Python between the sockets as there can be.
"""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import sys
import time
from typing import Any

from tests.service.pusher import SECRET, signed

__all__ = ["BODY_BYTES", "CONNECTIONS", "requests"]

CONNECTIONS = 32
BODY_BYTES = 1000


def requests(path: str, count: int) -> list[bytes]:
    """*count* pushes, no two alike, each with its signature."""
    made = []
    for number in range(count):
        filled = {"number": f"1Z{number}", "code": "IT", "at": "2026-03-02T09:00:00", "of": secrets.token_hex(8)}
        text = json.dumps({**filled, "rest": "x" * (BODY_BYTES - len(json.dumps(filled)) - 12)}).encode()
        ((name, value),) = signed(text, SECRET).items()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\nContent-Length: {len(text)}\r\n\r\n"
        made.append(head.encode() + text)
    return made


class _Connection(asyncio.Protocol):
    def __init__(self, waiting: list[bytes], done: asyncio.Future[None], open_ones: list[int]) -> None:
        self._waiting, self._done, self._open = waiting, done, open_ones

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        # An answer without a body comes in one piece.
        if not data.startswith(b"HTTP/1.1 2"):
            self._done.set_exception(RuntimeError(data[:200].decode()))
            self._transport.close()
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting and not self._done.done():
            self._done.set_exception(error or RuntimeError("the connection was closed"))

    def _next(self) -> None:
        if self._waiting:
            self._transport.write(self._waiting.pop())
            return
        self._transport.close()
        self._open[0] -= 1
        if not self._open[0] and not self._done.done():
            self._done.set_result(None)


async def sent(port: int, waiting: list[bytes]) -> float:
    """The seconds that it takes."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    open_ones = [CONNECTIONS]
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(waiting, done, open_ones), "127.0.0.1", port)
    await done
    return time.perf_counter() - began


def main(arguments: list[str]) -> int:
    port, path, count = int(arguments[0]), arguments[1], int(arguments[2])
    waiting = requests(path, count)
    gc.collect()
    gc.disable()
    print(asyncio.run(sent(port, waiting)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
