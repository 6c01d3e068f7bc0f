"""What must not happen to a call: a wrong blame, a foreign error, a lost cancellation, a key that nobody can end."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client
from shipkit.errors import (
    ConflictError,
    InDoubtError,
    InputError,
    NotSupportedError,
    OutcomeUnknownError,
    PluginError,
    ReachedCarrier,
    RejectedError,
    ShipkitError,
    StoreError,
)
from shipkit.flow import Flow, Request, Token, drive
from shipkit.model import CancellationResult, CancelRequest, RateQuote, RateRequest, Shipment, ShipmentRequest
from shipkit.policy import Limit, stack
from shipkit.settings import Settings
from shipkit.simulator import Simulator
from shipkit.store import MemoryLimits, MemoryStore, MemoryTokens, SqliteStore
from tests.core.acme import Acme, request
from tests.core.script import LOOK, START, World, context, reply
from tests.core.test_client import Later
from tests.core.test_policy import ACME, PLAIN, failed

# Apart from where they are raised: a traceback shows lines of source.
PERSON = "Jo Receiver"
SENTENCE = "JO RECEIVER, 2 Home Street?"


def in_doubt(sim: Simulator, client: Client) -> None:
    sim.add_fault("drop_before", operation="create_shipment", times=1)
    with pytest.raises(InDoubtError):
        client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)


def test_a_recovery_leaves_the_rows_of_other_namespaces_alone(sim: Simulator, acme: Acme) -> None:
    # Their account of the same name is another one: asked there, "not found" would prove nothing.
    later = Later()
    store = MemoryStore(clock=later)
    with Client({"acme-de": acme}, store=store, settings=Settings(namespace="shop")) as shop:
        in_doubt(sim, shop)
        later.offset = 2000
        with Client({"acme-de": acme}, store=store, settings=Settings(namespace="depot")) as depot:
            assert depot.recover() == ()
        assert [key for key, _ in shop.recover()] == ["order-1"]


def test_a_doubt_is_not_looked_up_at_another_carrier_under_the_same_alias(sim: Simulator, acme: Acme) -> None:
    class Other(Acme):
        code = "other"

    later = Later()
    store = MemoryStore(clock=later)
    with Client({"acme-de": acme}, store=store) as client:
        in_doubt(sim, client)
    later.offset = 2000
    other = Other(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": other}, store=store) as client:
        with pytest.raises(ConflictError):
            client.create_shipment(request(), account="acme-de", key="order-1")
        ((key, done),) = client.recover()
        assert key == "order-1" and isinstance(done.error, InputError)
        with pytest.raises(InputError):
            client.cancel_shipment(key="order-1")


def test_a_row_that_cannot_be_worked_with_is_told_and_the_others_go_on(
    sim: Simulator, acme: Acme, tmp_path: Any
) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    with Client({"acme-de": acme}, store=store) as client:
        for key in ("a", "b", "c", "d"):
            sim.add_fault("find_lags", operation="create_shipment", times=1, lag_s=60)
            sim.add_fault("drop_after_commit", operation="create_shipment", times=1)
            with pytest.raises(InDoubtError):
                client.create_shipment(request(), account="acme-de", key=key, deadline_s=5)
        sim.advance(120)
        with store.home.writing() as session:
            session.tell("UPDATE shipkit_ledger SET operation = 'teleport' WHERE key = 'a'", {})
            session.tell("UPDATE shipkit_ledger SET request = x'7b' WHERE key = 'b'", {})
            session.tell("UPDATE shipkit_ledger SET account = 'gone' WHERE key = 'c'", {})
        done = dict(client.recover())
        with pytest.raises(StoreError):
            client.cancel_shipment(key="a")

    assert isinstance(done["a"].error, StoreError)
    assert isinstance(done["b"].error, StoreError)
    assert isinstance(done["c"].error, InputError)
    assert isinstance(done["d"].value, Shipment)


def test_a_cancellation_that_no_plugin_can_carry_out_does_not_hold_the_key(sim: Simulator, acme: Acme) -> None:
    class Unable(Acme):
        def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
            raise NotSupportedError("this kind is not undone")

    unable = Unable(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": unable}) as client:
        client.create_shipment(request(), account="acme-de", key="order-1")
        with pytest.raises(NotSupportedError):
            client.cancel_shipment(key="order-1")
        assert client.create_shipment(request(), account="acme-de", key="order-1").documents


class Foreign(Acme):
    """Breaks in every way that a plugin can."""

    def rates(self, request: RateRequest) -> Flow[tuple[RateQuote, ...]]:
        raise KeyError(PERSON)

    def sign(self, request: Request) -> Request:
        raise KeyError(PERSON)

    def authorize(self, request: Request, token: Token) -> Request:
        raise KeyError(PERSON)


def test_whatever_a_plugin_raises_is_our_error_and_tells_no_value(sim: Simulator, acme: Acme) -> None:
    foreign = Foreign(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": foreign}) as client:
        error = client.rates(request()).errors["acme-de"]
        assert isinstance(error, PluginError)
        with pytest.raises(PluginError) as caught:
            client.create_shipment(request(), account="acme-de", key="order-1")
        (outcome,) = client.track("1Z", account="acme-de")
    assert isinstance(outcome.error, PluginError)
    for each in (error, caught.value, outcome.error):
        assert PERSON not in "".join(traceback.format_exception(each))
    assert sim.bookings() == ()


@pytest.mark.parametrize("answer", [(), None, 7, "text"])
def test_a_plugin_that_returns_no_flow_is_said_to_be_broken(answer: Any) -> None:
    with pytest.raises(PluginError):
        World().run(drive(answer, stack(PLAIN, context()).send))


def test_a_carriers_sentence_is_masked_in_every_error_of_the_chain(sim: Simulator, acme: Acme) -> None:
    class Telling(Acme):
        def check(self, response: Any) -> None:
            if response.request.name == "create_shipment":
                raise RejectedError.of(response, carrier_code="Z9", carrier_message=SENTENCE)

        def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
            yield Request.get(f"{self._url}/token", name="find_shipments", signed=False)
            return ()

    telling = Telling(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": telling}) as client, pytest.raises(InDoubtError) as caught:
        client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
    told = "".join(traceback.format_exception(caught.value)).lower()
    assert "jo receiver" not in told and "home street" not in told


def test_a_login_without_an_answer_says_nothing_of_a_booking(sim: Simulator, acme: Acme) -> None:
    sim.add_fault("drop_before", operation="token", times=9)
    with Client({"acme-de": acme}) as client, pytest.raises(ShipkitError) as caught:
        client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert caught.value.reached_carrier is ReachedCarrier.NO


class Full(MemoryStore):
    def __init__(self, at: str) -> None:
        super().__init__()

        def fail(*_: Any) -> Any:
            raise StoreError("disk full")

        setattr(self, at, fail)


@pytest.mark.parametrize(
    ("at", "fault", "reached"),
    [
        ("read", "", ReachedCarrier.NO),
        ("salt", "", ReachedCarrier.NO),
        ("claim", "", ReachedCarrier.NO),
        ("book", "", ReachedCarrier.YES),
        ("doubt", "drop_after_commit", ReachedCarrier.MAYBE),
    ],
)
def test_a_store_that_fails_says_whether_the_carrier_was_reached(
    sim: Simulator, acme: Acme, at: str, fault: str, reached: ReachedCarrier
) -> None:
    if fault:
        sim.add_fault(fault, operation="create_shipment", times=1)
    with Client({"acme-de": acme}, store=Full(at)) as client, pytest.raises(StoreError) as caught:
        client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=2)
    assert caught.value.reached_carrier is reached
    assert (len(sim.bookings()) == 0) is (reached is ReachedCarrier.NO)
    assert (caught.value.shipment is not None) is (at == "book")


def test_a_cancelled_task_ends_cancelled_whatever_the_call_ended_with(sim: Simulator, acme: Acme) -> None:
    class Slow(MemoryStore):
        blocking = True
        entered = threading.Event()

        def read(self, key: str) -> Any:
            self.entered.set()
            time.sleep(0.3)
            raise StoreError("disk full")

    async def ship() -> None:
        store = Slow()
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            task = asyncio.create_task(client.create_shipment(request(), account="acme-de", key="order-1"))
            while not store.entered.is_set():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(ship())


# A loop that ended with connections open cannot close them any more, and Python says so.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_client_on_one_loop_after_another_ships(sim: Simulator, acme: Acme) -> None:
    client = AsyncClient({"acme-de": acme})
    for key in ("a", "b", "c"):
        asyncio.run(client.create_shipment(request(), account="acme-de", key=key))
        gc.collect()
    asyncio.run(client.close())
    gc.collect()
    assert len(sim.bookings()) == 3


def test_many_accounts_have_one_deadline(sim: Simulator, acme: Acme) -> None:
    sim.add_fault("slow", operation="rates", times=400, after_s=3)
    began = time.monotonic()
    with Client({f"acme-{n}": acme for n in range(200)}) as client:
        answer = client.rates(request(), deadline_s=1)
    assert len(answer.errors) == 200
    assert time.monotonic() - began < 5


def test_an_answer_closes_the_breaker_whatever_it_says() -> None:
    state = context().state
    for _ in range(2):
        failed(World(*[reply(503)] * 3), LOOK, state=state, until=60.0)
    world = World(reply(200, b'{"error": {"code": "A9", "text": "no"}}'), reply(), reply())
    world.at = 100.0
    refused = attrs.evolve(context(state=state), until=200.0)
    with pytest.raises(RejectedError):
        world.run(stack(ACME, refused).send(LOOK))
    world.run(stack(ACME, refused).send(LOOK))


def test_a_limit_is_kept_among_threads_and_no_place_is_taken_that_comes_too_late() -> None:
    limits, limit = MemoryLimits(lambda: 0.0), Limit.of(20, 60.0)
    waits: list[float] = []

    def reserve(within_s: float) -> float:
        return limits.reserve("acme-de/rates", limit.step_s, limit.slack_s, within_s)

    def take() -> None:
        waits.extend(reserve(100_000.0) for _ in range(300))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({round(wait_s, 6) for wait_s in waits}) == 1200 - 9, "a burst of ten, then one after the other"
    late = reserve(1.0)
    assert reserve(1.0) == late > 1.0


def test_a_token_that_lives_shorter_than_the_margin_is_still_shared() -> None:
    from datetime import timedelta

    tokens = MemoryTokens(lambda: START.timestamp())
    short = Token(value="t", expires_at=START + timedelta(seconds=40))
    tokens.put("acme-de", "me", short)
    assert tokens.get("acme-de", 60.0) == short
