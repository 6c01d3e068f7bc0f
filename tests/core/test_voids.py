"""The void policy as a question: once no, always no; never yes against a no; unknown when a fact is missing."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import InputError
from shipkit.model import BookingState, CutOff, Milestone, RefundMode, Shipment, Timeline, VoidPolicy, Weekday
from shipkit.voids import CanCancel, can_cancel

AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)  # a Monday
BOOKED = Shipment(
    shipment_id="S1",
    reference="SO042",
    state=BookingState.CONFIRMED,
    service="HOME",
    packages=(),
    tracking_numbers=(),
    created_at=AT,
)
PARIS = "Europe/Paris"
SIX = tuple(CutOff(weekday=day, at=time(18), zone=PARIS) for day in Weekday if day is not Weekday.SUNDAY)


def timeline(milestone: Milestone) -> Timeline:
    return Timeline(
        scope="S1",
        milestone=milestone,
        entries=(),
        events=(),
        exceptions=(),
        anomalies=(),
        evidence_count=1,
        mapping_versions=frozenset(),
        revision=1,
    )


MAYBE = st.sampled_from([None, True, False])
POLICIES = st.builds(
    VoidPolicy,
    window_h=st.none() | st.integers(0, 24 * 40),
    until_manifested=MAYBE,
    until_first_scan=MAYBE,
    refund=st.sampled_from([None, *RefundMode]),
    per_package=MAYBE,
    closes=st.sampled_from([(), SIX, SIX[:1]]),
)
FACTS = st.fixed_dictionaries(
    {
        "timeline": st.none() | st.sampled_from(list(Milestone)).map(timeline),
        "manifested": MAYBE,
    }
)
SHIPMENTS = st.sampled_from(list(BookingState)).map(lambda state: attrs.evolve(BOOKED, state=state))
MOMENTS = st.integers(-60, 60 * 24 * 60).map(lambda minutes: AT + timedelta(minutes=minutes))


@given(SHIPMENTS, POLICIES, FACTS, MOMENTS, MOMENTS)
def test_once_no_it_is_never_yes_again(
    shipment: Shipment, policy: VoidPolicy, facts: dict[str, Any], one: datetime, other: datetime
) -> None:
    earlier, later = sorted([one, other])
    before = can_cancel(shipment, earlier, policy, **facts)
    after = can_cancel(shipment, later, policy, **facts)
    if before.answer is CanCancel.NO:
        assert after.answer is CanCancel.NO
    if after.answer is not CanCancel.NO:
        assert after.answer is before.answer
    assert before.until == after.until


@given(SHIPMENTS, POLICIES, FACTS, MOMENTS)
def test_it_is_never_yes_when_a_condition_says_no_or_a_fact_is_missing(
    shipment: Shipment, policy: VoidPolicy, facts: dict[str, Any], now: datetime
) -> None:
    found = can_cancel(shipment, now, policy, **facts)
    manifested = True if shipment.state is BookingState.MANIFESTED else facts["manifested"]
    known = facts["timeline"]
    if found.answer is CanCancel.YES:
        assert shipment.state not in (BookingState.VOIDED, BookingState.VOIDING, BookingState.IN_DOUBT)
        assert policy.window_h is None or now < AT + timedelta(hours=policy.window_h)
        assert found.until is None or now < found.until
        assert not policy.until_manifested or manifested is False
        assert not policy.until_first_scan or (known is not None and known.milestone.phase in ("none", "pre"))
        stated = (policy.window_h, policy.until_manifested, policy.until_first_scan)
        assert policy.closes or any(one is not None for one in stated)
    assert found.code and found.text
    assert (found.refund, found.per_package) == (policy.refund, policy.per_package)
    if found.until is not None:
        assert found.until.tzinfo is not None


@given(POLICIES, FACTS, MOMENTS)
def test_more_knowledge_never_turns_a_no_into_a_yes(policy: VoidPolicy, facts: dict[str, Any], now: datetime) -> None:
    less = can_cancel(BOOKED, now, policy)
    more = can_cancel(BOOKED, now, policy, **facts)
    if less.answer is CanCancel.NO:
        assert more.answer is CanCancel.NO


@pytest.mark.parametrize(
    ("policy", "facts", "hours", "answer", "code"),
    [
        (None, {}, 0, "unknown", "not_stated"),
        (VoidPolicy(per_package=True), {}, 0, "unknown", "not_stated"),
        (VoidPolicy(window_h=24), {}, 23.9, "yes", "open"),
        (VoidPolicy(window_h=24), {}, 24, "no", "window_over"),
        (VoidPolicy(until_first_scan=True), {}, 1, "unknown", "scan_unknown"),
        (VoidPolicy(until_first_scan=True), {"timeline": timeline(Milestone.ANNOUNCED)}, 1, "yes", "open"),
        (VoidPolicy(until_first_scan=True), {"timeline": timeline(Milestone.IN_TRANSIT)}, 1, "no", "scanned"),
        (VoidPolicy(until_manifested=True), {}, 1, "unknown", "manifest_unknown"),
        (VoidPolicy(until_manifested=True), {"manifested": True}, 1, "no", "manifested"),
        (VoidPolicy(until_manifested=True), {"manifested": False}, 1, "yes", "open"),
        (VoidPolicy(closes=SIX), {}, 7.9, "yes", "open"),  # 17:54 in Paris
        (VoidPolicy(closes=SIX), {}, 8, "no", "day_closed"),  # 18:00 in Paris
        (VoidPolicy(closes=SIX[2:3]), {}, 55.9, "yes", "open"),  # closed on Wednesdays only
        (VoidPolicy(closes=SIX[2:3]), {}, 56, "no", "day_closed"),
    ],
)
def test_each_condition_has_its_answer_and_code(
    policy: VoidPolicy | None, facts: dict[str, Any], hours: float, answer: str, code: str
) -> None:
    found = can_cancel(BOOKED, AT + timedelta(hours=hours), policy, **facts)
    assert (found.answer.value, found.code) == (answer, code)


def test_a_day_that_changes_its_clock_closes_at_its_own_local_time() -> None:
    saturday = attrs.evolve(BOOKED, created_at=datetime(2026, 3, 28, 18, 0, tzinfo=timezone.utc))
    sunday = VoidPolicy(closes=(CutOff(weekday=Weekday.SUNDAY, at=time(18), zone=PARIS),))
    found = can_cancel(saturday, AT, sunday)
    assert found.until == datetime(2026, 3, 29, 16, 0, tzinfo=timezone.utc)  # summer time since that night


def test_a_zone_that_nobody_knows_leaves_it_unknown() -> None:
    policy = VoidPolicy(closes=(CutOff(weekday=Weekday.MONDAY, at=time(18), zone="Mars/Olympus"),))
    assert can_cancel(BOOKED, AT, policy).answer is CanCancel.UNKNOWN


def test_a_moment_without_a_zone_is_refused_and_an_answer_is_no_truth_value() -> None:
    with pytest.raises(InputError):
        can_cancel(BOOKED, datetime(2026, 3, 2), None)
    with pytest.raises(TypeError):
        bool(can_cancel(BOOKED, AT, None))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe"])
def test_a_day_that_closes_in_a_zone_nobody_knows_leaves_a_yes_open_whatever_the_other_days_say(zone: str) -> None:
    """The unknown one may have passed already; what surely has passed is a no all the same."""
    mars = CutOff(weekday=Weekday.MONDAY, at=time(10), zone=zone)
    policy = VoidPolicy(closes=(mars, *SIX[1:]))

    assert can_cancel(BOOKED, AT + timedelta(hours=3), policy).code == "not_stated"
    assert can_cancel(BOOKED, AT + timedelta(days=2), policy).code == "day_closed"
