"""The rules of sending, each over a world in the test's hands."""

from __future__ import annotations

import pytest

from shipkit.carrier import Carrier
from shipkit.errors import (
    AuthenticationError,
    CarrierError,
    DeadlineError,
    NotSentError,
    OutcomeUnknownError,
    PluginError,
    RateLimitedError,
    RejectedError,
    ReplyError,
    ShipkitError,
    UnavailableError,
)
from shipkit.flow import Request, Response, Token
from shipkit.policy import Breaker, Limit, stack
from tests.core.acme import Acme
from tests.core.script import BUY, LOOK, World, context, reply

PLAIN = Carrier()
ACME = Acme(client_id="host", client_secret="client-secret")


def failed(world: World, request: Request, carrier: Carrier = PLAIN, **changes: object) -> ShipkitError:
    with pytest.raises(ShipkitError) as caught:
        world.run(stack(carrier, context(**changes)).send(request))
    return caught.value


def test_a_look_up_is_repeated_until_the_attempts_are_used_up() -> None:
    world = World(reply(503), OutcomeUnknownError("silence"), reply(503))

    assert isinstance(failed(world, LOOK), UnavailableError)
    assert len(world.sent) == 3
    assert world.slept == [0.5, 1.0]


def test_a_purchase_is_sent_once_when_no_readable_answer_comes() -> None:
    for answer in (reply(503), reply(500), OutcomeUnknownError("silence"), reply(302)):
        world = World(answer, reply())
        failed(world, BUY)
        assert len(world.sent) == 1


def test_a_purchase_is_repeated_when_surely_nothing_came_of_it() -> None:
    for answer in (reply(429), NotSentError("refused")):
        world = World(answer, reply())
        world.run(stack(PLAIN, context()).send(BUY))
        assert len(world.sent) == 2


def test_a_repetition_waits_for_as_long_as_the_carrier_says() -> None:
    world = World(reply(429, Retry_After="7"), reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    assert world.slept == [7.0, 0.5], "and a little more, which the runner draws"


def test_a_date_in_retry_after_counts_from_the_replys_own_date() -> None:
    answer = reply(503, Retry_After="Wed, 21 Oct 2026 07:28:09 GMT", Date="Wed, 21 Oct 2026 07:28:00 GMT")
    world = World(answer, reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    assert world.slept == [9.0, 0.5]


def test_no_wait_goes_past_the_deadline() -> None:
    world = World(reply(503, Retry_After="31"), reply())
    assert failed(world, LOOK).retry_after_s == 31
    assert world.slept == []


def test_a_request_to_a_host_that_the_facts_do_not_name_is_not_sent() -> None:
    world = World(reply())
    stray = Request.get("https://evil.example/label", name="document", signed=False)
    assert isinstance(failed(world, stray), PluginError)
    assert world.sent == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, CarrierError),
        (401, AuthenticationError),
        (404, CarrierError),
        (429, RateLimitedError),
        (500, UnavailableError),
    ],
)
def test_a_status_alone_says_no_more_than_it_proves(status: int, kind: type[ShipkitError]) -> None:
    world = World(*[reply(status, b"<html>gateway</html>")] * 3)
    assert type(failed(world, LOOK)) is kind


def test_a_plugin_that_breaks_over_a_reply_does_not_break_the_call() -> None:
    class Fragile(Carrier):
        def check(self, response: Response) -> None:
            response.json()["error"]["code"]

    assert isinstance(failed(World(reply(200, b"[]")), LOOK, Fragile()), ReplyError)
    assert isinstance(failed(World(*[reply(502, b"[]")] * 3), LOOK, Fragile()), UnavailableError)


def test_401_and_429_are_what_they_are_whatever_words_a_carrier_wraps_them_in() -> None:
    refusal = b'{"error": {"code": "A9", "text": "slow down"}}'
    error = failed(World(*[reply(429, refusal)] * 3), LOOK, ACME)
    assert isinstance(error, RateLimitedError)
    assert error.carrier_code == "A9"


def test_the_breaker_opens_after_its_failures_and_one_probe_closes_it() -> None:
    breaker = Breaker(failures=2, window_s=30, open_s=10)

    assert not breaker.failed(0)
    assert breaker.failed(1)
    assert breaker.wait_s(5) == 6
    assert breaker.wait_s(11) == 0, "the probe"
    assert breaker.wait_s(11.1) > 0, "nobody beside the probe"
    breaker.succeeded()
    assert breaker.wait_s(12) == 0


def test_failures_that_lie_far_apart_do_not_open_the_breaker() -> None:
    breaker = Breaker(failures=2, window_s=30, open_s=10)
    assert not breaker.failed(0)
    assert not breaker.failed(31)


def test_an_open_breaker_refuses_at_once_and_says_until_when() -> None:
    state = context().state
    world = World(*[reply(503)] * 5)
    for _ in range(2):
        failed(world, LOOK, state=state)

    error = failed(world, LOOK, state=state, until=60.0)

    assert isinstance(error, UnavailableError)
    assert error.retry_after_s is not None and 0 < error.retry_after_s <= 31
    assert error.reached_carrier.value == "no"


def test_a_refusal_is_no_failure_of_the_carrier() -> None:
    refusal = b'{"error": {"code": "A17", "text": "postcode not served"}}'
    state = context().state
    for _ in range(20):
        assert isinstance(failed(World(reply(422, refusal)), LOOK, ACME, state=state), RejectedError)


def test_a_place_that_comes_after_the_deadline_is_refused_before_anything_is_sent() -> None:
    made = context(until=1.0)
    made.state.usage("rates").limit = Limit.of(1, 60)
    world = World(reply())
    world.run(stack(PLAIN, made).send(LOOK))

    with pytest.raises(RateLimitedError) as caught:
        world.run(stack(PLAIN, made).send(LOOK))

    assert caught.value.reached_carrier.value == "no"
    assert len(world.sent) == 1


TOKEN = reply(200, b'{"access_token": "t-1"}')
SECOND_TOKEN = reply(200, b'{"access_token": "t-2"}')
SIGNED = Request.get("https://api.acme.example/v2/track/1", name="track")


def test_a_token_is_fetched_once_and_put_on_every_request() -> None:
    made = context()
    world = World(TOKEN, reply(), reply())
    for _ in range(2):
        world.run(stack(ACME, made).send(SIGNED))

    assert [request.name for request in world.sent] == ["token", "track", "track"]
    assert world.sent[-1].headers["Authorization"] == "Bearer t-1"


def test_a_refused_token_is_replaced_once() -> None:
    world = World(TOKEN, reply(401), SECOND_TOKEN, reply())
    world.run(stack(ACME, context()).send(SIGNED))
    assert world.sent[-1].headers["Authorization"] == "Bearer t-2"

    error = failed(World(TOKEN, reply(401), SECOND_TOKEN, reply(401)), SIGNED, ACME)
    assert isinstance(error, AuthenticationError)


def test_who_waits_for_somebody_elses_token_waits_no_longer_than_the_deadline() -> None:
    made = context(until=0.5)
    made.tokens.claim("acme-de", "somebody", 60)
    world = World()
    with pytest.raises(DeadlineError):
        world.run(stack(ACME, made).send(SIGNED))
    assert world.sent == []


def test_a_failed_login_lets_the_next_caller_try() -> None:
    made = context()
    world = World(reply(401), TOKEN, reply())
    with pytest.raises(AuthenticationError):
        world.run(stack(ACME, made).send(SIGNED))
    world.run(stack(ACME, made).send(SIGNED))
    assert [request.name for request in world.sent] == ["token", "token", "track"]


def test_every_request_gets_a_number_of_its_own() -> None:
    world = World(reply(503), reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    assert len({request.id for request in world.sent}) == 2
    assert world.sent[0] == world.sent[1], "and equality leaves it out"


def test_a_request_has_its_number_before_it_is_signed() -> None:
    signed = []

    class Numbered(Acme):
        def authorize(self, request: Request, token: Token) -> Request:
            signed.append(request.id)
            return super().authorize(request, token)

    world = World(TOKEN, reply(), reply())
    made = stack(Numbered(client_id="host", client_secret="client-secret"), context())
    world.run(made.send(SIGNED))
    world.run(made.send(SIGNED))

    assert all(signed) and len(set(signed)) == 2
    assert [request.id for request in world.sent[1:]] == signed
