"""`play` and `reply`: one conversation, by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import AuthenticationError, NotFoundError, NotSentError, RejectedError, ReplyError
from shipkit.flow import Flow, Request, Response, Token
from shipkit.testing import PLAYED_AT, play, reply


class Acme:
    """A carrier that asks twice and puts its refusals into 422."""

    def price(self, code: str) -> Flow[Decimal]:
        known = yield Request.get(f"https://acme.example/{code}", name="look")
        answer = yield Request.json("POST", "https://acme.example/price", known.json(), name="price", replayable=True)
        price: Decimal = answer.json()["price"]
        return price

    def find(self) -> Flow[str | None]:
        try:
            found = yield Request.get("https://acme.example/find", name="find", signed=False)
        except NotFoundError:
            return None
        return found.text

    def sign(self, request: Request) -> Request:
        return request.with_header("X-Key", request.id)

    def check(self, response: Response) -> None:
        if response.status == 404:
            raise NotFoundError.of(response)
        if response.status == 422:
            raise RejectedError.of(response, carrier_message=response.json()["error"])


ACME = Acme()


def test_a_conversation_shows_what_was_sent_and_what_came_of_it() -> None:
    played = play(ACME.price("a"), reply(200, {"weight": Decimal("1.5")}), reply(200, {"price": 7.25}))

    assert played.value == Decimal("7.25")
    assert played.methods == ["GET", "POST"]
    assert played.urls == ["https://acme.example/a", "https://acme.example/price"]
    assert played.bodies == [None, {"weight": Decimal("1.5")}]
    assert [response.received_at for response in played.responses] == [PLAYED_AT, PLAYED_AT]


def test_every_signed_request_is_numbered_before_it_is_signed() -> None:
    played = play(ACME.price("a"), reply(200, {}), reply(200, {"price": 1.5}))

    assert [request.headers["X-Key"] for request in played.requests] == ["played-1", "played-2"]
    assert "X-Key" not in play(ACME.find(), reply(200, "x")).requests[0].headers


def test_a_carrier_with_tokens_gets_one() -> None:
    class Tokened(Acme):
        def authorize(self, request: Request, token: Token) -> Request:
            return request.with_header("Authorization", token.value)

    played = play(Tokened().price("a"), reply(200, {}), reply(200, {"price": 1.5}), token=Token(value="t"))

    assert [request.headers["Authorization"] for request in played.requests] == ["t", "t"]


def test_a_refusal_keeps_the_carriers_own_words() -> None:
    assert play(ACME.price("a"), reply(422, {"error": "no such road"})).raised(RejectedError).message == "no such road"


def test_what_check_raises_arrives_in_the_flow() -> None:
    assert play(ACME.find(), reply(404)).value is None


def test_a_failure_of_the_wire_can_stand_among_the_replies() -> None:
    assert play(ACME.price("a"), reply(200, {}), NotSentError("no route")).raised(NotSentError).message == "no route"


def test_an_error_of_the_plugin_is_what_the_driver_makes_of_it() -> None:
    error = play(ACME.price("a"), reply(200, {}), reply(200, {})).raised(ReplyError)

    assert str(error.__cause__) == "KeyError" and error.__cause__.__traceback__ is not None


def test_the_value_of_a_conversation_that_failed_is_its_error() -> None:
    played = play(ACME.price("a"), reply(422, {"error": "no"}))

    with pytest.raises(RejectedError):
        _ = played.value


def test_a_conversation_that_went_well_raised_nothing() -> None:
    with pytest.raises(AssertionError, match="RejectedError was expected"):
        play(ACME.find(), reply(200, "x")).raised(RejectedError)


def test_another_error_than_expected_is_shown() -> None:
    with pytest.raises(AssertionError, match="AuthenticationError was expected"):
        play(ACME.price("a"), reply(422, {"error": "no"})).raised(AuthenticationError)


def test_a_reply_that_nobody_asked_for_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="1 replies were not asked for"):
        play(ACME.find(), reply(200, "x"), reply(200, "y"))


def test_a_request_without_a_reply_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="no reply left for POST"):
        play(ACME.price("a"), reply(200, {}))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"a": 1}, "application/json"),
        ([1], "application/json"),
        ("<a/>", "text/xml; charset=utf-8"),
        ("plain", "text/plain"),
        (b"\x00", None),
    ],
)
def test_a_reply_says_what_kind_of_body_it_has(body: object, kind: str | None) -> None:
    assert reply(200, body).headers.get("content-type") == kind
    assert reply(200, body, {"content-type": "x/y"}).headers["Content-Type"] == "x/y"


def test_a_test_can_say_when_the_replies_came_in() -> None:
    then = dt.datetime(2030, 1, 1, tzinfo=dt.timezone.utc)

    assert play(ACME.find(), reply(200, "x"), received_at=then).responses[0].received_at == then


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True))
def test_no_header_but_the_harmless_ones_shows_its_value(name: str) -> None:
    request = Request.get("https://acme.example/", name="look", headers={name: "hush-hush", "Content-Type": "text/xml"})

    shown = name.lower() in ("accept", "content-length", "content-type", "date", "retry-after", "soapaction")
    assert shown or "hush-hush" not in repr(request)
    assert "text/xml" in repr(request) or name.lower() == "content-type"
