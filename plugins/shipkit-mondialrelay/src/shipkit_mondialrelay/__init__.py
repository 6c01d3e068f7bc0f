"""Mondial Relay for shipkit: bookings, labels, returns, tracing and Points Relais over its SOAP service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipkit.hookspecs import hookimpl

if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

    from .carrier import MondialRelay

__all__ = ["PLUGIN_API", "MondialRelay", "shipkit_carriers", "shipkit_simulator"]

PLUGIN_API = 1


@hookimpl
def shipkit_carriers() -> list[type[Carrier]]:
    """The carriers of this plugin."""
    from .carrier import MondialRelay

    return [MondialRelay]


@hookimpl
def shipkit_simulator() -> type[Dialect]:
    """A carrier that answers on loopback as Mondial Relay does."""
    from .simulator import MondialRelayDialect

    return MondialRelayDialect


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "MondialRelay":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .carrier import MondialRelay

        return MondialRelay
