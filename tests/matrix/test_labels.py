"""The label of a booking is one, whoever fetched it and however it arrived."""

from __future__ import annotations

import threading
import time

from shipkit import Client, MemoryStore, Shipment
from shipkit.simulator import Simulator
from tests.faults import carriers


def test_two_workers_that_fetch_a_label_at_once_hold_the_same_one() -> None:
    store, first = MemoryStore(), list[Shipment]()
    with carriers.simulator("mondialrelay") as sim:
        sim.add_fault("slow", operation="label", after_s=0.4)
        sim.add_fault("truncated", operation="label")  # with a length that fits it: nothing shows it on the wire

        def ship() -> Shipment:
            account = carriers.account("mondialrelay", sim.url)
            with Client({"mr": account}, store=store) as client:
                return client.create_shipment(carriers.order("mondialrelay", "SO042"), account="mr", key="SO042")

        worker = threading.Thread(target=lambda: first.append(ship()))
        worker.start()
        while not _fetched(sim):
            time.sleep(0.005)
        second = ship()
        worker.join()

    assert first[0].documents == second.documents
    assert len(sim.bookings()) == 1


def _fetched(sim: Simulator) -> bool:
    return any(record.operation == "label" for record in sim.requests())
