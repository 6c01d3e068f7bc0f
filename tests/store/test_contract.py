"""The state table against the stores on a server; `tests.core.test_ledger` holds the other two against it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit.ledger import TABLE
from shipkit.ports import Phase
from tests.core.test_ledger import EVENTS, Clock, apply, holds, in_phase
from tests.store.world import Worlds, need, plain

# Whether it is wished undone, whether time has passed, whether it is the last attempt.
CIRCUMSTANCES = {
    "postgres": [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, True, True),
        (True, True, False),
    ],
    "host": [(False, False, False), (True, True, False)],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgres", "host"])
@pytest.mark.parametrize("phase", list(Phase))
def test_a_store_on_a_server_does_what_the_state_table_says_and_nothing_else(
    kind: str, phase: Phase, worlds: Worlds
) -> None:
    need(kind)
    for event in EVENTS:
        rows = [t for t in TABLE if t.phase is phase and t.event == event]
        for void_wanted, late, last in CIRCUMSTANCES[kind]:
            clock = Clock()
            store, row = in_phase(lambda clock: worlds.store(kind, clock), phase, clock, void_wanted=void_wanted)
            if late:
                clock.at += 5000
            before = standing(store, row)
            holding = [t for t in rows if holds(t.guard, row, late=late, last=last, event=event)]
            expected = holding[0].then if holding else phase

            assert apply(event, store, row, last_attempt=last) is expected, (event, void_wanted, late, last)
            # A wish is kept whatever the phase, and a booking that is not the row's is a line about a stray.
            if not rows and event not in ("want_void", "book"):
                assert standing(store, row) == before, f"{event} is none of this phase's events"
            store.close()


def standing(store: Any, row: Any) -> Any:
    """The row and its trail."""
    return plain(store.read(row.key)), [attrs.astuple(step) for step in store.history(row.key)]
