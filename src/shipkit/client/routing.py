"""One parcel and several ways to send it: the next way is taken only when nothing was bought on the one before.

All ways share one key, and the ledger keeps one live row under it: whatever the order in which two workers try them,
one claims and the other finds its row. Each further account has a generation of its own, so that what may still come
of an earlier try is looked for where it was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from .. import model as m
from ..errors import (
    ConflictError,
    DeadlineError,
    InProgressError,
    InputError,
    ReachedCarrier,
    ShipkitError,
    StoreError,
)
from ..flow import Run, call, now
from ..ledger import booked, fingerprint
from ..ledger.booking import doubt_of, unpacked
from ..ledger.intent import used_up
from ..policy import Stack
from ..ports import Entry, Phase
from ..shopping import Route
from ..store.rules import CLAIMABLE, ENDED
from . import purchases
from .accounts import Account, checked_s
from .base import with_service
from .desk import Desk, refuse_other
from .intents import stored

__all__ = ["Routed", "routed"]

_LOOKS = 8  # at a row that others move meanwhile


@attrs.frozen(kw_only=True)
class Routed:
    """What was booked, on which way, and why not on those tried before it in this call."""

    shipment: m.Shipment
    route: Route
    errors: Mapping[Route, ShipkitError]


def routed(
    desk: Desk, request: m.ShipmentRequest, routes: Iterable[Route], key: str, deadline_s: float | None
) -> Run[Routed]:
    """Book *request* on the first of *routes* that takes it, once under *key*.

    Raises:
        InDoubtError, InProgressError: a way is open; no other one is tried until that has ended.
        ShipkitError: no way took it; the error that may pass if there is one, else the first, with its ``others``.
    """
    seconds = checked_s(deadline_s) if deadline_s is not None else desk.settings.deadline_s
    call_ = _Call(desk, request, key, (yield from now()) + seconds, seconds)
    waiting, looks = list(_checked(desk, request, routes, key)), 0
    errors: dict[Route, ShipkitError] = {}
    row = yield from call(desk.store.ledger.read, call_.full_key)
    fresh = row is None or row.phase in ENDED  # nothing stands under the key: another shipment may begin
    while waiting:
        if row is not None and row.phase not in (Phase.NEW, Phase.REJECTED, *ENDED):
            found = yield from call_.stood_for(row)
            if found is not None:
                return Routed(shipment=found, route=call_.way_of(row), errors=errors)
        began_at = row.generation if row is not None else 0
        try:
            found = yield from call_.booked(waiting[0], None if fresh else began_at)
        except ShipkitError as error:
            row = yield from call(desk.store.ledger.read, call_.full_key)
            looks += 1
            if isinstance(error, (ConflictError, InProgressError)) and looks < _LOOKS and _is_another(row, error):
                continue  # another worker took another way meanwhile: its row says what holds
            if not _is_not_done(row, error, began_at if fresh else None):
                raise
            errors[waiting.pop(0)] = error
            fresh = fresh and (row is None or row.phase in ENDED)
        else:
            return Routed(shipment=found, route=waiting[0], errors=errors)
    raise _failed(tuple(errors.values()))


@attrs.frozen
class _Call:
    """One call of the host: what is to be sent, under which key, until when."""

    desk: Desk
    request: m.ShipmentRequest
    key: str
    until: float
    seconds: float

    @property
    def full_key(self) -> str:
        return self.desk.full_key(self.key)

    def booked(self, way: Route, after: int | None) -> Run[m.Shipment]:
        """The booking on *way*; with *after* the key is over once what stood there then was undone."""
        desk, account = self.desk, self.desk.account(way.account)
        asked = with_service(self.request, way.service)

        def body(stack: Stack) -> Run[m.Shipment]:
            kind = purchases.CREATE_SHIPMENT
            intent = purchases.intent_of(desk, account, kind, asked, self.full_key, stack)
            return (yield from booked(attrs.evolve(intent, routed=True, after=after), desk.store.ledger, stack))

        return desk.calling(account, "create_shipment", self.seconds, asked, body, until=self.until)

    def stood_for(self, row: Entry) -> Run[m.Shipment | None]:
        """What the open or finished *row* comes to; None once it is known that nothing was booked there.

        Raises:
            ConflictError: it is another request's, or it is being cancelled.
        """
        if row.purged_at is not None:
            raise used_up(row)
        if row.operation != purchases.CREATE_SHIPMENT.operation or not self._is_ours(row):
            raise self._conflict(row, f"{self.key} was used for something else ({row.operation}, {row.phase.value})")
        if row.void_wanted:
            raise self._conflict(row, f"{self.key} is being cancelled")
        if row.phase is Phase.NEEDS_PERSON:
            raise doubt_of(attrs.evolve(row, key=self.key))
        if row.phase is Phase.ABSENT:
            return None
        account = self.desk.account_of(row)

        def body(stack: Stack) -> Run[m.Shipment | None]:
            if row.phase is Phase.PLANNED:  # a way that was begun piece by piece is gone on with
                return (yield from self._rest_of(account, row, stack))
            found: m.Shipment | None = yield from purchases.recovered_row(self.desk, account, row, stack)
            return found

        found = yield from self.desk.calling(
            account, "create_shipment", self.seconds, self.request, body, until=self.until
        )
        if found is None and row.phase is Phase.IN_FLIGHT:
            standing = yield from call(self.desk.store.ledger.read, self.full_key)
            if standing is not None and standing.phase is Phase.IN_FLIGHT:
                text = f"another worker holds {self.key}"
                raise InProgressError(text, key=self.key, generation=row.generation, retry_after_s=1)
        return found

    def _rest_of(self, account: Account, row: Entry, stack: Stack) -> Run[m.Shipment | None]:
        intent = attrs.evolve(stored(self.desk, account, row, stack), routed=True)
        try:
            rest: m.Shipment = yield from booked(intent, self.desk.store.ledger, stack)
            return rest
        except ShipkitError:
            now = yield from call(self.desk.store.ledger.read, self.full_key)
            if now is not None and now.phase is Phase.REJECTED:
                return None  # refused, and nothing of it is left
            raise

    def way_of(self, row: Entry) -> Route:
        """The way that *row* stands for; without a service where that is the request's own."""
        service = unpacked(row.request, m.ShipmentRequest).service
        return Route(row.account, service if service != self.request.service else None)

    def _is_ours(self, row: Entry) -> bool:
        """Whether *row* stands for this request, on whichever way."""
        service = unpacked(row.request, m.ShipmentRequest).service
        return fingerprint(row.operation, row.account, m.evolve(self.request, service=service)) == row.fingerprint

    def _conflict(self, row: Entry, text: str) -> ConflictError:
        return ConflictError(text, key=self.key, generation=row.generation, cancelling=row.void_wanted)


def _checked(desk: Desk, request: m.ShipmentRequest, routes: Iterable[Route], key: str) -> tuple[Route, ...]:
    purchases.refuse_key(key)
    refuse_other(request, m.ShipmentRequest)
    ways = tuple(dict.fromkeys(routes))
    if not ways:
        text = "names no way to send it"
        raise InputError(problems=(m.Problem(path="/routes", code=m.ProblemCode.MISSING, text=text),))
    for way in ways:
        desk.account(way.account)
    return ways


def _is_not_done(row: Entry | None, error: ShipkitError, ended: int | None) -> bool:
    """Whether surely nothing was bought, so that another way may be tried within this call."""
    if isinstance(error, (StoreError, DeadlineError, ConflictError, InProgressError)):
        return False
    if row is None or (row.phase in CLAIMABLE and not row.void_wanted):
        return True
    return row.phase in ENDED and row.generation == ended  # as it was when this call began


def _is_another(row: Entry | None, error: ShipkitError) -> bool:
    if row is None or row.phase in ENDED or (isinstance(error, ConflictError) and error.cancelling):
        return False
    return error.reached_carrier is not ReachedCarrier.YES  # else it is this way that is booked in part


def _failed(errors: tuple[ShipkitError, ...]) -> ShipkitError:
    """What to tell the host: an error that may pass, for then the same call is worth repeating, else the first one."""
    told = next((error for error in errors if error.retryable), errors[0])
    told.others = tuple(error for error in errors if error is not told)
    return told
