"""Many rows in one go: one statement with JSON on PostgreSQL, with their values on SQLite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
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
    """A table ``g`` made of `lists`, with the place of each row as ``place``.

    All comes as one JSON text, and what is bytes as slices of one long one: a driver writes an array element by
    element, with a regular expression for each, which costs more than what the server does with the rows.
    """
    told = ", ".join(
        f"{name}_from integer, {name}_for integer" if kind == "bytea" else f"{name} {kind}" for name, kind in types
    )
    taken = ", ".join(
        f"substring(o.b FROM r.{name}_from FOR r.{name}_for) AS {name}" if kind == "bytea" else f"r.{name}"
        for name, kind in types
    )
    rows = (
        f"ROWS FROM (json_to_recordset(CAST(:told AS json)) AS ({told})) WITH ORDINALITY AS r({_names(types)}, place)"
    )
    return f"(SELECT {taken}, r.place FROM (SELECT CAST(:bytes AS bytea) AS b) AS o, {rows}) AS g"


def _names(types: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}_from, {name}_for" if kind == "bytea" else name for name, kind in types)


def lists(types: Mapping[str, str], rows: Sequence[Row]) -> dict[str, Any]:
    """*rows* as `listed` takes them."""
    told: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    end = 1  # SQL counts bytes from 1
    for row in rows:
        one = {}
        for name, kind in types.items():
            value = row[name]
            if kind != "bytea":
                one[name] = value
            elif value is not None:
                one[f"{name}_from"], one[f"{name}_for"] = end, len(value)
                pieces.append(value)
                end += len(value)
        told.append(one)
    return {"told": json.dumps(told, default=datetime.isoformat), "bytes": b"".join(pieces)}
