"""Where a carrier prints no offset: what its zone text, the place or the account tells of it, and how that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from ..model import EventPlace, EventTime, TimeBasis, TrackingEvent
from ..model.scalars import EMPTY

__all__ = ["ZoneOf", "country_zone", "known_zone", "located", "resolved"]

ZoneOf = Callable[[EventPlace], "str | None"]
"""What a plugin knows of its places: the IANA zone, by facility or postal code where the country has several."""


def located(
    event: TrackingEvent,
    *,
    account_zone: str = "",
    zone_texts: Mapping[str, int | str] = EMPTY,
    country_zones: Mapping[str, str] | None = None,
    zone_of: ZoneOf | None = None,
) -> TrackingEvent:
    """*event* with the offset of its time, where one follows from what else is known; its identity stays.

    See `resolved`; the place is that of the event.
    """
    when = resolved(
        event.time,
        event.place,
        account_zone=account_zone,
        zone_texts=zone_texts,
        country_zones=country_zones,
        zone_of=zone_of,
    )
    return event if when is event.time else attrs.evolve(event, time=when)


def resolved(
    when: EventTime,
    place: EventPlace | None = None,
    *,
    account_zone: str = "",
    zone_texts: Mapping[str, int | str] = EMPTY,
    country_zones: Mapping[str, str] | None = None,
    zone_of: ZoneOf | None = None,
) -> EventTime:
    """*when* with its offset and how that is known; unchanged where the carrier printed it, or a plugin knew it.

    The first of these that names a zone decides: the printed *zone_text* through the carrier's own table
    (abbreviations are not the same all over the world; a value is minutes east of UTC, or a zone), the place through
    the plugin's *zone_of*, then through its country (*country_zones*, or the table of countries with one zone), the
    account's zone. Where the zone is known and the offset is not, because clocks were put back or forward, the zone
    is told and the offset stays open: the bounds of the time hold the moment. Nothing is taken for UTC.
    """
    if when.basis is not TimeBasis.NONE:
        return when
    for basis, found in _sources(when, place, account_zone, zone_texts, country_zones, zone_of):
        if isinstance(found, int):
            return attrs.evolve(when, offset_min=found, basis=basis)
        zone = _zone(found)
        if zone is None:
            continue
        offset_min = _offset_min(zone, when)
        if offset_min is None:
            return attrs.evolve(when, zone=found, offset_min=None)
        return attrs.evolve(when, zone=found, offset_min=offset_min, basis=basis)
    return when


def country_zone(place: EventPlace, country_zones: Mapping[str, str] | None = None) -> str | None:
    """The zone of the place's country, where it has one; overseas departments count by their postal codes."""
    if place.country is None:
        return None
    country = str(place.country)
    posted_as = _table()["posted_as"].get(country, {})
    country = posted_as.get((place.postal_code or "").strip()[:3], country)
    zones: Mapping[str, str] = _table()["zones"] if country_zones is None else country_zones
    return zones.get(country)


def known_zone(name: str) -> bool:
    """Whether this machine knows the zone: a configuration can say so before the first event comes."""
    return _zone(name) is not None


def _sources(
    when: EventTime,
    place: EventPlace | None,
    account_zone: str,
    zone_texts: Mapping[str, int | str],
    country_zones: Mapping[str, str] | None,
    zone_of: ZoneOf | None,
) -> list[tuple[TimeBasis, int | str]]:
    """What tells the zone, the surest first."""
    text = (when.zone_text or "").strip()
    told: list[tuple[TimeBasis, int | str | None]] = [
        (TimeBasis.ZONE_TEXT, zone_texts.get(text, zone_texts.get(text.upper())) if text else None)
    ]
    if place is not None:
        told += [
            (TimeBasis.LOCATION, zone_of(place) if zone_of is not None else None),
            (TimeBasis.LOCATION, country_zone(place, country_zones)),
        ]
    told.append((TimeBasis.ACCOUNT, account_zone))
    return [(basis, found) for basis, found in told if found is not None and found != ""]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name of a zone, or no database on this machine
        return None


def _offset_min(zone: ZoneInfo, when: EventTime) -> int | None:
    """The one offset that the local time, or every moment of the day, has in *zone*; None where there are two."""
    local = when.local
    moments = (
        [local] if isinstance(local, datetime) else [datetime.combine(local, each) for each in (time.min, time.max)]
    )
    try:
        told = {
            (zone.utcoffset(each.replace(fold=fold)), zone.tzname(each.replace(fold=fold)))
            for each in moments
            for fold in (0, 1)
        }
    except OverflowError:  # the first or the last day of the calendar
        return None
    offsets = {offset for offset, _ in told}
    if len(offsets) > 1 and isinstance(local, datetime) and when.zone_text:
        # In the hour that comes twice, CET and CEST say which one it is.
        offsets = {offset for offset, name in told if name == when.zone_text.strip()}
    if len(offsets) != 1:
        return None
    offset = offsets.pop()
    if offset is None or offset.seconds % 60:  # a local mean time, of before there were zones
        return None
    return int(offset.total_seconds()) // 60


@cache
def _table() -> Mapping[str, Any]:
    import json
    from importlib.resources import files

    table: Mapping[str, Any] = json.loads(
        files("shipkit.events").joinpath("country_zones.json").read_text(encoding="utf-8")
    )
    return table
