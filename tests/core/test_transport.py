"""What the adapter for httpx proves, against servers that misbehave on real sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shipkit.client.clock import seconds
from shipkit.client.transport import SyncTransport
from shipkit.client.transport_async import AsyncTransport
from shipkit.errors import DeadlineError, NotSentError, OutcomeUnknownError, ReplyError, ShipkitError
from shipkit.flow import Request, Response, Transmit
from shipkit.settings import Settings

Handler = Callable[[socket.socket], None]


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """A server that hands each connection to *handler* and closes it afterwards."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    handler(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    finally:
        ended.set()
        thread.join()
        listener.close()


def received(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("closed")
        data += chunk
    return data


def dripping(connection: socket.socket) -> None:
    received(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.1)


def dripping_headers(connection: socket.socket) -> None:
    received(connection)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 100:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def silent(connection: socket.socket) -> None:
    received(connection)
    time.sleep(2)


def hanging_up(connection: socket.socket) -> None:
    received(connection)


def cut(connection: socket.socket) -> None:
    received(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")


def garbage(connection: socket.socket) -> None:
    received(connection)
    connection.sendall(b"SSH-2.0-OpenSSH\r\n")


def well(connection: socket.socket) -> None:
    received(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\n{}")


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


BOTH = pytest.mark.parametrize("send", [sync, tasks])


def effect(url: str, within_s: float = 1.0, *, not_after_s: float | None = None, replayable: bool = True) -> Transmit:
    request = Request(method="POST", url=url, content=b"{}", name="look", replayable=replayable)
    at = seconds()
    return Transmit(request=request, until=at + within_s, not_after=None if not_after_s is None else at + not_after_s)


def failure(send: Callable[[Transmit, Settings], Response], *args: Transmit, **settings: object) -> ShipkitError:
    with pytest.raises(ShipkitError) as caught:
        send(*args, Settings(**settings))  # type: ignore[arg-type]
    return caught.value


@BOTH
@pytest.mark.parametrize("handler", [dripping, dripping_headers, silent])
def test_a_server_that_holds_a_call_costs_the_deadline_and_no_more(send: object, handler: Handler) -> None:
    with serving(handler) as url:
        began = time.monotonic()
        error = failure(send, effect(url, 0.5))  # type: ignore[arg-type]
        took_s = time.monotonic() - began

    assert isinstance(error, OutcomeUnknownError)
    assert took_s < 2, "not many deadlines; how exactly it is kept is measured with the benchmarks"


@BOTH
@pytest.mark.parametrize("handler", [hanging_up, cut, garbage])
def test_what_left_and_was_not_answered_whole_is_unknown(send: object, handler: Handler) -> None:
    with serving(handler) as url:
        error = failure(send, effect(url))  # type: ignore[arg-type]
    assert isinstance(error, OutcomeUnknownError)
    assert error.reached_carrier.value == "maybe"


@BOTH
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://no-such-host.invalid/x", "ftp://127.0.0.1/x", "http://"]
)
def test_what_never_left_is_proved_not_to_have_left(send: object, url: str) -> None:
    error = failure(send, effect(url, 2.0))  # type: ignore[arg-type]
    assert isinstance(error, (NotSentError, DeadlineError))
    assert error.reached_carrier.value == "no"


@BOTH
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_tls_that_does_not_stand_leaves_nothing_sent(send: object) -> None:
    with serving(garbage) as url:
        error = failure(send, effect(url.replace("http:", "https:")))  # type: ignore[arg-type]
    assert error.reached_carrier.value == "no"
    # Under asyncio httpcore leaves the socket of a failed handshake to the collector: here, not in another test.
    del error
    gc.collect()


@BOTH
def test_a_purchase_whose_window_is_over_puts_no_byte_on_the_wire(send: object) -> None:
    seen: list[bytes] = []

    def watching(connection: socket.socket) -> None:
        connection.settimeout(0.3)
        try:
            seen.append(connection.recv(65536))
        except TimeoutError:
            seen.append(b"")

    with serving(watching) as url:
        error = failure(send, effect(url, not_after_s=-0.001, replayable=False))  # type: ignore[arg-type]
        time.sleep(0.4)

    assert isinstance(error, NotSentError)
    assert b"".join(seen) == b""


@BOTH
def test_a_deadline_that_is_over_sends_nothing(send: object) -> None:
    assert isinstance(failure(send, effect("http://127.0.0.1:1/x", -1)), DeadlineError)  # type: ignore[arg-type]


@BOTH
def test_a_reply_is_bounded_after_decompression(send: object) -> None:
    import gzip

    body = gzip.compress(b"x" * 1_000_000)

    def bomb(connection: socket.socket) -> None:
        received(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with serving(bomb) as url:
        error = failure(send, effect(url), body_max_bytes=10_000)  # type: ignore[arg-type]
    assert isinstance(error, ReplyError)


@BOTH
def test_a_cookie_is_not_kept(send: object) -> None:
    seen: list[bytes] = []

    def watching(connection: socket.socket) -> None:
        seen.append(received(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n{}")

    with serving(watching) as url:
        transport = SyncTransport(Settings())
        for _ in range(2):
            assert transport.send(effect(url)).json() == {}
        transport.close()
    assert all(b"ookie" not in request for request in seen)


def test_a_purchase_does_not_go_out_on_a_connection_that_idled() -> None:
    opened: list[int] = []

    def keeping(connection: socket.socket) -> None:
        opened.append(1)
        while True:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with serving(keeping) as url:
        transport = SyncTransport(Settings(purchase_idle_max_s=0.1))
        transport.send(effect(url, replayable=False))
        transport.send(effect(url, replayable=False))
        assert len(opened) == 1, "in quick succession the connection is used again"
        time.sleep(0.2)
        transport.send(effect(url, replayable=False))
        transport.close()
    assert len(opened) == 2
