"""The operations that cost money or move goods: each is an intent under the host's key, carried out by the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from .. import model as m
from ..carrier import (
    BooksPickups,
    Cancels,
    CancelsPickups,
    Carrier,
    FindsShipments,
    Insures,
    Manifests,
    Refunds,
    Returns,
    Ships,
    Subscribes,
    able,
)
from ..constraints import notices
from ..errors import ConflictError, InDoubtError, InputError, NotSupportedError, StoreError
from ..flow import Done, Flow, Run, call, now
from ..ledger import Intent, booked, cancelled, fingerprint, recovered
from ..ledger.booking import finished, unpacked
from ..model.base import Value
from ..policy import Stack
from ..ports import Entry, Phase
from .accounts import Account
from .desk import Desk, reason, refuse_other, together
from .papers import completed, fetched, in_hand, labelled, linked

__all__ = [
    "BOOK_PICKUP",
    "CLOSE_MANIFEST",
    "CREATE_RETURN",
    "CREATE_SHIPMENT",
    "INSURE",
    "REFUND",
    "SUBSCRIBE",
    "Purchase",
    "cancel",
    "close_key",
    "intent_of",
    "purchase",
    "recover",
    "recovered_row",
    "refuse_key",
]

V = TypeVar("V", bound=Value)
_KEY_MAX = 64


@attrs.frozen(kw_only=True)
class Purchase(Generic[V]):
    """One kind of thing that is bought: what is asked, what comes back, how it is told apart and undone.

    The types of the model go by name, so that a client that never asks for a pickup never loads pickups.
    """

    operation: str
    capability: type[Any]
    request: str
    result: str
    booking: Callable[[Any], str]
    undo: type[Any] | None = None
    finds: bool = False

    @property
    def request_type(self) -> type[Value]:
        """The class of the request."""
        found: type[Value] = getattr(m, self.request)
        return found

    @property
    def result_type(self) -> type[V]:
        """The class of the answer."""
        found: type[V] = getattr(m, self.result)
        return found


def _return_id(answer: m.ReturnShipment) -> str:
    return answer.shipment.shipment_id if answer.shipment is not None else answer.authorization or "return"


CREATE_SHIPMENT: Purchase[m.Shipment] = Purchase(
    operation="create_shipment",
    capability=Ships,
    request="ShipmentRequest",
    result="Shipment",
    booking=lambda shipment: shipment.shipment_id,
    undo=Cancels,
    finds=True,
)
CREATE_RETURN: Purchase[m.ReturnShipment] = Purchase(
    operation="create_return",
    capability=Returns,
    request="ReturnRequest",
    result="ReturnShipment",
    booking=_return_id,
    undo=Cancels,
    finds=True,
)
BOOK_PICKUP: Purchase[m.Pickup] = Purchase(
    operation="book_pickup",
    capability=BooksPickups,
    request="PickupRequest",
    result="Pickup",
    booking=lambda pickup: pickup.confirmation,
    undo=CancelsPickups,
)
CLOSE_MANIFEST: Purchase[m.Manifest] = Purchase(
    operation="close_manifest",
    capability=Manifests,
    request="ManifestRequest",
    result="Manifest",
    booking=lambda manifest: manifest.manifest_id,
)
INSURE: Purchase[m.InsurancePolicy] = Purchase(
    operation="insure",
    capability=Insures,
    request="InsuranceRequest",
    result="InsurancePolicy",
    booking=lambda policy: policy.policy_id,
)
REFUND: Purchase[m.CancellationResult] = Purchase(
    operation="refund",
    capability=Refunds,
    request="RefundRequest",
    result="CancellationResult",
    booking=lambda result: result.outcome.value,
)
SUBSCRIBE: Purchase[m.Subscription] = Purchase(
    operation="subscribe",
    capability=Subscribes,
    request="SubscriptionRequest",
    result="Subscription",
    booking=lambda subscription: subscription.subscription_id or subscription.state.value,
)
_KINDS: dict[str, Purchase[Any]] = {
    kind.operation: kind
    for kind in (CREATE_SHIPMENT, CREATE_RETURN, BOOK_PICKUP, CLOSE_MANIFEST, INSURE, REFUND, SUBSCRIBE)
}


def purchase(
    desk: Desk,
    kind: Purchase[V],
    request: Value,
    alias: str,
    key: str,
    deadline_s: float | None,
    *,
    bulk: bool = False,
) -> Run[V]:
    """Buy *request* at the account, once under *key*; with *bulk* it yields to single calls."""
    account = desk.account(alias)

    def asked(stack: Stack) -> Run[V]:
        refuse_key(key)
        intent = intent_of(desk, account, kind, request, desk.full_key(key), stack)
        return (yield from booked(intent, desk.store.ledger, stack))

    return desk.calling(account, kind.operation, deadline_s, request, asked, bulk=bulk)


def intent_of(desk: Desk, account: Account, kind: Purchase[V], request: Any, full_key: str, stack: Stack) -> Intent[V]:
    """What *request* at the account comes to under the key.

    Raises:
        InputError, NotSupportedError: the account cannot be asked for it.
    """
    _capable(account, kind)
    refuse_other(request, kind.request_type)
    ready = desk.ready(account, request)
    mark = fingerprint(kind.operation, account.alias, request)
    return _intent(desk, account, kind, ready, full_key, mark, stack)


def cancel(desk: Desk, key: str, deadline_s: float | None) -> Run[m.CancellationResult]:
    """Undo what was bought under *key*, whatever it is."""
    full_key = desk.full_key(key)
    entry = yield from desk.read(full_key)
    account, kind = desk.account_of(entry), _kind_of(entry)
    operation = "cancel_pickup" if kind.undo is CancelsPickups else "cancel_shipment"
    if kind.undo is None or not able(account.carrier, kind.undo):
        raise NotSupportedError(
            f"{account.carrier.code} does not undo a {entry.operation}: {reason(account.carrier, operation)}"
        )

    def asked(stack: Stack) -> Run[m.CancellationResult]:
        intent = _stored(desk, account, entry, stack)
        return (yield from cancelled(intent, lambda value: _undo(account, value), desk.store.ledger, stack))

    request = unpacked(entry.request, kind.request_type)
    return (yield from desk.calling(account, operation, deadline_s, request, asked))


def close_key(desk: Desk, key: str) -> Run[None]:
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
    closed = yield from call(ledger.close_key, full_key)
    if closed is None or closed.phase is not Phase.CLOSED:
        text = f"{key} is {entry.phase.value}: it ends by itself, or by cancelling it"
        raise ConflictError(text, key=key, generation=entry.generation)


def recover(desk: Desk, limit: int, deadline_s: float | None) -> Run[tuple[tuple[str, Done], ...]]:
    """Finish what can be finished: doubts are looked up, labels fetched, wishes to cancel carried out."""
    seconds = deadline_s if deadline_s is not None else desk.settings.deadline_s
    until = (yield from now()) + seconds
    entries = yield from call(desk.store.ledger.open, limit)
    ours = [(key, entry) for entry in entries if (key := desk.own_key(entry.key)) is not None]
    done = yield from together(
        tuple(_recovery(desk, entry, seconds, until) for _, entry in ours), desk.settings.list_concurrency
    )
    return tuple(zip((key for key, _ in ours), done, strict=True))


def _recovery(desk: Desk, entry: Entry, deadline_s: float, until: float) -> Run[Any]:
    account = desk.account_of(entry)
    request = unpacked(entry.request, _kind_of(entry).request_type)

    def asked(stack: Stack) -> Run[Any]:
        return (yield from recovered_row(desk, account, entry, stack))

    return (yield from desk.calling(account, entry.operation, deadline_s, request, asked, until=until))


def _kind_of(entry: Entry) -> Purchase[Any]:
    kind = _KINDS.get(entry.operation)
    if kind is None:
        raise StoreError(f"{entry.key} stands for {entry.operation}, which this version does not know", key=entry.key)
    return kind


def recovered_row(desk: Desk, account: Account, entry: Entry, stack: Stack) -> Run[Any]:
    """What *entry* comes to; None when nothing was booked, or its worker is alive."""
    intent, ledger = _stored(desk, account, entry, stack), desk.store.ledger
    if entry.phase is Phase.SUCCEEDED:
        return (yield from finished(intent, ledger, entry))
    if entry.phase is Phase.IN_FLIGHT:
        taken = yield from call(ledger.take_over, entry)
        if taken is None:
            return None  # its worker is alive
        entry = taken
    if entry.phase is Phase.IN_DOUBT:
        found = yield from recovered(intent, ledger, stack, entry)
        if found is None:
            return None  # nothing was booked: the host may ask again
        entry = found
    if entry.phase is Phase.VOIDING:
        return (yield from cancelled(intent, lambda value: _undo(account, value), ledger, stack))
    return (yield from finished(intent, ledger, entry))


def _intent(
    desk: Desk, account: Account, kind: Purchase[V], request: Any, key: str, mark: str, stack: Stack
) -> Intent[V]:
    carrier = account.carrier
    own = desk.own_key(key) or key

    def start(identity: str) -> Flow[Any]:
        flow: Flow[Any] = getattr(carrier, kind.operation)(_marked(request, identity))
        return flow

    return Intent(
        key=key,
        operation=kind.operation,
        account=account.alias,
        carrier=carrier.code,
        fingerprint=mark,
        request=request,
        shape=kind.result_type,
        start=start,
        find=_finder(carrier, kind, request),
        booking_of=kind.booking,
        live=lambda value: _shipment(value) is None or _shipment(value).state is not m.BookingState.VOIDED,
        pieces_of=_pieces,
        pieces=_asked_pieces(request),
        complete=lambda value: _completed(value, stack, own, getattr(request, "shipment", request)),
        in_hand=_in_hand,
        stamped=lambda value, generation: _stamped(value, account, own, generation, notices(request, account.facts)),
        recovery=account.facts.recovery,
    )


def _stored(desk: Desk, account: Account, entry: Entry, stack: Stack) -> Intent[Any]:
    """The intent of a row, in a process that never saw the host's request."""
    kind = _kind_of(entry)
    request = unpacked(entry.request, kind.request_type)
    return _intent(desk, account, kind, request, entry.key, entry.fingerprint, stack)


def _finder(carrier: Carrier, kind: Purchase[Any], request: Any) -> Callable[[str], Flow[tuple[Any, ...]]] | None:
    if not kind.finds or not able(carrier, FindsShipments):
        return None
    booking = getattr(request, "shipment", request)

    def find(identity: str) -> Flow[tuple[Any, ...]]:
        hits = yield from carrier.find_shipments(m.evolve(booking, mark=identity))
        if kind.result == "ReturnShipment":
            return tuple(_way_back(request, hit) for hit in hits)
        return hits

    return find


def _way_back(request: m.ReturnRequest, hit: m.Shipment) -> m.ReturnShipment:
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


def _stamped(value: Any, account: Account, key: str, generation: int, shortened: tuple[m.Message, ...]) -> Any:
    shipment = _shipment(value)
    if shipment is None:
        return value
    stamped = m.evolve(
        shipment,
        carrier=account.carrier.code,
        account=account.alias,
        key=key,
        generation=generation,
        messages=shipment.messages + shortened,
    )
    if not isinstance(value, m.ReturnShipment):
        return labelled(stamped)
    # A label that the carrier mails or brings along is no paper of ours.
    ours = value.kind in (m.ReturnLabelKind.PRINTED, m.ReturnLabelKind.QR, m.ReturnLabelKind.PAID_ON_USE)
    return m.evolve(value, shipment=labelled(stamped) if ours else stamped)


def _in_hand(value: Any) -> bool:
    shipment = _shipment(value)
    return in_hand(shipment) if shipment is not None else not linked(getattr(value, "documents", ()))


def _completed(value: Any, stack: Stack, key: str, booking: Any) -> Run[Any]:
    if _shipment(value) is None:
        return attrs.evolve(value, documents=(yield from fetched(value.documents, stack.context)))
    whole = yield from completed(_shipment(value), stack, key, getattr(booking, "label", None))
    return m.evolve(value, shipment=whole) if isinstance(value, m.ReturnShipment) else whole


def _undo(account: Account, value: Any) -> Flow[m.CancellationResult]:
    carrier = account.carrier
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


def _capable(account: Account, kind: Purchase[Any]) -> None:
    if not able(account.carrier, kind.capability):
        why = reason(account.carrier, kind.operation)
        raise NotSupportedError(f"{account.carrier.code} does not offer {kind.operation}: {why}")


def refuse_key(key: Any) -> None:
    """Raise for what cannot be a key."""
    if not isinstance(key, str) or not 1 <= len(key) <= _KEY_MAX or not key.isprintable():
        text = f"a key has 1 to {_KEY_MAX} printable characters"
        raise InputError(problems=(m.Problem(path="/key", code=m.ProblemCode.MALFORMED, text=text),))
