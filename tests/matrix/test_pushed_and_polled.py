"""A scan that a carrier tells by push and in its answers is one event, and any mix of both proves the same state."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.events import scoped
from shipkit.events.advancing import advanced
from shipkit.model import Milestone, Timeline, TrackingEvent, TrackResult
from shipkit.ports.events import Parcel
from shipkit.simulator import JOURNEYS, StepKind
from tests.told import Told, everything_told

pytestmark = pytest.mark.slow

PUSHING = ("easypost", "ups")
WAYS = [(carrier, journey) for carrier in PUSHING for journey in JOURNEYS]


def told(carrier: str, journey: str) -> Told:
    return next(each for each in everything_told(carrier) if each.journey == journey)


def follow(way: Told, answers: list[TrackResult]) -> tuple[Timeline, frozenset[str]]:
    """The state after *answers*, one after the other, and the identities of all that was told."""
    number = way.polled[0].number.value
    parcel = Parcel(
        scope=f"{way.carrier}:{number}:2026-03-02",
        carrier=way.carrier,
        account="a",
        number=number,
        since=min(event.time.earliest for answer in way.polled for event in answer.events),
    )
    known: dict[str, TrackingEvent] = {}
    for answer in answers:
        work = advanced(parcel, known.values(), scoped(answer.events, parcel.scope), result=answer)
        parcel = work.after
        known.update({event.event_id: event for event in work.events})
    assert parcel.timeline is not None
    return parcel.timeline, frozenset(known)


@cache
def by_polls(carrier: str, journey: str) -> tuple[Timeline, frozenset[str]]:
    way = told(carrier, journey)
    return follow(way, list(way.polled))


@pytest.mark.parametrize(("carrier", "journey"), WAYS)
def test_pushes_alone_tell_what_answers_alone_tell(carrier: str, journey: str) -> None:
    way = told(carrier, journey)
    polled, by_asking = by_polls(carrier, journey)
    pushed, by_push = follow(way, list(way.pushed))

    assert by_push == by_asking
    assert pushed.milestone is polled.milestone
    assert [(entry.milestone, entry.at.instant) for entry in pushed.entries] == [
        (entry.milestone, entry.at.instant) for entry in polled.entries
    ]
    assert pushed.evidence_count == polled.evidence_count == len(by_asking)


@given(way=st.sampled_from(WAYS), data=st.data())
def test_any_mix_of_pushes_and_answers_is_the_same_set_of_events(way: tuple[str, str], data: st.DataObject) -> None:
    journey = told(*way)
    everything = [*journey.pushed, *journey.polled]
    some = data.draw(st.lists(st.integers(0, len(everything) - 1), max_size=12))
    order = data.draw(st.permutations([*some, *range(0, len(journey.pushed), 2), len(everything) - 1]))

    timeline, ids = follow(journey, [everything[place] for place in order])
    expected, all_ids = by_polls(*way)

    assert ids == all_ids
    assert (timeline.milestone, timeline.reason, timeline.attempts) == (
        expected.milestone,
        expected.reason,
        expected.attempts,
    )
    assert [(entry.milestone, entry.event_id) for entry in timeline.entries] == [
        (entry.milestone, entry.event_id) for entry in expected.entries
    ]


#: Where EasyPost's words leave a parcel whose way ended so. It has no word for "back with the sender".
ENDS = {
    StepKind.DELIVERED: Milestone.DELIVERED,
    StepKind.COLLECTED: Milestone.DELIVERED,
    StepKind.RETURNED: Milestone.RETURNING,
    StepKind.LOST: Milestone.LOST,
}


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
def test_easyposts_words_tell_how_it_ended(journey: str) -> None:
    assert by_polls("easypost", journey)[0].milestone is ENDS[told("easypost", journey).end]


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
def test_upss_words_tell_of_every_delivery_and_invent_none(journey: str) -> None:
    """Of returns and losses its published words say no more than "exception": the parcel stays where it was."""
    delivered = told("ups", journey).end in (StepKind.DELIVERED, StepKind.COLLECTED)
    assert (by_polls("ups", journey)[0].milestone is Milestone.DELIVERED) == delivered


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
def test_mondial_relays_words_tell_of_every_delivery_and_invent_none(journey: str) -> None:
    delivered = told("mondialrelay", journey).end in (StepKind.DELIVERED, StepKind.COLLECTED)
    assert (by_polls("mondialrelay", journey)[0].milestone is Milestone.DELIVERED) == delivered
