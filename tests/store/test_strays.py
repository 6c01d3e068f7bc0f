"""Further bookings: what was set aside, what is gone, and whose turn it is."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit.ports import Entry, Phase
from shipkit.testing.store_values import SHIPMENT, WITH_BOTH, WITH_LABEL, Hands, claim, plain, plain_stray
from tests.store.world import Worlds


@pytest.fixture
def store(kind: str, worlds: Worlds, clock: Hands) -> Any:
    return worlds.store(kind, clock)


def booked(store: Any, key: str = "order-1") -> Entry:
    store.book(store.claim(claim(key)), "B1", SHIPMENT, True)
    row: Entry = store.read(key)
    return row


def test_what_is_set_aside_is_kept_once_with_its_papers_and_moves_no_row(store: Any) -> None:
    entry = store.claim(claim())
    before = plain(store.read("order-1"))
    for _ in range(2):
        store.set_aside(entry, "B9", WITH_BOTH)
    (kept,) = store.strays("order-1")
    whole = attrs.evolve(kept, result=WITH_BOTH)
    assert (kept.booking, kept.phase) == ("B9", "shown") and plain_stray(kept) == plain_stray(whole)
    assert plain(store.read("order-1")) == before and store.open_strays(10) == ()
    assert [(step.event, step.booking, step.detail) for step in store.history("order-1")][1:] == [
        ("stray", "B9", "shown")
    ]
    assert store.book(entry, "B9", WITH_LABEL, True) is Phase.SUCCEEDED, "it may be the booking after all"


def test_what_was_gone_is_open_again_with_what_came_in_now(store: Any) -> None:
    row = booked(store)
    store.book(row, "B2", WITH_BOTH, True)
    store.end_stray(store.strays("order-1")[0], "gone")
    assert store.open_strays(10) == ()
    store.book(row, "B2", WITH_LABEL, True)
    (again,) = store.open_strays(10)
    assert plain_stray(again) == plain_stray(attrs.evolve(again, result=WITH_LABEL))
    for phase in ("voided", "shown"):
        store.book(row, phase, WITH_LABEL, True)
        store.end_stray(next(one for one in store.open_strays(10) if one.booking == phase), phase)
        store.book(row, phase, WITH_LABEL, True)
        assert {stray.booking: stray.phase for stray in store.strays("order-1")}[phase] == phase


def test_one_that_nothing_could_be_done_about_waits_behind_all_others(store: Any, clock: Hands) -> None:
    for number in range(3):
        clock.at += 1
        store.book(booked(store, f"order-{number}"), f"S{number}", SHIPMENT, True)
    clock.at += 1
    (first,) = store.open_strays(1)
    store.put_last(first)
    assert [stray.booking for stray in store.open_strays(10)] == ["S1", "S2", "S0"]
    store.end_stray(store.open_strays(1)[0], "voided")
    store.put_last(store.strays("order-1")[0])
    assert [stray.booking for stray in store.open_strays(10)] == ["S2", "S0"]
