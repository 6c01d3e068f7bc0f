"""Random events on the store in memory and on another one, side by side: row by row and line by line the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shipkit.ports import Entry, LedgerStore, Phase, Resend
from shipkit.store import MemoryStore
from shipkit.store.audit import broken_at

from .store_values import SHIPMENT, VOIDED, WITH_BOTH, WITH_LABEL, World, claim, plain, plain_stray

__all__ = ["Beside"]

KEYS = ("a", "b", "p")
VALUES = st.sampled_from([SHIPMENT, WITH_LABEL, WITH_BOTH])
flags = st.booleans()
# Mostly the newest, for an event on a row that has long moved on does nothing; but that must be tried too.
ROWS = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 13])
ENDED = (Phase.VOIDED, Phase.CLOSED)


def _event(row: Entry) -> dict[str, Any]:
    """A row as an event gives it back: that need not carry the answers again."""
    return {**(plain(row) or {}), "result": 0, "void_result": 0}


class Beside(RuleBasedStateMachine):
    """Every event goes to both stores; both must answer the same, and stand the same afterwards."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.clock = world, world.clock
        self.one: LedgerStore = MemoryStore(clock=world.clock)
        self.two: LedgerStore = world.empty().ledger
        self.seen: list[tuple[Entry, Entry]] = []
        self.keys: list[str] = list(KEYS)
        self.asked: list[datetime] = [self.one.now()]
        for key in KEYS[:2]:
            self.both("claim", claim(key))
        self.look()

    def teardown(self) -> None:
        """Close the store."""
        self.world.close()

    def both(self, method: str, *given: Any, **named: Any) -> Any:
        """Call *method* of both; what they answer is compared, and the first one's answer given back."""
        first = getattr(self.one, method)(*given, **named)
        second = getattr(self.two, method)(*given, **named)
        self.same(first, second)
        return first

    def on_entry(self, method: str, which: int, *given: Any) -> None:
        """The same for an event on a row as somebody saw it, now or long ago."""
        if self.seen:
            one, two = self.seen[-1 - which % len(self.seen)]
            self.same(getattr(self.one, method)(one, *given), getattr(self.two, method)(two, *given))

    def same(self, first: Any, second: Any) -> None:
        if isinstance(first, Entry):
            assert isinstance(second, Entry)
            assert _event(first) == _event(second)
        else:
            assert first == second

    def look(self) -> None:
        for key in self.keys:
            one, two = self.one.read(key), self.two.read(key)
            assert plain(one) == plain(two)
            if one is not None and two is not None and all(one is not seen for seen, _ in self.seen[-9:]):
                self.seen.append((one, two))

    @rule(
        key=st.sampled_from(KEYS[:2]),
        attempt=st.sampled_from([0, 0, 0, 1]),
        instead=flags,
        other=flags,
        most=st.integers(1, 3),
    )
    def claims(self, key: str, attempt: int, instead: bool, other: bool, most: int) -> None:
        row = self.one.read(key)
        over = row is not None and (row.phase in ENDED or instead)
        generation = 1 if row is None else row.generation + over
        next_attempt = 1 if row is None or over else row.attempt + (row.phase is not Phase.NEW)
        fingerprint = "f1:b" if other and row is not None else "f1:a"
        self.both(
            "claim",
            claim(
                key,
                next_attempt + attempt,
                generation,
                fingerprint=fingerprint,
                instead=instead and row is not None,
                attempts_max=most,
            ),
        )

    @rule(which=st.integers(0, 20))
    def claims_a_piece(self, which: int) -> None:
        pieces = [row for row in (self.one.read(key) for key in self.keys[len(KEYS) :]) if row is not None]
        if pieces:
            row = pieces[which % len(pieces)]
            attempt = row.attempt + (row.phase is not Phase.NEW)
            self.both("claim", claim(row.key, attempt, row.generation, parent=row.parent, fingerprint="f1:p"))

    @rule(which=ROWS, most=st.integers(1, 3), life=st.sampled_from([None, 100.0, 5000.0]))
    def resends(self, which: int, most: int, life: float | None) -> None:
        again = Resend(owner="other", lease_s=70, settle_s=910, sends_max=most, key_ttl_s=life)
        self.on_entry("resend", which, again)

    @rule(which=ROWS, event=st.sampled_from(["take_over", "not_sent"]))
    def settles(self, which: int, event: str) -> None:
        self.on_entry(event, which)

    @rule(which=ROWS, event=st.sampled_from(["doubt", "refuse", "needs_person", "keep"]))
    def tells(self, which: int, event: str) -> None:
        self.on_entry(event, which, "silence 500")

    @rule(which=ROWS, asked=st.integers(-3, -1), most=st.integers(1, 3))
    def is_absent(self, which: int, asked: int, most: int) -> None:
        self.on_entry("absent", which, self.asked[max(asked, -len(self.asked))], most)

    @rule(which=ROWS, booking=st.sampled_from("XYZ"), value=VALUES, complete=flags, watch=flags)
    def books(self, which: int, booking: str, value: Any, complete: bool, watch: bool) -> None:
        self.on_entry("book", which, booking, value, complete, watch)

    @rule(which=ROWS, value=VALUES, complete=flags)
    def fills(self, which: int, value: Any, complete: bool) -> None:
        self.on_entry("fill", which, value, complete)

    @rule(which=st.integers(0, 9))
    def wishes_undone(self, which: int) -> None:
        self.both("want_void", self.keys[which % len(self.keys)])

    @rule(which=ROWS, asked=st.sampled_from([None, -1, -2]))
    def is_undone(self, which: int, asked: int | None) -> None:
        at = None if asked is None else self.asked[max(asked, -len(self.asked))]
        self.on_entry("voided", which, VOIDED, at)

    @rule(which=st.integers(0, 9), note=st.sampled_from(["", "asked the depot"]))
    def closes(self, which: int, note: str) -> None:
        self.both("close_key", self.keys[which % len(self.keys)], note)

    @rule(pieces=st.integers(1, 11))
    def plans(self, pieces: int) -> None:
        row = self.one.read("p")
        generation = 1 if row is None else row.generation + 1
        keys = [f"p#{generation}/{number}" for number in range(1, pieces + 1)]
        parent = claim("p", 1, generation)
        planned = self.both("plan", parent, [claim(key, parent=("p", generation)) for key in keys])
        if planned is not None:
            self.keys += keys

    @rule(which=ROWS, event=st.sampled_from(["undo", "end_parent", "undo_silently"]))
    def of_a_parent(self, which: int, event: str) -> None:
        if event == "end_parent":
            self.on_entry("end_parent", which)
        else:
            self.on_entry("undo", which, "" if event == "undo_silently" else "refused 42")

    @rule(limit=st.integers(1, 20), prefix=st.sampled_from(["", "p", "a", "nobody"]), hold_s=st.sampled_from([0, 5.0]))
    def is_due(self, limit: int, prefix: str, hold_s: float) -> None:
        one, two = self.one.due(limit, prefix, hold_s), self.two.due(limit, prefix, hold_s)
        assert [plain(row) for row in one] == [plain(row) for row in two]

    @rule(which=ROWS, in_s=st.sampled_from([None, 0.0, 30.0]))
    def looks_again(self, which: int, in_s: float | None) -> None:
        self.on_entry("look_again", which, in_s)

    @rule(which=ROWS, booking=st.sampled_from("XYZ"), value=VALUES)
    def sets_aside(self, which: int, booking: str, value: Any) -> None:
        self.on_entry("set_aside", which, booking, value)

    @rule(which=st.integers(0, 9))
    def puts_a_stray_last(self, which: int) -> None:
        strays = self.one.open_strays(100)
        if strays:
            self.both("put_last", strays[which % len(strays)])

    @rule(phase=st.sampled_from(["voided", "gone", "shown"]), which=st.integers(0, 9))
    def ends_a_stray(self, phase: str, which: int) -> None:
        strays = self.one.open_strays(100)
        if strays:
            self.both("end_stray", strays[which % len(strays)], phase)

    @rule(age_s=st.sampled_from([0.0, 0.0, 0.0, 10.0, 400.0]))
    def restores(self, age_s: float) -> None:
        if age_s:
            self.both("restored", age_s, 910.0)

    @rule(seconds=st.sampled_from([0.5, 60.0, 1000.0, 6000.0]))
    def waits(self, seconds: float) -> None:
        self.clock.at += seconds
        self.asked.append(self.one.now())

    @rule(
        prefix=st.sampled_from(["", "p"]),
        phases=st.lists(st.sampled_from(list(Phase)), max_size=3, unique=True),
        limit=st.integers(1, 9),
        after=st.sampled_from(["", "a", "p#1/1"]),
    )
    def lists(self, prefix: str, phases: list[Phase], limit: int, after: str) -> None:
        one, two = (
            [plain(row, blobs=False) for row in s.entries(prefix=prefix, phases=phases, limit=limit, after=after)]
            for s in (self.one, self.two)
        )
        assert one == two

    @invariant()
    def they_stand_the_same(self) -> None:
        self.look()
        for key in self.keys:
            one, two = self.one.history(key), self.two.history(key)
            assert [attrs.astuple(step) for step in one] == [attrs.astuple(step) for step in two]
            assert broken_at(two) is None
            strays = [sorted(map(plain_stray, store.strays(key))) for store in (self.one, self.two)]
            assert strays[0] == strays[1]
        waiting = [sorted((one.key, one.booking) for one in store.open_strays(100)) for store in (self.one, self.two)]
        assert waiting[0] == waiting[1], "in any order where they came in at the same moment"
        for parent, other in [pair for pair in self.seen if pair[0].phase is Phase.PLANNED][-1:]:
            assert [plain(row) for row in self.one.pieces(parent)] == [plain(row) for row in self.two.pieces(other)]
