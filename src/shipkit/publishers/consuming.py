"""What a consumer reads: a CloudEvent as a value, in order, whatever the broker gives twice or out of order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..codec import from_dict
from ..errors import InputError
from ..events.cloud import DATA, News
from ..model import Problem, ProblemCode, TrackingEvent, Value

if TYPE_CHECKING:
    from .inbox import Inbox

__all__ = ["InOrder", "Published", "in_order", "read_cloud_event"]

_NEEDED: Final = ("id", "source", "type", "specversion")


@attrs.frozen(kw_only=True, eq=False)
class Published:
    """One announcement as a consumer gets it."""

    id: str
    """With ``source`` unique: the same whenever it comes again."""
    source: str
    type: str
    news: News | None
    """None for a type that this version does not know: it may be newer than this consumer."""
    scope: str
    """The parcel (``partitionkey``)."""
    sequence: int
    """Of the parcel, rising by one; 0 where it has none."""
    subject: str = ""
    """The tracking number, or the host's key of a shipment of several parcels."""
    key: str = ""
    """The host's, of the shipment."""
    time: datetime | None = None
    """When it happened; None where that is not known."""
    data: Value | None = None
    """Of the class that `DATA` names for the type; None where the type is not known."""
    members: Mapping[str, Any] = attrs.field(repr=False)
    """All of it, as it came."""

    @property
    def account(self) -> str:
        """The account that it is about, as the host calls it."""
        from urllib.parse import unquote

        return unquote(self.source.rpartition("/")[2])


def read_cloud_event(body: bytes | str) -> Published:
    """The announcement in a message's *body*, structured JSON; members and types that are newer are tolerated.

    A `TrackingEvent` has the identity that it was published with, whatever fields it was published without.

    Raises:
        InputError: it is no CloudEvent 1.x, or the data of a known type cannot be read; names the paths.
    """
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused("", "is not JSON") from None
    if not isinstance(members, dict):
        raise _refused("", "is not an object")
    for name in _NEEDED:
        if not isinstance(members.get(name), str) or not members[name]:
            raise _refused(f"/{name}", "is missing, and every CloudEvent has it")
    if not members["specversion"].startswith("1."):
        raise _refused("/specversion", "is not 1.x")
    news = News(members["type"]) if members["type"] in set(News) else None
    return Published(
        id=members["id"],
        source=members["source"],
        type=members["type"],
        news=news,
        scope=_text(members, "partitionkey") or _text(members, "subject") or members["source"],
        sequence=_sequence(members.get("sequence")),
        subject=_text(members, "subject"),
        key=_text(members, "shipkitkey"),
        time=_time(members.get("time")),
        data=None if news is None else _data(news, members.get("data")),
        members=members,
    )


class InOrder:
    """Gives the announcements of each parcel in the order of their sequence, each once.

    The relay sends in order, so something can only be early where several consumers share a queue, or where something
    before it was refused by the destination (a dead one, see the runbook). It is held back until what is missing comes,
    or until *hold_max* are held back; then those of the parcel that waits longest are given with the gap.
    What is given is the consumer's to acknowledge; what is held back must not be acknowledged yet.
    """

    def __init__(self, inbox: Inbox | None = None, *, hold_max: int = 100) -> None:
        self._inbox, self._hold_max = inbox, hold_max
        self._next: dict[str, int] = {}
        self._held: dict[str, dict[int, Published]] = {}

    @property
    def held(self) -> int:
        """How many are held back."""
        return sum(len(one) for one in self._held.values())

    def take(self, event: Published) -> tuple[Published, ...]:
        """What can be acted on now that *event* came; of what comes again nothing."""
        scope, number = event.scope, event.sequence
        expected = self._next.get(scope, number)
        if not number or number < expected:  # late, or of no order: whether it comes again the inbox knows
            return self._fresh([event])
        held = self._held.setdefault(scope, {})
        held.setdefault(number, event)
        ready = self._following(scope, expected)
        while self.held > self._hold_max:
            oldest = next(iter(self._held))
            ready += self._following(oldest, min(self._held[oldest]))
        return self._fresh(ready)

    def rest(self) -> tuple[Published, ...]:
        """What is held back, with its gaps, in order: for a consumer that waited long enough, or ends."""
        ready = [self._held[scope][number] for scope in list(self._held) for number in sorted(self._held[scope])]
        for event in ready:
            self._next[event.scope] = event.sequence + 1
        self._held.clear()
        return self._fresh(ready)

    def _following(self, scope: str, number: int) -> list[Published]:
        held, ready = self._held[scope], []
        while number in held:
            ready.append(held.pop(number))
            number += 1
        self._next[scope] = max(number, self._next.get(scope, 0))
        if not held:
            del self._held[scope]
        return ready

    def _fresh(self, events: list[Published]) -> tuple[Published, ...]:
        return tuple(events if self._inbox is None else [event for event in events if self._inbox.first(event)])


def in_order(events: Iterable[Published], inbox: Inbox | None = None, *, hold_max: int = 100) -> Iterator[Published]:
    """*events* in the order of each parcel, each once where there is an *inbox*; see `InOrder`."""
    order = InOrder(inbox, hold_max=hold_max)
    for event in events:
        yield from order.take(event)
    yield from order.rest()


def _data(news: News, data: Any) -> Value:
    try:
        value = from_dict(data, DATA[news])
    except InputError as error:
        found = tuple(attrs.evolve(one, path=f"/data{one.path}") for one in error.problems)
        raise InputError(problems=found) from None
    told = data.get("event_id")
    if isinstance(value, TrackingEvent) and isinstance(told, str):
        # The hash over what is left cannot be that of the whole; the place of the computed one is filled.
        object.__setattr__(value, "event_id", told)
    return value


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _sequence(value: Any) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18 else 0


def _time(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value[:-1] + "+00:00" if value[-1] in "zZ" else value)
    except (TypeError, ValueError, IndexError):
        return None
    return at if at.tzinfo is not None else None


def _refused(path: str, text: str) -> InputError:
    return InputError(problems=(Problem(path=path, code=ProblemCode.MALFORMED, text=text),))
