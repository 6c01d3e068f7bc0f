"""A simulated Acme, and clients that ship with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shipkit import Client
from shipkit.simulator import Simulator
from shipkit.store import SqliteStore
from tests.core.acme import Acme
from tests.simulator.acme import AcmeDialect


@pytest.fixture(autouse=True)
def _closed_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stores that a test makes are closed with it: CPython 3.13 warns of a connection that nobody closed."""
    made: list[SqliteStore] = []
    make = SqliteStore.__init__

    def noted(store: SqliteStore, *given: Any, **named: Any) -> None:
        made.append(store)
        make(store, *given, **named)

    monkeypatch.setattr(SqliteStore, "__init__", noted)
    yield
    for store in made:
        store.close()


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
