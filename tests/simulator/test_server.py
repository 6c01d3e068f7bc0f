"""The server as a client sees it, and that it leaves nothing behind."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from urllib.parse import urlsplit

import pytest

from shipkit.simulator import Call, Clock, Dialect, Reply, Simulator, World, route
from tests.simulator.acme import AcmeDialect
from tests.simulator.conftest import START, Raw


def talk(url: str, *lines: bytes) -> bytes:
    """Send bytes as they are; what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5) as client:
        client.sendall(b"".join(lines))
        received = b""
        while data := client.recv(65_536):
            received += data
    return received


def test_a_connection_is_kept_for_the_next_request(acme: Simulator, raw: Raw) -> None:
    sock = raw._connection.sock
    assert raw.ask("POST", "/v2/rates", {}).status == 200
    assert raw.book().status == 200
    assert raw._connection.sock is sock


def test_requests_sent_at_once_are_answered_in_order(acme: Simulator) -> None:
    one = b"GET /v2/track/%d HTTP/1.1\r\nHost: x\r\n\r\n"
    received = talk(acme.url, one % 1, one % 2, b"GET /_sim/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 404") == 2
    assert received.rindex(b"HTTP/1.1 200") > received.rindex(b"HTTP/1.1 404")
    assert [record.call.path for record in acme.requests()] == ["/v2/track/1", "/v2/track/2"]


def test_what_is_not_http_is_answered_400(acme: Simulator) -> None:
    received = talk(acme.url, b"LABEL PLEASE\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in received.lower()


def test_a_client_that_waits_for_100_continue_gets_it(acme: Simulator) -> None:
    head = (
        b"POST /v2/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 11\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(acme.url).port or 0), timeout=5) as client:
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(b"client_id=a")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_head_has_headers_only(acme: Simulator) -> None:
    received = talk(acme.url, b"HEAD /v2/track/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 404")
    assert received.endswith(b"\r\n\r\n")


def test_a_body_may_come_in_chunks(acme: Simulator) -> None:
    received = talk(
        acme.url,
        b"POST /v2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        b"6\r\nclient\r\n5\r\n_id=a\r\n0\r\n\r\n",
    )
    assert b"access_token" in received


def test_a_body_too_large_is_refused(acme: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipkit.simulator.server.MAX_BODY", 10)
    head = b"POST /v2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
    assert talk(acme.url, head, b"client_id=a").startswith(b"HTTP/1.1 413")


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback only"):
        Simulator(AcmeDialect(), host="0.0.0.0")
    with Simulator(AcmeDialect(), host="localhost") as simulator:
        assert simulator.url.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_said_at_the_start(acme: Simulator) -> None:
    other = Simulator(AcmeDialect(), port=urlsplit(acme.url).port or 0)
    with pytest.raises(OSError):
        other.start()
    other.stop()


def test_four_in_one_process_know_nothing_of_each_other() -> None:
    simulators = [Simulator(AcmeDialect(World(Clock(START)))) for _ in range(4)]
    for simulator in simulators:
        simulator.start()
    try:
        client = Raw(simulators[2].url)
        client.log_in()
        client.book()
        client.close()
        assert [len(simulator.bookings()) for simulator in simulators] == [0, 0, 1, 0]
    finally:
        for simulator in simulators:
            simulator.stop()


def test_it_leaves_no_thread_no_socket_and_no_warning_behind() -> None:
    before = threading.active_count()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with Simulator(AcmeDialect()) as simulator:
            simulator.add_fault("commit_late", after_s=60)
            simulator.add_fault("slow", operation="rates", after_s=60)
            client, waiting = Raw(simulator.url), Raw(simulator.url)
            client.log_in()
            with pytest.raises(OSError):
                client.book()
            waiting._connection.request("POST", "/v2/rates", "{}", {"Authorization": f"Bearer {client.token}"})
            while not any(record.faults == ("slow",) for record in simulator.requests()):
                time.sleep(0.005)
        waiting.close()
        gc.collect()

    assert threading.active_count() == before
    assert [str(warning.message) for warning in said] == []
    assert simulator.counts()["M1"].arrivals == 1, "the books stay readable"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", urlsplit(simulator.url).port or 0), timeout=1)


def test_it_starts_again_after_a_stop() -> None:
    simulator = Simulator(AcmeDialect())
    for _ in range(2):
        assert simulator.start() == simulator.start() == simulator.url
        client = Raw(simulator.url)
        client.log_in()
        client.close()
        simulator.stop()
        simulator.stop()
    with pytest.raises(RuntimeError, match="not running"):
        simulator.advance(1)


def test_serve_answers_until_it_is_stopped() -> None:
    simulator = Simulator(AcmeDialect())
    serving = threading.Thread(target=simulator.serve)
    serving.start()
    while not simulator.url:
        time.sleep(0.005)
    client = Raw(simulator.url)
    client.log_in()
    client.close()
    simulator.stop()
    serving.join(5)
    assert not serving.is_alive()


class Broken(Dialect):
    """A dialect with mistakes of its own."""

    code = "broken"

    @route("POST", "/ship", operation="ship", purchase=True)
    def ship(self, call: Call) -> Reply:
        raise KeyError("number")

    @route("POST", "/odd", operation="odd", purchase=True)
    def odd(self, call: Call) -> Reply:
        return Reply.json({"mark": call.json()})

    def mark_of(self, call: Call) -> str:
        return str(call.json()["mark"])

    def unauthorised(self, call: Call) -> Reply:
        raise KeyError("words")


def test_a_dialect_that_breaks_answers_500_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with Simulator(Broken()) as simulator:
        client = Raw(simulator.url)
        assert client.ask("POST", "/ship", {"mark": "M1"}).status == 500
        assert client.ask("POST", "/odd", {}).status == 200
        simulator.add_fault("token_revoked")
        assert client.ask("POST", "/odd", {"mark": "M3"}).status == 500
        client.close()

        assert [record.error for record in simulator.requests()] == [
            "KeyError('number')",
            "KeyError('mark')",
            "KeyError('words')",
        ]
    assert "the dialect broken broke in ship" in caplog.text


def test_a_purchase_that_cannot_be_read_is_an_ordinary_refusal(acme: Simulator, raw: Raw) -> None:
    raw._connection.request("POST", "/v2/shipments", "{not json", {"Authorization": f"Bearer {raw.token}"})
    response = raw._connection.getresponse()
    response.read()
    assert response.status == 400
    assert acme.requests()[-1].error == ""
    assert acme.counts()[""].arrivals == 1
