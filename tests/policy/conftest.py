"""Stores that several processes share: a file, and a schema of its own on a server where one answers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.world import admin, need


@pytest.fixture(params=["sqlite", "postgres"])
def shared_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where such a store lies, as text that a process can be given."""
    if request.param == "sqlite":
        yield str(tmp_path / "shared.db")
        return
    need("postgres")
    schema = f"shipkit_policy_{secrets.token_hex(6)}"
    yield f"schema:{schema}"
    with admin() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
