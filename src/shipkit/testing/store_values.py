"""What the contract of stores writes into them, and how what comes back is compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import attrs

from shipkit import model as m
from shipkit.codec import split, to_json
from shipkit.ports import Claim, Entry, Kept, Store, Stray

__all__ = [
    "SHIPMENT",
    "VOIDED",
    "WITH_BOTH",
    "WITH_LABEL",
    "Clock",
    "Hands",
    "Open",
    "Places",
    "World",
    "claim",
    "plain",
]

Clock = Callable[[], float]
Open = Callable[[Clock], Store]
"""Opens a store in one place, with this clock; again and again, as further workers would."""
Places = Callable[[], Open]
"""A new place each time, in which there is nothing."""


class Hands:
    """A clock that moves when the test says so: seconds since 1970."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.25

    def __call__(self) -> float:
        return self.at


class World:
    """Opens stores on one clock, and closes them all."""

    def __init__(self, places: Places) -> None:
        self.clock = Hands()
        self._places = places
        self._open: Open | None = None
        self._opened: list[Store] = []

    def empty(self) -> Any:
        """A store in a new place."""
        self._open = self._places()
        return self.beside()

    def beside(self) -> Any:
        """A further store in the newest place, as another worker has it."""
        if self._open is None:
            return self.empty()
        store = self._open(self.clock)
        self._opened.append(store)
        return store

    def close(self) -> None:
        """Close what was opened."""
        while self._opened:
            self._opened.pop().close()


def _party(name: str, street: str, postcode: str, city: str, country: str) -> m.Party:
    address = m.Address(lines=(street,), postal_code=postcode, city=city, country=country)
    return m.Party(contact=m.Contact(name=name), address=address)


REQUEST = m.ShipmentRequest(
    ship_from=_party("Sender Ltd", "1 Depot Road", "10115", "Berlin", "DE"),
    ship_to=_party("Jo Receiver", "2 Home Street", "75001", "Paris", "FR"),
    packages=(m.Package(ref="box-1", weight=m.Weight("1.5", m.WeightUnit.KG)),),
    service="HOME",
    reference="SO042",
)
SHIPMENT = m.Shipment(
    shipment_id="S1",
    reference="SO042",
    state=m.BookingState.CONFIRMED,
    service="HOME",
    packages=(),
    tracking_numbers=(),
    created_at=datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc),
)
_LABEL = m.Document(kind=m.DocumentKind.LABEL, format=m.DocumentFormat.PDF, content=b"%PDF-1.4 label \x00\xff")
_INVOICE = m.Document(kind=m.DocumentKind.COMMERCIAL_INVOICE, format=m.DocumentFormat.PDF, content=b"%PDF-1.4 invoice")
WITH_LABEL = attrs.evolve(SHIPMENT, documents=(_LABEL,))
WITH_BOTH = attrs.evolve(SHIPMENT, documents=(_LABEL, _INVOICE))
VOIDED = m.CancellationResult(outcome=m.CancelOutcome.VOIDED)


def claim(key: str = "order-1", attempt: int = 1, generation: int = 1, **changes: Any) -> Claim:
    """The intention to send for *key*."""
    values: dict[str, Any] = {
        "key": key,
        "generation": generation,
        "attempt": attempt,
        "operation": "create_shipment",
        "account": "acme-de",
        "carrier": "acme",
        "fingerprint": "f1:a",
        "base": f"{key}-{generation}",
        "owner": "me",
        "request": REQUEST,
        "lease_s": 70.0,
        "settle_s": 910.0,
        "watch_s": 5000.0,
        "attempts_max": 3,
    }
    return Claim(**values | changes)


def plain(entry: Entry | None, *, blobs: bool = True) -> dict[str, Any] | None:
    """A row as data that can be compared, whichever way its store keeps values."""
    if entry is None:
        return None
    members = {field.name: getattr(entry, field.name) for field in attrs.fields(Entry)}
    members["request"] = _one_text(entry.request)
    members["void_result"] = _one_text(entry.void_result)
    members["result"] = _apart(entry.result, blobs=blobs)
    return members


def plain_stray(stray: Stray) -> tuple[Any, ...]:
    """The same of a further booking."""
    return stray.key, stray.generation, stray.booking, stray.attempt, stray.phase, _apart(stray.result, blobs=True)


def _one_text(value: Any) -> bytes | None:
    return value.text if isinstance(value, Kept) else None if value is None else to_json(value)


def _apart(value: Any, *, blobs: bool) -> Any:
    if value is None:
        return None
    text, parts = (value.text, value.blobs) if isinstance(value, Kept) else split(value)
    return text, parts if blobs else ()
