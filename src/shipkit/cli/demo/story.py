"""What happened in the demo: facts, to be told as text or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from ...model import CancellationResult, Shipment, Timeline
from ..rows import Row

__all__ = ["Closing", "Naive", "Order", "Price", "Push", "Story"]


@attrs.frozen(kw_only=True)
class Price:
    """What one account said about the price of the order that was quoted: an offer, or why there is none."""

    account: str
    offers: int = 0
    cheapest: str = ""
    fastest: str = ""
    reason: str = ""


@attrs.define(kw_only=True)
class Order:
    """One order of the file, on its way through the demo."""

    row: Row
    account: str
    packages: int
    aimed: bool = False
    """Whether the fault waits for its first purchase."""
    hit: bool = False
    """Whether it met the fault."""
    shipment: Shipment | None = None
    failures: list[str] = attrs.field(factory=list)
    """What each try that brought no shipment ended with."""
    for_person: bool = False
    attempts: int = 1
    """How often the ledger let it be bought anew."""
    files: tuple[Path, ...] = ()
    cancelled: CancellationResult | None = None
    timelines: dict[str, Timeline] = attrs.field(factory=dict)
    """By tracking number."""

    @property
    def reference(self) -> str:
        """The host's number."""
        return self.row.reference

    @property
    def numbers(self) -> tuple[str, ...]:
        """The parcels' numbers."""
        return tuple(number.value for number in self.shipment.tracking_numbers) if self.shipment is not None else ()

    def data(self) -> dict[str, Any]:
        """The order as JSON data, without people."""
        out: dict[str, Any] = {
            "reference": self.reference,
            "account": self.account,
            "return": self.row.way_back is not None,
            "numbers": list(self.numbers),
            "labels": [str(path) for path in self.files],
            "failures": self.failures,
            "for_a_person": self.for_person,
            "attempts": self.attempts,
            "hit_by_fault": self.hit,
        }
        if self.cancelled is not None:
            out["cancelled"] = str(self.cancelled.outcome)
        out["timelines"] = {
            number: [
                {"milestone": str(entry.milestone), "at": entry.at.local.isoformat()} for entry in timeline.entries
            ]
            for number, timeline in self.timelines.items()
        }
        return out


@attrs.frozen(kw_only=True)
class Push:
    """How one account's events came in."""

    account: str
    way: str
    """``pushed``, ``polled`` or ``none``."""
    deliveries: int = 0
    events: int = 0
    refused: int = 0
    agree: bool | None = None
    """Whether a poll says the same as the pushes."""


@attrs.frozen(kw_only=True)
class Naive:
    """What a client that repeats on any error would have done at one account."""

    account: str
    orders: int
    bookings: int
    answered: int
    """Orders for which it got a label in the end."""


@attrs.frozen(kw_only=True)
class Closing:
    """The count from three sources: the carriers' own books, the file of orders, the folder of labels."""

    bookings: int
    intents: int
    labels: int
    for_person: int

    def line(self) -> str:
        """The last line of the demo."""
        return (
            f"bookings at the carriers: {self.bookings}, intents: {self.intents}, labels: {self.labels}, "
            f"for a person: {self.for_person}"
        )


@attrs.define(kw_only=True)
class Story:
    """Everything, in the order of its happening."""

    fault: str | None
    folder: Path
    orders: Sequence[Order] = ()
    quoted: str = ""
    prices: Sequence[Price] = ()
    choice: str = ""
    moved_h: int = 0
    pushes: Sequence[Push] = ()
    naive: Sequence[Naive] = ()
    closing: Closing | None = None
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether every order has its label, or is known to be somebody's to decide, and none is booked twice."""
        closing = self.closing
        if closing is None or closing.bookings > closing.intents:
            return False
        return closing.labels + closing.for_person == closing.intents

    def data(self) -> dict[str, Any]:
        """The story as JSON data."""
        return {
            "fault": self.fault,
            "labels_in": str(self.folder),
            "quoted": self.quoted,
            "choice": self.choice,
            "prices": [attrs.asdict(price) for price in self.prices],
            "orders": [order.data() for order in self.orders],
            "tracking": [attrs.asdict(push) for push in self.pushes],
            "naive": [attrs.asdict(one) for one in self.naive],
            "closing": attrs.asdict(self.closing) if self.closing is not None else None,
            "seconds": round(self.seconds, 2),
        }
