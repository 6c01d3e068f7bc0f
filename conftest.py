"""The README and the pages under ``docs`` are tests: every Python block in them runs, against carriers on loopback."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.sybil import SybilCollection

# A page searches as its reader would; how busy the machine is says nothing about the page.
settings.register_profile("pages", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pages")

# What the README configures with invented credentials, and what answers in its place.
SIMULATED = {"shipkit_ups": "Ups", "shipkit_easypost": "EasyPost"}


class Stage:
    """Where the examples of one page run: a folder of their own and, for the README, carriers that answer here."""

    def __init__(self, *, simulated: dict[str, str]) -> None:
        self.simulated = simulated
        self.stack = ExitStack()

    def set_up(self, namespace: dict[str, Any]) -> None:
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(self.stack.enter_context(TemporaryDirectory()))
        for package, name in self.simulated.items():
            from shipkit.simulator import Simulator

            plugin = import_module(package)
            simulator = self.stack.enter_context(Simulator(plugin.shipkit_simulator()()))
            patch.setattr(plugin, name, partial(getattr(plugin, name), base_url=simulator.url), raising=False)

    def tear_down(self, namespace: dict[str, Any]) -> None:
        self.stack.close()


def pages(*patterns: str, simulated: dict[str, str]) -> Sybil:
    stage = Stage(simulated=simulated)
    parsers = [PythonCodeBlockParser(), SkipParser()]
    return Sybil(parsers=parsers, patterns=patterns, setup=stage.set_up, teardown=stage.tear_down)


pytest_collect_file = SybilCollection(
    [pages("README.md", simulated=SIMULATED), pages("docs/*.md", "docs/concepts/*.md", "docs/odoo/*.md", simulated={})]
).pytest()
