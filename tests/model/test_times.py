"""Times as carriers print them, and the identity of events."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given

from shipkit.errors import InputError
from shipkit.model import (
    ChangeKind,
    Classifier,
    EventPlace,
    EventSource,
    EventTime,
    Milestone,
    MilestoneChange,
    Reason,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
)
from tests.model.making import event_times

UTC = timezone.utc
NOON = datetime(2026, 3, 29, 12, 0)
PRINTED = EventTime(local=NOON, precision=TimePrecision.MINUTE, offset_min=120, basis=TimeBasis.OFFSET)
EVENT = TrackingEvent(
    scope="order-1", piece="1Z1", time=PRINTED, code="DP", code_type="I",
    place=EventPlace(city="Orléans", country="FR"), observed_at=datetime(2026, 3, 30, tzinfo=UTC), mapping_version="1",
)  # fmt: skip


def test_the_instant_follows_from_the_printed_offset() -> None:
    assert PRINTED.instant == datetime(2026, 3, 29, 10, tzinfo=UTC)
    assert PRINTED.earliest == PRINTED.latest == PRINTED.instant


def test_without_a_known_offset_there_is_no_instant_but_bounds() -> None:
    for time in (attrs.evolve(PRINTED, basis=TimeBasis.NONE), attrs.evolve(PRINTED, offset_min=None)):
        assert time.instant is None
        assert time.earliest == datetime(2026, 3, 28, 22, tzinfo=UTC)
        assert time.latest == datetime(2026, 3, 30, 0, tzinfo=UTC)


def test_a_day_is_no_instant_and_ends_a_second_before_midnight() -> None:
    day = EventTime(local=date(2026, 3, 29), precision=TimePrecision.DAY, offset_min=60, basis=TimeBasis.LOCATION)
    assert day.instant is None
    assert day.earliest == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert day.latest == datetime(2026, 3, 29, 22, 59, 59, tzinfo=UTC)


@given(event_times())
def test_bounds_enclose_the_instant_for_every_time(time: EventTime) -> None:
    assert time.earliest <= time.latest
    if time.instant is not None:
        assert time.earliest == time.instant == time.latest


@pytest.mark.parametrize("local", [datetime.min, datetime.max, date.min, date.max])
def test_the_ends_of_the_calendar_have_bounds_too(local: date) -> None:
    time = EventTime(local=local, precision=TimePrecision.SECOND)
    assert time.earliest <= time.latest


def test_a_printed_time_has_no_zone_of_its_own() -> None:
    with pytest.raises(InputError):
        EventTime(local=NOON.replace(tzinfo=UTC), precision=TimePrecision.MINUTE)


SAME: list[dict[str, Any]] = [
    {"text": "Delivered"},
    {"language": "fr"},
    {"milestone": Milestone.DELIVERED, "reason": Reason.DELIVERED},
    {"signed_by": "J. DOE"},
    {"source": EventSource.WEBHOOK},
    {"observed_at": datetime(2026, 4, 1, tzinfo=UTC)},
    {"mapping_version": "2"},
    {"raw_ref": "x"},
    {"classifier": Classifier.ESTIMATED},
    {"extras": {"x": 1}},
    {"time": attrs.evolve(PRINTED, zone="Europe/Paris")},
    {"place": EventPlace(city="ORLEANS", country="FR", name="Depot")},
    {"place": EventPlace(city="Or le ans", country="FR", region="45")},
]
OTHER: list[dict[str, Any]] = [
    {"scope": "order-2"},
    {"piece": "1Z2"},
    {"code": "D1"},
    {"code_type": "D"},
    {"subcode": "1"},
    {"retracts": "h:1"},
    {"time": attrs.evolve(PRINTED, local=NOON + timedelta(seconds=1))},
    {"time": attrs.evolve(PRINTED, offset_min=60)},
    {"place": EventPlace(city="Paris", country="FR")},
    {"place": EventPlace(facility_code="045")},
    {"place": None},
    {"native_id": "n1"},
]


@pytest.mark.parametrize("change", SAME)
def test_an_event_keeps_its_identity_whatever_may_be_reworded_or_learnt_later(change: dict[str, Any]) -> None:
    assert attrs.evolve(EVENT, **change).event_id == EVENT.event_id


@pytest.mark.parametrize("change", OTHER)
def test_an_event_that_differs_in_what_was_printed_is_another(change: dict[str, Any]) -> None:
    assert attrs.evolve(EVENT, **change).event_id != EVENT.event_id


def test_an_offset_that_was_concluded_and_not_printed_is_not_in_the_identity() -> None:
    guessed = attrs.evolve(EVENT, time=attrs.evolve(PRINTED, basis=TimeBasis.LOCATION))
    better = attrs.evolve(EVENT, time=attrs.evolve(PRINTED, basis=TimeBasis.LOCATION, offset_min=60))
    assert guessed.event_id == better.event_id != EVENT.event_id


def test_a_documented_id_of_the_carrier_is_the_identity() -> None:
    event = attrs.evolve(EVENT, native_id="e-77")
    assert event.event_id == "n:order-1:e-77"
    assert (
        attrs.evolve(event, code="other", time=attrs.evolve(PRINTED, local=date(2026, 1, 1))).event_id == event.event_id
    )


def test_the_recipe_of_identities_does_not_change_by_accident() -> None:
    assert EVENT.event_id == "h:096c9771a079b11cc555ded6"


def test_an_identity_survives_pickling_and_is_of_the_new_event_after_a_change() -> None:
    assert EVENT.event_id
    assert pickle.loads(pickle.dumps(EVENT)).event_id == EVENT.event_id
    assert attrs.evolve(EVENT, code="ZZ").event_id != EVENT.event_id


def test_an_announcement_is_known_by_scope_kind_milestone_and_ordinal_and_a_correction_by_its_revision_too() -> None:
    change = MilestoneChange(
        kind=ChangeKind.ENTERED, scope="s", from_milestone=Milestone.UNKNOWN, to_milestone=Milestone.DELIVERED,
        ordinal=1, at=PRINTED, event_id="h:1", revision=4,
    )  # fmt: skip
    assert (
        attrs.evolve(change, revision=5, event_id="h:2", at=attrs.evolve(PRINTED, offset_min=0)).dedup_key
        == change.dedup_key
    )
    assert attrs.evolve(change, ordinal=2).dedup_key != change.dedup_key
    corrected = attrs.evolve(change, kind=ChangeKind.CORRECTED)
    assert attrs.evolve(corrected, revision=5).dedup_key != corrected.dedup_key
