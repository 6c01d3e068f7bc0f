"""A simulated Acme, and clients that ship with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shipkit import Client
from shipkit.simulator import Simulator
from tests.core.acme import Acme
from tests.simulator.acme import AcmeDialect


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(AcmeDialect()) as running:
        yield running


@pytest.fixture
def acme(sim: Simulator) -> Acme:
    return Acme(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")


@pytest.fixture
def client(acme: Acme) -> Iterator[Client]:
    with Client({"acme-de": acme}) as running:
        yield running
