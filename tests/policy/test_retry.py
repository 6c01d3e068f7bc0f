"""What is sent again, when, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.errors import NotSentError, OutcomeUnknownError, RateLimitedError, ReachedCarrier, ShipkitError
from shipkit.flow import Headers, Request, Response
from shipkit.policy import stack
from tests.core.script import BUY, LOOK, START, World, context, reply

PLAIN = Carrier()


def retry_after(value: str, date: str | None = None) -> int | None:
    headers = Headers({"Retry-After": value, **({"Date": date} if date else {})})
    return Response(status=429, headers=headers, request=LOOK, received_at=START).retry_after_s


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_whatever_stands_in_retry_after_it_is_a_number_of_seconds_or_nothing(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 7 ", 7), ("0", 0), ("-5", None), ("1.5", None), ("soon", None), ("9" * 40, 999_999_999), ("٣", None)],
)
def test_seconds_in_retry_after(value: str, seconds: int | None) -> None:
    assert retry_after(value) == seconds


@given(st.integers(-(10**6), 10**8), st.integers(-14, 14))
def test_a_date_in_retry_after_counts_from_the_replys_own_date_whatever_our_clock_says(ahead_s: int, zone: int) -> None:
    sent = datetime(2031, 5, 1, 12, 0, tzinfo=timezone.utc)  # years from the time when the reply was received here
    until = (sent + timedelta(seconds=ahead_s)).astimezone(timezone(timedelta(hours=zone)))
    assert retry_after(format_datetime(until), format_datetime(sent, usegmt=True)) == max(0, ahead_s)


ANSWERS = st.one_of(
    st.sampled_from([200, 404, 500, 503]).map(reply),
    st.tuples(st.sampled_from([429, 503]), st.integers(0, 100)).map(lambda p: reply(p[0], Retry_After=str(p[1]))),
    st.builds(NotSentError, st.just("refused")),
    st.builds(OutcomeUnknownError, st.just("silence")),
)


@given(st.lists(ANSWERS, min_size=3, max_size=3), st.booleans(), st.floats(0.01, 60), st.none() | st.floats(0.01, 10))
def test_no_wait_ends_after_the_deadline_and_a_purchase_follows_only_what_proves_that_nothing_happened(
    answers: list[object], buys: bool, until: float, not_after: float | None
) -> None:
    world = World(*answers)  # type: ignore[arg-type]
    made = context(until=until, deadline_s=until, not_after=not_after)
    request = BUY if buys else LOOK
    try:
        world.run(stack(PLAIN, made).send(request))
    except ShipkitError:
        pass

    ends_at = min(until, not_after) if buys and not_after is not None else until
    assert world.at <= ends_at or not world.slept
    assert len(world.sent) <= made.settings.attempts
    if buys:
        for before in answers[: len(world.sent) - 1]:
            assert isinstance(before, NotSentError) or _status(before) == 429


def _status(answer: object) -> int | None:
    return answer(LOOK).status if callable(answer) else None


def test_all_who_were_told_the_same_time_do_not_come_back_at_the_same_moment() -> None:
    world = World(reply(503, Retry_After="7"), reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    assert world.slept == [7, 0.5]


def test_a_carrier_that_says_at_once_is_not_asked_without_any_pause() -> None:
    past = reply(503, Retry_After="Wed, 21 Oct 2026 07:00:00 GMT", Date="Wed, 21 Oct 2026 07:28:00 GMT")
    world = World(past, reply(503, Retry_After="0"), reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    assert world.slept == [0.5, 1.0]


def test_our_own_limit_is_not_tried_again_by_the_call_that_it_refused() -> None:
    def full(request: Request) -> Response:
        raise RateLimitedError("ours", reached_carrier=ReachedCarrier.NO, retry_after_s=1)

    world = World(full, full, full)
    with pytest.raises(RateLimitedError):
        world.run(stack(PLAIN, context()).send(LOOK))
    assert len(world.sent) == 1
