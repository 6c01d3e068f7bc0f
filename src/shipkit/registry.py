"""Finds plugins by their entry points, imports one when it is asked for, and keeps the broken ones with their error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import attrs
import pluggy

from . import hookspecs
from .carrier import PLUGIN_API, Carrier
from .errors import PluginError

__all__ = ["BrokenPlugin", "Plugin", "Registry"]

GROUP = "shipkit"
_ACCEPTED = (PLUGIN_API, PLUGIN_API - 1)  # the current interface and the one before


@attrs.frozen(kw_only=True)
class _Installed:
    name: str
    point: EntryPoint = attrs.field(repr=False, eq=False)

    @property
    def distribution(self) -> str:
        """The distribution that it came with; its metadata is read when somebody asks."""
        return self.point.dist.name if self.point.dist is not None else ""

    @property
    def version(self) -> str:
        """The version of that distribution."""
        return self.point.dist.version if self.point.dist is not None else ""


@attrs.frozen(kw_only=True)
class Plugin(_Installed):
    """A plugin that could be loaded: its name, the distribution it came with, and its module."""

    module: Any = attrs.field(repr=False, eq=False)
    carriers: tuple[type[Carrier], ...]


@attrs.frozen(kw_only=True)
class BrokenPlugin(_Installed):
    """A plugin that could not be loaded, and why; the others go on."""

    error: PluginError


class Registry:
    """The plugins of this environment, or exactly *carriers* in a test; reads names only until one is asked for.

    Nothing global: two registries know nothing of each other, and no import of ours changes the process.
    """

    def __init__(self, carriers: Iterable[type[Carrier]] | None = None) -> None:
        self._given = {carrier.code: carrier for carrier in carriers} if carriers is not None else None
        self._points: dict[str, list[EntryPoint]] | None = None
        self._loaded: dict[str, Plugin | BrokenPlugin] = {}

    def names(self) -> tuple[str, ...]:
        """The codes of all carriers there are, whether or not their plugins work."""
        return tuple(sorted(self._given if self._given is not None else self._found()))

    def carrier(self, code: str) -> type[Carrier]:
        """The carrier class of *code*, imported now.

        Raises:
            PluginError: there is none, or its plugin is broken; the original error is the cause.
        """
        if self._given is not None and code in self._given:
            return self._given[code]
        plugin = self.plugin(code)
        if isinstance(plugin, BrokenPlugin):
            raise plugin.error
        found = next((carrier for carrier in plugin.carriers if carrier.code == code), None)
        if found is None:
            raise PluginError(f"the plugin {code} offers no carrier of that code", plugin=code)
        return found

    def plugin(self, name: str) -> Plugin | BrokenPlugin:
        """The plugin under *name*, loaded inside a guard, once."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def plugins(self) -> tuple[Plugin | BrokenPlugin, ...]:
        """All of them, the broken ones with their errors; this imports every plugin."""
        return tuple(self.plugin(name) for name in sorted(self._found()))

    def simulator(self, name: str) -> type[Any]:
        """The simulator dialect of the plugin *name*.

        Raises:
            PluginError: the plugin is broken or has none.
        """
        plugin = self.plugin(name)
        if isinstance(plugin, BrokenPlugin):
            raise plugin.error
        dialect = self.hooks({name: plugin}).shipkit_simulator()
        if not dialect:
            raise PluginError(f"the plugin {name} has no simulator", plugin=name, plugin_version=plugin.version)
        found: type[Any] = dialect[0]
        return found

    def hooks(self, plugins: Mapping[str, Plugin]) -> Any:
        """pluggy's hook callers over *plugins*: each hook gives the list of what they answer."""
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        for name, plugin in plugins.items():
            manager.register(plugin.module, name)
        return manager.hook

    def _found(self) -> dict[str, list[EntryPoint]]:
        if self._points is None:
            points: dict[str, list[EntryPoint]] = {}
            for point in entry_points(group=GROUP):
                same = points.setdefault(point.name, [])
                if all(known.value != point.value for known in same):
                    same.append(point)
            self._points = points
        return self._points

    def _load(self, name: str) -> Plugin | BrokenPlugin:
        points = self._found().get(name, [])
        if not points:
            known = ", ".join(self.names()) or "none"
            raise PluginError(f"no plugin for {name} is installed; there are: {known}", plugin=name)
        if len(points) > 1:
            error = PluginError(f"{name} is claimed by {', '.join(p.value for p in points)}", plugin=name)
            return BrokenPlugin(name=name, point=points[0], error=error)
        try:
            module = points[0].load()
            api = getattr(module, "PLUGIN_API", None)
            if api not in _ACCEPTED:
                raise PluginError(f"it speaks plugin interface {api}, this core {_ACCEPTED[0]}")
            carriers = tuple(module.shipkit_carriers())
        except Exception as cause:  # whatever a stranger's module does when it is imported
            error = PluginError(f"the plugin {name} cannot be loaded: {type(cause).__name__}: {cause}", plugin=name)
            error.__cause__ = cause
            broken = BrokenPlugin(name=name, point=points[0], error=error)
            error.plugin_version = broken.version
            return broken
        return Plugin(name=name, point=points[0], module=module, carriers=carriers)
