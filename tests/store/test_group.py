"""Many deliveries in one commit: none is told of before it is stored, and none is lost in silence."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Any

import pytest

from shipkit.errors import StoreError
from shipkit.model import WebhookDelivery
from shipkit.ports.events import LetterState
from shipkit.store import MemoryStore, SqliteStore
from shipkit.store.group import FullError, GroupCommit
from shipkit.testing.event_store_values import delivery

LONG_S = 60


class Gated:
    """A store whose commits wait until the test opens the gate; it notes what each of them held."""

    def __init__(self) -> None:
        self.store = MemoryStore().events
        self.gate, self.begun = threading.Event(), threading.Semaphore(0)
        self.commits: list[list[str]] = []
        self.errors: list[BaseException | None] = []

    def put(self, deliveries: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        self.begun.release()
        assert self.gate.wait(LONG_S)
        self.commits.append([one.delivery_id for one in deliveries])
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return self.store.put(deliveries)


@pytest.fixture
def gated() -> Gated:
    return Gated()


def grouped(store: Any, **bounds: Any) -> GroupCommit:
    return GroupCommit(store, **bounds)


def test_what_comes_during_a_commit_goes_together_in_the_next(gated: Gated) -> None:
    group = grouped(gated)
    results = [group.put(delivery("first"))]
    assert gated.begun.acquire(timeout=LONG_S), "the first is committed at once, alone"
    results += [group.put(delivery(f"n{number}")) for number in range(5)]
    results.append(group.put(delivery("first")))
    assert not any(result.done() for result in results), "told of before it was stored"
    assert group.depth == 6
    gated.gate.set()
    assert [result.result(LONG_S) for result in results] == [True] * 6 + [False]
    assert gated.commits == [["first"], ["n0", "n1", "n2", "n3", "n4", "first"]]
    group.close()


def test_no_commit_holds_more_than_it_may(gated: Gated) -> None:
    group = grouped(gated, longest=10)
    results = [group.put(delivery("first"))]
    assert gated.begun.acquire(timeout=LONG_S)
    results += [group.put(delivery(f"n{number}")) for number in range(25)]
    gated.gate.set()
    wait_for(results, LONG_S)
    assert [len(commit) for commit in gated.commits] == [1, 10, 10, 5]
    group.close()


def test_what_is_too_much_is_refused_at_once(gated: Gated) -> None:
    group = grouped(gated, most=3, most_bytes=100)
    first = group.put(delivery("first"))
    assert gated.begun.acquire(timeout=LONG_S)
    kept = [group.put(delivery("a", body=b"x" * 60))]
    with pytest.raises(FullError):
        group.put(delivery("b", body=b"x" * 60))
    kept += [group.put(delivery(name, body=b"")) for name in "cd"]
    with pytest.raises(FullError):
        group.put(delivery("e", body=b""))
    assert issubclass(FullError, StoreError)
    gated.gate.set()
    assert [result.result(LONG_S) for result in (first, *kept)] == [True] * 4
    assert group.put(delivery("b", body=b"x" * 1000)).result(LONG_S), "a large one that waits alone"
    group.close()


def test_an_error_of_the_store_reaches_everybody_who_waits_for_that_commit_and_nobody_else(gated: Gated) -> None:
    gated.errors = [None, StoreError("no server"), None]
    group = grouped(gated, longest=3)
    first = group.put(delivery("first"))
    assert gated.begun.acquire(timeout=LONG_S)
    failing = [group.put(delivery(name)) for name in "abc"]
    after = group.put(delivery("d"))
    gated.gate.set()
    for result in failing:
        with pytest.raises(StoreError, match="no server"):
            result.result(LONG_S)
    assert first.result(LONG_S) and after.result(LONG_S)
    assert group.put(delivery("a")).result(LONG_S), "it was not stored, and comes again"
    group.close()


def test_one_that_cannot_be_written_at_all_takes_no_other_along(gated: Gated) -> None:
    gated.errors = [None, ValueError("poison"), None, ValueError("poison"), None]
    group = grouped(gated)
    first = group.put(delivery("first"))
    assert gated.begun.acquire(timeout=LONG_S)
    good, bad, other = (group.put(delivery(name)) for name in ("good", "bad", "other"))
    gated.gate.set()
    assert first.result(LONG_S) and good.result(LONG_S) and other.result(LONG_S)
    with pytest.raises(ValueError, match="poison"):
        bad.result(LONG_S)
    group.close()


def test_closing_commits_what_waits_and_takes_nothing_more(gated: Gated) -> None:
    group = grouped(gated)
    results = [group.put(delivery("first"))]
    assert gated.begun.acquire(timeout=LONG_S)
    results += [group.put(delivery(f"n{number}")) for number in range(3)]
    closer = threading.Thread(target=group.close)
    closer.start()
    gated.gate.set()
    closer.join(LONG_S)
    assert [result.result(0) for result in results] == [True] * 4
    with pytest.raises(StoreError):
        group.put(delivery("late"))
    group.close()


def test_a_store_that_hangs_does_not_hold_up_closing_for_ever(gated: Gated) -> None:
    group = grouped(gated)
    stuck = group.put(delivery("first"))
    assert gated.begun.acquire(timeout=LONG_S)
    waiting = group.put(delivery("second"))
    group.close(wait_s=0.05)
    with pytest.raises(StoreError, match="closed"):
        waiting.result(LONG_S)
    assert not stuck.done(), "nobody knows yet whether this one is stored"
    gated.gate.set()
    assert stuck.result(LONG_S)


def test_who_gives_up_in_time_has_nothing_stored(gated: Gated) -> None:
    group = grouped(gated)
    group.put(delivery("first"))
    assert gated.begun.acquire(timeout=LONG_S)
    given_up, kept = group.put(delivery("second")), group.put(delivery("third"))
    assert given_up.cancel()
    gated.gate.set()
    assert kept.result(LONG_S)
    assert gated.commits == [["first"], ["third"]]
    group.close()


def test_nothing_runs_before_the_first_delivery(gated: Gated) -> None:
    before = set(threading.enumerate())
    group = grouped(gated)
    assert not [thread for thread in threading.enumerate() if thread not in before]
    group.close()


@pytest.mark.slow
def test_many_threads_put_the_same_deliveries_and_each_is_stored_once(tmp_path: Any) -> None:
    store = SqliteStore(tmp_path / "group.db")
    group = GroupCommit(store.events)
    told: list[Future[bool]] = []

    def sender() -> None:
        told.extend([group.put(delivery(f"n{number}")) for number in range(200)])

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.close()
    assert sum(result.result(0) for result in told) == 200
    assert len(store.events.letters([LetterState.NEW], limit=1000)) == 200
    store.close()
