"""A small campaign on every run of the tests, and proof that its judge sees what a broken ledger does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from shipkit import MemoryStore
from shipkit.simulator import FAULTS
from tests.faults import carriers, kills, plans, same_keys, schedules

pytestmark = [pytest.mark.campaign, pytest.mark.slow]


@pytest.mark.parametrize("number", range(24))
def test_a_random_schedule_keeps_every_promise(number: int) -> None:
    plan = plans.planned(101, number)
    verdict = schedules.run(plan)

    assert verdict.violations == []
    booked = [move for round_ in plan.rounds for moves in round_.moves for move in moves if move.op == "book"]
    # A call that is cut short may be gone before it has asked for anything.
    assert verdict.counts["intents"] + verdict.counts["requests"] > 0 or all(move.cut_s for move in booked)


def test_every_fault_is_aimed_at_every_exchange_of_every_carrier() -> None:
    aimed = {
        (plan.carrier, plan.faults[0].name, plan.faults[0].operation)
        for plan in (plans.planned(1, number) for number in range(400))
    }

    assert {name for _, name, _ in aimed} == set(FAULTS)
    assert aimed == {(code, *pair) for code in carriers.CODES for pair in plans.pairs(code)}


def test_delays_cross_the_settling_time_in_both_directions() -> None:
    every = [plans.planned(1, number) for number in range(200)]

    assert all(plans.late_s(plan.faults) < plans.SETTLE_S for plan in every if plan.bounded)
    assert any(plans.late_s(plan.faults) > 0 for plan in every if plan.bounded)
    assert any(plans.late_s(plan.faults) > plans.SETTLE_S for plan in every if not plan.bounded)
    assert {plan.sweep for plan in every if plan.bounded} == {True, False}


def _absent_at_once(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda store, entry, asked_at, most: right(store, entry, max(asked_at, entry.settle_at), most)


def _lost_is_refused(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda store, entry, error: store.refuse(entry, error)


def _nothing_is_due(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *_, **__: ()


def _no_wish(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda store, key: attrs.evolve(store.read(key), void_wanted=True) if store.read(key) else None


@pytest.mark.parametrize(
    ("method", "broken"),
    [
        ("absent", _absent_at_once),
        ("doubt", _lost_is_refused),
        ("due", _nothing_is_due),
        ("want_void", _no_wish),
    ],
)
def test_the_judge_sees_a_broken_ledger(method: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, method, broken(getattr(MemoryStore, method)))
    every = (plans.planned(1, number) for number in range(400))
    seen = (schedules.run(plan).violations for plan in every if plan.store == "memory")

    assert any(seen)


@pytest.mark.process
@pytest.mark.parametrize("number", range(4))
def test_a_killed_worker_breaks_no_promise(number: int) -> None:
    verdict = kills.run(kills.processes(), kills.planned(1, number, ("sqlite",)), None)

    assert verdict.violations == []


@pytest.mark.process
def test_eight_processes_on_the_same_keys_buy_each_once() -> None:
    part = same_keys.run(kills.processes(), "sqlite", 25, None)

    assert part.wrong == []
