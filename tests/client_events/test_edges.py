"""Rare meetings: retention beside a worker, hints about numbers that nobody knows, shipments that were under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shipkit.errors import UnavailableError
from shipkit.events.comparing import Belief
from shipkit.model import Milestone
from shipkit.store import MemoryStore
from shipkit.webhooks import Unsigned, WebhookAuth
from tests.client_events.stage import START, Clock, Tracked, event, hosted, parcel, row
from tests.client_events.test_following import shipment

WAY = [event("announced", 0), event("accepted", 2), event("delivered", 30)]


def _finished_and_purged(host: Any, store: Any, clock: Clock) -> None:
    found = host.state("P1")
    assert found.finished_at is not None
    assert store.events.purge_events(START, clock.at + timedelta(days=1), START).parcels == 1


@pytest.fixture
def ended(store: Any, clock: Clock) -> Any:
    clock.at = START + timedelta(days=40)
    with hosted(store, clock=clock, carrier=Tracked(answers=lambda _: WAY[:1])) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", *WAY))
        host.process()
        host.unfollow("P1", account="acme-de")
        yield host


def test_of_a_parcel_that_is_purged_between_reading_and_writing_nothing_is_concluded(
    ended: Any, store: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ended.announced()
    ended.push(row("P1", WAY[0], event("accepted", 3)))
    kept = store.events.evidence

    def purged_meanwhile(scopes: Any) -> Any:
        monkeypatch.undo()
        found = kept(scopes)
        _finished_and_purged(ended, store, clock)
        return found

    monkeypatch.setattr(type(store.events), "evidence", lambda self, scopes: purged_meanwhile(scopes))
    assert ended.drain().done == 1
    assert ended.milestone("P1") == "delivered"
    assert ended.announced() == told
    (scope,) = [ended.state("P1").scope]
    assert store.events.evidence([scope])[scope] == ()


def test_a_belief_about_a_purged_parcel_is_not_repaired_from_nothing(ended: Any, store: Any, clock: Clock) -> None:
    _finished_and_purged(ended, store, clock)
    told = ended.announced()
    for apply in (True, False):
        ended.reconcile([Belief(number="P1", milestone=Milestone.DELIVERED)], apply=apply)
        assert ended.milestone("P1") == "delivered"
    assert ended.announced() == told


@pytest.mark.parametrize("answer", [None, UnavailableError("down")])
def test_hints_about_a_number_without_an_answer_do_not_ask_for_it_again_and_again(
    store: Any, clock: Clock, answer: Any
) -> None:
    carrier = Tracked(scheme="shared", answers=lambda _: answer)
    with hosted(store, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        for hour in range(20):
            host.push(row("P1", event("accepted", hour)))
            host.process()
            clock.on(1)
        assert len(carrier.asked) <= 2
        assert host.state("P1").not_found <= 1, "a stranger does not have it given up"


def test_the_same_hint_again_is_asked_about_though_the_first_was_answered(store: Any, kind: str, clock: Clock) -> None:
    answers: list[Any] = [WAY[:1], WAY]
    carrier = Tracked(scheme="shared", answers=lambda _: answers.pop(0))
    with hosted(store, kind, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1"))
        assert host.process().asked == 1
        clock.on(20)
        assert host.push(row("P1")).stored, "these bytes say that there is news, once more"
        assert host.process().again == 1
        clock.on(41)
        assert host.process().asked == 1
        assert host.milestone("P1") == "delivered"


def test_a_parcel_that_is_still_open_is_the_same_after_any_time(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        first = host.follow("P1", account="acme-de")
        clock.on(70 * 86_400)
        assert host.follow("P1", account="acme-de").scope == first.scope


def test_a_shipment_whose_parcels_were_under_way_is_where_they_are(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        for name in ("P1", "P2"):
            host.follow(name, account="acme-de", since=START)
            host.push(row(name, *WAY))
        host.drain()
        whole = "shipment:order-1"
        host.follow_shipment(shipment("P1", "P2"), account="acme-de", key="order-1")
        assert host.shipment("order-1").milestone is Milestone.DELIVERED
        assert any(key.startswith(f"{whole}|entered|delivered") for key in host.announced())


def test_the_next_poll_is_planned_by_the_stores_clock(store: Any, clock: Clock) -> None:
    """Not by that of the host that happens to read the push, which may be hours wrong."""
    with hosted(store, clock=clock) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", WAY[1]))
        host.client._desk.utc_now = lambda: clock.at + timedelta(days=3)
        host.process()
        assert clock.at < host.state("P1").next_poll_at < clock.at + timedelta(days=2)


@pytest.mark.parametrize("way", ["pushed", "polled", "hinted", "reconciled"])
def test_events_of_a_piece_that_is_followed_by_itself_are_its_own_by_whatever_way_they_come(
    clock: Clock, way: str
) -> None:
    store = MemoryStore(clock=clock)
    told = [event("announced"), event("accepted", 2, piece="B"), event("delivered", 5, piece="C")]
    carrier = Tracked(
        scheme="signed" if way == "pushed" else "shared", answers=lambda number: told if number == "M" else []
    )
    with hosted(store, clock=clock, carrier=carrier) as host:
        store.events.follow([parcel("M", next_poll_at=clock.at), parcel("B"), parcel("C")])
        if way in ("pushed", "hinted"):
            host.push(row("M", *told))
            host.process()
        elif way == "polled":
            host.poll()
        else:
            host.reconcile([Belief(number="M", milestone=Milestone.ANNOUNCED)], apply=True)
        assert host.milestone("M") == "announced"


def test_numbers_that_nobody_follows_are_each_judged_by_their_own_answer(clock: Clock) -> None:
    answers = {"N1": WAY, "N2": WAY[:1]}
    with hosted(MemoryStore(clock=clock), clock=clock, carrier=Tracked(answers=answers.__getitem__)) as host:
        beliefs = [
            Belief(number="N1", milestone=Milestone.DELIVERED),
            Belief(number="N2", milestone=Milestone.ANNOUNCED),
        ]
        assert host.reconcile(beliefs, account="acme-de").agrees


@pytest.mark.parametrize(
    ("numbers", "error"), [(["9" * 10_000], "number_too_long"), ([f"N{i}" for i in range(1001)], "too_many_numbers")]
)
def test_a_stranger_fills_no_index_with_numbers(clock: Clock, numbers: list[str], error: str) -> None:
    """No carrier has such numbers, and nothing waits for them."""
    webhooks = {"acme-de": WebhookAuth(scheme=Unsigned())}
    with hosted(MemoryStore(clock=clock), clock=clock, carrier=Tracked(scheme="unsigned"), webhooks=webhooks) as host:
        host.store.events.follow([parcel("P1")])
        host.push([row(number) for number in numbers])
        host.push(row("P1"))
        done = host.process()
        assert (done.dead, done.parked, done.asked) == (1, 0, 1)
        assert [letter.error for letter in host.letters("dead")] == [error]
