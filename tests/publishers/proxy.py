"""A line between a client and a server that a test cuts, or that swallows what goes one way."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Any

from typing_extensions import Self


class Proxy:
    """Passes bytes on between 127.0.0.1:`port` and a server, until it is told otherwise.

    ``cut`` closes every connection; ``deaf`` swallows what the server says (confirmations are lost, the connection
    stands); ``closed`` lets nobody in.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._cut = threading.Event()
        self._cut.set()
        self._stopped = False
        self.deaf = self.closed = False
        self.cut_after: int | None = None
        """Bytes from the clients until every connection is cut."""
        self.connections = 0
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: self._woken.recv(100))
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._wake.send(b"x")
        self._thread.join()
        for one in (self._listening, self._wake, self._woken):
            one.close()
        self._selector.close()

    def cut(self) -> None:
        """Close every connection there is, before anything else comes in."""
        self._cut.clear()
        self._wake.send(b"x")
        assert self._cut.wait(30)

    def _run(self) -> None:
        while not self._stopped:
            for key, _ in self._selector.select():
                if key.fileobj in self._pairs or callable(key.data):
                    key.data()
            if not self._cut.is_set():
                self._close_all()
                self._cut.set()
        self._close_all()

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        self.connections += 1
        try:
            if self.closed:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self._server), timeout=10)
        except OSError:
            client.close()
            return
        self._pairs |= {client: server, server: client}
        self._selector.register(client, selectors.EVENT_READ, lambda: self._pass(client, server, False))
        self._selector.register(server, selectors.EVENT_READ, lambda: self._pass(server, client, True))

    def _pass(self, source: socket.socket, sink: socket.socket, answer: bool) -> None:
        try:
            data = source.recv(65_536)
            if data and not answer and self.cut_after is not None:
                data, self.cut_after = data[: self.cut_after], self.cut_after - len(data)
            if data and not (answer and self.deaf):
                sink.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._close(source)
        elif self.cut_after is not None and self.cut_after <= 0:
            self.cut_after = None
            self._close_all()

    def _close(self, one: socket.socket) -> None:
        for each in (one, self._pairs.get(one)):
            if each is not None and self._pairs.pop(each, None) is not None:
                self._selector.unregister(each)
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _close_all(self) -> None:
        for one in list(self._pairs):
            self._close(one)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: Any = listening.getsockname()[1]
        return int(port)
