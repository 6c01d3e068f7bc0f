"""A store that somebody else might write: one file, which is locked, read, changed and written anew by every call."""

from __future__ import annotations

import fcntl
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any

from shipkit.errors import StoreError
from shipkit.ports import LedgerStore
from shipkit.store import MemoryStore

__all__ = ["FileStore"]


class FileStore(MemoryStore):
    """The ledger in the file at *path*, for a few orders a day on one machine.

    What an event does to a row `MemoryStore` knows, which applies `shipkit.store.rules`. What is left to this class is
    the transaction: nobody else reads or writes meanwhile, and the new file is on the disk before it takes the old
    one's place. Tokens and limits stay in this process: they may be lost, so each process has its own.
    """

    blocking = True

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock=clock)
        self._path, self._turn, self._inside = path, threading.RLock(), False
        with self.transaction():
            pass

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The contents of the file, for us alone; what is raised within leaves it as it was."""
        with self._turn:
            if self._inside:  # one event may be made of others
                yield
                return
            try:
                with self._path.with_suffix(".lock").open("ab") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    self._inside = True
                    before = self._read()
                    yield
                    after = pickle.dumps(self.contents)
                    if after != before:
                        self._write(after)
            except OSError as error:
                raise StoreError(f"the store {self._path} failed: {error}") from error
            finally:
                self._inside = False

    def _read(self) -> bytes:
        before = b""
        with suppress(FileNotFoundError):
            before = self._path.read_bytes()
            self.contents = pickle.loads(before)
        return before

    def _write(self, after: bytes) -> None:
        beside = self._path.with_suffix(".new")
        beside.touch(0o600)
        with beside.open("wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _in_transaction(event: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(event)
    def whole(self: FileStore, *given: Any, **named: Any) -> Any:
        with self.transaction():
            return event(self, *given, **named)

    return whole


for _name in vars(LedgerStore):
    if not _name.startswith("_") and _name not in ("blocking", "now"):
        setattr(FileStore, _name, _in_transaction(getattr(MemoryStore, _name)))
