"""The hooks of shipkit, for plugins and for hosts; the names are those of pluggy's project ``shipkit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .carrier import Carrier
    from .ports import Observation

__all__ = ["PROJECT", "hookimpl", "shipkit_carriers", "shipkit_number_rules", "shipkit_observe", "shipkit_simulator"]

PROJECT = "shipkit"
_hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@_hookspec
def shipkit_carriers() -> list[type[Carrier]]:
    """The carrier classes of a plugin; import them inside, so that the plugin's package stays cheap to import."""
    raise NotImplementedError


@_hookspec
def shipkit_simulator() -> type[Any]:
    """The plugin's simulator dialect, a subclass of `shipkit.simulator.Dialect`."""
    raise NotImplementedError


@_hookspec
def shipkit_number_rules() -> list[Any]:
    """Further rules for `shipkit.numbers`, each a `shipkit.numbers.Rule`."""
    raise NotImplementedError


@_hookspec
def shipkit_observe(event: Observation) -> None:
    """Something happened in a client: a request was answered, a call ended, a breaker opened. Must not raise."""
