"""What the simulated carriers tell of every journey: asked now and then, and by pushes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs

from shipkit.carrier import Authenticates, ReadsWebhooks, Signs
from shipkit.cli.demo.stage import opened, orders, set_up
from shipkit.cli.orders.judging import ordered
from shipkit.flow import Headers, Response, Token
from shipkit.model import (
    DedupResult,
    DeliveryResult,
    ShipmentRequest,
    SignatureResult,
    TrackQuery,
    TrackResult,
    TrustLevel,
    WebhookDelivery,
)
from shipkit.simulator import JOURNEYS, Call, Dialect, Simulator, StepKind
from shipkit.simulator.calls import Headers as CallHeaders

__all__ = ["LONGEST_H", "Told", "everything_told"]

LONGEST_H = 200
_EVERY_H = 25


@attrs.frozen(kw_only=True)
class Told:
    """One parcel's way, as the carrier answered on the way, and as it pushed it (nothing where it does not)."""

    carrier: str
    journey: str
    end: StepKind
    polled: tuple[TrackResult, ...]
    pushed: tuple[TrackResult, ...]


def asked(simulator: Simulator, carrier: Any, query: TrackQuery) -> TrackResult:
    """What *carrier* reads out of the simulator's answer; a client would give the state instead."""
    token = _played(simulator, carrier, carrier.authenticate(), None) if isinstance(carrier, Authenticates) else None
    result: TrackResult = _played(simulator, carrier, carrier.track(query), token)
    return result


def _played(simulator: Simulator, carrier: Any, flow: Any, token: Token | None) -> Any:
    request = next(flow)
    while True:
        if token is not None and request.signed:
            request = carrier.authorize(attrs.evolve(request, id=f"{len(request.url):032d}"), token)
        if request.signed and isinstance(carrier, Signs):
            request = carrier.sign(request)
        url = urlsplit(request.url)
        call = Call(
            method=request.method,
            path=unquote(url.path),
            query_string=url.query,
            headers=CallHeaders(request.headers),
            body=request.content,
            received_at=simulator.clock.now(),
        )
        with simulator.world.lock:
            reply = simulator.dialect.handle(call)
        response = Response(
            status=reply.status,
            headers=Headers(reply.headers),
            content=reply.body,
            request=request,
            received_at=simulator.clock.now(),
        )
        carrier.check(response)
        try:
            request = flow.send(response)
        except StopIteration as done:
            return done.value


@cache
def everything_told(carrier: str) -> tuple[Told, ...]:
    """Every journey at *carrier*, asked for every day and a little more; the same each time."""
    return tuple(_told(carrier))


def _told(code: str) -> Iterator[Told]:
    with set_up() as stage, opened(stage) as (client, _):
        (alias,) = [alias for alias, carrier in stage.accounts.items() if carrier.code == code]
        simulator, carrier = stage.simulators[alias], stage.accounts[alias]
        rows = [row for row in orders() if row.account == alias]
        request = next(
            each for row in rows if isinstance(each := ordered(row, carrier), ShipmentRequest) and not each.packages[1:]
        )
        shipments = {
            name: client.create_shipment(request, account=alias, key=f"way-{name}").tracking_numbers[0]
            for name in JOURNEYS
        }
        with simulator.world.lock:
            for name, number in shipments.items():
                simulator.world.set_journey(simulator.world.by_number(number.value).numbers[0], name)
            subscription = simulator.world.subscribe(
                subscription_id="told",
                url="http://127.0.0.1/",
                credential="shown",
                account=simulator.bookings()[0].account,
            )
        polled: dict[str, list[TrackResult]] = {name: [] for name in JOURNEYS}
        for _ in range(0, LONGEST_H, _EVERY_H):
            stage.advance(_EVERY_H * 3600)
            for name, number in shipments.items():
                polled[name].append(asked(simulator, carrier, TrackQuery(number=number)))
        for name, number in shipments.items():
            pushed: list[TrackResult] = []
            if type(simulator.dialect).pushes is not Dialect.pushes and isinstance(carrier, ReadsWebhooks):
                for step in simulator.world.parcel(number.value).steps_until_now():
                    push = simulator.dialect.pushes(step, subscription)
                    if push is not None:
                        delivery = WebhookDelivery(
                            delivery_id=f"{name}-{step.index}",
                            carrier=code,
                            account=alias,
                            received_at=step.at + timedelta(minutes=1),
                            headers=push.headers,
                            body=push.body,
                            signature=SignatureResult.VALID,
                            trust=TrustLevel.BODY_SIGNED,
                            dedup=DedupResult.FIRST,
                            result=DeliveryResult.ACCEPTED,
                        )
                        pushed += carrier.read_webhook(delivery)
            yield Told(
                carrier=code,
                journey=name,
                end=JOURNEYS[name].end,
                polled=tuple(polled[name]),
                pushed=tuple(pushed),
            )
