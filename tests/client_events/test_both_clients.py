"""Whatever the order, the copies, the splits, the crashes and the workers: one state, told once, and nothing lost."""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import Milestone
from shipkit.ports.events import LetterState, Work
from shipkit.settings import Settings
from shipkit.store import MemoryStore, PostgresStore, SqliteStore
from shipkit.webhooks import RawPush
from tests.client_events.stage import Clock, Host, Tracked, event, hosted, parcel, pushed, row
from tests.store.world import SERVER, admin, need

NUMBERS = ("P1", "P2", "P3", "P4")  # P1 and P2 are one shipment, P4 is registered late
CODES = sorted({milestone.value for milestone in Milestone} - {"unknown"} | {"XX"})
FACT = st.builds(
    lambda number, code, hour, reason: (number, event(code, hour, piece=number, **reason)),
    st.sampled_from(NUMBERS),
    st.sampled_from(CODES),
    st.integers(0, 72),
    st.sampled_from([{}, {}, {"reason": "recipient_absent"}, {"reason": "customs_held"}]),
)
FACTS = st.lists(FACT, min_size=1, max_size=12)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """The facts in pushes: split, repeated and mixed."""
    facts = draw(FACTS)
    told = draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=6))))
    pushes: list[list[dict[str, Any]]] = []
    while told:
        size = draw(st.integers(1, 4))
        part, told = told[:size], told[size:]
        by_number: dict[str, list[dict[str, Any]]] = {}
        for number, one in part:
            by_number.setdefault(number, []).append(one)
        pushes.append([row(number, *events) for number, events in by_number.items()])
    return pushes


def registered(store: Any) -> None:
    whole = parcel("", key="order-7", scope="shipment:order-7", query=None)
    pieces = [parcel(number, key="order-7", shipment=whole.scope) for number in ("P1", "P2")]
    store.events.follow([*pieces, whole, parcel("P3")])


class Crash(BaseException):
    """The process ends here."""


class Mortal:
    """A store's events that end their caller before or after a commit, when told so."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.crash = inner, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def commit(self, work: Work) -> bool:
        when, self.crash = self.crash, ""
        if when == "before":
            raise Crash
        done = bool(self.inner.commit(work))
        if when == "after":
            raise Crash
        return done


def judged(host: Host, push: list[dict[str, Any]]) -> Any:
    headers, body = pushed(push)
    return host.client.entrance().judge("acme-de", RawPush(headers=headers, body=body))


def states(store: Any) -> dict[str, str]:
    return {one.scope: one.digest for one in store.events.walk()}


def told_truly(store: Any) -> None:
    """Each thing is told once, numbered without a gap, and what is told, played in order, is the state."""
    told = store.events.announcements(limit=10_000)
    assert max(Counter(one.key for one in told).values(), default=1) == 1
    for here in store.events.walk():
        own = [one for one in told if one.scope == here.scope]
        assert [one.sequence for one in own] == list(range(1, len(own) + 1))
        moves = [json.loads(one.body)["data"]["to_milestone"] for one in own if ".milestone." in one.type]
        assert (moves[-1] if moves else "unknown") == (here.timeline.milestone.value if here.timeline else "unknown")
    waiting = {one.announcement.number for one in store.events.pending("erp", 10_000)}
    assert waiting <= {one.number for one in told}


STEPS = st.lists(
    st.tuples(st.sampled_from(["threads", "tasks"]), st.integers(1, 3), st.sampled_from(["", "", "before", "after"])),
    max_size=6,
)


@given(pushes=deliveries(), steps=STEPS, late=st.integers(0, 6))
def test_any_course_of_things_leads_to_one_state(
    pushes: list[list[dict[str, Any]]], steps: list[tuple[str, int, str]], late: int
) -> None:
    clock = Clock()
    store, straight = MemoryStore(clock=clock), MemoryStore(clock=clock)
    registered(store)
    settings = Settings(inbox_attempts=1000)
    with hosted(store, clock=clock, settings=settings) as one, hosted(store, "tasks", clock=clock) as other:
        given = [judged(one, push) for push in pushes]
        whole = {"threads": one, "tasks": other}
        for host in whole.values():
            events = host.client.events
            events._desk = attrs.evolve(events._desk, store=Mortal(store.events))
        for at in range(max(len(given), len(steps), late) + 1):
            store.events.put(given[at : at + 1] + given[at // 2 : at // 2 + 1])
            if at == late:
                store.events.follow([parcel("P4")])
            if at < len(steps):
                kind, limit, crash = steps[at]
                whole[kind].client.events._desk.store.crash = crash
                try:
                    whole[kind].process(limit)
                except Crash:
                    clock.on(0 if at % 2 else 61)
        clock.on(61)
        one.client.events._desk.store.crash = ""
        one.drain()
        assert {letter.state for letter in one.letters()} <= {LetterState.DONE, LetterState.IGNORED}
        told_truly(store)
    registered(straight)
    straight.events.follow([parcel("P4")])
    with hosted(straight, clock=clock) as host:
        straight.events.put(given)
        host.drain()
        told_truly(straight)
    assert states(store) == states(straight)


@contextmanager
def opened(place: str, folder: Any) -> Iterator[list[Any]]:
    """Three workers' stores in one place."""
    if place == "memory":
        yield [MemoryStore()] * 3
        return
    schema = f"shipkit_race_{secrets.token_hex(6)}"
    if place == "postgres":
        need(place)
        with admin() as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
    made = [
        PostgresStore(SERVER, schema=schema) if place == "postgres" else SqliteStore(folder / "race.db")
        for _ in range(3)
    ]
    try:
        yield made
    finally:
        for store in made:
            store.close()
        if place == "postgres":
            with admin() as connection:
                connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["memory", "sqlite", "postgres"])
def test_workers_that_race_for_the_same_parcels_lose_nothing_and_tell_nothing_twice(place: str, tmp_path: Any) -> None:
    hours = {number: iter(range(100)) for number in NUMBERS}
    pushes = [
        [row(number, event(CODES[n % len(CODES)], next(hours[number]), piece=number)) for number in NUMBERS[n % 3 :]]
        for n in range(30)
    ]
    with opened(place, tmp_path) as stores:
        store = stores[0]
        registered(store)
        store.events.follow([parcel("P4")])
        hosts = [Host(each, _Real(), {"acme-de": Tracked()}, "threads") for each in stores]  # type: ignore[arg-type]
        store.events.put([judged(hosts[0], push) for push in pushes])
        errors = raced(hosts)
        assert errors == []
        assert {letter.state for letter in hosts[0].letters()} == {LetterState.DONE}
        told_truly(store)
        reference = MemoryStore()
        registered(reference)
        reference.events.follow([parcel("P4")])
        with hosted(reference) as host:
            reference.events.put([letter.delivery for letter in store.events.letters(limit=1000, bodies=True)])
            host.drain()
        assert states(store) == states(reference)
        for host in hosts:
            host.close()


def raced(hosts: list[Host]) -> list[BaseException]:
    """All work at once until the inbox is empty; what was raised."""
    errors: list[BaseException] = []

    def work(host: Host) -> None:
        try:
            while host.letters("new"):
                host.process(4)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(host,)) for host in hosts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert not any(worker.is_alive() for worker in workers)
    return errors


class _Real:
    """The real clock."""

    @staticmethod
    def now() -> Any:
        from shipkit.client.clock import utc_now

        return utc_now()
