"""UPS's words for its Access Points, as tables, each with its source.

"Locator.yaml" is the file of github.com/UPS-API/api-documentation at e6f36df4da (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shipkit.model import ServicePointCapability, Weekday

__all__ = ["OFFERINGS", "WEEKDAYS"]

# Locator.yaml ServiceOffering.Code.
OFFERINGS: Final[Mapping[str, frozenset[ServicePointCapability]]] = {
    "001": frozenset({ServicePointCapability.COLLECT}),
    "004": frozenset({ServicePointCapability.COLLECT}),
    "005": frozenset({ServicePointCapability.COLLECT}),
    "006": frozenset({ServicePointCapability.DROP_OFF}),
    "007": frozenset({ServicePointCapability.COLLECT, ServicePointCapability.DROP_OFF}),
    "009": frozenset({ServicePointCapability.DROP_OFF}),
}
# Locator.yaml DayOfWeek.Day.
WEEKDAYS: Final[Mapping[str, Weekday]] = {
    "1": Weekday.SUNDAY,
    "2": Weekday.MONDAY,
    "3": Weekday.TUESDAY,
    "4": Weekday.WEDNESDAY,
    "5": Weekday.THURSDAY,
    "6": Weekday.FRIDAY,
    "7": Weekday.SATURDAY,
}
