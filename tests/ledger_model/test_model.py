"""The real driver through every order of events, near ones here; ``python -m tests.ledger_model`` goes further."""

from __future__ import annotations

import attrs
import pytest

from tests.ledger_model.exploring import explore, wander
from tests.ledger_model.setups import BOUNDS, SETUPS
from tests.ledger_model.world import Left, Setup, State, World

pytestmark = pytest.mark.campaign

_BOUND = BOUNDS["quick"]


@pytest.mark.slow
@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_whatever_happens_in_whatever_order_the_promise_holds(setup: Setup) -> None:
    searched = explore(World(setup), preemptions=_BOUND.preemptions, states=_BOUND.states)
    assert searched.broken is None, "\n".join(searched.trace)
    walked = wander(World(setup), seed=1, walks=_BOUND.walks)
    assert walked.broken is None, "\n".join(walked.trace)


def test_two_calls_are_searched_to_the_end() -> None:
    found = explore(World(_setup(Left(create=2))), preemptions=1)
    assert found.finished
    assert found.broken is None


@pytest.mark.parametrize("swept", [True, False], ids=["sweep on", "sweep off"])
def test_without_bounds_nothing_but_what_is_not_promised_can_break(swept: bool) -> None:
    """The second booking exists for a moment, so the search must see it: else it would prove nothing."""
    late = _setup(Left(create=2, lose=1), delay=None, hidden=None, sweep=swept)
    assert explore(World(late), preemptions=0, states=5_000).broken is not None


@pytest.mark.parametrize("left", [Left(create=2), Left(create=1, cancel=1), Left(create=1, lose=2, crash=1)])
def test_runs_that_stand_at_the_same_place_may_be_taken_for_one(left: Left) -> None:
    setup = _setup(left)
    assert _seen(World(setup, merging=True)) == _seen(World(setup, merging=False))


def _seen(world: World) -> set[object]:
    """Everything but the workers, as it stands in all states that can be reached."""
    seen: set[object] = set()

    def noted(state: State) -> int:
        seen.add((state.stored, state.books, state.at, state.left, state.handed))
        return _key(state)

    _key = State.key
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "key", noted)
        assert explore(world, preemptions=1).finished
    return seen


def _setup(left: Left, **changes: object) -> Setup:
    return attrs.evolve(Setup(name="", left=left, sweep=False), **changes)  # type: ignore[arg-type]


def test_a_piece_whose_whole_was_lost_by_the_store_is_not_bought_by_itself() -> None:
    """Else its row is in the way of the plan that the host's next call makes, for ever."""
    planned = (("create", 0), *(("step", 0),) * 4, ("failover", 0))
    setup = _setup(Left(create=1, failover=1), pieces=2, sweep=True)
    found = explore(World(setup), prefix=planned, preemptions=0)
    assert found.finished
    assert found.broken is None, "\n".join(found.trace)
