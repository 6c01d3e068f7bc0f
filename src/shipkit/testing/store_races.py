"""Checks of a store: many workers at the same rows, as threads of one store and as stores of their own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from shipkit.flow import Token
from shipkit.ports import Phase
from shipkit.store.audit import broken_at

from .store_events import in_phase
from .store_values import WITH_LABEL, World, claim

__all__ = ["RaceChecks", "together"]

T = TypeVar("T")
_WORKERS = 6


def together(workers: int, work: Callable[[int], T]) -> list[T]:
    """What *work* gave each of so many threads, all begun at once."""
    gate, found, failed = threading.Barrier(workers), list[T](), list[BaseException]()

    def run(number: int) -> None:
        try:
            gate.wait(20)
            found.append(work(number))
        except BaseException as error:  # a thread would swallow it
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


class RaceChecks:
    """One winner, nothing lost, nothing handed out twice."""

    keys_in_a_race = 60

    def test_every_key_is_claimed_by_exactly_one_of_many_workers(self, world: World) -> None:
        """Whether they share a store or have one each."""
        workers = _workers(world)
        keys = [f"k{number:03}" for number in range(self.keys_in_a_race)]
        for round_, ledgers in enumerate((workers, workers[:1] * _WORKERS)):
            names = [f"{round_}/{key}" for key in keys]

            def work(number: int, names: list[str] = names, ledgers: list[Any] = ledgers) -> list[str]:
                return [key for key in names if ledgers[number].claim(claim(key, owner=f"w{number}")) is not None]

            won = Counter(key for found in together(_WORKERS, work) for key in found)
            assert won == Counter(names)
            assert all(len(workers[0].history(key)) == 1 for key in names[::10])

    def test_of_different_bookings_for_a_key_one_is_its_row_and_the_others_are_kept(self, world: World) -> None:
        """However many bring one at once."""
        workers = _workers(world)
        entries = [in_phase(workers[0], Phase.IN_FLIGHT, world.clock, f"k{number}") for number in range(12)]

        def work(number: int) -> list[Phase | None]:
            value = attrs.evolve(WITH_LABEL, shipment_id=f"S{number}")
            return [workers[number].book(entry, f"B{number}", value, True) for entry in entries]

        phases = together(_WORKERS, work)
        for at, entry in enumerate(entries):
            assert Counter(phase[at] for phase in phases) == {None: _WORKERS - 1, Phase.SUCCEEDED: 1}
            row, strays = workers[0].read(entry.key), workers[0].strays(entry.key)
            assert {row.booking, *(one.booking for one in strays)} == {f"B{number}" for number in range(_WORKERS)}
            assert len(strays) == _WORKERS - 1
            assert broken_at(workers[0].history(entry.key)) is None

    def test_a_row_that_is_due_is_handed_to_one_of_many_recoveries(self, world: World) -> None:
        """Each row to one of them, and none to nobody."""
        workers = _workers(world)
        for number in range(30):
            in_phase(workers[0], Phase.IN_DOUBT, world.clock, f"k{number:02}")

        def work(number: int) -> list[str]:
            return [row.key for _ in range(6) for row in workers[number].due(5, hold_s=60)]

        taken = Counter(key for found in together(_WORKERS, work) for key in found)
        assert set(taken.values()) == {1} and len(taken) == 30

    def test_only_one_piece_of_a_parent_is_claimed_at_a_time(self, world: World) -> None:
        """Though six workers each have one in hand."""
        workers = _workers(world)
        for round_ in range(6):
            parent, keys = _planned(workers[0], f"p{round_}")

            def work(number: int, whole: str = parent.key, keys: list[str] = keys) -> Any:
                return workers[number].claim(claim(keys[number], parent=(whole, 1)))

            assert len([entry for entry in together(_WORKERS, work) if entry is not None]) == 1

    def test_an_undoing_parent_reaches_pieces_that_are_claimed_at_that_moment(self, world: World) -> None:
        """A piece in flight is wished undone as well."""
        workers = _workers(world)
        for round_ in range(6):
            parent, keys = _planned(workers[0], f"p{round_}")

            def work(number: int, whole: Any = parent, keys: list[str] = keys) -> Any:
                if number == 0:
                    return workers[0].undo(whole, "refused")
                return workers[number].claim(claim(keys[number - 1], parent=(whole.key, 1)))

            together(4, work)
            assert all(row.void_wanted for row in workers[0].pieces(parent))

    def test_one_of_many_fetches_a_token_and_one_drops_it(self, world: World) -> None:
        """The others wait for it."""
        stores = [world.empty(), *(world.beside() for _ in range(_WORKERS - 1))]
        assert sum(together(_WORKERS, lambda number: stores[number].tokens.claim("a", f"w{number}", 30))) == 1
        token = Token(value="secret", refresh_token="next")
        stores[0].tokens.put("a", "w0", token)
        assert stores[3].tokens.get("a", 60) == token
        assert sum(together(_WORKERS, lambda number: stores[number].tokens.drop("a", token))) == 1
        assert stores[3].tokens.get("a", 60) is None

    def test_a_shared_limit_is_never_exceeded(self, world: World) -> None:
        """A burst of five, and not one more, whoever asks."""
        stores = [world.empty(), *(world.beside() for _ in range(_WORKERS - 1))]

        def work(number: int) -> list[float]:
            return [stores[number].limits.reserve("x", 1.0, 4.0, 0) for _ in range(5)]

        waits = [wait for found in together(_WORKERS, work) for wait in found]
        assert waits.count(0) == 5
        world.clock.at += 2
        assert [stores[0].limits.reserve("x", 1.0, 4.0, 0) for _ in range(3)] == [0, 0, 1]


def _workers(world: World) -> list[Any]:
    """The ledgers of six workers in one place."""
    first = world.empty().ledger
    first.read("nobody")
    return [first, *(world.beside().ledger for _ in range(_WORKERS - 1))]


def _planned(ledger: Any, key: str) -> tuple[Any, list[str]]:
    keys = [f"{key}#1/{number}" for number in range(1, _WORKERS + 1)]
    return ledger.plan(claim(key), [claim(piece, parent=(key, 1)) for piece in keys]), keys
