"""Opens a store that several processes share, by what a command line can say of it."""

from __future__ import annotations

from typing import Any

from shipkit import SqliteStore

__all__ = ["opened"]


def opened(place: str) -> Any:
    """The store in the file *place*, or in a schema of the tests' server where it is ``schema:`` and a name."""
    if place.startswith("schema:"):
        from shipkit.store import PostgresStore
        from tests.store.world import SERVER

        return PostgresStore(SERVER, schema=place.removeprefix("schema:"))
    return SqliteStore(place)
