"""A missing offset is concluded from what is known, with its basis, or left open; a moment never leaves its bounds."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.events import Evidence, zones
from shipkit.events.zones import country_zone, known_zone, located, resolved
from shipkit.model import EventPlace, EventTime, TimeBasis, TimePrecision, TrackingEvent

TABLE = zones._table()["zones"]
SINGLE = st.sampled_from(sorted(TABLE))
ZONES = st.sampled_from(
    sorted({*TABLE.values(), "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"})
)
TEXTS = {"EST": -300, "EDT": -240, "CET": "Europe/Paris", "IST": 330}


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Moments of our years; half of them near one where some zone changes its clocks."""
    changes = [(2024, 3, 31), (2024, 10, 27), (2025, 3, 30), (2025, 10, 26), (2025, 11, 2), (2026, 4, 5), (2026, 10, 4)]
    if draw(st.booleans()):
        near = datetime(*draw(st.sampled_from(changes)), tzinfo=timezone.utc)
        return near + timedelta(minutes=draw(st.integers(-2_000, 2_000)))
    days = draw(st.integers(0, 365 * 10))
    return datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(days=days, seconds=draw(st.integers(0, 86_399)))


def printed(moment: datetime, zone: str, **rest: Any) -> EventTime:
    """What a clock in *zone* shows at *moment*, without the offset."""
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    return EventTime(local=local, precision=TimePrecision.SECOND, **rest)


def event_at(when: EventTime, place: EventPlace | None = None) -> TrackingEvent:
    observed = datetime(2026, 11, 24, tzinfo=timezone.utc)
    return TrackingEvent(scope="s", time=when, place=place, code="X", observed_at=observed, mapping_version="1")


def in_country(code: str, **rest: Any) -> EventPlace:
    return EventPlace(country=code, **rest)


@given(SINGLE, moments())
def test_the_true_moment_lies_within_the_bounds_and_is_the_instant_where_one_is_told(
    code: str, moment: datetime
) -> None:
    before = printed(moment, TABLE[code])
    after = resolved(before, in_country(code))

    assert after.earliest <= moment <= after.latest
    assert after.instant in (moment, None)
    assert (after.local, after.precision, after.zone) == (before.local, before.precision, TABLE[code])
    assert (after.basis is TimeBasis.LOCATION) is (after.offset_min is not None) is (after.instant is not None)
    twice = ZoneInfo(TABLE[code])
    local = before.local
    assert isinstance(local, datetime)
    one_way = twice.utcoffset(local) == twice.utcoffset(local.replace(fold=1))
    assert (after.instant == moment) is one_way


@given(ZONES, moments())
def test_a_day_holds_each_of_its_moments(zone: str, moment: datetime) -> None:
    day = moment.astimezone(ZoneInfo(zone)).date()
    after = resolved(EventTime(local=day, precision=TimePrecision.DAY), account_zone=zone)

    assert after.instant is None
    assert after.earliest <= moment <= after.latest + timedelta(seconds=1)
    assert after.zone == zone


def test_on_the_day_when_clocks_change_the_bounds_stay_wide() -> None:
    changing, plain = (
        resolved(EventTime(local=day, precision=TimePrecision.DAY), account_zone="Europe/Berlin")
        for day in (date(2026, 3, 29), date(2026, 3, 30))
    )
    assert (changing.basis, changing.offset_min, changing.zone) == (TimeBasis.NONE, None, "Europe/Berlin")
    assert (plain.basis, plain.offset_min) == (TimeBasis.ACCOUNT, 120)
    assert plain.latest - plain.earliest == timedelta(hours=23, minutes=59, seconds=59)


@given(
    ZONES,
    moments(),
    st.one_of(
        st.none(), st.builds(EventPlace, country=st.one_of(st.none(), SINGLE, st.sampled_from(["US", "AU", "ZZ"])))
    ),
    st.sampled_from(["", "EST", "CET", "BST", "cet", " CEST "]),
    st.sampled_from(["", "Europe/Madrid", "Nowhere/At_All", "../etc/passwd", "\0"]),
    st.booleans(),
)
def test_the_identity_of_an_event_stays_and_nothing_is_done_twice(
    zone: str, moment: datetime, place: EventPlace | None, text: str, account_zone: str, dated: bool
) -> None:
    when = printed(moment, zone, zone_text=text or None)
    if dated:
        when = attrs.evolve(when, local=moment.date(), precision=TimePrecision.DAY)
    before = event_at(when, place)
    after = located(before, account_zone=account_zone, zone_texts=TEXTS)

    assert after.event_id == before.event_id
    assert attrs.evolve(after, time=before.time) == before
    assert located(after, account_zone=account_zone, zone_texts=TEXTS) == after
    assert after.time.earliest <= after.time.latest
    assert before.time.earliest <= after.time.earliest and after.time.latest <= before.time.latest
    if after.time.instant is not None:
        assert after.time.earliest <= after.time.instant <= after.time.latest
        assert after.time.basis is not TimeBasis.NONE
    assert (after.time.offset_min is None) is (after.time.basis is TimeBasis.NONE)


@given(moments(), st.sampled_from([b for b in TimeBasis if b is not TimeBasis.NONE]), st.integers(-720, 840))
def test_an_offset_that_is_known_is_not_touched(moment: datetime, basis: TimeBasis, offset_min: int) -> None:
    when = printed(moment, "Europe/Paris", offset_min=offset_min, basis=basis, zone_text="EST")
    event = event_at(when, in_country("DE"))

    assert located(event, account_zone="Asia/Tokyo", zone_texts=TEXTS) is event


def test_nothing_known_is_nothing_said() -> None:
    event = event_at(printed(datetime(2026, 7, 1, 12, tzinfo=timezone.utc), "Europe/Paris"))

    assert located(event) is event
    assert located(attrs.evolve(event, place=in_country("US"))).time.basis is TimeBasis.NONE
    assert event.time.latest - event.time.earliest == timedelta(hours=26)


def test_an_offset_that_was_filled_in_for_want_of_one_is_replaced() -> None:
    filled = EventTime(local=datetime(2026, 7, 1, 12), precision=TimePrecision.SECOND, offset_min=0)
    after = resolved(filled, in_country("FR"))

    assert filled.instant is None
    assert (after.offset_min, after.basis) == (120, TimeBasis.LOCATION)


def test_the_surest_of_what_is_known_decides() -> None:
    noon = EventTime(local=datetime(2026, 7, 1, 12), precision=TimePrecision.SECOND, zone_text="EST")
    options: dict[str, Any] = {"account_zone": "Asia/Tokyo", "zone_texts": TEXTS, "zone_of": lambda place: "Asia/Dubai"}
    place = in_country("DE")
    steps = [
        ((TimeBasis.ZONE_TEXT, -300, None), {}),
        ((TimeBasis.LOCATION, 240, "Asia/Dubai"), {"zone_texts": {}}),
        ((TimeBasis.LOCATION, 120, "Europe/Berlin"), {"zone_of": lambda place: None}),
        ((TimeBasis.ACCOUNT, 540, "Asia/Tokyo"), {"country_zones": {}}),
        ((TimeBasis.NONE, None, None), {"account_zone": ""}),
    ]
    for wanted, changed in steps:
        options |= changed
        after = resolved(noon, place, **options)
        assert (after.basis, after.offset_min, after.zone) == wanted


@pytest.mark.parametrize(
    ("text", "offset_min"), [("CET", 60), ("CEST", 120), (" CEST ", 120), ("MEZ", None), (None, None)]
)
def test_in_the_hour_that_comes_twice_the_printed_zone_says_which(text: str | None, offset_min: int | None) -> None:
    when = EventTime(local=datetime(2026, 10, 25, 2, 30), precision=TimePrecision.MINUTE, zone_text=text)
    after = resolved(when, in_country("DE"))

    assert (after.offset_min, after.zone) == (offset_min, "Europe/Berlin")
    assert after.basis is (TimeBasis.LOCATION if offset_min else TimeBasis.NONE)
    if offset_min is None:
        both = [datetime(2026, 10, 25, hour, 30, tzinfo=timezone.utc) for hour in (0, 1)]
        assert all(after.earliest <= each <= after.latest for each in both)


def test_an_hour_that_never_was_is_left_open() -> None:
    when = EventTime(local=datetime(2026, 3, 29, 2, 30), precision=TimePrecision.MINUTE)
    after = resolved(when, account_zone="Europe/Berlin")

    assert (after.basis, after.offset_min, after.zone) == (TimeBasis.NONE, None, "Europe/Berlin")


def test_a_zone_that_a_table_names_is_read_by_its_date() -> None:
    for month, offset_min in ((1, 60), (7, 120)):
        when = EventTime(local=datetime(2026, month, 1, 12), precision=TimePrecision.SECOND, zone_text="cet")
        assert resolved(when, zone_texts=TEXTS).offset_min == offset_min


@pytest.mark.parametrize("day", [date.min, date.max])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Manila", "Pacific/Kiritimati"])
def test_the_ends_of_the_calendar_do_no_harm(day: date, zone: str) -> None:
    for local in (day, datetime.combine(day, time.min), datetime.combine(day, time.max)):
        precision = TimePrecision.SECOND if isinstance(local, datetime) else TimePrecision.DAY
        after = resolved(EventTime(local=local, precision=precision), account_zone=zone)
        assert after.earliest <= after.latest


def test_a_local_mean_time_is_no_offset() -> None:
    when = EventTime(local=datetime(1900, 1, 1, 12), precision=TimePrecision.SECOND)
    assert resolved(when, account_zone="Europe/Amsterdam").offset_min is None


# Places --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        (in_country("FR", postal_code="75001"), "Europe/Paris"),
        (in_country("FR", postal_code=" 97400"), "Indian/Reunion"),
        (in_country("FR", postal_code="97110"), "America/Guadeloupe"),
        (in_country("FR", postal_code="98700"), None),
        (in_country("FR"), "Europe/Paris"),
        (in_country("DE"), "Europe/Berlin"),
        (in_country("ES"), None),
        (in_country("US", postal_code="10001"), None),
        (in_country("ZZ"), None),
        (EventPlace(), None),
    ],
)
def test_a_country_has_one_zone_or_none_that_is_sure(place: EventPlace, zone: str | None) -> None:
    assert country_zone(place) == zone


def test_every_zone_of_the_table_is_known_to_this_machine() -> None:
    assert len(TABLE) > 200
    assert all(known_zone(zone) for zone in TABLE.values())
    assert not known_zone("Europe/Nowhere") and not known_zone("") and not known_zone("../zone.tab")


def rows_here() -> dict[str, list[str]]:
    """By country its zones, as the database of this machine has them."""
    for folder in zoneinfo.TZPATH:
        file = Path(folder) / "zone.tab"
        if file.is_file():
            found: dict[str, list[str]] = {}
            for line in file.read_text("utf-8").splitlines():
                if line and not line.startswith("#"):
                    code, _, zone, *_ = line.split("\t")
                    found.setdefault(code, []).append(zone)
            return found
    return {}


def test_the_clocks_of_each_country_in_the_table_agree_and_of_no_other() -> None:
    here = rows_here()
    if not here:
        pytest.skip("this machine has no zone.tab")
    days = [datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(days=each) for each in range(0, 365 * 8, 5)]
    for code, names in here.items():
        known = [ZoneInfo(name) for name in names]
        agree = all(len({day.astimezone(zone).utcoffset() for zone in known}) == 1 for day in days)
        assert (code in TABLE) is agree, code
        assert not agree or TABLE[code] in names


def test_without_a_database_of_zones_times_keep_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zones, "ZoneInfo", missing)
    when = EventTime(local=datetime(2026, 7, 1, 12), precision=TimePrecision.SECOND)
    assert resolved(when, in_country("DE"), account_zone="Europe/Berlin") is when
    assert resolved(when, zone_texts=TEXTS, account_zone="Europe/Berlin") is when
    abbreviated = resolved(attrs.evolve(when, zone_text="EST"), zone_texts=TEXTS)
    assert abbreviated.offset_min == -300


def test_of_two_records_of_one_event_the_one_with_the_surer_offset_is_kept() -> None:
    noon = EventTime(local=datetime(2026, 7, 1, 12), precision=TimePrecision.SECOND, offset_min=0)
    open_, by_account, by_place = (
        event_at(noon, in_country("DE")),
        event_at(resolved(noon, account_zone="Asia/Tokyo"), in_country("DE")),
        event_at(resolved(noon, in_country("DE")), in_country("DE")),
    )
    assert len({open_.event_id, by_account.event_id, by_place.event_id}) == 1
    for order in ([open_, by_account, by_place], [by_place, open_, by_account], [by_account, by_place, open_]):
        assert [event.time.basis for event in Evidence(order)] == [TimeBasis.LOCATION]
    assert [event.time.basis for event in Evidence([by_account, open_])] == [TimeBasis.ACCOUNT]
