"""What was told of parcels is written: states, announcements, the whole of shipments, at once or not at all.

A write is made on the version that was read. Where somebody else was quicker, what they wrote is read and the state is
made anew: evidence is joined by union, so nothing is lost and nothing is announced twice, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

import attrs

from ...errors import StoreError
from ...events.advancing import advanced, projected, rolled_up
from ...events.observing import observed
from ...events.plans import planned
from ...flow import Emit, Run, call
from ...model import TrackingEvent, TrackResult
from ...ports.events import LetterEnd, Parcel, ParcelWork, Work
from ..zones import placed
from .desk import EventDesk

__all__ = ["Committed", "Told", "as_told", "committed", "joined", "kept", "whole_rolled_up"]

_TOGETHER: Final = 3
_ALONE: Final = 8


def as_told(parcel: Parcel, news: bool) -> Parcel:
    """The row has nothing to add."""
    return parcel


def no_letters(failed: frozenset[str]) -> tuple[LetterEnd, ...]:
    """No delivery ends with it."""
    return ()


@attrs.frozen(kw_only=True, eq=False)
class Told:
    """What is to be joined to one parcel's evidence, and what its row says of how that came about."""

    events: tuple[TrackingEvent, ...] = ()
    """Within the parcel's scope."""
    results: tuple[TrackResult, ...] = ()
    """The answers, for what they tell beside the events."""
    noted: Callable[[Parcel, bool], Parcel] = as_told
    """The row, given whether its state has changed; it may be asked more than once."""


@attrs.frozen(kw_only=True, eq=False)
class Committed:
    """What was written, and the scopes that were not: others wrote them again and again, or they are gone."""

    works: tuple[ParcelWork, ...] = ()
    failed: frozenset[str] = frozenset()


def committed(
    desk: EventDesk,
    parcels: Mapping[str, Parcel],
    told: Mapping[str, Told],
    ends: Callable[[frozenset[str]], tuple[LetterEnd, ...]] = no_letters,
) -> Run[Committed]:
    """Write *told* of *parcels* (both by scope), and with it how deliveries end, given the scopes that failed.

    Together in one commit; where that does not get through, parcel by parcel, and then the deliveries.
    """
    rows = dict(parcels)
    for _ in range(_TOGETHER):
        gone = frozenset(told) - frozenset(rows)
        works = yield from _works(desk, rows, told)
        if (yield from _commit(desk, works, ends(gone))):
            yield from _tell(desk, works)
            return Committed(works=works, failed=gone)
        rows = yield from _read(desk, tuple(told))
    written: list[ParcelWork] = []
    failed: set[str] = set()
    for scope, one in told.items():
        alone = yield from _alone(desk, scope, one)
        if alone is None:
            failed.add(scope)
        else:
            written.extend(alone)
    if letters := ends(frozenset(failed)):
        yield from _commit(desk, (), letters)
    return Committed(works=tuple(written), failed=frozenset(failed))


def _alone(desk: EventDesk, scope: str, told: Told) -> Run[tuple[ParcelWork, ...] | None]:
    for _ in range(_ALONE):
        rows = yield from _read(desk, (scope,))
        if not rows:
            return None
        works = yield from _works(desk, rows, {scope: told})
        if (yield from _commit(desk, works, ())):
            yield from _tell(desk, works)
            return works
    return None


def _read(desk: EventDesk, scopes: tuple[str, ...]) -> Run[dict[str, Parcel]]:
    rows = yield from call(desk.store.parcels, scopes)
    return {row.scope: row for row in rows if row is not None}


def _commit(desk: EventDesk, works: tuple[ParcelWork, ...], letters: tuple[LetterEnd, ...]) -> Run[bool]:
    if not works and not letters:
        return True
    return (yield from call(desk.store.commit, Work(letters=letters, parcels=works, destinations=desk.destinations)))


def joined(desk: EventDesk, row: Parcel, known: Iterable[TrackingEvent], told: Told) -> ParcelWork:
    """What *row* becomes when *told* joins what is *known* of it; nothing is written."""
    if not told.events and not told.results:
        return ParcelWork(before=row, after=row)
    account = desk.desk.accounts.get(row.account)  # None where the configuration has it no more
    return advanced(
        row,
        known,
        placed(account.carrier if account is not None else None, told.events),
        result=told.results,
        withdrawn_after=desk.settings.withdrawn_after_answers,
    )


def _works(desk: EventDesk, rows: Mapping[str, Parcel], told: Mapping[str, Told]) -> Run[tuple[ParcelWork, ...]]:
    """What each parcel becomes, and each shipment that one of them belongs to.

    Of a parcel whose evidence is gone nothing is concluded: what is told alone would take back what it proved.
    """
    scopes = tuple(scope for scope in told if scope in rows and rows[scope].purged_at is None)
    known = (yield from call(desk.store.evidence, scopes)) if scopes else {}
    works: dict[str, ParcelWork] = {}
    for scope in scopes:
        row, one = rows[scope], told[scope]
        work = joined(desk, row, known.get(scope, ()), one)
        after = one.noted(work.after, work.after.digest != row.digest)
        if after is not row:
            works[scope] = attrs.evolve(work, after=after)
    wholes = {work.after.shipment: work.after.key for work in works.values() if _moves_the_whole(work)}
    for scope, key in wholes.items():
        # One reading gives the whole and its pieces, and whoever moves a piece writes the whole: its version guards
        # what was read of the other pieces.
        family = yield from call(desk.store.of_key, key)
        at = yield from call(desk.store.now)
        for whole in family:
            if whole.scope == scope:
                pieces = [works[row.scope].after if row.scope in works else row for row in family]
                works[scope] = _rolled_up(desk, whole, [one for one in pieces if one.shipment == scope], at)
    return tuple(works.values())


def whole_rolled_up(desk: EventDesk, scope: str) -> Run[None]:
    """Bring the row of a shipment of several to where its parcels are, some of which were under way before it was."""
    for _ in range(_ALONE):
        whole = (yield from call(desk.store.parcels, (scope,)))[0]
        if whole is None or whole.purged_at is not None:
            return
        family = yield from call(desk.store.of_key, whole.key)
        at = yield from call(desk.store.now)
        work = _rolled_up(desk, whole, [one for one in family if one.shipment == scope], at)
        if work.after is whole or (yield from _commit(desk, (work,), ())):
            yield from _tell(desk, (work,))
            return
    raise StoreError("a shipment is written by others again and again")


def _moves_the_whole(work: ParcelWork) -> bool:
    return bool(work.after.shipment) and work.after.digest != work.before.digest


def _rolled_up(desk: EventDesk, whole: Parcel, pieces: list[Parcel], at: datetime) -> ParcelWork:
    work = rolled_up(whole, [piece.timeline or projected(piece, ())[0] for piece in pieces])
    return attrs.evolve(work, after=kept(desk, work.after, at))


def kept(desk: EventDesk, parcel: Parcel, at: datetime) -> Parcel:
    """*parcel* with the time at which its carrier is asked next, or since when it has ended.

    *at* is now, by the store's clock, which is one for all hosts.
    """
    return planned(parcel, desk.plan(parcel.account), at)


def _tell(desk: EventDesk, works: tuple[ParcelWork, ...]) -> Run[None]:
    yield from _seen(desk, works) if desk.desk.watch() else ()


def _seen(desk: EventDesk, works: tuple[ParcelWork, ...]) -> Iterator[Emit]:
    at = desk.desk.utc_now()
    for work in works:
        account = desk.desk.accounts.get(work.after.account)
        for event in observed(work, account.state.environment if account is not None else "", at):
            yield Emit(event=event)
