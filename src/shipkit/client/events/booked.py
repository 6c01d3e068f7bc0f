"""What is booked is followed: a walk over the ledger of the same store, from where the last one stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from functools import reduce
from typing import Any, Final

from ... import model as m
from ...codec.stored import join_without
from ...errors import ConflictError, ShipkitError, StoreError
from ...flow import Run, call
from ...ledger.intent import unpacked
from ...ports import Entry, Kept, Phase
from ...ports.events import Parcel
from ..accounts import Account
from ..kinds import kind_of
from .desk import EventDesk
from .following import parcels_of, placed, registered

__all__ = ["follow_booked"]

_PAGE: Final = 200
_FOLLOWED: Final = ("create_shipment", "create_return")
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def follow_booked(desk: EventDesk, since: datetime | None = None) -> Run[int]:
    """Follow what was booked at *since* or later and is not followed yet; how many parcels that were.

    Of the ledger only rows are read that succeeded since, a page at a time, and each page is registered before the next
    is read: what is done stays done when it is interrupted. Asked again, nothing is registered twice. Rows that cannot
    be read, or are another carrier's by now, and numbers that are followed under another key are left out.
    """
    at, after, count = since if since is not None else _BEGINNING, "", 0
    ledger, prefix = desk.desk.store.ledger, desk.desk.full_key("")
    while page := (yield from call(ledger.succeeded, at, after, prefix=prefix, limit=_PAGE)):
        count += yield from _page(desk, page)
        at, after = page[-1].updated_at, page[-1].key
    return count


def _page(desk: EventDesk, page: Sequence[Entry]) -> Run[int]:
    now = yield from call(desk.store.now)
    bookings: list[tuple[Parcel, ...]] = []
    wholes: set[tuple[str, int]] = set()
    for entry in page:
        if entry.operation not in _FOLLOWED or entry.purged_at is not None:
            continue
        if entry.parent is None:
            bookings.append(_parcels(desk, entry, (entry,), now))
        elif entry.parent not in wholes:
            wholes.add(entry.parent)
            bookings.append((yield from _of_pieces(desk, entry.parent, now)))
    count = 0
    for parcels in (yield from _unknown(desk, bookings)):
        try:
            yield from registered(desk, parcels)
            count += sum(bool(parcel.number) for parcel in parcels)
        except ConflictError:
            continue
    return count


def _unknown(desk: EventDesk, bookings: Sequence[tuple[Parcel, ...]]) -> Run[list[tuple[Parcel, ...]]]:
    """Those of which a row is missing, found with two questions to the store for all of them."""
    every = [parcel for parcels in bookings for parcel in parcels]
    if not every:
        return []
    scopes = yield from placed(desk, every)
    rows = yield from call(desk.store.parcels, scopes)
    missing = {parcel.scope for parcel, row in zip(every, rows, strict=True) if row is None}
    return [parcels for parcels in bookings if any(parcel.scope in missing for parcel in parcels)]


def _of_pieces(desk: EventDesk, parent: tuple[str, int], now: datetime) -> Run[tuple[Parcel, ...]]:
    """A shipment that was booked package by package is followed once every one of them is booked."""
    ledger = desk.desk.store.ledger
    whole = yield from call(ledger.read, parent[0])
    if whole is None or whole.generation != parent[1] or whole.phase is not Phase.PLANNED or whole.void_wanted:
        return ()
    pieces = yield from call(ledger.pieces, whole)
    if any(piece.phase is not Phase.SUCCEEDED or piece.purged_at is not None for piece in pieces):
        return ()
    return _parcels(desk, whole, pieces, now)


def _parcels(desk: EventDesk, entry: Entry, booked: Sequence[Entry], now: datetime) -> tuple[Parcel, ...]:
    account = desk.desk.accounts.get(entry.account)
    if account is None or account.carrier.code != entry.carrier:
        return ()
    try:
        return _read(desk, account, entry, booked, now)
    except ShipkitError:
        return ()


def _read(
    desk: EventDesk, account: Account, entry: Entry, booked: Sequence[Entry], now: datetime
) -> tuple[Parcel, ...]:
    request = _value(entry.request, kind_of(entry).request_type)
    found = [_value(one.result, kind_of(one).result_type) for one in booked]
    told = [one.shipment if isinstance(one, m.ReturnShipment) else one for one in found]
    shipments = [one for one in told if isinstance(one, m.Shipment)]
    if len(shipments) < len(told):  # the customer or the carrier brings the label, and no number is known yet
        return ()
    shipment = reduce(_together, shipments)
    own = desk.desk.own_key(entry.key) or entry.key
    shipment = m.evolve(shipment, key=own, generation=entry.generation)
    return parcels_of(desk, account, shipment, entry.key, request, now)


def _together(one: m.Shipment, other: m.Shipment) -> m.Shipment:
    return m.evolve(
        one,
        packages=(*one.packages, *other.packages),
        tracking_numbers=(*one.tracking_numbers, *other.tracking_numbers),
        created_at=min(one.created_at, other.created_at),
    )


def _value(stored: Any, shape: Any) -> Any:
    if isinstance(stored, Kept) and not stored.blobs:  # the labels were not read with it, and are not needed
        try:
            return join_without(stored.text, shape)
        except ShipkitError as error:
            raise StoreError(f"the stored {shape.__name__} cannot be read") from error
    return unpacked(stored, shape)
