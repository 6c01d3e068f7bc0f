"""Carrier simulators: loopback servers that speak a carrier's own dialect, keep its books, and misbehave on request.

``labels`` (a module of its own) draws the labels.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import labels as labels
    from .calls import BadCallError, Call, Headers, Reply
    from .clock import Clock
    from .dialect import Dialect, Push, Route, route
    from .engine import FAULT_HEADER, RequestRecord
    from .faults import FAULTS, Fault, FaultBox, FaultKind, load_faults
    from .journeys import JOURNEYS, Journey, Leg, Parcel, Place, Step, StepKind
    from .push_faults import PUSH_FAULTS, PushFault, PushFaultBox
    from .pushing import Attempt, Delivery
    from .records import (
        Billing,
        Booking,
        BookingState,
        Charge,
        Counts,
        InvoiceLine,
        ManifestRecord,
        NotInBooksError,
        PickupRecord,
        SimToken,
        Subscription,
    )
    from .simulator import Simulator
    from .triggering import TRIGGERS, Trigger
    from .world import World

__all__ = [
    "Attempt",
    "BadCallError",
    "Billing",
    "Booking",
    "BookingState",
    "Call",
    "Charge",
    "Clock",
    "Counts",
    "Delivery",
    "Dialect",
    "FAULTS",
    "FAULT_HEADER",
    "Fault",
    "FaultBox",
    "FaultKind",
    "Headers",
    "InvoiceLine",
    "JOURNEYS",
    "Journey",
    "Leg",
    "ManifestRecord",
    "NotInBooksError",
    "PUSH_FAULTS",
    "Parcel",
    "PickupRecord",
    "Place",
    "Push",
    "PushFault",
    "PushFaultBox",
    "Reply",
    "RequestRecord",
    "Route",
    "SimToken",
    "Simulator",
    "Step",
    "StepKind",
    "Subscription",
    "TRIGGERS",
    "Trigger",
    "World",
    "load_faults",
    "route",
]

_ROOMS = {
    "Attempt": ".pushing",
    "BadCallError": ".calls",
    "Billing": ".records",
    "Booking": ".records",
    "BookingState": ".records",
    "Call": ".calls",
    "Charge": ".records",
    "Clock": ".clock",
    "Counts": ".records",
    "Delivery": ".pushing",
    "Dialect": ".dialect",
    "FAULTS": ".faults",
    "FAULT_HEADER": ".engine",
    "Fault": ".faults",
    "FaultBox": ".faults",
    "FaultKind": ".faults",
    "Headers": ".calls",
    "InvoiceLine": ".records",
    "JOURNEYS": ".journeys",
    "Journey": ".journeys",
    "Leg": ".journeys",
    "ManifestRecord": ".records",
    "NotInBooksError": ".records",
    "PUSH_FAULTS": ".push_faults",
    "Parcel": ".journeys",
    "PickupRecord": ".records",
    "Place": ".journeys",
    "Push": ".dialect",
    "PushFault": ".push_faults",
    "PushFaultBox": ".push_faults",
    "Reply": ".calls",
    "RequestRecord": ".engine",
    "Route": ".dialect",
    "SimToken": ".records",
    "Simulator": ".simulator",
    "Step": ".journeys",
    "StepKind": ".journeys",
    "Subscription": ".records",
    "TRIGGERS": ".triggering",
    "Trigger": ".triggering",
    "World": ".world",
    "load_faults": ".faults",
    "route": ".dialect",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_ROOMS[name], __name__), name)
        globals()[name] = value
        return value
