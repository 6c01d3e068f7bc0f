"""EasyPost for shipkit: the aggregator's REST interface.

Importing this package loads neither the carrier class nor the simulator; ``from shipkit_easypost import EasyPost`` and
the hooks do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipkit.hookspecs import hookimpl

if TYPE_CHECKING:
    from shipkit.carrier import Carrier
    from shipkit.simulator import Dialect

    from .carrier import EasyPost

__all__ = ["PLUGIN_API", "EasyPost", "shipkit_carriers", "shipkit_simulator"]

PLUGIN_API = 1


@hookimpl
def shipkit_carriers() -> list[type[Carrier]]:
    """The one carrier of this plugin."""
    from .carrier import EasyPost

    return [EasyPost]


@hookimpl
def shipkit_simulator() -> type[Dialect]:
    """EasyPost's dialect for the simulator."""
    from .simulator import EasyPostDialect

    return EasyPostDialect


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "EasyPost":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .carrier import EasyPost

        return EasyPost
