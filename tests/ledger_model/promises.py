"""P0 to P6: what must be true of every state, and of what it comes to when everybody has asked again."""

from __future__ import annotations

from typing import Any

from shipkit.model import RecoveryMode
from shipkit.ports import Entry, Phase, Stray
from tests.ledger_model.carrier import START
from tests.ledger_model.driving import KEY
from tests.ledger_model.state import Broken, Setup, State

__all__ = ["Promises"]

_ENDS = (Phase.SUCCEEDED, Phase.REJECTED, Phase.VOIDED, Phase.CLOSED, Phase.NEEDS_PERSON)


class Promises:
    """The properties of one configuration; a state that breaks one that is promised raises `Broken`."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.settled: set[Any] = set()
        self._fenced = setup.mode in (RecoveryMode.NATIVE_KEY, RecoveryMode.UNIQUE_REFERENCE)

    def alone(self, state: State, kind: str) -> State:
        """One call with nobody beside it and nothing that goes wrong."""
        raise NotImplementedError

    # What the ledger says

    def row(self, state: State) -> Entry | None:
        """The newest generation."""
        rows = self.rows(state)
        return rows[-1] if rows else None

    def rows(self, state: State) -> list[Entry]:
        """All generations of the key."""
        rows: list[Entry] = dict(state.store)["_rows"].get(KEY, [])
        return rows

    def every_row(self, state: State) -> list[Entry]:
        """The rows of pieces too."""
        return [row for rows in dict(state.store)["_rows"].values() for row in rows]

    def pieces(self, state: State, generation: int) -> list[Entry]:
        """The rows that one generation was bought under: its own, or those of its pieces."""
        planned = [row for row in self.every_row(state) if row.parent == (KEY, generation)]
        return planned or [row for row in self.rows(state) if row.generation == generation]

    def lost(self, state: State) -> tuple[Any, ...]:
        """Until when unknown keys may be ones that the store lost."""
        lost: tuple[Any, ...] = dict(state.store)["_lost"] or ()
        return lost[1:]

    def strays(self, state: State) -> list[Stray]:
        """Further bookings."""
        return list(dict(state.store)["_strays"].values())

    # What must stay true

    def _refuse_second(self, state: State, mark: str, order: str) -> None:
        """P4, counted where the requests arrive: none leaves while another of the intent is under way."""
        fenced = self._fenced
        for pending in state.books.pending:
            # Where the carrier knows an identity again, one that is booked (or this one) can book nothing more.
            harmless = fenced and (pending.subject == mark or state.books.under(pending.subject))
            if pending.kind == "buy" and not harmless:
                self._fail("P4", f"{mark} was sent while {pending.subject} was under way")
        for row in state.books.live(order):
            if not (fenced and row.mark == mark):
                self._fail("P4", f"{mark} was sent while {row.booking} was live")
        if self.setup.pieces == 1 or self._lost_something(state):
            return
        for row in self.every_row(state):
            if row.phase in (Phase.IN_DOUBT, Phase.NEEDS_PERSON) and not mark.startswith(f"{row.base}-"):
                self._fail("P4", f"{mark} was sent while {row.key} was {row.phase.value}")

    def _fail(self, which: str, text: str) -> None:
        if which not in self.setup.fails:
            raise Broken(which, text)

    def _check(self, state: State) -> None:
        live = state.books.live()
        if len({row.order for row in live}) < len(live):
            self._fail("P0", f"{' and '.join(row.booking for row in live)} are live at once")
        if state.handed:
            self._check_handed(state)
        if not state.crew and not state.books.pending:
            key = (state.stored, state.books, state.at, state.handed)
            if key not in self.settled:
                self.settled.add(key)
                self.check_rest(state)

    def _check_handed(self, state: State, *, at_rest: bool = False) -> None:
        """P5: one label is handed out, and the ledger holds it."""
        generations = [generation for generation, _ in state.handed]
        if len(set(generations)) < len(generations):
            self._fail("P5", f"two labels in two hands: {state.handed}")
        if self._lost_something(state) and not at_rest:
            return  # it has to be found first
        for generation, labels in state.handed:
            rows = self.pieces(state, generation)
            held = "+".join(row.booking for row in rows if row.result is not None)
            if held != labels:
                self._fail("P5", f"{labels} was handed out, the ledger holds {held!r}")

    def _check_label(self, state: State, generation: int, labels: str) -> None:
        """P5 too: what is handed out was not undone before anybody wished so."""
        wished = any(row.generation == generation and row.void_wanted for row in self.rows(state))
        if not {*labels.split("+")} <= {row.booking for row in state.books.live()} and not wished:
            self._fail("P5", f"the labels of {labels} were handed out, and not all are live")

    def _check_told(self, state: State, told: tuple[str, ...]) -> None:
        """P6: no label in hand is thrown away by a worker that lives."""
        for booking in told:
            if not self._lost_something(state) and not self._known(state, booking):
                self._fail("P6", f"{booking} was in a worker's hand, and the ledger does not know it")

    def _lost_something(self, state: State) -> bool:
        return state.left.failover < self.setup.left.failover

    def _known(self, state: State, booking: str) -> bool:
        return any(row.booking == booking and row.result is not None for row in self.every_row(state)) or any(
            stray.booking == booking for stray in self.strays(state)
        )

    def check_rest(self, state: State) -> None:
        """P1, P2, P3: once all is quiet and the host, or the sweep, has asked again as often as needed."""
        state = self.at_rest(state)
        live, row = state.books.live(), self.row(state)
        assert row is not None
        phase, rows = self._stands(state, row), self.pieces(state, row.generation)
        self._check_handed(state, at_rest=True)
        if phase not in _ENDS:
            self._fail("P3", f"it stays {phase.value}")
        if phase is Phase.SUCCEEDED and not all(row.complete and row.result.documents for row in rows):  # type: ignore[union-attr]
            self._fail("P2", "it is booked, and a label is in nobody's hand")
        named = " and ".join(row.booking for row in live)
        if len({b.order for b in live}) < len(live) or (live and phase in (Phase.VOIDED, Phase.REJECTED)):
            self._fail("P1", f"{named} live at rest, the key is {phase.value}")
        person = phase is Phase.NEEDS_PERSON and self.setup.mode in (RecoveryMode.NONE, RecoveryMode.NATIVE_KEY)
        if not person and not all(self._known(state, booking.booking) for booking in live):
            self._fail("P2", f"{named} live, and the ledger does not know all")
        if phase is Phase.SUCCEEDED and [row.booking for row in rows] != [b.booking for b in live]:
            self._fail("P2", f"the ledger says {[row.booking for row in rows]}, live: {named}")

    def _stands(self, state: State, row: Entry) -> Phase:
        """The row's phase; that of a parent is what its pieces say."""
        pieces = self.pieces(state, row.generation)
        phases = {piece.phase for piece in pieces}
        if row.phase is not Phase.PLANNED:
            return row.phase
        # One that the carrier would not undo, among others that are undone, is for a person to look at.
        kept = row.void_wanted and any(piece.phase is Phase.SUCCEEDED and piece.error for piece in pieces)
        if kept or Phase.NEEDS_PERSON in phases:
            return Phase.NEEDS_PERSON
        return Phase.SUCCEEDED if phases == {Phase.SUCCEEDED} and not row.void_wanted else Phase.PLANNED

    def at_rest(self, state: State) -> State:
        """After everybody has asked again, each alone, in a world that does not fail."""
        rows = tuple([row._replace(shown=True) for row in state.books.booked])
        state = state._replace(books=state.books._replace(booked=rows))
        if self.row(state) is None:
            state = self.alone(state, "create")
        for _ in range(5):
            state = self._later(state)
            if self.setup.sweep:
                state = self._later(self.alone(state, "recover"))
            row = self.row(state)
            if row is None:
                raise Broken("P3", "the host asks, and there is no row")
            if row.void_wanted and row.phase is not Phase.VOIDED:
                state = self.alone(state, "cancel")
            elif row.phase not in (Phase.VOIDED, Phase.CLOSED):
                state = self.alone(state, "create")
        return state

    def _later(self, state: State) -> State:
        """Everything has settled, and what is to be looked at is due."""
        due = [
            int(row.next_at.timestamp() - START.timestamp()) for row in self.every_row(state) if row.next_at is not None
        ]
        step = self.setup.window + self.setup.exchange + self.setup.settle + 1
        return state._replace(at=max(state.at + step, *due, 0))
