"""The carriers that are installed."""

from __future__ import annotations

import json as jsons
import sys
from typing import Any

from ...model import CarrierFacts, Operation
from ...registry import BrokenPlugin, Plugin, Registry
from .arguments import AsJson

__all__ = ["described", "plugins"]


def plugins(*, json: AsJson = False) -> int:
    """The carriers that are installed, and what each of them offers.

    yes; no: the carrier's interface has none; emulated: from other calls; not yet: the carrier has it, the plugin not.
    """
    found = Registry().plugins()
    if json:
        sys.stdout.write(jsons.dumps([described(plugin) for plugin in found], ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(_shown(found))
    return 1 if any(isinstance(plugin, BrokenPlugin) for plugin in found) else 0


def described(plugin: Plugin | BrokenPlugin) -> dict[str, Any]:
    """One plugin as JSON data; a broken one with its error."""
    out: dict[str, Any] = {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
    }
    if isinstance(plugin, BrokenPlugin):
        return {**out, "error": str(plugin.error)}
    return {**out, "carriers": [_carrier(carrier.facts()) for carrier in plugin.carriers]}


def _carrier(facts: CarrierFacts) -> dict[str, Any]:
    operations = {}
    for operation, about in facts.operations.items():
        note = {"note": about.note} if about.note else {}
        operations[str(operation)] = {"support": str(about.support), **note}
    return {"code": facts.code, "name": facts.name, "interface": facts.interface, "operations": operations}


def _shown(found: tuple[Plugin | BrokenPlugin, ...]) -> str:
    if not found:
        return "no plugin is installed\n"
    from ..orders.table import aligned

    whole = [plugin for plugin in found if isinstance(plugin, Plugin)]
    facts = [carrier.facts() for plugin in whole for carrier in plugin.carriers]
    heads = [{"plugin": p.name, "distribution": p.distribution, "version": p.version} for p in whole]
    text = aligned(("plugin", "distribution", "version"), heads)
    if facts:
        text += "\n" + aligned(("operation", *(one.code for one in facts)), [_line(each, facts) for each in Operation])
    for plugin in found:
        if isinstance(plugin, BrokenPlugin):
            text += f"\nbroken: {plugin.name} ({plugin.distribution} {plugin.version}): {plugin.error}\n"
    return text


def _line(operation: Operation, facts: list[CarrierFacts]) -> dict[str, str]:
    cells = {"operation": str(operation)}
    for one in facts:
        about = one.operations.get(operation)
        cells[one.code] = str(about.support).replace("_", " ") if about is not None else ""
    return cells
