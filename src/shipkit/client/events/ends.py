"""How the reading of a delivery ends, and when it is tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import attrs

from ...ports.events import Letter, LetterEnd, LetterState
from ...settings import Settings

__all__ = ["ATTEMPTS", "Ends", "Processed", "counted", "tried_last"]

_LONGEST_S: Final = 3600.0
ATTEMPTS: Final = "attempts"
"""The error of a delivery that ended each worker that took it."""


@attrs.frozen(kw_only=True)
class Processed:
    """How many deliveries of one batch ended how, and what followed."""

    taken: int = 0
    done: int = 0
    ignored: int = 0
    parked: int = 0
    dead: int = 0
    again: int = 0
    """Put back into the inbox, to be tried later."""
    asked: int = 0
    """Parcels that a carrier was asked for, because a push was only a hint."""
    parcels: int = 0
    """Whose row was written."""
    events: int = 0
    """Facts that are new, or told more fully."""
    announcements: int = 0

    def __add__(self, other: Processed) -> Processed:
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return Processed(**dict(zip(_NAMES, [one + more for one, more in pairs], strict=True)))


_NAMES: Final = tuple(field.name for field in attrs.fields(Processed))


@attrs.frozen(kw_only=True, eq=False)
class Ends:
    """Makes the ends of deliveries that one worker has taken."""

    settings: Settings
    owner: str
    now: datetime
    """By the store's clock."""

    def of(self, letter: Letter, state: LetterState, error: str = "", detail: str = "") -> LetterEnd:
        """This end and no other."""
        return LetterEnd(id=letter.id, owner=self.owner, state=state, error=error, detail=detail)

    def again(self, letter: Letter, error: str, *, wait_s: float = 0, detail: str = "") -> LetterEnd:
        """Back into the inbox for a while, the longer the more often it was tried; in the end it is a dead letter."""
        if letter.attempts >= self.settings.inbox_attempts:
            return self.of(letter, LetterState.DEAD, error, detail)
        doubled = self.settings.inbox_backoff_s * 2.0 ** max(0, letter.attempts - 1)
        wait = timedelta(seconds=max(min(doubled, _LONGEST_S), wait_s))
        return self._put_back(letter, error, detail, self.now + wait)

    def later(self, letter: Letter, error: str, at: datetime) -> LetterEnd:
        """Back into the inbox until *at*: nothing failed."""
        return self._put_back(letter, error, "", at)

    def _put_back(self, letter: Letter, error: str, detail: str, at: datetime) -> LetterEnd:
        detail = " ".join(filter(None, (_tried(letter.attempts), detail)))
        return attrs.evolve(self.of(letter, LetterState.NEW, error, detail), next_at=at)


def _tried(attempts: int) -> str:
    return f"try {attempts}"


def tried_last(letter: Letter) -> bool:
    """Whether whoever took *letter* the last time put it back; its detail says so."""
    said = _tried(letter.attempts - 1)
    return letter.detail == said or letter.detail.startswith(f"{said} ")


def counted(ends: Iterable[LetterEnd]) -> Processed:
    """How many ended how."""
    states = Counter(end.state for end in ends)
    return Processed(
        done=states[LetterState.DONE],
        ignored=states[LetterState.IGNORED],
        parked=states[LetterState.PARKED],
        dead=states[LetterState.DEAD],
        again=states[LetterState.NEW],
    )
