"""Parcels are registered once, completed later, taken up when a number is used again, and let go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from shipkit.errors import ConflictError, InputError
from shipkit.model import (
    BookedPackage,
    BookingState,
    Milestone,
    Shipment,
    TrackingNumber,
    TrackQuery,
    TransitEstimate,
)
from shipkit.store import MemoryStore
from tests.client_events.stage import START, Acme, Clock, Tracked, event, hosted
from tests.core.acme import request


def shipment(*numbers: str, generation: int = 1, packages: bool = True) -> Shipment:
    told = tuple(TrackingNumber(value=number, carrier="acme") for number in numbers)
    return Shipment(
        shipment_id="S1",
        reference="SO042",
        state=BookingState.CONFIRMED,
        service="HOME",
        packages=tuple(
            BookedPackage(ref=f"box-{i + 1}", position=i, tracking_number=number if packages else None)
            for i, number in enumerate(told)
        ),
        tracking_numbers=told,
        transit=TransitEstimate(computed_at=START),
        created_at=START,
        generation=generation,
    )


def test_a_number_is_registered_once_however_it_is_written(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        first = host.follow("ac 000-1", account="acme-de", key="order-1", origin="DE")
        again = host.follow("AC0001", account="acme-de", destination="FR", service="HOME")

        assert first.scope == again.scope == "acme:AC0001:2026-03-03"
        assert (again.key, again.origin, again.destination, again.service) == ("order-1", "DE", "FR", "HOME")
        assert len(store.events.walk()) == 1
        assert again.next_poll_at == clock.at, "how far it has come is to be asked at once"


def test_a_number_of_another_shipment_is_refused(store: Any) -> None:
    with hosted(store) as host:
        host.follow("AC1", account="acme-de", key="order-1")
        with pytest.raises(ConflictError):
            host.follow("AC1", account="acme-de", key="order-2")


def test_a_number_that_comes_back_months_later_is_another_parcel(store: Any, clock: Clock) -> None:
    with hosted(store, clock=clock) as host:
        old = host.follow("AC1", account="acme-de", key="order-1")
        clock.on(86_400 * 30)
        assert host.follow("AC1", account="acme-de").scope == old.scope
        clock.on(86_400 * 170)
        new = host.follow("AC1", account="acme-de", key="order-2")

        assert new.scope != old.scope
        assert host.state("AC1").scope == new.scope
        assert host.follow("AC1", account="acme-de", since=old.since).scope == old.scope
        assert store.events.find([("acme", "AC1")])[0].key == "order-2"


@pytest.mark.parametrize(
    ("number", "named", "path"),
    [
        ("", {"account": "acme-de"}, "/number"),
        (" - ", {"account": "acme-de"}, "/number"),
        ("AC1", {"account": "other"}, "/account"),
        ("AC1", {"account": "acme-de", "since": START.replace(tzinfo=None)}, "/since"),
    ],
)
def test_what_cannot_be_followed_is_said_by_its_path(number: str, named: dict[str, Any], path: str) -> None:
    with hosted(MemoryStore()) as host:
        with pytest.raises(InputError) as caught:
            host.follow(number, **named)
        assert [problem.path for problem in caught.value.problems] == [path]


def test_a_shipment_of_several_has_a_row_of_the_whole(store: Any, kind: str, clock: Clock) -> None:
    with hosted(store, kind, clock=clock) as host:
        rows = host.follow_shipment(
            shipment("AC1", "AC2"), account="acme-de", key="order-1", request=request(packages=2)
        )

        assert [row.scope for row in rows] == ["shipment:order-1", "acme:AC1:2026-03-02", "acme:AC2:2026-03-02"]
        assert {row.shipment for row in rows} == {"", "shipment:order-1"}
        assert {(row.origin, row.destination, row.service, row.key) for row in rows} == {
            ("DE", "FR", "HOME", "order-1")
        }
        assert all(row.promise is not None and row.since == START for row in rows)
        again = host.follow_shipment(shipment("AC1", "AC2"), account="acme-de", key="order-1")
        assert [attrs.asdict(row) for row in again] == [attrs.asdict(row) for row in rows]

        host.push({"number": "AC1", "events": [event("delivered", 5)]})
        host.push({"number": "AC2", "events": [event("in_transit", 5)]})
        host.drain()
        whole = host.shipment("order-1")
        assert whole.milestone is Milestone.IN_TRANSIT
        assert whole.partially_delivered
        assert [piece.milestone for piece in whole.pieces] == [Milestone.DELIVERED, Milestone.IN_TRANSIT]
        assert host.timeline(scope="shipment:order-1") == whole


def test_a_shipment_of_one_is_its_parcel(store: Any) -> None:
    with hosted(store) as host:
        (row,) = host.follow_shipment(shipment("AC1"), account="acme-de", key="order-1")
        (same,) = host.follow_shipment(shipment("AC1", packages=False), account="acme-de", key="order-1")

        assert attrs.asdict(row) == attrs.asdict(same) and not row.shipment
        assert host.shipment("order-1").milestone is Milestone.UNKNOWN


def test_a_key_that_is_used_again_is_another_shipment(store: Any) -> None:
    with hosted(store) as host:
        host.follow_shipment(shipment("AC1", "AC2"), account="acme-de", key="order-1")
        later = attrs.evolve(shipment("AC3", "AC4", generation=2), created_at=START + timedelta(days=1))
        rows = host.follow_shipment(later, account="acme-de", key="order-1")

        assert rows[0].scope == "shipment.2:order-1"
        assert [piece.tracking_number.value for piece in host.shipment("order-1").pieces] == ["AC3", "AC4"]


def test_hosts_that_share_a_store_do_not_see_each_others_keys(store: Any) -> None:
    from shipkit.settings import Settings

    with (
        hosted(store, settings=Settings(namespace="one")) as one,
        hosted(store, settings=Settings(namespace="two")) as two,
    ):
        one.follow("AC1", account="acme-de", key="order-1")
        two.follow("AC2", account="acme-de", key="order-1")

        assert one.shipment("order-1").tracking_number.value == "AC1"
        assert two.shipment("order-1").tracking_number.value == "AC2"


def test_registering_wakes_what_was_parked_for_the_number(store: Any, kind: str) -> None:
    with hosted(store, kind) as host:
        host.push({"number": "AC1", "events": [event("in_transit", 3)]})
        assert host.drain().parked == 1
        host.follow("ac1", account="acme-de")
        host.drain()

        assert host.milestone("AC1") == "in_transit"
        timeline = host.timeline("AC1", account="acme-de")
        assert [one.code for one in timeline.events] == ["in_transit"]
        assert timeline == host.timeline(scope=host.state("AC1").scope)


def test_what_is_let_go_is_not_asked_for_and_can_be_taken_up_again(store: Any, kind: str, clock: Clock) -> None:
    carrier = Tracked(answers=lambda number: [event("in_transit", 3)])
    with hosted(store, kind, clock=clock, carrier=carrier) as host:
        host.follow("AC1", account="acme-de")
        assert host.unfollow("AC1", account="acme-de") == 1
        assert host.unfollow("AC1", account="acme-de") == 0
        clock.on(86_400)
        assert host.poll().taken == 0
        host.push({"number": "AC1", "events": [event("accepted", 2)]})
        host.drain()
        assert host.milestone("AC1") == "accepted", "its pushes are still taken"
        clock.on(86_400)
        assert host.poll().taken == 0

        host.follow("AC1", account="acme-de")
        clock.on(86_400)
        assert host.poll().taken == 1
        assert host.milestone("AC1") == "in_transit"


def test_a_carrier_that_answers_for_no_number_is_not_asked(store: Any, clock: Clock) -> None:
    class Pushes(Acme):
        @classmethod
        def facts(cls) -> Any:
            from shipkit.model import Operation, OperationFacts, Support

            return attrs.evolve(super().facts(), operations={Operation.TRACK: OperationFacts(support=Support.NO)})

    with hosted(store, clock=clock, carrier=Pushes()) as host:
        row = host.follow("AC1", account="acme-de")
        assert row.next_poll_at is None
        assert row.finished_at is None
        host.push({"number": "AC1", "events": [event("delivered", 5)]})
        host.drain()
        assert host.state("AC1").finished_at is not None


def test_a_query_says_how_the_carrier_is_asked(store: Any) -> None:
    query = TrackQuery(number=TrackingNumber(value="AC1", carrier="acme"), postal_code="75001", language="fr")
    with hosted(store) as host:
        assert host.follow(query, account="acme-de").query == query


@pytest.mark.parametrize("named", [{"number": "AC9", "account": "acme-de"}, {"scope": "acme:AC9:2026-03-02"}])
def test_what_nobody_follows_has_no_timeline(named: dict[str, str]) -> None:
    with hosted(MemoryStore()) as host:
        with pytest.raises(InputError):
            host.timeline(**named)
        with pytest.raises(InputError):
            host.shipment("order-9")
