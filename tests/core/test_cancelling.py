"""Cancelling under a stated policy, on both clients: what is surely too late is said without asking the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from shipkit import (
    AsyncClient,
    Client,
    ConflictError,
    InDoubtError,
    InputError,
    MemoryStore,
    NotSupportedError,
    RejectedError,
)
from shipkit.flow import Flow
from shipkit.model import (
    CancellationResult,
    CancelOutcome,
    CancelRequest,
    CarrierFacts,
    RefundMode,
    RefundState,
    VoidPolicy,
)
from shipkit.ports import Phase
from shipkit.simulator import Simulator
from shipkit.voids import CanCancel, VoidAnswer
from tests.core.acme import Acme, acme_facts, request

KEY = "order-1"


@attrs.frozen
class Policed(Acme):
    """Acme that states until when it cancels."""

    policy: VoidPolicy | None = None
    answers: CancelOutcome = CancelOutcome.VOIDED

    @classmethod
    def facts(cls) -> CarrierFacts:
        return attrs.evolve(acme_facts(), void=VoidPolicy(window_h=24, per_package=True))

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        if self.answers is CancelOutcome.VOIDED and not request.package_refs:
            return (yield from Acme.cancel_shipment(self, request))
        asked.append(request)
        return CancellationResult(outcome=self.answers, refund=RefundState.PENDING)


class Refunds(Policed):
    """Acme that gives money back on request only."""

    @classmethod
    def facts(cls) -> CarrierFacts:
        return attrs.evolve(acme_facts(), void=VoidPolicy(refund=RefundMode.ON_REQUEST, until_first_scan=True))


asked: list[CancelRequest] = []


@pytest.fixture(autouse=True)
def _nothing_asked() -> Iterator[None]:
    asked.clear()
    yield


@pytest.fixture(params=["threads", "asyncio"])
def perform(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """One call of either client, over a store that both share."""

    def done(accounts: Any, store: Any, name: str, *given: Any, **named: Any) -> Any:
        if request.param == "threads":
            with Client(accounts, store=store) as client:
                _late(client, store)
                return getattr(client, name)(*given, **named)

        async def main() -> Any:
            async with AsyncClient(accounts, store=store) as client:
                _late(client, store)
                return await getattr(client, name)(*given, **named)

        return asyncio.run(main())

    return done


def _late(client: Any, store: Any) -> None:
    """The host's clock is the store's."""
    client._desk.utc_now = store.now


def account(sim: Simulator, kind: type[Policed] = Policed, **more: Any) -> dict[str, Policed]:
    return {"acme-de": kind(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2", **more)}


def seen(sim: Simulator) -> int:
    return len(sim.requests())


def test_what_is_surely_too_late_is_said_without_a_request_and_the_booking_stands(
    sim: Simulator, perform: Callable[..., Any]
) -> None:
    ahead = [0.0]
    store = MemoryStore(clock=lambda: datetime.now(timezone.utc).timestamp() + ahead[0])
    accounts = account(sim)
    shipment = perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    open_: VoidAnswer = perform(accounts, store, "can_cancel", key=KEY)
    ahead[0] = 25 * 3600
    requests = seen(sim)

    late: VoidAnswer = perform(accounts, store, "can_cancel", key=KEY)
    result: CancellationResult = perform(accounts, store, "cancel_shipment", key=KEY)
    assert seen(sim) == requests
    assert (open_.answer, late.answer, late.code) == (CanCancel.YES, CanCancel.NO, "window_over")
    assert late.until == open_.until == shipment.created_at + timedelta(hours=24)
    assert (result.outcome, result.until) == (CancelOutcome.TOO_LATE, late.until)
    row = store.read(KEY)
    assert row is not None and (row.phase, row.void_wanted) == (Phase.SUCCEEDED, False)
    again = perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    assert again == shipment


def test_a_shipment_is_asked_about_without_its_row(sim: Simulator, perform: Callable[..., Any]) -> None:
    store, accounts = MemoryStore(), account(sim)
    shipment = perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    requests = seen(sim)
    for more in ({"account": "acme-de"}, {}):
        soon = perform(accounts, store, "can_cancel", shipment, now=shipment.created_at, **more)
        late = perform(accounts, store, "can_cancel", shipment, now=shipment.created_at + timedelta(days=2), **more)
        assert (soon.answer, late.answer) == (CanCancel.YES, CanCancel.NO)
    assert seen(sim) == requests
    for wrong in ({}, {"key": KEY, "account": "acme-de"}, {"key": "never-used"}):
        with pytest.raises(InputError):
            perform(accounts, store, "can_cancel", **wrong)


def test_the_row_says_what_a_cancellation_would_find(sim: Simulator, perform: Callable[..., Any]) -> None:
    store, accounts = MemoryStore(), account(sim)
    with pytest.raises(RejectedError):
        perform(accounts, store, "create_shipment", request("refuse"), account="acme-de", key="refused")
    assert perform(accounts, store, "can_cancel", key="refused").code == "not_booked"
    perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    perform(accounts, store, "cancel_shipment", key=KEY)
    assert perform(accounts, store, "can_cancel", key=KEY).code == "voided"
    sim.add_fault("drop_before", operation="create_shipment", times=1)
    with pytest.raises(InDoubtError):
        perform(accounts, store, "create_shipment", request(), account="acme-de", key="doubt")
    assert perform(accounts, store, "can_cancel", key="doubt").answer is CanCancel.UNKNOWN


def test_what_was_removed_or_lost_is_unknown_and_never_a_yes(
    sim: Simulator, perform: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, accounts = MemoryStore(), account(sim)
    perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    row = store.read(KEY)
    assert row is not None
    for found, code in (
        (attrs.evolve(row, purged_at=store.now(), result=None), "removed"),
        (attrs.evolve(row, phase=Phase.PLANNED, result=None), "in_doubt"),  # and its pieces went with a store
    ):
        monkeypatch.setattr(store, "read", lambda _, found=found: found)
        answer: VoidAnswer = perform(accounts, store, "can_cancel", key=KEY)
        assert (answer.answer, answer.code) == (CanCancel.UNKNOWN, code)


def test_a_refund_that_is_asked_for_ends_the_key_and_is_told_again(sim: Simulator, perform: Callable[..., Any]) -> None:
    store, accounts = MemoryStore(), account(sim, Refunds, answers=CancelOutcome.REQUESTED)
    perform(accounts, store, "create_shipment", request(), account="acme-de", key=KEY)
    question: VoidAnswer = perform(accounts, store, "can_cancel", key=KEY)
    assert (question.answer, question.code, question.refund) == (
        CanCancel.UNKNOWN,
        "scan_unknown",
        RefundMode.ON_REQUEST,
    )
    first = perform(accounts, store, "cancel_shipment", key=KEY)
    again = perform(accounts, store, "cancel_shipment", key=KEY)
    assert first == again
    assert (first.outcome, first.refund) == (CancelOutcome.REQUESTED, RefundState.PENDING)
    row = store.read(KEY)
    assert row is not None and row.phase is Phase.VOIDED
    assert len(asked) == 1


def test_one_package_is_undone_and_the_others_stay(sim: Simulator, perform: Callable[..., Any]) -> None:
    store, accounts = MemoryStore(), account(sim)
    shipment = perform(accounts, store, "create_shipment", request(packages=3), account="acme-de", key=KEY)
    result = perform(accounts, store, "cancel_shipment", key=KEY, package="box-2")

    assert result.outcome is CancelOutcome.VOIDED
    [sent] = asked
    assert sent.package_refs == ("box-2",)
    assert sent.tracking_numbers == (shipment.packages[1].tracking_number,)
    row = store.read(KEY)
    assert row is not None and row.phase is Phase.SUCCEEDED
    with pytest.raises(InputError, match="box-1, box-2, box-3"):
        perform(accounts, store, "cancel_shipment", key=KEY, package="box-9")


def test_where_single_packages_cannot_be_undone_that_is_said_and_nothing_is_sent(
    sim: Simulator, acme: Acme, perform: Callable[..., Any]
) -> None:
    store, accounts = MemoryStore(), {"acme-de": acme}
    perform(accounts, store, "create_shipment", request(packages=2), account="acme-de", key=KEY)
    perform(accounts, store, "create_shipment", request("SO2"), account="acme-de", key="single")
    requests = seen(sim)
    for key in (KEY, "single"):
        with pytest.raises(NotSupportedError):
            perform(accounts, store, "cancel_shipment", key=key, package="box-1")
    assert seen(sim) == requests
    perform(accounts, store, "cancel_shipment", key=KEY)
    with pytest.raises(ConflictError):
        perform(accounts, store, "cancel_shipment", key=KEY, package="box-1")
