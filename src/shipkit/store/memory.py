"""The ledger as values: a store that ends with the process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from ..model.base import Value
from ..ports import Backlog, Claim, Entry, Phase, Resend, Step, Stray
from . import rules
from .memory_limits import MemoryLimits
from .memory_tokens import MemoryTokens
from .memory_trail import Trail

if TYPE_CHECKING:
    from .memory_events import MemoryEvents

__all__ = ["MemoryStore"]

_CONTENTS = ("_salt", "_rows", "_waiting", "_strays", "_pieces", "_trail", "_lost")


class MemoryStore:
    """The ledger in memory, for tests and for hosts that keep nothing: keys hold for as long as the process does.

    It keeps the values themselves, which are immutable, and applies `shipkit.store.rules` as they stand.
    """

    blocking = False

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.tokens = MemoryTokens()
        self.limits = MemoryLimits()
        self._clock = clock
        self._salt = os.urandom(8).hex()
        self._lock = threading.RLock()
        self._rows: dict[str, list[Entry]] = {}
        self._waiting: dict[tuple[str, int], datetime] = {}
        self._strays: dict[tuple[str, int, str], Stray] = {}
        self._pieces: dict[tuple[str, int], list[str]] = {}
        self._trail = Trail()
        self._lost: tuple[datetime, datetime, datetime] | None = None

    @property
    def ledger(self) -> MemoryStore:
        """This store is its own ledger."""
        return self

    @cached_property
    def events(self) -> MemoryEvents:
        """Parcels on their way; made when they are first asked for."""
        from .memory_events import MemoryEvents

        return MemoryEvents(self._clock)

    def close(self) -> None:
        """Nothing is to be closed; a call that is still under way finds its key."""

    @property
    def contents(self) -> dict[str, Any]:
        """Everything that the ledger keeps, as one value that can be pickled; what is set becomes the store's own."""
        return {name: getattr(self, name) for name in _CONTENTS}

    @contents.setter
    def contents(self, kept: dict[str, Any]) -> None:
        with self._lock:
            for name in _CONTENTS:
                setattr(self, name, kept[name])

    def now(self) -> datetime:
        """The store's clock: this machine's."""
        return datetime.fromtimestamp(self._clock(), timezone.utc)

    def salt(self) -> str:
        """A text drawn when the store was made."""
        return self._salt

    def read(self, key: str) -> Entry | None:
        """The newest generation under *key*."""
        rows = self._rows.get(key)
        return rows[-1] if rows else None

    def claim(self, claim: Claim) -> Entry | None:
        """Take the key for exactly this generation and attempt, or None."""
        with self._lock:
            row = self.read(claim.key)
            if not rules.claimable(row, claim) or not self._may_begin(claim):
                return None
            at = self.now()
            if row is not None and row.generation == claim.generation:
                return self._put("claim", row, rules.claimed(claim, at, row.created_at))
            if row is not None and claim.instead:
                self._event("instead", row, rules.given_up)
            if (lost := self._lost_one(claim, at)) is not None:
                self._put("restored", None, lost)
                return None
            return self._put("claim", None, rules.claimed(claim, at, at))

    def resend(self, entry: Entry, again: Resend) -> Entry | None:
        """The row out once more under the same identity, or None."""
        return self._event("resend", entry, lambda row, at: rules.resent(row, entry, again, at))

    def take_over(self, entry: Entry) -> Entry | None:
        """The row in doubt, if its lease is over."""
        return self._event("take_over", entry, lambda row, at: rules.taken_over(row, entry, at))

    def doubt(self, entry: Entry, error: str) -> None:
        """No readable answer came to this claim."""
        self._event("doubt", entry, lambda row, at: rules.doubted(row, entry, at, error), error)

    def not_sent(self, entry: Entry) -> None:
        """Nothing of this claim left the machine."""
        self._event("not_sent", entry, lambda row, at: rules.not_sent(row, entry, at))

    def refuse(self, entry: Entry, error: str) -> None:
        """The carrier refused this claim for good."""
        self._event("refuse", entry, lambda row, at: rules.refused(row, entry, at, error), error)

    def absent(self, entry: Entry, asked_at: datetime, attempts_max: int) -> Entry | None:
        """The row as it is once a look-up issued at *asked_at* found nothing; None if that proved nothing."""
        return self._event("absent", entry, lambda row, at: rules.absent(row, entry, at, asked_at, attempts_max))

    def needs_person(self, entry: Entry, error: str) -> None:
        """Nobody else can end this row."""
        self._event("needs_person", entry, lambda row, at: rules.with_person(row, entry, at, error), error)

    def book(self, entry: Entry, booking: str, value: Value, complete: bool, watch: bool = True) -> Phase | None:
        """Record a booking: the phase of its row, or None when another was first and this one is now a stray."""
        with self._lock:
            there = self._found(entry) or self.read(entry.key)
            row = rules.row_for_evidence(there, entry)
            then = row and rules.booked(row, booking, value, self.now(), complete=complete, watch=watch)
            if then is None:
                self._keep_stray(entry, booking, value)
                return None
            return then.phase if then is row else self._put("book", there, then).phase

    def set_aside(self, entry: Entry, booking: str, value: Value) -> bool:
        """Keep a booking that cannot be the row's for a person to see; False where it is kept already."""
        with self._lock:
            return self._keep_stray(entry, booking, value, "shown")

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """Add the documents of a booking that was recorded without them."""
        self._event("fill", entry, lambda row, at: rules.filled(row, entry, value, at, complete=complete))

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone, with its pieces."""
        with self._lock:
            entry = self.read(key)
            if entry is None:
                return None
            self._event("want_void", entry, rules.wanted_void)
            if entry.phase is Phase.PLANNED:
                self._undo_pieces(entry)
            return self.read(key)

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone."""
        return self._event("voided", entry, lambda row, at: rules.voided(row, value, at, asked_at)) is not None

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it."""
        self._event("keep", entry, lambda row, at: rules.kept(row, entry, at, error), error)

    def close_key(self, key: str, note: str = "") -> Entry | None:
        """A person ends a row that nobody else can end; a new generation may follow."""
        with self._lock:
            entry = self.read(key)
            if entry is not None:
                self._event("close", entry, lambda row, at: rules.closed(row, at, note))
            return self.read(key)

    def plan(self, parent: Claim, pieces: Sequence[Claim]) -> Entry | None:
        """A parent and a row for each of its pieces, at once."""
        with self._lock:
            row = self.read(parent.key)
            if not rules.plannable(row, parent) or any(piece.key in self._rows for piece in pieces):
                return None
            at = self.now()
            if row is not None and row.phase not in rules.ENDED:
                self._event("instead", row, rules.given_up)
            whole = self._put("plan", None, rules.planned(parent, at, Phase.PLANNED))
            for piece in pieces:
                lost = self._lost_one(piece, at)
                self._put("plan", None, lost or rules.planned(piece, at, Phase.NEW))
                self._pieces.setdefault((parent.key, parent.generation), []).append(piece.key)
            return whole

    def pieces(self, parent: Entry) -> tuple[Entry, ...]:
        """The rows planned under *parent*, in order."""
        keys = self._pieces.get((parent.key, parent.generation), ())
        return tuple([self._rows[key][-1] for key in keys])

    def undo(self, parent: Entry, error: str) -> Entry | None:
        """*parent* undoing, and every piece wished undone at once."""
        with self._lock:
            undoing = self._event("undo", parent, lambda row, at: rules.undoing(row, at, error), error)
            if undoing is not None:
                self._undo_pieces(parent)
            return undoing

    def end_parent(self, parent: Entry) -> Entry | None:
        """The end of a parent that is undoing, once all its pieces are at one."""
        with self._lock:
            pieces = self.pieces(parent)
            return self._event("end_parent", parent, lambda row, at: rules.ended(row, pieces, at))

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*."""
        return tuple([stray for stray in list(self._strays.values()) if stray.key == key])

    def open_strays(self, limit: int, prefix: str = "") -> tuple[Stray, ...]:
        """Further bookings that nobody has dealt with, longest waiting first."""
        strays = [s for s in list(self._strays.values()) if s.phase == "open" and s.key.startswith(prefix)]
        return tuple(strays[:limit])

    def end_stray(self, stray: Stray, phase: str) -> None:
        """That further booking was ``voided``, is ``gone``, or is ``shown`` to a person."""
        with self._lock:
            name = (stray.key, stray.generation, stray.booking)
            if name in self._strays and self._strays[name].phase == "open":
                self._strays[name] = attrs.evolve(stray, phase=phase)
                row = self._found(stray) or self._rows[stray.key][-1]
                self._trail.tell("end_stray", self.now(), row, row, stray.booking, phase)

    def put_last(self, stray: Stray) -> None:
        """An open stray waits behind all others."""
        with self._lock:
            name = (stray.key, stray.generation, stray.booking)
            if name in self._strays and self._strays[name].phase == "open":
                self._strays[name] = self._strays.pop(name)

    def due(self, limit: int, prefix: str = "", hold_s: float = 0) -> tuple[Entry, ...]:
        """Rows that a recovery run has work with, longest waiting first."""
        with self._lock:
            at = self.now()
            waiting = sorted((due, name) for name, due in self._waiting.items() if due <= at)
            names = [name for _, name in waiting if name[0].startswith(prefix)][:limit]
            rows = [self._of(*name) for name in names]
            if hold_s > 0:
                for row in rows:
                    self._replace(attrs.evolve(row, next_at=at + timedelta(seconds=hold_s)))
            return tuple(rows)

    def look_again(self, entry: Entry, in_s: float | None) -> None:
        """Have the row, if it has not moved, due again in *in_s* seconds."""
        with self._lock:
            row = self._found(entry)
            if row is not None and rules.standing(row) == rules.standing(entry):
                due = None if in_s is None else self.now() + timedelta(seconds=in_s)
                self._replace(attrs.evolve(row, next_at=due))

    def entries(
        self, *, prefix: str = "", phases: Sequence[Phase] = (), after: str = "", limit: int = 100
    ) -> tuple[Entry, ...]:
        """Newest generations by key, in order."""
        with self._lock:
            keys = sorted(key for key in self._rows if key > after and key.startswith(prefix))
            rows = (self._rows[key][-1] for key in keys)
            return tuple(islice((row for row in rows if not phases or row.phase in phases), limit))

    def succeeded(self, since: datetime, after: str = "", *, prefix: str = "", limit: int = 100) -> tuple[Entry, ...]:
        """Rows that succeeded, by the time of their last change."""
        with self._lock:
            newest = [rows[-1] for key, rows in self._rows.items() if key.startswith(prefix)]
            found = [
                ((row.updated_at, row.key), row)
                for row in newest
                if row.phase is Phase.SUCCEEDED and (row.updated_at, row.key) > (since, after)
            ]
            return tuple([row for _, row in sorted(found, key=lambda pair: pair[0])[:limit]])

    def backlog(self, prefix: str = "") -> tuple[Backlog, ...]:
        """What recovery runs still have to end."""
        with self._lock:
            at, found = self.now(), dict[str, tuple[int, timedelta]]()
            for row in [self._of(*name) for name in self._waiting if name[0].startswith(prefix)]:
                if row.phase is Phase.IN_DOUBT or (row.phase is Phase.SUCCEEDED and not row.complete):
                    depth, age = found.get(row.phase.value, (0, timedelta()))
                    found[row.phase.value] = depth + 1, max(age, at - row.updated_at)
            return rules.backlog(found)

    def history(self, key: str) -> tuple[Step, ...]:
        """The audit trail of *key*; its digests are made when somebody reads it."""
        return self._trail.of(key)

    def restored(self, age_s: float, settle_s: float) -> int:
        """Every row that may have moved since is in doubt, and unknown keys are for a while."""
        with self._lock:
            at, moved = self.now(), 0
            settle_at = at + timedelta(seconds=settle_s)
            self._lost = (at - timedelta(seconds=age_s), settle_at, settle_at + timedelta(seconds=age_s))
            for key in list(self._rows):
                row = self._rows[key][-1]
                moved += self._event("restored", row, lambda row, at: rules.restored(row, at, settle_s)) is not None
            return moved

    def _lost_one(self, claim: Claim, at: datetime) -> Entry | None:
        if self._lost is None or at >= self._lost[2]:
            return None
        return rules.lost(claim, at, self._lost[0], self._lost[1])

    def _may_begin(self, claim: Claim) -> bool:
        if claim.parent is None:
            return True
        key, generation = claim.parent
        parent = next((row for row in self._rows.get(key, ()) if row.generation == generation), None)
        if parent is None:
            return False  # lost with the newest commits
        beside = [row for row in self.pieces(parent) if row.key != claim.key]
        running = parent.phase is Phase.PLANNED and not parent.void_wanted
        return running and not any(row.phase in rules.BESIDE for row in beside)

    def _undo_pieces(self, parent: Entry) -> None:
        for piece in self.pieces(parent):
            self._event("want_void", piece, rules.wanted_void)

    def _keep_stray(self, entry: Entry, booking: str, value: Value, phase: str = "open") -> bool:
        name = (entry.key, entry.generation, booking)
        known, row = self._strays.get(name), self._found(entry) or self.read(entry.key)
        if known is not None and known.phase != rules.GONE:
            return False
        self._strays.pop(name, None)
        self._strays[name] = Stray(
            key=entry.key,
            generation=entry.generation,
            booking=booking,
            attempt=entry.attempt,
            result=value,
            phase=phase,
        )
        if row is not None:
            self._trail.tell("stray", self.now(), row, row, booking, phase if phase != "open" else "")
        return True

    def _event(
        self, name: str, entry: Entry, event: Callable[[Entry, datetime], Entry | None], detail: str = ""
    ) -> Entry | None:
        """Apply *event* to the row of that generation; None when it does not apply."""
        with self._lock:
            row = self._found(entry)
            moved = event(row, self.now()) if row is not None else None
            if moved is None or moved is row:
                return moved
            return self._put(name, row, moved, detail)

    def _found(self, entry: Entry | Stray) -> Entry | None:
        rows = self._rows.get(entry.key, ())
        return next((row for row in rows if row.generation == entry.generation), None)

    def _of(self, key: str, generation: int) -> Entry:
        return next(row for row in self._rows[key] if row.generation == generation)

    def _put(self, event: str, before: Entry | None, row: Entry, detail: str = "") -> Entry:
        self._replace(row)
        self._trail.tell(event, row.updated_at, before, row, row.booking, detail)
        return row

    def _replace(self, row: Entry) -> None:
        rows = self._rows.setdefault(row.key, [])
        if rows and rows[-1].generation == row.generation:
            rows[-1] = row
        else:
            rows[:] = sorted([*(r for r in rows if r.generation != row.generation), row], key=lambda r: r.generation)
        if row.next_at is None:
            self._waiting.pop((row.key, row.generation), None)
        else:
            self._waiting[(row.key, row.generation)] = row.next_at
