"""UPS as a simulated carrier: its REST interface, its words, its refusals; nothing here is UPS's own.

What the published files and the recordings say is followed to the letter. Prices, hours and the numbers of refusals
that no recording shows are invented.
"""

from __future__ import annotations

from .address import AddressValidation
from .alerts import TrackAlert
from .locator import Locator
from .pickup import Pickups
from .rating import Rating
from .recovery import Recovery
from .shipping import Shipping
from .tracking import Tracking
from .transit import TimeInTransit

__all__ = ["UpsDialect"]


class UpsDialect(
    Rating,
    TimeInTransit,
    Shipping,
    Recovery,
    Tracking,
    Pickups,
    AddressValidation,
    Locator,
    TrackAlert,
):
    """UPS, all its interfaces in their current and their deprecated versions."""

    code = "ups"
