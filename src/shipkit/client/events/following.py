"""Which parcels are followed: registered by number, by shipment, or as they were booked, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, NoReturn

import attrs

from ... import model as m
from ...errors import ConflictError, InputError, StoreError
from ...events import fold, roll_up
from ...events.plans import planned
from ...flow import Run, call
from ...ports.events import Parcel
from ..accounts import Account
from ..desk import query_of, refuse_other
from .amending import amended
from .committing import whole_rolled_up
from .desk import EventDesk

__all__ = ["follow", "follow_shipment", "parcels_of", "registered", "shipment", "timeline", "unfollow"]

_RECYCLED: Final = timedelta(days=60)
"""Carriers hand numbers out again after months, and labels are used within weeks: what comes back after this is
another parcel."""


@attrs.frozen(kw_only=True)
class Beside:
    """What is known of parcels beside their numbers."""

    key: str = ""
    since: datetime
    service: str = ""
    promise: m.TransitEstimate | None = None
    origin: str = ""
    destination: str = ""


def follow(
    desk: EventDesk,
    number: str | m.TrackingNumber | m.TrackQuery,
    alias: str,
    *,
    key: str = "",
    since: datetime | None = None,
    service: str = "",
    promise: m.TransitEstimate | None = None,
    origin: str = "",
    destination: str = "",
) -> Run[Parcel]:
    """Register one number; what is registered already comes back as it is, with what was not known of it before.

    Raises:
        InputError: there is no such account, or that is no number.
        ConflictError: it is followed under another key.
    """
    account = desk.desk.account(alias)
    query = query_of(number, account, desk.settings.language)
    if not query.number.value:
        _refuse("/number", "is empty")
    if since is not None and since.tzinfo is None:
        _refuse("/since", "has no offset from UTC")
    now = yield from call(desk.store.now)
    beside = Beside(
        key=desk.desk.full_key(key) if key else "",
        since=since.astimezone(timezone.utc) if since is not None else now,
        service=service,
        promise=promise,
        origin=origin,
        destination=destination,
    )
    parcel = _parcel(desk, account, query, beside, now)
    if since is None and (known := (yield from _still_open(desk, parcel))) is not None:
        parcel = attrs.evolve(parcel, since=known.since)
    if parcel.next_poll_at is not None and since is None:
        parcel = attrs.evolve(parcel, next_poll_at=now)  # nobody knows how far it has come
    return (yield from registered(desk, (parcel,)))[0]


def follow_shipment(
    desk: EventDesk,
    booked: m.Shipment | m.ReturnShipment,
    alias: str,
    key: str,
    request: m.ShipmentRequest | m.ReturnRequest | None = None,
) -> Run[tuple[Parcel, ...]]:
    """Register every parcel of a booking, and where there are several the shipment as a whole, which comes first.

    Raises:
        InputError: there is no such account, or the booking has no number.
        ConflictError: one of them is followed under another key.
    """
    refuse_other(booked, m.Shipment, m.ReturnShipment)
    now = yield from call(desk.store.now)
    parcels = parcels_of(desk, desk.desk.account(alias), booked, desk.desk.full_key(key), request, now)
    if not parcels:
        _refuse("/shipment/tracking_numbers", "the booking has no number to follow")
    return (yield from registered(desk, parcels))


def parcels_of(
    desk: EventDesk,
    account: Account,
    booked: m.Shipment | m.ReturnShipment,
    full_key: str,
    request: Any,
    now: datetime,
) -> tuple[Parcel, ...]:
    """The rows of a booking under the key as the store has it: the whole, where there are several, and the parcels."""
    shipment = booked.shipment if isinstance(booked, m.ReturnShipment) else booked
    if shipment is None:
        return ()
    asked = getattr(request, "shipment", None) or request
    beside = Beside(
        key=full_key,
        since=shipment.created_at.astimezone(timezone.utc),
        service=shipment.service,
        promise=shipment.transit,
        origin=_country(getattr(asked, "ship_from", None)),
        destination=_country(getattr(asked, "ship_to", None)),
    )
    shipped_on: date | None = getattr(asked, "ship_on", None)
    numbers = tuple(_numbers(shipment))
    parcels = [
        _parcel(desk, account, _booked_query(desk, number, beside, shipped_on), beside, now) for number in numbers
    ]
    if len(parcels) < 2:
        return tuple(parcels)
    whole = _scope_of_whole(full_key, shipment.generation)
    row = Parcel(
        scope=whole, carrier=account.carrier.code, account=account.alias, **attrs.asdict(beside, recurse=False)
    )
    return (row, *(attrs.evolve(parcel, shipment=whole) for parcel in parcels))


def _scope_of_whole(full_key: str, generation: int | None) -> str:
    """A key that was used again, its first booking being voided, is another shipment."""
    return f"shipment:{full_key}" if generation in (None, 1) else f"shipment.{generation}:{full_key}"


def _numbers(shipment: m.Shipment) -> Iterator[m.TrackingNumber]:
    """One for each parcel: those of the packages, or the shipment's own where packages have none."""
    found = [package.tracking_number for package in shipment.packages if package.tracking_number is not None]
    unique = {number.value: number for number in found or shipment.tracking_numbers if number.value}
    yield from unique.values()


def _booked_query(desk: EventDesk, number: m.TrackingNumber, beside: Beside, shipped_on: date | None) -> m.TrackQuery:
    return m.TrackQuery(
        number=number, country=beside.destination or None, shipped_on=shipped_on, language=desk.settings.language
    )


def _country(party: m.Party | None) -> str:
    return str(party.address.country) if party is not None and party.address is not None else ""


def _parcel(desk: EventDesk, account: Account, query: m.TrackQuery, beside: Beside, now: datetime) -> Parcel:
    carrier, number = account.carrier.code, query.number.value
    parcel = Parcel(
        scope=f"{carrier}:{number}:{beside.since.date().isoformat()}",
        carrier=carrier,
        account=account.alias,
        number=number,
        query=query,
        **attrs.asdict(beside, recurse=False),
    )
    return planned(parcel, desk.plan(account.alias), now)


def registered(desk: EventDesk, parcels: Sequence[Parcel]) -> Run[tuple[Parcel, ...]]:
    """The rows of *parcels*, registered now or before.

    Raises:
        ConflictError: one of them is followed under another key; nothing was registered.
    """
    scopes = yield from placed(desk, parcels)
    rows = yield from call(desk.store.parcels, scopes)
    for wanted, row in zip(parcels, rows, strict=True):
        if row is not None and row.key and wanted.key and row.key != wanted.key:
            raise ConflictError(f"this parcel is followed under another key, since {row.since.date()}", key=wanted.key)
    fresh = [
        attrs.evolve(wanted, scope=scope) for wanted, scope, row in zip(parcels, scopes, rows, strict=True) if not row
    ]
    if fresh:
        yield from call(desk.store.follow, fresh)
    now = yield from call(desk.store.now)
    for row, wanted in zip(rows, parcels, strict=True):
        if row is not None:
            yield from _completed(desk, row, wanted, now)
    for scope, wanted in zip(scopes, parcels, strict=True):
        if not wanted.number and any(row is not None and row.timeline is not None for row in rows):
            yield from whole_rolled_up(desk, scope)
    found = yield from call(desk.store.parcels, scopes)
    if None in found:
        raise StoreError("a parcel that was registered is not in the store")
    return tuple([row for row in found if row is not None])


def _still_open(desk: EventDesk, wanted: Parcel) -> Run[Parcel | None]:
    """The parcel that *wanted* is, however long ago it was registered: its journey goes on, and nobody says when it
    began."""
    row = (yield from call(desk.store.find, ((wanted.carrier, wanted.number),)))[0]
    if row is None or row.finished_at is not None or (wanted.key and row.key not in ("", wanted.key)):
        return None
    return row


def placed(desk: EventDesk, parcels: Sequence[Parcel]) -> Run[tuple[str, ...]]:
    """The scope of each of *parcels*: that of the row which its number has already, unless it is another parcel's."""
    pairs = tuple([(parcel.carrier, parcel.number) for parcel in parcels if parcel.number])
    rows = (yield from call(desk.store.find, pairs)) if pairs else ()
    known = {(row.carrier, row.number): row for row in rows if row is not None}
    scopes = []
    for parcel in parcels:
        row = known.get((parcel.carrier, parcel.number)) if parcel.number else None
        same = row is not None and (abs(parcel.since - row.since) < _RECYCLED)
        scopes.append(row.scope if row is not None and same else parcel.scope)
    return tuple(scopes)


def _completed(desk: EventDesk, row: Parcel, wanted: Parcel, now: datetime) -> Run[None]:
    """Add what was not known of a parcel when it was registered first, and take one up again that was let go."""

    def change(row: Parcel) -> Parcel:
        if row.purged_at is not None:
            return row
        missing = {name: getattr(wanted, name) for name in _FILLED if not getattr(row, name) and getattr(wanted, name)}
        after = attrs.evolve(row, **missing) if missing else row
        if row.number and row.query is None and wanted.query is not None:
            after = planned(attrs.evolve(after, query=wanted.query, finished_at=None), desk.plan(row.account), now)
        return after

    yield from amended(desk, (row,), change)


_FILLED: Final = ("key", "shipment", "service", "promise", "origin", "destination")


def unfollow(desk: EventDesk, number: str = "", account: str = "", *, scope: str = "", key: str = "") -> Run[int]:
    """Ask no more for a parcel, or for all of a shipment: how many that were. Pushes of it are still taken.

    Raises:
        InputError: nobody follows it.
    """
    rows = [row for row in (yield from _rows(desk, number, account, scope, key)) if row.number]
    now = yield from call(desk.store.now)

    def change(row: Parcel) -> Parcel:
        if row.query is None:
            return row
        return attrs.evolve(row, query=None, next_poll_at=None, finished_at=row.finished_at or now)

    return (yield from amended(desk, rows, change))


def timeline(desk: EventDesk, number: str = "", account: str = "", *, scope: str = "") -> Run[m.Timeline]:
    """The state of one parcel with all of its events.

    Raises:
        InputError: nobody follows it.
    """
    row = (yield from _rows(desk, number, account, scope, ""))[0]
    if not row.number:
        return (yield from _whole(desk, row))
    evidence = (yield from call(desk.store.evidence, (row.scope,))).get(row.scope, ())
    whole = fold(
        evidence,
        scope=row.scope,
        tracking_number=m.TrackingNumber(value=row.number, carrier=row.carrier),
        transit=row.transit,
        proof=row.proof,
        since=row.since,
    )
    return m.evolve(row.timeline, events=whole.events, pieces=whole.pieces) if row.timeline is not None else whole


def shipment(desk: EventDesk, key: str) -> Run[m.Timeline]:
    """The state of what was shipped under *key* last, rolled up over its parcels.

    Raises:
        InputError: nobody follows it.
    """
    rows = yield from _rows(desk, "", "", "", key)
    newest = max(rows, key=lambda row: (row.since, not row.number))
    return (yield from _whole(desk, newest)) if not newest.number else (newest.timeline or _nothing(newest))


def _whole(desk: EventDesk, row: Parcel) -> Run[m.Timeline]:
    family = yield from call(desk.store.of_key, row.key)
    pieces = tuple([one.timeline or _nothing(one) for one in family if one.shipment == row.scope])
    rolled = roll_up(pieces, scope=row.scope)
    return m.evolve(row.timeline, pieces=rolled.pieces) if row.timeline is not None else rolled


def _nothing(row: Parcel) -> m.Timeline:
    number = m.TrackingNumber(value=row.number, carrier=row.carrier)
    return fold((), scope=row.scope, tracking_number=number, since=row.since)


def _rows(desk: EventDesk, number: str, alias: str, scope: str, key: str) -> Run[tuple[Parcel, ...]]:
    found: tuple[Parcel | None, ...]
    if key:
        found = yield from call(desk.store.of_key, desk.desk.full_key(key))
        path = "/key"
    elif scope:
        found = yield from call(desk.store.parcels, (scope,))
        path = "/scope"
    else:
        carrier = desk.desk.account(alias).carrier.code
        found = yield from call(desk.store.find, ((carrier, m.canonical_number(number)),))
        path = "/number"
    rows = tuple([row for row in found if row is not None])
    if not rows:
        _refuse(path, "nobody follows it", m.ProblemCode.UNKNOWN_VALUE)
    return rows


def _refuse(path: str, text: str, code: m.ProblemCode = m.ProblemCode.MALFORMED) -> NoReturn:
    raise InputError(problems=(m.Problem(path=path, code=code, text=text),))
