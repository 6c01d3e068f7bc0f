"""The simulator's HTTP/1.1 server, on asyncio streams and h11.

It is our own because it must do what no web framework offers: drop a connection on request, before or after the
answer was made, cut a body in the middle, and send single bytes now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote

import h11

from .calls import Call, Headers, Reply
from .misbehave import Answer

__all__ = ["Answering", "Server"]

MAX_BODY: Final = 32 * 1024 * 1024
_READ: Final = 65_536

#: Answers a call; the second argument is how long the connection rested since its last answer (None: it is new).
Answering = Callable[[Call, "float | None"], Awaitable[Answer]]


class _TooLargeError(Exception):
    pass


class Server:
    """Serves one listening socket until it is closed; belongs to the loop it was started in."""

    def __init__(self, listener: socket.socket, answering: Answering) -> None:
        self._listener = listener
        self._answering = answering
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._listener)

    async def close(self) -> None:
        """Take no more connections and end those that are open."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("asyncio accepts a connection in a task")
        self._connections.add(task)
        # asyncio does this only for sockets made with an explicit protocol number.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await _Connection(reader, writer, self._answering).serve()
        except asyncio.CancelledError:
            pass  # the server closes: asyncio would report the cancelled callback as an error
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


class _Connection:
    """One connection and the requests that come on it, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answering: Answering) -> None:
        self._reader = reader
        self._writer = writer
        self._answering = answering
        self._http = h11.Connection(h11.SERVER)
        self._answered_at: float | None = None
        self._method = b""

    async def serve(self) -> None:
        with contextlib.suppress(OSError):
            while await self._one():
                pass

    async def _one(self) -> bool:
        """Serve the next request; False when the connection is over."""
        try:
            call, idle_s = await self._next()
        except h11.RemoteProtocolError as wrong:
            await self._send(Answer(reply=Reply.text(f"{wrong}\n", wrong.error_status_hint)))
            return False
        except _TooLargeError:
            await self._send(Answer(reply=Reply.text("the body is too large\n", 413)))
            return False
        if call is None:
            return False
        answer = await self._answering(call, idle_s)
        if answer.reply is None:
            self._drop(answer.reset)
            return False
        await self._send(answer)
        return self._again()

    async def _next(self) -> tuple[Call | None, float | None]:
        request: h11.Request | None = None
        body = bytearray()
        idle_s: float | None = None
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                data = await self._reader.read(_READ)
                if request is None and self._answered_at is not None and idle_s is None:
                    idle_s = time.monotonic() - self._answered_at
                self._http.receive_data(data)
            elif isinstance(event, h11.Request):
                request = event
                self._method = event.method
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY:
                    raise _TooLargeError
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                rested = 0.0 if idle_s is None and self._answered_at is not None else idle_s
                return _call(request, bytes(body), self._writer), rested
            else:
                return None, None

    async def _send(self, answer: Answer) -> None:
        reply = answer.reply
        if reply is None or self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        fields = [(name, value) for name, value in reply.headers.items() if name.lower() != "content-length"]
        fields.append(("Content-Length", str(len(reply.body))))
        if self._http.their_state is h11.MUST_CLOSE or self._http.their_state is h11.ERROR:
            fields.append(("Connection", "close"))
        whole = b"" if self._method == b"HEAD" else reply.body
        content = whole if answer.cut_at is None else whole[: answer.cut_at]
        head = self._http.send(h11.Response(status_code=reply.status, headers=fields)) or b""
        body = (self._http.send(h11.Data(data=content)) or b"") if content else b""
        if answer.drip_s > 0:
            quick = b"" if answer.drip_from == "headers" else head
            await self._write(quick)
            await self._drip((head + body)[len(quick) :], answer)
        else:
            await self._write(head + body)
        if answer.cut_at is None:
            await self._write(self._http.send(h11.EndOfMessage()))
        else:
            self._drop(reset=False)
            self._http.send_failed()

    async def _drip(self, data: bytes, answer: Answer) -> None:
        for start in range(0, len(data), answer.drip_size):
            await self._write(data[start : start + answer.drip_size])
            await asyncio.sleep(answer.drip_s)

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()

    def _again(self) -> bool:
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._answered_at = time.monotonic()
        return True

    def _drop(self, reset: bool) -> None:
        if reset:
            # SO_LINGER with time 0: the kernel sends RST.
            sock = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        else:
            self._writer.close()


def _call(request: h11.Request, body: bytes, writer: asyncio.StreamWriter) -> Call:
    path, _, query = request.target.decode("ascii", "replace").partition("?")
    fields = Headers(tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers))
    host, port = writer.get_extra_info("sockname")[:2]
    return Call(
        method=request.method.decode("ascii"),
        path=unquote(path),
        query_string=query,
        headers=fields,
        body=body,
        base_url=f"http://{fields.get('host') or f'{host}:{port}'}",
    )
