"""Kept deliveries read again: with the same tables nothing changes, with others the report says what would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.codec import to_dict
from shipkit.errors import InputError
from shipkit.model import Milestone, TimeBasis, evolve
from shipkit.store import MemoryStore
from tests.client_events.stage import MILESTONES, Clock, Tracked, event, hosted, parcel, row

NEWER = {**MILESTONES, "HB": Milestone.OUT_FOR_DELIVERY}
WAY = [event("announced"), event("accepted", 2), event("in_transit", 5), event("delivered", 30)]


def contents(store: Any) -> list[Any]:
    """Everything that a store says of parcels, in comparable form."""
    rows = store.events.walk()
    evidence = store.events.evidence([one.scope for one in rows])
    return [
        [(one.scope, one.version, one.digest, one.timeline and to_dict(one.timeline)) for one in rows],
        {
            scope: sorted((to_dict(one) for one in known), key=lambda each: str(each["code"]))
            for scope, known in evidence.items()
        },
        [(one.key, one.sequence, one.body) for one in store.events.announcements(limit=10_000)],
    ]


def test_with_the_same_tables_nothing_changes(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        store.events.follow([parcel("P1"), parcel("P2")])
        host.push([row("P1", *WAY), row("P2", *WAY[:2], event("HB", 4), eta=40)])
        host.push([row("P1", *WAY[1:3]), row("P3", *WAY)])
        host.drain()
        before = contents(store)
        for apply in (False, True):
            report = host.replay(apply=apply)
            assert (report.deliveries, report.parcels, report.unreadable) == (2, (), ())
        assert contents(store) == before


def test_a_newer_table_is_reported_before_it_is_applied(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        store.events.follow([parcel("P1"), parcel("P2")])
        host.push([row("P1", *WAY[:3], event("HB", 9)), row("P2", *WAY)])
        host.drain()
        before = contents(store)
    with hosted(store, kind, clock=clock, carrier=Tracked(table=NEWER, version="2")) as host:
        report = host.replay()
        assert not report.applied
        told = {one.number: one for one in report.parcels}
        change = told["P1"].difference
        assert change.milestone is not None
        assert (change.milestone.before, change.milestone.after) == ("in_transit", "out_for_delivery")
        assert [(one.code, one.before, one.after) for one in change.remapped] == [
            ("HB", "-/unmapped", "out_for_delivery/-")
        ]
        assert told["P1"].announcements == ("io.shipkit.milestone.entered.v1",)
        assert contents(store) == before, "a report writes nothing"

        applied = host.replay(apply=True)
        assert (applied.parcels, applied.applied, applied.failed) == (report.parcels, True, ())
        assert host.milestone("P1") == "out_for_delivery"
        assert [key for key in host.announced() if "out_for_delivery" in key] == [
            "acme:P1:2026-03-02|entered|out_for_delivery|1"
        ]
        assert host.replay().parcels == ()
        assert store.events.unmapped() == ()


def test_what_is_read_again_may_be_chosen(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        store.events.follow([parcel("P1"), parcel("P2")])
        host.push(row("P1", event("HB", 9)))
        clock.on(3600)
        host.push(row("P2", event("HB", 9), event("accepted", 1)))
        host.drain()
        (first, second) = [one.id for one in host.letters()]
    with hosted(store, clock=clock, carrier=Tracked(table=NEWER, version="2")) as host:

        def numbers(*args: Any, **named: Any) -> list[str]:
            return [one.number for one in host.replay(*args, **named).parcels]

        assert numbers() == ["P1", "P2"]
        assert (numbers([first]), numbers([second])) == (["P1"], ["P2"])
        assert numbers(since=clock.at) == ["P2"]
        assert numbers(codes=["accepted"]) == ["P2"]
        assert (numbers(account="acme-fr"), numbers(codes=["ZZ"])) == ([], [])
        with pytest.raises(InputError):
            host.replay(since=clock.at.replace(tzinfo=None))


def test_what_a_replay_would_make_is_what_it_makes(store: Any, clock: Clock) -> None:
    """Times without an offset are placed in both, by what the account knows."""
    with hosted(store, clock=clock, carrier=_Zoneless()) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("accepted", 2), event("HB", 9)))
        host.drain()
    with hosted(store, clock=clock, carrier=_Zoneless(table=NEWER, version="2", zone="Europe/Paris")) as host:
        reported = host.replay()
        applied = host.replay(apply=True)
        assert reported.parcels == applied.parcels != ()
        assert host.replay().parcels == ()
        (known,) = store.events.evidence([host.state("P1").scope]).values()
        assert {one.time.offset_min for one in known} == {60}


class _Zoneless(Tracked):
    """It prints local times."""

    def _event(self, row: Any, at: Any) -> Any:
        made = super()._event(row, at)
        return evolve(made, time=evolve(made.time, offset_min=None, basis=TimeBasis.NONE))


class _Mended(Tracked):
    """The same carrier, whose plugin takes a push that it did not understand before."""

    def read_webhook(self, delivery: Any) -> Any:
        if b"nonsense" in delivery.body:
            return (self._result(row("P1", *WAY), delivery.received_at),)
        return super().read_webhook(delivery)


def test_a_dead_letter_that_can_be_read_now_goes_back_into_the_inbox(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        store.events.follow([parcel("P1")])
        host.push({"nonsense": 1})
        host.drain()
        report = host.replay()
        assert [one.error for one in report.unreadable] == ["bad_reply"]
        assert report.readable == ()
    with hosted(store, kind, clock=clock, carrier=_Mended()) as host:
        (dead,) = host.dead_letters()
        assert host.replay().readable == (dead.id,)
        assert host.dead_letters() != ()
        host.replay(apply=True)
        assert (host.drain().done, host.milestone("P1"), host.dead_letters()) == (1, "delivered", ())


def test_the_words_of_a_hint_count_for_nothing_however_often_they_are_read(store: Any, kind: str) -> None:
    with hosted(store, kind, carrier=Tracked(scheme="shared", answers=lambda number: WAY[:2])) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("lost", 9)))
        host.drain()
        report = host.replay(apply=True)
        assert (report.hints, report.parcels, host.milestone("P1")) == (1, (), "accepted")


CODES = sorted({*MILESTONES, "HB", "XX"} - {"unknown"})
PUSHES = st.lists(
    st.lists(st.builds(event, st.sampled_from(CODES), st.integers(0, 60)), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@given(pushes=PUSHES, later=st.sampled_from(sorted(Milestone, key=str)))
def test_any_pushes_read_with_a_new_table_are_where_they_would_be_had_it_been_there_all_along(
    pushes: list[list[dict[str, Any]]], later: Milestone
) -> None:
    table = {**MILESTONES, "HB": later}
    clock = Clock()
    replayed, fresh = MemoryStore(clock=clock), MemoryStore(clock=clock)
    for store, carriers in (
        (replayed, [Tracked(), Tracked(table=table, version="2")]),
        (fresh, [Tracked(table=table, version="2")]),
    ):
        store.events.follow([parcel("P1")])
        with hosted(store, clock=clock, carrier=carriers[0]) as host:
            for push in pushes:
                host.push(row("P1", *push))
            host.drain()
        for carrier in carriers[1:]:
            with hosted(store, clock=clock, carrier=carrier) as host:
                host.replay(apply=True)
                assert host.replay().parcels == ()
    states = [store.events.find([("acme", "P1")])[0] for store in (replayed, fresh)]
    assert states[0] is not None and states[1] is not None
    assert states[0].digest == states[1].digest
