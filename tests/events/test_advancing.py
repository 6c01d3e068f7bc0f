"""A parcel moves on by what it is told: whatever the order and the batches, to one state, each thing announced once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shipkit.codec.canon import record
from shipkit.events import TRANSITIONS, Effect, fold
from shipkit.events.advancing import advanced, divided, projected, rolled_up
from shipkit.events.folding import _place_in_time, fullest, newest
from shipkit.model import (
    AnomalyKind,
    Commitment,
    EventSource,
    Milestone,
    ProofOfDelivery,
    Timeline,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
    TransitEstimate,
    evolve,
)
from shipkit.ports.events import Parcel
from shipkit.store.event_values import event_of, event_text, forgotten_event, forgotten_parcel
from tests.events.journeys import RECEIVED, at, event, evidence
from tests.events.telling import NUMBER, PARCEL, PROOFS, TRANSITS, Consumer, Desk, all_told, answer, tellings


def batches(data: st.DataObject, told: list[TrackResult]) -> list[list[TrackResult]]:
    """*told* in any order, split anywhere, some of it twice."""
    order = list(data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=3))])))
    found: list[list[TrackResult]] = [[]]
    for one in order:
        if data.draw(st.booleans()):
            found.append([])
        found[-1].append(one)
    return [batch for batch in found if batch]


def unnumbered(timeline: Timeline | None) -> Timeline:
    assert timeline is not None
    return evolve(timeline, revision=1)


@given(tellings(), st.data())
def test_any_order_and_any_batches_of_pushes_and_answers_lead_to_one_state(
    told: list[TrackResult], data: st.DataObject
) -> None:
    one = all_told([told]).parcel
    other = all_told(batches(data, told)).parcel
    assert other.digest == one.digest
    assert unnumbered(other.timeline) == unnumbered(one.timeline)
    assert record(unnumbered(other.timeline)) == record(unnumbered(one.timeline))
    assert (other.transit, other.proof, other.absent) == (one.transit, one.proof, one.absent)


@given(tellings(), st.data())
def test_after_each_batch_the_announcements_played_in_order_are_the_present(
    told: list[TrackResult], data: st.DataObject
) -> None:
    desk = all_told(batches(data, told))
    timeline = desk.parcel.timeline
    assert timeline is not None
    entered = [key for key in desk.consumer.keys if key.startswith("s|entered|")]
    for entry in timeline.entries:
        assert f"s|entered|{entry.milestone}|{entry.ordinal}" in entered
    assert {f"s|event|{event_id}" for event_id in desk.evidence} <= set(desk.consumer.keys)


@given(tellings(), st.data())
def test_told_again_nothing_is_written_and_nothing_announced(told: list[TrackResult], data: st.DataObject) -> None:
    desk = all_told([told])
    before = desk.parcel
    later = [
        evolve(one, events=tuple(evolve(each, observed_at=each.observed_at + timedelta(days=1)) for each in one.events))
        for one in data.draw(st.lists(st.sampled_from(told), max_size=3))
    ]
    work = desk.tell(*later, answer(desk.evidence.values()))
    assert (work.events, work.announcements) == ((), ())
    assert work.after is work.before is before


@given(tellings(), st.data())
def test_a_revision_rises_with_every_change_of_the_state_and_only_then(
    told: list[TrackResult], data: st.DataObject
) -> None:
    desk = Desk()
    for batch in batches(data, told):
        before = desk.parcel
        after = desk.tell(*batch).after
        assert after.timeline is not None
        if before.timeline is None:
            assert after.timeline.revision == 1
        else:
            assert after.timeline.revision - before.timeline.revision == (before.digest != after.digest)
        if before.digest == after.digest:
            assert desk.consumer.sequence == before.sequence


@given(tellings())
def test_a_replay_of_the_evidence_gives_the_same_bytes(told: list[TrackResult]) -> None:
    desk = all_told([told[:1], told[1:]] if len(told) > 1 else [told])
    timeline, digest = projected(desk.parcel, reversed(desk.evidence.values()))
    assert desk.parcel.timeline is not None
    assert digest == desk.parcel.digest
    assert record(timeline) == record(desk.parcel.timeline)


STEADY = evidence().map(
    lambda events: sorted(
        {one.event_id: one for one in events if not one.retracts and not one.supersedes}.values(), key=_place_in_time
    )
)


@given(STEADY, st.data())
def test_without_late_or_withdrawn_evidence_what_is_announced_is_a_path_of_the_table(
    events: list[TrackingEvent], data: st.DataObject
) -> None:
    desk = Desk()
    rest = list(events)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        desk.tell(answer(rest[:size]))
        rest = rest[size:]
    here = Milestone.UNKNOWN
    for kind, before, to in desk.consumer.path:
        assert kind == "milestone.entered"
        assert before is here
        assert any(
            (step.milestone or means) is to
            for (state, means), step in TRANSITIONS.items()
            if state is before and step.effect in (Effect.MOVE, Effect.REWRITE)
        )
        here = to


@given(evidence(), st.data())
def test_a_withdrawn_event_leaves_the_state_that_would_be_without_it(
    events: list[TrackingEvent], data: st.DataObject
) -> None:
    desk = Desk()
    desk.tell(answer(events))
    for victim in data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []:
        desk.tell(answer([event(900, code="W", retracts=victim.event_id)]))
        desk.consumer.agrees(desk.parcel)
        assert desk.parcel.timeline is not None
        gone = {event_id for one in desk.evidence.values() for event_id in (one.retracts, one.supersedes)}
        left = [one for one in desk.evidence.values() if one.event_id not in gone]
        assert desk.parcel.timeline.milestone is fold(left, scope="s").milestone
        assert desk.parcel.timeline.entries == fold(left, scope="s").entries


@given(st.lists(TRANSITS, min_size=1), st.data())
def test_the_newest_estimate_and_the_fullest_proof_are_the_same_in_any_order(
    transits: list[TransitEstimate], data: st.DataObject
) -> None:
    last = newest(transits)
    assert last in transits
    assert newest(data.draw(st.permutations(transits))) == newest([last, *transits]) == last
    proofs = data.draw(st.lists(PROOFS, min_size=1))
    best = fullest(proofs)
    assert best in proofs
    assert fullest(data.draw(st.permutations(proofs))) == fullest([best, *proofs]) == best


# Single cases

ESTIMATE = TransitEstimate(computed_at=RECEIVED, commitment=Commitment.TARGET)


def path(work: Any) -> list[tuple[str, str, str]]:
    consumer = Consumer()
    consumer.sequence = work.announcements[0].sequence - 1 if work.announcements else 0
    consumer.play(work.announcements)
    return [(kind.removeprefix("milestone."), str(before), str(to)) for kind, before, to in consumer.path]


def test_an_entry_that_is_taken_back_is_corrected_before_the_journey_goes_on() -> None:
    desk = Desk()
    wrong = event(10, "delivered")
    desk.tell(answer([event(0, "in_transit"), wrong]))
    work = desk.tell(answer([event(11, retracts=wrong.event_id), event(12, "out_for_delivery")]))
    assert path(work) == [
        ("corrected", "delivered", "in_transit"),
        ("entered", "in_transit", "out_for_delivery"),
    ]
    again = desk.tell(answer([event(20, "delivered", code="again")]))
    # The first entry into `delivered` was announced once and never again: that the parcel is there now is a correction.
    assert path(again) == [("corrected", "out_for_delivery", "delivered")]


def test_late_evidence_before_the_present_is_announced_and_the_present_restored() -> None:
    desk = Desk()
    desk.tell(answer([event(0, "accepted"), event(10, "delivered")]))
    work = desk.tell(answer([event(5, "out_for_delivery")]))
    assert path(work) == [
        ("entered", "accepted", "out_for_delivery"),
        ("corrected", "out_for_delivery", "delivered"),
    ]


def test_everything_taken_back_leaves_the_parcel_unknown() -> None:
    desk = Desk()
    wrong = event(10, "delivered")
    desk.tell(answer([wrong]))
    assert path(desk.tell(answer([event(11, retracts=wrong.event_id)]))) == [("corrected", "delivered", "unknown")]


def told(work: Any) -> list[str]:
    return [one.type.removeprefix("io.shipkit.").removesuffix(".v1") for one in work.announcements]


def test_a_problem_is_opened_once_resolved_once_and_opened_again_where_its_end_is_taken_back() -> None:
    desk = Desk()
    held, over = event(5, None, "customs_held"), event(9, "out_for_delivery")
    assert "exception.opened" in told(desk.tell(answer([event(0, "in_transit"), held])))
    assert "exception.resolved" in told(desk.tell(answer([over])))
    assert told(desk.tell(answer([event(10, retracts=over.event_id)])))[-1] == "exception.opened"
    vanished = told(desk.tell(answer([event(11, code="H", retracts=held.event_id)])))
    assert vanished[-1] == "exception.resolved"
    desk.tell(answer([event(12, None, "customs_held", code="new")]))
    desk.consumer.agrees(desk.parcel)
    assert len(set(desk.consumer.keys)) == len(desk.consumer.keys)


def test_an_earlier_scan_of_an_open_problem_tells_nothing_of_it() -> None:
    desk = Desk()
    desk.tell(answer([event(0, "in_transit"), event(10, None, "delayed_weather")]))
    assert told(desk.tell(answer([event(8, None, "delayed_weather")]))) == ["tracking.event"]


def test_an_estimate_is_told_when_it_is_another_and_not_when_it_is_confirmed() -> None:
    desk = Desk()
    (first, same, other) = (
        evolve(evidence_of, computed_at=RECEIVED + timedelta(hours=hours))
        for hours, evidence_of in ((0, ESTIMATE), (1, ESTIMATE), (2, evolve(ESTIMATE, version="2")))
    )
    scan = event(0, "in_transit")
    assert told(desk.tell(answer([scan], transit=first))) == ["tracking.event", "milestone.entered", "transit.changed"]
    digest = desk.parcel.digest
    work = desk.tell(answer([scan], transit=same))
    assert work.announcements == ()
    assert desk.parcel.timeline is not None
    assert (desk.parcel.timeline.transit, desk.parcel.digest, desk.parcel.timeline.revision) == (same, digest, 1)
    assert told(desk.tell(answer([scan], transit=other))) == ["transit.changed"]
    assert told(desk.tell(answer([scan], transit=first))) == []


def test_an_estimate_that_only_a_withdrawn_event_gave_is_none() -> None:
    desk = Desk()
    scan = event(0, "in_transit", transit=ESTIMATE)
    desk.tell(answer([scan]))
    assert told(desk.tell(answer([event(1, retracts=scan.event_id)])))[-1] == "transit.changed"
    assert desk.parcel.timeline is not None
    assert desk.parcel.timeline.transit is None
    assert desk.consumer.commitment == "none"


def polled(*events: TrackingEvent) -> list[TrackingEvent]:
    return [evolve(one, source=EventSource.POLL) for one in events]


def flagged(desk: Desk) -> list[str]:
    assert desk.parcel.timeline is not None
    return [one.event_id for one in desk.parcel.timeline.anomalies if one.kind is AnomalyKind.WITHDRAWN_CANDIDATE]


def test_an_event_that_two_full_answers_in_a_row_lack_is_flagged_and_counts_on() -> None:
    desk = Desk()
    here, gone = polled(event(0, "accepted"), event(5, "delivered"))
    desk.tell(answer([here, gone], complete=True))
    assert desk.tell(answer([here], complete=True, hours=1)).announcements == ()
    assert dict(desk.parcel.absent) == {gone.event_id: 1}
    assert told(desk.tell(answer([here], complete=True, hours=2))) == ["anomaly.seen"]
    assert flagged(desk) == [gone.event_id]
    assert desk.parcel.timeline is not None
    assert desk.parcel.timeline.milestone is Milestone.DELIVERED
    desk.tell(answer([here, gone], complete=True, hours=3))
    assert (flagged(desk), dict(desk.parcel.absent)) == ([], {})
    for hours in (4, 5):
        assert told(desk.tell(answer([here], complete=True, hours=hours))) == []  # it was told of once
    assert flagged(desk) == [gone.event_id]


def test_what_a_push_told_first_what_was_retracted_and_what_partial_or_empty_answers_lack_is_no_candidate() -> None:
    desk = Desk()
    pushed = evolve(event(5, "out_for_delivery"), source=EventSource.WEBHOOK)
    here, wrong = polled(event(0, "accepted"), event(3, "delivered"))
    desk.tell(answer([here, wrong, pushed], complete=True))
    (taken,) = polled(event(4, retracts=wrong.event_id))
    for hours in range(1, 4):
        desk.tell(answer([here, taken], complete=True, hours=hours))
        desk.tell(answer([], complete=True, hours=hours))
        desk.tell(answer([taken], complete=False, hours=hours))
    assert (flagged(desk), dict(desk.parcel.absent)) == ([], {})


@given(
    STEADY,
    st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 7)), st.booleans()), max_size=4),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=3),
)
def test_full_answers_in_their_order_count_the_same_whatever_is_pushed_between_and_batched(
    events: list[TrackingEvent], asked: list[tuple[bool, set[int], bool]], pushed: list[tuple[int, int]]
) -> None:
    rows = polled(*events)
    one, other, batch = Desk(), Desk(), list[TrackResult]()
    pushes = [
        (place, answer([evolve(rows[which], source=EventSource.WEBHOOK, observed_at=RECEIVED + timedelta(days=9))]))
        for place, which in pushed
        if which < len(rows)
    ]
    for place, (complete, shown, together) in enumerate(asked):
        told = answer([row for index, row in enumerate(rows) if index in shown], complete=complete, hours=place)
        one.tell(told)
        batch += [told, *(push for at_place, push in pushes if at_place == place)]
        if not together:
            other.tell(*batch)
            batch = []
    for _, push in pushes:
        one.tell(push)
    other.tell(*batch, *(push for at_place, push in pushes if at_place >= len(asked)))
    one.tell()
    assert (one.parcel.absent, one.parcel.digest) == (other.parcel.absent, other.parcel.digest)
    assert flagged(one) == flagged(other)


# Shipments of several

WHOLE = Parcel(scope="shipment:order-1", carrier="acme", account="main", key="order-1", since=PARCEL.since)


@given(st.lists(tellings(), min_size=1, max_size=3), st.data())
def test_a_shipment_is_the_same_however_its_pieces_came_to_be_and_tells_each_entry_once(
    parcels: list[list[TrackResult]], data: st.DataObject
) -> None:
    pieces = [attrs.evolve(PARCEL, number=f"P{index}", scope=f"p{index}") for index in range(len(parcels))]

    def ended(schedule: list[tuple[int, list[TrackResult]]]) -> Parcel:
        desks, whole, consumer = [Desk(piece) for piece in pieces], WHOLE, Consumer()
        for index, batch in schedule:
            desks[index].tell(*batch)
            known = [
                desk.parcel.timeline or projected(desk.parcel, ())[0] for desk in data.draw(st.permutations(desks))
            ]
            work = rolled_up(whole, known)
            whole = work.after
            consumer.play(work.announcements)
            consumer.open.clear()
            assert whole.timeline is not None
            assert consumer.milestone is whole.timeline.milestone
            assert len(set(consumer.keys)) == len(consumer.keys)
            assert all(one.type.startswith("io.shipkit.milestone.") for one in work.announcements)
        return whole

    one = ended([(index, told) for index, told in enumerate(parcels)])
    mixed = [(index, batch) for index, told in enumerate(parcels) for batch in batches(data, told)]
    other = ended(list(data.draw(st.permutations(mixed))))
    assert one.digest == other.digest
    assert unnumbered(one.timeline) == unnumbered(other.timeline)


def test_a_shipment_is_delivered_when_its_last_piece_is() -> None:
    one, two = Desk(attrs.evolve(PARCEL, number="P1", scope="p1")), Desk(attrs.evolve(PARCEL, number="P2", scope="p2"))
    scans = [event(0, "accepted"), event(9, "out_for_delivery"), event(10, "delivered")]
    for desk, delay in ((one, 0), (two, 100)):
        desk.tell(
            answer([evolve(scan, scope=desk.parcel.scope, time=at(index + delay)) for index, scan in enumerate(scans)])
        )
    work = rolled_up(WHOLE, [desk.parcel.timeline for desk in (one, two) if desk.parcel.timeline])
    assert path(work) == [
        ("entered", "unknown", "accepted"),
        ("entered", "accepted", "out_for_delivery"),
        ("entered", "out_for_delivery", "delivered"),
    ]
    assert work.after.timeline is not None
    assert [entry.at for entry in work.after.timeline.entries] == [at(100), at(101), at(102)]
    assert work.after.timeline.pieces == ()
    assert (
        rolled_up(work.after, [desk.parcel.timeline for desk in (two, one) if desk.parcel.timeline]).after is work.after
    )


def test_a_parcel_of_several_pieces_in_one_answer_keeps_no_events_in_its_row() -> None:
    desk = Desk()
    desk.tell(answer([event(0, "delivered", piece="P1"), event(1, "in_transit", piece="P2", transit=ESTIMATE)]))
    timeline = desk.parcel.timeline
    assert timeline is not None
    assert [piece.events for piece in timeline.pieces] == [(), ()]
    assert timeline.milestone is Milestone.IN_TRANSIT
    assert [str(entry.milestone) for entry in timeline.entries] == ["in_transit"]


# Several pieces in one answer


def test_events_of_a_piece_that_is_followed_by_itself_are_its_own() -> None:
    followed = [attrs.evolve(PARCEL, number=name, scope=f"acme:{name}") for name in ("1Z", "P1", "P2")]
    whole, first, second, third = (
        event(hour, "in_transit", scope=None, piece=piece)
        for hour, piece in ((0, None), (1, "P1"), (2, "P2"), (3, "P3"))
    )
    told = answer([whole, first, second, third])

    def shares(*parcels: Parcel) -> dict[str, list[Any]]:
        return {scope: [one.time for one in events] for scope, events in divided(told, parcels).items()}

    assert shares(*followed) == {
        "acme:1Z": [whole.time, third.time],
        "acme:P1": [first.time],
        "acme:P2": [second.time],
    }
    assert shares(followed[1], followed[2]) == {
        "acme:P1": [whole.time, first.time],
        "acme:P2": [whole.time, second.time],
    }
    assert shares() == {}
    of_piece = evolve(told, number=TrackingNumber(value="P1", carrier="acme"))
    assert set(divided(of_piece, [followed[1]])) == {"acme:P1"}
    (mine,) = divided(of_piece, [followed[1]], source=EventSource.POLL).values()
    assert [(one.scope, one.source, one.time) for one in mine] == [
        ("acme:P1", EventSource.POLL, whole.time),
        ("acme:P1", EventSource.POLL, first.time),
    ]


def test_a_first_answer_without_events_is_a_state_too() -> None:
    work = advanced(PARCEL, (), (), result=answer([]))
    assert work.after.timeline is not None
    assert work.after.timeline.milestone is Milestone.UNKNOWN
    assert work.announcements == ()
    assert work.after.timeline.tracking_number == NUMBER


def test_what_was_forgotten_does_not_come_back_with_a_later_answer() -> None:
    handed = event(5, "delivered", signed_by="Jane Doe", text="Delivered: Doe")
    proof = ProofOfDelivery(delivered_at=at(5), signed_by="Jane Doe", code_verified=True)
    forgotten = Desk()
    forgotten.tell(answer([handed], proof=proof))
    blank = forgotten_event(handed.event_id, handed)
    forgotten.evidence = {blank.event_id: blank}
    forgotten.parcel = forgotten_parcel(forgotten.parcel)
    work = forgotten.tell(answer([evolve(handed, mapping_version="2"), event(9, "returning")], proof=proof))
    assert [str(one.milestone) for one in work.events] == ["returning"]
    assert forgotten.parcel.timeline is not None
    assert "Doe" not in record(forgotten.parcel.timeline).decode() + repr(attrs.asdict(forgotten.parcel))
    assert event_of(handed.event_id, event_text(blank)) == blank
