"""Kept deliveries read again with today's tables: what would change, and, when it is asked for, the change itself.

An event keeps its identity whatever a table makes of it, so what is read again joins the evidence as the fuller record
of what is known already. With the tables that it was read with before, nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import attrs

from ...errors import InputError
from ...events.advancing import projected
from ...events.comparing import Difference, compared
from ...events.evidence import Evidence
from ...flow import Run, call
from ...model import Problem, ProblemCode, TrackingEvent, TrackResult, evolve
from ...ports.events import Letter, LetterState, Parcel
from .committing import Told, committed, joined, kept
from .desk import EventDesk
from .ends import ATTEMPTS
from .parking import DeadLetter, dead_letter, take_up
from .reading import Reading, numbers_of, opened
from .sharing import evidence_of

__all__ = ["ReplayReport", "Replayed", "replay"]

_PAGE: Final = 100
_READ: Final = (LetterState.DONE, LetterState.IGNORED, LetterState.PARKED, LetterState.DEAD)


@attrs.frozen(kw_only=True)
class Replayed:
    """One parcel of which reading again makes something else."""

    scope: str
    account: str
    number: str
    difference: Difference
    """Empty where records become fuller and the state stays."""
    events: int
    """How many records are new, or fuller."""
    announcements: tuple[str, ...]
    """The types of what is announced with it, in their order."""


@attrs.frozen(kw_only=True)
class ReplayReport:
    """What was read again, and what would come of it, or came of it where it was ``applied``."""

    deliveries: int = 0
    """That were read again."""
    hints: int = 0
    """Of those, the ones that were only hints when they came: their words count for nothing, today as then."""
    unknown: int = 0
    """Of those, the ones that speak of no parcel that is followed."""
    unreadable: tuple[DeadLetter, ...] = ()
    """That cannot be read today, whatever became of them before."""
    readable: tuple[int, ...] = ()
    """Dead letters that can be read now; applied, they are back in the inbox."""
    parcels: tuple[Replayed, ...] = ()
    """Those that become something else, by scope."""
    failed: tuple[str, ...] = ()
    """Scopes that others wrote again and again meanwhile: their difference was not applied."""
    applied: bool = False


def replay(
    desk: EventDesk,
    ids: Sequence[int] = (),
    *,
    account: str = "",
    since: datetime | None = None,
    codes: Sequence[str] = (),
    apply: bool = False,
) -> Run[ReplayReport]:
    """Read kept deliveries again: those *ids*, of *account*, received at *since* or later, that tell of one of *codes*.

    What they say is put beside what is stored, and the report says what differs; with *apply* it is written, and
    announced as any news is.
    """
    if since is not None and since.tzinfo is None:
        text = "has no offset from UTC"
        raise InputError(problems=(Problem(path="/since", code=ProblemCode.MALFORMED, text=text),))
    course = _Course(desk, frozenset(codes), named=bool(ids))
    after = 0
    chosen = tuple(sorted(set(ids)))
    while True:
        page = yield from call(
            desk.store.letters,
            () if chosen else _READ,
            account=account,
            ids=chosen[:_PAGE],
            after=0 if chosen else after,
            limit=_PAGE,
            bodies=True,
        )
        yield from course.read([one for one in page if since is None or one.delivery.received_at >= since])
        chosen = chosen[_PAGE:]
        if not chosen and (ids or not page):
            break
        after = page[-1].id if page else after
    parcels, failed = yield from course.outcome(apply=apply)
    if apply:
        yield from take_up(desk, course.readable)
    return ReplayReport(
        deliveries=course.deliveries,
        hints=course.hints,
        unknown=course.unknown,
        unreadable=tuple(course.unreadable),
        readable=tuple(course.readable),
        parcels=parcels,
        failed=failed,
        applied=apply,
    )


class _Course:
    """What one replay has read so far: of each parcel only what is not known of it in just this form."""

    def __init__(self, desk: EventDesk, codes: frozenset[str], *, named: bool) -> None:
        self.desk, self.codes, self.named = desk, codes, named
        self.deliveries = self.hints = self.unknown = 0
        self.unreadable: list[DeadLetter] = []
        self.readable: list[int] = []
        self.events: dict[str, list[TrackingEvent]] = {}
        self.results: dict[str, list[TrackResult]] = {}

    def read(self, letters: Sequence[Letter]) -> Run[None]:
        """Read one page of deliveries."""
        readings = [self._opened(letter) for letter in letters if self._may_be_read(letter)]
        useful = [one for one in readings if one is not None]
        pairs = tuple(dict.fromkeys((one.carrier, number) for one in useful for number in one.numbers()))
        rows = (yield from call(self.desk.store.find, pairs)) if pairs else ()
        followed = {pair: row for pair, row in zip(pairs, rows, strict=True) if row is not None}
        scopes = tuple(dict.fromkeys(row.scope for row in followed.values()))
        known = (yield from call(self.desk.store.evidence, scopes)) if scopes else {}
        for reading in useful:
            self._take(reading, followed, known)

    def _may_be_read(self, letter: Letter) -> bool:
        """Whether it is kept; what ended each worker that read it may end this one, and is read by its id only."""
        return letter.purged_at is None and (self.named or letter.error != ATTEMPTS)

    def _opened(self, letter: Letter) -> Reading | None:
        reading = opened(self.desk.desk, letter)
        told = {event.code for result in reading.results for event in result.events}
        if self.codes and not reading.error and not self.codes & told:
            return None
        if reading.error:
            self.unreadable.append(dead_letter(attrs.evolve(letter, error=reading.error, detail=reading.detail)))
            return None
        if letter.state is LetterState.DEAD:
            self.readable.append(letter.id)
        self.deliveries += 1
        return reading

    def _take(
        self,
        reading: Reading,
        followed: Mapping[tuple[str, str], Parcel],
        known: Mapping[str, tuple[TrackingEvent, ...]],
    ) -> None:
        hint = known_parcel = False
        for result in reading.results:
            here = [
                followed[reading.carrier, number]
                for number in numbers_of(result)
                if (reading.carrier, number) in followed
            ]
            known_parcel = known_parcel or bool(here)
            for parcel, evidence in evidence_of(self.desk, reading.letter, result, here):
                if evidence is None:
                    hint = True
                    continue
                _, changed = Evidence(known.get(parcel.scope, ())).joined(evidence.events)
                self.events.setdefault(parcel.scope, []).extend(changed)
                if evidence.result is not None and (evidence.result.transit or evidence.result.proof):
                    beside = evolve(evidence.result, events=())
                    self.results.setdefault(parcel.scope, []).append(beside)
        self.hints += hint
        self.unknown += bool(reading.results) and not known_parcel

    def outcome(self, *, apply: bool) -> Run[tuple[tuple[Replayed, ...], tuple[str, ...]]]:
        """What differs by parcel, written where *apply* says so, and the scopes where that did not get through."""
        scopes = sorted(scope for scope in {**self.events, **self.results} if self._says_more(scope))
        replayed: list[Replayed] = []
        failed: list[str] = []
        at = yield from call(self.desk.store.now)
        for first in range(0, len(scopes), _PAGE):
            rows = yield from call(self.desk.store.parcels, tuple(scopes[first : first + _PAGE]))
            parcels = {row.scope: row for row in rows if row is not None and row.purged_at is None}
            known = yield from call(self.desk.store.evidence, tuple(parcels))
            told = {scope: self._told(scope, at) for scope in parcels}
            for scope, row in parcels.items():
                replayed += self._tried(row, known.get(scope, ()), told[scope])
            if apply:
                failed += sorted((yield from committed(self.desk, parcels, told)).failed)
        return tuple(replayed), tuple(failed)

    def _says_more(self, scope: str) -> bool:
        return bool(self.events.get(scope) or self.results.get(scope))

    def _told(self, scope: str, at: datetime) -> Told:
        return Told(
            events=tuple(self.events.get(scope, ())),
            results=tuple(self.results.get(scope, ())),
            noted=partial(_noted, self.desk, at),
        )

    def _tried(self, parcel: Parcel, known: Sequence[TrackingEvent], told: Told) -> Iterator[Replayed]:
        work = joined(self.desk, parcel, known, told)
        after = work.after.timeline
        if work.after is not parcel and after is not None:
            before = parcel.timeline or projected(parcel, ())[0]
            # The rows keep no events: those of the evidence stand in for them, so that what is remapped is seen.
            fuller = Evidence(known).add(work.events)
            yield Replayed(
                scope=parcel.scope,
                account=parcel.account,
                number=parcel.number,
                difference=compared(evolve(before, events=tuple(known)), evolve(after, events=tuple(fuller))),
                events=len(work.events),
                announcements=tuple(one.type for one in work.announcements),
            )


def _noted(desk: EventDesk, at: datetime, parcel: Parcel, news: bool) -> Parcel:
    return kept(desk, parcel, at) if news else parcel
