"""The relay over stores, and destinations that fail in every way: at least once, in order, nothing given up unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import StoreError, UnavailableError
from shipkit.ports.events import EventStore, Outgoing, Unsent
from shipkit.ports.observing import Observation
from shipkit.publishers import HostCallback, Relay, read_cloud_event
from shipkit.publishers.consuming import Published
from shipkit.publishers.messages import UNCONFIRMED, Message, in_waves, later
from shipkit.publishers.relay import HELD, PUT_OFF
from shipkit.settings import Settings
from shipkit.store.memory_events import MemoryEvents
from tests.publishers.outbox import announce, eventually, in_order_after_dedup

SCOPES = ["acme:a", "acme:b", "acme:c"]


class Crash(BaseException):
    """The process is killed here."""


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1_772_000_000.0

    def __call__(self) -> float:
        return self.now


class Broker:
    """A destination with a plan: for each message in turn what becomes of it."""

    kind = "host"

    def __init__(self, plan: Iterator[str]) -> None:
        self.plan = plan
        self.received: list[Published] = []
        self.closed = False

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        return in_waves(batch, self._send)

    def _send(self, wave: Sequence[Message]) -> dict[int, str]:
        errors: dict[int, str] = {}
        for index, message in enumerate(wave):
            fate = next(self.plan, "ok")
            if fate in ("ok", "lost", "killed_after"):
                self.received.append(read_cloud_event(message.body))
            if fate in ("killed", "killed_after"):
                raise Crash
            if fate == "down":
                raise UnavailableError("down")
            if fate in ("cut", "lost"):  # nothing more is confirmed on this connection
                errors.update((rest.number, UNCONFIRMED) for rest in wave[index:])
                break
            if fate in ("refused", "later"):
                errors[message.number] = later("503") if fate == "later" else "refused_400"
        return errors

    def close(self) -> None:
        self.closed = True


FATES = st.sampled_from(["ok", "ok", "ok", "refused", "later", "down", "cut", "lost", "killed", "killed_after"])
SETTINGS = Settings(relay_batch=4, relay_attempts=10_000, relay_lease_s=30)


def drained(relay: Callable[[], Relay], clock: Clock, events: EventStore, limit: int = 400) -> None:
    """Rounds, each failure followed by a new relay, until the outbox is empty."""
    current = relay()
    for _ in range(limit):
        try:
            current.round()
        except (Crash, StoreError):
            clock.now += 31  # until the lease of the dead one is over
            current = relay()
        waiting = sum(one.depth for one in events.queues() if one.name == "outbox")
        if not waiting:
            return
        clock.now += 301
    raise AssertionError("the outbox is not empty")


@given(st.lists(st.sampled_from(SCOPES), max_size=14), st.lists(FATES, max_size=40), st.integers(1, 5))
def test_whatever_fails_everything_arrives_and_in_order_once_repetitions_are_dropped(
    scopes: list[str], fates: list[str], size: int
) -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, scopes)
    broker = Broker(iter(fates))
    settings = Settings(relay_batch=size, relay_attempts=10_000)
    drained(lambda: Relay(events, {"d": broker}, settings, clock=clock), clock, events)
    assert in_order_after_dedup(broker.received) == {
        scope: list(range(1, scopes.count(scope) + 1)) for scope in SCOPES if scope in scopes
    }


class Forgetful:
    """A store whose notes fail by a plan: what was sent is not known to be sent. And whose leases do not hold."""

    def __init__(self, inner: EventStore, plan: Iterator[bool]) -> None:
        self._inner, self._plan = inner, plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def settle(self, *given: Any, **named: Any) -> None:
        if next(self._plan, False):
            raise StoreError("the disk is full")
        self._inner.settle(*given, **named)

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        return True


@given(
    st.lists(st.sampled_from(SCOPES), max_size=12),
    st.lists(FATES, max_size=20),
    st.lists(st.booleans(), max_size=20),
    st.lists(st.integers(0, 2), max_size=40),
)
def test_relays_that_all_believe_to_have_the_lease_still_deliver_in_order(
    scopes: list[str], fates: list[str], failing: list[bool], turns: list[int]
) -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    broker = Broker(iter(fates))
    store: Any = Forgetful(events, iter(failing))
    relays = [Relay(store, {"d": broker}, SETTINGS, clock=clock) for _ in range(3)]
    waiting = list(scopes)
    for turn in turns:
        if waiting:
            announce(events, [waiting.pop(0)])
        try:
            relays[turn].round()
        except (Crash, StoreError):
            relays[turn] = Relay(store, {"d": broker}, SETTINGS, clock=clock)
        clock.now += 0.4
    announce(events, waiting)
    drained(lambda: Relay(store, {"d": broker}, SETTINGS, clock=clock), clock, events)
    assert in_order_after_dedup(broker.received) == {
        scope: list(range(1, scopes.count(scope) + 1)) for scope in SCOPES if scope in scopes
    }


def test_one_relay_at_a_time_has_a_destination_and_another_takes_over_from_a_dead_one() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, ["acme:a"])
    broker = Broker(iter([]))
    first, second = (Relay(events, {"d": broker}, SETTINGS, clock=clock) for _ in range(2))
    assert first.round().sent == 1
    announce(events, ["acme:a"])
    assert second.round().destinations[0].error == HELD
    clock.now += 31
    assert second.round().sent == 1
    second.close()
    assert broker.closed
    announce(events, ["acme:a"])
    assert first.round().sent == 1


def test_an_announcement_that_is_refused_too_often_is_dead_and_lets_the_next_ones_pass() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, ["acme:a", "acme:a", "acme:b"])
    broker = Broker(iter(["refused", "ok", "refused", "refused"]))
    relay = Relay(events, {"d": broker}, Settings(relay_attempts=3), clock=clock)
    (told,) = relay.round().destinations
    assert (told.sent, told.refused, told.dead, told.waiting) == (1, 1, 0, 1)
    assert relay.round().destinations[0].sent == 0  # not due yet, and its parcel waits with it
    clock.now += 2
    assert relay.round().destinations[0].refused == 1
    clock.now += 3
    assert relay.round().destinations[0].dead == 1
    assert [one.depth for one in events.queues() if one.name == "outbox_dead"] == [1]
    assert relay.round().sent == 1
    assert [(one.scope, one.sequence) for one in broker.received] == [("acme:b", 1), ("acme:a", 2)]
    assert events.send_again("d", dead=True) == 1
    assert relay.round().sent == 1
    assert (broker.received[-1].scope, broker.received[-1].sequence) == ("acme:a", 1)


def test_what_is_wanted_later_is_never_given_up() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, ["acme:a"])
    broker = Broker(iter(["later"] * 50))
    relay = Relay(events, {"d": broker}, Settings(relay_attempts=3), clock=clock)
    for _ in range(50):
        assert relay.round().destinations[0].refused == 1
        clock.now += 301
    assert relay.round().sent == 1


def test_a_destination_that_is_down_is_left_alone_for_longer_and_longer_and_no_try_is_counted() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, ["acme:a"], ["d", "other"])
    broker, other = Broker(iter(["down"] * 3)), Broker(iter([]))
    relay = Relay(events, {"d": broker, "other": other}, Settings(relay_attempts=1), clock=clock)
    assert [one.error for one in relay.round().destinations] == ["unavailable", ""]
    assert len(other.received) == 1
    waits = []
    for _ in range(3):
        began = clock.now
        while relay.round().destinations[0].error == PUT_OFF:
            clock.now += 0.25
        waits.append(clock.now - began)
    assert waits == [0.5, 1, 2]
    assert len(broker.received) == 1


def test_the_wait_that_a_destination_names_is_kept() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, ["acme:a"])

    def busy(_: object) -> None:
        raise UnavailableError("later", retry_after_s=90)

    relay = Relay(events, {"d": HostCallback(busy)}, clock=clock)
    assert relay.round().destinations[0].error == "unavailable"
    clock.now += 89
    assert relay.round().destinations[0].error == PUT_OFF
    clock.now += 1
    assert relay.round().destinations[0].error == "unavailable"


def test_a_slow_destination_gets_smaller_batches_so_that_they_end_within_the_lease() -> None:
    clock = Clock()
    events = MemoryEvents(clock)
    announce(events, [f"acme:{number}" for number in range(40)])
    sizes: list[int] = []

    class Slow(Broker):
        def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
            sizes.append(len(batch))
            clock.now += 1.5 * len(batch)
            return super().publish(batch)

    relay = Relay(events, {"d": Slow(iter([]))}, Settings(relay_batch=16, relay_lease_s=15), clock=clock)
    while relay.round().more:
        pass
    assert sizes[:4] == [16, 8, 4, 2]
    assert max(sizes[4:]) <= 4


def test_a_publisher_that_breaks_its_contract_stops_nobody_else_and_tells_no_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = MemoryEvents()
    announce(events, ["acme:a"], ["bad", "good"])

    class Bad(Broker):
        def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
            raise RuntimeError("CANARY amqp://user:password@host")

    good = Broker(iter([]))
    seen: list[Observation] = []
    relay = Relay(events, {"bad": Bad(iter([])), "good": good}, observer=seen.append)
    assert [one.error for one in relay.round().destinations] == ["RuntimeError", ""]
    assert len(good.received) == 1
    assert [(one.kind, one.operation, one.value, one.error, dict(one.words)) for one in seen] == [
        ("published", "bad", 1, "RuntimeError", {"publisher": "host", "outcome": "unavailable"}),
        ("published", "good", 1, "", {"publisher": "host", "outcome": "ok"}),
    ]
    assert "CANARY" not in caplog.text + repr(seen)


def test_a_relay_runs_until_it_is_stopped_and_one_slow_destination_holds_up_no_other() -> None:
    events = MemoryEvents()
    announce(events, [f"acme:{number}" for number in range(30)], ["slow", "quick"])
    stop, entered, release = threading.Event(), threading.Event(), threading.Event()
    taken: list[str] = []

    def slow(_: object) -> None:
        entered.set()
        release.wait()

    relay = Relay(
        events,
        {"slow": HostCallback(slow), "quick": HostCallback(lambda told: taken.append(told.scope))},
        Settings(relay_batch=7),
    )
    thread = threading.Thread(target=relay.run, args=(stop,), kwargs={"idle_s": 0.01})
    thread.start()
    try:
        assert entered.wait(30)
        eventually(lambda: len(taken) == 30)
        announce(events, ["acme:1"], ["slow", "quick"])
        eventually(lambda: len(taken) == 31)
    finally:
        stop.set()
        release.set()
        thread.join(30)
    assert not thread.is_alive()
    relay.close()


def test_what_nobody_expected_ends_the_run_and_is_not_hidden() -> None:
    events = MemoryEvents()

    def broken(_: Observation) -> None:
        raise ZeroDivisionError

    announce(events, ["acme:a"])
    destinations = {"d": Broker(iter([])), "idle": Broker(iter([]))}
    with pytest.raises(ZeroDivisionError):
        Relay(events, destinations, observer=broken).run(threading.Event(), idle_s=0.01)


def test_a_store_that_fails_for_a_while_stops_no_relay(tmp_path: Path) -> None:
    events = MemoryEvents()
    announce(events, ["acme:a", "acme:a"])
    broker = Broker(iter([]))
    store: Any = Forgetful(events, iter([True]))
    stop = threading.Event()
    relay = Relay(store, {"d": broker}, Settings(backoff_first_s=0.01))
    thread = threading.Thread(target=relay.run, args=(stop,), kwargs={"idle_s": 0.01})
    thread.start()
    try:
        eventually(lambda: not sum(one.depth for one in events.queues() if one.name == "outbox"))
    finally:
        stop.set()
        thread.join(30)
    assert in_order_after_dedup(broker.received) == {"acme:a": [1, 2]}
    assert len(broker.received) == 4
