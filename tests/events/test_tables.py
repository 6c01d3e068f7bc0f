"""The tables of the fold are those that were agreed."""

from __future__ import annotations

from pathlib import Path

from shipkit.events import TRANSITIONS, Effect, facts_of
from shipkit.model import Actor, Milestone, Reason, Severity
from tests.model.tables import table


def test_the_transitions_are_those_of_the_table(shared: Path) -> None:
    wanted = {}
    for row in table(shared, "transitions"):
        effect, _, meant = row["effect"].partition(":")
        wanted[Milestone(row["from"]), Milestone(row["event_milestone"])] = (effect, meant, row["anomaly"])
    found = {
        key: (step.effect.value, str(step.milestone or ""), str(step.anomaly or ""))
        for key, step in TRANSITIONS.items()
    }
    assert found == wanted


def test_the_transitions_are_total() -> None:
    states = list(Milestone)
    assert set(TRANSITIONS) == {
        (state, event) for state in states for event in states if event is not Milestone.UNKNOWN
    }
    for step in TRANSITIONS.values():
        assert (step.milestone is not None) == (step.effect is Effect.REWRITE)


def test_every_reason_has_the_facts_of_the_table(shared: Path) -> None:
    rows = table(shared, "reasons")
    for row in rows:
        facts = facts_of(Reason(row["reason"]))
        found = (facts.category, facts.severity.value, facts.responsible, facts.action_by.value)
        assert found == (row["category"], row["severity"], row["responsible"], row["action_by"])
    assert len(rows) == len(Reason)


def test_a_reason_that_is_not_known_asks_nobody_to_act() -> None:
    facts = facts_of(Reason("struck_by_meteor"))
    assert (facts.category, facts.severity, facts.action_by) == ("", Severity.INFO, Actor.NOBODY)
