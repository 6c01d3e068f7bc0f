"""What waits for a person: deliveries that cannot be processed, and problems on the way."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit.errors import InputError, StoreError, UnavailableError
from shipkit.model import Actor
from shipkit.ports.events import LetterState, Work
from shipkit.settings import Settings
from shipkit.store import MemoryStore
from tests.client_events.stage import SCHEMES, SECRET, Clock, Tracked, event, hosted, parcel, row


def signed(host: Any, body: bytes) -> Any:
    return host.receive("acme-de", {"X-Sign": SCHEMES["signed"].signature(body, SECRET)}, body)


def test_dead_letters_are_listed_with_their_reason_and_taken_up_again(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        for n in range(5):
            signed(host, b"{broken %d" % n)
            clock.on(1)
        host.drain()
        listed = host.dead_letters()
        assert [(one.error, one.detail, one.attempts, one.body_kept) for one in listed] == [
            ("bad_reply", "$", 1, True)
        ] * 5
        assert [one.id for one in host.dead_letters(after=listed[1].id, limit=2)] == [one.id for one in listed[2:4]]
        assert host.dead_letters("acme-fr") == ()
        assert host.take_up([listed[0].id]) == 1
        assert host.drain().dead == 1
        assert host.take_up([]) == 0


def test_a_delivery_that_ends_its_worker_each_time_is_dead_at_last(store: Any, clock: Clock) -> None:
    settings = Settings(inbox_attempts=2)
    with hosted(store, clock=clock, settings=settings) as host:
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("accepted")))
        for _ in range(2):  # a worker takes it, and is never heard of again
            assert len(store.events.take("somebody", 60, 10)) == 1
            clock.on(61)
        assert host.drain().dead == 1
        (dead,) = host.dead_letters()
        assert (dead.error, dead.attempts) == ("attempts", 3)
        host.take_up([dead.id])
        assert (host.drain().done, host.milestone("P1")) == (1, "accepted")


class Killed(BaseException):
    """The process ends here."""


class _Deadly(Tracked):
    """Its plugin takes the whole process with it on one of its pushes."""

    def read_webhook(self, delivery: Any) -> Any:
        if b"BAD" in delivery.body:
            raise Killed
        return super().read_webhook(delivery)


@pytest.mark.parametrize("bad", [{0}, {3}, {5}, {1, 2}, {0, 5}])
def test_what_kills_its_workers_is_found_and_what_came_with_it_is_processed(
    store: Any, clock: Clock, bad: set[int]
) -> None:
    with hosted(store, clock=clock, carrier=_Deadly()) as host:
        numbers = [f"{'BAD' if n in bad else 'P'}{n}" for n in range(6)]
        store.events.follow([parcel(number) for number in numbers])
        for number in numbers:
            host.push(row(number, event("accepted")))
        for _ in range(20):
            try:
                host.process()
            except Killed:
                pass
            clock.on(61)
        assert [one.state.value for one in host.letters()] == ["dead" if n in bad else "done" for n in range(6)]
        assert {one.error for one in host.dead_letters()} == {"attempts"}
        assert host.replay().unreadable == (), "it would end whoever replays"
        with pytest.raises(Killed):
            host.replay([host.dead_letters()[0].id])


def test_hints_that_wait_for_their_carrier_go_together_when_it_is_back(store: Any, clock: Clock) -> None:
    answers: list[Any] = [UnavailableError("down")]
    with hosted(store, clock=clock, carrier=Tracked(scheme="shared", answers=lambda _: answers[0])) as host:
        store.events.follow([parcel("P1")])
        for hour in range(3):
            host.push(row("P1", event("accepted", hour)))
        assert host.process().again == 3
        answers[0] = [event("accepted")]
        clock.on(61)
        done = host.process()
        assert (done.done, done.asked) == (3, 1)


class _Picky:
    """A store's events that refuse to write one parcel, as a database does that cannot take a value."""

    def __init__(self, inner: Any, number: str) -> None:
        self.inner, self.number = inner, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def blocking(self) -> bool:
        return bool(self.inner.blocking)

    def commit(self, work: Work) -> bool:
        if any(one.after.number == self.number for one in work.parcels):
            raise StoreError("a value that the database does not take")
        return bool(self.inner.commit(work))


def test_what_the_store_cannot_take_does_not_hold_up_the_rest(clock: Clock, kind: str) -> None:
    store = MemoryStore(clock=clock)
    with hosted(store, kind, clock=clock, settings=Settings(inbox_attempts=3)) as host:
        events = host.client.events
        events._desk = attrs.evolve(events._desk, store=_Picky(store.events, "BAD"))
        store.events.follow([parcel("BAD"), parcel("P1"), parcel("P2")])
        for number in ("P1", "BAD", "P2"):
            host.push(row(number, event("accepted")))
        for _ in range(4):
            host.drain()
            clock.on(3700)
        assert (host.milestone("P1"), host.milestone("P2")) == ("accepted", "accepted")
        assert [(one.error, one.attempts) for one in host.dead_letters()] == [("store", 3)]


class _Down(_Picky):
    """A store that cannot be reached."""

    def commit(self, work: Work) -> bool:
        raise StoreError("down")


def test_while_the_store_is_down_nothing_is_lost(clock: Clock, kind: str) -> None:
    store = MemoryStore(clock=clock)
    with hosted(store, kind, clock=clock) as host:
        events = host.client.events
        whole = events._desk
        store.events.follow([parcel("P1")])
        host.push(row("P1", event("accepted")))
        events._desk = attrs.evolve(whole, store=_Down(store.events, ""))
        with pytest.raises(StoreError):
            host.process()
        events._desk = whole
        assert host.process().taken == 0, "it is lent until the lease is over"
        clock.on(61)
        assert (host.process().done, host.milestone("P1")) == (1, "accepted")


def test_open_problems_say_who_must_act_and_end_when_they_are_resolved(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        store.events.follow([parcel("P1", key="order-1"), parcel("P2", key="order-2")])
        host.push(
            [
                row("P1", event("in_transit", 3, reason="customs_documents_missing")),
                row("P2", event("delivery_attempted", 4, reason="recipient_absent")),
            ]
        )
        host.drain()
        both = host.exceptions()
        assert [(one.key, str(one.problem.reason)) for one in both] == [
            ("order-1", "customs_documents_missing"),
            ("order-2", "recipient_absent"),
        ]
        assert host.exceptions("order-2") == both[1:]
        assert host.exceptions(actor=both[0].problem.action.actor) == tuple(
            one for one in both if one.problem.action.actor is both[0].problem.action.actor
        )
        assert host.exceptions(account="acme-fr") == ()
        host.push(row("P2", event("delivered", 30)))
        host.drain()
        assert [one.key for one in host.exceptions()] == ["order-1"]
        with pytest.raises(InputError):
            host.exceptions(actor="somebody")
        assert host.exceptions(actor=Actor.NOBODY.value) == ()


def test_two_hosts_in_one_store_see_their_own_problems(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    with hosted(store, clock=clock, settings=Settings(namespace="a")) as host:
        store.events.follow([parcel("P1", key="a/order-1"), parcel("P2", key="b/order-1")])
        for number in ("P1", "P2"):
            host.push(row(number, event("delivery_attempted", 4, reason="recipient_absent")))
        host.drain()
        assert [(one.key, one.tracking_number.value) for one in host.exceptions()] == [("order-1", "P1")]
        assert len(host.exceptions("order-1")) == 1


def test_every_letter_says_which_parcels_it_told_of(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    with hosted(store, clock=clock, carrier=Tracked()) as host:
        store.events.follow([parcel("P1")])
        host.push([row("P1", event("accepted")), row("P9", event("accepted"))])
        host.drain()
        assert [one.state for one in host.letters()] == [LetterState.PARKED]
