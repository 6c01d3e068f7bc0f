"""Several ways for one parcel: at most one live booking, whoever tries which way in which order, whatever is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import (
    AsyncClient,
    Client,
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    ShipkitError,
    StoreError,
)
from shipkit.client.routing import Routed, routed
from shipkit.flow import Call, Emit, Now, Request, Response, Run, Sleep, Transmit
from shipkit.ports import Phase
from shipkit.shopping import Route
from shipkit.simulator import Simulator
from shipkit.store import MemoryStore, MemoryTokens
from tests.core.acme import Acme, request
from tests.core.script import reply
from tests.simulator.acme import AcmeDialect

NAMES = ("a", "b", "c")
FATES = ("book", "lose", "drop", "late", "refuse", "not_sent")
KEY = "order-1"
Fate = str | dict[str, str]


class Carriers:
    """Three carriers in the hands of the test: what each booked, and requests that are still on their way."""

    def __init__(self) -> None:
        self.at = 1_000_000.0
        self.booked: dict[str, tuple[str, str]] = {}
        self.voided: set[str] = set()
        self.late: list[tuple[str, str, float]] = []
        self.arrived = 0

    @property
    def live(self) -> list[str]:
        return [booking for booking in self.booked if booking not in self.voided]

    def book(self, account: str, mark: str) -> str:
        booking = f"{account}-{len(self.booked)}"
        self.booked[booking] = (account, mark)
        assert len(self.live) <= 1, f"bought twice: {self.booked}"
        return booking

    def tick(self, seconds: float) -> None:
        """Time passes; a request that is on its way is booked within the carrier's bound."""
        self.at += seconds
        for account, mark, until in [late for late in self.late if late[2] <= self.at]:
            self.late.remove((account, mark, until))
            self.book(account, mark)

    def answer(self, transmit: Transmit, fate: Fate) -> Response:
        sent = transmit.request
        account = sent.url.split("//")[1].split(".")[0]
        if sent.name == "token":
            return json_reply(sent, {"access_token": "t"})
        if sent.name == "find_shipments":
            mark = sent.url.rpartition("/")[2]
            hits = [b for b, where in self.booked.items() if where == (account, mark) and b not in self.voided]
            return json_reply(sent, {"bookings": [booking_row(hit) for hit in hits]})
        if sent.name == "cancel_shipment":
            self.voided.add(sent.url.rpartition("/")[2])
            return json_reply(sent, {})
        return self._purchase(transmit, account, fate if isinstance(fate, str) else fate[account])

    def _purchase(self, transmit: Transmit, account: str, fate: str) -> Response:
        if fate == "not_sent" or (transmit.not_after is not None and self.at >= transmit.not_after):
            raise NotSentError("refused connection")
        sent = transmit.request
        mark = json.loads(sent.content or b"{}")["mark"]
        assert not self.late, "sent while another request of the key is on its way"
        assert not self.live, "sent while a booking of the key is live"
        self.arrived += 1
        if fate == "refuse":
            return json_reply(sent, {"error": {"code": "A17", "text": "no"}}, status=422)
        if fate == "late":
            self.late.append((account, mark, self.at + 100))
        elif fate != "drop":
            booking = self.book(account, mark)
            if fate == "book":
                return json_reply(sent, booking_row(booking))
        raise OutcomeUnknownError("the answer was lost")


def json_reply(sent: Request, body: Any, status: int = 200) -> Response:
    return reply(status, json.dumps(body).encode())(sent)


def booking_row(booking: str) -> dict[str, Any]:
    return {"id": booking, "pieces": [{"awb": booking.replace("-", "0"), "label": "JVBERi0="}]}


class Worker:
    """One call of a host, an effect at a time; it may die at any of them."""

    def __init__(self, carriers: Carriers, run: Run[Routed]) -> None:
        self.carriers, self.run = carriers, run
        self.value: Any = None
        self.error: BaseException | None = None
        self.result: Routed | None = None
        self.failed: ShipkitError | None = None
        self.ended = False

    def step(self, fate: Fate) -> None:
        try:
            effect = self.run.throw(self.error) if self.error is not None else self.run.send(self.value)
        except StopIteration as stop:
            self.result, self.ended = stop.value, True
            return
        except ShipkitError as error:
            self.failed, self.ended = error, True
            return
        self.value = self.error = None
        try:
            self.value = self.perform(effect, fate)
        except Exception as error:
            self.error = error

    def perform(self, effect: Any, fate: Fate) -> Any:
        match effect:
            case Now():
                return self.carriers.at
            case Sleep():
                self.carriers.tick(effect.seconds)
            case Call():
                return effect.function(*effect.args)
            case Emit():
                return None
            case Transmit():
                return self.carriers.answer(effect, fate)
        return None

    def die(self) -> None:
        self.run.close()
        self.ended = True

    def to_the_end(self, fate: Fate = "book") -> Worker:
        while not self.ended:
            self.step(fate)
        return self


class Scene:
    def __init__(self) -> None:
        self.carriers = Carriers()
        self.store = MemoryStore(clock=lambda: self.carriers.at)
        self.store.tokens = MemoryTokens(lambda: self.carriers.at)
        accounts = {
            name: Acme(client_id="h", client_secret="client-secret", base_url=f"https://{name}.example/v2")
            for name in NAMES
        }
        self.client = Client(accounts, store=self.store)

    def worker(self, order: tuple[str, ...], deadline_s: float = 30) -> Worker:
        routes = tuple(Route(name) for name in order)
        return Worker(self.carriers, routed(self.client._desk, request(), routes, KEY, deadline_s))

    def finished(self, order: tuple[str, ...] = NAMES) -> Worker:
        """Whatever was left open, calls repeated after every bound end with one booking."""
        for _ in range(8):
            self.carriers.tick(5_000)
            worker = self.worker(order).to_the_end()
            if worker.result is not None:
                return worker
        raise AssertionError(f"no end: {worker.failed!r}")


ORDERS = st.permutations(NAMES).map(tuple)
STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(FATES), st.sampled_from(["step"] * 12 + ["tick", "die"])), max_size=120
)


@given(ORDERS, ORDERS, STEPS)
def test_two_workers_with_other_orders_never_buy_twice_and_the_key_ends_with_one_booking(
    first: tuple[str, ...], second: tuple[str, ...], steps: list[tuple[int, str, str]]
) -> None:
    scene = Scene()
    workers = [scene.worker(first), scene.worker(second)]
    for index, fate, what in steps:
        if what == "tick":
            scene.carriers.tick(40)
        elif workers[index].ended:
            workers[index] = scene.worker((first, second)[index])
        elif what == "die":
            workers[index].die()
        else:
            workers[index].step(fate)
    for worker in workers:
        if worker.result is not None:
            assert worker.result.shipment.shipment_id in scene.carriers.booked
    for worker in workers:
        worker.die()

    ended = scene.finished()
    assert ended.result is not None
    assert scene.carriers.live == [ended.result.shipment.shipment_id]
    assert ended.result.shipment.account == ended.result.route.account
    row = scene.store.read(KEY)
    assert row is not None and (row.phase, row.booking) == (Phase.SUCCEEDED, ended.result.shipment.shipment_id)
    assert not scene.store.strays(KEY)


@given(ORDERS, st.lists(st.sampled_from(FATES), min_size=3, max_size=3))
def test_the_next_way_is_taken_after_surely_not_done_and_never_in_doubt(
    order: tuple[str, ...], fates: list[str]
) -> None:
    scene = Scene()
    worker = scene.worker(order)
    by_account = dict(zip(order, fates, strict=True))
    while not worker.ended:
        worker.step(by_account)
    taken = next((n for n, each in enumerate(fates) if each not in ("refuse", "not_sent")), None)

    if taken is None:
        assert isinstance(worker.failed, NotSentError if "not_sent" in fates else RejectedError)
        assert len(worker.failed.others) == 2
    elif fates[taken] in ("book", "lose"):  # a lost answer is looked for, and found
        assert worker.result is not None
        assert worker.result.route == Route(order[taken])
        assert list(worker.result.errors) == [Route(name) for name in order[:taken]]
    else:
        assert isinstance(worker.failed, InDoubtError)
    assert scene.carriers.arrived == fates[:taken].count("refuse") + (taken is not None)


def test_a_repeat_in_another_order_gives_the_same_shipment() -> None:
    scene = Scene()
    first = scene.worker(("a", "b")).to_the_end()
    again = scene.worker(("c", "b")).to_the_end("lose")
    assert first.result is not None and again.result is not None
    assert again.result.shipment == first.result.shipment
    assert (again.result.route, again.result.errors) == (Route("a"), {})


def test_a_way_in_doubt_is_settled_first_even_when_the_repeat_does_not_name_it() -> None:
    scene = Scene()
    assert isinstance(scene.worker(("a", "b")).to_the_end("late").failed, InDoubtError)
    assert isinstance(scene.worker(("b", "c")).to_the_end().failed, InDoubtError)
    scene.carriers.tick(5_000)
    again = scene.worker(("b", "c")).to_the_end()
    assert again.result is not None and again.result.route == Route("a")
    assert len(scene.carriers.booked) == 1


def test_a_settled_absence_lets_another_way_be_taken_in_a_generation_of_its_own() -> None:
    scene = Scene()
    assert isinstance(scene.worker(("a", "b")).to_the_end("drop").failed, InDoubtError)
    scene.carriers.tick(5_000)
    again = scene.worker(("b", "c")).to_the_end()
    assert again.result is not None
    assert (again.result.route, again.result.shipment.generation) == (Route("b"), 2)


def test_another_request_under_the_key_is_a_conflict() -> None:
    scene = Scene()
    scene.worker(("a",)).to_the_end()
    other = attrs.evolve(request(), reference="SO043")
    run = routed(scene.client._desk, other, [Route("b")], KEY, None)
    assert isinstance(Worker(scene.carriers, run).to_the_end().failed, ConflictError)


@pytest.mark.parametrize("moment", range(1, 60))
def test_a_cancellation_between_two_ways_ends_the_call(moment: int) -> None:
    """Whenever it comes: what was wished undone is not bought on the next way, and what is bought is undone."""
    scene = Scene()
    worker = scene.worker(NAMES)
    fates = iter(["refuse", "refuse"])  # then booked
    fate = next(fates)
    for _ in range(moment):
        if worker.ended:
            break
        before = scene.carriers.arrived
        worker.step(fate)
        if scene.carriers.arrived > before:
            fate = next(fates, "book")
    if scene.store.read(KEY) is None:
        return
    wished = scene.store.want_void(KEY)
    assert wished is not None
    arrived = scene.carriers.arrived
    worker.to_the_end(fate)

    if wished.phase is Phase.VOIDED:
        assert scene.carriers.arrived == arrived, "sent after it was cancelled"
        assert worker.failed is not None
    row = scene.store.read(KEY)
    assert row is not None and (row.phase is Phase.VOIDED or row.void_wanted)


def test_what_cannot_go_to_one_carrier_goes_to_the_next_and_an_unknown_account_is_said_at_once() -> None:
    scene = Scene()
    run = routed(scene.client._desk, request(), [Route("a", "NONE"), Route("b", "HOME")], KEY, None)
    worker = Worker(scene.carriers, run).to_the_end()
    assert worker.result is not None and worker.result.route == Route("b", "HOME")
    assert isinstance(worker.result.errors[Route("a", "NONE")], InputError)
    for wrong in ([], [Route("a"), Route("nobody")]):
        failed = Worker(scene.carriers, routed(scene.client._desk, request(), wrong, "k2", None)).to_the_end().failed
        assert isinstance(failed, InputError)
    assert scene.store.read("k2") is None


def test_a_live_worker_holds_the_key_against_every_way() -> None:
    scene = Scene()
    worker = scene.worker(("a", "b"))
    while scene.store.read(KEY) is None:
        worker.step("book")
    assert isinstance(scene.worker(("b", "a")).to_the_end().failed, InProgressError)


def test_a_store_that_fails_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    def fails(entry: Any, error: str) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(scene.store, "refuse", fails)
    assert isinstance(scene.worker(("a", "b")).to_the_end("refuse").failed, StoreError)
    assert scene.carriers.arrived == 1


@pytest.fixture
def two(sim: Simulator) -> Iterator[tuple[Simulator, dict[str, Acme]]]:
    with Simulator(AcmeDialect()) as other:
        yield (
            other,
            {
                "first": Acme(client_id="host", client_secret="client-secret", base_url=f"{sim.url}/v2"),
                "second": Acme(client_id="host", client_secret="client-secret", base_url=f"{other.url}/v2"),
            },
        )


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_both_clients_move_on_and_cancel_what_won(
    sim: Simulator, two: tuple[Simulator, dict[str, Acme]], kind: str
) -> None:
    other, accounts = two
    sim.add_fault("200_with_error", operation="create_shipment", times=1)
    routes = (Route("first"), Route("second"))

    async def shipped() -> tuple[Routed, Routed]:
        async with AsyncClient(accounts) as client:
            first = await client.create_shipment_by(request(), routes=routes, key=KEY)
            again = await client.create_shipment_by(request(), routes=routes[::-1], key=KEY)
            await client.cancel_shipment(key=KEY)
            return first, again

    if kind == "asyncio":
        first, again = asyncio.run(shipped())
    else:
        with Client(accounts) as client:
            first = client.create_shipment_by(request(), routes=routes, key=KEY)
            again = client.create_shipment_by(request(), routes=routes[::-1], key=KEY)
            client.cancel_shipment(key=KEY)
    assert (first.route, list(first.errors)) == (routes[1], [routes[0]])
    assert again.shipment == first.shipment
    assert (len(sim.bookings()), len(other.bookings())) == (0, 1)
    assert [booking.state.value for booking in other.bookings()] == ["voided"]
