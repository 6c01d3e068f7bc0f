"""What a carrier, or a text from a host, must not achieve on the wire."""

from __future__ import annotations

import gzip
import socket
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import (
    DeadlineError,
    InputError,
    NotSentError,
    OutcomeUnknownError,
    PluginError,
    ReplyError,
    ShipkitError,
)
from shipkit.flow import Headers, Request, Response, Transmit, path_segment
from shipkit.model import SignatureResult
from shipkit.policy import stack
from shipkit.readers import Reader, wire
from shipkit.webhooks import Hmac, SharedHeader
from tests.core.script import BUY, LOOK, World, context, reply
from tests.core.test_policy import PLAIN, failed
from tests.core.test_transport import BOTH, effect, failure, received, serving


def answer(body: bytes = b"", **headers: str) -> Response:
    return reply(200, body, **headers)(LOOK)


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0", "Zoë", "trailing ", "\u2028"])
@pytest.mark.parametrize("request_", [LOOK, BUY], ids=["look-up", "purchase"])
def test_a_header_that_cannot_go_on_the_wire_is_not_sent_and_not_told(request_: Request, value: str) -> None:
    world, own = World(reply()), context()
    with pytest.raises(PluginError, match="X-Order") as caught:
        world.run(stack(PLAIN, own).send(request_.with_header("X-Order", value)))

    assert world.sent == []
    assert not own.purchase_left
    assert value not in "".join(traceback.format_exception(caught.value))


def test_a_link_that_is_no_address_is_refused_with_our_error() -> None:
    for url in ("https://[label", "https://", "label.pdf", "https://api.acme.example@evil.example/"):
        error = failed(World(reply()), Request.get(url, name="document", signed=False))
        assert isinstance(error, PluginError)


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_number_that_would_climb_out_of_its_place_in_the_path_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        path_segment(text)


@given(st.text(min_size=1))
def test_a_number_stays_one_segment_of_the_path(text: str) -> None:
    try:
        segment = path_segment(text)
    except InputError:
        return
    assert not set(segment) & set("/?#\\ ")
    assert segment.strip(".")


@given(st.text(st.characters(max_codepoint=255)))
def test_retry_after_is_a_number_of_seconds_or_nothing(value: str) -> None:
    seconds = answer(Retry_After=value).retry_after_s
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "99999999999999999999999",
        "Wed, 21 Oct 2026 07:28:09 +99999999999999",
        "Wed, 21 Oct 2026 07:28:09",
        "Wed, 21 Oct 0000 07:28:09 GMT",
        " GMT",
        "1e9",
        "٣",
    ],
)
def test_no_retry_after_breaks_a_call(value: str) -> None:
    world = World(reply(503, Retry_After=value), reply())
    try:
        world.run(stack(PLAIN, context()).send(LOOK))
    except ShipkitError:
        pass
    assert world.at < 30


@pytest.mark.parametrize("charset", ["undefined", "idna", "hex", "rot13", "utf-8\x00", "punycode", "nonsense"])
def test_a_body_is_text_in_whatever_charset_its_header_claims(charset: str) -> None:
    assert isinstance(answer(b"caf\xe9 \xff", Content_Type=f"text/html; charset={charset}").text, str)


def test_half_a_character_in_json_becomes_a_mark_that_can_be_stored() -> None:
    body = rb'{"a\udc00": ["x\ud800y", {"b": "\ud83d\ude00 \\ud800"}], "\uD83D": 1}'
    data = answer(body).json()
    assert data == {"a�": ["x�y", {"b": "\U0001f600 \\ud800"}], "�": 1}


@wire
class Row:
    count: int
    amount: Decimal


def test_a_number_of_a_billion_digits_is_refused_at_once() -> None:
    began = time.monotonic()
    for body in (
        b'{"count": 1e999999999, "amount": "1"}',
        b'{"count": "1E+99999999", "amount": "1"}',
        b'{"count": 1, "amount": "1E+999999"}',
        b'{"count": 1, "amount": "1E-999999"}',
    ):
        with pytest.raises(ReplyError):
            Reader().read(answer(body), Row)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("scheme", [Hmac(header="X-Sign"), SharedHeader(header="X-Sign")])
def test_a_push_with_undecodable_bytes_in_its_signature_is_invalid_and_nothing_worse(scheme: Any) -> None:
    given_ = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert scheme.verify({"x-sign": given_}, b"{}", ["secret"]) is SignatureResult.INVALID


def coded(coding: str, body: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        received(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    return handler


@BOTH
@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,deflate, gzip", "br", "zstd"])
def test_a_coding_that_was_not_asked_for_is_not_unpacked(send: Any, coding: str) -> None:
    with serving(coded(coding, gzip.compress(gzip.compress(b"{}")))) as url:
        assert isinstance(failure(send, effect(url)), ReplyError)


@BOTH
def test_what_the_machine_cannot_even_ask_for_was_not_sent(send: Any) -> None:
    for url in (f"http://{'x' * 70}.example/", "http://a..b.example/", "http://127.0.0.1:99999/"):
        assert isinstance(failure(send, effect(url, replayable=False)), (NotSentError, DeadlineError))


@BOTH
def test_a_request_that_cannot_be_written_was_not_sent(send: Any) -> None:
    good = effect("http://127.0.0.1:9/", replayable=False)
    bad = attrs.evolve(good, request=attrs.evolve(good.request, headers=Headers({"X-A": "Zoë"})))
    assert isinstance(failure(send, bad), NotSentError)


@BOTH
def test_a_host_with_many_silent_addresses_costs_the_deadline_and_no_more(
    send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as full:
        full.bind(("0.0.0.0", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (f"127.0.0.{n}", port)) for n in range(1, 6)
        ]
        real: Any = socket.getaddrinfo

        def looked_up(host: Any, *more: Any, **options: Any) -> Any:
            return addresses if host in ("carrier.example", b"carrier.example") else real(host, *more, **options)

        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        began = time.monotonic()
        error = failure(send, effect(f"http://carrier.example:{port}/", 0.8))
        took = time.monotonic() - began
        for one in waiting:
            one.close()
    assert isinstance(error, (DeadlineError, NotSentError, OutcomeUnknownError))
    assert took < 2


def test_an_exchange_of_a_purchase_ends_before_its_claim_does() -> None:
    seen: list[Transmit] = []

    class Watching(World):
        def transmit(self, effect: Transmit) -> Response:
            seen.append(effect)
            return super().transmit(effect)

    own = context(until=5000.0, not_after=10.0)
    Watching(reply()).run(stack(PLAIN, own).send(BUY))
    assert seen[0].until == 70.0
