"""The search is worth something: it finds each seeded bug, and the driver without the bug passes the same search."""

from __future__ import annotations

import pytest

from tests.ledger_model.bugs import BUGS, Bug
from tests.ledger_model.exploring import explore
from tests.ledger_model.planting import Patch, planted
from tests.ledger_model.world import World

pytestmark = pytest.mark.campaign

_STATES = 60_000


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.number}: {bug.what}")
def test_a_seeded_bug_is_found_and_the_driver_without_it_passes_the_same_search(bug: Bug) -> None:
    with planted(*bug.patches):
        found = explore(World(bug.setup), prefix=bug.prefix, preemptions=bug.preemptions, states=_STATES)
    assert found.broken is not None, f"{found.states} states, and nobody noticed"
    assert found.broken.which in bug.breaks, "\n".join(found.trace)

    real = explore(World(bug.setup), prefix=bug.prefix, preemptions=bug.preemptions, states=found.states + 1)
    assert real.broken is None, "\n".join(real.trace)


def test_every_row_of_the_table_of_seeded_bugs_is_planted() -> None:
    assert {int(bug.number.rstrip("abc")) for bug in BUGS} == set(range(1, 26))


def test_a_patch_whose_code_is_gone_fails_loudly() -> None:
    patch = Patch("shipkit.ledger.recovery:_recovered", "this is not what it says", "")
    with pytest.raises(LookupError, match="does not say once"), planted(patch):
        pass


def test_a_planted_bug_is_gone_afterwards() -> None:
    function = BUGS[0].patches[0].function()
    before = function.__code__
    with planted(*BUGS[0].patches):
        assert function.__code__ is not before
    assert function.__code__ is before
