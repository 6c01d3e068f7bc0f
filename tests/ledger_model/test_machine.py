"""Book, lose the answer, retry, cancel, ship anew, crash, recover, in any order, against the simulated carriers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest
from hypothesis import Phase as Phases
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shipkit import AsyncClient, Client, MemoryStore, Settings, ShipkitError, Shipment, SqliteStore
from shipkit.client.transport import SyncTransport
from shipkit.client.transport_async import AsyncTransport
from shipkit.ledger.intent import unpacked
from shipkit.ports import Entry, Phase
from shipkit.simulator import Simulator
from shipkit.testing import no_waiting
from tests.faults import carriers
from tests.faults.times import Times
from tests.ledger_model.bugs import BUGS
from tests.ledger_model.mortal import MOMENTS, KilledError, Life, MortalStore, MortalTasks, MortalTransport
from tests.ledger_model.planting import planted

pytestmark = pytest.mark.campaign

_EXAMPLES = {"quick": 3, "dev": 5, "ci": 8, "full": 250}
_SETTINGS = Settings(attempts=2)
_KEYS = ("ORDER-1", "ORDER-2")

# Each within what the plugins' facts say that a carrier takes until a booking shows.
_FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop_before", {}),
    ("drop_after_commit", {"reset": True}),
    ("drop_after_commit", {}),
    ("commit_late", {"after_s": 30.0}),
    ("commit_late", {"after_s": 600.0}),
    ("find_lags", {"lag_s": 60.0}),
    ("find_lags", {"lag_s": 800.0}),
    ("500", {"when": "before"}),
    ("500", {"when": "after"}),
    ("503", {"when": "after", "retry_after_s": 0}),
    ("429", {"retry_after_s": 0}),
    ("200_with_error", {"when": "before"}),
    ("200_with_error", {"when": "after"}),
    ("empty_body", {}),
    ("truncated", {"framing": "cut"}),
    ("html_page", {}),
    ("token_revoked", {}),
)
# What each carrier calls it in its own words.
_UNDOES = {"ups": "cancel_shipment", "easypost": "cancel_shipment", "dpd_fr": "TerminateShipment"}
_LATE = {"commit_late", "find_lags"}


class Workers(RuleBasedStateMachine):
    """Calls of a host, one after the other, by workers that may die in them."""

    code: ClassVar[str]
    sim: ClassVar[Simulator]
    times: ClassVar[Times]  # of the simulator too, so it goes on when another example begins

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.sim.reset()
        self.stack.enter_context(self.times.of_hosts())
        self.stack.enter_context(no_waiting())
        self.handed: dict[tuple[str, int], set[str]] = {}
        self.asked: set[str] = set()

    @initialize(durable=st.booleans(), tasks=st.booleans())
    def begin(self, durable: bool, tasks: bool) -> None:
        """Which store, and which of the two clients."""
        self.store: Any = SqliteStore(":memory:", clock=self.times) if durable else MemoryStore(clock=self.times)
        self.stack.callback(self.store.close)
        self.tasks = tasks

    # What happens

    @rule(key=st.sampled_from(_KEYS), fault=st.none() | st.sampled_from(_FAULTS), on=st.sampled_from(("purchase", "*")))
    def book(self, key: str, fault: tuple[str, dict[str, Any]] | None, on: str) -> None:
        """The first call, a retry, or shipping anew: the host does not know which."""
        if fault is not None:
            name, params = fault
            self.sim.add_fault(name, operation="purchase" if name in _LATE else on, times=1, **params)
        self._book(key, Life())
        self.sim.faults.clear()

    @rule(key=st.sampled_from(_KEYS), moment=st.sampled_from(MOMENTS), fault=st.booleans())
    def die_booking(self, key: str, moment: str, fault: bool) -> None:
        """A worker dies in the middle of it."""
        if fault:
            self.sim.add_fault("drop_after_commit", operation="purchase")
        self._book(key, Life(moment))
        self.sim.faults.clear()

    @precondition(lambda self: self.asked and carriers.cancels(self.code))
    @rule(moment=st.none() | st.sampled_from(MOMENTS), lost=st.booleans(), which=st.integers(0, 1))
    def cancel(self, moment: str | None, lost: bool, which: int) -> None:
        """A wish, whose answer may be lost, by a worker that may die."""
        key = sorted(self.asked)[which % len(self.asked)]
        if lost:
            self.sim.add_fault("drop_after_commit", operation=_UNDOES[self.code])
        self._call(lambda client: client.cancel_shipment(key=key, deadline_s=3), Life(moment or ""))
        self.sim.faults.clear()

    @rule(moment=st.none() | st.sampled_from(MOMENTS))
    def recover(self, moment: str | None) -> None:
        """The sweep."""
        self._recover(Life(moment or ""))

    @rule(seconds=st.sampled_from((1, 75, 400, 1_000, 4_000)))
    def wait(self, seconds: int) -> None:
        """Time passes for everybody."""
        self.times.advance(self.sim, seconds)

    # What must stay true

    @invariant()
    def never_are_two_bookings_live(self) -> None:
        for key in self.asked:
            live = self._live(key)
            assert len(live) <= 1, f"{key}: {[booking.id for booking in live]}"

    @invariant()
    def nothing_is_sent_while_another_request_of_the_key_is_open_there(self) -> None:
        counts = self.sim.counts("reference")
        assert not [key for key in self.asked if key in counts and counts[key].overlapping]

    @invariant()
    def one_label_is_handed_out_and_the_ledger_holds_it(self) -> None:
        for (key, generation), labels in self.handed.items():
            assert len(labels) == 1, f"{key}: {labels}"
            row = self.store.ledger.read(key)
            if row is not None and row.generation == generation:
                assert row.booking in labels

    @invariant()
    def what_the_ledger_says_is_booked_has_its_label(self) -> None:
        for key in self.asked:
            row = self.store.ledger.read(key)
            if row is not None and row.phase is Phase.SUCCEEDED and row.complete:
                assert self._labelled(row)

    def teardown(self) -> None:
        try:
            if hasattr(self, "store"):
                self._ends()
        finally:
            self.stack.close()

    def _ends(self) -> None:
        """Everybody asks again until all is at an end, and then the books agree."""
        for _ in range(6):
            self.times.advance(self.sim, 4_000)
            self._recover(Life())
            for key in self.asked:
                row = self.store.ledger.read(key)
                if row is not None and row.void_wanted:
                    self._call(lambda client, key=key: client.cancel_shipment(key=key), Life())
                elif row is None or row.phase not in (Phase.VOIDED, Phase.CLOSED):
                    self._book(key, Life())
        for key in self.asked:
            self._agrees(key)

    def _agrees(self, key: str) -> None:
        row, live = self.store.ledger.read(key), self._live(key)
        assert row is not None
        if row.phase is Phase.NEEDS_PERSON:
            assert not (live and carriers.recovers(self.code)), f"{key} is with a person, and can be found"
            return
        assert row.phase in (Phase.SUCCEEDED, Phase.VOIDED), f"{key} stays {row.phase.value}: {row.error}"
        assert len(live) == (row.phase is Phase.SUCCEEDED), f"{key} is {row.phase.value}: {live}"
        assert not live or self._labelled(row)
        assert not self.store.ledger.strays(key)

    # How it is done

    def _book(self, key: str, life: Life) -> None:
        self.asked.add(key)
        order = carriers.order(self.code, key)
        found = self._call(lambda client: client.create_shipment(order, account=self.code, key=key, deadline_s=3), life)
        if isinstance(found, Shipment):
            self._hold(key, found)

    def _recover(self, life: Life) -> None:
        found = self._call(lambda client: client.recover(deadline_s=10), life)
        for key, done in found or ():
            if isinstance(done.value, Shipment):
                self._hold(key, done.value)

    def _hold(self, key: str, shipment: Shipment) -> None:
        assert shipment.documents and all(document.content for document in shipment.documents)
        self.handed.setdefault((key, shipment.generation or 0), set()).add(shipment.shipment_id)

    def _call(self, ask: Callable[[Any], Any], life: Life) -> Any:
        """What *ask* gives, or None: refused, in doubt, or its worker is dead."""
        try:
            return self._by_tasks(ask, life) if self.tasks else self._by_threads(ask, life)
        except (ShipkitError, KilledError):
            return None

    def _by_threads(self, ask: Callable[[Any], Any], life: Life) -> Any:
        with Client(self._accounts(), store=self._mortal(life), settings=_SETTINGS) as client:
            client._transport = MortalTransport(SyncTransport(_SETTINGS), life)  # type: ignore[assignment]
            client._transport_pid = os.getpid()
            return ask(client)

    def _by_tasks(self, ask: Callable[[Any], Any], life: Life) -> Any:
        async def run() -> Any:
            async with AsyncClient(self._accounts(), store=self._mortal(life), settings=_SETTINGS) as client:
                client._transport = MortalTasks(AsyncTransport(_SETTINGS), life)  # type: ignore[assignment]
                return await ask(client)

        return asyncio.run(run())

    def _accounts(self) -> dict[str, Any]:
        return {self.code: carriers.account(self.code, self.sim.url)}

    def _mortal(self, life: Life) -> Any:
        return MortalStore(self.store, life)

    def _live(self, key: str) -> list[Any]:
        return [booking for booking in self.sim.bookings() if booking.live and booking.reference == key]

    def _labelled(self, row: Entry) -> bool:
        documents = unpacked(row.result, Shipment).documents
        return bool(documents) and all(document.content for document in documents)


def _machine(code: str) -> type[Workers]:
    return type(f"Workers_{code}", (Workers,), {"code": code, "times": Times()})


def _run(code: str, *, examples: int, phases: Sequence[Phases] = tuple(Phases)) -> None:
    machine = _machine(code)
    chosen = hypothesis_settings(
        max_examples=examples, stateful_step_count=20, phases=phases, report_multiple_bugs=False
    )
    with carriers.simulator(code) as machine.sim:
        run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.slow
@pytest.mark.parametrize("code", carriers.CODES)
def test_one_intent_is_one_booking_with_its_label_whatever_a_host_does_in_whatever_order(code: str) -> None:
    _run(code, examples=_EXAMPLES.get(os.environ.get("SHIPKIT_HYPOTHESIS", "dev"), 5))


@pytest.mark.slow
@pytest.mark.parametrize("number", ["9", "10"])
def test_a_seeded_bug_does_not_get_past_it(number: str) -> None:
    bug = next(bug for bug in BUGS if bug.number == number)
    with planted(*bug.patches), pytest.raises(AssertionError):
        _run("easypost", examples=60, phases=(Phases.generate,))
