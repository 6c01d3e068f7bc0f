"""An order of several packages at EasyPost, where one purchase is one parcel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit.client import AsyncClient, Client
from shipkit.constraints.pieces import parted
from shipkit.errors import ConflictError, InDoubtError, InProgressError, InputError, RejectedError
from shipkit.ledger.pieces import phase_of
from shipkit.model import (
    BookingState,
    CancelOutcome,
    CashOnDelivery,
    Money,
    Option,
    OptionCode,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    Shipment,
    ShipmentRequest,
    Weight,
    WeightUnit,
)
from shipkit.ports import Phase, Store
from shipkit.settings import Settings
from shipkit.simulator import Clock, Simulator, World
from shipkit.store import MemoryStore, SqliteStore
from shipkit_easypost import EasyPost
from shipkit_easypost.simulator import EasyPostDialect
from tests.easypost.samples import BOX, CUSTOMS, EASYPOST, ELIZABETH, KEY, ORDER, QUOTED

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
BOXES = tuple(attrs.evolve(BOX, ref=ref) for ref in ("A", "B", "C"))
WANTED = attrs.evolve(ORDER, mark=None, packages=BOXES)
TOO_HEAVY = attrs.evolve(BOXES[2], weight=Weight(Decimal(80), WeightUnit.LB))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(EasyPostDialect(World(Clock(START)))) as running:
        yield running


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "ledger.db")
    yield made
    made.close()


@pytest.fixture
def client(simulator: Simulator, store: Store) -> Iterator[Client]:
    account = EasyPost(api_key=KEY, base_url=simulator.url)
    with Client({"ep": account}, store=store, settings=Settings(attempts=1)) as made:
        yield made


def buy(client: Client, request: ShipmentRequest = WANTED) -> Shipment:
    return client.create_shipment(request, account="ep", key="k1")


def live(simulator: Simulator) -> list[str]:
    return [booking.id for booking in simulator.bookings() if booking.live]


def test_three_packages_are_one_shipment_with_three_numbers_and_labels(client: Client, simulator: Simulator) -> None:
    shipment = buy(client)

    assert len(live(simulator)) == 3 and shipment.state is BookingState.CONFIRMED
    assert [package.ref for package in shipment.packages] == ["A", "B", "C"]
    assert [package.carrier_package_id for package in shipment.packages] == live(simulator)
    assert [document.package_refs for document in shipment.documents] == [("A",), ("B",), ("C",)]
    assert len({document.content for document in shipment.documents}) == 3
    assert shipment.total is not None
    assert shipment.total.amount == sum(charge.amount.amount for charge in shipment.charges)
    assert {charge.package_ref for charge in shipment.charges} == {"A", "B", "C"}
    assert buy(client) == shipment and len(live(simulator)) == 3


@pytest.mark.parametrize("fault", ["drop_after_commit", "503", "truncated", "html_page", "commit_twice"])
def test_whatever_becomes_of_the_second_answer_there_are_three_bookings(
    client: Client, simulator: Simulator, fault: str
) -> None:
    simulator.add_fault(fault, skip=1)
    shipment = buy(client)

    assert len(live(simulator)) == 3
    assert sorted(number.value for number in shipment.tracking_numbers) == sorted(
        booking.numbers[0] for booking in simulator.bookings()
    )


def test_a_second_answer_that_stays_lost_holds_the_third_up(client: Client, simulator: Simulator) -> None:
    simulator.add_fault("drop_after_commit", skip=1)
    simulator.add_fault("503", operation="find_shipments", times=None, when="before")
    with pytest.raises(InDoubtError) as raised:
        buy(client)
    assert raised.value.key == "k1" and len(live(simulator)) == 2
    with pytest.raises(InDoubtError):
        buy(client)
    assert len(live(simulator)) == 2

    simulator.faults.clear()
    ((key, done),) = client.recover()
    assert (key, done.error) == ("k1", None) and len(live(simulator)) == 2  # it buys nothing
    assert len(buy(client).tracking_numbers) == 3 and len(live(simulator)) == 3


def test_a_third_package_that_is_refused_undoes_the_two_before_it(client: Client, simulator: Simulator) -> None:
    with pytest.raises(RejectedError, match="package 3 of 3"):
        buy(client, attrs.evolve(WANTED, packages=(*BOXES[:2], TOO_HEAVY)))
    assert len(simulator.bookings()) == 2 and live(simulator) == []

    shipment = buy(client)
    assert shipment.generation == 2 and len(live(simulator)) == 3


def test_a_cancel_that_finds_some_bought_and_some_not_leaves_nothing(
    client: Client, simulator: Simulator, store: Store
) -> None:
    simulator.add_fault("429", operation="create_shipment", skip=1)
    with pytest.raises(InProgressError) as raised:
        buy(client)
    assert raised.value.key == "k1" and len(live(simulator)) == 1
    parent = store.ledger.read("k1")
    assert parent is not None and phase_of(parent, store.ledger.pieces(parent)) is Phase.PLANNED

    result = client.cancel_shipment(key="k1")
    assert result.outcome is CancelOutcome.REQUESTED and [each.package_ref for each in result.packages] == ["A"]
    assert live(simulator) == [] and client.cancel_shipment(key="k1") == result


def test_cancelling_undoes_all_three(client: Client, simulator: Simulator) -> None:
    buy(client)
    result = client.cancel_shipment(key="k1")
    assert [each.outcome for each in result.packages] == [CancelOutcome.REQUESTED] * 3
    assert live(simulator) == []


def test_asyncio_ships_them_too(simulator: Simulator) -> None:
    async def ship() -> Shipment:
        async with AsyncClient({"ep": EasyPost(api_key=KEY, base_url=simulator.url)}) as client:
            return await client.create_shipment(WANTED, account="ep", key="k1")

    assert len(asyncio.run(ship()).tracking_numbers) == 3


def test_another_number_of_packages_is_another_order(client: Client) -> None:
    buy(client)
    with pytest.raises(ConflictError):
        buy(client, attrs.evolve(WANTED, packages=BOXES[:2]))


# What cannot be parted ------------------------------------------------------------------------------------------


def found(client: Client, request: ShipmentRequest) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as raised:
        buy(client, request)
    return [(problem.path, str(problem.code)) for problem in raised.value.problems]


COD = Option(code=OptionCode.COD, value=CashOnDelivery(amount=Money(Decimal(10), "USD")))


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"quote_id": "shp_1/rate_1"}, "/quote_id", "inconsistent"),
        ({"options": (COD,)}, "/options/0/package_refs", "missing"),
        ({"options": (attrs.evolve(COD, package_refs=("A", "B")),)}, "/options/0/package_refs", "missing"),
    ],
)
def test_an_amount_or_a_quote_says_which_booking_it_is_of(
    client: Client, simulator: Simulator, changes: dict[str, Any], path: str, code: str
) -> None:
    assert found(client, attrs.evolve(WANTED, **changes)) == [(path, code)]
    assert simulator.requests() == ()


def test_an_amount_for_one_package_goes_with_that_package(client: Client) -> None:
    order = attrs.evolve(WANTED, options=(attrs.evolve(COD, package_refs=("B",)),))
    parts = parted(order, EASYPOST.facts())

    assert [part.options for part in parts] == [(), (COD,), ()]
    assert len(buy(client, order).packages) == 3


def test_goods_for_abroad_are_declared_package_by_package(client: Client, simulator: Simulator) -> None:
    abroad = attrs.evolve(ELIZABETH, address=attrs.evolve(ELIZABETH.address, country="CA", postal_code="K1A0B1"))  # type: ignore[misc]
    order = attrs.evolve(WANTED, ship_to=abroad, customs=CUSTOMS, service="usps/PriorityMailInternational")
    assert found(client, order) == [(f"/packages/{index}/contents", "lane_requires") for index in range(3)]

    (line,) = CUSTOMS.lines
    packed = tuple(attrs.evolve(box, contents=(line,)) for box in BOXES)
    declared = attrs.evolve(CUSTOMS, lines=tuple(attrs.evolve(line, line=number) for number in (1, 2, 3)))
    assert len(buy(client, attrs.evolve(order, packages=packed, customs=declared)).packages) == 3


def test_each_package_has_its_own_printed_numbers(client: Client) -> None:
    numbers = tuple(Reference(type=ReferenceType.PURCHASE_ORDER, value=f"PO{n}") for n in range(3))
    fine = tuple(attrs.evolve(box, references=numbers[:2]) for box in BOXES)
    assert len(buy(client, attrs.evolve(WANTED, packages=fine)).packages) == 3


def test_prices_and_returns_are_asked_for_one_at_a_time(client: Client) -> None:
    answer = client.rates(attrs.evolve(QUOTED, packages=BOXES))
    assert [type(error) for error in answer.errors.values()] == [InputError]
    with pytest.raises(InputError) as raised:
        client.create_return(ReturnRequest(shipment=WANTED, kind=ReturnLabelKind.PRINTED), account="ep", key="back")
    assert [problem.path for problem in raised.value.problems] == ["/shipment/packages"]
