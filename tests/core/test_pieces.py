"""Several bookings under one key: all of them, or none, or a person; nothing is bought beside a doubt."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipkit import (
    Client,
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    ShipkitError,
)
from shipkit import model as m
from shipkit.client import purchases
from shipkit.client.routing import routed
from shipkit.flow import Call, Done, Emit, Fork, Now, Request, Response, Sleep, Transmit
from shipkit.ledger.pieces import phase_of
from shipkit.ports import Entry, Phase
from shipkit.settings import Settings
from shipkit.shopping import Route
from shipkit.store import MemoryStore, MemoryTokens, SqliteStore
from tests.core.acme import Acme, acme_facts, request
from tests.core.script import reply

KEY = "order-1"
LATE_S = 600.0  # within which the carrier books what it got; its facts say 900
FATES = ("book", "book", "book", "lose", "drop", "late", "refuse", "not_sent", "limited")
ONE_BY_ONE = attrs.evolve(acme_facts(), limits=m.Limits(packages_per_booking=1))


@attrs.frozen
class OneByOne(Acme):
    """Acme, if it took one package a call."""

    @classmethod
    def facts(cls) -> m.CarrierFacts:
        return ONE_BY_ONE


class Carriers:
    """The carrier in the hands of the test: what it booked, and requests that are still on their way."""

    def __init__(self) -> None:
        self.at = 1_000_000.0
        self.booked: dict[str, str] = {}
        self.voided: set[str] = set()
        self.late: list[tuple[str, float]] = []
        self.keeps = False
        self.arrived = 0
        self.before_purchase: Callable[[str], None] = lambda mark: None

    @property
    def live(self) -> list[str]:
        """The marks of what would be billed."""
        return [mark for booking, mark in self.booked.items() if booking not in self.voided]

    def book(self, mark: str) -> str:
        booking = f"B{len(self.booked) + 1}"
        self.booked[booking] = mark
        bases = [live.partition("-")[0] for live in self.live]
        assert len(bases) == len(set(bases)), f"one piece was bought twice: {self.booked}"
        return booking

    def tick(self, seconds: float) -> None:
        """Time passes; a request that is on its way is booked within the carrier's bound."""
        self.at += seconds
        for mark, until in [late for late in self.late if late[1] <= self.at]:
            self.late.remove((mark, until))
            self.book(mark)

    def answer(self, transmit: Transmit, fate: str) -> Response:
        sent = transmit.request
        tail = sent.url.rpartition("/")[2]
        if sent.name == "token":
            return said(sent, {"access_token": "t"})
        if sent.name == "find_shipments":
            hits = [b for b, mark in self.booked.items() if mark == tail and b not in self.voided]
            return said(sent, {"bookings": [row_of(hit) for hit in hits]})
        if sent.name == "cancel_shipment":
            return self._void(sent, tail, fate)
        return self._purchase(transmit, fate)

    def _void(self, sent: Request, booking: str, fate: str) -> Response:
        if self.keeps:
            return said(sent, {"error": {"code": "A17", "text": "too late"}}, status=422)
        if fate == "drop":
            raise OutcomeUnknownError("the answer was lost")
        self.voided.add(booking)
        if fate == "lose":
            raise OutcomeUnknownError("the answer was lost")
        return said(sent, {})

    def _purchase(self, transmit: Transmit, fate: str) -> Response:
        if fate == "not_sent" or (transmit.not_after is not None and self.at >= transmit.not_after):
            raise NotSentError("refused connection")
        sent = transmit.request
        mark = json.loads(sent.content or b"{}")["mark"]
        assert len(json.loads(sent.content or b"{}")["pieces"]) == 1
        assert not self.late, "sent while another piece is on its way"
        self.before_purchase(mark)
        self.arrived += 1
        if fate == "refuse":
            return said(sent, {"error": {"code": "A17", "text": "postcode not served"}}, status=422)
        if fate == "limited":
            return said(sent, {}, status=429)
        if fate == "late":
            self.late.append((mark, self.at + LATE_S))
        elif fate != "drop":
            booking = self.book(mark)
            if fate == "book":
                return said(sent, row_of(booking))
        raise OutcomeUnknownError("the answer was lost")


def said(sent: Request, body: Any, status: int = 200) -> Response:
    return reply(status, json.dumps(body).encode())(sent)


def row_of(booking: str) -> dict[str, Any]:
    return {"id": booking, "pieces": [{"awb": f"AWB{booking}", "label": "JVBERi0="}]}


class Worker:
    """One call of a host, an effect at a time; it may die at any of them."""

    def __init__(self, carriers: Carriers, run: Any) -> None:
        self.carriers, self.run = carriers, flat(run)
        self.value: Any = None
        self.error: BaseException | None = None
        self.result: Any = None
        self.failed: ShipkitError | None = None
        self.ended = False

    def step(self, fate: str) -> None:
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

    def perform(self, effect: Any, fate: str) -> Any:
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
        try:
            self.run.close()
        except RuntimeError:
            pass
        self.ended = True

    def to_the_end(self, *fates: str) -> Worker:
        """Run to the end; each of *fates* is that of one purchase, and what comes after them is booked."""
        waiting = list(fates)
        while not self.ended:
            before = self.carriers.arrived
            self.step(waiting[0] if waiting else "book")
            if waiting and (self.carriers.arrived > before or isinstance(self.error, NotSentError)):
                waiting.pop(0)
        return self


def flat(run: Any) -> Any:
    """*run* with whatever it does side by side done one after the other."""
    result: Any = None
    while True:
        try:
            effect = run.throw(result) if isinstance(result, BaseException) else run.send(result)
        except StopIteration as stop:
            return stop.value
        if isinstance(effect, Fork):
            done = []
            for part in effect.runs:
                try:
                    done.append(Done((yield from flat(part))))
                except ShipkitError as error:
                    done.append(Done(error=error))
            result = tuple(done)
            continue
        try:
            result = yield effect
        except GeneratorExit:
            run.close()
            raise
        except BaseException as error:
            result = error


class Scene:
    """A host with an order of three packages, at a carrier that takes one a call."""

    def __init__(self, packages: int = 3, *, durable: bool = False) -> None:
        self.carriers = Carriers()
        self.carriers.before_purchase = self.nothing_is_open_beside
        kept: Callable[..., MemoryStore | SqliteStore]
        kept = partial(SqliteStore, ":memory:") if durable else MemoryStore
        self.store = kept(clock=lambda: self.carriers.at)
        self.store.tokens = MemoryTokens(lambda: self.carriers.at)
        self.order = request(packages=packages)
        account = OneByOne(client_id="h", client_secret="client-secret", base_url="https://api.acme.example/v2")
        self.client = Client({"a": account, "b": account}, store=self.store, settings=Settings(watch_s=86_400))
        self.desk = self.client._desk

    def nothing_is_open_beside(self, mark: str) -> None:
        """What must hold whenever a purchase leaves."""
        parent = self.parent
        beside = [piece for piece in self.pieces if piece.base != mark.rpartition("-")[0]]
        held = [p.key for p in beside if p.phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.NEEDS_PERSON)]
        assert not held, f"bought beside {held}"
        assert not parent.void_wanted or self._claimed_before_the_wish(mark)

    def _claimed_before_the_wish(self, mark: str) -> bool:
        piece = next(p for p in self.pieces if p.base == mark.rpartition("-")[0])
        return piece.phase is Phase.IN_FLIGHT and piece.void_wanted

    @property
    def parent(self) -> Entry:
        entry = self.store.read(KEY)
        assert entry is not None
        return entry

    @property
    def pieces(self) -> tuple[Entry, ...]:
        return self.store.ledger.pieces(self.parent)

    @property
    def phase(self) -> Phase:
        return phase_of(self.parent, self.pieces)

    def create(self, order: m.ShipmentRequest | None = None) -> Worker:
        run = purchases.purchase(self.desk, purchases.CREATE_SHIPMENT, order or self.order, "a", KEY, 30)
        return Worker(self.carriers, run)

    def cancel(self) -> Worker:
        return Worker(self.carriers, purchases.cancel(self.desk, KEY, 30))

    def recover(self) -> Worker:
        return Worker(self.carriers, purchases.recover(self.desk, 100, 30))


# What a host gets -------------------------------------------------------------------------------------------------


def test_an_order_of_several_packages_is_one_shipment() -> None:
    scene = Scene()
    made: m.Shipment = scene.create().to_the_end().result

    assert len(scene.carriers.live) == 3 and scene.phase is Phase.SUCCEEDED
    assert [(package.ref, package.position) for package in made.packages] == [("box-1", 0), ("box-2", 1), ("box-3", 2)]
    assert [number.value for number in made.tracking_numbers] == ["AWBB1", "AWBB2", "AWBB3"]
    assert [document.package_refs for document in made.documents] == [("box-1",), ("box-2",), ("box-3",)]
    assert (made.key, made.generation, made.account) == (KEY, 1, "a")
    assert (made.shipment_id, [p.carrier_package_id for p in made.packages]) == ("B1", ["B1", "B2", "B3"])


def test_it_is_given_again_and_nothing_is_sent() -> None:
    scene = Scene()
    first = scene.create().to_the_end().result
    again = scene.create().to_the_end("drop").result
    assert again == first and scene.carriers.arrived == 3
    assert isinstance(scene.create(request(packages=2)).to_the_end().failed, ConflictError)


def test_a_lost_answer_is_found_before_the_next_piece_is_bought() -> None:
    scene = Scene()
    made = scene.create().to_the_end("book", "lose").result
    assert len(made.tracking_numbers) == 3 and len(scene.carriers.live) == 3


def test_a_doubt_stops_the_conversation_and_names_the_whole() -> None:
    scene = Scene()
    failed = scene.create().to_the_end("book", "late").failed
    assert isinstance(failed, InDoubtError) and failed.key == KEY and failed.retry_at is not None
    assert scene.carriers.arrived == 2
    assert isinstance(scene.create().to_the_end().failed, InDoubtError)
    assert scene.carriers.arrived == 2

    scene.carriers.tick(LATE_S)
    assert len(scene.create().to_the_end().result.packages) == 3
    assert scene.carriers.arrived == 3


def test_what_was_never_there_is_bought_once_more_when_that_is_proved() -> None:
    scene = Scene()
    scene.create().to_the_end("book", "drop")
    scene.carriers.tick(2_000)
    assert len(scene.create().to_the_end().result.packages) == 3 and len(scene.carriers.live) == 3


@pytest.mark.parametrize("fates", [("refuse",), ("book", "refuse"), ("book", "book", "refuse")])
def test_a_refusal_undoes_what_was_booked(fates: tuple[str, ...]) -> None:
    scene = Scene()
    failed = scene.create().to_the_end(*fates).failed

    assert isinstance(failed, RejectedError) and failed.carrier_message == "postcode not served"
    assert failed.message.startswith(f"package {len(fates)} of 3")
    assert scene.carriers.live == [] and scene.parent.phase is Phase.REJECTED
    other = request(reference="SO043", packages=2)
    made = scene.create(other).to_the_end().result
    assert (len(made.packages), made.generation) == (2, 2) and len(scene.carriers.live) == 2


def test_a_refusal_whose_worker_died_is_undone_by_recovery() -> None:
    scene = Scene()
    worker = scene.create()
    while not any(piece.phase is Phase.REJECTED for piece in (scene.pieces if scene.store.read(KEY) else ())):
        worker.step("refuse" if scene.carriers.arrived else "book")
    worker.die()
    assert scene.phase is Phase.VOIDING and len(scene.carriers.live) == 1
    made = scene.create().to_the_end().result  # the host asks again, and nothing of the first try is left

    assert made.generation == 2 and len(scene.carriers.live) == 3


def test_what_ends_an_attempt_only_leaves_the_rest_to_the_next_call() -> None:
    scene = Scene()
    failed = scene.create().to_the_end("book", *["limited"] * 3).failed
    assert isinstance(failed, InProgressError) and failed.key == KEY and failed.reached_carrier == "yes"
    assert isinstance(failed.__cause__, ShipkitError) and failed.__cause__.code == "rate_limited"
    assert scene.phase is Phase.PLANNED and len(scene.carriers.live) == 1
    assert len(scene.create().to_the_end().result.packages) == 3

    untouched = Scene()
    assert isinstance(untouched.create().to_the_end(*["not_sent"] * 3).failed, NotSentError)


def test_cancelling_undoes_every_piece_and_says_so_again() -> None:
    scene = Scene()
    scene.create().to_the_end()
    first = scene.cancel().to_the_end().result
    again = scene.cancel().to_the_end().result

    assert first == again and first.outcome is m.CancelOutcome.VOIDED
    assert [outcome.package_ref for outcome in first.packages] == ["box-1", "box-2", "box-3"]
    assert scene.carriers.live == [] and scene.parent.phase is Phase.VOIDED
    assert scene.create().to_the_end().result.generation == 2


def test_cancelling_in_the_middle_leaves_nothing_and_buys_nothing_more() -> None:
    scene = Scene()
    worker = scene.create()
    while scene.carriers.arrived < 2:
        worker.step("book")
    assert isinstance(scene.cancel().to_the_end().failed, InDoubtError)  # one is under way
    worker.to_the_end()
    assert isinstance(worker.failed, ConflictError) and worker.failed.cancelling
    assert scene.carriers.arrived == 2
    scene.recover().to_the_end()

    assert scene.carriers.live == [] and scene.parent.phase is Phase.VOIDED


def test_a_whole_with_one_package_that_is_too_late_stands_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = attrs.evolve(ONE_BY_ONE, void=m.VoidPolicy(window_h=0))
    monkeypatch.setattr("tests.core.test_pieces.ONE_BY_ONE", closed)
    scene = Scene()
    made = scene.create().to_the_end().result
    assert scene.cancel().to_the_end().result.outcome is m.CancelOutcome.TOO_LATE
    assert len(scene.carriers.live) == 3 and not scene.parent.void_wanted
    assert scene.create().to_the_end().result == made


def test_a_piece_that_the_carrier_will_not_undo_is_for_a_person_and_a_further_cancel_goes_on() -> None:
    scene = Scene()
    scene.create().to_the_end()
    scene.carriers.keeps = True
    failed = scene.cancel().to_the_end().failed
    assert isinstance(failed, InDoubtError) and failed.needs_person and failed.key == KEY
    assert scene.phase is Phase.NEEDS_PERSON
    scene.recover().to_the_end()
    assert phase_of(scene.parent, scene.pieces) is Phase.NEEDS_PERSON
    assert len(scene.carriers.live) == 3

    scene.carriers.keeps = False
    assert scene.cancel().to_the_end().result.outcome is m.CancelOutcome.VOIDED
    assert scene.carriers.live == [] and scene.parent.phase is Phase.VOIDED


def test_recovery_finishes_doubts_and_never_buys() -> None:
    scene = Scene()
    scene.create().to_the_end("book", "late")
    scene.carriers.tick(2_000)
    ((key, done),) = scene.recover().to_the_end().result
    assert (key, done.value, done.error) == (KEY, None, None)
    assert scene.carriers.arrived == 2 and scene.phase is Phase.PLANNED

    assert len(scene.create().to_the_end().result.packages) == 3


def test_the_key_of_a_piece_is_no_key_of_the_hosts() -> None:
    scene = Scene()
    run = purchases.purchase(scene.desk, purchases.CREATE_SHIPMENT, request(), "a", f"{KEY}#1/2", 30)
    assert isinstance(Worker(scene.carriers, run).to_the_end().failed, InputError)
    scene.create().to_the_end()
    undo = purchases.cancel(scene.desk, f"{KEY}#1/2", 30)
    assert isinstance(Worker(scene.carriers, undo).to_the_end().failed, ConflictError)
    assert len(scene.carriers.live) == 3


def test_one_package_is_one_row() -> None:
    scene = Scene(packages=1)
    made = scene.create().to_the_end().result
    assert made.generation == 1 and scene.parent.phase is Phase.SUCCEEDED and scene.pieces == ()


def test_after_a_restore_pieces_are_looked_for_first() -> None:
    scene = Scene()
    scene.store.restored(3_600, 900)
    failed = scene.create().to_the_end().failed
    assert isinstance(failed, InDoubtError) and scene.carriers.arrived == 0
    scene.carriers.tick(10_000)
    assert len(scene.create().to_the_end().result.packages) == 3


# A death, or a cancel, at every moment ----------------------------------------------------------------------------


def rested(scene: Scene) -> Scene:
    """What recovery makes of it when everything has settled."""
    for _ in range(3):
        scene.carriers.tick(5_000)
        scene.recover().to_the_end()
    return scene


def dead_at(moment: int, begun: Callable[[], Worker], fates: dict[int, str]) -> bool:
    """Run a call and let it die after *moment* effects; whether it had ended before."""
    worker = begun()
    for _ in range(moment):
        if worker.ended:
            return True
        worker.step(fates.get(worker.carriers.arrived + 1, "book"))
    worker.die()
    return False


@pytest.mark.parametrize("fates", [{}, {2: "lose"}, {2: "late"}, {3: "refuse"}], ids=lambda fates: str(fates))
def test_wherever_a_worker_dies_the_next_call_makes_it_whole(fates: dict[int, str]) -> None:
    over, moment = False, 0
    while not over:
        scene, moment = Scene(), moment + 1
        over = dead_at(moment, scene.create, fates)
        rested(scene)
        made = scene.create().to_the_end()
        assert made.failed is None, (moment, made.failed)
        assert len(made.result.packages) == len(scene.carriers.live) == 3 and scene.phase is Phase.SUCCEEDED
    assert moment > 30


def test_wherever_a_cancel_dies_recovery_undoes_the_rest() -> None:
    over, moment = False, 0
    while not over:
        scene, moment = Scene(), moment + 1
        scene.create().to_the_end()
        over = dead_at(moment, scene.cancel, {})
        wished = scene.parent.void_wanted
        rested(scene)
        assert len(scene.carriers.live) == (0 if wished else 3)
        assert scene.parent.phase is (Phase.VOIDED if wished else Phase.PLANNED)
    assert moment > 10


def test_wherever_a_cancel_meets_a_booking_nothing_is_left_and_nothing_more_is_bought() -> None:
    over, moment = False, 0
    while not over:
        scene, moment = Scene(), moment + 1
        worker = scene.create()
        for _ in range(moment):
            over = worker.ended
            if not over:
                worker.step("book")
        if scene.store.read(KEY) is None:
            continue
        arrived = scene.carriers.arrived
        claimed = any(piece.phase is Phase.IN_FLIGHT for piece in scene.pieces)
        scene.cancel().to_the_end()
        worker.to_the_end()
        assert scene.carriers.arrived <= arrived + claimed
        rested(scene)
        assert scene.carriers.live == [] and scene.parent.phase is Phase.VOIDED


# Any order of anything ---------------------------------------------------------------------------------------------

Step = tuple[int, int, str, str, str]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(1, 9),
        st.sampled_from(FATES),
        st.sampled_from(["step"] * 20 + ["tick", "die", "die", "restore"]),
        st.sampled_from(["create", "create", "recover", "cancel"]),
    ),
    min_size=25,
    max_size=80,
)


@given(STEPS, st.sampled_from(["create", "cancel"]))
def test_whatever_happens_all_pieces_live_or_none_or_a_person_decides(steps: list[Step], last: str) -> None:
    anything_happens(Scene(), steps, last)


@settings(max_examples=25)
@given(STEPS, st.sampled_from(["create", "cancel"]))
def test_the_same_holds_over_a_durable_store(steps: list[Step], last: str) -> None:
    anything_happens(Scene(durable=True), steps, last)


def anything_happens(scene: Scene, steps: list[Step], last: str) -> None:
    workers = [scene.create(), scene.create()]
    for index, count, fate, what, call in steps:
        if what == "tick":
            scene.carriers.tick(40)
        elif what == "restore":
            scene.store.restored(60, 900)
        elif what == "die":
            workers[index].die()
        for _ in range(count if what == "step" else 0):
            if not workers[index].ended:
                workers[index].step(fate)
        if workers[index].ended:
            workers[index] = getattr(scene, call if scene.store.read(KEY) else "create")()
    for worker in workers:
        worker.die()

    tries, ended = 0, None
    while tries < 12 and (ended is None or ended.failed is not None):
        scene.carriers.tick(5_000)
        scene.recover().to_the_end()
        tries, ended = tries + 1, getattr(scene, last if scene.store.read(KEY) else "create")().to_the_end()
    assert ended is not None
    if ended.failed is not None:
        assert isinstance(ended.failed, InDoubtError) and ended.failed.needs_person, repr(ended.failed)
        assert scene.phase is Phase.NEEDS_PERSON
        return
    assert not any(scene.store.strays(piece.key) for piece in scene.pieces)
    live = scene.carriers.live
    if scene.parent.phase is Phase.PLANNED:
        assert sorted(live) == sorted(f"{piece.base}-{piece.attempt}" for piece in scene.pieces)
        assert all(piece.complete for piece in scene.pieces) and scene.phase is Phase.SUCCEEDED
    else:
        assert live == [] and scene.parent.phase is Phase.VOIDED


# Several ways -------------------------------------------------------------------------------------------------------


def on_ways(scene: Scene, *names: str) -> Worker:
    ways = [Route(name) for name in names]
    return Worker(scene.carriers, routed(scene.desk, scene.order, ways, KEY, 30))


@pytest.mark.parametrize("fates", [("refuse",), ("book", "refuse"), ("not_sent",) * 3, ("limited",) * 3])
def test_another_way_is_tried_when_nothing_of_the_first_is_left(fates: tuple[str, ...]) -> None:
    scene = Scene()
    found = on_ways(scene, "a", "b").to_the_end(*fates).result
    assert found.route == Route("b") and found.shipment.account == "b"
    assert len(scene.carriers.live) == 3 and scene.phase is Phase.SUCCEEDED


def test_a_way_that_is_booked_in_part_is_gone_on_with_whatever_the_order() -> None:
    scene = Scene()
    failed = on_ways(scene, "a", "b").to_the_end("book", *["limited"] * 3).failed
    assert isinstance(failed, InProgressError) and len(scene.carriers.live) == 1

    found = on_ways(scene, "b", "a").to_the_end().result
    assert found.route == Route("a") and len(found.shipment.packages) == 3 and len(scene.carriers.live) == 3


def test_a_way_in_pieces_that_is_refused_at_last_gives_way_to_the_next() -> None:
    scene = Scene()
    on_ways(scene, "a", "b").to_the_end("book", *["limited"] * 3)
    found = on_ways(scene, "b", "a").to_the_end("refuse").result
    assert found.route == Route("b") and len(scene.carriers.live) == 3


def test_a_piece_whose_whole_was_lost_with_the_newest_commits_is_not_sent() -> None:
    scene = Scene()
    worker = scene.create()
    while scene.store.read(KEY) is None:
        worker.step("book")
    assert isinstance(scene.store, MemoryStore)
    scene.store._rows.clear()
    scene.store._pieces.clear()
    scene.store.restored(3_600, 900)
    worker.to_the_end()
    assert isinstance(worker.failed, InDoubtError) and scene.carriers.arrived == 0


def test_a_whole_whose_papers_were_removed_is_used_up() -> None:
    scene = Scene(durable=True)
    scene.create().to_the_end()
    scene.carriers.tick(200_000)
    scene.recover().to_the_end()
    assert isinstance(scene.store, SqliteStore)
    later = scene.store.now() + timedelta(days=1)
    assert scene.store.purge(later, later).bodies == 4
    again, undo = scene.create().to_the_end().failed, scene.cancel().to_the_end().failed
    assert isinstance(again, ConflictError) and isinstance(undo, ConflictError) and again.key == KEY
    assert len(scene.carriers.live) == scene.carriers.arrived == 3
