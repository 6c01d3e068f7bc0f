"""The kinds of things that are bought: what is asked, what comes back, how it is told apart and undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from .. import model as m
from ..carrier import BooksPickups, Cancels, CancelsPickups, Insures, Manifests, Refunds, Returns, Ships, Subscribes
from ..errors import StoreError
from ..model.base import Value
from ..ports import Entry

__all__ = [
    "BOOK_PICKUP",
    "CLOSE_MANIFEST",
    "CREATE_RETURN",
    "CREATE_SHIPMENT",
    "INSURE",
    "REFUND",
    "SUBSCRIBE",
    "Purchase",
    "kind_of",
]

V = TypeVar("V", bound=Value)


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


def kind_of(entry: Entry) -> Purchase[Any]:
    """The kind that *entry* stands for.

    Raises:
        StoreError: a newer version of the library wrote it.
    """
    kind = _KINDS.get(entry.operation)
    if kind is None:
        raise StoreError(f"{entry.key} stands for {entry.operation}, which this version does not know", key=entry.key)
    return kind
