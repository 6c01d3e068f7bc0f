"""The ledger in a database: each event reads the row, applies the rule, and writes row and trail in one transaction.

Nothing is locked while a rule is applied. Every event writes the next line of its key's trail, and the same line cannot
be written twice: of two events at one moment the second clashes, reads again, and mostly finds that it came too late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import attrs

from ..errors import StoreError
from ..model.base import Value
from ..ports import Backlog, Claim, Entry, Phase, Resend, Step, Stray
from . import rules
from . import statements as sql
from .audit import step_of
from .dialect import Home, Session
from .rows import columns_of, kept, step_of_row, stray_of
from .sql_rows import Begun, Rows, carried, lost_times
from .tries import done

__all__ = ["SqlLedger"]

T = TypeVar("T")
Rule = Callable[[Entry, datetime], "Entry | None"]

_BEYOND: Final = "\U0010ffff"


class SqlLedger:
    """The events and questions of `shipkit.ports.LedgerStore`, for any database that has a home."""

    blocking = True

    def __init__(self, home: Home, clock: Callable[[], float] | None) -> None:
        self.home = home
        self._rows = Rows(home, clock)

    def now(self) -> datetime:
        """The store's clock."""
        return self._asked(self._rows.now)

    def read(self, key: str) -> Entry | None:
        """The newest generation under *key*, with its stored documents."""

        def asked(session: Session) -> Entry | None:
            found = self._rows.ask(session, sql.READ, {"key": key})
            return self._rows.entry(session, found[0]) if found else None

        return self._asked(asked)

    def claim(self, claim: Claim) -> Entry | None:
        """Take the key for exactly this generation and attempt, or None."""
        return self._done(lambda session: self._claim(session, claim), held=claim.parent is not None)

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

        def within(session: Session) -> Phase | None:
            begun = self._beside(session, entry)
            row = rules.row_for_evidence(begun.row, entry)
            then = row and rules.booked(row, booking, value, begun.at, complete=complete, watch=watch)
            if then is None:
                self._keep_stray(session, begun, entry, booking, value)
                return None
            if then is not row:
                self._rows.put(session, begun, "book", begun.row, then)
            return then.phase

        return self._done(within)

    def set_aside(self, entry: Entry, booking: str, value: Value) -> bool:
        """Keep a booking that cannot be the row's for a person to see; False where it is kept already."""

        def within(session: Session) -> bool:
            return self._keep_stray(session, self._beside(session, entry), entry, booking, value, "shown")

        return self._done(within)

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """Add the documents of a booking that was recorded without them."""
        self._event("fill", entry, lambda row, at: rules.filled(row, entry, value, at, complete=complete))

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone, with its pieces."""

        def within(session: Session) -> bool:
            begun = self._rows.begin(session, key)
            if begun.row is None:
                return False
            self._apply(session, begun, "want_void", rules.wanted_void)
            if begun.row.phase is Phase.PLANNED:
                self._undo_pieces(session, begun.row)
            return True

        return self.read(key) if self._done(within) else None

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone."""
        return self._event("voided", entry, lambda row, at: rules.voided(row, value, at, asked_at)) is not None

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it."""
        self._event("keep", entry, lambda row, at: rules.kept(row, entry, at, error), error)

    def close_key(self, key: str, note: str = "") -> Entry | None:
        """A person ends a row that nobody else can end; a new generation may follow."""

        def within(session: Session) -> bool:
            begun = self._rows.begin(session, key)
            if begun.row is not None:
                self._apply(session, begun, "close", lambda row, at: rules.closed(row, at, note))
            return begun.row is not None

        return self.read(key) if self._done(within) else None

    def plan(self, parent: Claim, pieces: Sequence[Claim]) -> Entry | None:
        """A parent and a row for each of its pieces, at once."""

        def within(session: Session) -> Entry | None:
            begun = self._rows.begin(session, parent.key)
            row, at = begun.row, begun.at
            if not rules.plannable(row, parent):
                return None
            begins = [self._rows.begin(session, piece.key) for piece in pieces]
            if any(piece.row is not None for piece in begins):
                return None
            if row is not None and row.phase not in rules.ENDED:
                self._rows.put(session, begun, "instead", row, rules.given_up(row, at))
            whole = self._rows.put(session, begun, "plan", None, rules.planned(parent, at, Phase.PLANNED))
            for piece, begin in zip(pieces, begins, strict=True):
                new = _lost(piece, begin, at) or rules.planned(piece, at, Phase.NEW)
                self._rows.put(session, begin, "plan", None, new)
            return whole

        return self._done(within)

    def pieces(self, parent: Entry) -> tuple[Entry, ...]:
        """The rows planned under *parent*, in order, with their documents."""
        return self._asked(lambda session: self._pieces(session, parent.key, parent.generation, blobs=True))

    def undo(self, parent: Entry, error: str) -> Entry | None:
        """*parent* undoing, and every piece wished undone at once."""

        def within(session: Session) -> Entry | None:
            begun = self._rows.begin(session, parent.key, parent.generation)
            undoing = self._apply(session, begun, "undo", lambda row, at: rules.undoing(row, at, error), error)
            if undoing is not None:
                self._undo_pieces(session, undoing)
            return undoing and carried(undoing, parent)

        return self._done(within)

    def end_parent(self, parent: Entry) -> Entry | None:
        """The end of a parent that is undoing, once all its pieces are at one."""

        def within(session: Session) -> Entry | None:
            begun = self._rows.begin(session, parent.key, parent.generation)
            pieces = self._pieces(session, parent.key, parent.generation)
            ended = self._apply(session, begun, "end_parent", lambda row, at: rules.ended(row, pieces, at))
            return ended and carried(ended, parent)

        return self._done(within)

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*, with their documents."""
        return self._strays(sql.STRAYS, {"key": key})

    def open_strays(self, limit: int, prefix: str = "") -> tuple[Stray, ...]:
        """Further bookings that nobody has dealt with, longest waiting first."""
        return self._strays(sql.OPEN_STRAYS, {"limit": limit, **_within(prefix)})

    def end_stray(self, stray: Stray, phase: str) -> None:
        """That further booking was ``voided``, is ``gone``, or is ``shown`` to a person."""
        name = {"key": stray.key, "generation": stray.generation, "booking": stray.booking}

        def within(session: Session) -> None:
            begun = self._beside(session, stray)
            open_ones = self._rows.ask(session, sql.STRAYS, {"key": stray.key})
            if begun.row is None or (*name.values(), "open") not in [(*row[:3], row[5]) for row in open_ones]:
                return
            self._rows.tell(session, sql.END_STRAY, {**name, "phase": phase})
            self._told(session, begun, "end_stray", stray.booking, phase)

        self._done(within)

    def put_last(self, stray: Stray) -> None:
        """An open stray waits behind all others."""
        name = {"key": stray.key, "generation": stray.generation, "booking": stray.booking}

        def within(session: Session) -> None:
            at = self._rows.dialect.time_in(self._rows.now(session))
            self._rows.tell(session, sql.PUT_LAST, {**name, "at": at})

        self._done(within)

    def due(self, limit: int, prefix: str = "", hold_s: float = 0) -> tuple[Entry, ...]:
        """Rows that a recovery run has work with, longest waiting first; for *hold_s* nobody else gets them."""
        values = {"limit": limit, **_within(prefix)}

        def within(session: Session) -> tuple[Entry, ...]:
            found = self._rows.ask(session, sql.DUE, values)
            if found and hold_s > 0:
                next_at = self._rows.dialect.time_in(self._rows.now(session) + timedelta(seconds=hold_s))
                for row in found:
                    held = {"key": row[0], "generation": row[1], "next_at": next_at}
                    self._rows.tell(session, sql.HOLD, held)
            return tuple(self._readable(session, found))

        return self._done(within, held=True) if hold_s > 0 else self._asked(within)

    def _readable(self, session: Session, found: Sequence[Any]) -> Iterator[Entry]:
        """*found* as values; a row that a newer version wrote is that version's work, and holds up no other."""
        for row in found:
            with suppress(StoreError):
                yield self._rows.entry(session, row)

    def look_again(self, entry: Entry, in_s: float | None) -> None:
        """Have the row, if it has not moved, due again in *in_s* seconds."""

        def within(session: Session) -> None:
            next_at = None if in_s is None else self._rows.now(session) + timedelta(seconds=in_s)
            names = ("key", "generation", "phase", "attempt", "send", "void_wanted", "complete")
            seen = {name: getattr(entry, name) for name in names}
            self._rows.tell(session, sql.LOOK_AGAIN, columns_of(self._rows.dialect, {**seen, "next_at": next_at}))

        self._done(within)

    def entries(
        self, *, prefix: str = "", phases: Sequence[Phase] = (), after: str = "", limit: int = 100
    ) -> tuple[Entry, ...]:
        """Newest generations by key, in order, without their documents' bytes."""
        among = {sql.name_of(index): phase.value for index, phase in enumerate(phases)}
        values = {"after": after, "limit": limit, **_within(prefix), **among}

        def asked(session: Session) -> tuple[Entry, ...]:
            found = self._rows.ask(session, sql.entries(len(phases)), values)
            return tuple([self._rows.entry(session, row, blobs=False) for row in found])

        return self._asked(asked)

    def succeeded(self, since: datetime, after: str = "", *, prefix: str = "", limit: int = 100) -> tuple[Entry, ...]:
        """Rows that succeeded, by the time of their last change, without their documents' bytes."""
        values = {
            "since": self._rows.dialect.time_in(since), "after": after, "limit": limit, **_within(prefix),
        }  # fmt: skip

        def asked(session: Session) -> tuple[Entry, ...]:
            found = self._rows.ask(session, sql.SUCCEEDED, values)
            return tuple([self._rows.entry(session, row, blobs=False) for row in found])

        return self._asked(asked)

    def backlog(self, prefix: str = "") -> tuple[Backlog, ...]:
        """What recovery runs still have to end."""
        rows = self._asked(lambda session: self._rows.ask(session, sql.BACKLOG, _within(prefix)))
        time_out = self._rows.dialect.time_out
        return rules.backlog({phase: (depth, time_out(at) - time_out(since)) for phase, depth, since, at in rows})

    def history(self, key: str) -> tuple[Step, ...]:
        """The audit trail of *key*, oldest first."""
        rows = self._asked(lambda session: self._rows.ask(session, sql.HISTORY, {"key": key}))
        return tuple([step_of_row(self._rows.dialect, row) for row in rows])

    def restored(self, age_s: float, settle_s: float) -> int:
        """Every row that may have moved since is in doubt, and unknown keys are for a while."""

        def begun(session: Session) -> list[Any]:
            at = self._rows.now(session).timestamp()
            times = json.dumps([at - age_s, at + settle_s, at + settle_s + age_s])
            self._rows.tell(session, sql.SET_META, {"name": "restored", "value": times})
            return self._rows.ask(session, sql.LOST, {})

        # Unknown keys first: from then on none is begun anew, however long the rest takes.
        moved = 0
        for key, generation in self._done(begun, held=True):
            moved += (
                self._on("restored", key, generation, lambda row, at: rules.restored(row, at, settle_s)) is not None
            )
        return moved

    def _claim(self, session: Session, claim: Claim) -> Entry | None:
        if claim.parent is not None and not self._may_begin(session, claim, claim.parent):
            return None
        begun = self._rows.begin(session, claim.key)
        row, at = begun.row, begun.at
        if not rules.claimable(row, claim):
            return None
        if row is not None and row.generation == claim.generation:
            return self._rows.put(session, begun, "claim", row, rules.claimed(claim, at, row.created_at))
        if row is not None and claim.instead:
            self._rows.put(session, begun, "instead", row, rules.given_up(row, at))
        if (lost := _lost(claim, begun, at)) is not None:
            self._rows.put(session, begun, "restored", None, lost)
            return None
        return self._rows.put(session, begun, "claim", None, rules.claimed(claim, at, at))

    def _may_begin(self, session: Session, claim: Claim, parent: tuple[str, int]) -> bool:
        # Two pieces have keys of their own, so their trails do not clash: the parent's row is what they share.
        self._rows.tell(session, sql.TOUCH, {"key": parent[0], "generation": parent[1]})
        row = self._rows.begin(session, *parent).row
        if row is None or row.phase is not Phase.PLANNED or row.void_wanted:
            return False
        beside = self._pieces(session, *parent)
        return not any(piece.phase in rules.BESIDE for piece in beside if piece.key != claim.key)

    def _pieces(self, session: Session, key: str, generation: int, *, blobs: bool = False) -> tuple[Entry, ...]:
        found = self._rows.ask(session, sql.PIECES, {"parent_key": key, "parent_generation": generation})
        return tuple([self._rows.entry(session, row, blobs=blobs) for row in found])

    def _undo_pieces(self, session: Session, parent: Entry) -> None:
        for piece in self._pieces(session, parent.key, parent.generation):
            begun = self._rows.begin(session, piece.key, piece.generation)
            self._apply(session, begun, "want_void", rules.wanted_void)

    def _beside(self, session: Session, entry: Entry | Stray) -> Begun:
        """The row of that generation; the newest one where the store lost it."""
        begun = self._rows.begin(session, entry.key, entry.generation)
        return begun if begun.row is not None else self._rows.begin(session, entry.key)

    def _keep_stray(
        self, session: Session, begun: Begun, entry: Entry, booking: str, value: Value, phase: str = "open"
    ) -> bool:
        name = {"key": entry.key, "generation": entry.generation, "booking": booking}
        known = self._rows.ask(session, sql.STRAY_PHASE, name)
        if known and known[0][0] != rules.GONE:
            return False
        if known:
            own = {"key": entry.key, "generation": entry.generation, "stray": booking}
            self._rows.tell(session, sql.DROP_DOCUMENTS, own)
            self._rows.tell(session, sql.DROP_STRAY, name)
        found = kept(value)
        created_at = self._rows.dialect.time_in(begun.at)
        values = {**name, "attempt": entry.attempt, "result": found.text, "phase": phase, "created_at": created_at}
        self._rows.tell(session, sql.KEEP_STRAY, values)
        self._rows.keep_documents(session, entry, booking, found.blobs)
        self._told(session, begun, "stray", booking, phase if phase != "open" else "")
        return True

    def _told(self, session: Session, begun: Begun, event: str, booking: str, detail: str = "") -> None:
        """A line about a row that stays as it is."""
        if begun.row is not None:
            row = attrs.evolve(begun.row, updated_at=begun.at)
            self._rows.step(session, begun, step_of(event, row, row, begun.number + 1, booking=booking, detail=detail))

    def _strays(self, statement: str, values: dict[str, Any]) -> tuple[Stray, ...]:
        def asked(session: Session) -> tuple[Stray, ...]:
            found = self._rows.ask(session, statement, values)
            return tuple([stray_of(row, self._rows.documents(session, *row[:3])) for row in found])

        return self._asked(asked)

    def _event(self, name: str, entry: Entry, rule: Rule, detail: str = "") -> Entry | None:
        moved = self._on(name, entry.key, entry.generation, rule, detail)
        return moved and carried(moved, entry)

    def _on(self, name: str, key: str, generation: int, rule: Rule, detail: str = "") -> Entry | None:
        def within(session: Session) -> Entry | None:
            return self._apply(session, self._rows.begin(session, key, generation), name, rule, detail)

        return self._done(within)

    def _apply(self, session: Session, begun: Begun, name: str, rule: Rule, detail: str = "") -> Entry | None:
        """The row that *rule* makes of the one begun with, written; None when it does not apply."""
        row = begun.row
        moved = rule(row, begun.at) if row is not None else None
        if row is None or moved is None or moved is row:
            return moved
        return self._rows.put(session, begun, name, row, moved, detail)

    def _asked(self, ask: Callable[[Session], T]) -> T:
        with self.home.reading() as session:
            return ask(session)

    def _done(self, do: Callable[[Session], T], *, held: bool = False) -> T:
        return done(self.home, do, held=held)


def _lost(claim: Claim, begun: Begun, at: datetime) -> Entry | None:
    times = lost_times(begun.restored)
    return None if times is None or at >= times[2] else rules.lost(claim, at, times[0], times[1])


def _within(prefix: str) -> dict[str, str]:
    return {"prefix": prefix, "beyond": prefix + _BEYOND}
