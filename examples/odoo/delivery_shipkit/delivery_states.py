"""Where a parcel is, in the seven words that reports on OCA's ``delivery_state`` know. Nothing of Odoo in it."""

from __future__ import annotations

from typing import Final

from shipkit.events.reasons import facts_of
from shipkit.model import Milestone, Reason, Severity

DELIVERY_STATES: Final = [
    ("shipping_recorded_in_carrier", "Shipping recorded in carrier"),
    ("in_transit", "In transit"),
    ("canceled_shipment", "Canceled shipment"),
    ("incident", "Incident"),
    ("customer_delivered", "Customer delivered"),
    ("warehouse_delivered", "Warehouse delivered"),
    ("no_update", "No more updates from carrier"),
]

_BY_MILESTONE: Final = {
    Milestone.UNKNOWN: "shipping_recorded_in_carrier",
    Milestone.ANNOUNCED: "shipping_recorded_in_carrier",
    Milestone.ACCEPTED: "in_transit",
    Milestone.IN_TRANSIT: "in_transit",
    Milestone.OUT_FOR_DELIVERY: "in_transit",
    Milestone.DELIVERY_ATTEMPTED: "incident",
    Milestone.READY_FOR_PICKUP: "warehouse_delivered",
    Milestone.DELIVERED: "customer_delivered",
    Milestone.RETURNING: "incident",
    Milestone.RETURNED: "incident",
    Milestone.LOST: "incident",
    Milestone.DESTROYED: "incident",
    Milestone.CANCELLED: "canceled_shipment",
}
_NO_MORE: Final = (Reason.TRACKING_EXPIRED, Reason.TRACKING_UNAVAILABLE)
_AT_A_POINT: Final = (Reason.DELIVERED_TO_PICKUP_POINT,)
_NOT_AS_IT_SHOULD: Final = (Reason.DELIVERED_PARTIAL, Reason.DELIVERED_DAMAGED)


def delivery_state(milestone: Milestone, reason: Reason | None) -> str:
    """The one word for *milestone* and *reason*.

    A goal that was reached stays reached, unless less or something broken came. Before it, what somebody must deal with
    (an error, not a mere delay) is an incident.
    """
    known = _BY_MILESTONE[milestone]
    if reason is None or milestone in (Milestone.CANCELLED, Milestone.RETURNED, Milestone.LOST, Milestone.DESTROYED):
        return known
    if milestone is Milestone.DELIVERED:
        return "incident" if reason in _NOT_AS_IT_SHOULD else "warehouse_delivered" if reason in _AT_A_POINT else known
    if reason in _NO_MORE:
        return "no_update"
    return "incident" if facts_of(reason).severity is Severity.ERROR else known
