"""What a person does with the one row that nobody else can end: looks into the carrier's books, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from shipkit import Client, InDoubtError, ShipkitError
from shipkit.ports import Phase
from shipkit.simulator import Booking, Simulator

from . import carriers

__all__ = ["resolved"]


def resolved(
    client: Client,
    code: str,
    ledger: Any,
    sim: Simulator,
    keys: Iterable[str],
    *,
    space: str = "",
    wait: Callable[[float], None] = time.sleep,
) -> tuple[int, list[str]]:
    """End each row that waits for a person, ship anew what is not in the books; how many, and what did not end."""
    wrong: list[str] = []
    ended = 0
    for key in keys:
        row = ledger.read(space + key)
        if row is None or row.phase is not Phase.NEEDS_PERSON:
            continue
        there = _live(sim, key)
        if there:
            client.resolve(key=key, shipment_id=there[0].id, tracking_number=there[0].numbers[0])
        else:
            try:
                client.close_key(key=key)
            except InDoubtError:  # what is not there yet may still come
                wait((row.settle_at - ledger.now()).total_seconds() + 0.01)
                client.close_key(key=key)
            _shipped(client, code, key)
        live = _live(sim, key)
        row = ledger.read(space + key)
        if len(live) != max(1, len(there)) or row.phase is not Phase.SUCCEEDED or not row.complete:
            wrong.append(f"{key}: a person ended it, and it is {row.phase.value} with {len(live)} live bookings")
        ended += 1
    return ended, wrong


def _shipped(client: Client, code: str, key: str) -> None:
    for _ in range(20):
        try:
            client.create_shipment(carriers.order(code, key), account=code, key=key)
        except ShipkitError:  # a crowded machine may miss a short send window: nothing left
            time.sleep(0.1)
        else:
            return


def _live(sim: Simulator, key: str) -> list[Booking]:
    return [booking for booking in sim.bookings() if booking.reference == key and booking.live]
