"""A carrier that fails is left alone, and asked by one request whether it is back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.errors import ShipkitError, UnavailableError
from shipkit.policy import AccountState, Breaker, stack
from shipkit.settings import Settings
from tests.core.script import LOOK, World, context, reply
from tests.policy.stage import Stage

PLAIN = Carrier()
SETTINGS = Settings(attempts=1, breaker_failures=2)


def call(world: World, state: AccountState, at: float, operation: str = "rates", **changes: Any) -> ShipkitError | None:
    world.at = at
    made = context(state=state, operation=operation, until=at + 30, settings=SETTINGS, **changes)
    try:
        world.run(stack(PLAIN, made).send(LOOK))
    except ShipkitError as error:
        return error
    return None


def opened() -> AccountState:
    state = context().state
    for at in (0.0, 1.0):
        assert call(World(reply(503)), state, at) is not None
    return state


@given(st.lists(st.tuples(st.floats(0, 15), st.sampled_from(["ask", "fail", "succeed"])), max_size=60))
def test_while_it_is_open_at_most_one_request_passes_in_each_period(steps: list[tuple[float, str]]) -> None:
    breaker, at, passed = Breaker(failures=1, window_s=30, open_s=10), 0.0, None
    for gap, what in steps:
        at += gap
        if what == "succeed":
            breaker.succeeded()
            passed = None
        elif what == "fail":
            if breaker.failed(at, probe=False):
                passed = at
        elif breaker.is_open and breaker.wait_s(at) == 0:
            assert passed is None or at - passed >= 10 - 1e-9
            passed = at


def test_of_many_threads_that_come_when_it_may_be_tried_one_passes() -> None:
    for _ in range(20):
        breaker = Breaker(1, 30, 10, threading.Lock())
        breaker.failed(0.0)
        together, waits = threading.Barrier(8), []

        def ask(breaker: Breaker = breaker, together: threading.Barrier = together, waits: Any = waits) -> None:
            together.wait()
            waits.append(breaker.wait_s(11.0))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(waits).count(0.0) == 1


def test_one_operation_that_fails_does_not_stop_another_nor_another_account() -> None:
    state = opened()
    assert isinstance(call(World(), state, 2.0), UnavailableError)
    assert call(World(reply()), state, 2.0, operation="track") is None
    assert call(World(reply()), context().state, 2.0) is None


def test_opening_and_closing_are_told_once_each() -> None:
    state, world = context().state, World(reply(503), reply(503), reply(), reply())
    for at in (0.0, 1.0, 2.0, 40.0, 41.0):
        call(world, state, at)
    told = [
        (event.kind, event.detail, event.error)
        for event in world.events
        if event is not None and event.kind == "breaker"
    ]
    assert told == [("breaker", "open", "unavailable"), ("breaker", "closed", "")]
    assert len(world.sent) == 4


def test_an_answer_that_refuses_closes_it_as_well() -> None:
    state, world = opened(), World(reply(404), reply())
    call(world, state, 40.0)
    assert call(world, state, 40.5) is None
    assert [event.detail for event in world.events if event is not None and event.kind == "breaker"] == ["closed"]


def test_a_probe_that_nobody_waits_for_any_more_leaves_its_turn_to_the_next_request() -> None:
    for end in ("close", "cancel"):
        state = opened()
        stage = Stage(lambda request, at: (5.0, reply()(request)))
        stage.at = 40.0
        probe = stage.enter(stack(PLAIN, context(state=state, until=70.0, settings=SETTINGS)).send(LOOK))
        stage.play(until=41.0)
        assert len(stage.sent) == 1
        assert isinstance(call(World(), state, 41.0), UnavailableError), "one at a time"
        getattr(stage, end)(probe)
        stage.play(until=41.0)
        assert call(World(reply()), state, 41.0) is None


def test_requests_that_left_before_it_opened_do_not_keep_it_open() -> None:
    state = context().state
    stage = Stage(lambda request, at: (1.0 + 9.0 * len(stage.sent), reply(503)(request)))
    for _ in range(5):
        stage.enter(stack(PLAIN, context(state=state, until=100.0, settings=SETTINGS)).send(LOOK))
    stage.play()
    # The second failure opened it, at 19 s; the last one came at 46 s.
    assert stage.at == 46.0
    assert call(World(reply()), state, 49.5) is None


def test_what_it_refuses_says_that_nothing_left_and_when_to_come_again() -> None:
    error = call(World(), opened(), 2.0)
    assert isinstance(error, UnavailableError)
    assert error.reached_carrier.value == "no"
    assert error.retry_after_s == 30


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_a_carrier_that_answers_is_not_down(status: int) -> None:
    state = context().state
    for at in range(20):
        error = call(World(reply(status)), state, float(at * 100))
        assert error is not None and error.reached_carrier.value == "yes"
