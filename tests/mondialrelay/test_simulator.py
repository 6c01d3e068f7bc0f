"""The simulated carrier answers as the recorded one does, checks what it checks, and remembers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import attrs
import httpx
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given

from shipkit.model import Address, ServicePointQuery
from shipkit.simulator import Simulator
from shipkit.testing import playback
from shipkit_mondialrelay import MondialRelay
from shipkit_mondialrelay.codes import TRACING, text_code
from shipkit_mondialrelay.simulator import MondialRelayDialect
from tests.mondialrelay.referee import paths, valid_reply
from tests.mondialrelay.samples import CHECK, HERE, HOME, LABELS, MR, NEAR, RELAY, TRACK, sent
from tests.mondialrelay.test_envelopes import ANYTHING, asked

NAMESPACE = "{http://www.mondialrelay.fr/webservice/}"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    """One that many questions are put to."""
    with Simulator(MondialRelayDialect()) as simulator:
        yield simulator


@attrs.frozen
class Answered:
    """A reply of the simulated carrier."""

    response: httpx.Response

    @property
    def content(self) -> bytes:
        return self.response.content

    def all(self, name: str) -> list[str]:
        root = ET.fromstring(self.content)
        return [(element.text or "").strip() for element in root.iter(f"{NAMESPACE}{name}")]

    def __getitem__(self, name: str) -> str:
        return self.all(name)[0]


def ask(sim: Simulator, flow: Any, *changes: tuple[bytes, bytes]) -> Answered:
    """Put the first question of *flow*, its envelope changed."""
    request = sent(flow)
    content = request.content
    assert isinstance(content, bytes)
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    url = f"{sim.url}{urlsplit(request.url).path}"
    return Answered(httpx.post(url, content=content, headers=dict(request.headers.pairs())))


def signed_again(operation: Any, **members: str) -> bytes:
    """The envelope of *operation* with other members than our plugin would send, signed as it signs."""
    from shipkit_mondialrelay.wire import security_key

    root = ET.fromstring(sent(operation).content)
    body = next(element for element in root.iter() if element.tag.endswith("}Body"))[0]
    for element in list(body):
        name = element.tag.removeprefix(NAMESPACE)
        if name in members:
            element.text = members[name]
    told = {element.tag.removeprefix(NAMESPACE): element.text or "" for element in body}
    for element in body:
        if element.tag == f"{NAMESPACE}Security":
            element.text = security_key(told, MR.private_key)
    return ET.tostring(root)


def post(sim: Simulator, content: bytes) -> Answered:
    return Answered(httpx.post(f"{sim.url}/Web_Services.asmx", content=content, headers={"Content-Type": "text/xml"}))


@pytest.mark.usefixtures("shared")
@given(what=ANYTHING)
def test_every_answer_is_what_is_published(running: Simulator, what: Any) -> None:
    content = asked(MR, what)

    answer = post(running, content)

    assert answer.response.status_code == 200
    assert valid_reply(answer.content) in content.decode()


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("test_mondialrelay_label", lambda: MR.create_shipment(HOME)),
        ("test_mondialrelay_search_pickup_site", lambda: MR.service_points(NEAR)),
    ],
)
def test_an_answer_has_what_the_recorded_one_has_and_nothing_else(
    shared: Path, sim: Simulator, name: str, flow: Any
) -> None:
    [exchange] = playback(shared / "recordings" / "mondialrelay" / f"{name}.json").exchanges

    answer = ask(sim, flow())

    assert paths(answer.content) == paths(exchange.reply.content)
    assert answer.response.headers["content-type"] == exchange.reply.headers["content-type"]
    assert answer.response.headers["cache-control"] == exchange.reply.headers["cache-control"]


def test_a_link_to_a_label_has_what_the_recorded_one_has(shared: Path, sim: Simulator) -> None:
    [exchange] = playback(shared / "recordings" / "mondialrelay" / "test_mondialrelay_label.json").exchanges
    found = re.findall(rb"<URL_Etiquette>([^<]+)<", exchange.reply.content)
    recorded = urlsplit(found[0].decode().replace("&amp;", "&"))

    ours = urlsplit(ask(sim, MR.create_shipment(HOME))["URL_Etiquette"])

    assert (ours.netloc, ours.path) == (recorded.netloc, recorded.path)
    told, was = parse_qs(ours.query), parse_qs(recorded.query)
    assert list(told) == list(was)
    assert {name: told[name] for name in ("ens", "lg", "format")} == {
        name: was[name] for name in ("ens", "lg", "format")
    }
    assert re.fullmatch(r"[0-9A-F]{32}", told["crc"][0])


# Keys


@pytest.mark.parametrize("flow", [MR.create_shipment, MR.service_points, MR.track, MR.documents, MR.check_address])
def test_a_wrong_key_is_refused_everywhere(sim: Simulator, flow: Any) -> None:
    what = {
        "create_shipment": HOME,
        "service_points": NEAR,
        "track": TRACK,
        "documents": LABELS,
        "check_address": CHECK,
    }
    other = getattr(attrs.evolve(MR, private_key="another"), flow.__name__)

    assert ask(sim, other(what[flow.__name__]))["STAT"] == "97"
    assert sim.bookings() == ()


def test_what_was_changed_on_the_way_is_refused(sim: Simulator) -> None:
    assert ask(sim, MR.create_shipment(HOME), (b">HUGO<", b">OGUH<"))["STAT"] == "97"


def test_a_stranger_is_refused(sim: Simulator) -> None:
    assert ask(sim, attrs.evolve(MR, enseigne="NOBODY").track(TRACK))["STAT"] == "1"
    assert ask(sim, MR.track(TRACK), (b"BDTEST13", b""))["STAT"] == "2"


def test_a_merchant_can_be_added(sim: Simulator) -> None:
    assert isinstance(sim.dialect, MondialRelayDialect)
    sim.dialect.merchants["CC"] = "hidden"

    assert ask(sim, MondialRelay(enseigne="CC", private_key="hidden").create_shipment(HOME))["STAT"] == "0"
    assert ask(sim, MondialRelay(enseigne="CC", private_key="guessed").create_shipment(HOME))["STAT"] == "97"


def test_the_free_text_is_not_signed(sim: Simulator) -> None:
    request = attrs.evolve(HOME, carrier_options={"mondialrelay": {"Texte": "Commande 12"}})

    assert ask(sim, MR.create_shipment(request), (b"Commande 12", b"Commande 13"))["STAT"] == "0"


# Bookings


@pytest.mark.parametrize(
    ("member", "value", "stat"),
    [
        ("ModeCol", "XXX", "28"),
        ("ModeLiv", "24L", "29"),
        ("NDossier", "SO/1", "5"),
        ("Expe_Langage", "DE", "74"),
        ("Expe_Ad1", "X" * 33, "30"),
        ("Expe_Ad3", "", "33"),
        ("Dest_Ad1", "É", "30"),
        ("Dest_Ville", "PARIS.", "35"),
        ("Dest_CP", "7", "36"),
        ("Dest_CP", "00000", "93"),
        ("Dest_Pays", "fr", "37"),
        ("Expe_Tel1", "", "38"),
        ("Dest_Mail", "a b@example.com", "39"),
        ("Poids", "14", "20"),
        ("NbColis", "2", "48"),
        ("CRT_Valeur", "1,5", "42"),
        ("LIV_Rel", "5680", "14"),
        ("LIV_Rel", "", "14"),
        ("LIV_Rel_Pays", "BE", "92"),
    ],
)
def test_what_cannot_go_is_refused_with_its_stat(sim: Simulator, member: str, value: str, stat: str) -> None:
    answer = post(sim, signed_again(MR.create_shipment(RELAY), **{member: value}))

    assert (answer["STAT"], sim.bookings()) == (stat, ())


def test_a_text_that_does_not_fit_is_dropped_and_the_parcel_booked(sim: Simulator) -> None:
    request = attrs.evolve(HOME, carrier_options={"mondialrelay": {"Texte": "Commande 12"}})

    answer = post(sim, signed_again(MR.create_shipment(request), Texte="<b>bold</b>"))

    assert (answer["STAT"], len(sim.bookings())) == ("60", 1)


def test_bookings_have_numbers_of_their_own_and_stand_in_the_books(sim: Simulator) -> None:
    numbers = [ask(sim, MR.create_shipment(HOME))["ExpeditionNum"] for _ in range(3)]

    assert len({*numbers}) == 3 and all(re.fullmatch(r"[0-9]{8}", number) for number in numbers)
    assert [(booking.id, booking.reference, booking.service) for booking in sim.bookings()] == [
        (number, "SO-1", "HOM") for number in numbers
    ]
    assert sim.counts("reference")["SO-1"].live == 3


def test_the_newer_version_of_the_protocol_is_answered_in_kind(sim: Simulator) -> None:
    content = signed_again(MR.create_shipment(HOME)).replace(
        b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
    )

    answer = post(sim, content)

    assert answer.response.headers["content-type"] == "application/soap+xml; charset=utf-8"
    assert b"http://www.w3.org/2003/05/soap-envelope" in answer.content
    assert answer["STAT"] == "0"


def test_it_describes_itself_at_its_own_address(sim: Simulator) -> None:
    description = httpx.get(f"{sim.url}/Web_Services.asmx?WSDL").text

    assert f'location="{sim.url}/Web_Services.asmx"' in description
    assert "api.mondialrelay.com" not in description


# Labels


def drawn(content: bytes) -> tuple[tuple[int, int], list[tuple[str, str]], str]:
    """Millimetres, bar codes and text of a one-page document."""
    document = pypdfium2.PdfDocument(content)
    try:
        [page] = document
        size = (round(page.get_width() / 72 * 25.4), round(page.get_height() / 72 * 25.4))
        codes = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
        return size, [(code.text, code.format.name) for code in codes], page.get_textpage().get_text_bounded()
    finally:
        document.close()


SIZES = {"A4": (210, 297), "A5": (148, 210), "10x15": (100, 150)}


@pytest.mark.parametrize("size", SIZES)
def test_a_label_is_a_document_with_the_number_in_bars(sim: Simulator, size: str) -> None:
    number = ask(sim, MR.create_shipment(RELAY))["ExpeditionNum"]
    link = ask(sim, MR.documents(attrs.evolve(LABELS, shipment_id=number)))[f"URL_PDF_{size}"]

    answer = httpx.get(f"{sim.url}{link}")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    millimetres, bars, text = drawn(answer.content)
    assert millimetres == SIZES[size]
    assert bars == [(number, "Code128")]
    assert "HUGO" in text and "005680" in text
    assert sim.counts("reference")["SO-1"].labels == 1


def test_the_link_of_the_booking_is_that_of_the_look_up(sim: Simulator) -> None:
    booked = ask(sim, MR.create_shipment(HOME))
    query = attrs.evolve(LABELS, shipment_id=booked["ExpeditionNum"])

    assert ask(sim, MR.documents(query))["URL_PDF_A4"] == booked["URL_Etiquette"]


@pytest.mark.parametrize(
    ("old", "new"), [("crc=", "crc=0"), ("format=A4", "format=A6"), ("expedition=5", "expedition=6")]
)
def test_a_link_that_was_changed_leads_nowhere(sim: Simulator, old: str, new: str) -> None:
    link = ask(sim, MR.create_shipment(HOME))["URL_Etiquette"]
    assert old in link

    answer = httpx.get(f"{sim.url}{link.replace(old, new)}")

    assert answer.status_code == 404
    assert "pdf" not in answer.headers["content-type"]


def test_labels_of_strangers_are_not_known(sim: Simulator) -> None:
    assert ask(sim, MR.documents(LABELS))["STAT"] == "24"


# Tracing


def traced(sim: Simulator, number: str) -> Answered:
    query = attrs.evolve(TRACK, number=attrs.evolve(TRACK.number, value=number))
    return ask(sim, MR.track(query))


def lines(answer: Answered) -> list[tuple[str, str, str]]:
    names = ("Libelle", "Date", "Heure")
    rows = zip(*(answer.all(name) for name in names), strict=True)
    return [(text, day, hour) for text, day, hour in rows if text]


def test_a_parcel_moves_with_the_clock_and_is_told_of_in_french(sim: Simulator) -> None:
    number = ask(sim, MR.create_shipment(RELAY))["ExpeditionNum"]
    seen: list[list[tuple[str, str, str]]] = []
    stats: list[str] = []

    for _ in range(40):
        answer = traced(sim, number)
        seen.append(lines(answer))
        stats.append(answer["STAT"])
        assert len(answer.all("Libelle")) == 10  # the carrier fills its table up
        sim.advance(6 * 3600)

    assert seen[0] == [("RÉCEPTION DES DONNÉES", "24/11/26", "07:30")]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(seen))
    assert [text for text, _, _ in seen[-1]][-2:] == ["DISPONIBLE AU POINT RELAIS", "COLIS LIVRÉ"]
    assert {text_code(text) for text, _, _ in seen[-1]} <= {*TRACING}
    assert (stats[0], stats[-1]) == ("80", "82")
    assert stats == sorted(stats)


def test_a_point_is_named_where_a_parcel_waits(sim: Simulator) -> None:
    number = ask(sim, MR.create_shipment(RELAY))["ExpeditionNum"]
    sim.advance(30 * 86_400)

    answer = traced(sim, number)

    waiting = answer.all("Libelle").index("DISPONIBLE AU POINT RELAIS")
    # The first of these stands outside the table, for the shipment.
    assert answer.all("Relais_Num")[1:][waiting] == "005680"
    assert answer["Relais_Num"] == "005680"


def test_times_are_those_of_paris_in_summer_too(sim: Simulator) -> None:
    sim.advance(200 * 86_400)  # 12 June 2027
    number = ask(sim, MR.create_shipment(HOME))["ExpeditionNum"]

    assert lines(traced(sim, number)) == [("RÉCEPTION DES DONNÉES", "12/06/27", "08:30")]


def test_a_number_that_nobody_knows_is_none(sim: Simulator) -> None:
    assert traced(sim, "12345678")["STAT"] == "94"
    assert traced(sim, "1234")["STAT"] == "24"


# Places


def test_points_lie_around_a_postal_code_always_the_same(sim: Simulator) -> None:
    first, again = (ask(sim, MR.service_points(NEAR)) for _ in range(2))
    elsewhere = ask(sim, MR.service_points(attrs.evolve(NEAR, near=attrs.evolve(HERE, postal_code="75004"))))

    assert first.content == again.content
    assert len(first.all("Num")) == 30
    distances = [int(distance) for distance in first.all("Distance")]
    assert distances == sorted(distances)
    assert "LOCKER" in first.all("Information")
    assert not {*first.all("Num")} & {*elsewhere.all("Num")}


@pytest.mark.parametrize(
    ("query", "stat"),
    [
        (attrs.evolve(NEAR, near=Address(lines=(), city="Villeurbanne", country="FR")), "0"),
        (attrs.evolve(NEAR, near=Address(lines=(), city="Nulle Part", country="FR")), "9"),
        (attrs.evolve(NEAR, near=Address(lines=(), postal_code="00100", country="FR")), "9"),
        (ServicePointQuery(country="FR", id="005680"), "0"),
    ],
)
def test_a_search_for_a_place_that_is_none_is_told_so(sim: Simulator, query: ServicePointQuery, stat: str) -> None:
    assert ask(sim, MR.service_points(query))["STAT"] == stat


@pytest.mark.parametrize(
    ("members", "stat"),
    [
        ({"Pays": "F"}, "16"),
        ({"CP": ""}, "40"),
        ({"NombreResultats": "many"}, "40"),
    ],
)
def test_a_search_that_says_nothing_is_refused(sim: Simulator, members: dict[str, str], stat: str) -> None:
    assert post(sim, signed_again(MR.service_points(NEAR), **members))["STAT"] == stat


def test_towns_are_looked_up_by_postal_code(sim: Simulator) -> None:
    several = attrs.evolve(CHECK, address=attrs.evolve(HERE, postal_code="73230"))

    assert ask(sim, MR.check_address(CHECK)).all("Ville") == ["VILLEURBANNE"]
    assert len(ask(sim, MR.check_address(several)).all("Ville")) == 7
    nowhere = attrs.evolve(CHECK, address=attrs.evolve(HERE, postal_code="00100"))
    assert ask(sim, MR.check_address(nowhere))["STAT"] == "9"


def test_a_reset_forgets_everything(sim: Simulator) -> None:
    number = ask(sim, MR.create_shipment(HOME))["ExpeditionNum"]
    sim.reset()

    assert sim.bookings() == ()
    assert traced(sim, number)["STAT"] == "94"
