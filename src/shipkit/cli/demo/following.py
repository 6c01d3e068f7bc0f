"""Where the parcels went: pushed where the carrier pushes, polled where it does not, else said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

import attrs

from ...carrier import ReadsWebhooks, Subscribes, Tracks, able
from ...client import Client
from ...events import Evidence, fold, scoped
from ...model import SubscriptionRequest, Timeline, TrackingEvent, TrackingNumber
from .receiver import Receiver
from .stage import Stage
from .story import Push, Story

__all__ = ["followed"]

_COPIES = 2


@attrs.define
class _Inbox:
    """What came in for one account: how often, and the events of each number."""

    deliveries: int = 0
    refused: int = 0
    evidence: dict[str, Evidence] = attrs.field(factory=dict)


def followed(stage: Stage, client: Client, story: Story, hours: int) -> list[Push]:
    """Subscribe, move the parcels for *hours*, take the pushes in as they come, poll the rest; the timelines go into
    the orders.
    """
    inboxes = {alias: _Inbox() for alias, carrier in stage.accounts.items() if _pushes(carrier)}
    lock = Lock()

    def receive(alias: str, headers: Mapping[str, str], body: bytes) -> bool:
        push = client.receive_webhook(alias, headers, body)
        with lock:
            inbox = inboxes[alias]
            inbox.deliveries += 1
            inbox.refused += not push.results
            for result in push.results:
                known = inbox.evidence.get(result.number.value, Evidence())
                inbox.evidence[result.number.value] = known.add(_scoped(alias, result.number, result.events))
        return bool(push.results)

    with Receiver(receive) as receiver:
        for alias in inboxes:
            numbers = _numbers(story, alias)
            if numbers:
                request = SubscriptionRequest(numbers=numbers, callback_url=receiver.url(alias))
                client.subscribe(request, account=alias, key=f"subscribe/{alias}")
        stage.advance(hours * 3600, order="shuffled", copies=_COPIES)
    return [_told(stage, client, story, alias, inboxes.get(alias)) for alias in stage.accounts]


def _pushes(carrier: object) -> bool:
    return isinstance(carrier, Subscribes) and isinstance(carrier, ReadsWebhooks)


def _scoped(alias: str, number: TrackingNumber, events: Sequence[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    return scoped(events, f"{alias}:{number.value}")


def _numbers(story: Story, alias: str) -> tuple[TrackingNumber, ...]:
    own = (order for order in story.orders if order.account == alias and order.shipment is not None)
    return tuple(
        number
        for order in own
        if order.cancelled is None and order.shipment is not None
        for number in order.shipment.tracking_numbers
    )


def _told(stage: Stage, client: Client, story: Story, alias: str, inbox: _Inbox | None) -> Push:
    carrier, numbers = stage.accounts[alias], _numbers(story, alias)
    if not able(carrier, Tracks):
        return Push(account=alias, way="none")
    polled = {
        number.value: outcome.value
        for number, outcome in zip(numbers, client.track(numbers, account=alias) if numbers else (), strict=True)
        if outcome.value is not None
    }
    if inbox is None:
        _enter(story, alias, polled)
        return Push(account=alias, way="polled", events=sum(len(one.events) for one in polled.values()))
    pushed = {
        number.value: fold(evidence, scope=f"{alias}:{number.value}", tracking_number=number)
        for number in numbers
        if (evidence := inbox.evidence.get(number.value)) is not None
    }
    _enter(story, alias, pushed)
    return Push(
        account=alias,
        way="pushed",
        deliveries=inbox.deliveries,
        refused=inbox.refused,
        events=sum(len(evidence) for evidence in inbox.evidence.values()),
        agree={number: one.milestone for number, one in pushed.items()}
        == {number: one.milestone for number, one in polled.items()},
    )


def _enter(story: Story, alias: str, timelines: Mapping[str, Timeline]) -> None:
    for order in story.orders:
        if order.account == alias:
            order.timelines = {number: timelines[number] for number in order.numbers if number in timelines}
