"""Checks of a store: the ledger's state table, row by row, and that nothing else moves a row."""

from __future__ import annotations

import itertools
from typing import Any

import attrs
import pytest

from shipkit.ledger import TABLE
from shipkit.ports import LedgerStore, Phase

from .store_events import EVENTS, apply, holds, in_phase, scene
from .store_values import World, claim, plain

__all__ = ["TableChecks"]

_EVERY = list(itertools.product([False, True], repeat=3))
_FEW = [(False, False, False), (True, True, False)]


class TableChecks:
    """What the table says happens, and what it does not say does not."""

    @pytest.mark.parametrize("transition", TABLE, ids=lambda t: f"{t.phase.value if t.phase else 'unused'}-{t.event}")
    def test_a_row_of_the_state_table(self, world: World, transition: Any) -> None:
        """Where its guard holds, the event leads where the table says."""
        ledger = world.empty().ledger
        if transition.phase is None:
            assert _begun(transition.event, ledger) is transition.then
            return
        row, last = scene(transition, ledger, world.clock, "order-1")
        assert apply(transition.event, ledger, row, last=last) is transition.then, transition

    @pytest.mark.parametrize("phase", list(Phase))
    def test_nothing_but_the_state_table(self, world: World, phase: Phase) -> None:
        """Every event on every phase, wished undone or not, before its time and after: no more than the table."""
        store = world.empty()
        for event in sorted(EVENTS, key=lambda event: event == "restored"):
            rows = [t for t in TABLE if t.phase is phase and t.event == event]
            for number, (void_wanted, late, last) in enumerate(_EVERY if rows else _FEW):
                # A store that was restored begins unknown keys in doubt: a new one for each, and after all else.
                ledger = (world.empty() if event == "restored" else store).ledger
                row = in_phase(ledger, phase, world.clock, f"{event}-{number}", void_wanted=void_wanted)
                if late:
                    world.clock.at += 5000
                before = _standing(ledger, row.key)
                holding = [t for t in rows if holds(t, row, late=late, last=last)]
                expected = holding[0].then if holding else phase
                assert apply(event, ledger, row, last=last) is expected, (event, void_wanted, late, last)
                # A wish is kept whatever the phase, and a booking that is not the row's is told as a further one.
                if not rows and event not in ("want_void", "book"):
                    assert _standing(ledger, row.key) == before, f"{event} is none of this phase's events"
            world.clock.at += 1


def _begun(event: str, ledger: LedgerStore) -> Phase:
    """What the first event of an unused key makes of it."""
    if event == "plan":
        ledger.plan(claim(), [claim(f"order-1#1/{number}", parent=("order-1", 1)) for number in (1, 2)])
        assert [piece.phase for piece in ledger.pieces(_read(ledger))] == [Phase.NEW, Phase.NEW]
    elif event == "restored":
        ledger.restored(60, 900)
        assert ledger.claim(claim()) is None, "a key that may be one that was lost is looked for first"
    else:
        assert ledger.claim(claim()) is not None
    phase: Phase = _read(ledger).phase
    return phase


def _read(ledger: LedgerStore) -> Any:
    return ledger.read("order-1")


def _standing(ledger: LedgerStore, key: str) -> Any:
    return plain(ledger.read(key)), [attrs.astuple(step) for step in ledger.history(key)]
