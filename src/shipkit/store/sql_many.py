"""Many rows in one go: one statement with arrays on PostgreSQL, one after the other on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from .dialect import Dialect, Session

__all__ = ["change", "insert", "lists", "listed"]

Row = Mapping[str, Any]


def insert(
    session: Session, dialect: Dialect, table: str, types: Mapping[str, str], rows: Sequence[Row], more: str = ""
) -> None:
    """Write *rows* into *table*; *types* names the columns and what they hold, *more* is what a conflict means."""
    if not rows:
        return
    columns = ", ".join(types)
    if dialect.name == "sqlite":
        given = ", ".join(f":{name}" for name in types)
        statement = dialect.text(f"INSERT INTO {table} ({columns}) VALUES ({given}) {more}")
        for row in rows:
            session.tell(statement, dict(row))
        return
    statement = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {listed(tuple(types.items()))} {more}"
    session.tell(dialect.text(statement), lists(types, rows))


def change(
    session: Session, dialect: Dialect, table: str, key: str, types: Mapping[str, str], rows: Sequence[Row]
) -> None:
    """Write the columns of *types* in the rows of *table* that *key*, one of them, names."""
    if not rows:
        return
    names = [name for name in types if name != key]
    if dialect.name == "sqlite":
        sets = ", ".join(f"{name} = :{name}" for name in names)
        statement = dialect.text(f"UPDATE {table} SET {sets} WHERE {key} = :{key}")
        for row in rows:
            session.tell(statement, dict(row))
        return
    sets = ", ".join(f"{name} = g.{name}" for name in names)
    statement = f"UPDATE {table} AS t SET {sets} FROM {listed(tuple(types.items()))} WHERE t.{key} = g.{key}"
    session.tell(dialect.text(statement), lists(types, rows))


@cache
def listed(types: tuple[tuple[str, str], ...]) -> str:
    """A table ``g`` made of one array for each column, with the place of each row as ``place``."""
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in types)
    return f"unnest({arrays}) WITH ORDINALITY AS g({', '.join(name for name, _ in types)}, place)"


def lists(types: Mapping[str, str], rows: Sequence[Row]) -> dict[str, list[Any]]:
    """*rows* as the arrays of `listed`."""
    return {name: [row[name] for row in rows] for name in types}
