"""What a consumer has seen: the same announcement may come twice, and is acted on once."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Any, Protocol

from .consuming import Published

__all__ = ["Inbox", "MemoryInbox", "SqlInbox"]


class Inbox(Protocol):
    """Remembers CloudEvents by source and id."""

    def first(self, event: Published) -> bool:
        """Remember *event*; False where it was there already."""
        ...


class MemoryInbox:
    """The last *limit* events, in this process: for consumers whose effect may be repeated after a restart."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def first(self, event: Published) -> bool:
        """Remember *event*; False where it was there already."""
        name = event.source, event.id
        with self._lock:
            if name in self._seen:
                self._seen.move_to_end(name)
                return False
            self._seen[name] = None
            if len(self._seen) > self._limit:
                self._seen.popitem(last=False)
            return True


class SqlInbox:
    """A table in the consumer's own database, written in the consumer's own transaction.

    *cursor* is a DB-API cursor of that transaction: what the event caused and the note that it was seen are committed
    together, or not at all. SQLite and PostgreSQL; *mark* is the driver's placeholder, ``%s`` or ``?``.
    """

    def __init__(self, cursor: Any, *, mark: str = "%s", table: str = "shipkit_inbox") -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", table) or mark not in ("%s", "?"):
            raise ValueError("a table's name is letters, digits, _ and .; the mark is %s or ?")
        self._cursor, self._mark, self._table = cursor, mark, table

    def create(self) -> None:
        """Make the table, where it is not there yet."""
        self._cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (source TEXT NOT NULL, id TEXT NOT NULL,"
            " seen_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (source, id))"
        )

    def first(self, event: Published) -> bool:
        """Note *event*; False where it is there already.

        Another transaction that notes it at this moment is waited for.
        """
        self._cursor.execute(
            f"INSERT INTO {self._table} (source, id) VALUES ({self._mark}, {self._mark}) ON CONFLICT DO NOTHING",
            (event.source, event.id),
        )
        return bool(self._cursor.rowcount == 1)

    def purge(self, days: int) -> int:
        """Forget what was seen more than *days* ago; longer than any broker or relay may hold something back."""
        if self._mark == "?":
            old, age = "datetime('now', ?)", f"-{days} days"
        else:
            old, age = "CURRENT_TIMESTAMP - CAST(%s AS INTERVAL)", f"{days} days"
        self._cursor.execute(f"DELETE FROM {self._table} WHERE seen_at < {old}", (age,))
        return int(self._cursor.rowcount)
