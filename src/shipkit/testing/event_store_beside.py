"""Random calls on the event store in memory and on another one, side by side: the same answers, the same contents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shipkit import model as m
from shipkit.ports.events import EventStore, Letter, LetterEnd, LetterState, Outgoing, Parcel, ParcelWork, Unsent, Work
from shipkit.store import MemoryStore

from .event_store_values import BEGAN, EventWorld, announcement, delivery, event, parcel

__all__ = ["EventsBeside"]

NUMBERS = ("N1", "N2", "N3")
OWNERS = st.sampled_from(["one", "two"])
DESTINATIONS = ("crm", "erp")
WHICH = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5])
"""Mostly the newest, for what was read long ago does nothing; but that must be tried too."""
flags = st.booleans()


class EventsBeside(RuleBasedStateMachine):
    """Every call goes to both stores; both must answer the same, and hold the same afterwards."""

    def __init__(self, world: EventWorld) -> None:
        super().__init__()
        self.world, self.clock = world, world.clock
        self.one: EventStore = MemoryStore(clock=world.clock).events
        self.two: EventStore = world.empty()
        self.taken: list[tuple[Letter, Letter]] = []
        self.read: list[Parcel] = []

    def teardown(self) -> None:
        """Close the store."""
        self.world.close()

    def both(self, method: str, *given: Any, **named: Any) -> Any:
        """Call *method* of both; what they answer is compared, and the first one's answer given back."""
        first, second = getattr(self.one, method)(*given, **named), getattr(self.two, method)(*given, **named)
        assert _plain(first) == _plain(second), method
        return first

    @rule(names=st.lists(st.sampled_from("abcde"), max_size=4), wrong=flags)
    def puts(self, names: list[str], wrong: bool) -> None:
        signature = m.SignatureResult.INVALID if wrong else m.SignatureResult.VALID
        received_at = BEGAN + timedelta(minutes=len(names))
        self.both("put", [delivery(name, signature=signature, received_at=received_at) for name in names])

    @rule(owner=OWNERS, lease_s=st.sampled_from([0.0, 10.0, 100.0]), limit=st.integers(1, 4))
    def takes(self, owner: str, lease_s: float, limit: int) -> None:
        first, second = self.one.take(owner, lease_s, limit), self.two.take(owner, lease_s, limit)
        assert _plain(first) == _plain(second)
        self.taken += zip(first, second, strict=True)

    @rule(
        which=WHICH,
        state=st.sampled_from([*LetterState, LetterState.PARKED]),
        waits_for=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=2),
        later=flags,
        about=st.lists(st.sampled_from(NUMBERS), max_size=2),
    )
    def ends(self, which: int, state: LetterState, waits_for: list[str], later: bool, about: list[str]) -> None:
        if not self.taken:
            return
        next_at = self.one.now() + timedelta(seconds=20) if later and state is LetterState.NEW else None
        told = []
        for letter in self.taken[-1 - which % len(self.taken)]:
            end = LetterEnd(
                id=letter.id, owner=letter.owner, state=state, error="e", detail="d", next_at=next_at,
                waits_for=tuple(waits_for) if state is LetterState.PARKED else (),
                scopes=tuple(parcel(number).scope for number in about),
            )  # fmt: skip
            told.append(Work(letters=(end,)))
        assert self.one.commit(told[0]) == self.two.commit(told[1])

    @rule(which=WHICH)
    def takes_up(self, which: int) -> None:
        if self.taken:
            first, second = self.taken[-1 - which % len(self.taken)]
            assert self.one.take_up([first.id]) == self.two.take_up([second.id])

    @rule(numbers=st.lists(st.sampled_from(NUMBERS), max_size=2), polled=flags)
    def follows(self, numbers: list[str], polled: bool) -> None:
        next_poll_at = self.one.now() if polled else None
        self.both("follow", [parcel(number, next_poll_at=next_poll_at) for number in numbers])
        self.look()

    @rule(
        which=st.lists(WHICH, min_size=1, max_size=3),
        minutes=st.lists(st.integers(0, 4), max_size=3),
        tell=st.integers(0, 2),
        to=st.sampled_from([(), ("erp",), DESTINATIONS]),
        finished=flags,
        strange=flags,
    )
    def commits(
        self, which: list[int], minutes: list[int], tell: int, to: tuple[str, ...], finished: bool, strange: bool
    ) -> None:
        chosen = {one.scope: one for one in (self.read[-1 - at % len(self.read)] for at in which if self.read)}
        reason = m.Reason.UNMAPPED if strange else m.Reason.INFORMATION
        works = []
        for before in chosen.values():
            events = tuple(event(before.scope, minute, code=f"S{minute}", reason=reason) for minute in minutes)
            told = tuple(announcement(before.scope, before.sequence + place) for place in range(1, tell + 1))
            after = attrs.evolve(
                before,
                sequence=before.sequence + tell,
                polls=before.polls + 1,
                finished_at=self.one.now() if finished else None,
                next_poll_at=None if finished else self.one.now(),
            )
            works.append(ParcelWork(before=before, after=after, events=events, announcements=told))
        self.both("commit", Work(parcels=tuple(works), destinations=to))
        self.look()

    @rule(limit=st.integers(1, 3), some=flags)
    def polls(self, limit: int, some: bool) -> None:
        self.both("due", 30.0, limit, ["main", "none"] if some else [])
        self.look()

    @rule(
        to=st.sampled_from(DESTINATIONS),
        limit=st.integers(1, 4),
        outcome=st.sampled_from(["sent", "sent", "later", "now", "dead"]),
    )
    def relays(self, to: str, limit: int, outcome: str) -> None:
        again_at = self.one.now() + timedelta(seconds=15) if outcome == "later" else None
        for store in (self.one, self.two):
            numbers = [one.announcement.number for one in store.pending(to, limit)]
            sent, failed = (numbers, []) if outcome == "sent" else (numbers[:1], numbers[1:])
            unsent = [Unsent(number=number, error="down", dead=outcome == "dead") for number in failed]
            store.settle(to, sent, unsent, again_at=again_at)

    @rule(to=st.sampled_from(DESTINATIONS), dead=flags, sequence=st.integers(1, 3))
    def sends_again(self, to: str, dead: bool, sequence: int) -> None:
        told = []
        for store in (self.one, self.two):
            numbers = [one.number for one in store.announcements(limit=1000) if one.sequence == sequence]
            told.append(store.send_again(to, dead=True) if dead else store.send_again(to, numbers))
        assert told[0] == told[1]

    @rule(owner=OWNERS, seconds=st.sampled_from([0.0, 10.0]))
    def leases(self, owner: str, seconds: float) -> None:
        self.both("lease", "erp", owner, seconds)

    @rule(seconds=st.sampled_from([1, 11, 40]))
    def waits(self, seconds: int) -> None:
        self.clock.at += seconds

    @rule(age_s=st.sampled_from([0, 20]), bodies=flags, evidence=flags, announcements=flags)
    def purges(self, age_s: int, bodies: bool, evidence: bool, announcements: bool) -> None:
        before = self.one.now() - timedelta(seconds=age_s)
        self.both("purge_events", *(before if each else BEGAN for each in (bodies, evidence, announcements)))
        self.look()

    @rule(number=st.sampled_from(NUMBERS))
    def forgets(self, number: str) -> None:
        self.both("forget_parcels", [f"order-{number}"])
        self.look()

    def look(self) -> None:
        for found in self.both("walk"):
            if all(attrs.asdict(found, recurse=False) != attrs.asdict(one, recurse=False) for one in self.read[-9:]):
                self.read.append(found)

    @invariant()
    def both_hold_the_same(self) -> None:
        """Whatever can be asked."""
        self.both("letters", limit=1000, bodies=True)
        self.both("letters", [LetterState.PARKED, LetterState.DEAD], limit=3)
        self.both("walk", open_only=True)
        self.both("find", [("acme", number) for number in NUMBERS])
        scopes = [parcel(number).scope for number in NUMBERS]
        self.both("evidence", scopes)
        self.both("announcements", limit=1000)
        for destination in DESTINATIONS:
            self.both("outbox", destination, limit=1000)
            self.both("outbox", destination, dead=True, limit=2)
            self.both("outbox", destination, dead=False, limit=2)
            self.both("pending", destination, 3)
        for question in ("queues", "unmapped", "heard", "open_counts"):
            self.both(question)


def _plain(answer: Any) -> Any:
    """An answer without what each store numbers for itself."""
    if isinstance(answer, Mapping):
        return {name: _plain(item) for name, item in answer.items()}
    if isinstance(answer, tuple):
        items = [_plain(item) for item in answer]
        return sorted(items, key=repr) if answer and isinstance(answer[0], m.TrackingEvent) else items
    if isinstance(answer, m.TrackingEvent):
        return answer.event_id, answer.text, answer.signed_by, answer.place, answer.reason
    if isinstance(answer, Outgoing):
        return answer.destination, answer.attempts, _plain(answer.announcement)
    if attrs.has(type(answer)) and not isinstance(answer, m.Value):
        return {
            name: item
            for name, item in attrs.asdict(answer, recurse=False).items()
            if name not in ("id", "number") or isinstance(answer, Parcel)
        }
    return answer
