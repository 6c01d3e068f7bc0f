"""Everything that an event store keeps, as lines of JSON, whatever kind of store it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..codec import dumps, to_dict
from ..ports.events import EventStore, Letter, Parcel
from .event_values import parcel_dict

__all__ = ["exported"]

_PAGE = 200


def exported(events: EventStore, prefix: str = "") -> Iterator[str]:
    """A line for each parcel, event, delivery and announcement, names and all.

    With *prefix* only parcels whose key begins with it and their events: deliveries and announcements have no key.
    """
    for parcel, records in _parcels(events, prefix):
        yield _line("parcel", parcel_dict(parcel))
        for event in records:
            yield _line("event", {**to_dict(event), "event_id": event.event_id})
    if prefix:
        return
    after = 0
    while letters := events.letters(after=after, limit=_PAGE, bodies=True):
        yield from (_line("delivery", _letter(each)) for each in letters)
        after = letters[-1].id
    after = 0
    while told := events.announcements(after=after, limit=_PAGE):
        for each in told:
            at = each.at.isoformat() if each.at is not None else None
            members = {"number": each.number, "key": each.key, "scope": each.scope, "at": at}
            yield _line("announcement", members | {"body": each.body.decode("utf-8", "replace")})
        after = told[-1].number


def _parcels(events: EventStore, prefix: str) -> Iterator[tuple[Parcel, Any]]:
    after = ""
    while page := events.walk(after=after, limit=_PAGE):
        chosen = [parcel for parcel in page if parcel.key.startswith(prefix)]
        records = events.evidence([parcel.scope for parcel in chosen])
        yield from ((parcel, records[parcel.scope]) for parcel in chosen)
        after = page[-1].scope


def _letter(letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = {"id": letter.id, "state": letter.state.value, "attempts": letter.attempts}
    told |= {"error": letter.error, "detail": letter.detail, "waits_for": list(letter.waits_for)}
    return {name: item for name, item in told.items() if item not in ("", [])} | {"delivery": to_dict(letter.delivery)}


def _line(kind: str, members: dict[str, Any]) -> str:
    return dumps({"kind": kind, **members}).decode()
