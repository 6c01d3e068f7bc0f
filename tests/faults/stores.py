"""The stores that several processes share: a file, or a schema of a PostgreSQL server where there is one."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from functools import cache
from typing import Any

from shipkit import SqliteStore

__all__ = ["POSTGRES", "dropped", "opened", "fresh_schema", "postgres_there"]

#: Where a PostgreSQL server may be found; nothing is run on it where none answers.
POSTGRES = os.environ.get("SHIPKIT_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


def opened(spec: dict[str, str], **more: Any) -> Any:
    """The store that *spec* names."""
    if spec["kind"] == "sqlite":
        return SqliteStore(spec["path"], **more)
    from shipkit.store import PostgresStore

    return PostgresStore(spec["url"], schema=spec["schema"], **more)


def fresh_schema() -> dict[str, str]:
    """A schema of the server that nobody else uses; its tables are made when it is opened."""
    return {"kind": "postgres", "url": POSTGRES, "schema": f"faults_{secrets.token_hex(6)}"}


@cache
def postgres_there() -> str:
    """Why nothing can be run on PostgreSQL; empty where it can."""
    try:
        import psycopg

        from shipkit.store import PostgresStore  # noqa: F401
    except ImportError as missing:
        return f"{missing}"
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.Error as absent:
        return f"no server answers: {type(absent).__name__}"
    return ""


def dropped(spec: dict[str, str]) -> None:
    """Take the campaign's schema away again."""
    if spec["kind"] == "postgres":
        import psycopg

        with suppress(psycopg.Error), psycopg.connect(spec["url"], autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{spec["schema"]}" CASCADE')
