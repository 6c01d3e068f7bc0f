"""Carrier simulators: loopback servers that speak a carrier's own dialect, keep its books, and misbehave on request."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .calls import BadCall, Call, Headers, Reply
    from .clock import Clock
    from .dialect import Dialect, Push, Route, route
    from .journeys import JOURNEYS, Journey, Leg, Parcel, Place, Step, StepKind
    from .world import (
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
        World,
    )

__all__ = [
    "JOURNEYS",
    "BadCall",
    "Booking",
    "BookingState",
    "Call",
    "Charge",
    "Clock",
    "Counts",
    "Dialect",
    "Headers",
    "InvoiceLine",
    "Journey",
    "Leg",
    "ManifestRecord",
    "Parcel",
    "PickupRecord",
    "Place",
    "Push",
    "Reply",
    "Route",
    "SimToken",
    "Step",
    "StepKind",
    "Subscription",
    "NotInBooksError",
    "World",
    "route",
]

_ROOMS = {
    "JOURNEYS": ".journeys",
    "BadCall": ".calls",
    "Booking": ".world",
    "BookingState": ".world",
    "Call": ".calls",
    "Charge": ".world",
    "Clock": ".clock",
    "Counts": ".world",
    "Dialect": ".dialect",
    "Headers": ".calls",
    "InvoiceLine": ".world",
    "Journey": ".journeys",
    "Leg": ".journeys",
    "ManifestRecord": ".world",
    "Parcel": ".journeys",
    "PickupRecord": ".world",
    "Place": ".journeys",
    "Push": ".dialect",
    "Reply": ".calls",
    "Route": ".dialect",
    "SimToken": ".world",
    "Step": ".journeys",
    "StepKind": ".journeys",
    "Subscription": ".world",
    "NotInBooksError": ".world",
    "World": ".world",
    "route": ".dialect",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_ROOMS[name], __name__), name)
        globals()[name] = value
        return value
