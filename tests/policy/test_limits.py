"""Not more than the carrier allows, whoever asks; and what its 429s teach."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.errors import RateLimitedError, ReachedCarrier
from shipkit.flow import Request, Response, sleep
from shipkit.policy import AccountState, Lanes, Limit, Pace, stack
from shipkit.settings import Settings
from shipkit.store import MemoryLimits
from tests.core.script import BUY, LOOK, World, context, reply
from tests.policy.stage import Stage

PLAIN = Carrier()


def most_in(window_s: float, moments: list[float]) -> int:
    """The most of *moments* that lie in any window."""
    ordered = sorted(moments)
    return max((sum(start <= at < start + window_s for at in ordered) for start in ordered), default=0)


class Counted(MemoryLimits):
    """A database's limits, in memory: it would block, and what is asked of it is counted."""

    blocking = True

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.asked = 0

    def reserve(self, name: str, step_s: float, slack_s: float, within_s: float) -> float:
        self.asked += 1
        return super().reserve(name, step_s, slack_s, within_s)


@given(
    st.integers(1, 30),
    st.integers(1, 90),
    st.lists(st.tuples(st.sampled_from([0.0, 0.001, 0.3, 2.0, 20.0]), st.floats(0, 1)), max_size=120),
)
def test_never_one_more_than_the_limit_arrives_in_any_window_though_each_may_be_late_by_the_margin(
    calls: int, per_s: int, gaps: list[tuple[float, float]]
) -> None:
    at = [0.0]
    limits, limit, margin_s = MemoryLimits(lambda: at[0]), Limit.of(calls, per_s, 0.1), 0.1
    places, arrivals = [], []
    for gap, late in gaps:
        at[0] += gap
        places.append(at[0] + limits.reserve("a", limit.step_s, limit.slack_s, float("inf")))
        arrivals.append(places[-1] + late * margin_s * 0.999)

    assert places == sorted(places), "in order"
    assert most_in(per_s - 1e-6, arrivals) <= calls


@given(st.integers(1, 50), st.integers(1, 10))
def test_in_a_short_window_nothing_is_lost_but_the_margin(calls: int, per_s: int) -> None:
    limits, limit = MemoryLimits(lambda: 0.0), Limit.of(calls, per_s, 0.1)
    waits = [limits.reserve("a", limit.step_s, limit.slack_s, float("inf")) for _ in range(10 * calls + 1)]
    assert waits[-1] == pytest.approx(10 * (per_s + 0.1))


def test_of_a_long_window_half_goes_at_once() -> None:
    limits, limit = MemoryLimits(lambda: 0.0), Limit.of(250, 86_400)
    waits = [limits.reserve("a", limit.step_s, limit.slack_s, float("inf")) for _ in range(250)]
    assert waits[:125] == [0.0] * 125
    assert 0 < waits[125] < 700


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20)), max_size=20), st.floats(0, 5))
def test_no_place_comes_before_a_hold_is_over_and_a_shorter_one_does_not_end_a_longer_one(
    holds: list[tuple[float, float]], gap: float
) -> None:
    at = [0.0]
    limits, until = MemoryLimits(lambda: at[0]), 0.0
    for wait, for_s in holds:
        at[0] += wait
        limits.hold("a", for_s)
        until = max(until, at[0] + for_s)
    at[0] += gap
    assert at[0] + limits.reserve("a", 0.0, 0.0, float("inf")) >= until - 1e-9
    assert limits.reserve("another", 0.0, 0.0, 0.0) == 0.0


def staged(limited: bool = True, calls: int = 5, per_s: int = 1, **settings: Any) -> tuple[Stage, Any]:
    """A stage on which every request arrives at once, and contexts of workers that share an account's limit."""
    stage = Stage(lambda request, at: (0.05, reply()(request)))
    limits = Counted(lambda: stage.at)

    def worker(state: AccountState | None = None, **changes: Any) -> Any:
        state = state or context().state
        chosen, until = Settings(**settings), stage.at + 1000
        made = context(state=state, limits=limits, settings=chosen, started_at=stage.at, until=until, **changes)
        if limited:
            state.usage("rates").limit = Limit.of(calls, per_s, 0.1)
        return made

    return stage, worker


@given(st.lists(st.integers(0, 7), max_size=80), st.lists(st.booleans(), min_size=40, max_size=40))
def test_workers_of_many_processes_keep_one_limit_together(choices: list[int], bulk: list[bool]) -> None:
    stage, worker = staged()
    stage._choices = iter([*choices, *([0] * 100_000)])
    for index in range(40):
        stage.enter(stack(PLAIN, worker(bulk=bulk[index])).send(LOOK))
    stage.play()
    assert all(actor.result is not None for actor in stage.actors)
    assert most_in(1.0, [at for at, _ in stage.sent]) <= 5


def test_work_of_lists_takes_no_place_before_a_single_call_that_waits_too() -> None:
    stage, worker = staged()
    for index in range(20):
        stage.enter(stack(PLAIN, worker(bulk=True)).send(LOOK), f"bulk {index}")
    stage.play(until=0.5)
    asked_at = stage.at
    single = stage.enter(stack(PLAIN, worker()).send(LOOK), "single")
    stage.play(until=asked_at + 0.5)
    assert single.done, "though fifteen of the list came before it"
    stage.play()
    assert most_in(1.0, [at for at, _ in stage.sent]) <= 5


def test_where_the_carrier_states_no_limit_the_store_is_not_asked() -> None:
    stage, worker = staged(limited=False)
    for _ in range(5):
        stage.enter(stack(PLAIN, worker()).send(LOOK))
    stage.play()
    assert "reserve" not in stage.calls
    assert worker().limits.asked == 0


def test_a_429_holds_every_call_of_the_account_and_the_other_workers() -> None:
    stage, worker = staged(per_s=1, calls=20, attempts=1)
    stage._answer = lambda request, at: (0.0, reply(429, Retry_After="7")(request) if at < 1 else reply()(request))
    here, there = worker().state, worker().state
    first = stage.enter(stack(PLAIN, worker(here)).send(LOOK))
    stage.play()
    assert isinstance(first.failure, RateLimitedError)
    stage.enter(stack(PLAIN, worker(here)).send(LOOK))
    stage.enter(stack(PLAIN, worker(there)).send(LOOK))
    stage.play()
    assert [at for at, _ in stage.sent][1:] == [at for at, _ in stage.sent if at >= 7]
    assert len(stage.sent) == 3


def test_where_no_limit_is_stated_each_worker_learns_of_the_hold_with_its_own_429_at_the_latest() -> None:
    stage, worker = staged(limited=False, attempts=1)
    stage._answer = lambda request, at: (0.0, reply(429, Retry_After="7")(request) if at < 7 else reply()(request))
    here, there = worker().state, worker().state
    for state in (here, there):
        stage.enter(stack(PLAIN, worker(state)).send(LOOK))
        stage.play()
    for state in (here, there, here, there):
        stage.enter(stack(PLAIN, worker(state)).send(LOOK))
    stage.play()
    assert len([at for at, _ in stage.sent if at < 7]) == 2
    assert [actor.failure is None for actor in stage.actors] == [False, False, True, True, True, True]


def test_a_wait_that_a_carrier_names_absurdly_long_ends_all_the_same() -> None:
    stage, worker = staged(limited=False, attempts=1)
    absurd = reply(429, Retry_After="999999999")
    stage._answer = lambda request, at: (0.0, (absurd if at < 1 else reply())(request))
    state = worker().state
    stage.enter(stack(PLAIN, worker(state)).send(LOOK))
    stage.play()
    stage.at = 3_600.0
    stage.enter(stack(PLAIN, worker(state)).send(LOOK))
    stage.play()
    assert stage.actors[-1].result is not None


def test_a_place_that_comes_too_late_is_refused_at_once_and_says_when() -> None:
    stage, worker = staged(calls=1, per_s=60)
    stage.enter(stack(PLAIN, worker()).send(LOOK))
    late = worker()
    late.until = 10.0
    stage.enter(stack(PLAIN, late).send(LOOK))
    stage.play(until=0.5)
    error = stage.actors[-1].failure
    assert isinstance(error, RateLimitedError)
    assert error.reached_carrier is ReachedCarrier.NO
    assert error.retry_after_s == 61
    assert len(stage.sent) == 1


def test_a_purchase_waits_for_its_place_before_it_is_claimed() -> None:
    stage, worker = staged(calls=1, per_s=60)
    stage.enter(stack(PLAIN, worker()).send(LOOK))
    stage.play()
    state = worker().state

    def buy() -> Any:
        made = stack(PLAIN, worker(state))
        yield from made.ready()
        made.context.not_after = stage.at + 10  # the claim, and its send window
        return (yield from made.send(BUY))

    buyer = stage.enter(buy())
    stage.play()
    assert buyer.result is not None
    assert stage.sent[-1][0] >= 60


@given(st.lists(st.tuples(st.floats(0, 120), st.booleans()), max_size=60), st.floats(0.01, 1000))
def test_whatever_a_carrier_answers_one_request_in_the_slowest_time_still_goes(
    steps: list[tuple[float, bool]], per_s: float
) -> None:
    pace, at, last = Pace(0.0, per_s, slowest_s=10), 0.0, 0.0
    for gap, refused in steps:
        at += gap
        before = pace.per_s(at)
        if refused:
            pace.answered()
            pace.refused(at, at)
            last = max(last, at)
            assert pace.per_s(at) <= max(before / 2, 0.1) + 1e-9
        assert pace.per_s(at) >= 0.1 - 1e-9
        place = at + pace.reserve(at, float("inf"))
        assert place <= max(at, last + 10 + 1e-6)
        last = place


def test_the_429s_of_requests_that_left_together_count_once() -> None:
    pace = Pace(0.0, 8.0, slowest_s=10)
    assert pace.per_s(0.0) == 4.0
    assert not pace.refused(None, 0.1)
    assert not pace.refused(-0.1, 0.1)
    assert pace.per_s(0.0) == 4.0
    pace.answered()
    assert not pace.refused(-0.1, 0.2)
    assert pace.refused(1.0, 1.5)


def test_a_window_that_is_used_up_is_waited_out_with_longer_and_longer_pauses_and_the_pace_stays() -> None:
    pace, at, pauses = Pace(0.0, 8.0, slowest_s=10), 0.0, []
    for _ in range(7):
        pause = pace.reserve(at, float("inf"))
        pauses.append(pause)
        at += pause
        assert not pace.refused(at, at)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]
    assert pace.per_s(0.0) == 4.0


def test_the_pace_comes_back_slowly_and_is_forgotten() -> None:
    pace = Pace(0.0, 8.0, slowest_s=10)
    assert pace.per_s(30.0) == pytest.approx(8.0)
    assert not pace.over(89.0)
    assert pace.over(91.0)


@pytest.mark.parametrize("allowed", [2, 10, 40])
def test_a_limit_that_nobody_states_is_found_from_its_429s(allowed: int) -> None:
    """A carrier that takes so many calls a second, and a host with eight threads that have always more to ask."""
    arrived: list[float] = []

    def answer(request: Request, at: float) -> tuple[float, Response]:
        recent = [moment for moment in arrived if moment > at - 1]
        arrived.append(at)
        return 0.02, reply(429 if len(recent) >= allowed else 200)(request)

    stage, state, refused = Stage(answer), context().state, []

    def worker() -> Any:
        while stage.at < 120:
            made = context(state=state, started_at=stage.at, until=stage.at + 30, settings=Settings(attempts=1))
            try:
                yield from stack(PLAIN, made).send(LOOK)
            except RateLimitedError as error:
                if error.reached_carrier is ReachedCarrier.YES:
                    refused.append(stage.at)
                else:
                    yield from sleep(1.0)

    for _ in range(8):
        stage.enter(worker())
    stage.play()
    late = [moment for moment in arrived if moment > 30]
    wrong = [moment for moment in refused if moment > 30]
    assert len(late) - len(wrong) > 0.4 * allowed * 90, "it does not creep"
    assert len(wrong) < 0.1 * len(late), "and it does not hammer"


def test_what_waits_for_a_limit_holds_its_place_and_gives_it_back() -> None:
    stage, worker = staged(calls=1, per_s=60)
    state = worker().state
    state.lanes = Lanes(4)
    actors = [stage.enter(stack(PLAIN, worker(state)).send(LOOK)) for _ in range(3)]
    stage.play(until=1.0)
    assert state.lanes.taken == (2, 0)
    for actor in actors[1:]:
        stage.close(actor)
    assert state.lanes.taken == (0, 0)


def test_waiting_for_a_limit_and_slowing_down_are_told() -> None:
    stage, worker = staged(calls=1, per_s=1)
    for _ in range(2):
        stage.enter(stack(PLAIN, worker()).send(LOOK))
    stage.play()
    told = [(event.detail, round(event.elapsed_s, 1)) for event in stage.events if event.kind == "waited"]
    assert told == [("limit", 1.1)]

    world = World(reply(429), reply())
    world.run(stack(PLAIN, context()).send(LOOK))
    told = [event.kind for event in world.events if event is not None and event.kind not in ("request", "call")]
    assert told == ["slowed", "retry"], "the retry's own wait was longer than the pause"
