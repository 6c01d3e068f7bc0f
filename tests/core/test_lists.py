"""A list of any length: one outcome for each order, on both clients, whatever goes wrong with some of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import AsyncClient, Client, ConflictError, MemoryStore, Settings, SqliteStore
from shipkit.client.base import with_service
from shipkit.client.lists import Order, Progress, Shipped, Work, shipped_in_threads
from shipkit.errors import ShipkitError
from shipkit.model import RateRequest, ReturnLabelKind, ReturnRequest
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request
from tests.simulator.acme import AcmeDialect


@pytest.fixture(params=["threads", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def shipped(kind: str, accounts: Any, orders: Iterable[Order], **options: Any) -> list[Shipped]:
    """Every outcome, with either client."""
    store = options.pop("store", None)
    if kind == "threads":
        with Client(accounts, store=store) as client:
            return list(client.create_shipments(orders, **options))

    async def gathered() -> list[Shipped]:
        async with AsyncClient(accounts, store=store) as client:
            return [outcome async for outcome in client.create_shipments(orders, **options)]

    return asyncio.run(gathered())


def orders_of(count: int, account: str = "acme-de") -> list[Order]:
    return [Order(f"order-{n}", request(f"SO{n}"), account) for n in range(count)]


def test_every_order_has_one_outcome_and_one_booking(sim: Simulator, acme: Acme, kind: str) -> None:
    told: list[Progress] = []
    outcomes = shipped(kind, {"acme-de": acme}, orders_of(30), progress=told.append)

    assert sorted(outcome.index for outcome in outcomes) == list(range(30))
    assert {outcome.key for outcome in outcomes} == {f"order-{n}" for n in range(30)}
    assert all(outcome.shipment is not None and outcome.shipment.key == outcome.key for outcome in outcomes)
    assert len(sim.bookings()) == 30
    assert [each.done for each in told] == list(range(1, 31))
    assert (told[-1].failed, told[-1].under_way, told[-1].total) == (0, 0, 30)


def test_a_bad_order_costs_the_others_nothing(sim: Simulator, acme: Acme, kind: str) -> None:
    orders: list[Any] = orders_of(6)
    orders[1] = Order("order-1", request("refuse"), "acme-de")
    orders[2] = Order("order-2", request("SO2"), "nobody")
    orders[3] = "order-3"
    orders[4] = Order("order-4", request("SO4"), "acme-de", "NONE")
    outcomes = {outcome.index: outcome for outcome in shipped(kind, {"acme-de": acme}, orders)}

    codes = [outcomes[n].error.code if outcomes[n].error else None for n in range(6)]  # type: ignore[union-attr]
    assert codes == [None, "rejected", "invalid_input", "invalid_input", "invalid_input", None]
    assert len(sim.bookings()) == 2


def test_what_is_no_order_at_all_costs_the_others_nothing(sim: Simulator, acme: Acme, kind: str) -> None:
    rates = RateRequest(ship_from=request().ship_from, ship_to=request().ship_to, packages=request().packages)
    wrong: list[Any] = [
        Order("order-0", rates, "acme-de", "03"),  # type: ignore[arg-type]
        Order("order-1", {"packages": ()}, "acme-de", "03"),  # type: ignore[arg-type]
        Order("order-2", request(), ["acme-de"]),  # type: ignore[arg-type]
        Order(3, request(), "acme-de"),  # type: ignore[arg-type]
        Order("order-4", request("SO4"), "acme-de", 4),  # type: ignore[arg-type]
        None,
    ]
    outcomes = shipped(kind, {"acme-de": acme}, [*wrong, Order("order-6", request("SO6"), "acme-de")], at_once=1)

    errors = {outcome.index: outcome.error.code if outcome.error else None for outcome in outcomes}
    assert errors == {**dict.fromkeys(range(6), "invalid_input"), 6: None}
    assert len(sim.bookings()) == 1


def test_a_client_without_accounts_tells_of_every_order(kind: str) -> None:
    outcomes = shipped(kind, {}, orders_of(5), at_once=1)
    assert sorted(outcome.index for outcome in outcomes) == list(range(5))
    assert {outcome.error.code for outcome in outcomes if outcome.error} == {"invalid_input"}


def test_a_key_that_stands_twice_gives_the_same_shipment_or_a_conflict(sim: Simulator, acme: Acme, kind: str) -> None:
    twice = Order("order-1", request("SO1"), "acme-de")
    other = Order("order-1", request("SO2"), "acme-de")
    outcomes = sorted(shipped(kind, {"acme-de": acme}, [twice, twice, other, twice]), key=lambda each: each.index)

    assert outcomes[0].shipment is not None
    assert outcomes[0].shipment == outcomes[1].shipment == outcomes[3].shipment
    assert isinstance(outcomes[2].error, ConflictError)
    assert len(sim.bookings()) == 1


def test_a_way_back_may_stand_in_a_list() -> None:
    """Acme takes none: what is told is about returns."""
    back = ReturnRequest(kind=ReturnLabelKind.PRINTED, shipment=request())
    account = Acme(client_id="host", client_secret="client-secret")
    [outcome] = shipped("threads", {"acme-de": account}, [Order("order-1", back, "acme-de")])
    assert outcome.error is not None and "create_return" in str(outcome.error)


def test_the_service_of_a_way_back_is_the_one_that_the_order_names() -> None:
    back = ReturnRequest(kind=ReturnLabelKind.PRINTED, shipment=request())
    assert with_service(back, "EXPRESS").shipment.service == "EXPRESS"
    assert with_service(back, None) == back


def test_a_slow_account_does_not_hold_the_others_and_none_has_more_under_way_than_its_share(kind: str) -> None:
    with Simulator(AcmeDialect()) as slow, Simulator(AcmeDialect()) as quick:
        slow.add_fault("slow", operation="create_shipment", times=100, after_s=0.2)
        accounts = {
            name: Acme(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2")
            for name, sim in (("slow", slow), ("quick", quick))
        }
        orders = [Order(f"s{n}", request(f"S{n}"), "slow") for n in range(8)]
        orders += [Order(f"q{n}", request(f"Q{n}"), "quick") for n in range(8)]
        most = [0]

        def watched(progress: Progress) -> None:
            most[0] = max(most[0], progress.under_way)

        outcomes = shipped(kind, accounts, orders, at_once=2, progress=watched)
        assert all(outcome.error is None for outcome in outcomes)
        places = [place for place, outcome in enumerate(outcomes) if outcome.account == "quick"]
        assert max(places) <= 12, "the quick ones did not wait until the slow ones were done"
        assert most[0] <= 4


def test_a_host_whose_progress_fails_gets_every_outcome_that_was_begun(sim: Simulator, acme: Acme, kind: str) -> None:
    store, seen = MemoryStore(), list[Shipped]()

    def failing(progress: Progress) -> None:
        raise RuntimeError(f"no display for {progress.done}")

    async def gathered() -> None:
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            async for outcome in client.create_shipments(orders_of(100), at_once=4, progress=failing):
                seen.append(outcome)

    with pytest.raises(RuntimeError, match=r"no display for 1$"):
        if kind == "asyncio":
            asyncio.run(gathered())
        else:
            with Client({"acme-de": acme}, store=store) as client:
                seen.extend(client.create_shipments(orders_of(100), at_once=4, progress=failing))
    assert {outcome.key for outcome in seen} == {entry.key for entry in store.entries(limit=1000)}
    assert 4 <= len(sim.bookings()) == len(seen) < 100


class Failing:
    """A list whose source breaks after some orders."""

    def __init__(self, good: int) -> None:
        self.good = good

    def __iter__(self) -> Iterator[Order]:
        yield from orders_of(self.good)
        raise RuntimeError("the database went away")


def test_an_error_of_the_list_comes_after_everything_that_was_read(sim: Simulator, acme: Acme, kind: str) -> None:
    seen: list[Shipped] = []

    async def gathered() -> None:
        async with AsyncClient({"acme-de": acme}) as client:
            async for outcome in client.create_shipments(Failing(5), at_once=2):
                assert outcome.error is None
                seen.append(outcome)

    with pytest.raises(RuntimeError, match="went away"):
        if kind == "asyncio":
            asyncio.run(gathered())
        else:
            with Client({"acme-de": acme}) as client:
                for outcome in client.create_shipments(Failing(5), at_once=2):
                    assert outcome.error is None
                    seen.append(outcome)
    assert sorted(outcome.index for outcome in seen) == list(range(5))
    assert len(sim.bookings()) == 5


def test_a_reader_that_stops_begins_nothing_more_and_what_is_under_way_is_recorded(
    sim: Simulator, acme: Acme, kind: str
) -> None:
    store, read = MemoryStore(), [0]

    def counted() -> Iterator[Order]:
        for order in orders_of(1000):
            read[0] += 1
            yield order

    async def first() -> None:
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            outcomes = client.create_shipments(counted(), at_once=4)
            async for _ in outcomes:
                break
            await outcomes.aclose()

    if kind == "asyncio":
        asyncio.run(first())
    else:
        with Client({"acme-de": acme}, store=store) as client:
            outcomes = client.create_shipments(counted(), at_once=4)
            next(outcomes)
            outcomes.close()
    phases = [entry.phase.value for entry in store.entries(limit=1000)]
    assert set(phases) == {"succeeded"}
    assert len(phases) == len(sim.bookings()) <= read[0] <= 9


def test_an_interrupt_begins_nothing_more_and_tells_what_was_under_way(sim: Simulator, acme: Acme) -> None:
    with Client({"acme-de": acme}) as client:
        outcomes = client.create_shipments(orders_of(100), at_once=3)
        told = [next(outcomes)]
        told.append(outcomes.throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            told.extend(iter(outcomes.__next__, None))
    assert len(told) == len({outcome.index for outcome in told})
    assert len(sim.bookings()) <= 4


def test_a_cancelled_reader_leaves_no_order_half_done(sim: Simulator, acme: Acme) -> None:
    store = MemoryStore()
    sim.add_fault("slow", operation="create_shipment", times=1000, after_s=0.1)

    async def cancelled() -> None:
        async with AsyncClient({"acme-de": acme}, store=store) as client:

            async def read() -> None:
                async for _ in client.create_shipments(orders_of(50), at_once=5):
                    pass

            task = asyncio.ensure_future(read())
            while not sim.bookings():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    phases = [entry.phase.value for entry in store.entries(limit=1000)]
    assert set(phases) == {"succeeded"}
    assert len(phases) == len(sim.bookings()) < 50


def test_an_async_list_that_is_slow_does_not_hold_outcomes_back(sim: Simulator, acme: Acme) -> None:
    async def main() -> tuple[int, int]:
        gate = asyncio.Event()
        early = 0

        async def slowly() -> AsyncIterator[Order]:
            for order in orders_of(3):
                yield order
            await gate.wait()
            yield Order("last", request("LAST"), "acme-de")

        async with AsyncClient({"acme-de": acme}) as client:
            outcomes = client.create_shipments(slowly())
            for _ in range(3):
                await anext_of(outcomes)
                early += 1
            gate.set()
            return early, len([outcome async for outcome in outcomes])

    assert asyncio.run(main()) == (3, 1)


async def anext_of(outcomes: Any) -> Any:
    return await outcomes.__anext__()


KEYS = st.integers(0, 3).map(lambda n: f"k{n}")
ACCOUNTS = st.sampled_from(["a", "b", "c", "nobody"])


@given(
    st.lists(st.tuples(KEYS, ACCOUNTS), max_size=60),
    st.integers(1, 4),
    st.lists(st.integers(0, 100), min_size=1, max_size=80),
)
def test_whatever_ends_first_each_order_is_begun_once_within_the_bounds_and_keys_keep_their_order(
    wanted: list[tuple[str, str]], at_once: int, choices: list[int]
) -> None:
    account = Acme(client_id="host", client_secret="client-secret")
    with Client({"a": account, "b": account, "c": account}) as client:
        work = Work(client._desk, at_once, None, None, None)
    source = iter(Order(key, request(), alias) for key, alias in wanted)
    under_way: list[tuple[int, Order]] = []
    begun: list[int] = []
    ended: list[int] = []
    for turn in range(10_000):
        found = work.take()
        if found is not None:
            assert found[1].key not in {order.key for _, order in under_way}
            under_way.append(found)
            begun.append(found[0])
            assert sum(order.account == found[1].account for _, order in under_way) <= at_once
            continue
        if work.wants:
            order = next(source, None)
            if order is not None:
                work.put(order)
                assert work._waits <= at_once * 32
                continue
        if not under_way:
            break
        index, order = under_way.pop(choices[turn % len(choices)] % len(under_way))
        ended.append(work.told(index, order, None, None).index)
    assert sorted(begun) == sorted(ended) == list(range(len(wanted)))
    for key in {key for key, _ in wanted}:
        mine = [index for index in begun if wanted[index][0] == key]
        assert mine == sorted(mine)
    assert not work._turns and not work._waiting and not work.under_way


WORKER = """
import sys
from shipkit import Client, SqliteStore
from shipkit.client.lists import Order
from tests.core.acme import Acme, request
account = Acme(client_id="host", client_secret="client-secret", base_url=sys.argv[1])
orders = (Order(f"order-{n}", request(f"SO{n}"), "acme-de") for n in range(int(sys.argv[3])))
with Client({"acme-de": account}, store=SqliteStore(sys.argv[2])) as client:
    for outcome in client.create_shipments(orders):
        assert outcome.error is None, outcome.error
"""


INTERRUPTED = """
import sys
from shipkit import Client, SqliteStore
from shipkit.client.lists import Order
from tests.core.acme import Acme, request
account = Acme(client_id="host", client_secret="client-secret", base_url=sys.argv[1])
orders = (Order(f"order-{n}", request(f"SO{n}"), "acme-de") for n in range(100_000))
with Client({"acme-de": account}, store=SqliteStore(sys.argv[2])) as client:
    try:
        for outcome in client.create_shipments(orders, at_once=4):
            print(outcome.key, outcome.error.code if outcome.error else "booked", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.process
@pytest.mark.parametrize("signals", [1, 2])
def test_a_program_that_is_interrupted_ends_with_every_order_told_or_in_the_ledger(
    sim: Simulator, acme: Acme, tmp_path: Path, root: Path, signals: int
) -> None:
    """Ctrl-C once: what is under way is told. Twice: nobody waits for being told, yet nothing is left half done."""
    sim.add_fault("slow", operation="create_shipment", times=10_000, after_s=1.5)
    path = tmp_path / "ledger.db"
    args = [sys.executable, "-c", INTERRUPTED, acme.base_url, str(path)]
    worker = subprocess.Popen(args, cwd=root, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    told = [worker.stdout.readline().split() for _ in range(4)]
    while sum(record.purchase for record in sim.requests()) < 8:
        time.sleep(0.01)  # the next four leave
    for _ in range(signals):
        time.sleep(0.1)  # and are waited for
        worker.send_signal(signal.SIGINT)
    rest, _ = worker.communicate(timeout=60)
    told += [line.split() for line in rest.splitlines()]

    assert told.pop() == ["interrupted"] and worker.returncode == 0
    with closing(SqliteStore(path)) as store:
        rows = {entry.key: entry.phase.value for entry in store.entries(limit=10_000)}
    assert set(rows.values()) == {"succeeded"}
    assert len(rows) == len(sim.bookings()) == 8
    assert all(outcome == "booked" for _, outcome in told)
    if signals == 1:
        assert {key for key, _ in told} == set(rows)


def test_an_interrupt_that_takes_an_outcome_along_does_not_hold_the_list(sim: Simulator, acme: Acme) -> None:
    """It may come right between the queue and us; the ledger has what became of that order."""
    fallen: list[bool] = []

    class Interrupting(Work):
        def told(self, index: int, order: Any, value: Any, error: ShipkitError | None) -> Shipped:
            if index == 2 and not fallen:
                fallen.append(True)
                raise KeyboardInterrupt
            return super().told(index, order, value, error)

    with Client({"acme-de": acme}) as client:
        work = Interrupting(client._desk, 3, None, None, None)
        told: list[Shipped] = []
        with pytest.raises(KeyboardInterrupt):
            told.extend(shipped_in_threads(orders_of(100), work, client._run))
        assert fallen
    assert len(sim.bookings()) < 100


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_a_list_whose_process_is_killed_goes_on_when_it_is_given_again(
    sim: Simulator, acme: Acme, tmp_path: Path, root: Path, kind: str
) -> None:
    """300 orders, SIGKILL in the middle, the same list again: 300 bookings and 300 labels."""
    path, count = tmp_path / "ledger.db", 300
    worker = subprocess.Popen([sys.executable, "-c", WORKER, acme.base_url, str(path), str(count)], cwd=root)
    while len(sim.bookings()) < 100:
        assert worker.poll() is None
        time.sleep(0.005)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    time.sleep(0.3)  # what was on its way arrives

    offset = [0.0]
    store = SqliteStore(path, clock=lambda: time.time() + offset[0])
    labels: dict[str, bytes] = {}
    waiting = orders_of(count)
    for _ in range(3):
        outcomes = shipped(kind, {"acme-de": acme}, waiting, store=store)
        for outcome in outcomes:
            if outcome.shipment is not None:
                labels[outcome.key] = outcome.shipment.documents[0].content or b""
            else:
                assert outcome.error is not None and outcome.error.code in ("in_progress", "in_doubt")
        waiting = [order for order in waiting if order.key not in labels]
        if not waiting:
            break
        offset[0] += 2_000  # the leases of the killed one are over, and its requests settled
    store.close()
    assert len(labels) == count and all(labels.values())
    assert len(sim.bookings()) == count


def test_settings_say_how_many_are_under_way(acme: Acme) -> None:
    with Client({"acme-de": acme}, settings=Settings(list_concurrency=1)) as client:
        most = [0]

        def watched(progress: Progress) -> None:
            most[0] = max(most[0], progress.under_way + 1)

        list(client.create_shipments(orders_of(5), progress=watched))
        assert most == [1]
