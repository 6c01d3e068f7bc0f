"""The audit trail: whatever is changed in it, taken out of it or cut off it is found."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st

from shipkit import MemoryStore
from shipkit.ports import Entry, Step
from shipkit.store.audit import EVENTS, broken_at
from shipkit.testing.store_values import SHIPMENT, WITH_LABEL, Hands, claim

FIELDS = [field.name for field in attrs.fields(Step)]


@cache
def kept() -> tuple[tuple[Step, ...], Entry]:
    """A key's trail of two generations, and its row."""
    clock = Hands()
    store = MemoryStore(clock=clock)
    entry = store.claim(claim())
    assert entry is not None
    store.doubt(entry, "unavailable")
    clock.at += 5000
    row = store.read("order-1")
    assert row is not None
    store.absent(row, store.now(), 3)
    store.close_key("order-1", "not there")
    second = store.claim(claim(generation=2))
    assert second is not None
    store.book(entry, "S0", SHIPMENT, True)
    store.book(second, "S1", WITH_LABEL, True)
    newest = store.read("order-1")
    assert newest is not None
    return store.history("order-1"), newest


LAST = 7
LINES = st.integers(0, LAST - 1)


def test_what_nobody_touched_is_whole() -> None:
    steps, row = kept()
    assert len(steps) == LAST and broken_at(steps, row) is None


@given(line=LINES, name=st.sampled_from(FIELDS), number=st.integers(-3, 99), text=st.text(max_size=20))
def test_any_field_of_any_line_that_is_changed_is_found(line: int, name: str, number: int, text: str) -> None:
    steps, row = kept()
    was: Any = getattr(steps[line], name)
    now: Any = (
        number if isinstance(was, int) else text if isinstance(was, str) else was + timedelta(microseconds=number)
    )
    assume(now != was)
    forged = attrs.evolve(steps[line], **{name: now})
    for row_too in (row, None):
        assert broken_at((*steps[:line], forged, *steps[line + 1 :]), row_too) is not None


@given(first=LINES, second=LINES)
def test_lines_that_changed_places_are_found(first: int, second: int) -> None:
    assume(first != second)
    steps, row = kept()
    swapped = list(steps)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert broken_at(swapped, row) is not None


@given(taken=st.sets(LINES, min_size=1))
def test_lines_that_were_taken_out_are_found_at_the_end_too(taken: set[int]) -> None:
    steps, row = kept()
    assert broken_at([step for number, step in enumerate(steps) if number not in taken], row) is not None


@given(line=st.integers(0, LAST), copied=LINES)
def test_a_line_that_was_put_in_is_found(line: int, copied: int) -> None:
    steps, row = kept()
    assert broken_at((*steps[:line], steps[copied], *steps[line:]), row) is not None


def test_every_event_of_it_has_a_name_that_is_known() -> None:
    assert {step.event for step in kept()[0]} <= set(EVENTS)
