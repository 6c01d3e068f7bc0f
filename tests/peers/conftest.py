"""Somebody else's client, in an environment of its own, run as a program of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipkit.registry import Registry
from shipkit.simulator import Simulator
from tests.benchmarks.environments import ROOT, environment
from tests.peers.table import PACKAGES

Peer = Callable[..., Any]


@pytest.fixture
def simulated() -> Iterator[Callable[[str], Simulator]]:
    """A running simulator of a carrier."""
    running: list[Simulator] = []

    def start(code: str) -> Simulator:
        simulator = Simulator(Registry().simulator(code)())
        simulator.start()
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.stop()


@pytest.fixture
def peer() -> Peer:
    """Runs a script with a peer's own Python; what it prints last is its answer, as JSON."""

    def run(name: str, script: str, *arguments: str) -> Any:
        python = environment(ROOT / "build" / "peers-env" / name, *PACKAGES[name])
        path = Path(__file__).with_name("scripts") / script
        done = subprocess.run(
            [str(python), str(path), *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run
