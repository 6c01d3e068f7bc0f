"""Facts that cannot be right are found by themselves."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit import model as m
from shipkit.testing.soundness import unsound
from tests.constraints.facts import ACME as PLAIN
from tests.recordings.accounts import ACCOUNTS
from tests.testing.carriers import FACTS

ACME = attrs.evolve(PLAIN, operations=FACTS.operations)


def rule(**changes: Any) -> dict[str, Any]:
    return {"field_rules": (m.FieldRule(**{"path": "/reference", **changes}),)}


def condition(subject: m.PredicateSubject, operator: m.PredicateOperator, *values: str) -> dict[str, Any]:
    return rule(required_when=(m.Predicate(subject=subject, operator=operator, values=values),))


@pytest.mark.parametrize("code", ACCOUNTS)
def test_the_facts_of_our_plugins_are_sound(code: str) -> None:
    assert unsound(ACCOUNTS[code].facts()) == []


def test_facts_that_use_everything_can_be_sound() -> None:
    assert unsound(ACME) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"operations": {}},
            f"operations: nothing is said of {', '.join(map(str, m.Operation))}",
        ),
        ({"services": ACME.services * 2}, "services: home is listed 2 times"),
        ({"options": ACME.options * 2}, "options: signature is listed 2 times"),
        (
            {"services": (m.ServiceLevel(carrier="other", code="x", name="X"),)},
            "services: x is said to be of other",
        ),
        (rule(path="/ship_to/adress/lines/*"), "field_rules: no request has /ship_to/adress/lines/*"),
        (rule(path="/reference/*"), "field_rules: no request has /reference/*"),
        (rule(path="/packages/*/references/*/valeu"), "field_rules: no request has /packages/*/references/*/valeu"),
        (rule(pattern="["), "field_rules: the pattern of /reference is no regular expression"),
        (rule(charset="latin-99"), "field_rules: the charset of /reference is unknown"),
        (
            condition(m.PredicateSubject.WEIGHT, m.PredicateOperator.ABOVE, "30"),
            "field_rules: /reference compares the weight with no amount and unit",
        ),
        (
            condition(m.PredicateSubject.LANE, m.PredicateOperator.IS),
            "field_rules: /reference compares the lane with nothing",
        ),
        ({"lanes": (m.Lane(origins=frozenset({"UK"})),)}, "lanes: UK is no country"),
        (
            {"recovery": m.RecoveryFacts(mode=m.RecoveryMode.FIND, find=m.FindMethod.EXACT_ALL)},
            "recovery: where does the mark go (mark_field)?",
        ),
        (
            {"recovery": m.RecoveryFacts(mode=m.RecoveryMode.FIND, mark_field="ref")},
            "recovery: how is a booking looked up (find)?",
        ),
        (
            {"recovery": m.RecoveryFacts(mode=m.RecoveryMode.NATIVE_KEY, mark_field="Idempotency-Key", settle_s=0)},
            "recovery: a booking can always be on its way (settle_s)",
        ),
    ],
)
def test_what_cannot_be_right_is_said(changes: dict[str, Any], said: str) -> None:
    assert said in unsound(attrs.evolve(ACME, **changes))
