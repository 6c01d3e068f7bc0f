"""EasyPost as a simulated carrier, for the framework in `shipkit.simulator`: its replies look like the recorded ones.

What no recording shows (SmartRate, webhooks, pushes) follows docs.easypost.com and npm @easypost/api 8.9.0.
"""

from __future__ import annotations

from .bookings import BookingRoutes
from .parcels import ParcelRoutes
from .places import PlaceRoutes

__all__ = ["EasyPostDialect"]


class EasyPostDialect(BookingRoutes, ParcelRoutes, PlaceRoutes):
    """The REST interface under ``/v2``; any key is an account of its own, and its prefix says whether it is a test."""
