"""What UPS would refuse, or carry out otherwise than it is meant, is refused before it leaves, at its path."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from shipkit.constraints import problems as general_problems
from shipkit.errors import InputError
from shipkit.model import (
    BillingAccount,
    CashOnDelivery,
    Dimensions,
    DocumentFormat,
    Incoterm,
    LabelSpec,
    Length,
    LengthUnit,
    Money,
    Notify,
    NotifyChannel,
    NotifyEvent,
    Option,
    OptionCode,
    PackagingKind,
    PartyInRole,
    PartyRole,
    Payer,
    Payment,
    ProblemCode,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    ReturnSpec,
    ServicePointRef,
    ShipmentRequest,
    SignatureLevel,
)
from shipkit.testing import play
from tests.ups.conversations import option, orders
from tests.ups.samples import (
    ABROAD,
    BACK,
    BERLIN,
    BOXES,
    CUSTOMS,
    EUROPEAN,
    HOME,
    ORDER,
    OTTAWA,
    PARIS,
    POINT,
    QUOTED,
    RALEIGH,
    UPS,
    at,
    box,
)

Code = ProblemCode


def found(request: Any) -> set[tuple[str, ProblemCode]]:
    """What the client says against *request*: by the facts, and by UPS's own rules."""
    by_facts = list(general_problems(request, UPS.facts(), schema=UPS.options_schema()))
    told = [*by_facts, *UPS.problems(request)]
    assert all(problem.text for problem in told)
    return {(problem.path, problem.code) for problem in told}


def to(party: Any, request: ShipmentRequest = ORDER, **contact: Any) -> ShipmentRequest:
    if contact:
        party = attrs.evolve(party, contact=attrs.evolve(party.contact, **contact))
    return attrs.evolve(request, ship_to=party)


def sized(*sides: str) -> Dimensions:
    length, width, height = (Length(Decimal(side), LengthUnit.CM) for side in sides)
    return Dimensions(length=length, width=width, height=height)


def line(**changes: Any) -> ShipmentRequest:
    """ABROAD with another second customs line."""
    lines = (CUSTOMS.lines[0], attrs.evolve(CUSTOMS.lines[0], line=2, **changes))
    return attrs.evolve(ABROAD, customs=attrs.evolve(CUSTOMS, lines=lines))


def barred(value: str) -> Reference:
    return Reference(type=ReferenceType.PURCHASE_ORDER, value=value, barcode=True)


NO_MONEY = Money(Decimal(100), "USD")
CASES: dict[str, tuple[ShipmentRequest, str, ProblemCode]] = {
    "a state where UPS wants one": (to(at(HOME, region=None)), "/ship_to/address/region", Code.LANE_REQUIRES),
    "a Canadian postal code": (
        to(at(OTTAWA, postal_code="12345"), ABROAD),
        "/ship_to/address/postal_code",
        Code.MALFORMED,
    ),
    "an American one": (to(at(HOME, postal_code="3282")), "/ship_to/address/postal_code", Code.MALFORMED),
    "one with too many letters": (
        to(at(BERLIN, postal_code="1011701170"), EUROPEAN),
        "/ship_to/address/postal_code",
        Code.TOO_LONG,
    ),
    "a phone without its area": (to(HOME, phone="5550199"), "/ship_to/contact/phone", Code.MALFORMED),
    "no phone across a border": (to(OTTAWA, ABROAD, phone=None), "/ship_to/contact/phone", Code.LANE_REQUIRES),
    "a name too long": (to(HOME, name="x" * 36), "/ship_to/contact/name", Code.TOO_LONG),
    "more street than three lines": (to(at(HOME, lines=("word " * 30,))), "/ship_to/address/lines", Code.TOO_LONG),
    "letters that no label prints": (to(at(HOME, city="東京都")), "/ship_to/address/city", Code.BAD_CHARACTERS),
    "two alphabets at once": (to(at(HOME, city="Łódź Москва")), "/ship_to/address/city", Code.BAD_CHARACTERS),
    "more than 150 pounds": (
        attrs.evolve(ORDER, packages=(box(weight="150.1"),)),
        "/packages/0/weight",
        Code.TOO_HEAVY,
    ),
    "more than 70 kilograms": (
        attrs.evolve(EUROPEAN, packages=(box(weight="155"),)),
        "/packages/0/weight",
        Code.TOO_HEAVY,
    ),
    "more girth than 330 cm": (
        attrs.evolve(EUROPEAN, packages=(attrs.evolve(box(), dimensions=sized("270", "20", "11")),)),
        "/packages/0/dimensions",
        Code.TOO_BIG,
    ),
    "a cover for nobody in particular": (
        attrs.evolve(ORDER, options=(option(OptionCode.INSURANCE, NO_MONEY),)),
        "/options/0/package_refs",
        Code.MISSING,
    ),
    "leaving it at a French door": (
        attrs.evolve(EUROPEAN, options=(option(OptionCode.SIGNATURE, SignatureLevel.NONE),)),
        "/options/0/value",
        Code.NOT_OFFERED,
    ),
    "a signature for one of several abroad": (
        attrs.evolve(ABROAD, options=(option(OptionCode.SIGNATURE, SignatureLevel.ADULT, "first"),)),
        "/options/0/package_refs",
        Code.NOT_OFFERED,
    ),
    "a signature of the addressee alone": (
        attrs.evolve(ORDER, options=(option(OptionCode.SIGNATURE, SignatureLevel.DIRECT),)),
        "/options/0/value",
        Code.NOT_OFFERED,
    ),
    "cash": (
        attrs.evolve(ORDER, options=(option(OptionCode.COD, CashOnDelivery(amount=NO_MONEY)),)),
        "/options/0/code",
        Code.NOT_OFFERED,
    ),
    "news of its delivery round": (
        attrs.evolve(
            ORDER,
            options=(
                option(
                    OptionCode.NOTIFY,
                    Notify(channels=frozenset({NotifyChannel.EMAIL}), events=frozenset({NotifyEvent.OUT_FOR_DELIVERY})),
                ),
            ),
        ),
        "/options/0/value/events",
        Code.NOT_OFFERED,
    ),
    "news to nobody": (
        to(HOME, attrs.evolve(orders()["told"]), email=None),
        "/ship_to/contact/email",
        Code.MISSING,
    ),
    "a point twice": (
        attrs.evolve(ORDER, service_point=POINT, options=(option(OptionCode.HOLD_AT_LOCATION, POINT),)),
        "/options/0",
        Code.NOT_TOGETHER,
    ),
    "a point and the door": (
        attrs.evolve(ORDER, service_point=POINT, options=(option(OptionCode.DIRECT_DELIVERY_ONLY),)),
        "/options/0",
        Code.NOT_TOGETHER,
    ),
    "a point with another carrier's number": (
        attrs.evolve(ORDER, service_point=attrs.evolve(POINT, id="P32500")),
        "/service_point/id",
        Code.MALFORMED,
    ),
    "a point without its address": (
        attrs.evolve(ORDER, service_point=attrs.evolve(POINT, address=None)),
        "/service_point/address",
        Code.MISSING,
    ),
    "a third payer from nowhere": (
        attrs.evolve(ORDER, payment=Payment(payer=Payer.THIRD_PARTY, account=BillingAccount(number="D4E5F6"))),
        "/payment/account/country",
        Code.MISSING,
    ),
    "an account number of another carrier": (
        attrs.evolve(ORDER, payment=Payment(payer=Payer.RECIPIENT, account=BillingAccount(number="123456789"))),
        "/payment/account/number",
        Code.MALFORMED,
    ),
    "goods without a declaration": (attrs.evolve(ABROAD, customs=None), "/customs", Code.LANE_REQUIRES),
    "goods without a word": (
        attrs.evolve(ABROAD, customs=None, description=None),
        "/description",
        Code.LANE_REQUIRES,
    ),
    "goods in too many words": (
        attrs.evolve(line(description="Woollen socks for very large and very small feet"), description=None),
        "/description",
        Code.LANE_REQUIRES,
    ),
    "half a shirt": (line(quantity=Decimal("0.5")), "/customs/lines/1/quantity", Code.MALFORMED),
    "an invoice in two currencies": (
        line(unit_value=Money(Decimal(1), "EUR")),
        "/customs/lines/1/unit_value/currency",
        Code.INCONSISTENT,
    ),
    "goods for nothing": (
        line(unit_value=Money(Decimal(0), "USD")),
        "/customs/lines/1/unit_value/amount",
        Code.OUT_OF_RANGE,
    ),
    "goods from nowhere": (line(origin_country=None), "/customs/lines/1/origin_country", Code.LANE_REQUIRES),
    "words that do not fit three lines": (
        line(description="a-word-of-thirty-characters-ab " * 3 + "abcdefgh"),
        "/customs/lines/1/description",
        Code.TOO_LONG,
    ),
    "a term that the invoice does not know": (
        attrs.evolve(ABROAD, customs=attrs.evolve(CUSTOMS, incoterm=Incoterm.DPU)),
        "/customs/incoterm",
        Code.NOT_OFFERED,
    ),
    "a label as a picture of another kind": (
        attrs.evolve(ORDER, label=LabelSpec(format=DocumentFormat.PDF)),
        "/label/format",
        Code.NOT_OFFERED,
    ),
    "a return label beside": (
        attrs.evolve(ORDER, return_label=ReturnSpec(kind=ReturnLabelKind.PRINTED)),
        "/return_label",
        Code.NOT_OFFERED,
    ),
    "another place for what comes back": (attrs.evolve(ORDER, return_to=PARIS), "/return_to", Code.NOT_OFFERED),
    "more numbers than a package has room for": (
        attrs.evolve(
            ORDER,
            references=(),
            packages=(attrs.evolve(box(), references=(Reference(type=ReferenceType.INVOICE, value="F"),) * 4),),
        ),
        "/packages/0/references",
        Code.TOO_MANY,
    ),
    "words on the label": (
        attrs.evolve(ORDER, packages=(attrs.evolve(ORDER.packages[0], label_text=("handle me",)),)),
        "/packages/0/label_text",
        Code.NOT_OFFERED,
    ),
    "a party that the invoice has no place for": (
        attrs.evolve(ORDER, parties=(PartyInRole(role=PartyRole.BROKER, party=PARIS),)),
        "/parties/0/role",
        Code.NOT_OFFERED,
    ),
    "words for the driver": (attrs.evolve(ORDER, instructions="Ring twice"), "/instructions", Code.NOT_OFFERED),
    "a quote's number": (attrs.evolve(ORDER, quote_id="q1"), "/quote_id", Code.NOT_OFFERED),
    "a point to drop it": (
        attrs.evolve(ORDER, drop_off_point=ServicePointRef(id="U51130200", country="US")),
        "/drop_off_point",
        Code.NOT_OFFERED,
    ),
    "a bar code of too many letters": (
        attrs.evolve(ORDER, references=(barred("PURCHASE-ORDER-7"),)),
        "/references/0/value",
        Code.MALFORMED,
    ),
    "two bar codes": (
        attrs.evolve(ORDER, references=(barred("PO7"), barred("PO8"))),
        "/references/1/barcode",
        Code.TOO_MANY,
    ),
    "an option of its own that does not exist": (
        attrs.evolve(ORDER, carrier_options={"ups": {"pickup_type": "99"}}),
        "/carrier_options/ups/pickup_type",
        Code.UNKNOWN_VALUE,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_at_its_path(name: str) -> None:
    request, path, code = CASES[name]

    assert (path, code) in found(request)


@pytest.mark.parametrize("name", orders())
def test_what_ups_takes_is_not_refused(name: str) -> None:
    assert found(orders()[name]) == set()


def test_questions_are_checked_as_far_as_they_go() -> None:
    assert found(QUOTED) == set()
    assert found(attrs.evolve(QUOTED, packages=(box(weight="200"),))) == {("/packages/0/weight", Code.TOO_HEAVY)}
    assert found(attrs.evolve(QUOTED, ship_to=OTTAWA)) == set(), "a price needs no declaration"


def test_letters_and_papers_need_no_declaration() -> None:
    letters = tuple(attrs.evolve(package, packaging=PackagingKind.LETTER) for package in BOXES)

    assert found(attrs.evolve(ABROAD, customs=None, description=None, packages=letters)) == set()


def test_seventy_kilograms_are_one_hundred_and_fifty_pounds_to_nobody() -> None:
    kilograms = attrs.evolve(EUROPEAN, packages=(box(weight="154.3"),))
    pounds = attrs.evolve(ORDER, packages=(box(weight="150"),))

    assert found(kilograms) == set() == found(pounds)


def test_two_hundred_and_seventy_centimetres_are_one_hundred_and_eight_inches_to_nobody() -> None:
    def long(request: ShipmentRequest, length: str, unit: LengthUnit) -> set[tuple[str, ProblemCode]]:
        sides = {name: Length(Decimal(1), unit) for name in ("width", "height")}
        size = Dimensions(length=Length(Decimal(length), unit), **sides)
        return found(attrs.evolve(request, packages=(attrs.evolve(box(), dimensions=size),)))

    assert long(EUROPEAN, "271", LengthUnit.CM) == {("/packages/0/dimensions", Code.TOO_BIG)}
    assert long(EUROPEAN, "270", LengthUnit.CM) == set() == long(ORDER, "108", LengthUnit.IN)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"kind": ReturnLabelKind.QR}, "/kind"),
        ({"shipment": attrs.evolve(BACK.shipment, service="59")}, "/shipment/service"),
        ({"shipment": attrs.evolve(BACK.shipment, packages=BOXES)}, "/shipment/packages"),
        ({"shipment": attrs.evolve(BACK.shipment, packages=(box(),))}, "/shipment/packages/0/description"),
        (
            {"shipment": attrs.evolve(BACK.shipment, packages=(attrs.evolve(box(), packaging_code="25"),))},
            "/shipment/packages/0/packaging_code",
        ),
        ({"valid_days": 14}, "/valid_days"),
        ({"shipment": attrs.evolve(BACK.shipment, service_point=POINT)}, "/shipment/service_point"),
        (
            {"shipment": attrs.evolve(BACK.shipment, options=(Option(code=OptionCode.HOLD_AT_LOCATION, value=POINT),))},
            "/shipment/options/0",
        ),
        (
            {
                "shipment": attrs.evolve(
                    BACK.shipment,
                    ship_from=PARIS,
                    options=(Option(code=OptionCode.SIGNATURE, value=SignatureLevel.ANY),),
                )
            },
            "/shipment/options/0",
        ),
    ],
)
def test_a_return_that_ups_has_not_is_refused_before_it_is_sent(changes: dict[str, Any], path: str) -> None:
    request: ReturnRequest = attrs.evolve(BACK, **changes)
    error = play(UPS.create_return(request)).raised(InputError)

    assert path in {problem.path for problem in error.problems}


def test_no_text_of_a_problem_repeats_what_somebody_wrote() -> None:
    secret = "Mrs Secret"
    hidden = [
        attrs.evolve(
            to(at(HOME, city=f"{secret} 東京", lines=(secret,)), name=secret * 5, phone=f"{secret}"), mark=None
        ),
        to(at(RALEIGH, postal_code=secret * 2)),
        line(description=secret * 15),
    ]
    for request in hidden:
        told = [*general_problems(request, UPS.facts(), schema=UPS.options_schema()), *UPS.problems(request)]
        assert told
        assert not [problem for problem in told if secret in f"{problem.text} {problem.limit}"]
