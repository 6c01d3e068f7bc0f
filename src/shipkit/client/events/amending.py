"""What is noted of parcels beside their states: rows are changed, and nothing is announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ...errors import StoreError
from ...flow import Run, call
from ...ports.events import Parcel, ParcelWork, Work
from .desk import EventDesk

__all__ = ["amended"]

_TRIES: Final = 8


def amended(desk: EventDesk, parcels: Sequence[Parcel], change: Callable[[Parcel], Parcel]) -> Run[int]:
    """Write what *change* makes of each row; how many that changed. It may be asked again, for a row that moved.

    Raises:
        StoreError: others write one of them again and again.
    """
    works = tuple([work for parcel in parcels if (work := _work(parcel, change)) is not None])
    if not works or (yield from call(desk.store.commit, Work(parcels=works))):
        return len(works)
    count = 0
    for work in works:
        count += yield from _alone(desk, work.before.scope, change)
    return count


def _alone(desk: EventDesk, scope: str, change: Callable[[Parcel], Parcel]) -> Run[int]:
    for _ in range(_TRIES):
        row = (yield from call(desk.store.parcels, (scope,)))[0]
        work = _work(row, change) if row is not None else None
        if work is None:
            return 0
        if (yield from call(desk.store.commit, Work(parcels=(work,)))):
            return 1
    raise StoreError("a parcel is written by others again and again")


def _work(row: Parcel, change: Callable[[Parcel], Parcel]) -> ParcelWork | None:
    after = change(row)
    return ParcelWork(before=row, after=after) if after is not row else None
