"""The ledger as values: a store that ends with the process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from ..model.base import Value
from ..ports import Claim, Entry, Phase, Stray
from .memory_limits import MemoryLimits
from .memory_tokens import MemoryTokens

__all__ = ["MemoryStore"]

_CLAIMABLE = (Phase.NEW, Phase.ABSENT, Phase.REJECTED)
_ENDED = (Phase.VOIDED, Phase.CLOSED)
_OPEN = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)


class MemoryStore:
    """The ledger in memory, for tests and for hosts that keep nothing: keys hold for as long as the process does.

    It keeps the values themselves, which are immutable, and follows the same state table as the durable stores.
    """

    blocking = False

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.tokens = MemoryTokens()
        self.limits = MemoryLimits()
        self._clock = clock
        self._salt = os.urandom(8).hex()
        self._lock = threading.Lock()
        self._rows: dict[str, list[Entry]] = {}
        self._strays: dict[tuple[str, int, str], Stray] = {}

    @property
    def ledger(self) -> MemoryStore:
        """This store is its own ledger."""
        return self

    def close(self) -> None:
        """Nothing is to be closed; a call that is still under way finds its key."""

    def now(self) -> datetime:
        """The store's clock: this machine's."""
        return _moment(self._clock())

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
            rows = self._rows.setdefault(claim.key, [])
            row = rows[-1] if rows else None
            if row is None or row.generation != claim.generation:
                follows = row is None or (row.phase in _ENDED and claim.generation == row.generation + 1)
                if claim.attempt != 1 or not follows:
                    return None
                rows.append(self._claimed(claim, self.now()))
            elif _may_claim(row, claim):
                rows[-1] = self._claimed(claim, row.created_at)
            else:
                return None
            return rows[-1]

    def take_over(self, entry: Entry) -> Entry | None:
        """The row in doubt, if its lease is over."""

        def event(row: Entry) -> Entry | None:
            over = row.lease_until is not None and row.lease_until <= self.now()
            return self._moved(row, Phase.IN_DOUBT) if row.phase is Phase.IN_FLIGHT and over else None

        return self._on_send(entry, event)

    def doubt(self, entry: Entry, error: str) -> None:
        """No readable answer came to this claim."""

        def event(row: Entry) -> Entry | None:
            mine = row.phase is Phase.IN_FLIGHT and row.owner == entry.owner
            return self._moved(row, Phase.IN_DOUBT, error=error) if mine else None

        self._on_send(entry, event)

    def not_sent(self, entry: Entry) -> None:
        """Nothing of this claim left the machine."""

        def event(row: Entry) -> Entry | None:
            if row.phase is not Phase.IN_FLIGHT or row.owner != entry.owner:
                return None
            return self._moved(row, Phase.IN_DOUBT if row.send > 1 else _unless_wanted(row, Phase.NEW))

        self._on_send(entry, event)

    def refuse(self, entry: Entry, error: str) -> None:
        """The carrier refused this claim for good."""

        def event(row: Entry) -> Entry | None:
            if row.phase not in (Phase.IN_FLIGHT, Phase.IN_DOUBT):
                return None
            then = _unless_wanted(row, Phase.REJECTED) if row.sole else Phase.IN_DOUBT
            return self._moved(row, then, error=error)

        self._on_send(entry, event)

    def absent(self, entry: Entry, asked_at: datetime, attempts_max: int) -> Entry | None:
        """The row as it is once a look-up issued at *asked_at* found nothing; None if that proved nothing."""

        def event(row: Entry) -> Entry | None:
            settled = row.settle_at is not None and row.settle_at <= asked_at
            if row.phase is not Phase.IN_DOUBT or not settled:
                return None
            left = row.attempt < attempts_max
            return self._moved(row, _unless_wanted(row, Phase.ABSENT if left else Phase.NEEDS_PERSON))

        return self._on_send(entry, event)

    def needs_person(self, entry: Entry, error: str) -> None:
        """Nobody else can end this row."""

        def event(row: Entry) -> Entry | None:
            return self._moved(row, Phase.NEEDS_PERSON, error=error) if row.phase is Phase.IN_DOUBT else None

        self._on_send(entry, event)

    def book(self, entry: Entry, booking: str, value: Value, complete: bool) -> Phase | None:
        """Record a booking: the phase of its row, or None when another was first and this one is now a stray."""

        def event(row: Entry) -> Entry | None:
            if row.phase in _ENDED or row.booking not in ("", booking):
                return None
            if row.complete:
                return row  # its label may be in somebody's hand
            then = Phase.VOIDING if row.void_wanted else Phase.SUCCEEDED
            return self._moved(row, then, booking=booking, error="", result=value, complete=complete)

        row = self._on_row(entry, event)
        if row is not None:
            return row.phase
        stray = Stray(
            key=entry.key,
            generation=entry.generation,
            booking=booking,
            attempt=entry.attempt,
            result=value,
            phase="open",
        )
        self._strays.setdefault((stray.key, stray.generation, stray.booking), stray)
        return None

    def fill(self, entry: Entry, value: Value, complete: bool) -> None:
        """Add the documents of a booking that was recorded without them."""

        def event(row: Entry) -> Entry | None:
            waiting = row.booking == entry.booking and not row.complete
            return self._moved(row, row.phase, result=value, complete=complete) if waiting else None

        self._on_row(entry, event)

    def want_void(self, key: str) -> Entry | None:
        """Wish the newest generation undone."""
        entry = self.read(key)
        if entry is None:
            return None

        def event(row: Entry) -> Entry | None:
            then = Phase.VOIDING if row.phase is Phase.SUCCEEDED else row.phase
            return self._moved(row, Phase.VOIDED if row.phase in _CLAIMABLE else then, void_wanted=True)

        return self._on_row(entry, event)

    def voided(self, entry: Entry, value: Value, asked_at: datetime | None) -> bool:
        """The booking is undone."""

        def event(row: Entry) -> Entry | None:
            known = asked_at is None or row.settle_at is None or row.settle_at <= asked_at
            if row.phase is not Phase.VOIDING or not known:
                return None
            return self._moved(row, Phase.VOIDED, void_result=value)

        return self._on_row(entry, event) is not None

    def keep(self, entry: Entry, error: str) -> None:
        """The carrier would not undo it."""

        def event(row: Entry) -> Entry | None:
            if row.phase is not Phase.VOIDING:
                return None
            return self._moved(row, Phase.SUCCEEDED, void_wanted=False, error=error)

        self._on_row(entry, event)

    def close_key(self, key: str) -> Entry | None:
        """A person ends a row that nobody else can end; a new generation may follow."""
        entry = self.read(key)
        if entry is None:
            return None

        def event(row: Entry) -> Entry | None:
            closable = row.phase in (*_CLAIMABLE, Phase.NEEDS_PERSON)
            return self._moved(row, Phase.CLOSED) if closable else None

        return self._on_row(entry, event) or self.read(key)

    def strays(self, key: str) -> tuple[Stray, ...]:
        """Further bookings that came in for *key*."""
        return tuple([stray for stray in list(self._strays.values()) if stray.key == key])

    def stray_voided(self, stray: Stray) -> None:
        """That further booking was undone."""
        self._strays[(stray.key, stray.generation, stray.booking)] = attrs.evolve(stray, phase="voided")

    def open(self, limit: int = 100) -> tuple[Entry, ...]:
        """Rows that a recovery run has work with, longest waiting first."""
        rows = [rows[-1] for rows in list(self._rows.values()) if rows]
        waiting = [r for r in rows if r.phase in _OPEN or (r.phase is Phase.SUCCEEDED and not r.complete)]
        return tuple(sorted(waiting, key=lambda row: row.updated_at)[:limit])

    def _on_row(self, entry: Entry, event: Callable[[Entry], Entry | None]) -> Entry | None:
        """Apply *event* to the row of that generation; None when it does not apply."""
        with self._lock:
            rows = self._rows.get(entry.key, [])
            for index, row in enumerate(rows):
                if row.generation == entry.generation:
                    moved = event(row)
                    if moved is not None:
                        rows[index] = moved
                    return moved
        return None

    def _on_send(self, entry: Entry, event: Callable[[Entry], Entry | None]) -> Entry | None:
        def same_send(row: Entry) -> Entry | None:
            return event(row) if (row.attempt, row.send) == (entry.attempt, entry.send) else None

        return self._on_row(entry, same_send)

    def _moved(self, row: Entry, phase: Phase, **more: Any) -> Entry:
        return attrs.evolve(row, phase=phase, updated_at=self.now(), **more)

    def _claimed(self, claim: Claim, created_at: datetime) -> Entry:
        at = self.now()
        return Entry(
            key=claim.key,
            generation=claim.generation,
            operation=claim.operation,
            account=claim.account,
            carrier=claim.carrier,
            phase=Phase.IN_FLIGHT,
            void_wanted=False,
            fingerprint=claim.fingerprint,
            base=claim.base,
            attempt=claim.attempt,
            send=1,
            sole=True,
            owner=claim.owner,
            request=claim.request,
            lease_until=at + timedelta(seconds=claim.lease_s),
            settle_at=at + timedelta(seconds=claim.settle_s),
            created_at=created_at,
            updated_at=at,
        )


def _may_claim(row: Entry, claim: Claim) -> bool:
    if row.phase not in _CLAIMABLE or row.void_wanted:
        return False
    if row.attempt + (row.phase is not Phase.NEW) != claim.attempt:
        return False
    # Nothing left, or it was refused: another payload is simply the next try.
    if row.phase in (Phase.NEW, Phase.REJECTED):
        return True
    return row.fingerprint == claim.fingerprint and claim.attempt <= claim.attempts_max


def _unless_wanted(row: Entry, phase: Phase) -> Phase:
    return Phase.VOIDED if row.void_wanted else phase


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
