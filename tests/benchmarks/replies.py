"""What a call costs beside the plain parse of the bytes that it got, with the network stubbed."""

from __future__ import annotations

import gc
import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any

import attrs

from shipkit import Client, TrackingNumber
from shipkit.testing import playback

from .requests import american, answer, stubbed
from .timing import Figure, paired

__all__ = ["dpd_label", "growth", "label", "rates", "tracking", "tracking_reply"]

TOKEN = answer(200, b'{"access_token": "t", "expires_in": "14399"}')


def _ups(name: str, shared: Path, recording: str) -> tuple[Client, bytes]:
    from shipkit_ups.carrier import Ups

    account = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3")
    reply = playback(shared / "recordings" / "ups" / recording).exchanges[0].reply
    return stubbed(account, {"token": TOKEN, name: answer(reply.status, reply.content)}), reply.content


def rates(shared: Path) -> Figure:
    """A full call of rate shopping at UPS: request built, sent, read with its per-package charges."""
    client, content = _ups("rates", shared, "rates_success.json")
    request = attrs.evolve(american(), service=None)
    answered = client.rates(request)
    if len(answered.quotes) < 2 or answered.errors:
        raise RuntimeError(f"not what is to be measured: {answered.errors}")
    return paired(
        "UPS rates, full call", lambda: client.rates(request), lambda: json.loads(content), bar=5, against="json.loads"
    )


def label(shared: Path) -> Figure:
    """A shipment of two packages booked at UPS through the ledger in memory, each time under a key of its own."""
    client, content = _ups("create_shipment", shared, "labels_success.json")
    request, numbers = american(), itertools.count()

    def book() -> Any:
        return client.create_shipment(request, account="account", key=f"order-{next(numbers)}")

    if len(book().documents) < 2:
        raise RuntimeError("not what is to be measured: labels are missing")
    return paired("UPS label, ledger in memory", book, lambda: json.loads(content), bar=7, against="json.loads")


def tracking_reply(events: int = 10) -> bytes:
    """A delivered parcel with *events* activities, in the form of UPS's Tracking.yaml."""
    steps = [("D", "FS", "DELIVERED"), ("I", "OT", "Out For Delivery Today"), ("I", "DS", "Destination Scan")]
    steps += [("I", "AR", "Arrived at Facility"), ("I", "DP", "Departed from Facility")] * events
    activities = []
    for index, (kind, code, text) in enumerate(
        [*steps[: events - 2], ("I", "OR", "Origin Scan"), ("M", "MP", "Label")]
    ):
        day, hour = 12 - index // 3, 20 - index % 3 * 4
        activities.append(
            {
                "location": {
                    "address": {"city": "Louisville", "stateProvince": "KY", "countryCode": "US", "country": "US"},
                    "slic": "4009",
                },
                "status": {"type": kind, "description": text, "code": code, "statusCode": "011"},
                "date": f"202603{day:02d}",
                "time": f"{hour:02d}1500",
                "gmtDate": f"202603{day:02d}",
                "gmtOffset": "-05:00",
                "gmtTime": f"{(hour + 5) % 24:02d}:15:00",
            }
        )
    package = {
        "trackingNumber": "1Z999AA10123456784",
        "deliveryDate": [{"type": "DEL", "date": "20260312"}],
        "activity": activities,
        "currentStatus": {"description": "Delivered", "code": "011"},
        "packageCount": 1,
        "weight": {"unitOfMeasurement": "LBS", "weight": "2.50"},
        "service": {"code": "518", "levelCode": "011", "description": "UPS Ground"},
    }
    shipment = {"inquiryNumber": "1Z999AA10123456784", "package": [package]}
    return json.dumps({"trackResponse": {"shipment": [shipment]}}).encode()


def tracking() -> Figure:
    """One number tracked at UPS, ten events read and folded into a timeline."""
    from shipkit_ups.carrier import Ups

    content = tracking_reply()
    account = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3")
    client = stubbed(account, {"token": TOKEN, "track": answer(200, content)})
    number = TrackingNumber(value="1Z999AA10123456784", carrier="ups")
    [outcome] = client.track(number, account="account")
    if outcome.value is None or len(outcome.value.events) != 10:
        raise RuntimeError(f"not what is to be measured: {outcome.error}")
    return paired(
        "UPS tracking of 10 events, with its timeline",
        lambda: client.track(number, account="account"),
        lambda: json.loads(content),
        bar=None,
        against="json.loads",
    )


def tracking_read() -> Figure:
    """The same up to the answer as values, before it is folded."""
    from shipkit.flow import drive
    from shipkit.model import TrackQuery
    from shipkit_ups.carrier import Ups

    content = tracking_reply()
    account = Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3")
    client = stubbed(account, {"token": TOKEN, "track": answer(200, content)})
    query = TrackQuery(number=TrackingNumber(value="1Z999AA10123456784", carrier="ups"))
    desk = client._desk
    chosen = desk.account("account")

    def read() -> Any:
        def asked(stack: Any) -> Any:
            return (yield from drive(account.track(query), stack.send))

        return client._run(desk.calling(chosen, "track", 30, query, asked))

    if len(read().events) != 10:
        raise RuntimeError("not what is to be measured")
    return paired("UPS tracking of 10 events", read, lambda: json.loads(content), bar=7, against="json.loads")


def dpd_label(shared: Path) -> Figure:
    """Reading a label of DPD France, beside zeep's own reading of it with the same description."""
    from .soap import bare_zeep, plugin_reading

    reply = playback(shared / "recordings" / "dpd_fr" / "test_dpd_label.json").exchanges[0].reply
    ours = plugin_reading(reply)
    if not ours().documents:
        raise RuntimeError("not what is to be measured: no label")
    return paired("DPD France label read", ours, bare_zeep(reply), bar=1.15, against="zeep process_reply")


def growth(shared: Path) -> Figure:
    """Bytes that are still held after a thousand calls."""
    client, _ = _ups("rates", shared, "rates_success.json")
    request = attrs.evolve(american(), service=None)
    for _ in range(200):
        client.rates(request)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        client.rates(request)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return Figure(name="growth over 1,000 calls", ratio=held / 1000, bar=4, unit="kB", base="tracemalloc")
