"""Every store of ours keeps to the contract that others' stores are held to."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from shipkit.testing import StoreContract
from shipkit.testing.store_values import Places
from tests.store.world import Worlds, need


class Ours(StoreContract):
    """The contract, over the places that the tests have for each kind of store."""

    kind: ClassVar[str]
    # Each event is a commit that reaches the disk; the long search is the full profile's.
    orders = None if os.environ.get("SHIPKIT_HYPOTHESIS") == "full" else 15

    @pytest.fixture
    def places(self, worlds: Worlds) -> Places:
        need(self.kind)
        return lambda: worlds.place(self.kind)


class TestMemory(Ours):
    kind = "memory"
    orders = None


@pytest.mark.slow
class TestSqlite(Ours):
    kind = "sqlite"


@pytest.mark.slow
class TestPostgres(Ours):
    kind = "postgres"
    keys_in_a_race = 500


@pytest.mark.slow
class TestHost(Ours):
    kind = "host"
