"""The store of the guide for those who write one keeps to the contract."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from shipkit.store import MemoryLimits, MemoryTokens
from shipkit.testing import StoreContract
from tests.store.file_store import FileStore

Clock = Callable[[], float]


@pytest.mark.slow
class TestFileStore(StoreContract):
    orders = 3  # each event writes the whole file

    @pytest.fixture
    def places(self, tmp_path: Path) -> Callable[[], Callable[[Clock], FileStore]]:
        numbers = itertools.count(1)

        def place() -> Callable[[Clock], FileStore]:
            path, shared = tmp_path / f"{next(numbers)}.ledger", list[tuple[MemoryTokens, MemoryLimits]]()

            def opened(clock: Clock) -> FileStore:
                shared[:] = shared or [(MemoryTokens(clock), MemoryLimits(clock))]
                store = FileStore(path, clock=clock)
                store.tokens, store.limits = shared[0]
                return store

            return opened

        return place


def test_what_fails_within_a_transaction_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "x.ledger")
    before = (tmp_path / "x.ledger").read_bytes()
    with pytest.raises(RuntimeError), store.transaction():
        store._rows["k"] = []
        raise RuntimeError
    assert (tmp_path / "x.ledger").read_bytes() == before and store.read("k") is None
