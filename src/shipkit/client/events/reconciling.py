"""What is believed of parcels, held against what their carriers say now: a report, and repairs where wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any, Final

import attrs

from ... import model as m
from ...errors import DeadlineError, InputError, NotFoundError, ShipkitError
from ...events.comparing import Belief, Judgement, Verdict, judged
from ...flow import Done, Run, call
from ...ports.events import Parcel
from ..accounts import Account
from ..tracking import Asking, nothing_more_now, outcomes, tracks
from .asking import account_of, as_it_is, query_of
from .committing import Told, joined
from .desk import EventDesk
from .following import follow
from .polling import take_answers
from .sharing import shares_of

__all__ = ["Agreement", "Reconciled", "Reconciliation", "reconcile"]

_PAGE: Final = 200


class Agreement(str, Enum):
    """How a belief stands to what the carrier says now."""

    AGREES = "agrees"
    BEHIND = "behind"  # the parcel went on
    AHEAD = "ahead"  # more is believed than the carrier tells
    CONTRADICTION = "contradiction"  # both cannot be
    UNKNOWN = "unknown"  # the carrier does not know the number, or tells nothing of it
    NOT_FOLLOWED = "not_followed"  # nobody follows it, and no account to ask is named
    NOT_ASKED = "not_asked"  # the carrier could not be asked now, or never answers for a number


_OF_VERDICTS: Final = {
    Verdict.AGREES: Agreement.AGREES,
    Verdict.HOST_BEHIND: Agreement.BEHIND,
    Verdict.HOST_AHEAD: Agreement.AHEAD,
    Verdict.CONTRADICTION: Agreement.CONTRADICTION,
    Verdict.UNKNOWN: Agreement.UNKNOWN,
}


@attrs.frozen(kw_only=True)
class Reconciled:
    """One belief that does not agree, or could not be looked at. Codes and milestones only: it may be printed."""

    agreement: Agreement
    judgement: Judgement
    """Beside what the carrier says now, or where it could not be asked, beside what is in the store."""
    scope: str = ""
    account: str = ""
    repaired: bool = False
    """What the carrier said is in the evidence now, and was not before."""
    error: str = ""
    """The code of the error that asking ended with."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        own = {"agreement": self.agreement.value, "account": self.account, "scope": self.scope}
        return {**own, **self.judgement.as_dict(), "repaired": self.repaired, "error": self.error}


@attrs.frozen(kw_only=True)
class Reconciliation:
    """How many beliefs came to what, and each that does not agree."""

    counts: Mapping[Agreement, int]
    rows: tuple[Reconciled, ...]
    repaired: int = 0
    """Parcels of which the carrier told news, which are in the evidence now."""
    announcements: int = 0

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.rows

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "counts": {kind.value: self.counts.get(kind, 0) for kind in Agreement},
            "repaired": self.repaired,
            "announcements": self.announcements,
            "rows": [row.as_dict() for row in self.rows],
        }

    def table(self) -> tuple[tuple[str, ...], ...]:
        """As a table, its head first."""
        head = ("account", "number", "key", "believed", "carrier", "agreement", "repair")
        return (head, *(_line(row) for row in self.rows))


def _line(row: Reconciled) -> tuple[str, ...]:
    told = row.judgement.as_dict()
    repair = "repaired" if row.repaired else row.error or str(told["repair"])
    texts = (row.account, told["number"], told["key"], told["believed"], told["milestone"], row.agreement.value, repair)
    return tuple([str(text) if text else "-" for text in texts])


@attrs.frozen(kw_only=True, eq=False)
class _Case:
    """One belief, and the row of its parcel."""

    belief: Belief
    parcel: Parcel | None = None
    place: int = 0
    """In its page."""


def reconcile(
    desk: EventDesk,
    beliefs: Iterable[Belief] | None = None,
    *,
    account: str | None = None,
    since: datetime | None = None,
    apply: bool = False,
) -> Run[Reconciliation]:
    """Ask for every parcel that *beliefs* speak of, and say what they are worth; what agrees is counted only.

    Without *beliefs* the store's own states are looked at: those that are not finished, or where *since* is given all
    that were registered since. With *apply* what carriers say is joined to the evidence and what follows is announced;
    a number that nobody follows is followed from then on where *account* is named. A page at a time is asked for and
    written, so it may be killed and begun again.

    Raises:
        InputError: there is no such account.
        StoreError: the store cannot be reached.
    """
    work = _Work(desk, account, apply)
    if beliefs is not None:
        given = iter(beliefs)
        while page := tuple(islice(given, _PAGE)):
            yield from work.judge((yield from _cases(desk, page, account)))
        return work.report()
    scope = ""
    while rows := (yield from call(desk.store.walk, after=scope, limit=_PAGE, since=since, open_only=since is None)):
        scope = rows[-1].scope
        mine = [row for row in rows if row.number and row.purged_at is None and account in (None, row.account)]
        yield from work.judge([_Case(belief=_own(row), parcel=row) for row in mine])
    return work.report()


def _own(row: Parcel) -> Belief:
    """What the store believes."""
    return Belief(key=row.key, number=row.number, milestone=row.timeline.milestone if row.timeline else None)


def _cases(desk: EventDesk, beliefs: Sequence[Belief], alias: str | None) -> Run[list[_Case]]:
    """Each belief with the parcel that it is of: by number, or by a key that has one parcel."""
    accounts = desk.desk.accounts.values() if alias is None else (desk.desk.account(alias),)
    codes = dict.fromkeys(account.carrier.code for account in accounts)
    numbers = dict.fromkeys(m.canonical_number(belief.number) for belief in beliefs if belief.number)
    pairs = tuple((code, number) for number in numbers for code in codes)
    rows = (yield from call(desk.store.find, pairs)) if pairs else ()
    known = {row.number: row for row in rows if row is not None}
    cases = []
    for belief in beliefs:
        parcel = known.get(m.canonical_number(belief.number)) if belief.number else None
        if not belief.number and belief.key:
            family = yield from call(desk.store.of_key, desk.desk.full_key(belief.key))
            cases += [_Case(belief=belief, parcel=row) for row in family if row.number] or [_Case(belief=belief)]
        else:
            cases.append(_Case(belief=belief, parcel=parcel))
    return cases


class _Work:
    def __init__(self, desk: EventDesk, alias: str | None, apply: bool) -> None:
        self.desk, self.apply = desk, apply
        self.account = desk.desk.account(alias) if alias is not None else None
        self.counts: Counter[Agreement] = Counter()
        self.rows: list[Reconciled] = []
        self._page: list[tuple[int, Reconciled]] = []
        self.repaired = self.announcements = 0
        self._askings: dict[str, Asking[m.TrackResult]] = {}

    def report(self) -> Reconciliation:
        """What it came to."""
        return Reconciliation(
            counts=dict(self.counts),
            rows=tuple(self.rows),
            repaired=self.repaired,
            announcements=self.announcements,
        )

    def judge(self, cases: Sequence[_Case]) -> Run[None]:
        """Ask for the parcels of *cases*, and note what each belief is worth."""
        groups: dict[str, list[_Case]] = {}
        for place, one in enumerate(cases):
            placed = attrs.evolve(one, place=place)
            case = (yield from self._taken_up(placed)) if one.parcel is None else placed
            if case.parcel is None:
                self._note(case, judged(case.belief, None), Agreement.NOT_FOLLOWED)
            else:
                groups.setdefault(case.parcel.account, []).append(case)
        for alias, group in groups.items():
            yield from self._of_account(self.desk.desk.accounts.get(alias), group)
        self.rows += [row for _, row in sorted(self._page, key=lambda pair: pair[0])]
        self._page.clear()

    def _taken_up(self, case: _Case) -> Run[_Case]:
        """A number that nobody follows, as its account's parcel: followed from now on if that is to be applied."""
        if self.account is None or not m.canonical_number(case.belief.number):
            return case
        if self.apply:
            key = case.belief.key
            parcel = yield from follow(self.desk, case.belief.number, self.account.alias, key=key)
            return attrs.evolve(case, parcel=parcel)
        number = m.TrackingNumber(value=case.belief.number, carrier=self.account.carrier.code)
        parcel = Parcel(
            scope="",
            carrier=self.account.carrier.code,
            account=self.account.alias,
            number=number.value,
            since=(yield from call(self.desk.store.now)),
        )
        return attrs.evolve(case, parcel=parcel)

    def _of_account(self, account: Account | None, cases: Sequence[_Case]) -> Run[None]:
        parcels = {case.parcel.scope or case.parcel.number: case.parcel for case in cases if case.parcel is not None}
        answers = yield from self._answers(account, list(parcels.values()))
        done = dict(zip(parcels, answers, strict=True))
        now = dict(zip(parcels, (yield from self._now(list(parcels.values()), answers)), strict=True))
        for case in cases:
            if case.parcel is not None:
                name = case.parcel.scope or case.parcel.number
                self._note_answer(case, case.parcel, done[name], now[name])

    def _answers(self, account: Account | None, parcels: Sequence[Parcel]) -> Run[list[Done]]:
        if account is None or not tracks(account):
            error = InputError("no account that is configured here answers for this number")
            return [Done(error=error)] * len(parcels)
        asking = self._askings.get(account.alias)
        if asking is None:
            asking = self._askings[account.alias] = Asking(
                desk=self.desk.desk,
                account=account,
                read=as_it_is,
                deadline_s=account.deadline_s("track", None),
                stops=nothing_more_now,
            )
        known = [parcel for parcel in parcels if account_of(self.desk, parcel) is not None]
        found = yield from outcomes(asking, [query_of(self.desk, parcel) for parcel in known])
        by_name = {id(parcel): done for parcel, done in zip(known, found, strict=True)}
        return [by_name.get(id(parcel)) or Done(error=asking.stopped or _not_asked()) for parcel in parcels]

    def _now(self, parcels: Sequence[Parcel], answers: Sequence[Done]) -> Run[list[Parcel]]:
        """Each row as it is with what the carrier said: written, or as it would be."""
        if not self.apply:
            known = yield from call(self.desk.store.evidence, tuple(parcel.scope for parcel in parcels if parcel.scope))
            told = [(parcel, one.value) for parcel, one in zip(parcels, answers, strict=True) if one.error is None]
            shares = iter((yield from shares_of(self.desk, told)))
            return [
                _with(self.desk, parcel, known.get(parcel.scope, ()), one.value, next(shares))
                if one.error is None
                else parcel
                for parcel, one in zip(parcels, answers, strict=True)
            ]
        asked = [done if not _is_no_answer(done) else None for done in answers]
        polled = yield from take_answers(self.desk, parcels, asked)
        self.announcements += polled.announcements
        rows = yield from call(self.desk.store.parcels, tuple(parcel.scope for parcel in parcels))
        return [row or parcel for row, parcel in zip(rows, parcels, strict=True)]

    def _note_answer(self, case: _Case, before: Parcel, done: Done, after: Parcel) -> None:
        judgement = judged(case.belief, after.timeline)
        if done.error is None:
            agreement = _OF_VERDICTS[judgement.verdict]
        else:
            agreement = Agreement.UNKNOWN if isinstance(done.error, NotFoundError) else Agreement.NOT_ASKED
        repaired = self.apply and done.error is None and after.digest != before.digest
        self.repaired += repaired
        error = done.error.code or "carrier_error" if done.error is not None else ""
        self._note(case, judgement, agreement, after, repaired=repaired, error=error)

    def _note(
        self,
        case: _Case,
        judgement: Judgement,
        agreement: Agreement,
        parcel: Parcel | None = None,
        *,
        repaired: bool = False,
        error: str = "",
    ) -> None:
        self.counts[agreement] += 1
        if agreement is not Agreement.AGREES:
            row = Reconciled(
                agreement=agreement,
                judgement=judgement,
                scope=parcel.scope if parcel is not None else "",
                account=parcel.account if parcel is not None else "",
                repaired=repaired,
                error=error,
            )
            self._page.append((case.place, row))


def _with(
    desk: EventDesk,
    parcel: Parcel,
    known: Iterable[m.TrackingEvent],
    result: m.TrackResult,
    events: tuple[m.TrackingEvent, ...],
) -> Parcel:
    """*parcel* as it would be with that answer; of one whose evidence is gone nothing is concluded."""
    return (
        parcel
        if parcel.purged_at is not None
        else joined(desk, parcel, known, Told(events=events, results=(result,))).after
    )


def _is_no_answer(done: Done) -> bool:
    error = done.error
    return error is not None and (nothing_more_now(error) or isinstance(error, (InputError, DeadlineError)))


def _not_asked() -> ShipkitError:
    return DeadlineError("this number was not asked for any more")
