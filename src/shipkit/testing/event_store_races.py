"""Checks of an event store: many workers at once, as threads of one store and as stores of their own."""

from __future__ import annotations

from collections import Counter

import attrs

from shipkit.ports.events import EventStore, LetterEnd, LetterState, ParcelWork, Work

from .event_store_inbox import end
from .event_store_values import EventWorld, announcement, delivery, event, parcel
from .store_races import together

__all__ = ["EventRaceChecks"]

_WORKERS = 4


class EventRaceChecks:
    """One winner, nothing lost, nothing handed out twice."""

    events_in_a_race = 40

    def test_of_many_who_store_a_delivery_one_is_the_first(self, event_world: EventWorld) -> None:
        """Whatever the order in which they bring them."""
        stores = _stores(event_world)
        given = [delivery(f"n{number}") for number in range(self.events_in_a_race)]

        def put(worker: int) -> list[str]:
            order = given[:: -1 if worker % 2 else 1]
            new = []
            for at in range(0, len(order), 5):
                group = order[at : at + 5]
                told = stores[worker].put(group)
                new += [one.delivery_id for one, first in zip(group, told, strict=True) if first]
            return new

        won = Counter(name for found in together(_WORKERS, put) for name in found)
        assert won == Counter(one.delivery_id for one in given)
        assert len(stores[0].letters(limit=1000)) == len(given)

    def test_no_delivery_is_lent_to_two(self, event_world: EventWorld) -> None:
        """And all are lent, however many take at once."""
        stores = _stores(event_world)
        stores[0].put([delivery(f"n{number}") for number in range(self.events_in_a_race)])

        def take(worker: int) -> list[int]:
            found: list[int] = []
            while letters := stores[worker].take(f"w{worker}", 600, 3):
                found += [one.id for one in letters]
                for one in letters:
                    assert stores[worker].commit(end(one))
            return found

        taken = Counter(number for found in together(_WORKERS, take) for number in found)
        assert len(taken) == self.events_in_a_race and set(taken.values()) == {1}
        assert {one.state for one in stores[0].letters(limit=1000)} == {LetterState.DONE}

    def test_of_two_commits_on_one_version_one_is_written(self, event_world: EventWorld) -> None:
        """Many workers count on two parcels at once, held in either order: none is lost or told twice."""
        stores = _stores(event_world)
        scopes = ("acme:N1:20231101", "acme:N2:20231101")
        stores[0].follow([parcel("N1"), parcel("N2")])
        rounds = 8

        def count(worker: int) -> int:
            done = lost = 0
            while done < rounds:
                won = stores[worker].commit(_counted(stores[worker], scopes[:: -1 if worker % 2 else 1], worker, done))
                done, lost = done + won, lost + (not won)
            return lost

        together(_WORKERS, count)
        total = rounds * _WORKERS
        for found in stores[0].parcels(scopes):
            assert found is not None and (found.version, found.sequence, found.polls) == (total, total, total)
        for scope in scopes:
            told = stores[0].announcements(limit=1000, scope=scope)
            assert [one.sequence for one in told] == list(range(1, total + 1)), "numbers rise in the order of commits"
            assert len(stores[0].evidence([scope])[scope]) == total
        assert len(stores[0].pending("erp", 1000)) == 2 * total

    def test_a_delivery_that_is_parked_while_its_number_is_registered_is_not_forgotten(
        self, event_world: EventWorld
    ) -> None:
        """Whichever of the two is first, it is new again."""
        stores = _stores(event_world)
        for number in range(12):
            stores[0].put([delivery(f"n{number}")])
            (letter,) = stores[0].take("w", 600, 1)
            waits = LetterEnd(id=letter.id, owner="w", state=LetterState.PARKED, waits_for=(f"N{number}",))

            def act(worker: int, number: int = number, waits: LetterEnd = waits) -> None:
                if worker:
                    assert stores[1].follow([parcel(f"N{number}")]) == (True,)
                else:
                    assert stores[2].commit(Work(letters=(waits,)))

            together(2, act)
            (again,) = stores[3].take("v", 600, 9)
            assert again.id == letter.id and stores[3].commit(end(again))

    def test_no_parcel_is_asked_for_by_two_and_no_lease_is_held_by_two(self, event_world: EventWorld) -> None:
        """However many look for work at once."""
        stores = _stores(event_world)
        now = stores[0].now()
        stores[0].follow([parcel(f"N{number}", next_poll_at=now) for number in range(self.events_in_a_race)])
        assert sum(together(_WORKERS, lambda worker: stores[worker].lease("erp", f"w{worker}", 600))) == 1

        def poll(worker: int) -> list[str]:
            found: list[str] = []
            while due := stores[worker].due(600, 3):
                found += [one.scope for one in due]
            return found

        asked = Counter(scope for found in together(_WORKERS, poll) for scope in found)
        assert len(asked) == self.events_in_a_race and set(asked.values()) == {1}

    def test_of_many_who_register_a_parcel_one_is_the_first(self, event_world: EventWorld) -> None:
        """And all are there."""
        stores = _stores(event_world)
        given = [parcel(f"N{number}") for number in range(self.events_in_a_race)]

        def follow(worker: int) -> int:
            order = given[:: -1 if worker % 2 else 1]
            return sum(sum(stores[worker].follow(order[at : at + 4])) for at in range(0, len(order), 4))

        assert sum(together(_WORKERS, follow)) == len(given) == len(stores[0].walk())


def _stores(event_world: EventWorld) -> list[EventStore]:
    return [event_world.empty(), *(event_world.beside() for _ in range(_WORKERS - 1))]


def _counted(store: EventStore, scopes: tuple[str, ...], worker: int, round_: int) -> Work:
    parcels = []
    for before in store.parcels(scopes):
        assert before is not None
        after = attrs.evolve(before, polls=before.polls + 1, sequence=before.sequence + 1)
        told = announcement(before.scope, after.sequence)
        scan = event(before.scope, worker, native_id=f"{worker}-{round_}")
        parcels.append(ParcelWork(before=before, after=after, events=(scan,), announcements=(told,)))
    return Work(parcels=tuple(parcels), destinations=("erp",))
