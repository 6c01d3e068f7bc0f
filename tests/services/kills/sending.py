"""A carrier that pushes until it gets a 2xx, over kept connections, as fast as it is allowed."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.services.kills.feed import Delivery

__all__ = ["Sender"]

_AGAIN_S = 0.05
_ANSWER_S = 20.0


class Sender:
    """Sends deliveries from a thread of its own; `acknowledged` are those that got a 2xx."""

    def __init__(self, url: str, deliveries: Iterable[Delivery], connections: int = 16) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._left = deque(deliveries)
        self._connections = connections
        self._allowed = 0
        self.acknowledged: list[Delivery] = []
        self.refused: list[int] = []
        self.lost = 0
        self.ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def allow(self, count: int) -> None:
        """So many more may be sent from now on."""
        self._allowed += count

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    async def _all(self) -> None:
        await asyncio.gather(*(self._line() for _ in range(self._connections)))
        self.ended.set()

    async def _line(self) -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while self._left:
            if self._allowed <= 0:
                await asyncio.sleep(_AGAIN_S)
                continue
            self._allowed -= 1
            delivery = self._left.popleft()
            while True:
                status, kept = 0, False
                try:
                    if line is None:
                        line = await asyncio.open_connection(self._host, self._port)
                    status, kept = await asyncio.wait_for(self._send(*line, delivery), _ANSWER_S)
                except (OSError, EOFError, ValueError, asyncio.TimeoutError):
                    self.lost += line is not None
                if not kept and line is not None:
                    line[1].close()
                    line = None
                if 200 <= status < 300:
                    self.acknowledged.append(delivery)
                    break
                if status:
                    self.refused.append(status)
                await asyncio.sleep(_AGAIN_S)
        if line is not None:
            line[1].close()

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delivery: Delivery
    ) -> tuple[int, bool]:
        lines = [
            f"POST {self._path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Content-Length: {len(delivery.body)}",
            *(f"{name}: {value}" for name, value in delivery.headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + delivery.body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        named = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        await reader.readexactly(int(named.get("content-length", 0)))
        return int(first.split()[1]), named.get("connection", "").lower() != "close"
