"""What Mondial Relay may answer: refusals inside HTTP 200, texts instead of codes, and nonsense."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import (
    AuthenticationError,
    CarrierError,
    NotFoundError,
    RejectedError,
    ReplyError,
    ShipkitError,
    UnavailableError,
)
from shipkit.model import (
    AddressCheck,
    AddressVerdict,
    BookingState,
    DocumentKind,
    Milestone,
    NoticeCode,
    NoticeLevel,
    NumberRole,
    PageFormat,
    Reason,
    RecoveryMode,
    TimePrecision,
    TrackResult,
)
from shipkit.testing import Mutation, Reply, mutations, play
from shipkit_mondialrelay.codes import REFUSALS, STATS, TRACING, text_code
from tests.mondialrelay.referee import valid_reply
from tests.mondialrelay.samples import (
    CHECK,
    HERE,
    HOME,
    LABELS,
    MR,
    NEAR,
    RETURN,
    TRACK,
    booked,
    label_in,
    labels,
    package,
    result,
    traced,
)

FLOWS: dict[str, tuple[str, Callable[[], Any]]] = {
    "create_shipment": ("WSI2_CreationEtiquette", lambda: MR.create_shipment(HOME)),
    "create_return": ("WSI2_CreationEtiquette", lambda: MR.create_return(RETURN)),
    "documents": ("WSI3_GetEtiquettes", lambda: MR.documents(LABELS)),
    "track": ("WSI2_TracingColisDetaille", lambda: MR.track(TRACK)),
    "service_points": ("WSI4_PointRelais_Recherche", lambda: MR.service_points(NEAR)),
    "check_address": ("WSI2_RechercheCP", lambda: MR.check_address(CHECK)),
}
ANSWERS = {
    "create_shipment": booked(),
    "create_return": booked(),
    "documents": labels(),
    "track": traced(("COLIS LIVRÉ", "24/11/26", "10:10", "PARIS"), stat="82"),
}
# STAT -> what it is raised as. Where 9 and 80 to 83 answer, see below.
EXPECTED: dict[str, type[CarrierError]] = {
    "1": AuthenticationError,
    "8": AuthenticationError,
    "95": AuthenticationError,
    "97": AuthenticationError,
    "20": RejectedError,
    "30": RejectedError,
    "48": RejectedError,
    "92": RejectedError,
    "93": RejectedError,
    "24": NotFoundError,
    "94": NotFoundError,
    "90": UnavailableError,
    "98": UnavailableError,
    "99": UnavailableError,
    "777": UnavailableError,  # nobody explains it: it proves nothing
}


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_answers_used_here_are_what_is_published(answer: Reply) -> None:
    assert valid_reply(answer.content)


@pytest.mark.parametrize("stat", EXPECTED)
@pytest.mark.parametrize("name", FLOWS)
def test_a_refusal_comes_with_http_200_and_is_an_error_of_its_kind(name: str, stat: str) -> None:
    operation, flow = FLOWS[name]

    error = play(flow(), result(operation, f"<STAT>{stat}</STAT>")).raised(EXPECTED[stat])

    assert type(error) is EXPECTED[stat]
    assert (error.carrier_code, error.http_status) == (stat, 200)
    assert f"STAT {stat}: " in str(error)


def test_only_a_refusal_proves_that_nothing_was_booked() -> None:
    recovery = MR.facts().recovery

    assert recovery.mode is RecoveryMode.NONE
    assert recovery.refusal_codes == REFUSALS
    for stat in STATS:
        error = play(MR.create_shipment(HOME), result("WSI2_CreationEtiquette", f"<STAT>{stat}</STAT>"))
        if stat == "60":
            continue
        refused = type(error.raised(CarrierError)) in (RejectedError, AuthenticationError)
        assert refused == (stat in REFUSALS)


def test_an_ignored_text_is_a_booking_with_a_warning() -> None:
    shipment = play(MR.create_shipment(HOME), booked(stat="60")).value

    assert (shipment.shipment_id, shipment.state) == ("50554859", BookingState.LABEL_PENDING)
    assert [(message.level, message.carrier_code) for message in shipment.messages] == [(NoticeLevel.WARNING, "60")]


@pytest.mark.parametrize("stat", ["80", "81", "82", "83"])
def test_the_answers_of_the_tracing_are_no_booking(stat: str) -> None:
    with pytest.raises(ShipkitError):
        _ = play(MR.create_shipment(HOME), booked(stat=stat)).value


def test_a_booking_of_several_parcels_has_one_number() -> None:
    request = attrs.evolve(HOME, packages=(package("a"), package("b")))

    shipment = play(MR.create_shipment(request), booked()).value

    assert [number.role.value for number in shipment.tracking_numbers] == ["master"]
    assert [(parcel.ref, parcel.tracking_number) for parcel in shipment.packages] == [("a", None), ("b", None)]


def test_a_booking_without_a_link_is_one_whose_label_is_still_to_be_fetched() -> None:
    answer = result("WSI2_CreationEtiquette", "<STAT>0</STAT><ExpeditionNum>50554859</ExpeditionNum><URL_Etiquette />")

    shipment = play(MR.create_shipment(HOME), answer).value

    assert (shipment.state, shipment.documents) == (BookingState.LABEL_PENDING, ())


def test_a_number_keeps_its_zeros() -> None:
    assert play(MR.create_shipment(HOME), booked("00123456")).value.shipment_id == "00123456"


@pytest.mark.parametrize(
    "content",
    ["", "<STAT>0</STAT>", "<STAT />", "<STAT>0</STAT><ExpeditionNum />", "<ExpeditionNum>50554859</ExpeditionNum>"],
)
def test_a_booking_without_a_number_or_a_stat_cannot_be_read(content: str) -> None:
    played = play(MR.create_shipment(HOME), result("WSI2_CreationEtiquette", content))

    assert played.raised(ReplyError).paths


# Any reply whatever


@given(st.sampled_from(list(ANSWERS)).flatmap(lambda name: mutations(ANSWERS[name]).map(lambda spoilt: (name, spoilt))))
def test_a_spoilt_reply_is_read_truly_or_ends_in_an_error_of_ours(case: tuple[str, Mutation]) -> None:
    name, spoilt = case
    played = play(FLOWS[name][1](), spoilt.reply)
    try:
        value = played.value
    except ShipkitError:
        return
    if spoilt.faithful:
        if name == "create_shipment":
            assert value.shipment_id == "50554859"
        elif name == "create_return":
            assert value.shipment.shipment_id == "50554859"
            assert {number.role for number in value.shipment.tracking_numbers} == {NumberRole.RETURN}
        elif name == "documents":
            assert [document.kind for document in value] == [DocumentKind.LABEL]


@given(mutations(booked()))
def test_another_operation_s_answer_is_none_of_a_search(spoilt: Mutation) -> None:
    with pytest.raises(ShipkitError):
        _ = play(MR.service_points(NEAR), spoilt.reply).value


# Labels


@pytest.mark.parametrize(
    ("size", "word"), [(None, "A4"), (PageFormat.A4, "A4"), (PageFormat.A5, "A5"), (PageFormat.CM_10X15, "10x15")]
)
def test_the_label_of_a_shipment_is_a_link_in_the_size_asked_for(size: PageFormat | None, word: str) -> None:
    query = attrs.evolve(LABELS, label=label_in(size) if size else None)

    [document] = play(MR.documents(query), labels()).value

    assert document.url is not None
    assert document.url.startswith("https://www.mondialrelay.com/ww2/PDF/StickerMaker2.aspx?")
    assert f"format={word}&" in document.url
    assert (document.kind, document.size and document.size.format) == (DocumentKind.LABEL, size or PageFormat.A4)


def test_papers_that_the_carrier_has_not_are_none_and_not_asked_for() -> None:
    query = attrs.evolve(LABELS, kinds=frozenset({DocumentKind.COMMERCIAL_INVOICE}))

    assert play(MR.documents(query)).value == ()


def test_a_size_without_a_link_cannot_be_read() -> None:
    answer = result("WSI3_GetEtiquettes", "<STAT>0</STAT><URL_PDF_A4>/x?format=A4</URL_PDF_A4>")

    error = play(MR.documents(attrs.evolve(LABELS, label=label_in(PageFormat.A5))), answer).raised(ReplyError)

    assert error.paths == ("$.URL_PDF_A5",)


# Tracing


def track(*rows: tuple[str, str, str, str], stat: str = "81") -> TrackResult:
    found = play(MR.track(TRACK), traced(*rows, stat=stat)).value
    assert isinstance(found, TrackResult)
    return found


def test_lines_of_the_tracing_are_events_and_empty_lines_are_none() -> None:
    found = track(
        ("RÉCEPTION DES DONNÉES", "23/11/26", "07:05", ""),
        ("Prise en charge  en agence", "24/11/2026", "0810", "VILLEURBANNE    "),
        ("DISPONIBLE AU POINT RELAIS", "25/11/26", "", "PARIS"),
    )

    assert [(event.milestone, event.reason, event.code) for event in found.events] == [
        (Milestone.ANNOUNCED, Reason.DATA_RECEIVED, "reception des donnees"),
        (Milestone.IN_TRANSIT, Reason.PROCESSED_AT_FACILITY, "prise en charge en agence"),
        (Milestone.READY_FOR_PICKUP, Reason.AWAITING_COLLECTION, "disponible au point relais"),
    ]
    assert [(event.time.local, event.time.precision) for event in found.events] == [
        (datetime(2026, 11, 23, 7, 5), TimePrecision.MINUTE),
        (datetime(2026, 11, 24, 8, 10), TimePrecision.MINUTE),
        (date(2026, 11, 25), TimePrecision.DAY),
    ]
    assert [event.place.name if event.place else None for event in found.events] == [None, "VILLEURBANNE", "PARIS"]
    assert found.events[1].text == "Prise en charge en agence"
    assert (found.finished, found.number) == (False, TRACK.number)
    assert {(event.piece, event.code_type, event.language) for event in found.events} == {("50554859", "text", "fr")}
    assert [message.text for message in found.messages] == ["COLIS PRIS EN CHARGE"]


def test_a_line_that_no_source_explains_is_kept_and_counted() -> None:
    found = track(
        ("COLIS EN QUARANTAINE", "24/11/26", "10:10", "LYON"), ("COLIS EN QUARANTAINE", "25/11/26", "10:10", "LYON")
    )

    assert [(event.milestone, event.reason, event.text) for event in found.events] == [
        (None, Reason.UNMAPPED, "COLIS EN QUARANTAINE")
    ] * 2
    assert [event.unmapped for event in found.events] == [True, True]
    assert [message.carrier_code for message in found.messages if message.code is NoticeCode.UNMAPPED_CODE] == [
        "colis en quarantaine"
    ]


@pytest.mark.parametrize(
    ("stat", "finished"), [("0", False), ("80", False), ("81", False), ("82", True), ("83", False)]
)
def test_delivered_is_the_end(stat: str, finished: bool) -> None:
    assert track(stat=stat).finished is finished


def test_an_anomaly_is_a_warning() -> None:
    assert [message.level for message in track(stat="83").messages] == [NoticeLevel.WARNING]
    assert [message.level for message in track(stat="81").messages] == [NoticeLevel.INFO]


@pytest.mark.parametrize("when", [("", ""), ("31/02/26", "10:10"), ("24/11/26", "soon"), ("24/11/26", "25:00")])
def test_a_line_without_a_day_cannot_be_read(when: tuple[str, str]) -> None:
    answer = traced(("COLIS LIVRÉ", *when, ""))

    error = play(MR.track(TRACK), answer).raised(ReplyError)

    assert error.paths == ("$.Tracing.ret_WSI2_sub_TracingColisDetaille[0]",)


@given(st.text(max_size=40))
def test_a_text_s_code_is_folded_and_has_no_accents_digits_or_double_blanks(text: str) -> None:
    code = text_code(text)

    assert text_code(code) == code or not code.isascii()
    assert not re.search(r"\d|\s\s|^\s|\s$", code)
    assert not [char for char in code if unicodedata.combining(char)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Colis livré", "colis livre"),
        ("COLIS  LIVRE", "colis livre"),
        ("Réception des données 12", "reception des donnees"),
        ("Relais 012345 fermé", "relais ferme"),
    ],
)
def test_texts_of_one_meaning_have_one_code(text: str, code: str) -> None:
    assert text_code(text) == code


def test_every_known_text_is_its_own_code() -> None:
    assert [text for text in TRACING if text_code(text) != text] == []
    assert [text for text in TRACING if len(text) > 30] == []


# Addresses


def towns(*pairs: tuple[str, str]) -> Reply:
    rows = "".join(f"<Commune><CP>{cp}</CP><Ville>{town}</Ville><Pays>FR</Pays></Commune>" for cp, town in pairs)
    return result("WSI2_RechercheCP", f"<STAT>0</STAT><Liste>{rows}</Liste>")


@pytest.mark.parametrize(
    ("answer", "verdict", "candidates"),
    [
        (towns(("69100", "VILLEURBANNE   ")), AddressVerdict.VERIFIED, [("69100", "VILLEURBANNE")]),
        (towns(("69100", "LYON")), AddressVerdict.CORRECTED, [("69100", "LYON")]),
        (towns(("69100", "A"), ("69100", "VILLEURBANNE")), AddressVerdict.VERIFIED, [("69100", "VILLEURBANNE")]),
        (towns(("69100", "A"), ("69100", "B")), AddressVerdict.AMBIGUOUS, [("69100", "A"), ("69100", "B")]),
        (towns(), AddressVerdict.FAILED, []),
        (result("WSI2_RechercheCP", "<STAT>9</STAT>"), AddressVerdict.FAILED, []),
    ],
)
def test_whether_postal_code_and_town_belong_together(
    answer: Reply, verdict: AddressVerdict, candidates: list[tuple[str, str]]
) -> None:
    found = play(MR.check_address(CHECK), answer).value

    assert found.verdict is verdict
    assert [(each.postal_code, each.city) for each in found.candidates] == candidates
    assert all(each.lines == HERE.lines for each in found.candidates)


def test_a_town_is_the_same_with_and_without_its_accents_and_hyphens() -> None:
    check = AddressCheck(address=attrs.evolve(HERE, postal_code="73230", city="Saint-Alban-Leysse"))

    found = play(MR.check_address(check), towns(("73230", "SAINT ALBAN LEYSSE"))).value

    assert found.verdict is AddressVerdict.VERIFIED


# Points


def test_a_point_may_lack_almost_everything() -> None:
    row = "<Num>005680</Num><CP>69100</CP><Ville>X</Ville><Pays>FR</Pays><LgAdr1>Y</LgAdr1>"
    answer = result(
        "WSI4_PointRelais_Recherche",
        f"<STAT>0</STAT><PointsRelais><PointRelais_Details>{row}</PointRelais_Details></PointsRelais>",
    )

    [point] = play(MR.service_points(NEAR), answer).value

    assert (point.id, point.name, point.hours, point.closures, point.geo, point.distance) == (
        "005680",
        "Y",
        (),
        (),
        None,
        None,
    )


def test_no_points_are_none() -> None:
    assert play(MR.service_points(NEAR), result("WSI4_PointRelais_Recherche", "<STAT>0</STAT>")).value == ()
