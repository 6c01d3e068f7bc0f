"""Every store of ours keeps to the contract of event stores that others' are held to."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from shipkit.testing import EventStoreContract
from shipkit.testing.event_store_values import EventPlaces
from tests.store.world import Worlds, need


class Ours(EventStoreContract):
    """The contract, over the places that the tests have for each kind of store."""

    kind: ClassVar[str]
    # Each call is a commit that reaches the disk; the long search is the full profile's.
    steps = None if os.environ.get("SHIPKIT_HYPOTHESIS") == "full" else 10

    @pytest.fixture
    def event_places(self, worlds: Worlds) -> EventPlaces:
        need(self.kind)
        return lambda: worlds.place(self.kind)


class TestMemory(Ours):
    kind = "memory"


@pytest.mark.slow
class TestSqlite(Ours):
    kind = "sqlite"


@pytest.mark.slow
class TestPostgres(Ours):
    kind = "postgres"
    events_in_a_race = 100


@pytest.mark.slow
class TestHost(Ours):
    """On psycopg2, at REPEATABLE READ, as Odoo has it."""

    kind = "host"


@pytest.mark.slow
class TestHostOfToday(Ours):
    """On psycopg 3, at READ COMMITTED."""

    kind = "host3"
