"""Every envelope that we build is one that the published description accepts, signed as the carrier checks it."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from hashlib import md5
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import (
    Address,
    AddressCheck,
    CashOnDelivery,
    DocumentQuery,
    GeoPoint,
    Length,
    LengthUnit,
    Money,
    Notify,
    NotifyChannel,
    Option,
    OptionCode,
    PageFormat,
    ReturnRequest,
    ServicePointCapability,
    ServicePointKind,
    ServicePointQuery,
    ServicePointRef,
    ShipmentRequest,
    TrackingNumber,
    TrackQuery,
    Weight,
    WeightUnit,
)
from shipkit.testing import return_requests, shipment_requests
from shipkit_mondialrelay import MondialRelay
from shipkit_mondialrelay.codes import SERVICES
from shipkit_mondialrelay.fields import printed
from tests.mondialrelay.referee import children, valid_request
from tests.mondialrelay.samples import (
    CHECK,
    HOME,
    LABELS,
    MR,
    NEAR,
    POINT,
    RELAY,
    RETURN,
    TRACK,
    label_in,
    package,
    sent,
)

pytestmark = pytest.mark.usefixtures("shared")

TO_POINTS = [code for code, service in SERVICES.items() if service.to_point]


def to_its_point(request: ShipmentRequest) -> ShipmentRequest:
    country = request.ship_to.address.country if request.ship_to.address else "FR"
    point = ServicePointRef(id="005680", country=country) if request.service in TO_POINTS else None
    return attrs.evolve(request, service_point=point)


BOOKINGS = shipment_requests(MR, change=to_its_point)
RETURNS = return_requests(MR, services=["LCC"])

_TEXT = st.text("ABCDEFGHIJ abcdefghijéèàç'-", min_size=2, max_size=26).filter(lambda text: len(text.split()) > 0)
_POSTCODE = st.from_regex(r"[0-9]{5}", fullmatch=True)
_PLACES = st.one_of(
    st.builds(Address, lines=st.just(()), postal_code=_POSTCODE, city=st.none() | _TEXT, country=st.just("FR")),
    st.builds(
        Address, lines=st.just(()), city=_TEXT.filter(lambda text: len(printed(text)) > 1), country=st.just("FR")
    ),
    st.builds(GeoPoint, latitude=st.decimals(-90, 90, places=5), longitude=st.decimals(-180, 180, places=5)),
)
SEARCHES = st.builds(
    ServicePointQuery,
    country=st.just("FR"),
    near=_PLACES,
    purpose=st.sampled_from(ServicePointCapability),
    kinds=st.sampled_from([frozenset(), frozenset({ServicePointKind.LOCKER})]),
    services=st.sampled_from([(), ("24R",), ("DRI",)]),
    weight=st.none() | st.integers(1, 40_000).map(lambda grams: Weight(Decimal(grams), WeightUnit.G)),
    max_distance=st.none() | st.integers(1, 200_000).map(lambda metres: Length(Decimal(metres) * 100, LengthUnit.CM)),
    max_results=st.integers(1, 100),
) | st.builds(ServicePointQuery, country=st.just("BE"), id=st.from_regex(r"[0-9]{6}", fullmatch=True))
NUMBERS = st.from_regex(r"[0-9]{8}", fullmatch=True)
TRACKS = NUMBERS.map(lambda number: TrackQuery(number=TrackingNumber(value=number, carrier="mondialrelay")))
DOCUMENTS = st.builds(
    DocumentQuery,
    shipment_id=NUMBERS,
    tracking_numbers=st.just(()),
    label=st.none() | st.sampled_from([PageFormat.A4, PageFormat.A5, PageFormat.CM_10X15]).map(label_in),
)
CHECKS = st.builds(
    AddressCheck,
    address=st.builds(
        Address, lines=st.just(("x",)), postal_code=_POSTCODE, city=st.none() | _TEXT, country=st.just("FR")
    ),
)


def asked(carrier: MondialRelay, what: Any) -> bytes:
    flows: dict[type[Any], Any] = {
        ShipmentRequest: carrier.create_shipment,
        ReturnRequest: carrier.create_return,
        ServicePointQuery: carrier.service_points,
        TrackQuery: carrier.track,
        DocumentQuery: carrier.documents,
        AddressCheck: carrier.check_address,
    }
    content = sent(flows[type(what)](what)).content
    assert isinstance(content, bytes)
    return content


ANYTHING = st.one_of(BOOKINGS, RETURNS, SEARCHES, TRACKS, DOCUMENTS, CHECKS)
EXAMPLES = [HOME, RELAY, RETURN, NEAR, TRACK, LABELS, CHECK]


def key_of(operation: str, members: dict[str, str], private_key: str) -> str:
    """The key as the manual words it: all parameters in the order of the method, Texte aside, then the private key."""
    signed = [members.get(name, "") for name in children(operation) if name not in ("Security", "Texte")]
    return md5(("".join(signed) + private_key).encode("utf-8")).hexdigest().upper()


@given(ANYTHING)
def test_every_envelope_is_valid_and_its_members_stand_in_the_published_order(what: Any) -> None:
    operation, members = valid_request(asked(MR, what))

    assert list(members) == [name for name in children(operation) if name in members]
    assert members["Enseigne"] == "BDTEST13"


@given(ANYTHING, st.text("abcXYZ0123456789", min_size=1, max_size=12))
def test_every_envelope_is_signed_over_what_it_says(what: Any, private_key: str) -> None:
    operation, members = valid_request(asked(attrs.evolve(MR, private_key=private_key), what))

    assert members["Security"] == key_of(operation, members, private_key)
    assert re.fullmatch(r"[0-9A-F]{32}", members["Security"])


def test_the_key_of_a_known_question_is_known() -> None:
    """printf 'BDTEST1350554859FRPrivateK' | md5sum, in capitals."""
    operation, members = valid_request(asked(MR, TRACK))

    assert operation == "WSI2_TracingColisDetaille"
    assert {**members, "Security": ""} == {
        "Enseigne": "BDTEST13",
        "Expedition": "50554859",
        "Langue": "FR",
        "Security": "",
    }
    assert members["Security"] == "0E1F9ABF507DCB9F4A51F72700AF612F"


def test_a_short_merchant_code_is_filled_up_to_eight_characters_and_signed_so() -> None:
    _, members = valid_request(asked(attrs.evolve(MR, enseigne="CC"), TRACK))

    assert members["Enseigne"] == "CC      "
    assert members["Security"] == md5(b"CC      50554859FRPrivateK").hexdigest().upper()


def test_the_free_text_is_sent_and_not_signed() -> None:
    options = {"mondialrelay": {"Texte": "Commande 12(cr)Merci"}}
    _, plain = valid_request(asked(MR, HOME))

    _, members = valid_request(asked(MR, attrs.evolve(HOME, carrier_options=options)))

    assert members == {**plain, "Texte": "Commande 12(cr)Merci"}


@given(ANYTHING)
def test_the_same_question_is_the_same_envelope(what: Any) -> None:
    assert asked(MR, what) == asked(MR, what)


@given(ANYTHING)
def test_the_private_key_stands_nowhere_in_an_envelope(what: Any) -> None:
    carrier = attrs.evolve(MR, private_key="Zq8Zq8Zq8")

    assert b"Zq8Zq8Zq8" not in asked(carrier, what)
    assert "Zq8Zq8Zq8" not in repr(carrier)


@given(BOOKINGS)
def test_a_booking_says_what_was_asked(request: ShipmentRequest) -> None:
    operation, members = valid_request(asked(MR, request))

    assert operation == "WSI2_CreationEtiquette"
    assert (members["ModeCol"], members["ModeLiv"]) == ("CCC", request.service)
    assert members.get("NDossier", "") == printed(request.reference)
    assert ("LIV_Rel" in members) == (request.service in TO_POINTS)
    exact = sum(each.weight.grams for each in request.packages)
    assert exact <= int(members["Poids"]) < exact + 1
    assert members["NbColis"] == str(len(request.packages))
    for prefix, party in (("Expe", request.ship_from), ("Dest", request.ship_to)):
        assert party.address is not None
        assert members[f"{prefix}_Pays"] == party.address.country
        assert members[f"{prefix}_Ville"] == printed(party.address.city or "")


@given(BOOKINGS)
def test_nothing_of_a_name_or_a_street_is_lost(request: ShipmentRequest) -> None:
    """Lines may be broken at a blank and put elsewhere: their words are all there, in their order."""
    _, members = valid_request(asked(MR, request))

    for prefix, party in (("Expe", request.ship_from), ("Dest", request.ship_to)):
        assert party.address is not None and party.contact is not None
        told = [members.get(f"{prefix}_Ad{line}", "") for line in range(1, 5)]
        assert all(len(line) <= 32 for line in told)
        names = [party.contact.name, party.contact.company]
        words = [printed(text) for text in (*names, *party.address.lines) if text]
        assert " ".join(line for line in told if line).split() == " ".join(words).split()


@given(RETURNS)
def test_a_way_back_is_handed_over_at_any_point_unless_one_is_named(request: ReturnRequest) -> None:
    _, members = valid_request(asked(MR, request))

    origin = request.shipment.ship_from.address
    assert origin is not None
    assert (members["ModeCol"], members["COL_Rel"], members["COL_Rel_Pays"]) == ("REL", "AUTO", origin.country)
    assert members["ModeLiv"] == "LCC"

    named = attrs.evolve(request, shipment=attrs.evolve(request.shipment, drop_off_point=POINT))
    _, members = valid_request(asked(MR, named))
    assert (members["ModeCol"], members["COL_Rel"], members["COL_Rel_Pays"]) == ("REL", "005680", "FR")


@given(st.decimals("0.001", "9999", places=3), st.sampled_from(WeightUnit))
def test_grams_are_never_below_the_weight(value: Decimal, unit: WeightUnit) -> None:
    weight = Weight(value, unit)
    if not 14 < weight.grams <= 9_999_999:
        return
    _, members = valid_request(asked(MR, attrs.evolve(HOME, packages=(attrs.evolve(package(), weight=weight),))))

    assert members["Poids"] == str(weight.to(WeightUnit.G, ROUND_CEILING, "1"))


def test_options_become_members() -> None:
    cash = Option(code=OptionCode.COD, value=CashOnDelivery(amount=Money(Decimal("12.50"), "EUR")))
    told = Option(code=OptionCode.NOTIFY, value=Notify(channels=frozenset({NotifyChannel.EMAIL})))
    valued = package(declared_value=Money(Decimal("49.90"), "EUR"))

    _, plain = valid_request(asked(MR, HOME))
    _, members = valid_request(asked(MR, attrs.evolve(HOME, options=(cash, told), packages=(valued,))))

    assert (plain["CRT_Valeur"], plain["CRT_Devise"], plain.get("TAvisage"), plain.get("Exp_Valeur")) == (
        "0",
        "EUR",
        None,
        None,
    )
    assert (members["CRT_Valeur"], members["TAvisage"]) == ("1250", "O")
    assert (members["Exp_Valeur"], members["Exp_Devise"]) == ("4990", "EUR")


@pytest.mark.parametrize(
    ("query", "members"),
    [
        (NEAR, {"CP": "69100", "Action": "24R", "NombreResultats": "30"}),
        (
            ServicePointQuery(country="FR", near=Address(lines=(), city="Bédarieux", country="FR")),
            {"Ville": "BEDARIEUX", "Action": "24R", "NombreResultats": "10"},
        ),
        (
            ServicePointQuery(country="FR", near=GeoPoint(latitude=Decimal("45.75"), longitude=Decimal("-1.5"))),
            {"Latitude": "45.7500000", "Longitude": "-1.5000000", "Action": "24R", "NombreResultats": "10"},
        ),
        (
            ServicePointQuery(country="BE", id="005680"),
            {"NumPointRelais": "005680", "Action": "24R", "NombreResultats": "10"},
        ),
        (
            attrs.evolve(NEAR, purpose=ServicePointCapability.DROP_OFF, max_results=12),
            {"CP": "69100", "Action": "REL", "NombreResultats": "12"},
        ),
        (
            attrs.evolve(NEAR, services=("DRI",), weight=Weight(Decimal("0.0123"), WeightUnit.KG)),
            {"CP": "69100", "Poids": "15", "Action": "DRI", "NombreResultats": "30"},
        ),
        (
            attrs.evolve(NEAR, max_distance=Length(Decimal(1_234_500), LengthUnit.MM)),
            {"CP": "69100", "RayonRecherche": "2", "Action": "24R", "NombreResultats": "30"},
        ),
    ],
)
def test_a_search_names_the_place_once(query: ServicePointQuery, members: dict[str, str]) -> None:
    _, found = valid_request(asked(MR, query))

    del found["Enseigne"], found["Pays"], found["Security"]
    assert found == members


@pytest.mark.parametrize("what", EXAMPLES, ids=lambda what: type(what).__name__)
def test_the_referee_refuses_what_is_not_published(what: Any) -> None:
    content = asked(MR, what)

    for change in ((b"Security>", b"Securite>"), (b"Enseigne>", b"Merchant>")):
        assert change[0] in content
        with pytest.raises(AssertionError):
            valid_request(content.replace(*change))
