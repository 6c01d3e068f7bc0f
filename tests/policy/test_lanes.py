"""So many requests of one account at once; work of lists behind single calls; no place is ever lost."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import Carrier
from shipkit.client.sync import Client
from shipkit.client.tasks import AsyncClient
from shipkit.errors import DeadlineError, OutcomeUnknownError, ReachedCarrier
from shipkit.flow import Request, Response
from shipkit.policy import AccountState, Lanes, stack
from shipkit.settings import Settings
from tests.core.script import LOOK, context, reply
from tests.policy.stage import Stage

PLAIN = Carrier()


def answered(request: Request, at: float) -> tuple[float, Response | BaseException]:
    return (1.0, OutcomeUnknownError("silence") if at > 2 else reply()(request))


ENDS = st.sampled_from(["play", "close", "cancel"])


@given(
    st.integers(1, 5),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.lists(st.tuples(st.booleans(), ENDS, st.floats(0, 6)), min_size=1, max_size=24),
    st.lists(st.integers(0, 7), max_size=60),
)
def test_no_place_is_lost_or_given_twice_however_the_requests_end(
    places: int, share: float, requests: list[tuple[bool, str, float]], choices: list[int]
) -> None:
    lanes = Lanes(places, share)
    state, stage = AccountState(account="a", carrier="acme", lanes=lanes), Stage(answered, choices)
    bulk_places = min(places, max(1, int(places * share)))

    def sound() -> None:
        taken, bulk = lanes.taken
        assert 0 <= bulk <= min(taken, bulk_places) and taken <= places

    stage.after_step = sound
    ends = []
    for bulk, end, after in requests:
        made = context(state=state, until=4.0, settings=Settings(attempts=1, breaker_failures=1000), bulk=bulk)
        ends.append((after, end, stage.enter(stack(PLAIN, made).send(LOOK))))
    for after, end, actor in sorted(ends, key=lambda item: item[0]):
        stage.play(until=after)
        if end != "play" and not actor.done:
            getattr(stage, end)(actor)
    stage.play()

    assert lanes.taken == (0, 0)
    assert lanes.waiting == 0


def test_a_single_call_goes_before_work_of_lists_that_waits_longer() -> None:
    state = AccountState(account="a", carrier="acme", lanes=Lanes(1))
    stage = Stage(lambda request, at: (1.0, reply()(request)))
    ended: list[str] = []

    def named(name: str, bulk: bool) -> Any:
        yield from stack(PLAIN, context(state=state, bulk=bulk)).send(LOOK)
        ended.append(name)

    for index in range(3):
        stage.enter(named(f"bulk {index}", True))
    stage.play(until=0.5)
    stage.enter(named("single", False))
    stage.play()
    assert ended == ["bulk 0", "single", "bulk 1", "bulk 2"]


def test_work_of_lists_leaves_places_free() -> None:
    lanes = Lanes(4, 0.75)
    assert [lanes.enter(True) is None for _ in range(4)] == [True, True, True, False]
    assert lanes.enter(False) is None


def test_who_gets_no_place_in_time_is_told_that_nothing_left() -> None:
    state = AccountState(account="a", carrier="acme", lanes=Lanes(1))
    stage = Stage(lambda request, at: (100.0, reply()(request)))
    actors = [stage.enter(stack(PLAIN, context(state=state, until=5.0)).send(LOOK)) for _ in range(2)]
    stage.play(until=6.0)
    error = actors[1].failure
    assert isinstance(error, DeadlineError)
    assert error.reached_carrier is ReachedCarrier.NO
    assert len(stage.sent) == 1


def test_threads_and_tasks_wait_for_their_turn_without_standing_in_each_others_way() -> None:
    lanes = Lanes(2, 1, threading.Lock())
    state = AccountState(account="a", carrier="acme", lanes=lanes, lock=threading.Lock())
    most: list[int] = []

    def run(bulk: bool) -> Any:
        def send(request: Request) -> Any:
            most.append(lanes.taken[0])
            from shipkit.flow import sleep

            yield from sleep(0.01)
            return reply()(request)

        from shipkit.client.clock import seconds
        from shipkit.policy.guard import guarded

        return guarded(send, context(state=state, until=seconds() + 30, bulk=bulk))(LOOK)

    with Client({}) as client:
        threads = [threading.Thread(target=client._run, args=(run(index % 2 == 0),)) for index in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(most) == 16 and max(most) <= 2 and lanes.taken == (0, 0)

    async def tasks() -> None:
        async with AsyncClient({}) as other:
            running = [asyncio.create_task(other._run(run(index % 2 == 0))) for index in range(16)]
            await asyncio.sleep(0.005)
            running[5].cancel()
            began = time.monotonic()
            await asyncio.sleep(0)
            assert time.monotonic() - began < 1
            await asyncio.gather(*running, return_exceptions=True)
            assert running[5].cancelled()

    asyncio.run(tasks())
    assert len(most) == 31 and max(most) <= 2
    assert lanes.taken == (0, 0) and lanes.waiting == 0
