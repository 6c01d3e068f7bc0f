"""Evidence: a set of events keyed by identity. Adding is union, so it commutes, and adding twice is adding once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Final

from shipkit.codec.canon import record
from shipkit.model import EventSource, TimeBasis, TrackingEvent, evolve
from shipkit.ports.events import FORGOTTEN

__all__ = ["Evidence", "is_forgotten", "scoped"]


class Evidence:
    """What is known of one parcel: one record per event, the fuller one where a fact was told twice."""

    __slots__ = ("_records",)

    def __init__(self, events: Iterable[TrackingEvent] = ()) -> None:
        self._records: dict[str, TrackingEvent] = {}
        self._join(events)

    def add(self, events: Iterable[TrackingEvent]) -> Evidence:
        """This evidence and *events*."""
        return self.joined(events)[0]

    def joined(self, events: Iterable[TrackingEvent]) -> tuple[Evidence, tuple[TrackingEvent, ...]]:
        """This evidence and *events*, and the records that are new or fuller by them."""
        made = Evidence()
        made._records = dict(self._records)
        return made, tuple(made._records[event_id] for event_id in made._join(events))

    def merge(self, other: Evidence) -> Evidence:
        """Both together."""
        return self.add(other)

    def _join(self, events: Iterable[TrackingEvent]) -> dict[str, None]:
        records, changed = self._records, dict[str, None]()
        for event in events:
            event_id = event.event_id
            known = records.get(event_id)
            if known is None or (known is not event and _fuller(known, event) is event):
                records[event_id] = event
                changed[event_id] = None
        return changed

    def __iter__(self) -> Iterator[TrackingEvent]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._records

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and self._records == other._records

    __hash__ = None  # type: ignore[assignment]


def _fuller(one: TrackingEvent, other: TrackingEvent) -> TrackingEvent:
    """The larger of two records of one fact, in a total order: with ties, the order of arrival would decide."""
    if one == other:
        return one
    first, second = _fullness(one), _fullness(other)
    if first != second:
        return one if first > second else other
    return one if record(one) >= record(other) else other


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
# The surer an offset, the later; one that was filled in for want of a better counts as none.
_BASES: Final = (
    TimeBasis.NONE,
    TimeBasis.ACCOUNT,
    TimeBasis.LOCATION,
    TimeBasis.ZONE_TEXT,
    TimeBasis.OFFSET,
    TimeBasis.UTC_PAIR,
)
_EVER: Final = datetime.min.replace(tzinfo=timezone.utc)


def _fullness(event: TrackingEvent) -> tuple[Any, ...]:
    """A newer status table first, then whether it says where the parcel is, how its offset is known, who signed, words.

    Of records that say the same the first that came in stays: a carrier that is asked again tells nothing new. One that
    was forgotten stays forgotten, whoever tells it again.
    """
    return (
        is_forgotten(event),
        _natural(event.mapping_version),
        event.milestone is not None,
        event.reason is not None,
        _BASES.index(event.time.basis),
        event.signed_by is not None,
        _EVER if event.transit is None else event.transit.computed_at,
        len(event.text or ""),
        _EPOCH - event.observed_at,
    )


def is_forgotten(event: TrackingEvent) -> bool:
    """Whether a store has blanked what was personal in it."""
    return event.extras.get(FORGOTTEN) is True


@lru_cache(maxsize=256)
def _natural(version: str) -> tuple[tuple[int, str], ...]:
    """A version's parts, with 9 before 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", version)
    return tuple((len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (-1, part) for part in parts)


def scoped(
    events: Iterable[TrackingEvent], scope: str, *, source: EventSource | None = None
) -> tuple[TrackingEvent, ...]:
    """*events* within *scope*: their identities change with it, and so do the ids by which they withdraw each other.

    *source* is written into the events that do not say where they come from.
    """
    given = tuple(events)
    moved = tuple(evolve(event, scope=scope, source=event.source or source) for event in given)
    if not any(event.retracts or event.supersedes for event in given):
        return moved
    ids = {old.event_id: new.event_id for old, new in zip(given, moved, strict=True) if old.retracts is None}

    def rename(event_id: str | None) -> str | None:
        if event_id is None or event_id in ids:
            return event_id and ids[event_id]
        return f"n:{scope}:{event_id[3:]}" if event_id.startswith("n::") else event_id

    return tuple(evolve(event, retracts=rename(event.retracts), supersedes=rename(event.supersedes)) for event in moved)
