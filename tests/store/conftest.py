"""Stores of every kind; those on a server are skipped, with the reason, where none answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipkit.testing.store_values import Hands
from tests.store.world import DURABLE, KINDS, Worlds, dropped, need, no_server


@pytest.fixture(scope="session", autouse=True)
def _schemas() -> Iterator[None]:
    yield
    if not no_server():
        dropped()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of store."""
    need(request.param)
    return str(request.param)


@pytest.fixture(params=DURABLE)
def durable(request: pytest.FixtureRequest) -> str:
    """Every kind that outlives the process."""
    need(request.param)
    return str(request.param)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    made = Worlds(tmp_path)
    yield made
    made.close()
