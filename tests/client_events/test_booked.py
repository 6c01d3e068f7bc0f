"""What is booked is followed: each booking once, those of several packages as a whole, and cheaply."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from shipkit.client.events import booked as room
from shipkit.model import Milestone
from shipkit.settings import Settings
from tests.client_events.courier import Batcher, Courier, seconds, simulated
from tests.client_events.stage import Host, hosted
from tests.core.acme import request


class Kill(BaseException):
    """The process is gone."""


def book(host: Host, key: str, packages: int = 1) -> Any:
    made = host.client.create_shipment(request(key, packages), account="acme-de", key=key)
    return host._runner.run_until_complete(made) if host._runner is not None else made


def test_what_was_booked_is_followed_once(store: Any, kind: str) -> None:
    with simulated(Batcher) as (_, carrier), hosted(store, kind, carrier=carrier) as host:
        single, several = book(host, "order-1"), book(host, "order-2", packages=3)
        assert host.follow_booked() == 4
        assert host.follow_booked() == 0

        row = store.events.of_key("order-1")
        assert [one.number for one in row] == [str(single.tracking_numbers[0])]
        assert (row[0].origin, row[0].destination, row[0].service) == ("DE", "FR", "HOME")
        family = store.events.of_key("order-2")
        assert {one.number for one in family} == {"", *(str(number) for number in several.tracking_numbers)}
        assert {one.shipment for one in family if one.number} == {"shipment:order-2"}
        assert host.shipment("order-2").milestone is Milestone.UNKNOWN

        book(host, "order-3")
        assert host.follow_booked() == 1
        assert host.follow_booked(store.events.now() + timedelta(hours=1)) == 0


def test_a_booking_that_the_host_follows_itself_is_the_same(store: Any) -> None:
    with simulated() as (_, carrier), hosted(store, carrier=carrier) as host:
        made = book(host, "order-1")
        known_since = made.created_at - timedelta(days=1)
        host.follow(str(made.tracking_numbers[0]), account="acme-de", since=known_since)
        assert host.follow_booked() == 0
        assert len(store.events.walk()) == 1


def test_what_was_cancelled_or_refused_is_not_followed(store: Any) -> None:
    with simulated() as (_, carrier), hosted(store, carrier=carrier) as host:
        book(host, "order-1")
        host.client.cancel_shipment(key="order-1")
        with pytest.raises(Exception, match="postcode"):
            book(host, "refuse")
        assert host.follow_booked() == 0


def test_a_walk_that_is_killed_goes_on(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated() as (_, carrier), hosted(store, carrier=carrier) as host:
        for index in range(9):
            book(host, f"order-{index}")
        monkeypatch.setattr(room, "_PAGE", 2)
        follow, calls = type(store.events).follow, 0

        def killed(events: Any, parcels: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 4:
                raise Kill
            return follow(events, parcels)

        with monkeypatch.context() as patched:
            patched.setattr(type(store.events), "follow", killed)
            with pytest.raises(Kill):
                host.follow_booked()
        assert host.follow_booked() == 9 - 3
        assert len(store.events.walk()) == 9


def test_nothing_new_costs_two_questions_a_page_and_no_write(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated() as (_, carrier), hosted(store, carrier=carrier) as host:
        for index in range(5):
            book(host, f"order-{index}")
        host.follow_booked()

        def forbidden(*_: Any) -> Any:
            raise AssertionError("written, or read one by one")

        for name in ("follow", "commit", "evidence", "of_key"):
            monkeypatch.setattr(type(store.events), name, forbidden)
        assert host.follow_booked() == 0


def test_only_bookings_of_its_own_namespace_are_followed(store: Any) -> None:
    with simulated() as (_, carrier):
        named = Settings(namespace="shop")
        with (
            hosted(store, carrier=carrier, settings=named) as one,
            hosted(store, carrier=carrier, settings=Settings(namespace="other")) as two,
        ):
            book(one, "order-1")
            assert two.follow_booked() == 0
            assert one.follow_booked() == 1
            assert one.shipment("order-1").tracking_number is not None


def test_bookings_followed_and_polled_end_delivered(store: Any) -> None:
    with simulated() as (sim, carrier), hosted(store, carrier=carrier) as host:
        book(host, "order-1", packages=2)
        host.follow_booked()
        sim.clock.advance(seconds(days=3))
        for row in store.events.of_key("order-1"):
            if row.number:  # it is asked for by the machine's time, which does not jump
                work = attrs.evolve(row, next_poll_at=store.events.now())
                from shipkit.ports.events import ParcelWork, Work

                assert store.events.commit(Work(parcels=(ParcelWork(before=row, after=work),)))
        host.poll()
        assert host.shipment("order-1").milestone is Milestone.DELIVERED
        assert isinstance(carrier, Courier)
