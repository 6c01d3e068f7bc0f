"""What is proved of a request that failed: a server that fails at every stage, directly and through proxies."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpcore
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.client.proxies import proxy_for
from shipkit.client.transport import SyncTransport
from shipkit.client.transport_async import AsyncTransport
from shipkit.errors import DeadlineError, InputError, NotSentError, OutcomeUnknownError, ShipkitError
from shipkit.flow import Response, Transmit
from shipkit.settings import Settings
from tests.core.stages import (
    ANSWER,
    Authority,
    Line,
    Script,
    Sending,
    Server,
    effect,
    outcome,
    relay,
    serving,
    stopped_at,
    sync,
    tasks,
    tunnel,
)

BOTH = pytest.mark.parametrize("send", [sync, tasks])
LARGE = b"x" * 6_000_000
NOTHING_LEFT = (NotSentError, DeadlineError)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, str(file))


# The scripts of a server, by what they do to a request that is on its way.


def closes_in_the_headers(line: Line) -> None:
    line.recv(10)


def resets_in_the_headers(line: Line) -> None:
    line.recv(10)
    line.reset()


def closes_in_the_body(line: Line) -> None:
    line.head()
    line.recv(1000)


def resets_in_the_body(line: Line) -> None:
    line.head()
    line.recv(1000)
    line.reset()


def closes_after_the_request(line: Line) -> None:
    line.request()


def resets_after_the_request(line: Line) -> None:
    line.request()
    line.reset()


def answering(*parts: bytes, reset: bool = False) -> Script:
    """A server that reads the request and says *parts*."""

    def script(line: Line) -> None:
        line.request()
        for part in parts:
            line.send(part)
        if reset:
            line.reset()

    return script


def hangs(line: Line) -> None:
    """Reads nothing and says nothing for as long as anybody waits."""
    time.sleep(1.2)


def says_nothing(line: Line) -> None:
    line.request()
    line.recv()


def answers_before_it_read(line: Line) -> None:
    line.send(ANSWER)
    line.request()


def refuses_early(line: Line) -> None:
    line.head()
    line.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    while line.recv():
        pass


UNANSWERED: dict[str, tuple[Script, bytes]] = {
    "closed in the headers": (closes_in_the_headers, LARGE),
    "reset in the headers": (resets_in_the_headers, LARGE),
    "closed in the body": (closes_in_the_body, LARGE),
    "reset in the body": (resets_in_the_body, LARGE),
    "closed after the request": (closes_after_the_request, b"{}"),
    "reset after the request": (resets_after_the_request, b"{}"),
    "cut in the status line": (answering(b"HTTP/1.1 20"), b"{}"),
    "cut in the headers": (answering(ANSWER[:40]), b"{}"),
    "cut after the headers": (answering(ANSWER.partition(b"{")[0]), b"{}"),
    "cut in the body": (answering(ANSWER[:-3]), b"{}"),
    "reset in the answer": (answering(ANSWER[:-3], reset=True), b"{}"),
    "cut in a chunk": (answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"), b"{}"),
    "cut between chunks": (answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), b"{}"),
    "garbage": (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), b"{}"),
    "a status that is none": (answering(b"HTTP/1.1 9999 What\r\n\r\n"), b"{}"),
    "a header that is none": (answering(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), b"{}"),
    "two lengths": (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"), b"{}"),
    "no gzip": (answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), b"{}"),
    "only a go-ahead": (answering(b"HTTP/1.1 100 Continue\r\n\r\n"), b"{}"),
    "another protocol": (
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        b"{}",
    ),
    "silence": (says_nothing, b"{}"),
}

ANSWERED: dict[str, tuple[Script, bytes, int]] = {
    "an answer": (answering(ANSWER), b"{}", 200),
    "an answer to a large request": (answering(ANSWER), LARGE, 200),
    "a go-ahead nobody asked for": (answering(b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER), b"{}", 200),
    "hints first": (answering(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", ANSWER), b"{}", 200),
    "HTTP/1.0": (answering(b"HTTP/1.0 200 OK\r\n\r\n{}"), b"{}", 200),
    "until the connection ends": (answering(b"HTTP/1.1 200 OK\r\n\r\n{}"), b"{}", 200),
    "before the request was read": (answers_before_it_read, b"{}", 200),
    "a refusal while the body is written": (refuses_early, LARGE, 413),
    "no content": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), b"{}", 204),
}


@attrs.frozen
class Way:
    """How a request gets to the server."""

    tls: bool
    proxied: bool

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'} {'through a proxy' if self.proxied else 'directly'}"


WAYS = [Way(tls, proxied) for tls in (False, True) for proxied in (False, True)]
EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


@contextmanager
def reached(script: Script, way: Way, authority: Authority) -> Iterator[tuple[Server, str, str]]:
    """The server of *script*, its URL and the proxy before it; plain HTTP's proxy is the server, to all that we see."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(script, authority.server() if way.tls else None))
        if way.proxied and way.tls:
            proxy = stack.enter_context(serving(tunnel))
            yield server, f"https://{server.authority}/v2", f"http://me:secret@{proxy.authority}"
        elif way.proxied:
            yield server, "http://api.acme.example/v2", f"http://me:secret@{server.authority}"
        else:
            yield server, f"{'https' if way.tls else 'http'}://{server.authority}/v2", ""


def tried(
    send: Sending, script: Script, way: Way, authority: Authority, body: bytes = b"{}", within_s: float = 5.0
) -> tuple[Response | ShipkitError, bytes]:
    """What came of a request to *script*, and what the server saw of it."""
    with reached(script, way, authority) as (server, url, proxy):
        settings = Settings(connect_timeout_s=2, ca_file=authority.file)
        result = outcome(send, effect(url, body, within_s=within_s, proxy=proxy), settings)
    return result, bytes(server.seen)


@BOTH
@EVERY_WAY
@pytest.mark.parametrize("name", UNANSWERED)
def test_what_began_to_leave_and_was_not_answered_whole_is_unknown(
    send: Sending, way: Way, name: str, authority: Authority
) -> None:
    script, body = UNANSWERED[name]
    result, seen = tried(send, script, way, authority, body, 1.0 if name == "silence" else 5.0)

    assert seen, "the server saw the request"
    assert isinstance(result, OutcomeUnknownError)
    assert result.reached_carrier.value == "maybe"


@BOTH
@EVERY_WAY
@pytest.mark.parametrize("name", ANSWERED)
def test_a_whole_answer_is_an_answer(send: Sending, way: Way, name: str, authority: Authority) -> None:
    script, body, status = ANSWERED[name]
    result, _ = tried(send, script, way, authority, body)

    assert isinstance(result, Response)
    assert result.status == status


@BOTH
@pytest.mark.parametrize("status", [407, 502, 503, 504])
def test_a_page_that_may_be_the_proxys_own_is_no_answer_of_the_carrier(
    send: Sending, status: int, authority: Authority
) -> None:
    page = answering(f"HTTP/1.1 {status} Of nobody\r\nContent-Length: 0\r\n\r\n".encode())
    proxied, seen = tried(send, page, Way(tls=False, proxied=True), authority)
    direct, _ = tried(send, page, Way(tls=False, proxied=False), authority)

    assert isinstance(proxied, OutcomeUnknownError)
    assert b"POST http://api.acme.example/v2 HTTP/1.1" in seen
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in seen
    assert isinstance(direct, Response)


@BOTH
@EVERY_WAY
@pytest.mark.parametrize("script", [closes_in_the_headers, resets_in_the_headers, hangs])
def test_headers_that_left_in_part_left(send: Sending, way: Way, script: Script, authority: Authority) -> None:
    def asked(line: Line) -> None:
        line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        script(line)

    with reached(asked, way, authority) as (_, url, proxy):
        sent = effect(url, within_s=2.0 if script is hangs else 20.0, proxy=proxy)
        sent.request = sent.request.with_header("X-Large", "x" * 12_000_000)
        result = outcome(send, sent, Settings(connect_timeout_s=20, ca_file=authority.file))

    assert isinstance(result, OutcomeUnknownError)


# What fails before the request's own first byte.


@contextmanager
def refusing(_: Authority) -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def nameless(_: Authority) -> Iterator[str]:
    yield "no-such-host.invalid"


@contextmanager
def full(_: Authority) -> Iterator[str]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


UNREACHABLE = {"refused": refusing, "no such name": nameless, "a full backlog": full}


@BOTH
@EVERY_WAY
@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_server_or_a_proxy_that_cannot_be_reached_saw_nothing(
    send: Sending, way: Way, name: str, authority: Authority
) -> None:
    with UNREACHABLE[name](authority) as there:
        url = f"{'https' if way.tls else 'http'}://{'127.0.0.1:9' if way.proxied else there}/v2"
        proxy = f"http://{there if ':' in there else there + ':3128'}" if way.proxied else ""
        settings = Settings(connect_timeout_s=0.3, ca_file=authority.file)
        result = outcome(send, effect(url, proxy=proxy), settings)

    assert isinstance(result, NOTHING_LEFT)
    assert result.reached_carrier.value == "no"


def hangs_up(line: Line) -> None:
    line.connection.recv(16)


def resets(line: Line) -> None:
    line.connection.recv(16)
    line.reset()


def garbles(line: Line) -> None:
    line.connection.recv(16)
    line.send(b"SSH-2.0-OpenSSH_9.6\r\n" * 10)


HANDSHAKES: dict[str, Script] = {
    "cut": hangs_up, "reset": resets, "garbled": garbles, "hung": hangs, "closed": lambda line: None
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("way", [way for way in WAYS if way.tls], ids=str)
@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_handshake_that_fails_lets_nothing_leave(send: Sending, way: Way, name: str, authority: Authority) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(HANDSHAKES[name]))
        proxy = stack.enter_context(serving(tunnel)).authority if way.proxied else ""
        settings = Settings(connect_timeout_s=0.4, ca_file=authority.file)
        sent = effect(f"https://{server.authority}/v2", proxy=f"http://{proxy}" if proxy else "")
        result = outcome(send, sent, settings)

    assert isinstance(result, NotSentError), "the time to open a connection is over long before the deadline"
    assert result.reached_carrier.value == "no"


@BOTH
@pytest.mark.parametrize("way", [way for way in WAYS if way.tls], ids=str)
@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_a_certificate_that_proves_nothing_gets_no_request(
    send: Sending, way: Way, wrong: str, authority: Authority, tmp_path: Path
) -> None:
    name = "elsewhere.example" if wrong == "name" else "127.0.0.1"
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with ExitStack() as stack:
        server = stack.enter_context(serving(answering(ANSWER), authority.server(name)))
        proxy = stack.enter_context(serving(tunnel)).authority if way.proxied else ""
        settings = Settings(ca_file=authority.file if wrong == "name" else str(other))
        sent = effect(f"https://{server.authority}/v2", proxy=f"http://{proxy}" if proxy else "")
        result = outcome(send, sent, settings)

    assert isinstance(result, NotSentError)
    assert "certificate" in result.message or "mismatch" in result.message, "an administrator has to know what it was"
    assert bytes(server.seen) == b""


def asked(*parts: bytes, hang: bool = False, each: int = 0) -> Script:
    """A proxy that hears the CONNECT and says *parts*, *each* bytes at a time."""

    def script(line: Line) -> None:
        line.head()
        for part in parts:
            for at in range(0, len(part), each or len(part)):
                line.send(part[at : at + (each or len(part))])
                if each and line.connection.gettimeout() is not None:
                    line.connection.settimeout(0.05)
                    line.recv()
                    line.connection.settimeout(5)
        if hang:
            hangs(line)

    return script


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
TUNNELS: dict[str, Script] = {
    "closed at once": lambda line: None,
    "closed after the CONNECT": asked(),
    "silent": asked(hang=True),
    "dripping": asked(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400, each=1, hang=True),
    "407": asked(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", hang=True),
    "502": asked(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops"),
    "a redirect": asked(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n"),
    "another protocol": asked(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "garbage": asked(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "an endless head": asked(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000),
    "cut in its head": asked(ESTABLISHED[:20]),
    "more than its head": asked(ESTABLISHED + b"HTTP/1.1 200 OK\r\n\r\n", hang=True),
    "cut after it stands": asked(ESTABLISHED),
    "silent after it stands": asked(ESTABLISHED, hang=True),
}


@BOTH
@pytest.mark.parametrize("name", TUNNELS)
def test_a_proxy_that_opens_no_tunnel_got_no_byte_of_the_request(
    send: Sending, name: str, authority: Authority
) -> None:
    with serving(TUNNELS[name]) as proxy:
        settings = Settings(connect_timeout_s=0.5, ca_file=authority.file, proxy=f"http://{proxy.authority}")
        result = outcome(send, effect("https://api.acme.example/v2", b'{"canary": true}'), settings)

    assert isinstance(result, NotSentError)
    assert b"canary" not in proxy.seen and b"POST" not in proxy.seen
    assert b"CONNECT api.acme.example:443 HTTP/1.1" in proxy.seen or name == "closed at once"


@BOTH
def test_a_go_ahead_of_the_proxy_is_not_its_answer(send: Sending, authority: Authority) -> None:
    def slow(line: Line) -> None:
        port = int(line.head().split(b" ")[1].rpartition(b":")[2])
        line.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK")
        line.send(b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as origin:
            relay(line.connection, origin)

    with serving(answering(ANSWER), authority.server()) as server, serving(slow) as proxy:
        settings = Settings(ca_file=authority.file, proxy=f"http://{proxy.authority}")
        result = outcome(send, effect(f"https://{server.authority}/v2"), settings)

    assert isinstance(result, Response)


@BOTH
def test_a_tunnel_that_is_cut_once_the_request_began_is_unknown(send: Sending, authority: Authority) -> None:
    cut: list[Callable[[], None]] = []

    def cutting(line: Line) -> None:
        line.recv(1)
        cut[0]()
        line.recv()

    def proxying(line: Line) -> None:
        cut.append(line.reset)
        tunnel(line)

    with serving(cutting, authority.server()) as server, serving(proxying) as proxy:
        settings = Settings(ca_file=authority.file, proxy=f"http://{proxy.authority}")
        result = outcome(send, effect(f"https://{server.authority}/v2", LARGE), settings)

    assert isinstance(result, OutcomeUnknownError)


# Whatever happens: the server is the oracle.


@given(
    way=st.sampled_from(WAYS),
    send=st.sampled_from([sync, tasks]),
    read=st.integers(0, 400),
    said=st.integers(0, len(ANSWER)),
    reset=st.booleans(),
    body=st.sampled_from([0, 100, 300_000]),
)
def test_no_is_never_said_of_a_request_that_the_server_saw(
    way: Way, send: Sending, read: int, said: int, reset: bool, body: int, authority: Authority
) -> None:
    def script(line: Line) -> None:
        line.connection.settimeout(0.05)
        left = read
        while left > 0 and (came := line.recv(left)):
            left -= len(came)
        if said:
            line.send(ANSWER[:said])
        if reset:
            line.reset()

    result, seen = tried(send, script, way, authority, b"x" * body, 2.0)

    if isinstance(result, Response):
        assert said == len(ANSWER)
    elif result.reached_carrier.value == "no":
        assert not seen and isinstance(result, NOTHING_LEFT), "it was reset as it stood"
    else:
        assert isinstance(result, OutcomeUnknownError)


def all_of(send: Sending, sent: list[Any], settings: Settings, pause_s: float = 0.0) -> list[Response | ShipkitError]:
    """What came of several requests on one transport, with a pause between them; each is made when its turn comes."""
    if send is sync:
        transport = SyncTransport(settings)
        results = []
        for make in sent:
            results.append(outcome(lambda one, _: transport.send(one), make(), settings))
            time.sleep(pause_s)
        transport.close()
        return results

    async def run() -> list[Response | ShipkitError]:
        transport = AsyncTransport(settings)
        results: list[Response | ShipkitError] = []
        for make in sent:
            try:
                results.append(await transport.send(make()))
            except ShipkitError as error:
                results.append(error)
            await asyncio.sleep(pause_s)
        await transport.close()
        return results

    return asyncio.run(run())


@BOTH
@EVERY_WAY
def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(send: Sending, way: Way, authority: Authority) -> None:
    with reached(answering(ANSWER), way, authority) as (_, url, proxy):  # says nothing of closing, and closes
        settings = Settings(ca_file=authority.file)
        results = all_of(send, [lambda: effect(url, proxy=proxy)] * 3, settings, pause_s=0.1)

    assert [isinstance(result, Response) for result in results] == [True] * 3


@BOTH
@EVERY_WAY
def test_a_kept_connection_that_ends_as_the_request_leaves_proves_nothing(
    send: Sending, way: Way, authority: Authority
) -> None:
    def closing(line: Line) -> None:
        line.request()
        line.send(ANSWER)
        line.recv(1)

    with reached(closing, way, authority) as (_, url, proxy):
        results = all_of(send, [lambda: effect(url, proxy=proxy)] * 2, Settings(ca_file=authority.file))

    assert isinstance(results[0], Response)
    assert isinstance(results[1], OutcomeUnknownError)


@BOTH
def test_connections_that_failed_take_no_place_from_those_to_come(send: Sending, authority: Authority) -> None:
    with serving(hangs_up) as bad, serving(answering(ANSWER), authority.server()) as good, serving(tunnel) as proxy:
        settings = Settings(ca_file=authority.file, proxy=f"http://{proxy.authority}")
        urls = [f"https://{bad.authority}/v2"] * 110 + [f"https://{good.authority}/v2"]
        results = all_of(send, [partial(effect, url) for url in urls], settings)

    assert all(isinstance(result, NotSentError) for result in results[:-1])
    assert isinstance(results[-1], Response)


# The time of a call is one, whoever drips.


@BOTH
def test_a_dripping_proxy_costs_the_deadline_and_no_more(send: Sending, authority: Authority) -> None:
    with serving(TUNNELS["dripping"]) as proxy:
        began = time.monotonic()
        sent = effect("https://api.acme.example/v2", within_s=0.5, proxy=f"http://{proxy.authority}")
        result = outcome(send, sent, Settings(ca_file=authority.file))

    assert isinstance(result, DeadlineError)
    assert time.monotonic() - began < 3


def test_a_server_that_takes_a_large_request_a_little_at_a_time_costs_the_deadline_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = [100.0]

    class Sipping(httpcore.NetworkStream):
        """Takes what it gets, slowly: each write ends just within its own time."""

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            at[0] += min(timeout or 60.0, 0.4)

        def get_extra_info(self, info: str) -> Any:
            return None

        def close(self) -> None: ...

    class Connecting(httpcore.NetworkBackend):
        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Sipping()

    for room in ("network", "transport"):
        monkeypatch.setattr(f"shipkit.client.{room}.seconds", lambda: at[0])
    monkeypatch.setattr(httpcore, "SyncBackend", Connecting)
    sent = Transmit(request=effect("http://127.0.0.1/v2", LARGE).request, until=at[0] + 2)
    result = outcome(sync, sent, Settings())

    assert isinstance(result, OutcomeUnknownError)
    assert at[0] <= 102.1


@BOTH
def test_a_dripped_answer_through_a_tunnel_costs_the_deadline_and_no_more(send: Sending, authority: Authority) -> None:
    def dripping(line: Line) -> None:
        line.request()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            line.send(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    result, _ = tried(send, dripping, Way(tls=True, proxied=True), authority, within_s=0.5)

    assert isinstance(result, OutcomeUnknownError)
    assert time.monotonic() - began < 3


# Cancelled at every point where a task may be.


@EVERY_WAY
def test_a_task_may_be_cancelled_wherever_it_waits(way: Way, authority: Authority) -> None:
    async def run(url: str, proxy: str) -> int:
        transport = AsyncTransport(Settings(ca_file=authority.file))
        for number in range(1, 100):
            counted: list[int] = []
            sent = effect(url, b"x" * 300_000, proxy=proxy)
            task = asyncio.create_task(stopped_at(number, transport.send(sent), counted))
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if len(counted) < number:  # it was not cancelled any more
                assert isinstance(result, Response)
                break
            assert isinstance(result, asyncio.CancelledError)
            assert (await transport.send(effect(url, proxy=proxy))).status == 200, "the others are not hurt"
        await transport.close()
        return number

    def keeping(line: Line) -> None:
        while True:
            line.request()
            line.send(ANSWER)

    with reached(keeping, way, authority) as (_, url, proxy):
        points = asyncio.run(run(url, proxy))
    gc.collect()  # a connection that nobody closed would warn here

    assert points > 2


@pytest.mark.parametrize("proxied", [False, True])
def test_a_task_that_is_cancelled_while_a_connection_is_opened_leaves_none_open(
    proxied: bool, authority: Authority
) -> None:
    ended = threading.Event()

    def waiting(line: Line) -> None:
        while line.connection.recv(65536):
            pass
        ended.set()

    async def run(sent: Transmit) -> bool:
        transport = AsyncTransport(Settings(ca_file=authority.file))
        task = asyncio.create_task(transport.send(sent))
        await asyncio.sleep(0.1)
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError)
        closed = await asyncio.to_thread(ended.wait, 2)
        await transport.close()
        return closed

    with serving(waiting) as there:
        url = f"https://{'api.acme.example' if proxied else there.authority}/v2"
        assert asyncio.run(run(effect(url, proxy=f"http://{there.authority}" if proxied else "")))


# Which proxy, and whom TLS trusts.


@BOTH
def test_proxies_of_the_environment_count_only_if_asked_for(
    send: Sending, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(ANSWER), authority.server()) as server, serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.authority)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        url = f"https://{server.authority}/v2"
        asked, silent = (Settings(ca_file=authority.file, proxy=text) for text in ("environment", ""))
        assert isinstance(outcome(send, effect(url), silent), Response)
        assert proxy.connections == 0
        assert isinstance(outcome(send, effect(url), asked), Response)
        assert proxy.connections == 1
        assert isinstance(outcome(send, effect(url, proxy="direct"), asked), Response)
        for without in ("127.0.0.1", server.authority):
            monkeypatch.setenv("NO_PROXY", without)
            assert isinstance(outcome(send, effect(url), asked), Response)
            assert proxy.connections == 1, f"past the proxy, for {without} needs none"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1:1,127.0.0.2")
        assert isinstance(outcome(send, effect(url), asked), Response)
        assert proxy.connections == 2
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@127.0.0.1:1")
        refused = outcome(send, effect(url), asked)

    assert isinstance(refused, NotSentError), "past a proxy that cannot be used nothing goes out"
    assert "secret" not in str(refused)


@BOTH
def test_an_accounts_own_proxy_comes_before_the_clients(send: Sending, authority: Authority) -> None:
    with serving(answering(ANSWER), authority.server()) as server, serving(tunnel) as own, serving(tunnel) as other:
        settings = Settings(ca_file=authority.file, proxy=f"http://{other.authority}")
        sent = effect(f"https://{server.authority}/v2", proxy=f"http://{own.authority}")
        assert isinstance(outcome(send, sent, settings), Response)

    assert (own.connections, other.connections) == (1, 0)


@BOTH
def test_what_openssl_is_told_to_trust_is_trusted(
    send: Sending, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(ANSWER), authority.server()) as server:
        url = f"https://{server.authority}/v2"
        assert isinstance(outcome(send, effect(url), Settings()), NotSentError)
        monkeypatch.setenv("SSL_CERT_FILE", authority.file)
        assert isinstance(outcome(send, effect(url), Settings()), Response)
        nowhere = outcome(send, effect(url), Settings(ca_file="/nowhere.pem"))

    assert isinstance(nowhere, NotSentError)


def test_a_proxy_is_refused_where_it_is_configured_and_its_password_never_shows() -> None:
    for text in (
        "proxy:3128",
        "https://p",
        "http://",
        "http://p:x",
        "socks5://p",
        "http://p/path",
        "http://gr\u00fcn:3128",
    ):
        with pytest.raises(InputError):
            Settings(proxy=text)
        with pytest.raises(InputError):
            Carrier(proxy=text)
    sent = effect("https://api.acme.example/", proxy="http://me:hush@p:1")
    shown = f"{Settings(proxy='http://me:hush@p:1')!r} {Carrier(proxy='http://me:hush@p:1')!r} {sent!r}"
    assert "hush" not in shown + repr(proxy_for("http://me:hush@p:1", "https://x"))
