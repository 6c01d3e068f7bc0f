"""The figures of a business, by carrier and lane."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from ...events.kpi import Figures
from ..orders.batch import OK
from .room import Room, rows

__all__ = ["figured", "figures_data"]

_COLUMNS: Final = (
    *("carrier", "lane", "booked", "refused", "success", "parcels", "delivered", "on_time", "exceptions"),
    *("hours_to_delivery", "lag", "own_share"),
)


def figured(room: Room, since: datetime | None, *, as_json: bool) -> int:
    """Write a row for each carrier and lane; as JSON with every milestone and reason."""
    found = room.client.events.figures(since)
    data = [figures_data(one) if as_json else _row(one) for one in found]
    rows(_COLUMNS, data, as_json=as_json, none="nothing was booked or followed in that time")
    return OK


def figures_data(figures: Figures) -> dict[str, Any]:
    """Everything that is counted, and the rates that follow."""
    data = {name: _plain(getattr(figures, name)) for name in attrs.fields_dict(Figures)}
    for name in ("booking_success", "exception_rate", "completion", "on_time_rate"):
        data[name] = _plain(getattr(figures, name))
    return data


def _plain(value: Any) -> Any:
    if attrs.has(type(value)) and not isinstance(value, (str, int, float)):
        return attrs.asdict(value)
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _row(figures: Figures) -> dict[str, str]:
    took = figures.hours_to.get("delivered")
    return {
        "carrier": figures.carrier,
        "lane": figures.lane or "-",
        "booked": str(figures.bookings.get("booked", 0)),
        "refused": str(figures.bookings.get("refused", 0)),
        "success": _share(figures.booking_success),
        "parcels": str(figures.parcels),
        "delivered": _share(figures.completion.get("delivered", 0.0) if figures.parcels else None),
        "on_time": _share(figures.on_time_rate),
        "exceptions": str(sum(figures.exceptions.values())),
        "hours_to_delivery": f"{took.median:.0f} (9 of 10: {took.p90:.0f})" if took is not None else "-",
        "lag": _took(figures.lag_s.median if figures.lag_s is not None else None),
        "own_share": _took(figures.processing_s.median if figures.processing_s is not None else None),
    }


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.0%}"


def _took(seconds: float | None) -> str:
    """In the unit that suits."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
