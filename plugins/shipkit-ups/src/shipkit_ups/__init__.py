"""UPS for shipkit: REST with OAuth2 client credentials."""

from __future__ import annotations

from typing import Any, Final

from shipkit.hookspecs import hookimpl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

    from .carrier import Ups

__all__ = ["PLUGIN_API", "Ups", "shipkit_carriers", "shipkit_simulator"]

PLUGIN_API: Final = 1


@hookimpl
def shipkit_carriers() -> list[type[Carrier]]:
    """The carrier of this plugin."""
    from .carrier import Ups

    return [Ups]


@hookimpl
def shipkit_simulator() -> type[Dialect]:
    """UPS's side of the conversation, for the loopback simulator."""
    from .simulator import UpsDialect

    return UpsDialect


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "Ups":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .carrier import Ups

        globals()[name] = Ups
        return Ups
