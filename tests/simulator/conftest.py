"""A simulated Acme, somebody to talk to it, and somebody to be pushed to."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from shipkit.simulator import Clock, Simulator, World
from tests.simulator.acme import AcmeDialect

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Raw:
    """A client that hides nothing: one connection, kept until it breaks, no retry of anything."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        self.token = ""

    def ask(self, method: str, path: str, payload: object = None, **headers: str) -> Answer:
        body = None if payload is None else json.dumps(payload)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        self._connection.request(method, path, body, fields)
        response = self._connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def book(self, mark: str = "M1", reference: str = "order-1", pieces: int = 1, fault: str = "") -> Answer:
        payload = {"mark": mark, "ref": reference, "pieces": [{"kg": "1"}] * pieces}
        return self.ask("POST", "/v2/shipments", payload, **({"X-Sim-Fault": fault} if fault else {}))

    def log_in(self) -> None:
        self._connection.request("POST", "/v2/token", "client_id=shop&client_secret=s")
        self.token = json.loads(self._connection.getresponse().read())["access_token"]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def acme() -> Iterator[Simulator]:
    """Acme on loopback, its time standing still at START."""
    with Simulator(AcmeDialect(World(Clock(START)))) as simulator:
        yield simulator


@pytest.fixture
def raw(acme: Simulator) -> Iterator[Raw]:
    """A client with a token, on a connection that has answered once."""
    client = Raw(acme.url)
    client.log_in()
    yield client
    client.close()


@attrs.define
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A host that is pushed to: keeps what comes and answers with the next of ``statuses`` (then 200)."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.on_push: Callable[[], object] = lambda: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(Received(self.path, dict(self.headers.items()), body))
                outer.on_push()
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def codes(self) -> list[str]:
        return [json.loads(each.body)["code"] for each in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
