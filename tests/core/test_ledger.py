"""What identifies an intention, what a file keeps, and one key under events in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shipkit.errors import StoreError
from shipkit.ledger import fingerprint, mark_of
from shipkit.ledger.booking import unpacked
from shipkit.ledger.identity import base_of
from shipkit.model import Shipment
from shipkit.ports import Entry, Phase
from shipkit.store import MemoryStore, SqliteStore
from shipkit.store.audit import EVENTS as EVENTS_TOLD
from shipkit.store.audit import broken_at
from shipkit.testing.store_events import apply
from shipkit.testing.store_values import SHIPMENT, WITH_LABEL, Hands, claim
from tests.core.acme import request


def test_what_is_stored_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = SqliteStore(path)
    entry = store.claim(claim())
    assert entry is not None
    store.book(entry, "B1", WITH_LABEL, True)
    salt = store.salt()
    store.close()

    again = SqliteStore(path)
    kept = again.read("order-1")
    assert kept is not None and unpacked(kept.result, Shipment) == WITH_LABEL
    assert again.salt() == salt
    assert path.stat().st_mode & 0o077 == 0, "labels bear addresses: only the owner reads them"
    again.close()


def test_a_store_that_fails_says_so_with_our_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "no" / "such" / "folder" / "ledger.db")
    store = SqliteStore(tmp_path / "ledger.db")
    store.close()
    with pytest.raises(StoreError):
        store.read("order-1")
    (tmp_path / "bad.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "bad.db")


@given(st.text(min_size=1, max_size=64), st.integers(1, 99), st.integers(1, 999))
def test_a_mark_fits_every_field_and_is_a_pure_function(key: str, generation: int, attempt: int) -> None:
    mark = mark_of(base_of("salt", key, generation), attempt)
    assert len(mark) <= 20
    assert set(mark) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert mark == mark_of(base_of("salt", key, generation), attempt)
    assert mark != mark_of(base_of("salt", key, generation + 1), attempt)
    assert mark != mark_of(base_of("other", key, generation), attempt)


def test_a_fingerprint_knows_what_was_asked_and_nothing_else() -> None:
    one = request()
    same = fingerprint("create_shipment", "acme-de", one)
    assert same == fingerprint("create_shipment", "acme-de", attrs.evolve(one, mark="X-1", metadata={"a": "b"}))
    assert same != fingerprint("create_shipment", "acme-fr", one)
    assert same != fingerprint("create_return", "acme-de", one)
    assert same != fingerprint("create_shipment", "acme-de", attrs.evolve(one, reference="SO043"))


ON_ONE_ROW = [
    "not_sent",
    "doubt",
    "refuse",
    "take_over",
    "absent",
    "needs_person",
    "want_void",
    "voided",
    "keep",
    "close",
    "resend",
    "restored",
]


class OneKey(RuleBasedStateMachine):
    """Events in any order: whatever happens, a booking is never lost and never replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Hands()
        self.store = self.make()
        self.booked: dict[int, str] = {}
        self.made = 0

    def make(self) -> Any:
        return MemoryStore(clock=self.clock)

    @property
    def row(self) -> Entry | None:
        return self.store.read("order-1")

    @rule()
    def claim(self) -> None:
        row = self.row
        if row is None:
            self.store.claim(claim())
        else:
            follows = row.phase in (Phase.VOIDED, Phase.CLOSED)
            attempt = 1 if follows else row.attempt + (row.phase is not Phase.NEW)
            self.store.claim(claim("order-1", attempt, row.generation + follows))

    @precondition(lambda self: self.row is not None)
    @rule(event=st.sampled_from(ON_ONE_ROW))
    def event(self, event: str) -> None:
        assert self.row is not None
        apply(event, self.store, self.row)

    @precondition(lambda self: self.row is not None)
    @rule()
    def book(self) -> None:
        assert self.row is not None
        self.made += 1
        if self.store.book(self.row, f"booking-{self.made}", SHIPMENT, True):
            assert self.row.generation not in self.booked, "the first one wins the row"
            self.booked[self.row.generation] = f"booking-{self.made}"

    @rule(seconds=st.sampled_from([1.0, 100.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.at += seconds

    @invariant()
    def every_booking_is_known(self) -> None:
        row = self.row
        strays = len(self.store.strays("order-1"))
        assert strays + len(self.booked) == self.made
        if row is not None and row.generation in self.booked:
            assert row.booking == self.booked[row.generation]
            assert row.phase in (Phase.SUCCEEDED, Phase.VOIDING, Phase.VOIDED)

    @invariant()
    def what_has_to_be_worked_with_is_due(self) -> None:
        row = self.row
        if row is not None and row.phase in (Phase.IN_DOUBT, Phase.VOIDING):
            assert any(due.generation == row.generation for due in self.store.due(10))
        if row is not None and row.phase is Phase.IN_FLIGHT:
            assert row.next_at == row.lease_until

    @invariant()
    def the_trail_is_whole(self) -> None:
        trail = self.store.history("order-1")
        assert broken_at(trail) is None
        assert {step.event for step in trail} <= set(EVENTS_TOLD)
        row = self.row
        if row is not None:
            mine = [step for step in trail if step.generation == row.generation and step.event != "stray"]
            assert (mine[-1].after, mine[-1].attempt, mine[-1].send) == (row.phase.value, row.attempt, row.send)

    @invariant()
    def an_identity_goes_out_no_oftener_than_allowed(self) -> None:
        resends = [step for step in self.store.history("order-1") if step.event == "resend"]
        assert all(step.send <= 3 for step in resends)


class OneDurableKey(OneKey):
    def make(self) -> Any:
        return SqliteStore(":memory:", clock=self.clock)

    def teardown(self) -> None:
        self.store.close()


TestOneKey = OneKey.TestCase
TestOneDurableKey = OneDurableKey.TestCase
