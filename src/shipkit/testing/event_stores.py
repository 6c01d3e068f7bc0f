"""The contract of event stores: what every store of parcels on their way keeps to, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .event_store_beside import EventsBeside
from .event_store_inbox import InboxChecks
from .event_store_outbox import OutboxChecks
from .event_store_parcels import ParcelChecks
from .event_store_races import EventRaceChecks
from .event_store_retention import RetentionChecks
from .event_store_values import EventPlaces, EventWorld

__all__ = ["EventStoreContract"]


class EventStoreContract(InboxChecks, ParcelChecks, OutboxChecks, RetentionChecks, EventRaceChecks):
    """Subclass it and give the fixture ``event_places``.

    It is called for a new place in which there is nothing (a file name, a schema), and gives a function that opens a
    store there, with the clock that it is handed. That is called again for every further worker; a store that lives in
    memory gives the same one back.
    """

    steps: ClassVar[int | None] = None
    """How many random orders of 25 calls are tried; None: as many, and as long, as the Hypothesis profile says."""

    @pytest.fixture
    def event_places(self) -> EventPlaces:
        """How stores are opened."""
        raise NotImplementedError("give the contract a store: override the fixture event_places")

    @pytest.fixture
    def event_world(self, event_places: EventPlaces) -> Iterator[EventWorld]:
        """Stores on a clock in the test's hands."""
        made = EventWorld(event_places)
        yield made
        made.close()

    def test_any_order_of_calls_is_answered_as_by_the_store_in_memory(self, event_places: EventPlaces) -> None:
        """Random calls on both, side by side: the same answers, and the same state in the end."""
        slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
        chosen = settings(deadline=None, suppress_health_check=slow)
        if self.steps is not None:
            chosen = settings(chosen, max_examples=self.steps, stateful_step_count=25)
        machine: Any = lambda: EventsBeside(EventWorld(event_places))  # noqa: E731 (a factory does for a class)
        run_state_machine_as_test(machine, settings=chosen)
