"""DPD France for shipkit: its EPrint SOAP service."""

from __future__ import annotations

from typing import Any, Final

from shipkit.hookspecs import hookimpl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

    from .carrier import DpdFrance

__all__ = ["PLUGIN_API", "DpdFrance", "shipkit_carriers", "shipkit_simulator"]

PLUGIN_API: Final = 1


@hookimpl
def shipkit_carriers() -> list[type[Carrier]]:
    """The carrier of this plugin."""
    from .carrier import DpdFrance

    return [DpdFrance]


@hookimpl
def shipkit_simulator() -> type[Dialect]:
    """DPD France's side of the conversation, for the loopback simulator."""
    from .simulator import DpdFrDialect

    return DpdFrDialect


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "DpdFrance":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .carrier import DpdFrance

        globals()[name] = DpdFrance
        return DpdFrance
