"""What must be true when everything has come to rest: nothing lost, nothing told wrong, each consumer served."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import attrs

from shipkit.events import fold, scoped
from shipkit.events.cloud import News
from shipkit.model import (
    DedupResult,
    DeliveryResult,
    EventSource,
    Milestone,
    SignatureResult,
    TrackingEvent,
    TrustLevel,
    WebhookDelivery,
)
from shipkit.ports.events import EventStore, LetterState, Parcel
from tests.easypost.samples import EASYPOST
from tests.services.kills.feed import Delivery

__all__ = ["Judgement", "judged"]


@attrs.define
class Judgement:
    """What was counted, and everything that must not be."""

    deliveries: int = 0
    events: int = 0
    announcements: int = 0
    received: dict[str, int] = attrs.Factory(dict)
    """By destination, duplicates included."""
    violations: list[str] = attrs.Factory(list)

    def wrong(self, what: str) -> None:
        if len(self.violations) < 50:
            self.violations.append(what)


def judged(store: EventStore, acknowledged: Sequence[Delivery], received: Mapping[str, Sequence[bytes]]) -> Judgement:
    """Hold what the store keeps and what each destination's consumer was handed, against what got a 2xx."""
    found = Judgement(deliveries=len(acknowledged))
    _inbox(store, acknowledged, found)
    parcels = _evidence(store, acknowledged, found)
    told = {one.key: one for one in _announcements(store)}
    found.announcements = len(told)
    ids = {json.loads(one.body)["id"] for one in told.values()}
    for destination, bodies in received.items():
        found.received[destination] = len(bodies)
        _consumer(destination, bodies, ids, parcels, found)
    return found


def _inbox(store: EventStore, acknowledged: Iterable[Delivery], found: Judgement) -> None:
    stored: dict[str, LetterState] = {}
    after = 0
    while page := store.letters(after=after, limit=1000):
        stored.update((letter.delivery.delivery_id, letter.state) for letter in page)
        after = page[-1].id
    for delivery in acknowledged:
        state = stored.get(sha256(delivery.body).hexdigest())
        if state is not LetterState.DONE:
            found.wrong(f"a delivery for {delivery.number} got a 2xx and is {state and state.value}")


def _evidence(store: EventStore, acknowledged: Iterable[Delivery], found: Judgement) -> dict[str, Parcel]:
    """Each parcel's events are those of its deliveries, and its state is what they prove."""
    bodies: dict[str, set[bytes]] = {}
    for delivery in acknowledged:
        bodies.setdefault(delivery.number, set()).add(delivery.body)
    parcels: dict[str, Parcel] = {}
    for number, told in bodies.items():
        (parcel,) = store.find([("easypost", number)])
        if parcel is None or parcel.timeline is None:
            found.wrong(f"{number} has no state")
            continue
        parcels[parcel.scope] = parcel
        meant = {event.event_id for body in told for event in _events(body, parcel)}
        kept = store.evidence([parcel.scope])[parcel.scope]
        found.events += len(kept)
        if meant != {event.event_id for event in kept}:
            found.wrong(f"{number}: {len(meant)} events were pushed, {len(kept)} are in the evidence")
        whole = fold(kept, scope=parcel.scope)
        if whole.milestone is not parcel.timeline.milestone or whole.entries != parcel.timeline.entries:
            found.wrong(f"{number}: at {parcel.timeline.milestone}, its evidence proves {whole.milestone}")
    return parcels


def _events(body: bytes, parcel: Parcel) -> tuple[TrackingEvent, ...]:
    delivery = WebhookDelivery(
        delivery_id="",
        carrier="easypost",
        account="easypost",
        received_at=datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
        headers={},
        body=body,
        signature=SignatureResult.VALID,
        trust=TrustLevel.BODY_SIGNED,
        dedup=DedupResult.FIRST,
        result=DeliveryResult.ACCEPTED,
    )
    results = EASYPOST.read_webhook(delivery)
    return scoped([event for one in results for event in one.events], parcel.scope, source=EventSource.WEBHOOK)


def _announcements(store: EventStore) -> Iterator[Any]:
    after = 0
    while page := store.announcements(after, 1000):
        yield from page
        after = page[-1].number


def _consumer(
    destination: str, bodies: Sequence[bytes], ids: set[str], parcels: Mapping[str, Parcel], found: Judgement
) -> None:
    """A consumer that drops what it saw is told everything once, of each parcel in order, and ends where it is."""
    seen: set[str] = set()
    last: dict[str, int] = {}
    at: dict[str, str] = {}
    for body in bodies:
        event = json.loads(body)
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        scope, number = event["partitionkey"], int(event["sequence"])
        if number != last.get(scope, 0) + 1:
            found.wrong(f"{destination}: {scope} went from {last.get(scope, 0)} to {number}")
        last[scope] = number
        if event["type"] in (News.ENTERED.value, News.CORRECTED.value):
            at[scope] = event["data"]["to_milestone"]
    if seen != ids:
        found.wrong(f"{destination}: {len(ids - seen)} never came, {len(seen - ids)} were never announced")
    for scope, parcel in parcels.items():
        milestone = parcel.timeline.milestone if parcel.timeline is not None else Milestone.UNKNOWN
        if at.get(scope, Milestone.UNKNOWN.value) != milestone.value:
            found.wrong(f"{destination}: {scope} is believed {at.get(scope)}, and is {milestone.value}")
