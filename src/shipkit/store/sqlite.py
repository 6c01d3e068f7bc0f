"""A store in one SQLite file: the embedded default."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .sql_store import SqlStore
from .sqlite_home import MEMORY, SqliteHome

__all__ = ["SqliteStore"]


class SqliteStore(SqlStore):
    """A store in the file at *path*, shared by threads and by processes of one machine.

    Commits to the ledger are durable (WAL, ``synchronous=FULL``), so keep it on a local disk. The file holds names and
    labels: it is made readable for its owner only. One connection serves all threads of a process, and none crosses a
    fork. No call waits for others longer than *wait_s*.

    Raises:
        StoreError: the file cannot be opened, read or written, or was in use all that time.
    """

    def __init__(self, path: str | Path, *, wait_s: float = 5, clock: Callable[[], float] = time.time) -> None:
        self.path = str(path)
        home = SqliteHome(self.path, wait_s=wait_s)
        if self.path == MEMORY:
            super().__init__(home, clock)
        else:
            # Tokens and limits must not wait for the disk as a claim does.
            super().__init__(home, clock, SqliteHome(self.path, wait_s=wait_s, durable=False))
        with home.reading():
            pass
