"""A key after a restore, after a person looked, after a cancelled task, and long after it was used."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from shipkit import AsyncClient, Client, ConflictError, InDoubtError, InputError, MemoryStore, ShipkitError, Shipment
from shipkit.errors import NotSupportedError, StoreError
from shipkit.model import BookingState, NoticeCode
from shipkit.ports import Phase
from shipkit.store.audit import broken_at
from tests.core.acme import Acme, request
from tests.core.keyed import LABEL, Mute, Native, Printing, RefusingDialect, RepeatingDialect, Unique
from tests.core.test_client import live
from tests.core.test_ledger_modes import Shop, shop
from tests.simulator.acme import AcmeDialect

DIALECTS = {Acme: AcmeDialect, Native: RepeatingDialect, Unique: RefusingDialect, Mute: AcmeDialect}


@pytest.fixture
def acme_shop() -> Iterator[Shop]:
    with shop(AcmeDialect, Acme) as opened:
        yield opened


def lost(opened: Shop) -> Shop:
    """The same host with a store that lost its only commit."""
    again = Shop(opened.sim, type(opened.account))
    again.store._salt = opened.store.salt()
    again.later.offset = opened.later.offset
    again.store.restored(3600, 900)
    return again


@pytest.mark.parametrize("kind", [Acme, Native, Unique])
def test_a_key_that_the_store_lost_is_looked_for_and_not_bought_again(kind: type[Acme]) -> None:
    with shop(DIALECTS[kind], kind) as opened:
        shipment = opened.ship()
        again = lost(opened)
        with again.client:
            again.wait(2000)
            assert again.ship().shipment_id == shipment.shipment_id
        assert len(opened.sim.bookings()) == 1


def test_a_key_that_may_be_lost_is_bought_once_everything_has_settled(acme_shop: Shop) -> None:
    again = lost(acme_shop)
    with again.client:
        assert again.doubt().retry_at == again.row.settle_at
        assert again.asked == ["find_shipments"] * 3, "what was lost may be a later attempt"
        again.wait(1000)
        assert again.ship().documents[0].content
        assert live(again.sim) == 1


def test_a_lost_key_of_a_carrier_that_cannot_be_asked_goes_to_a_person() -> None:
    with shop(AcmeDialect, Mute) as opened:
        opened.ship()
        again = lost(opened)
        with again.client:
            assert again.doubt().needs_person
        assert len(opened.sim.bookings()) == 1


def test_a_refusal_whose_next_attempt_was_lost_is_looked_for_under_both(acme_shop: Shop) -> None:
    acme_shop.sim.add_fault("200_with_error", operation="create_shipment", times=1)
    with pytest.raises(ShipkitError):
        acme_shop.ship()
    refused = acme_shop.row
    shipment = acme_shop.ship()
    acme_shop.store._replace(refused)  # the backup ends here
    acme_shop.store.restored(3600, 900)
    assert acme_shop.row.phase is Phase.IN_DOUBT

    assert acme_shop.ship().shipment_id == shipment.shipment_id
    assert len(acme_shop.sim.bookings()) == 1


def refused(opened: Shop) -> None:
    opened.sim.add_fault("200_with_error", operation="create_shipment", times=1)
    with pytest.raises(ShipkitError):
        opened.ship()
    opened.store.restored(3600, 900)
    assert opened.row.phase is Phase.IN_DOUBT


@pytest.mark.parametrize("kind", [Acme, Unique])
def test_what_was_refused_before_a_restore_is_not_sent_by_a_recovery_and_may_then_be_corrected(
    kind: type[Acme],
) -> None:
    with shop(DIALECTS[kind], kind) as opened:
        refused(opened)
        for _ in range(3):
            opened.wait(1000)
            opened.client.recover()
        assert opened.asked.count("create_shipment") == 1
        assert opened.row.phase is Phase.REJECTED
        assert opened.ship("SO043").documents
        assert live(opened.sim) == 1


def test_what_was_refused_before_a_restore_goes_to_a_person_where_nobody_can_be_asked() -> None:
    with shop(RepeatingDialect, Native) as opened:
        refused(opened)
        opened.wait(1000)
        opened.client.recover()
        assert opened.row.phase is Phase.NEEDS_PERSON and opened.asked == ["create_shipment"]


def test_after_a_while_unknown_keys_are_new_again(acme_shop: Shop) -> None:
    acme_shop.store.restored(60, 900)
    acme_shop.wait(1000)
    acme_shop.ship()
    assert acme_shop.asked == ["create_shipment"]


@pytest.fixture
def mute() -> Iterator[Shop]:
    with shop(AcmeDialect, Mute) as opened:
        opened.lose("drop_after_commit")
        opened.doubt()
        yield opened


def test_a_booking_that_a_person_found_is_entered_and_returned_again(mute: Shop) -> None:
    (booking,) = mute.sim.bookings()
    found = mute.client.resolve(
        key="order-1", shipment_id=booking.id, tracking_number=booking.numbers[0], note="seen in the portal"
    )
    assert isinstance(found, Shipment)
    assert (found.shipment_id, found.documents, found.state) == (booking.id, (), BookingState.CONFIRMED)
    assert [(message.code, message.text) for message in found.messages] == [
        (NoticeCode.ENTERED_BY_PERSON, "seen in the portal")
    ]
    assert found.packages[0].tracking_number == found.tracking_numbers[0]
    assert mute.ship() == found
    assert mute.client.resolve(key="order-1", shipment_id=booking.id) == found, "entered twice is entered once"
    assert mute.client.cancel_shipment(key="order-1").outcome.value == "voided" and live(mute.sim) == 0


def test_a_booking_that_is_entered_under_a_wish_to_cancel_is_undone(mute: Shop) -> None:
    (booking,) = mute.sim.bookings()
    with pytest.raises(InDoubtError):
        mute.client.cancel_shipment(key="order-1")
    with pytest.raises(ConflictError):
        mute.client.resolve(key="order-1", shipment_id=booking.id)
    mute.client.recover()
    assert mute.row.phase is Phase.VOIDED and live(mute.sim) == 0


def test_a_label_that_arrives_after_a_person_entered_its_booking_is_kept(mute: Shop) -> None:
    sleeping = mute.row
    (booking,) = mute.sim.bookings()
    found = mute.client.resolve(key="order-1", shipment_id=booking.id)
    assert mute.client.recover() == (), "there is nothing to fetch"
    mute.store.book(sleeping, booking.id, attrs.evolve(found, documents=(LABEL,), messages=()), True)
    assert mute.ship().documents == (LABEL,)


def test_the_papers_of_a_booking_that_a_person_found_are_fetched_where_the_carrier_hands_them_out() -> None:
    with shop(AcmeDialect, Printing) as opened:
        opened.lose("drop_after_commit")
        opened.doubt()
        (booking,) = opened.sim.bookings()

        async def resolve() -> Any:
            async with AsyncClient({"acme-de": opened.account}, store=opened.store) as client:
                return await client.resolve(key="order-1", shipment_id=booking.id, tracking_number=booking.numbers[0])

        found = asyncio.run(resolve())
        assert found.documents == (LABEL,) and found.state is BookingState.CONFIRMED
        assert opened.ship() == found


def test_a_person_enters_no_second_booking_and_none_where_nothing_was_asked(mute: Shop) -> None:
    (booking,) = mute.sim.bookings()
    with pytest.raises(InputError):
        mute.client.resolve(key="order-2", shipment_id="S1")
    with pytest.raises(InputError) as caught:
        mute.client.resolve(key="order-1", shipment_id=" ")
    assert caught.value.problems[0].path == "/shipment_id"
    mute.client.resolve(key="order-1", shipment_id=booking.id)
    with pytest.raises(ConflictError):
        mute.client.resolve(key="order-1", shipment_id="S2")
    assert mute.store.strays("order-1") == ()


def test_a_key_that_a_person_closes_says_why_and_may_be_used_anew(mute: Shop) -> None:
    with pytest.raises(InDoubtError):
        mute.client.close_key(key="order-1", note="not there")
    mute.wait(2000)
    mute.client.close_key(key="order-1", note="not there")
    assert (mute.row.phase, mute.row.note) == (Phase.CLOSED, "not there")
    assert mute.ship().generation == 2


def test_the_trail_of_a_key_tells_what_happened_and_shows_what_was_changed(acme_shop: Shop) -> None:
    acme_shop.lose("drop_before")
    acme_shop.doubt()
    acme_shop.wait(2000)
    acme_shop.ship()
    trail = acme_shop.store.history("order-1")
    assert [(step.event, step.after) for step in trail] == [
        ("claim", "in_flight"),
        ("doubt", "in_doubt"),
        ("absent", "absent"),
        ("claim", "in_flight"),
        ("book", "succeeded"),
    ]
    assert broken_at(trail, acme_shop.row) is None
    forged = attrs.evolve(trail[2], detail="nothing to see")
    assert broken_at((*trail[:2], forged, *trail[3:])) == 3
    assert broken_at((*trail[:2], *trail[3:])) == 4, "a line that is missing shows in the next one"
    assert "Receiver" not in repr(trail)


class Failing(MemoryStore):
    """A store that fails to keep a booking until it is told that it works again."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.tried, self.works = threading.Event(), threading.Event()

    def book(self, *given: Any, **named: Any) -> Any:
        self.tried.set()
        if not self.works.is_set():
            raise StoreError("disk full")
        return super().book(*given, **named)


@pytest.mark.parametrize("cancels", [1, 3])
def test_a_task_that_is_cancelled_while_the_store_fails_still_keeps_the_answer(mute: Shop, cancels: int) -> None:
    store = Failing()

    async def ship() -> None:
        async with AsyncClient({"acme-de": mute.account}, store=store) as client:
            task = asyncio.create_task(client.create_shipment(request(), account="acme-de", key="order-2"))
            while not store.tried.is_set():
                await asyncio.sleep(0.01)
            for _ in range(cancels):
                task.cancel()
                await asyncio.sleep(0.05)
            store.works.set()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(ship())
    row = store.read("order-2")
    assert row is not None and row.phase is Phase.SUCCEEDED and row.complete


def test_what_is_stored_comes_back_though_todays_rules_would_refuse_the_request(acme_shop: Shop) -> None:
    shipment = acme_shop.ship()

    class Stricter(Acme):
        @classmethod
        def facts(cls) -> Any:
            return attrs.evolve(Acme.facts(), services=())

        def problems(self, request: Any) -> Any:
            from shipkit.model import Problem, ProblemCode

            yield Problem(path="/packages", code=ProblemCode.TOO_MANY, text="no packages any more")

    account = Stricter(client_id="host", client_secret="client-secret", base_url=acme_shop.account.base_url)
    with Client({"acme-de": account}, store=acme_shop.store) as client:
        assert client.create_shipment(request(), account="acme-de", key="order-1") == shipment
        with pytest.raises(InputError):
            client.create_shipment(request(), account="acme-de", key="order-2")


def test_a_doubt_is_looked_up_though_todays_rules_would_refuse_the_request(acme_shop: Shop) -> None:
    acme_shop.lose("find_lags", lag_s=60)
    acme_shop.lose("drop_after_commit")
    acme_shop.doubt()
    acme_shop.wait(120)

    class Stricter(Acme):
        def problems(self, request: Any) -> Any:
            from shipkit.model import Problem, ProblemCode

            yield Problem(path="/packages", code=ProblemCode.TOO_MANY, text="no packages any more")

    account = Stricter(client_id="host", client_secret="client-secret", base_url=acme_shop.account.base_url)
    with Client({"acme-de": account}, store=acme_shop.store) as client:
        assert client.create_shipment(request(), account="acme-de", key="order-1").documents


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan, -1, "5"])
def test_a_deadline_that_is_no_length_of_time_is_refused_before_anything_is_asked(
    acme_shop: Shop, seconds: Any
) -> None:
    client = acme_shop.client
    calls = [
        lambda: client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=seconds),
        lambda: client.track("1Z", account="acme-de", deadline_s=seconds),
        lambda: client.rates(request(), deadline_s=seconds),
        lambda: client.recover(deadline_s=seconds),
    ]
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        assert [problem.path for problem in caught.value.problems] == ["/deadline_s"]
    assert acme_shop.asked == [] and acme_shop.store.read("order-1") is None


def test_a_key_whose_label_was_removed_is_used_up(acme_shop: Shop) -> None:
    acme_shop.ship()
    acme_shop.store._replace(attrs.evolve(acme_shop.row, purged_at=acme_shop.store.now(), result=None))
    for call in (acme_shop.ship, lambda: acme_shop.client.cancel_shipment(key="order-1")):
        with pytest.raises(ConflictError, match="used up"):
            call()
    acme_shop.wait(5000)
    assert acme_shop.client.recover() == ()
    assert len(acme_shop.sim.bookings()) == 1


def test_what_was_undone_stays_undone_though_its_answer_was_removed(acme_shop: Shop) -> None:
    acme_shop.ship()
    acme_shop.client.cancel_shipment(key="order-1")
    row = attrs.evolve(acme_shop.row, purged_at=acme_shop.store.now(), request=None, result=None, void_result=None)
    acme_shop.store._replace(row)
    assert acme_shop.client.cancel_shipment(key="order-1").outcome.value == "voided"
    assert acme_shop.ship().generation == 2


def test_what_a_person_closed_cannot_be_cancelled(mute: Shop) -> None:
    mute.wait(2000)
    mute.client.close_key(key="order-1")
    with pytest.raises(ConflictError):
        mute.client.cancel_shipment(key="order-1")


def test_a_pickup_is_nothing_that_a_person_enters(acme_shop: Shop) -> None:
    acme_shop.ship()
    acme_shop.store._replace(attrs.evolve(acme_shop.row, operation="book_pickup", booking=""))
    with pytest.raises(NotSupportedError):
        acme_shop.client.resolve(key="order-1", shipment_id="P1")
