"""What a client does, in numbers: OpenTelemetry's spans and metrics, or Prometheus' text without any of it.

Each is an observer: ``Client(accounts, observers=[Prometheus()])``. Names and attributes are those of `table`; values
come from closed sets, never from a request, an answer or an address.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .otel import OpenTelemetry
    from .prometheus import Prometheus
    from .table import ATTRIBUTES, INSTRUMENTS, Attribute, Instrument

__all__ = ["ATTRIBUTES", "INSTRUMENTS", "Attribute", "Instrument", "OpenTelemetry", "Prometheus"]

_ROOMS = {
    "ATTRIBUTES": ".table",
    "Attribute": ".table",
    "INSTRUMENTS": ".table",
    "Instrument": ".table",
    "OpenTelemetry": ".otel",
    "Prometheus": ".prometheus",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_ROOMS[name], __name__), name)
