"""Evidence is kept whatever it is evidence of, and nothing is undone that may be all there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import (
    Client,
    ConflictError,
    MemoryStore,
    NotSupportedError,
    RejectedError,
    ShipkitError,
    Shipment,
)
from shipkit.errors import InputError
from shipkit.flow import Flow
from shipkit.ledger.intent import told, unpacked
from shipkit.model import (
    BookedPackage,
    CancellationResult,
    CancelOutcome,
    CancelRequest,
    CarrierFacts,
    NoticeCode,
    ShipmentRequest,
)
from shipkit.ports import Entry, Kept, Phase
from shipkit.store import SqliteStore
from shipkit.testing.store_values import claim
from tests.core.acme import Acme, acme_facts, request
from tests.core.keyed import Mute, Native, RepeatingDialect
from tests.core.test_client import live
from tests.core.test_ledger_modes import Shop, shop
from tests.core.test_routing import Scene
from tests.simulator.acme import AcmeDialect


@pytest.fixture
def acme_shop() -> Iterator[Shop]:
    with shop(AcmeDialect, Acme) as opened:
        yield opened


def strays(opened: Shop) -> list[tuple[str, str]]:
    return [(stray.booking, stray.phase) for stray in opened.store.strays("order-1")]


def doubled(shipment: Shipment) -> Shipment:
    more = BookedPackage(ref="box-2", position=1)
    return attrs.evolve(shipment, packages=(*shipment.packages, more))


class Doubling(Acme):
    """It answers with a package more than it was asked for."""

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        return doubled((yield from Acme.create_shipment(self, request)))

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]:
        return tuple(doubled(hit) for hit in (yield from Acme.find_shipments(self, request)))


class Erring(Mute):
    """The same, where nobody can ask."""

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        return doubled((yield from Acme.create_shipment(self, request)))


@pytest.mark.parametrize("make", [MemoryStore, lambda clock: SqliteStore(":memory:", clock=clock)])
@pytest.mark.parametrize("kind", [Doubling, Erring])
def test_a_booking_of_another_size_is_kept_with_its_label_for_a_person_to_see(kind: type[Acme], make: Any) -> None:
    with shop(AcmeDialect, kind, None, lambda clock: make(clock=clock)) as opened:
        doubt = opened.doubt()
        (booking,) = opened.sim.bookings()
        assert strays(opened) == [(booking.id, "shown")]
        (kept,) = opened.store.strays("order-1")
        assert unpacked(kept.result, Shipment).documents[0].content, "the label that came with it"
        assert opened.row.error == "2 packages for 1 asked" and booking.id not in str(doubt)

        for _ in range(3):
            opened.wait(2000)
            with pytest.raises(ShipkitError):
                opened.ship()
            opened.client.recover()
        assert opened.row.phase is Phase.NEEDS_PERSON and live(opened.sim) == 1
        assert strays(opened) == [(booking.id, "shown")]


def test_a_person_who_enters_a_booking_of_another_size_gets_the_label_that_came_with_it() -> None:
    with shop(AcmeDialect, Erring) as opened:
        opened.doubt()
        (booking,) = opened.sim.bookings()
        found = opened.client.resolve(key="order-1", shipment_id=booking.id)
        assert found.documents[0].content and opened.ship() == found
        assert [message.code for message in found.messages] == [NoticeCode.ENTERED_BY_PERSON]
        assert opened.client.recover() == () and live(opened.sim) == 1


def test_what_is_kept_is_told_once(acme_shop: Shop) -> None:
    seen: list[Any] = []
    account = Doubling(client_id="host", client_secret="client-secret", base_url=f"{acme_shop.sim.url}/v2")
    with Client({"acme-de": account}, store=acme_shop.store, observers=[seen.append]) as client:
        for _ in range(4):
            with pytest.raises(ShipkitError):
                client.create_shipment(request(), account="acme-de", key="order-1")
            acme_shop.wait(5000)
            client.recover()
    assert [event.detail for event in seen if event.kind == "strays"] == ["shown"]


@pytest.mark.parametrize(("code", "kept"), [("A17", "rejected A17"), ("Ada Lovelace, Home Street 1", "rejected")])
def test_a_row_keeps_no_sentence_where_a_carrier_has_one_for_a_code(code: str, kept: str) -> None:
    assert told(RejectedError("no", carrier_code=code)) == kept


class Losing(MemoryStore):
    """It comes back without its newest commits while an answer is on its way."""

    def book(self, entry: Entry, booking: str, value: Any, complete: bool, watch: bool = True) -> Phase | None:
        if not self._trail.of("order-1")[1:]:
            self._rows.clear()
            self._waiting.clear()
        return super().book(entry, booking, value, complete, watch)


def test_an_answer_whose_claim_the_store_has_lost_is_entered_with_its_label() -> None:
    with shop(AcmeDialect, Acme, None, lambda clock: Losing(clock=clock)) as opened:
        shipment = opened.ship()
        assert shipment.documents[0].content and opened.ship() == shipment
        assert live(opened.sim) == 1


@attrs.frozen
class Other(Acme):
    """Another carrier."""

    code = "other"

    @classmethod
    def facts(cls) -> CarrierFacts:
        return attrs.evolve(acme_facts(), code="other")


def with_stray(opened: Shop, booking: str = "acme-99", **changes: Any) -> None:
    shipment = opened.ship()
    more = attrs.evolve(shipment, shipment_id=booking, tracking_numbers=(), packages=(), **changes)
    opened.store.book(opened.row, booking, more, True)


def test_a_further_booking_is_never_undone_at_another_carrier_of_that_name(acme_shop: Shop) -> None:
    with_stray(acme_shop)
    asked = len(acme_shop.asked)
    other = Other(client_id="host", client_secret="client-secret", base_url=f"{acme_shop.sim.url}/v2")
    with Client({"acme-de": other}, store=acme_shop.store) as client:
        ((_, done),) = client.recover()
    assert isinstance(done.error, InputError) and len(acme_shop.asked) == asked
    assert strays(acme_shop) == [("acme-99", "open")]


def test_further_bookings_that_always_fail_hold_up_no_other(acme_shop: Shop) -> None:
    for number in range(4):
        with_stray(acme_shop, f"bad-{number}", account="gone")
    with_stray(acme_shop, "acme-99")
    acme_shop.wait(2000)
    for _ in range(3):
        acme_shop.client.recover(limit=2)
    assert dict(strays(acme_shop))["acme-99"] == "gone"
    assert set(dict(strays(acme_shop)).values()) == {"open", "gone"}


def test_a_further_booking_that_the_carrier_did_not_know_is_undone_when_it_shows_after_all(acme_shop: Shop) -> None:
    acme_shop.lose("commit_twice")
    acme_shop.ship()
    first, second = acme_shop.sim.bookings()
    (late,) = [booking for booking in (first, second) if booking.id != acme_shop.row.booking]
    acme_shop.store.book(acme_shop.row, late.id, unpacked(acme_shop.row.result, Shipment), True)
    (stray,) = acme_shop.store.strays("order-1")
    acme_shop.store.end_stray(stray, "gone")
    acme_shop.wait(2000)
    acme_shop.client.recover()
    assert live(acme_shop.sim) == 1 and strays(acme_shop) == [(late.id, "voided")]


def test_a_row_that_a_newer_version_wrote_holds_up_no_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with shop(AcmeDialect, Acme, None, lambda clock: SqliteStore(path, clock=clock)) as opened:
        for key in ("newer", "order-1"):
            row = opened.store.claim(claim(key=key, base=key, lease_s=1.0))
            opened.store.doubt(row, "unavailable")
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE shipkit_ledger SET phase = 'teleported' WHERE key = 'newer'")
        database.close()
        opened.wait(2000)
        seen = [key for _ in range(2) for key, _ in opened.client.recover(limit=1)]
        assert seen == ["order-1"] and opened.row.phase is Phase.ABSENT


# A person's word -----------------------------------------------------------------------------------------------------


def with_person(opened: Shop) -> None:
    opened.lose("drop_after_commit")
    opened.sim.add_fault("503", operation="find_shipments", times=9, retry_after_s=0)
    opened.doubt()
    opened.sim.faults.clear()
    opened.store.needs_person(opened.row, "nobody to ask")


def test_a_person_may_know_a_booking_by_its_parcels_number_and_it_is_not_undone(acme_shop: Shop) -> None:
    with_person(acme_shop)
    (booking,) = acme_shop.sim.bookings()
    acme_shop.client.resolve(key="order-1", shipment_id=booking.numbers[0])
    acme_shop.wait(2000)
    acme_shop.client.recover()
    assert live(acme_shop.sim) == 1 and strays(acme_shop) == []


def test_what_a_person_mistyped_costs_no_label(acme_shop: Shop) -> None:
    with_person(acme_shop)
    (booking,) = acme_shop.sim.bookings()
    acme_shop.client.resolve(key="order-1", shipment_id="mistyped")
    acme_shop.wait(2000)
    acme_shop.client.recover()
    assert live(acme_shop.sim) == 1 and strays(acme_shop) == [(booking.id, "shown")]
    for _ in range(5):
        acme_shop.wait(20_000)
        acme_shop.client.recover()
    assert acme_shop.client.recover() == () and strays(acme_shop) == [(booking.id, "shown")]


# Which row it is -----------------------------------------------------------------------------------------------------


def test_what_comes_late_for_one_order_is_never_handed_out_for_another(acme_shop: Shop) -> None:
    acme_shop.lose("commit_late", after_s=3000)
    acme_shop.doubt()
    acme_shop.wait(1000)
    acme_shop.sim.add_fault("200_with_error", operation="create_shipment", times=2)
    for reference in ("SO042", "SO043"):
        with pytest.raises(RejectedError):
            acme_shop.ship(reference)
    acme_shop.wait(2500)
    acme_shop.sim.wait_for_late_commits()
    acme_shop.client.recover()
    assert live(acme_shop.sim) == 0
    assert acme_shop.ship("SO043").reference == "SO043" and live(acme_shop.sim) == 1


def test_another_carrier_of_that_name_begins_a_generation_of_its_own(acme_shop: Shop) -> None:
    acme_shop.sim.add_fault("200_with_error", operation="create_shipment", times=1)
    with pytest.raises(RejectedError):
        acme_shop.ship()
    other = Other(client_id="host", client_secret="client-secret", base_url=f"{acme_shop.sim.url}/v2")
    with Client({"acme-de": other}, store=acme_shop.store) as client:
        assert client.create_shipment(request(), account="acme-de", key="order-1").generation == 2


def test_after_a_restore_attempts_beyond_the_last_one_are_looked_for_whatever_their_number(acme_shop: Shop) -> None:
    for _ in range(3):
        acme_shop.sim.add_fault("200_with_error", operation="create_shipment", times=1)
        with pytest.raises(RejectedError):
            acme_shop.ship()
    refused = acme_shop.row
    shipment = acme_shop.ship()
    assert acme_shop.row.attempt == 4
    acme_shop.store._replace(refused)  # the backup ends here
    acme_shop.store.restored(3600, 900)
    acme_shop.wait(2000)
    assert acme_shop.ship().shipment_id == shipment.shipment_id and live(acme_shop.sim) == 1


class FoundNative(Native):
    """A key of its own, and it can be asked by it."""

    find_shipments: Any = Acme.find_shipments


def test_after_a_restore_a_native_key_is_looked_for_before_it_goes_out_again() -> None:
    with shop(RepeatingDialect, FoundNative) as opened:
        opened.sim.add_fault("200_with_error", operation="create_shipment", times=1)
        opened.lose("drop_before")  # so that the row is in doubt once before it is refused
        with pytest.raises(ShipkitError):
            opened.ship()
        doubtful = attrs.evolve(opened.row, phase=Phase.IN_FLIGHT, error="", send=1)
        shipment = opened.ship()
        assert opened.row.attempt == 2
        opened.store._replace(doubtful)
        opened.store.restored(3600, 900)
        opened.wait(2000)
        assert opened.ship().shipment_id == shipment.shipment_id and live(opened.sim) == 1


def test_a_key_whose_label_was_removed_is_used_up_on_every_way() -> None:
    scene = Scene()
    scene.worker(("a",)).to_the_end()
    row = scene.store.read("order-1")
    assert row is not None
    scene.store._replace(attrs.evolve(row, purged_at=scene.store.now(), result=None, request=Kept(b"")))
    failed = scene.worker(("b", "a")).to_the_end().failed
    assert isinstance(failed, ConflictError) and "used up" in failed.message
    assert len(scene.carriers.booked) == 1


# The way back --------------------------------------------------------------------------------------------------------


class Forgetful(Acme):
    """It does not know a booking when it is cancelled first, and will not undo it later."""

    asked = 0

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]:
        yield from ()
        Forgetful.asked += 1
        if Forgetful.asked == 1:
            return CancellationResult(outcome=CancelOutcome.NOT_FOUND)
        raise NotSupportedError("it has left")


def test_what_was_believed_undone_and_cannot_be_undone_any_more_is_shown() -> None:
    Forgetful.asked = 0
    with shop(AcmeDialect, Forgetful) as opened:
        opened.ship()
        opened.wait(2000)
        assert opened.client.cancel_shipment(key="order-1").outcome is CancelOutcome.NOT_FOUND
        assert opened.row.phase is Phase.VOIDED and live(opened.sim) == 1
        opened.wait(1000)
        opened.client.recover()
        assert strays(opened) == [(opened.row.booking, "shown")]
