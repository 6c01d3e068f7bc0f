"""What a call costs beside the plain parse of the bytes that it got, with the network stubbed."""

from __future__ import annotations

import gc
import itertools
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from shipkit import Client, TrackingNumber
from shipkit.flow import drive
from shipkit.model import TrackQuery
from shipkit.testing import playback

from .requests import american, answer, stubbed
from .timing import Figure, paired
from .variants import in_turn, with_other_amounts, with_other_times

__all__ = ["dpd_label", "growth", "label", "rates", "tracking", "tracking_read", "tracking_reply"]

TOKEN = answer(200, b'{"access_token": "t", "expires_in": "14399"}')


def _account() -> Any:
    from shipkit_ups.carrier import Ups

    return Ups(client_id="id", client_secret="secret", shipper_number="A1B2C3")


def _ups(name: str, contents: list[bytes]) -> Client:
    """A client at UPS, whose operation *name* is answered by one of *contents* after the other."""
    return stubbed(_account(), {"token": TOKEN, name: answer(200, in_turn(contents))})


def recorded(shared: Path, recording: str) -> bytes:
    """The body of UPS's recorded answer."""
    reply = playback(shared / "recordings" / "ups" / recording).exchanges[0].reply
    if reply.status != 200:
        raise RuntimeError(f"not what is to be measured: {reply.status}")
    return reply.content


def _parsed(contents: list[bytes]) -> Callable[[], Any]:
    """The plain parse of the same bytes."""
    content = in_turn(contents)
    return lambda: json.loads(content())


def rates(shared: Path) -> Figure:
    """A full call of rate shopping at UPS: request built, sent, read with its per-package charges."""
    contents = with_other_amounts(recorded(shared, "rates_success.json"))
    client, request = _ups("rates", contents), attrs.evolve(american(), service=None)
    for _ in contents:
        answered = client.rates(request)
        per_package = [charge for quote in answered.quotes for charge in quote.charges if charge.package_ref]
        sums = [sum(charge.amount.amount for charge in quote.charges) for quote in answered.quotes]
        totals = [quote.total.amount for quote in answered.quotes]
        if answered.errors or len(answered.quotes) != 6 or len(per_package) < 20 or sums != totals:
            raise RuntimeError(f"not what is to be measured: {answered.errors}")
    return paired("UPS rates, full call", lambda: client.rates(request), _parsed(contents), bar=5, against="json.loads")


def label(shared: Path) -> Figure:
    """A shipment of two packages booked at UPS through the ledger in memory, each time under a key of its own."""
    contents = with_other_amounts(recorded(shared, "labels_success.json"))[:16]  # 80 kB each
    client, request, numbers = _ups("create_shipment", contents), american(), itertools.count()

    def book() -> Any:
        return client.create_shipment(request, account="account", key=f"order-{next(numbers)}")

    booked = book()
    again = client.create_shipment(request, account="account", key="order-0")
    if [document.format for document in booked.documents] != ["gif", "gif"] or again is not booked:
        raise RuntimeError("not what is to be measured: labels are missing, or the ledger keeps nothing")
    return paired("UPS label, ledger in memory", book, _parsed(contents), bar=7, against="json.loads")


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


def _tracked() -> tuple[Client, list[bytes], TrackingNumber]:
    contents = with_other_times(tracking_reply())
    return _ups("track", contents), contents, TrackingNumber(value="1Z999AA10123456784", carrier="ups")


def tracking() -> Figure:
    """One number tracked at UPS, ten events read and folded into a timeline."""
    client, contents, number = _tracked()
    [outcome] = client.track(number, account="account")
    if outcome.value is None or len(outcome.value.events) != 10 or outcome.value.milestone != "delivered":
        raise RuntimeError(f"not what is to be measured: {outcome.error}")
    return paired(
        "UPS tracking of 10 events, with its timeline",
        lambda: client.track(number, account="account"),
        _parsed(contents),
        bar=None,
        against="json.loads",
    )


def tracking_read() -> Figure:
    """The same up to the answer as values, before it is folded."""
    client, contents, number = _tracked()
    query = TrackQuery(number=number)
    desk = client._desk
    chosen = desk.account("account")

    def read() -> Any:
        def asked(stack: Any) -> Any:
            return (yield from drive(chosen.carrier.track(query), stack.send))  # type: ignore[attr-defined]

        return client._run(desk.calling(chosen, "track", 30, query, asked))

    result = read()
    if len(result.events) != 10 or len({event.event_id for event in result.events}) != 10:
        raise RuntimeError("not what is to be measured")
    return paired("UPS tracking of 10 events", read, _parsed(contents), bar=7, against="json.loads")


def dpd_label(shared: Path) -> Figure:
    """Reading a label of DPD France, beside zeep's own reading of it with the same description."""
    from .soap import bare_zeep, plugin_reading

    reply = playback(shared / "recordings" / "dpd_fr" / "test_dpd_label.json").exchanges[0].reply
    ours = plugin_reading(reply)
    theirs = bare_zeep(reply)
    labels = [document.content for document in ours().documents]
    if not labels or labels[0] not in _bytes_of(theirs()):
        raise RuntimeError("not what is to be measured: no label, or not the one that zeep reads")
    return paired("DPD France label read", ours, theirs, bar=1.15, against="zeep process_reply")


def _bytes_of(value: Any) -> list[bytes]:
    """The bytes within what zeep returns."""
    from zeep.helpers import serialize_object

    def within(node: Any) -> list[bytes]:
        if isinstance(node, dict):
            node = list(node.values())
        if isinstance(node, list):
            return [found for item in node for found in within(item)]
        return [node] if isinstance(node, bytes) else []

    return within(serialize_object(value, dict))  # type: ignore[no-untyped-call]


def growth(shared: Path | None) -> list[Figure]:
    """Bytes that are still held after a thousand calls."""
    client, _, number = _tracked()
    calls: dict[str, Callable[[], Any]] = {"trackings": lambda: client.track(number, account="account")}
    if shared is not None:
        contents, request = (
            with_other_amounts(recorded(shared, "rates_success.json")),
            attrs.evolve(american(), service=None),
        )
        rated = _ups("rates", contents)
        calls["rates"] = lambda: rated.rates(request)
    return [
        Figure(name=f"growth over 1,000 {name}", ratio=_held(call) / 1000, bar=4, unit="kB", base="tracemalloc")
        for name, call in calls.items()
    ]


def _held(call: Callable[[], Any]) -> int:
    for _ in range(300):
        call()
    tracemalloc.start()
    try:
        for _ in range(100):  # what is replaced by each call is counted before as well as after
            call()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            call()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
