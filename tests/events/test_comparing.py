"""Two projections beside each other, and a host's books beside the evidence."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.events import fold
from shipkit.events.comparing import Belief, Change, Remapped, Repair, Verdict, compared, judged
from shipkit.model import Commitment, IntRange, Milestone, ProofOfDelivery, TrackingEvent, TransitEstimate, evolve
from tests.events.journeys import RECEIVED, at, event, evidence


def test_a_mended_table_is_shown_by_code() -> None:
    scans = [event(0, "accepted", code="A"), event(5, None, code="07", code_type="S", mapping_version="1")]
    mended = [
        evolve(one, milestone=Milestone.DELIVERED, mapping_version="2") if one.code == "07" else one for one in scans
    ]
    difference = compared(fold(scans), fold(mended))
    assert difference.milestone == Change(before="accepted", after="delivered")
    assert difference.entered == ("delivered#1",)
    assert difference.remapped == (Remapped(code="S/07", before="-/-", after="delivered/-", events=1),)
    assert difference.proof == Change(before="", after="2026-03-02T13:00:00")
    assert ("1 x S/07", "-/-", "delivered/-") in difference.rows()
    assert json.loads(json.dumps(difference.as_dict()))["remapped"] == [
        {"code": "S/07", "before": "-/-", "after": "delivered/-", "events": 1}
    ]
    back = compared(fold(mended), fold(scans))
    assert (back.left, back.entered) == (("delivered#1",), ())


def test_problems_estimates_and_anomalies_that_differ_are_shown_without_names() -> None:
    estimate = TransitEstimate(
        computed_at=RECEIVED, commitment=Commitment.TARGET, business_days=IntRange(least=1, most=3)
    )
    first = fold([event(0, "in_transit"), event(1, None, "customs_held")])
    second = fold(
        [
            event(0, "in_transit"),
            event(2, "delivered", "delivered_signed", signed_by="Jane Doe"),
            event(3, "announced"),
        ],
        transit=estimate,
    )
    difference = compared(first, second)
    assert (difference.closed, difference.opened) == (("customs_held",), ())
    assert difference.transit == Change(before="", after="target 1-3 business days")
    assert difference.anomalies == ("+late_announcement",)
    assert (difference.events_added, difference.events_removed) == (2, 1)
    assert "Doe" not in json.dumps(difference.as_dict()) + str(difference.rows())
    confirmed = evolve(second, transit=evolve(estimate, computed_at=RECEIVED + timedelta(days=1)))
    assert not compared(second, confirmed)


@given(evidence(pieces=True), evidence(pieces=True))
def test_only_what_is_equal_differs_in_nothing_and_both_ways_tell_the_same(
    one: list[TrackingEvent], other: list[TrackingEvent]
) -> None:
    a, b = fold(one, scope="s"), fold(other, scope="s")
    assert not compared(a, a)
    assert compared(a, a).rows() == ()
    there, back = compared(a, b), compared(b, a)
    assert bool(there) == bool(back)
    assert (there.entered, there.opened, there.events_added) == (back.left, back.closed, back.events_removed)
    assert json.loads(json.dumps(there.as_dict()))


SCANS = {
    "moving": [event(0, "accepted"), event(5, "in_transit")],
    "delivered": [event(0, "accepted"), event(5, "delivered")],
    "returned": [event(0, "accepted"), event(5, "delivered"), event(9, "returning"), event(20, "returned")],
    "lost": [event(0, "accepted"), event(90, "lost")],
    "nothing": [],
}


@pytest.mark.parametrize(
    ("believed", "scans", "verdict", "repair"),
    [
        ("in_transit", "moving", Verdict.AGREES, Repair.NONE),
        ("accepted", "moving", Verdict.HOST_BEHIND, Repair.TAKE_OVER),
        (None, "moving", Verdict.HOST_BEHIND, Repair.TAKE_OVER),
        ("announced", "moving", Verdict.HOST_BEHIND, Repair.TAKE_OVER),
        ("out_for_delivery", "moving", Verdict.HOST_AHEAD, Repair.ASK),
        ("delivered", "moving", Verdict.HOST_AHEAD, Repair.ASK),
        ("delivered", "returned", Verdict.HOST_BEHIND, Repair.TAKE_OVER),
        ("out_for_delivery", "delivered", Verdict.HOST_BEHIND, Repair.TAKE_OVER),
        ("delivered", "lost", Verdict.CONTRADICTION, Repair.PERSON),
        ("returned", "delivered", Verdict.CONTRADICTION, Repair.PERSON),
        ("cancelled", "moving", Verdict.CONTRADICTION, Repair.PERSON),
        ("in_transit", "nothing", Verdict.UNKNOWN, Repair.ASK),
        (None, "nothing", Verdict.AGREES, Repair.NONE),
    ],
)
def test_a_belief_is_held_against_the_evidence(
    believed: str | None, scans: str, verdict: Verdict, repair: Repair
) -> None:
    belief = Belief(key="order-1", milestone=None if believed is None else Milestone(believed))
    found = judged(belief, fold(SCANS[scans]))
    assert (found.verdict, found.repair) == (verdict, repair)
    assert found.as_dict()["believed"] == believed


def test_a_parcel_that_nobody_follows_is_to_be_followed() -> None:
    found = judged(Belief(number="1Z", milestone=Milestone.DELIVERED), None)
    assert (found.verdict, found.repair, found.milestone) == (Verdict.UNKNOWN, Repair.FOLLOW, None)


@pytest.mark.parametrize(("days", "verdict"), [(0, Verdict.AGREES), (1, Verdict.AGREES), (4, Verdict.CONTRADICTION)])
def test_a_time_of_delivery_may_be_off_by_a_day(days: int, verdict: Verdict) -> None:
    believed = datetime(2026, 3, 2, 13, tzinfo=timezone.utc) + timedelta(days=days)
    belief = Belief(milestone=Milestone.DELIVERED, delivered_at=believed)
    assert judged(belief, fold(SCANS["delivered"])).verdict is verdict
    proof = ProofOfDelivery(delivered_at=at(5))
    assert judged(belief, fold(SCANS["delivered"], proof=proof)).verdict is verdict


@given(st.sampled_from([*Milestone]), evidence())
def test_every_belief_has_a_verdict(milestone: Milestone, events: list[TrackingEvent]) -> None:
    found = judged(Belief(milestone=milestone), fold(events))
    assert (found.verdict is Verdict.AGREES) == (milestone is fold(events).milestone)
