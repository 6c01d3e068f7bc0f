"""From the inbox to states: deliveries are read, carriers asked about hints, parcels moved, and all of it written.

Each delivery ends: ``done``, ``ignored``, ``parked`` until somebody registers its parcel, or ``dead`` with the reason.
What fails for a while goes back into the inbox. Read again it changes nothing, so a crash at any point costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import attrs

from ...errors import DeadlineError, InputError, NotFoundError, ShipkitError, StoreError
from ...flow import Emit, Run, call, now
from ...model import DeliveryResult, FrozenMap, TrackingEvent, TrackResult, WebhookDelivery
from ...ports import Observation
from ...ports.events import Letter, LetterEnd, LetterState, Parcel, Work
from .asking import ask, can_ask
from .committing import Told, committed, kept
from .desk import EventDesk
from .ends import ATTEMPTS, Ends, Processed, counted, tried_last
from .reading import Reading, codes_of, nobodys, numbers_of, opened
from .receiving import seen
from .sharing import evidence_of, shares_of

__all__ = ["process"]

_INTERNAL: Final = "internal_"
_RESULTS: Final = {
    LetterState.NEW: DeliveryResult.FAILED,
    LetterState.DONE: DeliveryResult.ACCEPTED,
    LetterState.PARKED: DeliveryResult.ACCEPTED,
    LetterState.IGNORED: DeliveryResult.IGNORED,
    LetterState.DEAD: DeliveryResult.DEAD_LETTER,
}

Followed = Mapping[tuple[str, str], Parcel]


def process(desk: EventDesk, limit: int | None = None) -> Run[Processed]:
    """Take one batch from the inbox (*limit*, ``inbox_batch``) and see each delivery through.

    Raises:
        StoreError: the store cannot be reached; what was taken is free again when its lease is over.
    """
    owner = desk.desk.request_id()
    batch = desk.settings.inbox_batch if limit is None else limit
    letters = yield from call(desk.store.take, owner, desk.settings.inbox_lease_s, batch)
    # One that was taken before and did not end may be what ended its worker: from then on it goes alone, and after
    # the others. In the order of their ids the first that is left is the one at which the last worker ended.
    suspects = sorted((letter for letter in letters if _is_suspect(letter)), key=lambda letter: letter.id)
    result = Processed(taken=len(letters))
    if others := [letter for letter in letters if not _is_suspect(letter)]:
        result += yield from _seen_through(desk, owner, others)
    for place, letter in enumerate(suspects):
        if place == 0 and letter.attempts > desk.settings.inbox_attempts:
            result += yield from _given_up(desk, owner, letter)
        else:
            result += yield from _seen_through(desk, owner, [letter])
    return result


def _is_suspect(letter: Letter) -> bool:
    """Whether it was taken before, and whoever took it did not say how that ended, or that it could not be written."""
    unheard_of = letter.attempts > 1 and not tried_last(letter)
    return unheard_of or letter.error == StoreError.code or letter.error.startswith(_INTERNAL)


def _given_up(desk: EventDesk, owner: str, letter: Letter) -> Run[Processed]:
    ends = Ends(settings=desk.settings, owner=owner, now=(yield from call(desk.store.now)))
    end = ends.of(letter, LetterState.DEAD, ATTEMPTS)
    yield from call(desk.store.commit, Work(letters=(end,)))
    yield from _seen_dead(desk, letter, end)
    return counted((end,))


def _seen_through(desk: EventDesk, owner: str, letters: list[Letter]) -> Run[Processed]:
    try:
        return (yield from _processed(desk, owner, letters))
    except StoreError as error:
        code, detail = error.code, ""
    except Exception as error:  # of values that break what is made of them: it must not hold up what came beside them
        code, detail = f"{_INTERNAL}{type(error).__name__}", _where(error)
    # Where the store takes this, it was not the store: one of them cannot be written, and next each goes alone.
    ends = Ends(settings=desk.settings, owner=owner, now=(yield from call(desk.store.now)))
    put_back = tuple([ends.again(letter, code, detail=detail) for letter in letters])
    yield from call(desk.store.commit, Work(letters=put_back))
    for letter, end in zip(letters, put_back, strict=True):
        yield from _seen_dead(desk, letter, end)
    return counted(put_back)


def _processed(desk: EventDesk, owner: str, letters: list[Letter]) -> Run[Processed]:
    ends = Ends(settings=desk.settings, owner=owner, now=(yield from call(desk.store.now)))
    batch, began_s = _Batch(desk, ends), (yield from now())
    for letter in letters:
        batch.open(letter)
    pairs = batch.pairs()
    rows = (yield from call(desk.store.find, pairs)) if pairs else ()
    batch.share_out({pair: row for pair, row in zip(pairs, rows, strict=True) if row is not None})
    answers = yield from ask(desk, batch.to_ask())
    told = [(parcel, answer) for parcel in batch.to_ask() if isinstance(answer := answers[parcel.scope], TrackResult)]
    shares = yield from shares_of(desk, told)
    events = {parcel.scope: share for (parcel, _), share in zip(told, shares, strict=True)}
    for scope, answer in answers.items():
        batch.answered(scope, answer, events.get(scope, ()))
    written = yield from committed(desk, batch.parcels, batch.told(), batch.ends)
    yield from batch.seen(written.failed, (yield from now()) - began_s)
    return counted(batch.ends(written.failed)) + Processed(
        asked=len(answers),
        parcels=len(written.works),
        events=sum(len(work.events) for work in written.works),
        announcements=sum(len(work.announcements) for work in written.works),
    )


@attrs.define(eq=False)
class _Course:
    """One delivery in the batch: what it told of, what it waits for, what went wrong."""

    letter: Letter
    reading: Reading
    scopes: set[str] = attrs.field(factory=set)
    unknown: dict[str, None] = attrs.field(factory=dict)
    end: LetterEnd | None = None
    """Settled, whatever is written."""
    codes: tuple[str, ...] = ()


@attrs.define(eq=False)
class _Hint:
    """A parcel that there may be news of."""

    parcel: Parcel
    courses: list[_Course] = attrs.field(factory=list)


class _Batch:
    """What a batch of deliveries says, by parcel."""

    def __init__(self, desk: EventDesk, ends: Ends) -> None:
        self.desk, self.make = desk, ends
        self.courses: list[_Course] = []
        self.parcels: dict[str, Parcel] = {}
        self._events: dict[str, list[TrackingEvent]] = {}
        self._results: dict[str, list[TrackResult]] = {}
        self._pushed_at: dict[str, datetime] = {}
        self._hints: dict[str, _Hint] = {}
        self._asked: set[str] = set()
        self._unanswered: dict[str, ShipkitError] = {}

    def open(self, letter: Letter) -> None:
        """Read *letter*; where that does not work it is known how it ends."""
        reading = opened(self.desk.desk, letter)
        course = _Course(letter, reading, codes=codes_of(reading))
        if reading.error:
            dead = self.make.of(letter, LetterState.DEAD, reading.error, reading.detail)
            course.end = self.make.again(letter, reading.error) if reading.again else dead
        self.courses.append(course)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Carrier and number of everything that is spoken of."""
        readings = [course.reading for course in self.courses]
        return tuple(dict.fromkeys((one.carrier, number) for one in readings for number in one.numbers()))

    def share_out(self, followed: Followed) -> None:
        """Give what was read to the parcels that it speaks of, or note that their carrier is to be asked."""
        for course in self.courses:
            carrier = course.reading.carrier
            for result in course.reading.results:
                numbers = [number for number in numbers_of(result) if (carrier, number) in followed]
                here = {number: followed[carrier, number] for number in numbers}
                course.unknown.update(dict.fromkeys(nobodys(result, here)))
                self._share(course, result, here)

    def _share(self, course: _Course, result: TrackResult, here: Mapping[str, Parcel]) -> None:
        received_at = course.letter.delivery.received_at
        for parcel, share in evidence_of(self.desk, course.letter, result, here.values()):
            scope = parcel.scope
            course.scopes.add(scope)
            if share is None:
                self._hint(course, parcel)
                continue
            self.parcels[scope] = parcel
            self._events.setdefault(scope, []).extend(share.events)
            self._pushed_at[scope] = max(self._pushed_at.get(scope, received_at), received_at)
            if share.result is not None:
                self._results.setdefault(scope, []).append(share.result)

    def _hint(self, course: _Course, parcel: Parcel) -> None:
        course.codes = ()  # they are counted in the answer
        if not can_ask(self.desk, parcel):
            course.end = self.make.of(course.letter, LetterState.DEAD, "unproved")
        if course.end is not None:
            return
        received_at, polled_at = course.letter.delivery.received_at, parcel.polled_at
        if polled_at is not None:
            if polled_at >= received_at and not parcel.failures and not parcel.not_found:
                return  # the carrier was asked since
            fresh_until = polled_at + timedelta(seconds=self.desk.settings.hint_fresh_s)
            if fresh_until > self.make.now:
                course.end = self.make.later(course.letter, "asked_lately", fresh_until)
                return
        self._hints.setdefault(parcel.scope, _Hint(parcel)).courses.append(course)

    def to_ask(self) -> list[Parcel]:
        """The parcels that there may be news of."""
        return [hint.parcel for hint in self._hints.values()]

    def answered(self, scope: str, answer: TrackResult | ShipkitError, events: tuple[TrackingEvent, ...] = ()) -> None:
        """Take what the carrier says of one of them."""
        hint = self._hints[scope]
        if isinstance(answer, ShipkitError):
            wait_s: float = answer.retry_after_s or 0
            if not isinstance(answer, (InputError, DeadlineError)):  # it was asked: not at once again for the next hint
                wait_s = max(wait_s, self.desk.settings.hint_fresh_s)
                self.parcels.setdefault(scope, hint.parcel)
                self._unanswered[scope] = answer
            for course in hint.courses:
                course.end = course.end or self.make.again(course.letter, answer.code, wait_s=wait_s)
            return
        self.parcels[scope] = hint.parcel
        self._events.setdefault(scope, []).extend(events)
        self._results.setdefault(scope, []).append(answer)
        self._asked.add(scope)

    def told(self) -> Mapping[str, Told]:
        """By scope what is to be joined to a parcel's evidence."""
        return {
            scope: Told(
                events=tuple(self._events.get(scope, ())),
                results=tuple(self._results.get(scope, ())),
                noted=partial(self._noted, scope),
            )
            for scope in self.parcels
        }

    def _noted(self, scope: str, parcel: Parcel, news: bool) -> Parcel:
        row, pushed_at = parcel, self._pushed_at.get(scope)
        if pushed_at is not None and (row.pushed_at is None or row.pushed_at < pushed_at):
            row = attrs.evolve(row, pushed_at=pushed_at)
        if scope in self._asked:
            row = attrs.evolve(row, polled_at=self.make.now, failures=0, not_found=0)
        if news and row.polls:
            row = attrs.evolve(row, polls=0)
        row = kept(self.desk, row, self.make.now) if row is not parcel or news else row
        return self._without_answer(row, self._unanswered[scope]) if scope in self._unanswered else row

    def _without_answer(self, row: Parcel, error: ShipkitError) -> Parcel:
        """It was asked in vain. That is noted once, and the poll stands: whoever sends hints gives no parcel up."""
        if isinstance(error, NotFoundError):
            return attrs.evolve(row, polled_at=self.make.now, not_found=row.not_found or 1)
        return attrs.evolve(row, polled_at=self.make.now, failures=row.failures or 1)

    def ends(self, failed: frozenset[str]) -> tuple[LetterEnd, ...]:
        """How each delivery ends, given the scopes that could not be written."""
        return tuple([self._end(course, failed) for course in self.courses])

    def _end(self, course: _Course, failed: frozenset[str]) -> LetterEnd:
        letter = course.letter
        end = course.end
        if end is None and failed & course.scopes:
            end = self.make.again(letter, "moved")
        if end is None and course.unknown:
            end = attrs.evolve(self.make.of(letter, LetterState.PARKED), waits_for=tuple(course.unknown))
        if end is None:
            end = self.make.of(letter, LetterState.DONE if course.scopes else LetterState.IGNORED)
        return attrs.evolve(end, scopes=tuple(sorted(course.scopes)))

    def seen(self, failed: frozenset[str], elapsed_s: float) -> Iterator[Emit]:
        """What is counted: how deliveries ended, codes that no table explains, and dead letters."""
        watched = self.desk.desk.watch()
        for course in self.courses:
            delivery, end = course.letter.delivery, self._end(course, failed)
            if watched:
                yield Emit(event=_ended(self.desk, delivery, end, elapsed_s))
            if end.state in (LetterState.DONE, LetterState.IGNORED):
                for code in course.codes:
                    yield Emit(
                        event=Observation(
                            kind="unmapped_code",
                            account=delivery.account,
                            carrier=delivery.carrier,
                            operation="read_webhook",
                            detail=code,
                        )
                    )
            else:
                yield from _seen_dead(self.desk, course.letter, end)


def _ended(desk: EventDesk, delivery: WebhookDelivery, end: LetterEnd, elapsed_s: float) -> Observation:
    """One row of the inbox: how long it took with those that were read beside it, and how that ended."""
    account = desk.desk.accounts.get(delivery.account)
    return Observation(
        kind="processed",
        account=delivery.account,
        carrier=delivery.carrier,
        environment=account.state.environment if account is not None else "",
        operation="process",
        elapsed_s=elapsed_s,
        error=end.error if end.state is LetterState.DEAD else "",
        detail=end.state.value,
        words=FrozenMap({"delivery_result": _RESULTS[end.state].value}),
    )


def _seen_dead(desk: EventDesk, letter: Letter, end: LetterEnd) -> Iterator[Emit]:
    if end.state is LetterState.DEAD:
        for event in seen(desk.desk, attrs.evolve(letter.delivery, result=DeliveryResult.DEAD_LETTER)):
            yield Emit(event=attrs.evolve(event, operation="process", error=end.error))


def _where(error: BaseException) -> str:
    """The last line that *error* went through: a text of it may hold anybody's data."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return "" if at is None else f"{at.tb_frame.f_code.co_filename.rpartition('shipkit')[2]}:{at.tb_lineno}"
