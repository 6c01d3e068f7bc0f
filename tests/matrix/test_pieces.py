"""Several bookings under one key of which the carrier undid some: only a person can go on, and all callers hear it."""

from __future__ import annotations

import pytest

from shipkit import Client, InDoubtError, MemoryStore
from shipkit.errors import ShipkitError
from tests.faults import carriers


def test_a_whole_that_is_undone_by_half_is_a_persons_whoever_asks() -> None:
    store, order = MemoryStore(), carriers.order("easypost", "SO042", 2)
    with (
        carriers.simulator("easypost") as sim,
        Client({"easypost": carriers.account("easypost", sim.url)}, store=store) as client,
    ):
        client.create_shipment(order, account="easypost", key="SO042")
        sim.add_fault("200_with_error", operation="cancel_shipment", skip=1)
        with pytest.raises(ShipkitError):
            client.cancel_shipment(key="SO042")
        assert sorted(booking.live for booking in sim.bookings()) == [False, True]

        with pytest.raises(InDoubtError) as caught:
            client.create_shipment(order, account="easypost", key="SO042")
        assert caught.value.needs_person
        assert len(sim.bookings()) == 2

        client.cancel_shipment(key="SO042")
        assert not any(booking.live for booking in sim.bookings())
        assert len(client.create_shipment(order, account="easypost", key="SO042").packages) == 2
