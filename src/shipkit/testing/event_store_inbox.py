"""Checks of an event store: deliveries are stored once, lent to one at a time, and none is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shipkit import model as m
from shipkit.ports.events import EventStore, Letter, LetterEnd, LetterState, Work

from .event_store_values import BEGAN, EventWorld, delivery, parcel

__all__ = ["InboxChecks", "end", "parked"]

# Names as strangers choose them: no database keeps the last two as they are.
_NAMES = ("", "plain", "Straße", "O'Brien %(x)s :y ? {now}", "line\nbreak", "nul\0", "half \ud83d")


def end(letter: Letter, state: LetterState = LetterState.DONE, **members: object) -> Work:
    """The work that ends one delivery."""
    return Work(letters=(LetterEnd(id=letter.id, owner=letter.owner, state=state, **members),))  # type: ignore[arg-type]


def parked(store: EventStore, name: str, *numbers: str) -> Letter:
    """A delivery that waits for *numbers*."""
    assert store.put([delivery(name)]) == (True,)
    (letter,) = store.take("parker", 60, 1)
    assert store.commit(end(letter, LetterState.PARKED, waits_for=numbers))
    return letter


def _states(store: EventStore) -> list[LetterState]:
    return [letter.state for letter in store.letters()]


class InboxChecks:
    """What a store promises of deliveries."""

    def test_a_delivery_is_stored_once_whoever_brings_it(self, event_world: EventWorld) -> None:
        """By account and id; the same id from another account is another delivery."""
        store = event_world.empty()
        assert store.put([]) == ()
        assert store.put([delivery("a"), delivery("b"), delivery("a"), delivery("a", account="other")]) == (
            *(True, True, False, True),
        )
        assert event_world.beside().put([delivery("b"), delivery("c")]) == (False, True)
        letters = store.letters(bodies=True)
        assert [(one.delivery.account, one.delivery.delivery_id) for one in letters] == [
            *(("main", "a"), ("main", "b"), ("other", "a"), ("main", "c")),
        ]
        assert [one.id for one in letters] == sorted({one.id for one in letters})

    def test_a_delivery_comes_back_as_it_came(self, event_world: EventWorld) -> None:
        """Every byte of the body, whatever its names are; without the body where that was not asked for."""
        store = event_world.empty()
        given = [delivery(name, body=bytes(range(256)), headers={"x-id": "1"}) for name in _NAMES]
        assert store.put(given) == (True,) * len(given)
        assert store.put(given) == (False,) * len(given)
        assert [one.delivery for one in event_world.beside().letters(bodies=True)] == given
        assert {one.delivery.body for one in store.letters()} == {b""}
        assert [one.delivery for one in store.take("w", 5, 99)] == given

    def test_a_delivery_is_lent_to_one_at_a_time(self, event_world: EventWorld) -> None:
        """Until the lease is over; each try is counted."""
        store, other = event_world.empty(), event_world.beside()
        store.put([delivery(name) for name in "abc"])
        first = store.take("one", 10, 2)
        assert [(one.delivery.delivery_id, one.owner, one.attempts) for one in first] == [
            ("a", "one", 1),
            ("b", "one", 1),
        ]
        assert [one.delivery.delivery_id for one in other.take("two", 100, 5)] == ["c"]
        assert first[0].lease_until == store.now() + timedelta(seconds=10)
        assert store.take("one", 10, 5) == ()
        event_world.clock.at += 11
        again = other.take("two", 10, 5)
        assert [(one.delivery.delivery_id, one.owner, one.attempts) for one in again] == [
            ("a", "two", 2),
            ("b", "two", 2),
        ]
        assert store.commit(end(first[0])), "what somebody else has by now is left out, and nothing else"
        assert _states(store) == [LetterState.NEW] * 3
        assert other.commit(end(again[0]))
        assert _states(store) == [LetterState.DONE, LetterState.NEW, LetterState.NEW]

    def test_those_that_are_due_longest_come_first(self, event_world: EventWorld) -> None:
        """A delivery that was put back waits for its time, and then for nobody who came later."""
        store = event_world.empty()
        store.put([delivery("a"), delivery("b")])
        first, second = store.take("w", 60, 2)
        at = store.now() + timedelta(seconds=5)
        assert store.commit(end(first, LetterState.NEW, next_at=at, error="down"))
        assert store.commit(end(second, LetterState.NEW, error="moved"))
        event_world.clock.at += 1
        store.put([delivery("c")])
        assert [one.delivery.delivery_id for one in store.take("w", 0, 9)] == ["b", "c"]
        (waiting, *_) = store.letters()
        assert (waiting.next_at, waiting.error, waiting.owner, waiting.ended_at) == (at, "down", "", None)
        event_world.clock.at += 10
        store.put([delivery("d")])
        assert [one.delivery.delivery_id for one in store.take("w", 60, 9)] == ["b", "c", "a", "d"]
        assert store.letters()[0].next_at is None

    @pytest.mark.parametrize("state", [each for each in LetterState if each is not LetterState.NEW])
    def test_an_ended_delivery_says_how_it_ended_and_can_be_taken_up(
        self, event_world: EventWorld, state: LetterState
    ) -> None:
        """Whatever became of it, it is new again as it was."""
        store = event_world.empty()
        store.put([delivery("a"), delivery("b")])
        letter = store.take("w", 60, 1)[0]
        waits_for = ("N1", "N2") if state is LetterState.PARKED else ()
        assert store.commit(end(letter, state, error="unreadable", detail="/a/b", waits_for=waits_for))
        assert store.commit(end(letter, LetterState.DONE)), "it has ended, and stays as it is"
        (ended,) = store.letters([state])
        assert (ended.id, ended.error, ended.detail, ended.waits_for) == (letter.id, "unreadable", "/a/b", waits_for)
        assert (ended.ended_at, ended.owner, ended.lease_until, ended.attempts) == (store.now(), "", None, 1)
        assert [one.delivery.delivery_id for one in store.take("w", 60, 9)] == ["b"]
        assert store.take_up([]) == 0
        assert store.take_up([letter.id, letter.id, 10**9]) == 1
        (again,) = store.take("w", 60, 9)
        assert (again.id, again.attempts, again.error, again.detail, again.waits_for, again.ended_at) == (
            *(letter.id, 1, "", "", (), None),
        )
        assert again.delivery == letter.delivery

    def test_deliveries_are_listed_by_state_account_and_id(self, event_world: EventWorld) -> None:
        """In pages, by id."""
        store = event_world.empty()
        store.put([delivery(f"n{number}", account="xy"[number % 2]) for number in range(10)])
        letters = store.take("w", 60, 6)
        for letter, state in zip(letters, [LetterState.DEAD, LetterState.DONE, LetterState.IGNORED] * 2, strict=True):
            assert store.commit(end(letter, state))
        ids = [one.id for one in store.letters()]
        dead, new = LetterState.DEAD, LetterState.NEW
        assert [one.id for one in store.letters([dead])] == [ids[0], ids[3]]
        assert [one.id for one in store.letters([dead, new], limit=3)] == [ids[0], ids[3], ids[6]]
        assert [one.id for one in store.letters([new, dead], after=ids[3])] == ids[6:]
        assert [one.id for one in store.letters([dead], account="y")] == [ids[3]]
        assert [one.id for one in store.letters(account="x", limit=2)] == [ids[0], ids[2]]
        assert [one.id for one in store.letters(ids=[ids[5], ids[1]])] == [ids[1], ids[5]]
        assert [one.id for one in store.letters([dead], ids=ids[:3])] == [ids[0]]

    def test_a_parked_delivery_is_new_again_when_its_number_is_registered(self, event_world: EventWorld) -> None:
        """One of its numbers will do, at its own carrier, and the other numbers do not release it once more."""
        store = event_world.empty()
        letter = parked(store, "a", "N1", "N2")
        parked(store, "b", "N3")
        assert event_world.beside().follow([parcel("N1", carrier="rival", scope="rival:N1"), parcel("N9")]) == (
            True,
            True,
        )
        assert _states(store) == [LetterState.PARKED] * 2
        assert store.follow([parcel("N2")]) == (True,)
        assert _states(store) == [LetterState.NEW, LetterState.PARKED]
        (taken,) = store.take("w", 60, 9)
        assert (taken.id, taken.attempts) == (letter.id, 1)
        assert store.commit(end(taken))
        assert store.follow([parcel("N1")]) == (True,)
        assert _states(store) == [LetterState.DONE, LetterState.PARKED]

    def test_what_is_parked_for_a_number_that_was_registered_meanwhile_is_new_at_once(
        self, event_world: EventWorld
    ) -> None:
        """Else nobody would ever look at it again."""
        store = event_world.empty()
        store.put([delivery("a")])
        (letter,) = store.take("w", 60, 1)
        store.follow([parcel("N1")])
        assert store.commit(end(letter, LetterState.PARKED, waits_for=("N0", "N1")))
        (again,) = store.take("w", 60, 1)
        assert (again.id, again.attempts) == (letter.id, 1)

    def test_queues_tell_what_waits(self, event_world: EventWorld) -> None:
        """And since when the oldest of it does."""
        store = event_world.empty()
        assert [(one.name, one.depth, one.oldest_at) for one in store.queues()] == [
            *(("dead_letters", 0, None), ("inbox", 0, None), ("parked", 0, None)),
        ]
        times = [BEGAN + timedelta(minutes=number) for number in range(5)]
        store.put([delivery(f"n{number}", received_at=at) for number, at in enumerate(times)])
        dead, waiting = store.take("w", 60, 2)
        store.commit(end(dead, LetterState.DEAD))
        store.commit(end(waiting, LetterState.PARKED, waits_for=("N1",)))
        assert [(one.name, one.depth, one.oldest_at) for one in store.queues()] == [
            *(("dead_letters", 1, times[0]), ("inbox", 3, times[2]), ("parked", 1, times[1])),
        ]

    def test_the_last_push_of_each_account_is_known(self, event_world: EventWorld) -> None:
        """Those with a wrong signature prove nothing."""
        store = event_world.empty()
        assert store.heard() == {}
        later = BEGAN + timedelta(hours=1)
        store.put([delivery("a"), delivery("b", received_at=later), delivery("c", account="other")])
        wrong: dict[str, Any] = {"received_at": later + timedelta(hours=1), "signature": m.SignatureResult.INVALID}
        store.put([delivery("d", **wrong), delivery("e", account="third", **wrong)])
        assert store.heard() == {"main": later, "other": BEGAN}
