"""The README and the pages under ``docs`` are tests: every Python block in them runs, against carriers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

# What the examples configure with invented credentials, and where it answers here.
SIMULATED = {"shipkit_ups": "Ups", "shipkit_easypost": "EasyPost"}


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to work in, and for each carrier of the examples a simulator that its accounts talk to."""
    from shipkit.simulator import Simulator

    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(folder)
        for package, name in SIMULATED.items():
            plugin = import_module(package)
            simulator = stack.enter_context(Simulator(plugin.shipkit_simulator()()))
            patch.setattr(plugin, name, partial(getattr(plugin, name), base_url=simulator.url), raising=False)
        yield folder


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/concepts/*.md"],
    fixtures=["stage"],
).pytest()
