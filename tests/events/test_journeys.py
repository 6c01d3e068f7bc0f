"""Journeys of single parcels, and what every naive rule gets wrong about them."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta, timezone

import attrs
import pytest

from shipkit.events import TRANSITIONS, Effect, Evidence, Step, changes, fold, roll_up
from shipkit.model import (
    Actor,
    Anomaly,
    AnomalyKind,
    ChangeKind,
    Classifier,
    Commitment,
    DropPlace,
    EventTime,
    Milestone,
    ProofOfDelivery,
    Reason,
    RecipientRelation,
    Severity,
    TimeBasis,
    Timeline,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TransitEstimate,
)
from tests.events.journeys import RECEIVED, at, event, on


def path(timeline: Timeline) -> list[str]:
    return [str(entry.milestone) for entry in timeline.entries]


def kinds(timeline: Timeline) -> list[AnomalyKind]:
    return [anomaly.kind for anomaly in timeline.anomalies]


SIX = [
    event(0, "announced", "label_created"),
    event(5, "accepted", "picked_up"),
    event(20, "in_transit", "arrived_at_facility"),
    event(30, "out_for_delivery", "loaded_for_delivery"),
    event(34, "delivered", "delivered_signed", signed_by="DOE"),
    event(35, None, "proof_recorded"),
]
RETURN = [
    event(0, "accepted"),
    event(10, "out_for_delivery"),
    event(14, "delivery_attempted", "refused_by_recipient"),
    event(20, "returning", "returning_to_sender"),
    event(40, "in_transit"),
    event(50, "delivered", "delivered"),
]


@pytest.mark.parametrize(("events", "milestone"), [(SIX, Milestone.DELIVERED), (RETURN, Milestone.RETURNED)])
def test_all_720_orders_of_six_events_give_one_answer(events: list[TrackingEvent], milestone: Milestone) -> None:
    wanted = fold(events)
    assert wanted.milestone is milestone
    assert all(fold(order) == wanted for order in itertools.permutations(events))


def test_a_filed_signature_does_not_undeliver_a_parcel() -> None:
    timeline = fold(SIX)
    assert timeline.terminal
    assert timeline.reason is Reason.DELIVERED_SIGNED
    assert path(timeline) == ["announced", "accepted", "in_transit", "out_for_delivery", "delivered"]
    assert timeline.anomalies == ()


def test_delivered_on_the_way_back_is_a_return_and_not_a_sale() -> None:
    assert path(fold(RETURN)) == ["accepted", "out_for_delivery", "delivery_attempted", "returning", "returned"]


def test_nothing_known_is_a_state_too() -> None:
    timeline = fold([])
    assert (timeline.milestone, timeline.scope, timeline.entries, timeline.evidence_count) == (
        Milestone.UNKNOWN,
        "",
        (),
        0,
    )
    assert fold([event(1, "unknown", "tracking_unavailable")]).entries == ()


def test_late_data_of_the_shipper_is_an_anomaly_and_no_step_back() -> None:
    timeline = fold([event(1, "accepted"), event(2, "announced")])
    assert timeline.milestone is Milestone.ACCEPTED
    late = event(2, "announced").event_id
    assert timeline.anomalies == (Anomaly(kind="late_announcement", event_id=late, milestone="accepted"),)  # type: ignore[arg-type]


def test_a_voided_label_that_travels_is_shown() -> None:
    timeline = fold([event(0, "announced"), event(1, "cancelled"), event(9, "in_transit")])
    assert timeline.milestone is Milestone.IN_TRANSIT
    assert kinds(timeline) == [AnomalyKind.MOVED_AFTER_CANCEL]


def test_a_parcel_that_was_lost_may_be_found() -> None:
    timeline = fold(
        [event(0, "in_transit"), event(90, "lost", "lost"), event(200, "in_transit"), event(220, "delivered")]
    )
    assert timeline.milestone is Milestone.DELIVERED
    assert kinds(timeline) == [AnomalyKind.LEFT_TERMINAL]


def test_a_retracted_delivery_was_none_whatever_comes_first() -> None:
    wrong = event(10, "delivered")
    withdrawn = event(12, None, "information", retracts=wrong.event_id)
    for order in itertools.permutations([event(0, "out_for_delivery"), wrong, withdrawn]):
        timeline = fold(order)
        assert timeline.milestone is Milestone.OUT_FOR_DELIVERY
        assert wrong not in timeline.events
        assert timeline.evidence_count == 3


def test_an_event_that_replaces_another_stands_in_its_place() -> None:
    wrong = event(10, "delivered")
    right = event(11, "ready_for_pickup", supersedes=wrong.event_id)
    assert path(fold([wrong, right])) == ["ready_for_pickup"]


def test_a_day_stands_before_its_early_scans_and_after_its_late_ones() -> None:
    day = date(2026, 3, 2)
    timeline = fold([event(on(day), "delivered"), event(3, "out_for_delivery"), event(on(day), "announced")])
    assert path(timeline) == ["announced", "out_for_delivery", "delivered"]
    next_morning = event(EventTime(local=datetime(2026, 3, 3, 0, 0), precision=TimePrecision.MINUTE), "returning")
    assert path(fold([next_morning, event(on(day), "delivered")])) == ["delivered", "returning"]


def test_times_with_offsets_are_ordered_by_instant_and_not_as_printed() -> None:
    east, west = event(at(20, 600), "in_transit"), event(at(12, -300), "out_for_delivery")
    assert path(fold([west, east])) == ["in_transit", "out_for_delivery"]


def test_the_same_fact_told_twice_keeps_the_fuller_record() -> None:
    poor = event(1, "delivered", code="D")
    rich = attrs.evolve(poor, signed_by="DOE", text="Delivered to DOE")
    for order in ((poor, rich), (rich, poor)):
        (kept,) = Evidence(order)
        assert kept is rich


def test_a_newer_status_table_wins_over_an_older_one_by_number() -> None:
    old = event(1, "delivered", code="X", mapping_version="ups-9")
    new = attrs.evolve(old, milestone=Milestone.READY_FOR_PICKUP, mapping_version="ups-10")
    for order in ((old, new), (new, old)):
        assert path(fold(order)) == ["ready_for_pickup"]


def test_an_open_exception_says_who_must_act_and_closes_when_the_parcel_moves_on() -> None:
    held = event(10, None, "customs_documents_missing")
    timeline = fold([event(0, "in_transit"), held])
    (problem,) = timeline.exceptions
    assert (problem.reason, problem.severity, problem.action.actor) == (
        Reason.CUSTOMS_DOCUMENTS_MISSING,
        Severity.ERROR,
        Actor.SHIPPER,
    )
    assert (problem.since, problem.event_id, problem.resolved_by) == (held.time, held.event_id, None)
    assert timeline.milestone is Milestone.IN_TRANSIT
    assert timeline.reason is Reason.CUSTOMS_DOCUMENTS_MISSING
    moved = event(40, "out_for_delivery")
    (closed,) = fold([event(0, "in_transit"), held, moved]).exceptions
    assert closed.resolved_by == moved.event_id


def test_a_scan_without_a_problem_closes_what_was_open_and_a_repeated_one_does_not_open_it_twice() -> None:
    delayed = [event(hour, "in_transit", "delayed_weather") for hour in (5, 6)]
    (problem,) = fold([event(0, "in_transit"), *delayed]).exceptions
    assert problem.event_id == delayed[0].event_id
    (closed,) = fold([event(0, "in_transit"), *delayed, event(9, "in_transit", "departed_facility")]).exceptions
    assert closed.resolved_by is not None


def test_customs_clearance_closes_customs_problems_only() -> None:
    events = [
        event(0, "in_transit"),
        event(1, None, "customs_held"),
        event(2, None, "damaged"),
        event(3, None, "customs_cleared"),
    ]
    timeline = fold(events)
    assert [(str(one.reason), one.resolved_by is None) for one in timeline.exceptions] == [
        ("damaged", True),
        ("customs_held", False),
    ]


def test_the_end_of_a_journey_closes_its_problems_and_may_open_its_own() -> None:
    timeline = fold(
        [event(0, "out_for_delivery"), event(1, None, "delayed"), event(2, "delivered", "delivered_damaged")]
    )
    assert [(str(one.reason), one.resolved_by is None) for one in timeline.exceptions] == [
        ("delivered_damaged", True),
        ("delayed", False),
    ]


def test_attempts_are_counted_by_tour_or_by_day_and_not_by_scan() -> None:
    tour = event(0, "out_for_delivery")
    first = [event(4, "delivery_attempted", "recipient_absent"), event(4.5, "delivery_attempted", "notice_left")]
    assert fold([tour, *first]).attempts == 1
    second = event(28, "delivery_attempted", "recipient_absent")
    assert fold([tour, *first, second]).attempts == 2
    assert fold([tour, *first, event(24, "out_for_delivery"), second]).attempts == 2
    (*_, last) = fold([tour, *first, second]).exceptions
    assert {one.attempts for one in fold([tour, *first]).exceptions} == {1}
    assert last.attempts is not None


def test_an_actual_event_far_ahead_of_its_receipt_is_an_anomaly() -> None:
    soon = event(
        EventTime(local=RECEIVED.replace(tzinfo=None) + timedelta(hours=20), precision=TimePrecision.MINUTE),
        "in_transit",
    )
    far = attrs.evolve(soon, time=attrs.evolve(soon.time, local=RECEIVED.replace(tzinfo=None) + timedelta(hours=40)))
    assert kinds(fold([soon])) == []
    assert kinds(fold([far])) == [AnomalyKind.FUTURE_EVENT]
    assert kinds(fold([attrs.evolve(far, classifier=Classifier.ESTIMATED)])) == []


def test_events_long_before_the_shipment_are_those_of_another_parcel() -> None:
    since = datetime(2026, 6, 1, tzinfo=timezone.utc)
    assert kinds(fold([event(0, "delivered")], since=since)) == [AnomalyKind.PREDATES_SHIPMENT]
    assert kinds(fold([event(0, "delivered")], since=since - timedelta(days=85))) == []


@pytest.mark.parametrize("local", [datetime.min, datetime.max, date.min, date.max])
def test_the_ends_of_the_calendar_fold_too(local: date) -> None:
    for offset in (None, 840, -840):
        basis = TimeBasis.NONE if offset is None else TimeBasis.OFFSET
        time = EventTime(local=local, precision=TimePrecision.DAY, offset_min=offset, basis=basis)
        for received in (datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)):
            timeline = fold([event(time, "delivered", observed_at=received)], since=RECEIVED)
            assert timeline.milestone is Milestone.DELIVERED


def test_the_latest_estimate_of_arrival_counts() -> None:
    early, late = (
        TransitEstimate(computed_at=RECEIVED - timedelta(hours=h), commitment=c)
        for h, c in ((9, Commitment.TARGET), (1, Commitment.NONE))
    )
    assert fold([event(1, transit=late), event(2, transit=early)]).transit == late
    assert fold([event(1, transit=early)], transit=late).transit == late


def test_the_events_themselves_prove_a_delivery_where_the_carrier_gives_no_proof() -> None:
    proof = fold(SIX).proof
    assert proof == ProofOfDelivery(delivered_at=SIX[4].time, signed_by="DOE")
    late_signer = [
        *SIX[:4],
        event(34, "delivered", "delivered_to_neighbour"),
        event(40, None, "proof_recorded", signed_by="ROE"),
    ]
    assert fold(late_signer).proof == ProofOfDelivery(
        delivered_at=at(34), signed_by="ROE", relation=RecipientRelation.NEIGHBOUR
    )
    assert fold([event(1, "delivered", "delivered_safe_place")]).proof == ProofOfDelivery(
        delivered_at=at(1), place=DropPlace.SAFE_PLACE
    )
    given = ProofOfDelivery(delivered_at=at(34), code_verified=True)
    assert fold(SIX, proof=given).proof == given
    assert fold(RETURN).proof is None
    assert fold(SIX[:4]).proof is None


NUMBER = TrackingNumber(value="M1", carrier="acme")


def test_events_of_several_pieces_are_one_timeline_each() -> None:
    events = [
        event(0, "announced"),
        event(5, "accepted", piece="P1"),
        event(9, "delivered", piece="P1"),
        event(6, "in_transit", piece="P2"),
    ]
    timeline = fold(events, tracking_number=NUMBER)
    assert timeline.tracking_number is None
    assert [piece.tracking_number for piece in timeline.pieces] == [
        attrs.evolve(NUMBER, value=name) for name in ("P1", "P2")
    ]
    assert [path(piece) for piece in timeline.pieces] == [
        ["announced", "accepted", "delivered"],
        ["announced", "in_transit"],
    ]
    assert timeline.milestone is Milestone.IN_TRANSIT
    assert timeline.partially_delivered
    assert timeline.evidence_count == 4
    blank = [attrs.evolve(one, piece=one.piece or "") for one in events]
    assert [path(piece) for piece in fold(blank, tracking_number=NUMBER).pieces] == [
        path(piece) for piece in timeline.pieces
    ]
    one_piece = fold([event(5, "accepted", piece="P1")], tracking_number=NUMBER)
    assert (one_piece.pieces, one_piece.tracking_number) == ((), NUMBER)


@pytest.mark.parametrize(
    ("states", "whole", "partly"),
    [
        (["delivered", "delivered"], Milestone.DELIVERED, False),
        (["delivered", "out_for_delivery"], Milestone.OUT_FOR_DELIVERY, True),
        (["announced", "in_transit"], Milestone.ANNOUNCED, False),
        (["delivered", "lost"], Milestone.LOST, True),
        (["returned", "delivered"], Milestone.RETURNED, True),
        ([], Milestone.UNKNOWN, False),
    ],
)
def test_a_shipment_is_as_far_as_its_least_advanced_open_piece(
    states: list[str], whole: Milestone, partly: bool
) -> None:
    pieces = [fold([event(1, state)], scope=str(index)) for index, state in enumerate(states)]
    timeline = roll_up(pieces, scope="s")
    assert (timeline.milestone, timeline.partially_delivered) == (whole, partly)


def test_each_entry_is_announced_once_and_an_entry_taken_back_is_corrected() -> None:
    first = fold(SIX[:3], scope="s")
    assert [(change.kind, str(change.to_milestone), change.ordinal) for change in changes(None, first)] == [
        (ChangeKind.ENTERED, milestone, 1) for milestone in ("announced", "accepted", "in_transit")
    ]
    wrong = event(31, "delivered", code="wrong")
    second = fold([*SIX[:3], wrong], previous=first)
    (entered,) = changes(first, second)
    assert (entered.from_milestone, entered.to_milestone, entered.event_id) == (
        Milestone.IN_TRANSIT,
        Milestone.DELIVERED,
        wrong.event_id,
    )
    third = fold([*SIX[:3], wrong, event(32, retracts=wrong.event_id)], previous=second)
    (corrected,) = changes(second, third)
    assert (corrected.kind, corrected.from_milestone, corrected.to_milestone) == (
        ChangeKind.CORRECTED,
        Milestone.DELIVERED,
        Milestone.IN_TRANSIT,
    )
    assert corrected.revision == third.revision == 3


def test_a_parcel_of_which_every_entry_is_taken_back_is_unknown_again() -> None:
    wrong = event(1, "delivered")
    first = fold([wrong], scope="s")
    second = fold([wrong, event(2, retracts=wrong.event_id)], scope="s", previous=first)
    (corrected,) = changes(first, second)
    assert (corrected.to_milestone, corrected.ordinal, corrected.from_milestone) == (
        Milestone.UNKNOWN,
        0,
        Milestone.DELIVERED,
    )


def test_a_host_may_fold_by_a_table_of_its_own() -> None:
    strict = {**TRANSITIONS, (Milestone.DELIVERED, Milestone.RETURNING): Step(Effect.IGNORE)}
    events = [event(1, "delivered"), event(2, "returning")]
    assert fold(events).milestone is Milestone.RETURNING
    assert fold(events, transitions=strict).milestone is Milestone.DELIVERED


def test_the_hour_that_comes_twice_is_two_hours_where_the_offset_is_printed() -> None:
    summer, winter = (
        EventTime(local=datetime(2026, 10, 25, 2, 30), precision=TimePrecision.MINUTE, offset_min=offset, basis=basis)
        for offset, basis in ((120, TimeBasis.OFFSET), (60, TimeBasis.OFFSET))
    )
    loaded, handed = event(summer, "out_for_delivery", code="X"), event(winter, "delivered", code="X")
    assert loaded.event_id != handed.event_id
    for order in ([loaded, handed], [handed, loaded]):
        assert path(fold(order)) == ["out_for_delivery", "delivered"]
    bare = [
        event(attrs.evolve(one, offset_min=None, basis=TimeBasis.NONE), "in_transit", code="X")
        for one in (summer, winter)
    ]
    assert len(Evidence(bare)) == 1  # printed without offsets nobody can tell them apart


def test_a_day_is_that_of_the_place_where_the_place_is_known() -> None:
    tokyo = EventTime(local=date(2026, 3, 2), precision=TimePrecision.DAY, offset_min=540, basis=TimeBasis.LOCATION)
    next_morning = EventTime(
        local=datetime(2026, 3, 3, 7), precision=TimePrecision.MINUTE, offset_min=540, basis=TimeBasis.OFFSET
    )
    assert path(fold([event(next_morning, "returning"), event(tokyo, "delivered")])) == ["delivered", "returning"]


def test_a_record_that_says_the_same_stays_as_it_first_came_in() -> None:
    first = event(1, "delivered")
    again = attrs.evolve(first, observed_at=RECEIVED + timedelta(days=3), source="poll")
    for order in ((first, again), (again, first)):
        (kept,) = Evidence(order)
        assert kept is first
    evidence, changed = Evidence([first]).joined([again, event(2, "returning")])
    assert [one.milestone for one in changed] == [Milestone.RETURNING]
    assert len(evidence) == 2


def test_a_version_of_any_length_is_compared_by_number() -> None:
    old, new = (attrs.evolve(event(1, code="X"), mapping_version=digits) for digits in ("9" * 5000, "1" + "0" * 5000))
    (kept,) = Evidence([new, old])
    assert kept is new


def test_a_shipment_of_one_piece_has_the_entries_of_its_piece() -> None:
    piece = fold(RETURN)
    assert roll_up([piece], scope="whole").entries == piece.entries
