"""The tables of a store on a PostgreSQL server: made, or brought up to date, by one process at a time."""

from __future__ import annotations

from typing import Any, Final

from ..errors import StoreError
from . import tables
from .dialect import Home, Session
from .tries import done

__all__ = ["migrate", "quoted"]

_SCHEMA: Final = "SELECT 1 FROM pg_namespace WHERE nspname = %(name)s"
_LOCK: Final = "SELECT pg_advisory_xact_lock(7447541)"  # any number, the same for everybody
_THERE: Final = "SELECT to_regclass('shipkit_meta')"
_MADE: Final = "CREATE TABLE IF NOT EXISTS shipkit_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
_VERSION: Final = "SELECT value FROM shipkit_meta WHERE name = 'schema'"
_REACHED: Final = """INSERT INTO shipkit_meta (name, value) VALUES ('schema', %(version)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


def migrate(home: Home, schema: str = "") -> None:
    """Bring the tables to this version, in *schema* where one is named; it is made where it is missing.

    Raises:
        StoreError: they were made by a newer one, or cannot be made.
    """
    with home.reading() as session:
        if _version(session) == len(tables.POSTGRES):
            return
    done(home, lambda session: _stepped(session, schema), held=True)


def _stepped(session: Session, schema: str) -> None:
    session.ask(_LOCK, {})
    if schema and not session.ask(_SCHEMA, {"name": schema}):
        session.tell(f"CREATE SCHEMA {quoted(schema)}", {})
    reached = _version(session)
    session.tell(_MADE, {})
    for number, script in enumerate(tables.POSTGRES[reached:], reached + 1):
        for statement in script.split(";"):
            session.tell(statement, {})
        session.tell(_REACHED, {"version": str(number)})


def quoted(name: str) -> str:
    """*name* as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _version(session: Session) -> int:
    found: list[Any] = session.ask(_VERSION, {}) if session.ask(_THERE, {})[0][0] is not None else []
    reached = int(found[0][0]) if found else 0
    if reached > len(tables.POSTGRES):
        raise StoreError(f"the store was made by a newer shipkit (schema {reached})")
    return reached
