"""What Mondial Relay really answered, read; and what was really asked, compared with what we ask."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import ShipkitError
from shipkit.flow import Request
from shipkit.model import (
    Address,
    AddressSpecial,
    BookingState,
    DateRange,
    DocumentFormat,
    DocumentKind,
    GeoPoint,
    Length,
    LengthUnit,
    OpeningInterval,
    PageFormat,
    ServicePoint,
    ServicePointCapability,
    ServicePointKind,
    ServicePointQuery,
    ShipmentRequest,
    Weekday,
)
from shipkit.testing import Exchange, differences, mutations, play, playback
from tests.mondialrelay.referee import valid_reply
from tests.mondialrelay.samples import HOME, MR, NEAR, RETURN, label_in

# As the recording asks: without a reference, for a shop's label in A4.
ASKED = attrs.evolve(HOME, reference="")


def recorded(shared: Path, name: str) -> Exchange:
    [exchange] = playback(shared / "recordings" / "mondialrelay" / f"{name}.json").exchanges
    return exchange


@pytest.fixture(scope="module")
def label(shared: Path) -> Exchange:
    return recorded(shared, "test_mondialrelay_label")


@pytest.fixture(scope="module")
def search(shared: Path) -> Exchange:
    return recorded(shared, "test_mondialrelay_search_pickup_site")


@pytest.fixture(scope="module")
def points(search: Exchange) -> tuple[ServicePoint, ...]:
    return play(MR.service_points(NEAR), search.reply).value


def test_there_is_no_recording_that_is_not_read(shared: Path) -> None:
    assert {path.stem for path in (shared / "recordings" / "mondialrelay").glob("*.json")} == {
        "test_mondialrelay_label",
        "test_mondialrelay_search_pickup_site",
    }


def test_recorded_replies_are_what_is_published(label: Exchange, search: Exchange) -> None:
    """So the published description is fit to judge what a simulator answers."""
    assert valid_reply(label.reply.content) == "WSI2_CreationEtiquette"
    assert valid_reply(search.reply.content) == "WSI4_PointRelais_Recherche"


def test_the_recorded_label_is_a_booking_whose_label_lies_behind_a_link(label: Exchange) -> None:
    shipment = play(MR.create_shipment(HOME), label.reply).value

    assert (shipment.shipment_id, shipment.state, shipment.service) == (
        "50554859",
        BookingState.LABEL_PENDING,
        "HOM",
    )
    assert [(number.value, number.carrier) for number in shipment.tracking_numbers] == [("50554859", "mondialrelay")]
    assert [(parcel.ref, parcel.tracking_number) for parcel in shipment.packages] == [
        ("1", shipment.tracking_numbers[0])
    ]
    assert shipment.reference == HOME.reference
    assert shipment.messages == ()
    [document] = shipment.documents
    assert document.url == (
        "https://www.mondialrelay.com/ww2/PDF/StickerMaker2.aspx"
        "?ens=BDTEST1311&expedition=50554859&lg=FR&format=A4&crc=C4530F968E6E507C379C538C5E36EC76"
    )
    assert (document.kind, document.format, document.content) == (DocumentKind.LABEL, DocumentFormat.PDF, None)
    assert document.size is not None and document.size.format is PageFormat.A4


@pytest.mark.parametrize(("size", "word"), [(PageFormat.A5, "A5"), (PageFormat.CM_10X15, "10x15")])
def test_another_size_is_the_same_link_with_that_size(label: Exchange, size: PageFormat, word: str) -> None:
    [as_sent] = play(MR.create_shipment(HOME), label.reply).value.documents

    shipment = play(MR.create_shipment(attrs.evolve(HOME, label=label_in(size))), label.reply).value

    [document] = shipment.documents
    assert as_sent.url is not None
    assert document.url == as_sent.url.replace("format=A4", f"format={word}")
    assert document.size is not None and document.size.format is size


def test_the_recorded_label_read_as_a_way_back_is_a_return_label(label: Exchange) -> None:
    back = play(MR.create_return(RETURN), label.reply).value

    assert back.shipment is not None
    assert back.shipment.service == "LCC"
    assert [document.kind for document in back.shipment.documents] == [DocumentKind.RETURN_LABEL]


def changed(request: Request, without: tuple[str, ...] = (), capitals: bool = False) -> Request:
    """The same request without the members *without*, and with the parties' texts in capitals."""
    root = ET.fromstring(request.content)
    for parent in root.iter():
        for child in list(parent):
            name = child.tag.partition("}")[2]
            if name in without:
                parent.remove(child)
            elif capitals and name.startswith(("Expe_", "Dest_")) and name != "Dest_Mail":
                child.text = (child.text or "").upper()
    return attrs.evolve(request, content=ET.tostring(root))


def test_what_we_ask_is_what_was_asked_in_capitals(label: Exchange) -> None:
    """The manual wants capitals; small letters, as they were sent here, are accepted all the same. Where no value is
    told, no currency is either."""
    request = play(MR.create_shipment(ASKED), label.reply).requests[0]

    assert differences(request, changed(label.request, without=("Exp_Devise",), capitals=True)) == ()
    assert any("27 RUE HENRI ROLLAND" in each for each in differences(request, label.request))


def test_the_question_for_points_is_the_recorded_one_but_for_what_it_limits(search: Exchange) -> None:
    """The recorded client names no kind of parcel and no count."""
    request = play(MR.service_points(NEAR), search.reply).requests[0]

    assert differences(changed(request, without=("Action", "NombreResultats")), search.request) == ()


def test_every_recorded_point_is_read(points: tuple[ServicePoint, ...]) -> None:
    assert len(points) == 18
    assert all(len(point.id) == 6 and point.id.isdecimal() for point in points)
    assert all(point.geo and 45 < point.geo.latitude < 46 and 4 < point.geo.longitude < 6 for point in points)
    distances = [point.distance.millimetres for point in points if point.distance]
    assert len(distances) == 18 and distances == sorted(distances)
    assert {point.kind for point in points} == {ServicePointKind.SHOP, ServicePointKind.LOCKER}
    assert all("  " not in part for point in points for part in (point.name, *point.address.lines))


def test_the_nearest_recorded_point_is_a_shop_with_two_stretches_a_day(points: tuple[ServicePoint, ...]) -> None:
    shop = points[0]

    place = GeoPoint(latitude=Decimal("45.7728450"), longitude=Decimal("4.8630410"))
    assert (shop.id, shop.name, shop.kind, shop.geo) == ("005680", "BUREAU COPY", ServicePointKind.SHOP, place)
    assert shop.distance == Length(Decimal(173900), LengthUnit.CM)
    assert shop.address == Address(
        lines=("31 COURS ANDRE PHILIP",),
        postal_code="69100",
        city="VILLEURBANNE",
        country="FR",
        special=AddressSpecial.SERVICE_POINT,
        geo=place,
    )
    days = [hours.weekday for hours in shop.hours]
    assert days == [day for day in Weekday if day not in (Weekday.SATURDAY, Weekday.SUNDAY) for _ in range(2)] + [
        Weekday.SATURDAY
    ]
    assert shop.hours[:2] == (
        OpeningInterval(weekday=Weekday.MONDAY, opens=time(9), closes=time(12, 30)),
        OpeningInterval(weekday=Weekday.MONDAY, opens=time(14), closes=time(18, 30)),
    )
    assert shop.capabilities == {ServicePointCapability.COLLECT}
    assert shop.photo_url is not None and shop.photo_url.startswith("https://ww2.mondialrelay.com/")


def test_a_recorded_locker_is_open_all_day_and_all_week(points: tuple[ServicePoint, ...]) -> None:
    locker = next(point for point in points if point.id == "030613")

    assert locker.kind is ServicePointKind.LOCKER
    assert [(hours.weekday, hours.opens, hours.closes) for hours in locker.hours] == [
        (day, time(0, 1), time(23, 59)) for day in Weekday
    ]


def test_recorded_holidays_are_kept_and_pass_the_point_over(points: tuple[ServicePoint, ...], search: Exchange) -> None:
    closed = [point for point in points if point.closures]
    assert [point.closures for point in closed] == [
        (DateRange(first=date(2025, 3, 13), last=date(2025, 3, 18)),),
        (DateRange(first=date(2025, 3, 13), last=date(2025, 3, 18)),),
    ]

    def open_on(day: date) -> set[str]:
        query = attrs.evolve(NEAR, ready_on=day)
        return {point.id for point in play(MR.service_points(query), search.reply).value}

    everywhere = {point.id for point in points}
    assert everywhere - open_on(date(2025, 3, 18)) == {point.id for point in closed}
    assert open_on(date(2025, 3, 19)) == everywhere


@pytest.mark.parametrize(
    "query",
    [
        attrs.evolve(NEAR, kinds=frozenset({ServicePointKind.LOCKER})),
        attrs.evolve(NEAR, max_results=3),
        attrs.evolve(NEAR, max_distance=Length(Decimal(400_000), LengthUnit.CM)),
    ],
)
def test_only_points_that_fit_are_given(
    query: ServicePointQuery, points: tuple[ServicePoint, ...], search: Exchange
) -> None:
    found = play(MR.service_points(query), search.reply).value

    def fits(point: ServicePoint) -> bool:
        far = query.max_distance
        near = far is None or point.distance is None or point.distance.millimetres <= far.millimetres
        return near and (not query.kinds or point.kind in query.kinds)

    assert found == tuple(point for point in points if fits(point))[: query.max_results]


def test_one_question_is_one_request(label: Exchange, search: Exchange) -> None:
    requests: list[ShipmentRequest] = [HOME, attrs.evolve(HOME, label=label_in(PageFormat.A5))]
    for request in requests:
        played = play(MR.create_shipment(request), label.reply)
        assert (played.methods, played.urls) == (["POST"], ["https://api.mondialrelay.com/Web_Services.asmx"])
        assert not played.requests[0].replayable
    assert play(MR.service_points(NEAR), search.reply).requests[0].replayable


@given(data=st.data())
def test_a_spoilt_recorded_search_is_read_truly_or_ends_in_an_error_of_ours(
    search: Exchange, points: tuple[ServicePoint, ...], data: st.DataObject
) -> None:
    spoilt = data.draw(mutations(search.reply))
    try:
        found = play(MR.service_points(NEAR), spoilt.reply).value
    except ShipkitError:
        return
    if spoilt.faithful:
        assert {point.id for point in found} <= {point.id for point in points}


@given(data=st.data())
def test_a_spoilt_recorded_booking_has_its_number_or_ends_in_an_error_of_ours(
    label: Exchange, data: st.DataObject
) -> None:
    spoilt = data.draw(mutations(label.reply))
    try:
        shipment = play(MR.create_shipment(HOME), spoilt.reply).value
    except ShipkitError:
        return
    if spoilt.faithful:
        assert shipment.shipment_id == "50554859"
