"""The contract of stores: what every store keeps to, whoever wrote it.

A store's tests subclass `StoreContract`, say how it is opened, and pytest runs the checks: every row of the state
table and nothing beside it, what is told of it, many workers at once, and any order of events beside `MemoryStore`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .store_beside import Beside
from .store_ledger import LedgerChecks
from .store_races import RaceChecks
from .store_shares import ShareChecks
from .store_table import TableChecks
from .store_values import Places, World

__all__ = ["StoreContract"]


class StoreContract(TableChecks, LedgerChecks, ShareChecks, RaceChecks):
    """Subclass it and give the fixture ``places``.

    It is called for a new place in which there is nothing (a file name, a schema), and gives a function that opens a
    store there, with the clock that it is handed. That is called again for every further worker, and for what is to be
    found after closing; a store that lives in memory gives the same one back.
    """

    orders: ClassVar[int | None] = None
    """How many random orders of events are tried; None: as many as the Hypothesis profile says."""

    @pytest.fixture
    def places(self) -> Places:
        """How stores are opened."""
        raise NotImplementedError("give the contract a store: override the fixture places")

    @pytest.fixture
    def world(self, places: Places) -> Iterator[World]:
        """Stores on a clock in the test's hands."""
        made = World(places)
        yield made
        made.close()

    def test_any_order_of_events_is_answered_as_by_the_store_in_memory(self, places: Places) -> None:
        """Random events on both, side by side: row by row and line by line the same."""
        slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
        chosen = settings(deadline=None, suppress_health_check=slow)
        if self.orders is not None:
            chosen = settings(chosen, max_examples=self.orders)
        machine: Any = lambda: Beside(World(places))  # noqa: E731 (a factory does where a class is asked for)
        run_state_machine_as_test(machine, settings=chosen)
