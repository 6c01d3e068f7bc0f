"""DPD France for shipkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipkit.hookspecs import hookimpl

if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

__all__ = ["PLUGIN_API"]

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
