"""What a carrier pushes: the bytes of its simulator for a few parcels, told of as many others as are wanted."""

from __future__ import annotations

import random
from collections.abc import Iterator

import attrs

from shipkit import Client
from shipkit.simulator import Simulator
from shipkit.simulator.journeys import JOURNEYS
from shipkit_easypost import EasyPost
from shipkit_easypost.simulator import EasyPostDialect
from shipkit_easypost.simulator.tracking import SIGNATURE
from tests.easypost.samples import KEY, ORDER

__all__ = ["SECRET", "Delivery", "deliveries"]

SECRET = "s3cret-of-the-pushes"


@attrs.frozen
class Delivery:
    """One push, before it is sent."""

    number: str
    headers: dict[str, str]
    body: bytes


def deliveries(count: int, seed: int) -> list[Delivery]:
    """So many different pushes of some parcels, shuffled, one in ten of them twice."""
    made: list[Delivery] = []
    patterns = _patterns()
    number = 0
    while len(made) < count:
        for pushes in patterns:
            number += 1
            made += _told_of(pushes, number)
    chance = random.Random(seed)
    chosen = made[: count - count // 11]
    chosen += chance.sample(chosen, count - len(chosen))
    chance.shuffle(chosen)
    return chosen


def _patterns() -> list[tuple[str, str, list[bytes]]]:
    """Tracking code, tracker id and bodies for each journey of the simulator."""
    with Simulator(EasyPostDialect()) as simulator:
        world = simulator.dialect.world
        account = EasyPost(api_key=KEY, base_url=simulator.url)
        found = []
        with Client({"easypost": account}) as client:
            for name in sorted(JOURNEYS):
                shipment = client.create_shipment(ORDER, account="easypost", key=f"order-{name}")
                code = shipment.tracking_numbers[0].value
                world.set_journey(code, name)
                found.append(code)
        world.subscribe(
            subscription_id="hook", account=world.bookings()[0].account, url="http://127.0.0.1:9/", credential=SECRET
        )
        world.clock.advance(200 * 3600)
        bodies: dict[str, list[bytes]] = {code: [] for code in found}
        for subscription in world.subscriptions():
            for code in found:
                for step in world.parcel(code).steps_until_now():
                    push = simulator.dialect.pushes(step, subscription)
                    if push is not None:
                        bodies[code].append(push.body)
        trackers = {code: _tracker_of(bodies[code][0]) for code in found}
    return [(code, trackers[code], bodies[code]) for code in found]


def _tracker_of(body: bytes) -> str:
    import json

    tracker: str = json.loads(body)["result"]["id"]
    return tracker


def _told_of(pattern: tuple[str, str, list[bytes]], number: int) -> Iterator[Delivery]:
    """The same journey for another parcel: another code, another tracker, other ids of the pushes."""
    code, tracker, bodies = pattern
    other = f"{code[:-8]}{number:08d}"
    for position, body in enumerate(bodies):
        told = body.replace(code.encode(), other.encode())
        told = told.replace(tracker.encode(), f"{tracker[:-8]}{number:08d}".encode())
        told = told.replace(b'"id": "evt_', f'"id": "evt_{number:08d}{position:02d}'.encode(), 1)
        headers = {"Content-Type": "application/json", SIGNATURE.header: SIGNATURE.signature(told, SECRET)}
        yield Delivery(other, headers, told)
