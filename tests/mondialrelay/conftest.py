"""Mondial Relay on loopback, and an account of the public test contract that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import attrs
import pytest

from shipkit import Client
from shipkit.simulator import Clock, Simulator, World
from shipkit_mondialrelay import MondialRelay
from shipkit_mondialrelay.simulator import MondialRelayDialect
from tests.mondialrelay.samples import MR

# Half an hour before the clocks in Paris show 8:00.
START = datetime(2026, 11, 24, 6, 30, tzinfo=timezone.utc)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Its time stands still at START."""
    with Simulator(MondialRelayDialect(World(Clock(START)))) as running:
        yield running


@pytest.fixture
def account(sim: Simulator) -> MondialRelay:
    return attrs.evolve(MR, base_url=sim.url)


@pytest.fixture
def client(account: MondialRelay) -> Iterator[Client]:
    with Client({"mr": account}) as running:
        yield running
