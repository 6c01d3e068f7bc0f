"""Offsets that carriers do not print: what the account and its plugin know of them, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

import attrs
import pytest

from shipkit.carrier import Carrier, KnowsZones
from shipkit.client.zones import placed
from shipkit.errors import InputError
from shipkit.model import EventPlace, EventTime, TimeBasis, TimePrecision, TrackingEvent


class Plain(Carrier):
    code = "plain"


class Knowing(Carrier):
    code = "knowing"

    @property
    def zone_texts(self) -> Mapping[str, int | str]:
        return {"EST": -300}

    def zone_of(self, place: EventPlace) -> str | None:
        return "America/Denver" if place.facility_code == "DEN1" else None


def event(zone_text: str | None = None, **place: str) -> TrackingEvent:
    when = EventTime(local=datetime(2026, 7, 1, 12, 0), precision=TimePrecision.MINUTE, zone_text=zone_text)
    return TrackingEvent(
        time=when,
        code="X",
        place=EventPlace(**place) if place else None,  # type: ignore[arg-type]
        observed_at=datetime(2026, 7, 2, tzinfo=timezone.utc),
        mapping_version="1",
    )


def test_a_zone_that_nobody_knows_is_refused_at_once() -> None:
    for name in ("Europe/Atlantis", "../etc", "Europe"):
        with pytest.raises(InputError) as caught:
            Plain(zone=name)
        assert caught.value.problems[0].path == "/zone"
    assert Plain(zone="Europe/Paris").zone == "Europe/Paris"


def test_the_account_says_it_where_nothing_else_does() -> None:
    (one,) = placed(Plain(zone="Europe/Paris"), [event()])
    assert (one.time.offset_min, one.time.basis) == (120, TimeBasis.ACCOUNT)
    assert one.event_id == event().event_id
    assert placed(Plain(), [event()])[0].time.instant is None
    assert placed(None, [event()])[0].time.instant is None


def test_the_place_goes_before_the_account() -> None:
    (one,) = placed(Plain(zone="Europe/Paris"), [event(country="JP")])
    assert (one.time.offset_min, one.time.basis) == (540, TimeBasis.LOCATION)


def test_a_plugin_knows_its_own_texts_and_places() -> None:
    carrier = Knowing(zone="Europe/Paris")
    assert isinstance(carrier, KnowsZones)
    texted, placed_there, other = placed(carrier, [event("EST"), event(facility_code="DEN1"), event()])
    assert (texted.time.offset_min, texted.time.basis) == (-300, TimeBasis.ZONE_TEXT)
    assert (placed_there.time.offset_min, placed_there.time.basis) == (-360, TimeBasis.LOCATION)
    assert other.time.basis is TimeBasis.ACCOUNT


def test_what_is_printed_stays() -> None:
    printed = attrs.evolve(event(), time=attrs.evolve(event().time, offset_min=60, basis=TimeBasis.OFFSET))
    assert placed(Knowing(zone="Asia/Tokyo"), [printed, event()])[0] is printed
