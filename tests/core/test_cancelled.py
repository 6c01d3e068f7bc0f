"""A task that is cancelled wherever it waits, in the middle of a purchase: the ledger says what may have happened."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from shipkit import AsyncClient, Shipment
from shipkit.errors import InDoubtError
from shipkit.flow import Call, Fork, Now, Run, Sleep
from shipkit.ledger.identity import mark_of
from shipkit.ports import Phase
from shipkit.simulator import Simulator
from shipkit.store import SqliteStore
from tests.core.acme import Acme, request
from tests.core.stages import stopped_at

UNSENT = (None, Phase.NEW, Phase.ABSENT, Phase.REJECTED)


def test_a_purchase_that_is_cancelled_anywhere_is_never_bought_twice(
    sim: Simulator, acme: Acme, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    phases: list[Phase | None] = []

    async def one(number: int) -> bool:
        key, counted = f"order-{number}", list[int]()
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            call = client.create_shipment(request(), account="acme-de", key=key)
            task = asyncio.create_task(stopped_at(number, call, counted))
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if len(counted) < number:
                assert isinstance(result, Shipment)
                return False
            assert isinstance(result, asyncio.CancelledError)
            sim.wait_until_idle()  # what was under way when the task was stopped is carried out all the same
            entry, before = store.ledger.read(key), len(sim.bookings())
            phases.append(entry.phase if entry is not None else None)
            if entry is not None and entry.phase in UNSENT:
                assert not [one for one in sim.bookings() if one.mark == mark_of(entry.base, entry.attempt)]
            try:
                await client.create_shipment(request(), account="acme-de", key=key)
            except InDoubtError:
                assert phases[-1] is Phase.IN_DOUBT, "what did not leave leaves now"
            sim.wait_until_idle()
            assert len(sim.bookings()) - before <= (phases[-1] in UNSENT)
        return True

    number = 1
    while asyncio.run(one(number)):
        number += 1
    assert Phase.IN_FLIGHT not in phases, "it settles before it ends"
    assert {Phase.NEW, Phase.IN_DOUBT, Phase.SUCCEEDED} <= set(phases), "it was stopped before, amid and after"
    marks = [booking.mark for booking in sim.bookings()]
    assert len(marks) == len(set(marks))


@pytest.mark.parametrize("operation", ["rates", "track"])
def test_a_look_up_that_is_cancelled_anywhere_leaves_the_client_usable(
    sim: Simulator, acme: Acme, operation: str
) -> None:
    async def run() -> int:
        async with AsyncClient({"acme-de": acme}) as client:
            for number in range(1, 100):
                counted: list[int] = []
                call = client.rates(request()) if operation == "rates" else client.track("X1", account="acme-de")
                task = asyncio.create_task(stopped_at(number, call, counted))
                await asyncio.gather(task, return_exceptions=True)
                assert not (await client.rates(request())).errors
                if len(counted) < number:
                    return number
        return 0

    assert asyncio.run(run()) > 1


def test_a_call_of_several_parts_that_is_cancelled_ends_when_each_part_has_settled(acme: Acme) -> None:
    """A store is closed with its client: nobody may be writing to it any more."""
    settled: list[str] = []

    def waiting() -> Run[None]:
        yield Sleep(seconds=60)

    def writing() -> Run[None]:
        try:
            yield Sleep(seconds=60)
        finally:
            yield Call(function=time.sleep, args=(0.1,))
            yield Call(function=settled.append, args=("written",))

    def both() -> Run[None]:
        yield Fork((waiting(), writing()), 2)

    async def run() -> None:
        async with AsyncClient({"acme-de": acme}) as client:
            task = asyncio.create_task(client._run(both()))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert settled == ["written"]

    asyncio.run(run())


def test_a_part_that_breaks_does_not_leave_the_others_behind(acme: Acme) -> None:
    settled: list[str] = []

    def breaking() -> Run[None]:
        yield Now()
        raise ZeroDivisionError

    def going_on() -> Run[None]:
        yield Sleep(seconds=0.1)
        settled.append("done")

    def both() -> Run[None]:
        yield Fork((breaking(), going_on()), 2)

    async def run() -> None:
        async with AsyncClient({"acme-de": acme}) as client:
            with pytest.raises(ZeroDivisionError):
                await client._run(both())

    asyncio.run(run())
    assert settled == ["done"]
