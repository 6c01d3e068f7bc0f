"""The state table against the store, and the way of a purchase over worlds in the test's hands."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shipkit.errors import StoreError
from shipkit.ledger import TABLE, fingerprint, mark_of
from shipkit.ledger.booking import unpacked
from shipkit.ledger.identity import base_of
from shipkit.model import (
    BookingState,
    CancellationResult,
    CancelOutcome,
    Document,
    DocumentFormat,
    DocumentKind,
    Shipment,
)
from shipkit.ports import Claim, Entry, Phase, Resend
from shipkit.store import MemoryStore, SqliteStore
from shipkit.store.audit import EVENTS as EVENTS_TOLD
from shipkit.store.audit import broken_at
from tests.core.acme import request
from tests.core.script import START

SHIPMENT = Shipment(
    shipment_id="S1",
    reference="SO042",
    state=BookingState.CONFIRMED,
    service="HOME",
    packages=(),
    tracking_numbers=(),
    created_at=START,
)
LABEL = Document(kind=DocumentKind.LABEL, format=DocumentFormat.PDF, content=b"%PDF-1.4 label")
SECOND = attrs.evolve(SHIPMENT, shipment_id="S2")
POOR, FULL = SHIPMENT, attrs.evolve(SHIPMENT, documents=(LABEL,))
VOIDED = CancellationResult(outcome=CancelOutcome.VOIDED)


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def claim(attempt: int = 1, generation: int = 1, **changes: object) -> Claim:
    values = {
        "key": "order-1",
        "generation": generation,
        "attempt": attempt,
        "operation": "create_shipment",
        "account": "acme-de",
        "carrier": "acme",
        "fingerprint": "f1:a",
        "base": f"BASE{generation}",
        "owner": "me",
        "request": request(),
        "lease_s": 70.0,
        "settle_s": 910.0,
        "attempts_max": 3,
    }
    return Claim(**values | changes)  # type: ignore[arg-type]


def in_phase(make: Make, phase: Phase, clock: Clock, *, void_wanted: bool = False) -> tuple[Any, Entry]:
    """A store whose only row stands in *phase*, brought there by events alone."""
    store = make(clock)
    entry = store.claim(claim())
    assert entry is not None
    if void_wanted and phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON):
        store.want_void("order-1")
    if phase is Phase.NEW:
        store.not_sent(entry)
    elif phase is Phase.REJECTED:
        store.refuse(entry, "no")
    elif phase in (Phase.IN_DOUBT, Phase.ABSENT, Phase.NEEDS_PERSON):
        store.doubt(entry, "silence")
        if phase is Phase.ABSENT:
            clock.at += 2000
            store.absent(entry, store.now(), 3)
        elif phase is Phase.NEEDS_PERSON:
            store.needs_person(entry, "nobody to ask")
    elif phase in (Phase.SUCCEEDED, Phase.VOIDING, Phase.VOIDED):
        store.book(entry, "B1", SHIPMENT, True)
        if phase is not Phase.SUCCEEDED:
            store.want_void("order-1")
        if phase is Phase.VOIDED:
            store.voided(entry, VOIDED, None)
    elif phase is Phase.CLOSED:
        store.refuse(entry, "no")
        store.close_key("order-1")
    elif phase is Phase.PLANNED:
        store.close_key("order-1")
        store = make(clock)
        store.plan(claim(base="WHOLE"), [claim(key="order-1#1/1", base="PIECE", parent=("order-1", 1))])
        if void_wanted:
            store.want_void("order-1")
    row = store.read("order-1")
    assert row is not None and row.phase is phase
    return store, row


AGAIN = Resend(owner="me", lease_s=70.0, settle_s=910.0, sends_max=3)


def apply(event: str, store: Any, row: Entry, *, last_attempt: bool = False) -> Phase:
    attempts_max = row.attempt if last_attempt else 3
    match event:
        case "resend":
            store.resend(row, attrs.evolve(AGAIN, sends_max=row.send if last_attempt else 3))
        case "restored":
            store.restored(0, 900)
        case "plan":
            store.plan(claim(generation=row.generation + 1, base="NEXT"), [])
        case "undo":
            store.undo(row, "rejected A17")
        case "end_parent":
            store.end_parent(row)
        case "claim":
            follows = row.phase in (Phase.VOIDED, Phase.CLOSED)
            attempt = 1 if follows else row.attempt + (row.phase is not Phase.NEW)
            store.claim(claim(attempt, row.generation + follows))
        case "instead":
            generation = row.generation + 1
            taken = store.claim(claim(1, generation, base=f"BASE{generation}", instead=True))
            return row.phase if taken is None else Phase.CLOSED  # one live generation: the row before it has ended
        case "not_sent":
            store.not_sent(row)
        case "doubt":
            store.doubt(row, "silence")
        case "refuse":
            store.refuse(row, "no")
        case "take_over":
            store.take_over(row)
        case "absent":
            store.absent(row, store.now(), attempts_max)
        case "needs_person":
            store.needs_person(row, "nobody")
        case "book":
            store.book(row, row.booking or "B1", SHIPMENT, True)
        case "want_void":
            store.want_void(row.key)
        case "voided":
            store.voided(row, VOIDED, None)
        case "keep":
            store.keep(row, "too late")
        case "close":
            store.close_key(row.key)
        case "instead":
            store.claim(claim(1, row.generation + 1, account="acme-fr", instead=True))
            return told(store, row)
    after = store.read(row.key)
    assert after is not None
    return after.phase


def told(store: Any, row: Entry) -> Phase:
    """Where that generation stands, as its trail says: a store gives out the newest one only."""
    return Phase([step.after for step in store.history(row.key) if step.generation == row.generation][-1])


Make = Callable[[Clock], Any]
BOTH = pytest.mark.parametrize(
    "make",
    [lambda clock: MemoryStore(clock=clock), lambda clock: SqliteStore(":memory:", clock=clock)],
    ids=["memory", "sqlite"],
)
EVENTS = sorted({transition.event for transition in TABLE})
PHASES = list(Phase)


@BOTH
@pytest.mark.parametrize(("phase", "event"), list(itertools.product(PHASES, EVENTS)))
def test_a_store_does_what_the_state_table_says_and_nothing_else(make: Make, phase: Phase, event: str) -> None:
    rows = [t for t in TABLE if t.phase is phase and t.event == event]
    for void_wanted, late, last in itertools.product([False, True], repeat=3):
        clock = Clock()
        store, row = in_phase(make, phase, clock, void_wanted=void_wanted)
        if late:
            clock.at += 5000
        holding = [t for t in rows if holds(t.guard, row, late=late, last=last, event=event)]
        expected = holding[0].then if holding else phase

        assert len({t.then for t in holding}) <= 1, "one event, one outcome"
        assert apply(event, store, row, last_attempt=last) is expected


GUARDED_BY_WISH = ("not_sent", "refuse", "absent", "book", "end_parent")


def holds(guard: str, row: Entry, *, late: bool, last: bool, event: str) -> bool:
    """The guards of the table, read as a person reads them, of a row that was sent once or never."""
    wanted = row.void_wanted
    parts = {part.strip() for part in guard.split(",")} - {""}
    open_to_wishes = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON, Phase.VOIDING, Phase.PLANNED)
    if row.phase in open_to_wishes and event in GUARDED_BY_WISH and ("void wanted" in parts) != wanted:
        return False
    false = {
        "lease over": not late,
        "asked at or after settle_at": not late,
        "attempts left": last and event == "absent",
        "no attempts left": not (last and event == "absent"),
        "sends left": last,
        "live": wanted,
        "an earlier send is open": True,
        "another one open": True,
        "restored where any might follow": True,
        "every piece at an end": not wanted,  # the only piece is new: the wish ends it
        "refused": True,  # nothing refused a piece: the whole was wished undone
    }
    return not any(false.get(part, False) for part in parts)


@BOTH
def test_an_attempt_is_claimed_by_one_of_many_threads(make: Make) -> None:
    store = make(Clock())
    won: list[Entry] = []

    def take(owner: str) -> None:
        entry = store.claim(claim(owner=owner))
        if entry is not None:
            won.append(entry)

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def _race(path: str, name: str, keys: int, out: multiprocessing.Queue[int]) -> None:
    store = SqliteStore(path)
    out.put(sum(store.claim(claim(key=f"k{n}", base=f"b{n}", owner=name)) is not None for n in range(keys)))
    store.close()


@pytest.mark.process
@pytest.mark.slow
def test_processes_that_race_for_keys_win_each_key_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    args = [(str(tmp_path / "ledger.db"), f"w{n}", 50, out) for n in range(4)]
    workers = [context.Process(target=_race, args=arg) for arg in args]
    for worker in workers:
        worker.start()
    won = [out.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(won) == 50


@BOTH
def test_a_claim_for_an_attempt_that_the_row_does_not_stand_before_is_refused(make: Make) -> None:
    store, _ = in_phase(make, Phase.REJECTED, Clock())
    assert store.claim(claim(1)) is None
    assert store.claim(claim(3)) is None
    assert store.claim(claim(2)) is not None


@BOTH
def test_a_row_that_was_lost_is_not_silently_begun_anew(make: Make) -> None:
    assert make(Clock()).claim(claim(2)) is None


@BOTH
def test_another_payload_waits_until_the_first_was_refused(make: Make) -> None:
    store, _ = in_phase(make, Phase.ABSENT, Clock())
    assert store.claim(claim(2, fingerprint="f1:b")) is None
    store, _ = in_phase(make, Phase.REJECTED, Clock())
    assert store.claim(claim(2, fingerprint="f1:b")) is not None


@BOTH
def test_absence_counts_only_when_the_question_was_asked_late_enough(make: Make) -> None:
    clock = Clock()
    store, row = in_phase(make, Phase.IN_DOUBT, clock)
    asked_at = store.now()
    clock.at += 5000

    assert store.absent(row, asked_at, 3) is None, "an old answer proves nothing"
    assert store.absent(row, store.now(), 3) is not None


@BOTH
def test_a_second_booking_is_kept_as_a_stray_and_the_first_stays(make: Make) -> None:
    store, row = in_phase(make, Phase.SUCCEEDED, Clock())

    assert not store.book(row, "B2", SECOND, True)
    kept = store.read("order-1")
    assert kept is not None and kept.booking == "B1"
    assert [stray.booking for stray in store.strays("order-1")] == ["B2"]
    assert unpacked(store.strays("order-1")[0].result, Shipment) == SECOND


@BOTH
def test_a_fuller_answer_about_the_same_booking_replaces_a_poorer_one_only(make: Make) -> None:
    store = make(Clock())
    entry = store.claim(claim())
    assert entry is not None
    store.book(entry, "B1", POOR, False)
    store.book(entry, "B1", FULL, True)
    store.book(entry, "B1", POOR, False)
    kept = store.read("order-1")
    assert kept is not None and kept.complete
    assert unpacked(kept.result, Shipment) == FULL


@BOTH
def test_a_refusal_to_undo_counts_only_for_whoever_asked_last_and_what_was_undone_counts_for_all(make: Make) -> None:
    store, first = in_phase(make, Phase.VOIDING, Clock())
    second = store.want_void("order-1")

    store.keep(first, "too late")
    assert store.read("order-1").phase is Phase.VOIDING, "another one has asked since"
    store.keep(second, "too late")
    assert store.read("order-1").phase is Phase.SUCCEEDED
    assert store.voided(first, VOIDED, None), "and yet it was undone for the first one"
    assert store.read("order-1").phase is Phase.VOIDED


def test_what_is_stored_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = SqliteStore(path)
    entry = store.claim(claim())
    assert entry is not None
    store.book(entry, "B1", FULL, True)
    salt = store.salt()
    store.close()

    again = SqliteStore(path)
    kept = again.read("order-1")
    assert kept is not None and unpacked(kept.result, Shipment) == FULL
    assert again.salt() == salt
    assert path.stat().st_mode & 0o077 == 0, "labels bear addresses: only the owner reads them"
    again.close()


def test_a_store_that_fails_says_so_with_our_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "no" / "such" / "folder" / "ledger.db")
    store = SqliteStore(tmp_path / "ledger.db")
    store.close()
    with pytest.raises(StoreError):
        store.read("order-1")
    (tmp_path / "bad.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "bad.db")


@given(st.text(min_size=1, max_size=64), st.integers(1, 99), st.integers(1, 999))
def test_a_mark_fits_every_field_and_is_a_pure_function(key: str, generation: int, attempt: int) -> None:
    mark = mark_of(base_of("salt", key, generation), attempt)
    assert len(mark) <= 20
    assert set(mark) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert mark == mark_of(base_of("salt", key, generation), attempt)
    assert mark != mark_of(base_of("salt", key, generation + 1), attempt)
    assert mark != mark_of(base_of("other", key, generation), attempt)


def test_a_fingerprint_knows_what_was_asked_and_nothing_else() -> None:
    one = request()
    same = fingerprint("create_shipment", "acme-de", one)
    assert same == fingerprint("create_shipment", "acme-de", attrs.evolve(one, mark="X-1", metadata={"a": "b"}))
    assert same != fingerprint("create_shipment", "acme-fr", one)
    assert same != fingerprint("create_return", "acme-de", one)
    assert same != fingerprint("create_shipment", "acme-de", attrs.evolve(one, reference="SO043"))


ON_ONE_ROW = [
    "not_sent",
    "doubt",
    "refuse",
    "take_over",
    "absent",
    "needs_person",
    "want_void",
    "voided",
    "keep",
    "close",
    "resend",
    "restored",
]


class OneKey(RuleBasedStateMachine):
    """Events in any order: whatever happens, a booking is never lost and never replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = self.make()
        self.booked: dict[int, str] = {}
        self.made = 0

    def make(self) -> Any:
        return MemoryStore(clock=self.clock)

    @property
    def row(self) -> Entry | None:
        return self.store.read("order-1")

    @rule()
    def claim(self) -> None:
        row = self.row
        if row is None:
            self.store.claim(claim())
        else:
            follows = row.phase in (Phase.VOIDED, Phase.CLOSED)
            attempt = 1 if follows else row.attempt + (row.phase is not Phase.NEW)
            self.store.claim(claim(attempt, row.generation + follows, base=f"B{row.generation + follows}"))

    @precondition(lambda self: self.row is not None)
    @rule(event=st.sampled_from(ON_ONE_ROW))
    def event(self, event: str) -> None:
        assert self.row is not None
        apply(event, self.store, self.row)

    @precondition(lambda self: self.row is not None)
    @rule()
    def book(self) -> None:
        assert self.row is not None
        self.made += 1
        if self.store.book(self.row, f"booking-{self.made}", SHIPMENT, True):
            assert self.row.generation not in self.booked, "the first one wins the row"
            self.booked[self.row.generation] = f"booking-{self.made}"

    @rule(seconds=st.sampled_from([1.0, 100.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.at += seconds

    @invariant()
    def every_booking_is_known(self) -> None:
        row = self.row
        strays = len(self.store.strays("order-1"))
        assert strays + len(self.booked) == self.made
        if row is not None and row.generation in self.booked:
            assert row.booking == self.booked[row.generation]
            assert row.phase in (Phase.SUCCEEDED, Phase.VOIDING, Phase.VOIDED)

    @invariant()
    def what_has_to_be_worked_with_is_due(self) -> None:
        row = self.row
        if row is not None and row.phase in (Phase.IN_DOUBT, Phase.VOIDING):
            assert any(due.generation == row.generation for due in self.store.due(10))
        if row is not None and row.phase is Phase.IN_FLIGHT:
            assert row.next_at == row.lease_until

    @invariant()
    def the_trail_is_whole(self) -> None:
        trail = self.store.history("order-1")
        assert broken_at(trail) is None
        assert {step.event for step in trail} <= set(EVENTS_TOLD)
        row = self.row
        if row is not None:
            mine = [step for step in trail if step.generation == row.generation and step.event != "stray"]
            assert (mine[-1].after, mine[-1].attempt, mine[-1].send) == (row.phase.value, row.attempt, row.send)

    @invariant()
    def an_identity_goes_out_no_oftener_than_allowed(self) -> None:
        resends = [step for step in self.store.history("order-1") if step.event == "resend"]
        assert all(step.send <= 3 for step in resends)


class OneDurableKey(OneKey):
    def make(self) -> Any:
        return SqliteStore(":memory:", clock=self.clock)

    def teardown(self) -> None:
        self.store.close()


TestOneKey = OneKey.TestCase
TestOneDurableKey = OneDurableKey.TestCase


def test_times_are_aware_and_the_stores_own() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    entry = store.claim(claim())
    assert entry is not None and entry.settle_at is not None
    assert entry.settle_at == datetime.fromtimestamp(clock.at, timezone.utc) + timedelta(seconds=910)
