"""A purchase as the ledger's intent: how the carrier is asked and undone, and what its answer is made into."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import attrs

from .. import model as m
from ..carrier import Cancels, CancelsPickups, Carrier, FindsShipments, able
from ..constraints import notices
from ..errors import InputError, NotSupportedError
from ..flow import Flow, Run
from ..ledger import Intent, fingerprint
from ..ledger.intent import unpacked
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, Phase
from .accounts import Account
from .desk import Desk, reason, refuse_other
from .kinds import Purchase, kind_of
from .papers import completed, fetched, in_hand, labelled, linked

__all__ = ["intent_of", "refuse_key", "stamped", "stored", "way_back"]

V = TypeVar("V", bound=Value)
_KEY_MAX = 64
_OF_A_PIECE = re.compile("[0-9]+/[0-9]+")


def intent_of(desk: Desk, account: Account, kind: Purchase[V], request: Any, full_key: str, stack: Stack) -> Intent[V]:
    """What *request* at the account comes to under the key; it is checked when it is to be sent.

    Raises:
        InputError, NotSupportedError: the account cannot be asked for it.
    """
    _capable(account, kind)
    refuse_other(request, kind.request_type)
    mark = fingerprint(kind.operation, account.alias, request)
    intent = _intent(desk, account, kind, cache(lambda: desk.ready(account, request)), full_key, mark, stack)
    if kind.operation == "create_shipment" and len(request.packages) > 1:
        from .pieces import in_pieces

        return in_pieces(desk, account, request, intent, stack)
    return intent


def stored(desk: Desk, account: Account, entry: Entry, stack: Stack) -> Intent[Any]:
    """The intent of a row, in a process that never saw the host's request."""
    kind = kind_of(entry)

    def request() -> Any:
        return unpacked(entry.request, kind.request_type)

    intent = _intent(desk, account, kind, request, entry.key, entry.fingerprint, stack)
    if entry.parent is None and entry.phase in (Phase.PLANNED, Phase.VOIDED):
        from .pieces import in_pieces

        return in_pieces(desk, account, None, intent, stack)
    return intent if entry.parent is None else attrs.evolve(intent, parent=entry.parent)


def _intent(
    desk: Desk,
    account: Account,
    kind: Purchase[V],
    request: Callable[[], Any],
    key: str,
    mark: str,
    stack: Stack,
) -> Intent[V]:
    carrier = account.carrier
    own = desk.own_key(key) or key

    def start(asked: Any, identity: str) -> Flow[Any]:
        flow: Flow[Any] = getattr(carrier, kind.operation)(_marked(asked, identity))
        return flow

    def whole(asked: Any, value: V, generation: int) -> V:
        made: V = stamped(value, account, own, generation, notices(asked, account.facts))
        return made

    return Intent(
        key=key,
        operation=kind.operation,
        account=account.alias,
        carrier=carrier.code,
        fingerprint=mark,
        request=request,
        asked=kind.request_type,
        shape=kind.result_type,
        start=start,
        find=_finder(carrier, kind, account.facts.recovery.mode),
        undo=_undoer(carrier, kind),
        booking_of=kind.booking,
        numbers_of=_numbers,
        live=lambda value: _shipment(value) is None or _shipment(value).state is not m.BookingState.VOIDED,
        made_at=_made_at,
        pieces_of=_pieces,
        pieces=_asked_pieces,
        complete=lambda asked, value: _completed(value, stack, own, getattr(asked, "shipment", asked)),
        in_hand=_in_hand,
        stamped=whole,
        recovery=account.facts.recovery,
    )


def _finder(
    carrier: Carrier, kind: Purchase[Any], mode: m.RecoveryMode
) -> Callable[[Any, str], Flow[tuple[Any, ...]]] | None:
    if not kind.finds or mode is m.RecoveryMode.NONE or not able(carrier, FindsShipments):
        return None

    def find(request: Any, identity: str) -> Flow[tuple[Any, ...]]:
        booking = getattr(request, "shipment", request)
        hits = yield from carrier.find_shipments(m.evolve(booking, mark=identity))
        if kind.result == "ReturnShipment":
            return tuple(way_back(request, hit) for hit in hits)
        return hits

    return find


def way_back(request: m.ReturnRequest, hit: m.Shipment) -> m.ReturnShipment:
    """*hit* as the answer to *request* would have told it: a carrier that is asked by a mark speaks of any booking."""

    def back(number: m.TrackingNumber | None) -> m.TrackingNumber | None:
        return number and m.evolve(number, role=m.NumberRole.RETURN)

    label, return_label = m.DocumentKind.LABEL, m.DocumentKind.RETURN_LABEL
    shipment = m.evolve(
        hit,
        tracking_numbers=tuple(m.evolve(number, role=m.NumberRole.RETURN) for number in hit.tracking_numbers),
        packages=tuple(m.evolve(package, tracking_number=back(package.tracking_number)) for package in hit.packages),
        documents=tuple(m.evolve(p, kind=return_label if p.kind is label else p.kind) for p in hit.documents),
    )
    return m.ReturnShipment(
        kind=request.kind, shipment=shipment, outbound=request.outbound, authorization=request.authorization
    )


def _marked(request: Any, identity: str) -> Any:
    if isinstance(request, m.ShipmentRequest):
        return m.evolve(request, mark=identity)
    if isinstance(request, m.ReturnRequest):
        return m.evolve(request, shipment=m.evolve(request.shipment, mark=identity))
    return request


def _shipment(value: Any) -> Any:
    return value.shipment if isinstance(value, m.ReturnShipment) else value if isinstance(value, m.Shipment) else None


def _pieces(value: Any) -> int:
    shipment = _shipment(value)
    return len(shipment.packages) if shipment is not None else 0


def _asked_pieces(request: Any) -> int:
    booking = getattr(request, "shipment", request)
    return len(booking.packages) if isinstance(booking, m.ShipmentRequest) else 0


def _numbers(value: Any) -> frozenset[str]:
    shipment = _shipment(value)
    return frozenset(number.value for number in shipment.tracking_numbers) if shipment is not None else frozenset()


def _made_at(value: Any) -> datetime | None:
    made_at: datetime | None = getattr(_shipment(value), "created_at", None)
    return made_at


def stamped(value: Any, account: Account, key: str, generation: int, shortened: tuple[m.Message, ...]) -> Any:
    """*value* as the host gets it: whose it is, and in the state that its labels show."""
    shipment = _shipment(value)
    if shipment is None:
        return value
    whole = m.evolve(
        shipment,
        carrier=account.carrier.code,
        account=account.alias,
        key=key,
        generation=generation,
        messages=shipment.messages + shortened,
    )
    if not isinstance(value, m.ReturnShipment):
        return labelled(whole)
    # A label that the carrier mails or brings along is no paper of ours.
    ours = value.kind in (m.ReturnLabelKind.PRINTED, m.ReturnLabelKind.QR, m.ReturnLabelKind.PAID_ON_USE)
    return m.evolve(value, shipment=labelled(whole) if ours else whole)


def _in_hand(value: Any) -> bool:
    shipment = _shipment(value)
    return in_hand(shipment) if shipment is not None else not linked(getattr(value, "documents", ()))


def _completed(value: Any, stack: Stack, key: str, booking: Any) -> Run[Any]:
    if _shipment(value) is None:
        return attrs.evolve(value, documents=(yield from fetched(value.documents, stack.context)))
    whole = yield from completed(_shipment(value), stack, key, getattr(booking, "label", None))
    return m.evolve(value, shipment=whole) if isinstance(value, m.ReturnShipment) else whole


def _undoer(carrier: Carrier, kind: Purchase[Any]) -> Callable[[Any], Flow[m.CancellationResult]] | None:
    if kind.undo is None or not able(carrier, kind.undo):
        return None

    def undo(value: Any) -> Flow[m.CancellationResult]:
        if isinstance(value, m.Pickup) and able(carrier, CancelsPickups):
            return carrier.cancel_pickup(m.PickupCancelRequest(confirmation=value.confirmation, window=value.window))
        shipment = _shipment(value)
        if shipment is None or not able(carrier, Cancels):
            raise NotSupportedError(f"{carrier.code} does not undo this")
        return carrier.cancel_shipment(
            m.CancelRequest(
                shipment_id=shipment.shipment_id,
                reference=shipment.reference,
                tracking_numbers=shipment.tracking_numbers,
            )
        )

    return undo


def _capable(account: Account, kind: Purchase[Any]) -> None:
    if not able(account.carrier, kind.capability):
        why = reason(account.carrier, kind.operation)
        raise NotSupportedError(f"{account.carrier.code} does not offer {kind.operation}: {why}")


def refuse_key(key: Any) -> None:
    """Raise for what cannot be a key."""
    text = ""
    if not isinstance(key, str) or not 1 <= len(key) <= _KEY_MAX or not key.isprintable():
        text = f"a key has 1 to {_KEY_MAX} printable characters"
    elif _OF_A_PIECE.fullmatch(key.rpartition("#")[2]) and "#" in key:
        text = "a key that ends like #1/2 is the ledger's own, of a piece"
    if text:
        raise InputError(problems=(m.Problem(path="/key", code=m.ProblemCode.MALFORMED, text=text),))
