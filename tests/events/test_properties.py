"""Any order, any repetition, any split of the same evidence is the same state."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shipkit.codec import from_json, to_json
from shipkit.codec.canon import record
from shipkit.events import Evidence, changes, fold, roll_up, scoped
from shipkit.model import ChangeKind, Classifier, EventSource, Milestone, Reason, Timeline, TrackingEvent
from tests.events.journeys import event, evidence

EVENTS = evidence()
PIECES = evidence(pieces=True)


@given(PIECES, st.data())
def test_the_state_does_not_depend_on_the_order_of_arrival(events: list[TrackingEvent], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    assert Evidence(shuffled) == Evidence(events)
    assert record(fold(shuffled)) == record(fold(events))
    assert fold(shuffled) == fold(events)


@given(PIECES, st.data())
def test_telling_something_again_changes_nothing(events: list[TrackingEvent], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    assert fold([*events, *again, *events]) == fold(events)
    assert Evidence(events).add(again) == Evidence(events)
    assert Evidence(events).merge(Evidence(events)) == Evidence(events)


@given(EVENTS, EVENTS, EVENTS)
def test_evidence_may_be_split_and_merged_in_any_way(
    a: list[TrackingEvent], b: list[TrackingEvent], c: list[TrackingEvent]
) -> None:
    one, two, three = Evidence(a), Evidence(b), Evidence(c)
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three)) == Evidence([*c, *a, *b])
    assert fold(one.merge(two)) == fold([*b, *a])


@given(EVENTS, st.data())
def test_events_that_say_nothing_of_the_place_never_move_it(events: list[TrackingEvent], data: st.DataObject) -> None:
    before = fold(events)
    reason = data.draw(st.none() | st.sampled_from(list(Reason)))
    hours = data.draw(st.integers(0, 500))
    told = event(hours, None, reason and str(reason), code="INFO")
    after = fold([*events, told])
    assert after.milestone is before.milestone
    assert after.entries == before.entries
    assert after.attempts == before.attempts


@given(
    EVENTS,
    st.sampled_from([one for one in Classifier if one is not Classifier.ACTUAL]),
    st.sampled_from(list(Milestone)),
)
def test_what_is_only_planned_or_estimated_never_moves_it(
    events: list[TrackingEvent], classifier: Classifier, milestone: Milestone
) -> None:
    planned = event(700, str(milestone), code="PLAN", classifier=classifier)
    assert fold([*events, planned]).entries == fold(events).entries


@given(EVENTS)
def test_entries_are_numbered_and_end_where_the_parcel_is(events: list[TrackingEvent]) -> None:
    timeline = fold(events)
    counts: dict[Milestone, int] = {}
    for entry in timeline.entries:
        counts[entry.milestone] = counts.get(entry.milestone, 0) + 1
        assert entry.ordinal == counts[entry.milestone]
    assert timeline.milestone is (timeline.entries[-1].milestone if timeline.entries else Milestone.UNKNOWN)
    for one, other in zip(timeline.entries, timeline.entries[1:], strict=False):
        assert one.milestone is not other.milestone
    assert timeline.evidence_count == len({one.event_id for one in events})
    assert {one.event_id for one in timeline.events} <= {one.event_id for one in events}


@given(EVENTS)
def test_open_exceptions_come_first_and_closed_ones_say_what_closed_them(events: list[TrackingEvent]) -> None:
    closed = [one.resolved_by is not None for one in fold(events).exceptions]
    assert closed == sorted(closed)
    ids = {one.event_id for one in events}
    for one in fold(events).exceptions:
        assert one.event_id in ids
        assert one.resolved_by is None or one.resolved_by in ids


@given(PIECES)
def test_a_state_survives_json_and_its_events_keep_their_identity(events: list[TrackingEvent]) -> None:
    timeline = fold(events)
    again = from_json(to_json(timeline), Timeline)
    assert again == timeline
    assert [one.event_id for one in again.events] == [one.event_id for one in timeline.events]
    assert fold(again.events) == fold(timeline.events)


@given(PIECES, PIECES)
def test_a_revision_rises_with_every_change_and_only_then(a: list[TrackingEvent], b: list[TrackingEvent]) -> None:
    first = fold(a)
    second = fold([*a, *b], previous=first)
    third = fold([*b, *a], previous=second)
    assert first.revision == 1
    assert second.revision == (1 if attrs.evolve(second, revision=1) == first else 2)
    assert third == second


@given(EVENTS, EVENTS, EVENTS)
def test_every_entry_is_announced_once_however_the_evidence_arrives(
    a: list[TrackingEvent], b: list[TrackingEvent], c: list[TrackingEvent]
) -> None:
    outbox: dict[str, Any] = {}
    timeline: Timeline | None = None
    known: list[TrackingEvent] = []
    for batch in (a, b, c, a):
        known += batch
        following = fold(known, scope="s", previous=timeline)
        for change in changes(timeline, following):
            outbox.setdefault(change.dedup_key, change)
        assert changes(following, following) == ()
        timeline = following
    assert timeline is not None
    announced = {
        (change.to_milestone, change.ordinal) for change in outbox.values() if change.kind is ChangeKind.ENTERED
    }
    assert {(entry.milestone, entry.ordinal) for entry in timeline.entries} <= announced


@given(st.lists(EVENTS, max_size=4), st.data())
def test_a_shipment_is_the_same_whatever_the_order_of_its_pieces(
    parcels: list[list[TrackingEvent]], data: st.DataObject
) -> None:
    pieces = [fold(events, scope=f"p{index}") for index, events in enumerate(parcels)]
    whole = roll_up(pieces, scope="s")
    assert roll_up(data.draw(st.permutations(pieces)), scope="s") == whole
    if pieces:
        assert (whole.milestone is Milestone.DELIVERED) == all(one.milestone is Milestone.DELIVERED for one in pieces)
        assert whole.terminal == all(one.terminal for one in pieces)


@given(EVENTS)
def test_a_scope_given_later_renames_events_and_keeps_their_references(events: list[TrackingEvent]) -> None:
    bare = [attrs.evolve(one, scope=None) for one in events if one.retracts is None and one.supersedes is None]
    ids = [one.event_id for one in bare]
    withdrawn = [event(1, code="R", scope=None, retracts=one) for one in ids[:1]]
    moved = scoped([*bare, *withdrawn], "order-1")
    assert all(one.scope == "order-1" for one in moved)
    assert len({one.event_id for one in moved[: len(bare)]}) == len(set(ids))
    for one in moved[len(bare) :]:
        assert one.retracts == moved[0].event_id
    assert fold(moved).milestone is fold([*bare, *withdrawn]).milestone


@given(EVENTS, st.sampled_from(list(EventSource)))
def test_events_within_a_scope_differ_in_nothing_else(events: list[TrackingEvent], source: EventSource) -> None:
    for before, after in zip(events, scoped(events, "order-1", source=source), strict=True):
        rebuilt = attrs.evolve(before, scope="order-1", source=before.source or source)
        assert attrs.evolve(after, retracts=before.retracts, supersedes=before.supersedes) == rebuilt
        assert after.event_id == attrs.evolve(after).event_id
        assert hash(after) == hash(attrs.evolve(after))
