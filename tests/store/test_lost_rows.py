"""A store that lost its newest commits is brought a booking by a worker that still holds the claim."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit.ports import Entry, Phase
from shipkit.testing.store_values import WITH_LABEL, Hands, claim, plain
from tests.store.world import Worlds


@pytest.fixture
def entry(kind: str, worlds: Worlds, clock: Hands) -> Entry:
    """A claim, as its sender holds it."""
    row: Entry = worlds.store(kind, clock).claim(claim())
    return row


@pytest.fixture
def emptied(entry: Entry, kind: str, worlds: Worlds, clock: Hands) -> Any:
    """The store without what was committed last."""
    return worlds.store(kind, clock)


def test_a_booking_brought_for_a_row_that_was_lost_is_kept_with_its_label(entry: Entry, emptied: Any) -> None:
    assert emptied.book(entry, "B1", WITH_LABEL, True) is Phase.SUCCEEDED

    row = emptied.read("order-1")
    assert (row.phase, row.booking, row.attempt, row.complete) == (Phase.SUCCEEDED, "B1", 1, True)
    assert plain(row) == plain(attrs.evolve(row, request=entry.request, result=WITH_LABEL))
    assert [(step.event, step.before, step.after) for step in emptied.history("order-1")] == [("book", "", "succeeded")]
    assert emptied.claim(claim()) is None
    assert emptied.book(entry, "B2", WITH_LABEL, True) is None
    assert [stray.booking for stray in emptied.strays("order-1")] == ["B2"]


def test_a_booking_of_a_lost_row_whose_key_has_gone_on_is_a_stray(entry: Entry, emptied: Any) -> None:
    emptied.claim(claim(base="MNBVCXZLKJHGF"))
    late = attrs.evolve(entry, generation=7)

    assert emptied.book(late, "B7", WITH_LABEL, True) is None

    assert [(stray.booking, stray.generation) for stray in emptied.strays("order-1")] == [("B7", 7)]
    assert emptied.read("order-1").phase is Phase.IN_FLIGHT
