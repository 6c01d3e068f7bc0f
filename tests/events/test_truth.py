"""Simulated journeys end where they truly ended, whatever the carriers did to the news of it."""

from __future__ import annotations

import pytest

from shipkit.events import TRANSITIONS, Effect, Step, fold
from shipkit.model import Milestone
from tests.events import truth
from tests.events.worlds import ENDS, simulated


@pytest.mark.slow
def test_a_thousand_journeys_end_where_they_truly_ended() -> None:
    score = truth.scored(1_000, seed=7)
    assert [(world.number, world.end, world.style) for world in score.misses] == []
    assert set(score.ends) == set(ENDS)
    # The worlds are hard enough: each rule that others use is wrong in many of them.
    assert all(sum(score.wrong[name].values()) > 50 for name in truth.RULES)
    assert score.corrected > 100


@pytest.mark.slow
@pytest.mark.campaign
def test_ten_thousand_journeys_end_where_they_truly_ended() -> None:
    assert truth.main(["--seed", "2"]) == 0


def test_the_judge_sees_a_table_that_is_wrong() -> None:
    kept = {**TRANSITIONS, (Milestone.RETURNING, Milestone.DELIVERED): Step(Effect.MOVE)}
    worlds = [simulated(number) for number in range(300)]
    wrong = [world for world in worlds if fold(world.arrivals(), transitions=kept).milestone is not world.truth]
    right = [world for world in worlds if fold(world.arrivals()).milestone is not world.truth]
    assert {world.end for world in wrong} <= {"refused", "uncollected", "sent_back"}
    assert wrong
    assert right == []


def test_a_journey_is_the_same_whenever_it_is_simulated() -> None:
    assert simulated(5).batches == simulated(5).batches
    assert simulated(5, seed=2).batches != simulated(5).batches
