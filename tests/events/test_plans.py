"""When a parcel is asked for next: total, never in the past, never stuck, deterministic, and it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError
from shipkit.events.plans import DEFAULT_PLAN, PollPlan, Stage, Standing, Wait, next_poll, plan_of, planned, standing
from shipkit.model import (
    CarrierFacts,
    LengthFacts,
    LengthUnit,
    Milestone,
    Operation,
    OperationFacts,
    PollFacts,
    RateLimit,
    RecoveryFacts,
    Support,
    Timeline,
    TrackingNumber,
    TrackQuery,
    WeightFacts,
    WeightUnit,
)
from shipkit.ports.events import Parcel

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
NUMBER = TrackQuery(number=TrackingNumber(value="AC1", carrier="acme"))


def parcel(milestone: Milestone | None = Milestone.IN_TRANSIT, age_h: float = 24, **more: object) -> Parcel:
    timeline = milestone and Timeline(
        scope="acme:AC1:2026-11-24", milestone=milestone, entries=(), events=(), exceptions=(), anomalies=(),
        evidence_count=1, mapping_versions=frozenset(), revision=1,
    )  # fmt: skip
    given: dict[str, object] = {
        "scope": "acme:AC1:2026-11-24",
        "carrier": "acme",
        "account": "acme-de",
        "number": "AC1",
        "since": NOW - timedelta(hours=age_h),
        "query": NUMBER,
        "timeline": timeline,
    }
    return Parcel(**(given | more))  # type: ignore[arg-type]


COUNTS = st.integers(0, 40) | st.sampled_from([10**3, 10**9])
PARCELS = st.builds(
    parcel,
    st.none() | st.sampled_from(Milestone),
    st.floats(-1_000, 10_000),
    scope=st.text(max_size=12),
    polls=COUNTS,
    failures=COUNTS,
    not_found=COUNTS,
    pushed_at=st.none() | st.integers(-90, 1).map(lambda hours: NOW + timedelta(hours=hours)),
)
HOURS = st.floats(0.001, 1_000)
PLANS = st.builds(
    PollPlan,
    waits=st.dictionaries(
        st.sampled_from(Stage), st.lists(st.builds(Wait, HOURS, st.none() | HOURS), max_size=3).map(tuple)
    ),
    after_end=st.dictionaries(st.sampled_from(Milestone), st.lists(HOURS, max_size=3).map(tuple)),
    quiet_factor=st.floats(0.1, 10),
    quiet_most=st.floats(0.5, 10),
    pushed_within_h=HOURS,
    pushed_factor=st.floats(0.1, 10),
    failure_first_h=HOURS,
    failure_most_h=HOURS,
    spread=st.floats(0, 0.99),
    least_s=st.floats(1, 10_000),
    known_after_h=HOURS,
    not_found_after_h=HOURS,
    forgotten_after_answers=st.integers(1, 5),
    most_days=st.floats(0.1, 400),
)


@given(PARCELS, PLANS | st.just(DEFAULT_PLAN))
def test_a_parcel_has_a_next_time_exactly_while_it_is_asked_for_and_that_lies_ahead(
    one: Parcel, plan: PollPlan
) -> None:
    at = next_poll(one, plan, NOW)

    assert (at is not None) == standing(one, plan, NOW).asked
    assert at is None or at >= NOW + timedelta(seconds=plan.least_s) - timedelta(microseconds=1)
    assert at == next_poll(one, plan, NOW)


@given(PARCELS, PLANS | st.just(DEFAULT_PLAN))
def test_a_further_failure_never_makes_the_next_time_earlier(one: Parcel, plan: PollPlan) -> None:
    at = next_poll(one, plan, NOW)
    later = next_poll(attrs.evolve(one, failures=one.failures + 1), plan, NOW)

    assert (at is None) == (later is None)
    assert at is None or later is None or later >= at


@given(PARCELS, PLANS | st.just(DEFAULT_PLAN), st.sampled_from(["quiet", "fails", "unknown", "mixed"]))
def test_asked_again_and_again_every_parcel_ends_whatever_the_carrier_answers(
    one: Parcel, plan: PollPlan, answers: str
) -> None:
    plan = attrs.evolve(plan, least_s=max(plan.least_s, 21_600))
    now, asked = NOW, 0
    one = planned(one, plan, now)
    while one.next_poll_at is not None:
        assert one.finished_at is None
        now, asked = one.next_poll_at, asked + 1
        assert asked < 2_000, "it is asked for without end"
        kind = ("quiet", "fails", "unknown")[asked % 3] if answers == "mixed" else answers
        match kind:
            case "quiet":
                one = attrs.evolve(one, polls=one.polls + 1, failures=0, not_found=0)
            case "fails":
                one = attrs.evolve(one, failures=one.failures + 1)
            case _:
                one = attrs.evolve(one, polls=one.polls + 1, failures=0, not_found=one.not_found + 1)
        one = planned(one, plan, now)
    assert one.finished_at is not None
    assert not standing(one, plan, now).asked


@given(PARCELS)
def test_what_is_planned_twice_stays_as_it_is(one: Parcel) -> None:
    once = planned(one, DEFAULT_PLAN, NOW)

    assert planned(once, DEFAULT_PLAN, NOW) is once


def wait_h(one: Parcel) -> float:
    at = next_poll(one, attrs.evolve(DEFAULT_PLAN, spread=0), NOW)
    assert at is not None
    return (at - NOW).total_seconds() / 3_600


def test_the_nearer_the_door_the_more_often_a_parcel_is_asked_for() -> None:
    moving, door = wait_h(parcel()), wait_h(parcel(Milestone.OUT_FOR_DELIVERY))

    assert door == 1
    assert moving == 4
    assert wait_h(parcel(age_h=24 * 30)) == 24
    assert wait_h(parcel(polls=3)) == pytest.approx(4 * 1.25**3)
    assert wait_h(parcel(polls=500)) == 12


def test_a_parcel_of_which_the_carrier_told_lately_is_asked_for_less() -> None:
    assert wait_h(parcel(pushed_at=NOW - timedelta(hours=2))) == 12
    assert wait_h(parcel(pushed_at=NOW - timedelta(hours=40))) == 4


def test_failures_back_off_up_to_a_bound() -> None:
    waits = [wait_h(parcel(Milestone.OUT_FOR_DELIVERY, failures=count)) for count in (0, 1, 3, 4, 5, 6, 50)]

    assert waits == [1, 1, 1, 2, 4, 6, 6]


def test_the_end_of_a_journey_is_looked_at_twice_more_and_then_it_is_over() -> None:
    delivered = parcel(Milestone.DELIVERED)

    assert wait_h(delivered) == 12
    assert wait_h(attrs.evolve(delivered, polls=1)) == 48
    over = planned(attrs.evolve(delivered, polls=2, next_poll_at=NOW), DEFAULT_PLAN, NOW)
    assert (over.next_poll_at, over.finished_at) == (None, NOW)


def test_news_of_a_finished_parcel_opens_it_again() -> None:
    back = parcel(Milestone.RETURNING, finished_at=NOW - timedelta(days=3))

    again = planned(back, DEFAULT_PLAN, NOW)
    assert again.finished_at is None
    assert again.next_poll_at is not None


def test_an_unknown_number_is_normal_then_missing_then_given_up() -> None:
    unknown = [parcel(None, age_h=hours, not_found=2) for hours in (1, 71, 73, 335, 337)]

    assert [standing(one, DEFAULT_PLAN, NOW).value for one in unknown] == [
        "open", "open", "missing", "missing", "never_known",
    ]  # fmt: skip
    assert standing(parcel(None, age_h=337), DEFAULT_PLAN, NOW) is Standing.OPEN, "it was never asked for"


def test_a_number_that_the_carrier_forgot_is_given_up_after_some_answers() -> None:
    forgotten = [standing(parcel(not_found=count), DEFAULT_PLAN, NOW) for count in (1, 2, 3)]

    assert forgotten == [Standing.OPEN, Standing.OPEN, Standing.FORGOTTEN]


def test_parcels_that_were_booked_together_are_not_asked_for_together() -> None:
    plan = DEFAULT_PLAN
    times = {next_poll(parcel(scope=f"acme:AC{index}:d"), plan, NOW) for index in range(50)}

    assert len(times) == 50


FACTS = CarrierFacts(
    code="acme",
    name="Acme",
    interface="invented",
    operations={Operation.TRACK: OperationFacts(support=Support.YES, rate_limit=RateLimit(calls=500, per_s=86_400))},
    weight=WeightFacts(unit=WeightUnit.KG, decimals=3),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0),
    recovery=RecoveryFacts(),
    hosts={},
)


def test_what_the_carrier_states_bounds_the_plan() -> None:
    told = attrs.evolve(FACTS, polling=PollFacts(history_days=30, wait_min_s=7_200, known_after_h=400))
    plan = plan_of(told)

    assert (plan.most_days, plan.least_s, plan.known_after_h, plan.not_found_after_h) == (30, 7_200, 400, 400)
    assert plan_of(FACTS).least_s == pytest.approx(172.8)
    assert plan_of(told, attrs.evolve(DEFAULT_PLAN, most_days=10)).most_days == 10, "a host may ask for less"
    assert standing(parcel(age_h=31 * 24), plan, NOW) is Standing.TOO_OLD


@pytest.mark.parametrize(
    "wrong", [{"most_days": 0}, {"least_s": -1}, {"quiet_factor": float("inf")}, {"failure_first_h": float("nan")}]
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong: Mapping[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PollPlan(**wrong)  # type: ignore[arg-type]


def test_a_shipment_of_several_is_not_asked_for() -> None:
    whole = parcel(Milestone.DELIVERED, query=None, number="", scope="shipment:order-1")

    assert next_poll(whole, DEFAULT_PLAN, NOW) is None
    assert planned(whole, DEFAULT_PLAN, NOW).finished_at == NOW
    assert planned(attrs.evolve(whole, timeline=None), DEFAULT_PLAN, NOW).finished_at is None
