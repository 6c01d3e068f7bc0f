"""DPD France for shipkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipkit.hookspecs import hookimpl

if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

    from .carrier import DpdFrance

__all__ = ["PLUGIN_API", "DpdFrance", "shipkit_carriers", "shipkit_simulator"]

PLUGIN_API = 1


@hookimpl
def shipkit_carriers() -> list[type[Carrier]]:
    """DPD France's EPrint web service."""
    from .carrier import DpdFrance

    return [DpdFrance]


@hookimpl
def shipkit_simulator() -> type[Dialect]:
    """The same service on loopback."""
    from .simulator import DpdFrDialect

    return DpdFrDialect


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "DpdFrance":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .carrier import DpdFrance

        return DpdFrance
