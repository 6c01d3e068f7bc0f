"""A worker is killed between the claim and the answer; another one finds what it bought."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipkit import Client, InProgressError, SqliteStore
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request

WORKER = """
import sys
from shipkit import Client, SqliteStore
from tests.core.acme import Acme, request
account = Acme(client_id="host", client_secret="client-secret", base_url=sys.argv[1])
with Client({"acme-de": account}, store=SqliteStore(sys.argv[2])) as client:
    client.create_shipment(request(), account="acme-de", key="order-1")
"""


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_worker_leaves_one_booking_that_the_next_one_finds(
    sim: Simulator, acme: Acme, tmp_path: Path, root: Path, when: str
) -> None:
    sim.add_fault("slow", operation="create_shipment", times=1, after_s=1.5, when=when)
    path = tmp_path / "ledger.db"
    worker = subprocess.Popen([sys.executable, "-c", WORKER, acme.base_url, str(path)], cwd=root)
    while not [seen for seen in sim.requests() if seen.operation == "create_shipment"] and not sim.bookings():
        assert worker.poll() is None
        time.sleep(0.01)
    worker.kill()
    worker.wait()
    sim.wait_for_late_commits()
    time.sleep(1.6)

    offset = [0.0]
    store = SqliteStore(path, clock=lambda: time.time() + offset[0])
    with Client({"acme-de": acme}, store=store) as client:
        with pytest.raises(InProgressError) as caught:
            client.create_shipment(request(), account="acme-de", key="order-1")
        assert caught.value.retry_after_s is not None
        offset[0] = caught.value.retry_after_s + 1000
        shipment = client.create_shipment(request(), account="acme-de", key="order-1")
    store.close()

    assert shipment.documents[0].content
    assert len(sim.bookings()) == 1
