"""A conversation that a carrier really had, and what a plugin must make of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import ReplyError, ShipkitError
from shipkit.flow import Request
from shipkit.model import Document, Money, TrackingNumber, Value

from .playing import Played, Reply, play

__all__ = ["Conversation", "Evidence", "escaped", "evidence", "parts", "total"]


@attrs.frozen(kw_only=True)
class Conversation:
    """One call of an operation and the carrier's replies to it, in order; ``error`` is what it must end with, if so.

    ``requests`` are what this plugin sent when it was recorded; leave them out where somebody else's program did.
    """

    operation: str
    argument: Any = None
    replies: tuple[Reply, ...]
    requests: tuple[Request, ...] = ()
    source: str = ""
    error: type[ShipkitError] | None = None

    def flow(self, carrier: Carrier) -> Any:
        """The operation of *carrier*, started."""
        method = getattr(carrier, self.operation)
        return method() if self.argument is None else method(self.argument)

    def play(self, carrier: Carrier, *replies: Reply) -> Played[Any]:
        """Play it, with other *replies* if they are given."""
        return play(self.flow(carrier), *(replies or self.replies), carrier=carrier)

    def spoilt(self, carrier: Carrier, index: int, reply: Reply) -> Played[Any]:
        """Play it with one reply replaced, which also answers whatever else is then asked."""
        replies = (*self.replies[:index], reply, *self.replies[index + 1 :])
        return play(self.flow(carrier), *replies, carrier=carrier, spare=reply)


@attrs.frozen(kw_only=True)
class Evidence:
    """What must not get lost in an answer: numbers of parcels, and documents by content or by address."""

    numbers: frozenset[str] = frozenset()
    documents: frozenset[bytes | str] = frozenset()

    def __le__(self, other: Evidence) -> bool:
        return self.numbers <= other.numbers and self.documents <= other.documents


def evidence(value: Any) -> Evidence:
    """The numbers and documents in an answer, wherever they stand in it."""
    found = list(parts(value))
    numbers = frozenset(part.value for part in found if isinstance(part, TrackingNumber))
    papers = [part for part in found if isinstance(part, Document)]
    return Evidence(
        numbers=numbers,
        documents=frozenset(paper.content if paper.content is not None else str(paper.url) for paper in papers),
    )


def parts(value: Any) -> Iterator[Value]:
    """Every value of the model inside *value*, itself first."""
    if isinstance(value, Value):
        yield value
        for field in attrs.fields(type(value)):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from parts(item)


def escaped(error: BaseException) -> bool:
    """Whether *error* is a plugin's own exception in the driver's clothes: a `ReplyError` that can name no path."""
    return isinstance(error, ReplyError) and error.paths == ("$",) and "the plugin raised" in error.message


def total(amounts: Iterable[Money]) -> tuple[Decimal, frozenset[str]]:
    """The exact sum, and the currencies that went into it."""
    listed = list(amounts)
    return sum((money.amount for money in listed), Decimal(0)), frozenset(money.currency for money in listed)
