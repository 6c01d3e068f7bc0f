"""What a person decides who looked at the carrier: the booking is there, or it is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .. import model as m
from ..carrier import Carrier, Documents, able
from ..errors import ConflictError, InDoubtError, InputError, NotSupportedError
from ..flow import Run, call
from ..ledger.booking import finished
from ..ledger.intent import Intent, unpacked
from ..ledger.sending import recorded
from ..ledger.watching import next_watch_s
from ..policy import Stack
from ..ports import Entry, Phase
from .desk import Desk
from .intents import stored, way_back
from .kinds import kind_of

__all__ = ["close_key", "resolve"]

_ENDED = (Phase.VOIDED, Phase.CLOSED, Phase.PLANNED)


def close_key(desk: Desk, key: str, note: str = "") -> Run[None]:
    """End what a person has dealt with; the key may then be used anew."""
    ledger, full_key = desk.store.ledger, desk.full_key(key)
    entry = yield from desk.read(full_key)
    at = yield from call(ledger.now)
    if entry.settle_at is not None and at < entry.settle_at and entry.phase is Phase.NEEDS_PERSON:
        raise InDoubtError(
            f"{key} was sent a moment ago: what a person does not see at the carrier yet may still come",
            key=key,
            generation=entry.generation,
            since=entry.updated_at,
            retry_at=entry.settle_at,
            needs_person=True,
        )
    closed = yield from call(ledger.close_key, full_key, note)
    if closed is None or closed.phase is not Phase.CLOSED:
        text = f"{key} is {entry.phase.value}: it ends by itself, or by cancelling it"
        raise ConflictError(text, key=key, generation=entry.generation)


def resolve(
    desk: Desk, key: str, shipment_id: str, tracking_number: str | None, note: str, deadline_s: float | None
) -> Run[Any]:
    """Record the booking that a person found at the carrier, and fetch its papers where the carrier offers them.

    Raises:
        ConflictError: the key has another booking, or has ended.
        LabelPendingError: it is recorded; its papers could not be had now, and the same call as ever fetches them.
        NotSupportedError: what was bought under the key is no shipment.
    """
    _refuse_empty(shipment_id, "/shipment_id")
    if tracking_number is not None:
        _refuse_empty(tracking_number, "/tracking_number")
    full_key = desk.full_key(key)
    entry = yield from desk.read(full_key)
    _refuse_other(key, entry, shipment_id)
    account, kind = desk.account_of(entry), kind_of(entry)
    if kind.result not in ("Shipment", "ReturnShipment"):
        raise NotSupportedError(f"a person enters shipments; {key} stands for {entry.operation}")

    request: Any = unpacked(entry.request, kind.request_type)

    def asked(stack: Stack) -> Run[Any]:
        intent: Intent[Any] = stored(desk, account, entry, stack)
        ledger = desk.store.ledger
        if entry.booking:
            return (yield from finished(intent, ledger, entry))  # it is known already
        seen_at = yield from call(ledger.now)
        seen = _shipment(getattr(request, "shipment", request), account.carrier, shipment_id, tracking_number, seen_at)
        seen = m.evolve(seen, messages=(_entered(note),))
        found = way_back(request, seen) if isinstance(request, m.ReturnRequest) else seen
        whole = intent.stamped(request, found, entry.generation)
        papers = able(account.carrier, Documents)
        for stray in (yield from call(ledger.strays, full_key)):
            if (stray.generation, stray.booking) == (entry.generation, shipment_id):
                # It came in with another number of packages than asked for; a person says that it is the booking.
                whole = _noticed(unpacked(stray.result, intent.shape), note)
                papers = papers or intent.in_hand(whole)
        if not papers:
            whole = _without_papers(whole)
        # A sender that slept may still bring the label.
        yield from recorded(intent, ledger, stack, entry, whole, watch=True, complete=papers)
        row = yield from call(ledger.read, full_key)
        if row is not None and row.phase is Phase.SUCCEEDED and not papers:
            yield from call(ledger.look_again, row, next_watch_s(row, desk.settings, seen_at, looked=False))
        return (yield from finished(intent, ledger, row or entry))

    return (yield from desk.calling(account, "documents", deadline_s, request, asked))


def _shipment(
    asked: m.ShipmentRequest, carrier: Carrier, shipment_id: str, tracking_number: str | None, seen_at: datetime
) -> m.Shipment:
    """The booking as far as a person can tell it."""
    number = m.TrackingNumber(value=tracking_number, carrier=carrier.code) if tracking_number is not None else None
    only = number if len(asked.packages) == 1 else None
    return m.Shipment(
        shipment_id=shipment_id,
        reference=asked.reference,
        state=m.BookingState.LABEL_PENDING,
        service=asked.service or "",
        packages=tuple(
            m.BookedPackage(ref=package.ref, position=position, tracking_number=only)
            for position, package in enumerate(asked.packages)
        ),
        tracking_numbers=(number,) if number is not None else (),
        created_at=seen_at,
    )


def _entered(note: str) -> m.Message:
    return m.Message(level=m.NoticeLevel.WARNING, code=m.NoticeCode.ENTERED_BY_PERSON, text=note or None)


def _noticed(value: Any, note: str) -> Any:
    """*value* with the notice that a person entered it."""
    if isinstance(value, m.ReturnShipment):
        return m.evolve(value, shipment=_noticed(value.shipment, note)) if value.shipment is not None else value
    return m.evolve(value, messages=(*value.messages, _entered(note)))


def _without_papers(value: Any) -> Any:
    """*value* as it stays: its carrier hands no paper out a second time, and the notice says who entered it."""
    if isinstance(value, m.ReturnShipment):
        return m.evolve(value, shipment=_without_papers(value.shipment))
    return m.evolve(value, state=m.BookingState.CONFIRMED)


def _refuse_other(key: str, entry: Entry, shipment_id: str) -> None:
    text = ""
    if entry.phase in _ENDED:
        text = f"{key} is {entry.phase.value}: no booking is entered any more"
    elif entry.booking and entry.booking != shipment_id:
        text = f"{key} has the booking {entry.booking}"
    if text:
        raise ConflictError(text, key=key, generation=entry.generation)


def _refuse_empty(text: Any, path: str) -> None:
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        problem = m.Problem(path=path, code=m.ProblemCode.MALFORMED, text="is the number that the carrier shows")
        raise InputError(problems=(problem,))
