"""Many rows in one go: one statement with arrays on PostgreSQL, with their values on SQLite."""

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
        start = 0
        while start < len(rows):
            size = _size(len(rows) - start, len(types))
            names, given = _placed(tuple(types), size)
            values = [row[name] for row in rows[start : start + size] for name in types]
            statement = dialect.text(f"INSERT INTO {table} ({columns}) VALUES {given} {more}")
            session.tell(statement, dict(zip(names, values, strict=True)))
            start += size
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


def _size(left: int, columns: int) -> int:
    """How many rows go into one statement: a power of two, so that few statements differ and each is compiled once.

    For each statement Python hands the interpreter's lock over and waits to have it back: beside a busy thread that is
    what a row costs. SQLite takes 999 values in a statement, and more in later versions.
    """
    most = max(1, min(left, 900 // columns))
    return 1 << (most.bit_length() - 1)


@cache
def _placed(names: tuple[str, ...], size: int) -> tuple[tuple[str, ...], str]:
    """The names of the values of *size* rows, and these as SQL."""
    rows = [tuple(f"{name}_{row}" for name in names) for row in range(size)]
    return tuple(name for row in rows for name in row), ", ".join(
        f"({', '.join(f':{n}' for n in row)})" for row in rows
    )


@cache
def listed(types: tuple[tuple[str, str], ...]) -> str:
    """A table ``g`` made of one array for each column, with the place of each row as ``place``."""
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in types)
    return f"unnest({arrays}) WITH ORDINALITY AS g({', '.join(name for name, _ in types)}, place)"


def lists(types: Mapping[str, str], rows: Sequence[Row]) -> dict[str, list[Any]]:
    """*rows* as the arrays of `listed`."""
    return {name: [row[name] for row in rows] for name in types}
