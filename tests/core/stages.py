"""Servers and proxies on loopback that fail at one stage of an exchange, and remember what they saw of the request."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import trustme

from shipkit.client.clock import seconds
from shipkit.client.transport import SyncTransport
from shipkit.client.transport_async import AsyncTransport
from shipkit.errors import ShipkitError
from shipkit.flow import Request, Response, Transmit
from shipkit.settings import Settings

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Line:
    """One connection as a script of a test uses it; what it reads is noted as seen."""

    def __init__(self, connection: socket.socket, seen: bytearray) -> None:
        self.connection, self._seen = connection, seen
        self._left = b""
        self.head_seen = b""

    def recv(self, size: int = 65536) -> bytes:
        """What has come, at most *size* bytes; nothing when the other side is gone."""
        if self._left:
            data, self._left = self._left[:size], self._left[size:]
            return data
        try:
            data = self.connection.recv(size)
        except (OSError, ValueError):
            return b""
        self._seen += data
        return data

    def head(self) -> bytes:
        """The request up to its empty line."""
        data = b""
        while b"\r\n\r\n" not in data:
            came = self.recv()
            if not came:
                raise ConnectionError("gone")
            data += came
        self.head_seen, _, self._left = data.partition(b"\r\n\r\n")
        return self.head_seen

    def request(self) -> bytes:
        """The head of a request that came whole."""
        return self.request_with_body()[0]

    def request_with_body(self) -> tuple[bytes, bytes]:
        """The whole request."""
        head = self.head()
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        parts: list[bytes] = []
        while length > 0:
            came = self.recv(min(length, 65536))
            if not came:
                raise ConnectionError("gone")
            parts.append(came)
            length -= len(came)
        return head, b"".join(parts)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        """End it with a reset instead of an orderly close."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Script = Callable[[Line], None]


@attrs.define
class Server:
    """Hands each connection to a script, in a thread of its own; ``seen`` is what came of requests, without TLS."""

    port: int
    seen: bytearray = attrs.Factory(bytearray)
    connections: int = 0

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server of *script*; with *tls* the script begins after the handshake."""
    listener = socket.create_server(("127.0.0.1", 0))
    server, threads, open_ones = Server(listener.getsockname()[1]), [], []

    def one(connection: socket.socket) -> None:
        connection.settimeout(5)
        with suppress(OSError, ValueError, ConnectionError):
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
                open_ones.append(connection)
            script(Line(connection, server.seen))
        with suppress(OSError):
            connection.close()

    def accepting() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_ones.append(connection)
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    accepter = threading.Thread(target=accepting)
    accepter.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepter.join()
        for connection in open_ones:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for connection in open_ones:
            connection.close()


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side is done."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(65536):
                target.sendall(data)
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(other, one))
    back.start()
    carry(one, other)
    back.join()


def tunnel(line: Line) -> None:
    """What a proxy does that works."""
    host, _, port = line.head().split(b" ")[1].rpartition(b":")
    with socket.create_connection((host.decode(), int(port))) as origin:
        line.send(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 loopback\r\n\r\n")
        relay(line.connection, origin)


def forward(line: Line) -> Iterator[bytes]:
    """What a proxy for plain HTTP does that works: it sends the request on, and gives back the answer as it comes."""
    head, body = line.request_with_body()
    method, url, version = head.partition(b"\r\n")[0].split(b" ")
    authority, _, path = url.removeprefix(b"http://").partition(b"/")
    host, _, port = authority.rpartition(b":")
    kept = [one for one in head.split(b"\r\n")[1:] if not one.lower().startswith((b"proxy-", b"connection"))]
    lines = [b" ".join([method, b"/" + path, version]), *kept, b"Connection: close", b"", body]
    with socket.create_connection((host.decode(), int(port))) as origin:
        origin.sendall(b"\r\n".join(lines))
        while data := origin.recv(65536):
            yield data


@attrs.frozen
class Authority:
    """A certificate authority of one test run, trusted by nobody else."""

    ca: trustme.CA
    file: str

    def server(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        return context


def sync(effect: Transmit, settings: Settings) -> Response:
    transport = SyncTransport(settings)
    try:
        return transport.send(effect)
    finally:
        transport.close()


def tasks(effect: Transmit, settings: Settings) -> Response:
    async def exchange() -> Response:
        transport = AsyncTransport(settings)
        try:
            return await transport.send(effect)
        finally:
            await transport.close()

    return asyncio.run(exchange())


Sending = Callable[[Transmit, Settings], Response]


def effect(url: str, body: bytes = b'{"a":1}', *, within_s: float = 5.0, proxy: str = "") -> Transmit:
    """A purchase, which may leave at once and never again."""
    request = Request(method="POST", url=url, content=body, name="create_shipment")
    at = seconds()
    return Transmit(request=request, until=at + within_s, not_after=at + within_s, proxy=proxy)


def outcome(send: Sending, sent: Transmit, settings: Settings) -> Response | ShipkitError:
    """What came of it."""
    try:
        return send(sent, settings)
    except ShipkitError as error:
        return error


@types.coroutine
def _stopping(number: int, coroutine: Any, counted: list[int]) -> Iterator[Any]:
    """*coroutine*, whose task is cancelled as it waits for the *number*-th time."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            waited_for = coroutine.throw(error) if error is not None else coroutine.send(value)
        except StopIteration as stop:
            return stop.value
        value = error = None
        counted.append(number)
        if len(counted) == number:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
        try:
            value = yield waited_for
        except BaseException as thrown:
            error = thrown


async def stopped_at(number: int, coroutine: Any, counted: list[int]) -> Any:
    """What *coroutine* gives; its task is cancelled as it waits for the *number*-th time. *counted* has its waits."""
    return await _stopping(number, coroutine, counted)
