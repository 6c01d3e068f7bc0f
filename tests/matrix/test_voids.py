"""Two workers that undo one booking: what one of them was refused, the other one may have done."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from shipkit import Client, InDoubtError, MemoryStore, RejectedError
from shipkit.ports import Phase
from shipkit.simulator import Simulator
from tests.faults import carriers

VOID = "TerminateShipment"


def test_a_refused_void_beside_one_whose_answer_is_lost_leaves_the_wish_standing() -> None:
    code = "dpd_fr"
    store, lost = MemoryStore(), list[InDoubtError]()
    with (
        carriers.simulator(code) as sim,
        Client({code: carriers.account(code, sim.url)}, store=store) as client,
        Client({code: carriers.account(code, sim.url)}, store=store) as other,
    ):
        client.create_shipment(carriers.order(code, "SO042"), account=code, key="SO042")
        sim.add_fault("slow", operation=VOID, after_s=1.0, when="after")
        sim.add_fault("200_with_error", operation=VOID, when="before")

        def cancel() -> None:
            with pytest.raises(InDoubtError) as caught:
                client.cancel_shipment(key="SO042", deadline_s=0.6)
            lost.append(caught.value)

        worker = threading.Thread(target=cancel)
        worker.start()
        while not _asked(sim):
            time.sleep(0.005)
        with suppress(RejectedError):
            other.cancel_shipment(key="SO042")
        kept = store.read("SO042")
        assert kept is not None and kept.phase is Phase.SUCCEEDED
        worker.join()
        [booking] = sim.bookings()
        assert not booking.live and lost

        other.recover()

    row = store.read("SO042")
    assert row is not None and row.phase is Phase.VOIDED


def _asked(sim: Simulator) -> bool:
    return any(record.operation == VOID for record in sim.requests())
