"""Sending pushes over HTTP: connections that are kept, and a status or the reason why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from typing import Final
from urllib.parse import urlsplit

import h11

from .dialect import Push

__all__ = ["Lines", "is_loopback"]

_TIMEOUT_S: Final = 10.0
_MAX_ANSWER: Final = 1024 * 1024


def is_loopback(url: str) -> bool:
    """Whether *url* is plain HTTP to this machine: nothing else is ever pushed to."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http":
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Lines:
    """The connections of one sender, one to each receiver, kept for as long as the receiver keeps them."""

    def __init__(self) -> None:
        self._kept: dict[str, _Line] = {}

    async def post(self, push: Push) -> tuple[int | None, str]:
        """Status of the subscriber's answer, or None and the reason why there is none.

        A kept connection that the receiver has closed meanwhile is no failure of his: it is sent once more, on a new
        one.
        """
        if not is_loopback(push.url):
            return None, "a simulator pushes over http to loopback addresses only"
        place = urlsplit(push.url).netloc
        line = self._kept.pop(place, None)
        if line is not None:
            with contextlib.suppress(_StaleError):
                return await self._sent(place, line, push)
        return await self._sent(place, None, push)

    async def close(self) -> None:
        """End every connection."""
        for line in self._kept.values():
            await line.close()
        self._kept.clear()

    async def _sent(self, place: str, kept: _Line | None, push: Push) -> tuple[int | None, str]:
        line = kept if kept is not None else _Line(push.url)
        try:
            status = await asyncio.wait_for(line.exchange(push), _TIMEOUT_S)
        except (OSError, h11.ProtocolError, asyncio.TimeoutError, EOFError) as failed:
            await line.close()
            if kept is not None and not line.heard and not isinstance(failed, asyncio.TimeoutError):
                raise _StaleError from failed
            return None, f"{type(failed).__name__}: {failed}"
        except BaseException:
            await line.close()
            raise
        if line.may_stay():
            self._kept[place] = line
        else:
            await line.close()
        return status, ""


class _StaleError(Exception):
    """The connection was closed before a byte of the answer came."""


class _Line:
    """One connection to a receiver."""

    def __init__(self, url: str) -> None:
        self.heard = False
        """Whether a byte of the answer has come."""
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._http = h11.Connection(h11.CLIENT)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, push: Push) -> int:
        """Send *push*; the status of the answer.

        Raises:
            OSError, EOFError, h11.ProtocolError: there is none.
        """
        self.heard = False
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        elif self._streams[0].at_eof():
            raise EOFError("the subscriber closed the connection")
        reader, writer = self._streams
        parts = urlsplit(push.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = [*push.headers.items(), ("Host", parts.netloc), ("Content-Length", str(len(push.body)))]
        head = self._http.send(h11.Request(method="POST", target=target, headers=fields))
        body = self._http.send(h11.Data(data=push.body)) if push.body else b""
        writer.write((head or b"") + (body or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return await self._status(reader)

    def may_stay(self) -> bool:
        """Whether both sides keep it; then it is ready for the next exchange."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def close(self) -> None:
        if self._streams is None:
            return
        writer = self._streams[1]
        self._streams = None
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _status(self, reader: asyncio.StreamReader) -> int:
        status = 0
        size = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65_536)
                self.heard = self.heard or bool(data)
                size += len(data)
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.EndOfMessage) or (status and size > _MAX_ANSWER):
                return status
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                raise EOFError("the subscriber closed the connection without an answer")
