"""What the contract of event stores writes into them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

import attrs

from shipkit import model as m
from shipkit.ports.events import Announcement, EventStore, Parcel, ParcelWork, Work
from shipkit.testing.store_values import Clock, Hands

__all__ = ["BEGAN", "EventPlaces", "EventWorld", "KeptEvents", "announcement", "delivery", "event", "parcel", "work"]

BEGAN = datetime(2023, 11, 1, 12, tzinfo=timezone.utc)


class KeptEvents(Protocol):
    """A store of events that can be opened and closed."""

    @property
    def events(self) -> EventStore: ...

    def close(self) -> None: ...


EventPlaces = Callable[[], Callable[[Clock], KeptEvents]]
"""A new place each time, in which there is nothing: it opens stores in it, on this clock, as further workers would."""


class EventWorld:
    """Opens stores of events on one clock, and closes them all."""

    def __init__(self, places: EventPlaces) -> None:
        self.clock = Hands()
        self._places = places
        self._open: Callable[[Clock], KeptEvents] | None = None
        self._opened: list[KeptEvents] = []

    def empty(self) -> EventStore:
        """A store in a new place."""
        self._open = self._places()
        return self.beside()

    def beside(self) -> EventStore:
        """A further one in the newest place."""
        assert self._open is not None, "there is no place yet"
        self._opened.append(self._open(self.clock))
        return self._opened[-1].events

    def close(self) -> None:
        """Close all that were opened."""
        while self._opened:
            self._opened.pop().close()


def delivery(delivery_id: str, *, account: str = "main", **members: Any) -> m.WebhookDelivery:
    """A push that was verified."""
    fields: dict[str, Any] = {
        "carrier": "acme",
        "received_at": BEGAN,
        "headers": {"content-type": "application/json"},
        "body": b'{"name": "J. Smith"}',
        "signature": m.SignatureResult.VALID,
        "trust": m.TrustLevel.BODY_SIGNED,
        "dedup": m.DedupResult.FIRST,
        "result": m.DeliveryResult.ACCEPTED,
    }
    return m.WebhookDelivery(delivery_id=delivery_id, account=account, **fields | members)


def parcel(name: str, **members: Any) -> Parcel:
    """A parcel that was booked when everything began, its number being its *name*."""
    fields: dict[str, Any] = {
        "scope": f"acme:{name}:20231101",
        "carrier": "acme",
        "account": "main",
        "number": name,
        "key": f"order-{name}",
        "since": BEGAN,
        "query": m.TrackQuery(number=m.TrackingNumber(value=name or "NONE", carrier="acme"), postal_code="50667"),
    }
    return Parcel(**fields | members)


def event(scope: str, minute: int, **members: Any) -> m.TrackingEvent:
    """A scan in some minute of the first hour."""
    fields: dict[str, Any] = {
        "time": m.EventTime(
            local=(BEGAN + timedelta(days=1, minutes=minute)).replace(tzinfo=None),
            precision=m.TimePrecision.MINUTE,
            offset_min=60,
            basis=m.TimeBasis.OFFSET,
        ),
        "milestone": m.Milestone.IN_TRANSIT,
        "code": f"S{minute}",
        "text": "Left with J. Smith",
        "signed_by": "J. Smith",
        "place": m.EventPlace(city="Köln", postal_code="50667", country="DE"),
        "source": m.EventSource.WEBHOOK,
        "observed_at": BEGAN + timedelta(minutes=minute),
        "mapping_version": "1",
    }
    return m.TrackingEvent(scope=scope, **fields | members)


def announcement(scope: str, sequence: int, key: str = "") -> Announcement:
    """The announcement of that number in its scope."""
    name = key or f"{scope}|{sequence}"
    return Announcement(key=name, scope=scope, sequence=sequence, type="io.example.v1", body=f"{{{sequence}}}".encode())


def work(before: Parcel, *events: m.TrackingEvent, tell: int = 0, to: tuple[str, ...] = (), **changes: Any) -> Work:
    """One parcel's next state, with the next *tell* announcements of its scope."""
    told = tuple(announcement(before.scope, before.sequence + place) for place in range(1, tell + 1))
    after = attrs.evolve(before, sequence=before.sequence + tell, **changes)
    return Work(parcels=(ParcelWork(before=before, after=after, events=events, announcements=told),), destinations=to)
