"""What cannot go is refused before it leaves, at its path; nothing is cut, and nothing but accents is rewritten."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.constraints import problems as general_problems
from shipkit.model import (
    Address,
    AddressCheck,
    AddressCheckLevel,
    BillingAccount,
    CashOnDelivery,
    CodMethod,
    Contact,
    Dimensions,
    DocumentFormat,
    DocumentQuery,
    LabelSpec,
    Length,
    LengthUnit,
    Money,
    Notify,
    NotifyChannel,
    NotifyEvent,
    Option,
    OptionCode,
    PageFormat,
    Party,
    PartyInRole,
    PartyRole,
    Payer,
    Payment,
    Problem,
    ProblemCode,
    ReturnLabelKind,
    ReturnSpec,
    ServicePointQuery,
    ServicePointRef,
    ShipmentRequest,
)
from shipkit.testing import shipment_requests
from shipkit_mondialrelay.fields import printed
from tests.mondialrelay.referee import valid_request
from tests.mondialrelay.samples import (
    ANY_POINT,
    HERE,
    HOME,
    LABELS,
    MR,
    NEAR,
    POINT,
    RELAY,
    RETURN,
    label_in,
    package,
    sent,
)
from tests.mondialrelay.samples import problems as refused

Code = ProblemCode


def found(request: ShipmentRequest) -> set[tuple[str, ProblemCode]]:
    """What the carrier's own check says, which is what the flow says too."""
    by_check = [(problem.path, problem.code) for problem in MR.problems(request)]
    by_flow: list[Problem] = refused(MR.create_shipment(request)) if by_check else []
    assert by_check == [(problem.path, problem.code) for problem in by_flow]
    assert all(problem.text for problem in by_flow)
    return {*by_check}


def to(request: ShipmentRequest = HOME, **changes: Any) -> ShipmentRequest:
    """*request* with another recipient: changes of the address, or ``contact=``."""
    party = request.ship_to
    assert party.address is not None
    contact = changes.pop("contact", party.contact)
    return attrs.evolve(request, ship_to=Party(address=attrs.evolve(party.address, **changes), contact=contact))


def with_option(value: Any, code: OptionCode = OptionCode.COD) -> ShipmentRequest:
    return attrs.evolve(HOME, options=(Option(code=code, value=value),))


def cash(amount: str, currency: str = "EUR", method: CodMethod = CodMethod.ANY) -> CashOnDelivery:
    return CashOnDelivery(amount=Money(Decimal(amount), currency), method=method)


def sized(*centimetres: int) -> ShipmentRequest:
    length, width, height = (Length(Decimal(each), LengthUnit.CM) for each in centimetres)
    return attrs.evolve(HOME, packages=(package(dimensions=Dimensions(length=length, width=width, height=height)),))


HUGO = Contact(name="Hugo", phone="+33600000000")
WRONG: dict[str, tuple[ShipmentRequest, str, ProblemCode]] = {
    "letters that are not printed": (to(lines=("ул. Ленина 1",)), "/ship_to/address/lines/0", Code.BAD_CHARACTERS),
    "a sign that is not printed": (to(lines=("6 place #2",)), "/ship_to/address/lines/0", Code.BAD_CHARACTERS),
    "a street that does not fit": (to(lines=("x" * 33,)), "/ship_to/address/lines", Code.TOO_LONG),
    "more street than lines": (
        to(lines=tuple(["une rue au nom de trente signes"] * 4)),
        "/ship_to/address/lines",
        Code.TOO_LONG,
    ),
    "no street": (to(lines=()), "/ship_to/address/lines", Code.MISSING),
    "a street of one letter": (to(lines=("a",)), "/ship_to/address/lines", Code.TOO_SHORT),
    "a long town": (to(city="x" * 27), "/ship_to/address/city", Code.TOO_LONG),
    "no town": (to(city=None), "/ship_to/address/city", Code.MISSING),
    "a town with a full stop": (to(city="St. Alban"), "/ship_to/address/city", Code.BAD_CHARACTERS),
    "no postal code": (to(postal_code=None), "/ship_to/address/postal_code", Code.MISSING),
    "a postal code of another country": (to(postal_code="1000"), "/ship_to/address/postal_code", Code.MALFORMED),
    "a long name": (to(contact=attrs.evolve(HUGO, name="x" * 33)), "/ship_to/contact/name", Code.TOO_LONG),
    "a long company beside a name": (
        to(contact=attrs.evolve(HUGO, company="y " * 17)),
        "/ship_to/contact/company",
        Code.TOO_LONG,
    ),
    "nobody": (to(contact=Contact(phone="+33600000000")), "/ship_to/contact/name", Code.MISSING),
    "a phone number with letters": (
        to(contact=attrs.evolve(HUGO, phone="6-CALL-HUGO")),
        "/ship_to/contact/phone",
        Code.MALFORMED,
    ),
    "no phone number of the sender": (
        attrs.evolve(HOME, ship_from=Party(address=HERE, contact=Contact(company="Akretion"))),
        "/ship_from/contact/phone",
        Code.MISSING,
    ),
    "no phone number where two persons come": (
        to(attrs.evolve(HOME, service="LDS"), contact=Contact(name="Hugo")),
        "/ship_to/contact/phone",
        Code.MISSING,
    ),
    "a mail address that cannot be told": (
        to(contact=attrs.evolve(HUGO, email="hugo+notes@example.com")),
        "/ship_to/contact/email",
        Code.MALFORMED,
    ),
    "no address of the sender": (
        attrs.evolve(HOME, ship_from=Party(contact=HUGO)),
        "/ship_from/address",
        Code.MISSING,
    ),
    "a long reference": (attrs.evolve(HOME, reference="SO-2026-00000001"), "/reference", Code.TOO_LONG),
    "a reference with a stroke": (attrs.evolve(HOME, reference="SO/1"), "/reference", Code.BAD_CHARACTERS),
    "long instructions": (attrs.evolve(HOME, instructions="x" * 32), "/instructions", Code.TOO_LONG),
    "a service that is none": (attrs.evolve(HOME, service="24L"), "/service", Code.UNKNOWN_VALUE),
    "no point": (attrs.evolve(RELAY, service_point=None), "/service_point", Code.MISSING),
    "a point at home": (attrs.evolve(HOME, service_point=POINT), "/service_point", Code.NOT_TOGETHER),
    "a point without its zeros": (
        attrs.evolve(RELAY, service_point=ServicePointRef(id="5680", country="FR")),
        "/service_point/id",
        Code.MALFORMED,
    ),
    "any point of delivery": (attrs.evolve(RELAY, service_point=ANY_POINT), "/service_point/id", Code.MALFORMED),
    "a point of hand-over that is none": (
        attrs.evolve(HOME, drop_off_point=ServicePointRef(id="FR1", country="FR")),
        "/drop_off_point/id",
        Code.MALFORMED,
    ),
    "two parcels at a point": (attrs.evolve(RELAY, packages=(package(), package("2"))), "/packages", Code.TOO_MANY),
    "a hundred parcels": (
        attrs.evolve(HOME, packages=tuple(package(str(each)) for each in range(100))),
        "/packages",
        Code.TOO_MANY,
    ),
    "fourteen grams": (attrs.evolve(HOME, packages=(package(kg="0.014"),)), "/packages", Code.OUT_OF_RANGE),
    "ten tons": (attrs.evolve(HOME, packages=(package(kg="10000"),)), "/packages", Code.OUT_OF_RANGE),
    "ten metres": (sized(600, 400, 400), "/packages/0/dimensions", Code.TOO_BIG),
    "cash of another currency": (with_option(cash("10", "CHF")), "/options/0/value", Code.NOT_OFFERED),
    "cash finer than a cent": (with_option(cash("10.005")), "/options/0/value", Code.NOT_OFFERED),
    "cash by cheque": (with_option(cash("10", method=CodMethod.CHEQUE)), "/options/0/value", Code.NOT_OFFERED),
    "too much cash": (with_option(cash("100000")), "/options/0/value", Code.OUT_OF_RANGE),
    "a choice of what the recipient is told": (
        with_option(
            Notify(channels=frozenset({NotifyChannel.EMAIL}), events=frozenset({NotifyEvent.DELIVERED})),
            OptionCode.NOTIFY,
        ),
        "/options/0/value/events",
        Code.NOT_OFFERED,
    ),
    "another payer": (
        attrs.evolve(HOME, payment=Payment(payer=Payer.RECIPIENT, account=BillingAccount(number="1"))),
        "/payment/payer",
        Code.NOT_OFFERED,
    ),
    "another place to return to": (attrs.evolve(HOME, return_to=HOME.ship_from), "/return_to", Code.NOT_OFFERED),
    "another account": (attrs.evolve(HOME, account_holder=HOME.ship_from), "/account_holder", Code.NOT_OFFERED),
    "a return label with the parcel": (
        attrs.evolve(HOME, return_label=ReturnSpec(kind=ReturnLabelKind.PRINTED)),
        "/return_label",
        Code.NOT_OFFERED,
    ),
    "a quote": (attrs.evolve(HOME, quote_id="q1"), "/quote_id", Code.NOT_OFFERED),
    "a further party": (
        attrs.evolve(HOME, parties=(PartyInRole(role=PartyRole.BUYER, party=HOME.ship_to),)),
        "/parties/0/role",
        Code.NOT_OFFERED,
    ),
    "text of the host's on the label": (
        attrs.evolve(HOME, packages=(package(label_text=("handle me",)),)),
        "/packages/0/label_text",
        Code.NOT_OFFERED,
    ),
    "a label for a printer of labels": (
        attrs.evolve(HOME, label=LabelSpec(format=DocumentFormat.ZPL)),
        "/label/format",
        Code.NOT_OFFERED,
    ),
    "a label of a size that is not printed": (
        attrs.evolve(HOME, label=label_in(PageFormat.A6)),
        "/label/size",
        Code.NOT_OFFERED,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_go_is_refused_at_its_path(name: str) -> None:
    request, path, code = WRONG[name]

    assert found(request) == {(path, code)}


def test_every_problem_is_told_at_once() -> None:
    request = attrs.evolve(
        to(city="x" * 27), reference="SO/1", service="24R", packages=(package(kg="0.001"),), instructions="x" * 40
    )

    assert found(request) == {
        ("/ship_to/address/city", Code.TOO_LONG),
        ("/reference", Code.BAD_CHARACTERS),
        ("/service_point", Code.MISSING),
        ("/packages", Code.OUT_OF_RANGE),
        ("/instructions", Code.TOO_LONG),
    }


def test_what_is_refused_names_no_person() -> None:
    request = to(contact=Contact(name="Ségolène Дом", phone="secretphone", email="s@x"))

    texts = [problem.text for problem in MR.problems(request)]

    assert len(texts) == 3
    assert not [text for text in texts for word in ("Дом", "SEGOLENE", "secretphone", "s@x") if word in text]


@pytest.mark.parametrize("request_", [HOME, RELAY, sized(60, 40, 400)])
def test_what_can_go_has_no_problem(request_: ShipmentRequest) -> None:
    assert found(request_) == set()


def members(request: ShipmentRequest) -> dict[str, str]:
    content = sent(MR.create_shipment(request)).content
    assert isinstance(content, bytes)
    return valid_request(content)[1]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("contact", "lines", "told"),
    [
        (Contact(name="Hugo"), ("6 place",), ["HUGO", "", "6 PLACE", ""]),
        (Contact(name="Hugo", company="Éditions"), ("6 place",), ["HUGO", "EDITIONS", "6 PLACE", ""]),
        (Contact(company="Éditions"), ("6 place", "3e étage"), ["EDITIONS", "", "6 PLACE", "3E ETAGE"]),
        (Contact(name="Hugo"), ("a1", "b2", "c3"), ["HUGO", "A1", "B2", "C3"]),
        (
            Contact(name="Hugo"),
            ("128 avenue du Maréchal Jean de Lattre de Tassigny",),
            ["HUGO", "", "128 AVENUE DU MARECHAL JEAN DE", "LATTRE DE TASSIGNY"],
        ),
        (
            Contact(name="Société nouvelle des établissements Dupont"),
            ("6 place",),
            ["SOCIETE NOUVELLE DES", "ETABLISSEMENTS DUPONT", "6 PLACE", ""],
        ),
    ],
)
def test_a_party_is_laid_out_in_four_lines(contact: Contact, lines: tuple[str, ...], told: list[str]) -> None:
    found = members(to(lines=lines, contact=contact))

    assert [found.get(f"Dest_Ad{line}", "") for line in range(1, 5)] == told


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("country", "postal_code", "language", "told"),
    [
        ("FR", "75004", None, "FR"),
        ("BE", "1000", None, "FR"),
        ("BE", "1000", "nl-BE", "NL"),
        ("ES", "28001", None, "ES"),
        ("DE", "10115", None, "EN"),
        ("DE", "10115", "de", "EN"),
    ],
)
def test_people_are_written_to_in_their_language_or_their_country_s(
    country: str, postal_code: str, language: str | None, told: str
) -> None:
    contact = attrs.evolve(HUGO, language=language)

    assert members(to(country=country, postal_code=postal_code, contact=contact))["Dest_Langage"] == told


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("+33 (0)6 00 00 00 00", "+33600000000"),
        ("06.00.00.00.00", "0600000000"),
        ("0033 600-000-000", "0033600000000"),
    ],
)
def test_a_phone_number_goes_without_its_spacing(number: str, told: str) -> None:
    assert members(to(contact=attrs.evolve(HUGO, phone=number)))["Dest_Tel1"] == told


@pytest.mark.usefixtures("shared")
def test_where_only_the_point_s_address_is_known_it_stands_on_the_label() -> None:
    point = attrs.evolve(POINT, address=HERE)
    nowhere = Party(address=Address(lines=(), country="FR"), contact=HUGO)

    told = members(attrs.evolve(RELAY, service_point=point, ship_to=nowhere))

    assert (told["Dest_Ad1"], told["Dest_Ad3"], told["Dest_CP"]) == ("HUGO", "27 RUE HENRI ROLLAND", "69100")


@given(st.text(max_size=40))
def test_printing_twice_is_printing_once(text: str) -> None:
    assert printed(printed(text)) == printed(text)


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_printing_leaves_no_accent_no_small_letter_and_no_double_blank(text: str) -> None:
    told = printed(text)

    assert not [char for char in unicodedata.normalize("NFD", told) if unicodedata.combining(char)]
    assert told == told.upper()
    assert "  " not in told and told == told.strip()


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'., /", max_size=40))
def test_what_can_be_printed_is_printed_as_it_is(text: str) -> None:
    assert printed(text) == " ".join(text.split())


@given(st.text("abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæßñøåł' -", max_size=40))
def test_the_letters_of_western_europe_can_all_be_printed(text: str) -> None:
    assert set(printed(text)) <= {*"ABCDEFGHIJKLMNOPQRSTUVWXYZ' -"}
    assert len(printed(text)) >= len(" ".join(text.split()))


@given(shipment_requests(MR, services=["HOM", "LD1", "LDS"]))
def test_what_the_facts_allow_and_the_check_passes_leaves(request: ShipmentRequest) -> None:
    assert general_problems(request, MR.facts()) == ()
    assert sent(MR.create_shipment(request)).method == "POST"


@pytest.mark.usefixtures("shared")
def test_the_length_is_told_as_length_and_height_of_the_parcel_as_it_lies_flat() -> None:
    assert members(sized(60, 40, 20))["Longueur"] == "80"
    assert members(sized(20, 60, 40))["Longueur"] == "80"
    assert "Longueur" not in members(HOME)


def paths_of(flow: Any) -> set[tuple[str, ProblemCode]]:
    return {(problem.path, problem.code) for problem in refused(flow)}


def test_a_way_back_is_printed_or_refused() -> None:
    for kind in (ReturnLabelKind.MAILED, ReturnLabelKind.QR):
        assert paths_of(MR.create_return(attrs.evolve(RETURN, kind=kind))) == {("/kind", Code.NOT_OFFERED)}


def test_how_long_a_way_back_is_valid_cannot_be_said() -> None:
    assert paths_of(MR.create_return(attrs.evolve(RETURN, valid_days=14))) == {("/valid_days", Code.NOT_OFFERED)}


def test_papers_of_a_size_that_is_not_printed_are_refused() -> None:
    query: DocumentQuery = attrs.evolve(LABELS, label=label_in(PageFormat.A6))

    assert paths_of(MR.documents(query)) == {("/label/size", Code.NOT_OFFERED)}


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        (attrs.evolve(NEAR, near=Address(lines=(), country="FR")), "/near", Code.MISSING),
        (
            attrs.evolve(NEAR, near=Address(lines=(), postal_code="691", country="FR")),
            "/near/postal_code",
            Code.MALFORMED,
        ),
        (
            attrs.evolve(NEAR, near=Address(lines=(), city="Лион", country="FR")),
            "/near/city",
            Code.BAD_CHARACTERS,
        ),
        (ServicePointQuery(country="FR", id="5680"), "/id", Code.MALFORMED),
    ],
)
def test_a_search_for_nowhere_is_refused(query: ServicePointQuery, path: str, code: ProblemCode) -> None:
    assert paths_of(MR.service_points(query)) == {(path, code)}


@pytest.mark.parametrize(
    ("check", "path", "code"),
    [
        (AddressCheck(address=Address(lines=("x",), country="FR")), "/address/postal_code", Code.MISSING),
        (
            AddressCheck(address=attrs.evolve(HERE, city="x" * 27)),
            "/address/city",
            Code.TOO_LONG,
        ),
        (AddressCheck(address=HERE, level=AddressCheckLevel.CLASSIFY), "/level", Code.NOT_OFFERED),
    ],
)
def test_a_check_of_nothing_is_refused(check: AddressCheck, path: str, code: ProblemCode) -> None:
    assert paths_of(MR.check_address(check)) == {(path, code)}


@pytest.mark.parametrize(
    ("member", "value", "fits"),
    [
        ("Assurance", "3", True),
        ("Assurance", "6", False),
        ("Taille", "3XL", True),
        ("Taille", "XXS", False),
        ("NClient", "C123", True),
        ("NClient", "C-123", False),
        ("Montage", "90", True),
        ("Texte", "Commande 12(cr)Merci", True),
        ("Texte", "<b>", False),
        ("ModeLiv", "HOM", False),
    ],
)
def test_members_of_the_carrier_s_own_are_checked(member: str, value: str, fits: bool) -> None:
    request = attrs.evolve(HOME, carrier_options={"mondialrelay": {member: value}})

    found = general_problems(request, MR.facts(), schema=MR.options_schema())

    assert [problem.path for problem in found] == ([] if fits else [f"/carrier_options/mondialrelay/{member}"])
    if fits:
        assert members(request)[member] == value
