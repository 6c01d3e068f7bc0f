"""What is wrong with a request: every rule, with its path, all at once."""

from __future__ import annotations

import decimal
from datetime import date, time
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import model as m
from shipkit.codec import draft_from_dict, to_dict
from shipkit.constraints import lane_kind, problems
from shipkit.testing import breakages, broken, rate_requests, return_requests, shipment_requests
from tests.constraints.facts import ACME, cm, goods, kg, package, party, shipment

SCHEMA = {
    "type": "object",
    "required": ["depot"],
    "properties": {
        "depot": {"type": "string", "pattern": "^D[0-9]+$", "maxLength": 4},
        "floor": {"type": "integer", "minimum": 0, "maximum": 9},
        "mode": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "free": {"type": "object", "additionalProperties": {}},
    },
}


def found(request: Any, **more: Any) -> list[tuple[str, str]]:
    return [(problem.path, str(problem.code)) for problem in problems(request, ACME, **more)]


def test_a_request_that_the_carrier_takes_has_no_problem() -> None:
    assert problems(shipment(), ACME) == ()


@given(shipment_requests(ACME))
def test_what_is_generated_from_facts_has_no_problem(request: m.ShipmentRequest) -> None:
    assert problems(request, ACME) == ()


@given(rate_requests(ACME), return_requests(ACME))
def test_prices_and_returns_are_generated_too(rates: m.RateRequest, way_back: m.ReturnRequest) -> None:
    assert problems(rates, ACME) == ()
    assert problems(way_back, ACME) == ()


@given(broken(ACME, shipment_requests(ACME)))
def test_one_thing_wrong_is_found_where_it_is_wrong(case: Any) -> None:
    assert (case.path, case.code) in [(problem.path, problem.code) for problem in problems(case.request, ACME)]


@given(shipment_requests(ACME), st.data())
def test_all_problems_come_at_once(request: m.ShipmentRequest, data: st.DataObject) -> None:
    """Two things wrong in two parts of the request are both found, and so are the parts alone."""
    several = [case for case in breakages(request, ACME) if case.path.startswith("/ship_to/contact/email")]
    other = data.draw(st.sampled_from([c for c in breakages(request, ACME) if c.path.startswith("/packages")]))
    both = attrs.evolve(other.request, ship_to=several[0].request.ship_to)

    assert {(several[0].path, several[0].code), (other.path, other.code)} <= {
        (problem.path, problem.code) for problem in problems(both, ACME)
    }


@given(broken(ACME, shipment_requests(ACME)))
def test_no_path_and_rule_is_said_twice(case: Any) -> None:
    said = [(problem.path, problem.code) for problem in problems(case.request, ACME)]

    assert len(said) == len(set(said))


CANARY = "Zebulon Quaxfeather"


@pytest.mark.parametrize(
    "request_",
    [
        shipment(ship_to=party(name=f"{CANARY}\a")),
        shipment(ship_to=party(name=CANARY * 9, email=CANARY * 9, phone=CANARY, company=CANARY + "漢")),
        shipment(ship_to=party(lines=(CANARY * 9, f"{CANARY}漢字"), city=f"{CANARY}漢字", postal_code=CANARY + "\0")),
        shipment(reference=f"{CANARY}é", description=f"{CANARY}\a", instructions=f"{CANARY}\0"),
        shipment(customs=goods(description=f"{CANARY}\0", hs_code=CANARY)),
        shipment(packages=(package(description=f"{CANARY}\0", label_text=(f"{CANARY}\0",)),)),
    ],
)
def test_no_text_of_a_problem_holds_the_value_of_a_field(request_: m.ShipmentRequest) -> None:
    said = problems(request_, ACME)

    assert said
    assert CANARY not in repr(said)


# The rules of the model


@pytest.mark.parametrize(
    ("request_", "path", "code"),
    [
        (shipment(packages=()), "/packages", "too_few"),
        (shipment(packages=(package("A"), package("A"))), "/packages/1/ref", "duplicate"),
        (shipment(packages=(package("A" * 41),)), "/packages/0/ref", "too_long"),
        (shipment(packages=(package(""),)), "/packages/0/ref", "too_short"),
        (shipment(packages=(package(weight=kg("0")),)), "/packages/0/weight/value", "not_positive"),
        (shipment(packages=(package(weight=kg("1.1234567")),)), "/packages/0/weight/value", "out_of_range"),
        (shipment(packages=(package(sscc="123456789012345678"),)), "/packages/0/sscc", "check_digit"),
        (shipment(packages=(package(sscc="12"),)), "/packages/0/sscc", "malformed"),
        (shipment(packages=(package(description=" "),)), "/packages/0/description", "too_short"),
        (
            shipment(packages=(package(declared_value=m.Money(Decimal(-1), "EUR")),)),
            "/packages/0/declared_value/amount",
            "not_positive",
        ),
        (
            shipment(packages=(package(declared_value=m.Money(Decimal(1), "EUX")),)),
            "/packages/0/declared_value/currency",
            "unknown_value",
        ),
        (
            shipment(packages=(package(temperature=m.TemperatureRange()),)),
            "/packages/0/temperature/min_c",
            "missing",
        ),
        (
            shipment(packages=(package(temperature=m.TemperatureRange(min_c=Decimal(8), max_c=Decimal(2))),)),
            "/packages/0/temperature/max_c",
            "inconsistent",
        ),
        (shipment(reference="é"), "/reference", "bad_characters"),
        (shipment(reference=""), "/reference", "too_short"),
        (shipment(mark="a"), "/mark", "bad_characters"),
        (shipment(service=None), "/service", "missing"),
        (shipment(ship_to=m.Party()), "/ship_to/address", "missing"),
        (shipment(ship_to=m.Party()), "/ship_to/contact", "missing"),
        (shipment(ship_to=party(name=None)), "/ship_to/contact/name", "missing"),
        (shipment(ship_to=party(lines=())), "/ship_to/address/lines", "too_few"),
        (shipment(ship_to=party(lines=("a", " "))), "/ship_to/address/lines/1", "too_short"),
        (shipment(ship_to=party(lines=("a\nb",))), "/ship_to/address/lines/0", "bad_characters"),
        (shipment(ship_to=party(lines=tuple("abcde"))), "/ship_to/address/lines", "too_many"),
        (shipment(ship_to=party(country="fr")), "/ship_to/address/country", "unknown_value"),
        (shipment(ship_to=party(postal_code=None)), "/ship_to/address/postal_code", "missing"),
        (shipment(ship_to=party(city=None)), "/ship_to/address/city", "missing"),
        (shipment(return_to=m.Party(contact=m.Contact(name="A"))), "/return_to/address", "missing"),
        (
            shipment(ship_to=attrs.evolve(party(), tax_ids=(m.TaxId(type=m.TaxIdType.VAT, value="1"),))),
            "/ship_to/tax_ids/0/issuer",
            "missing",
        ),
        (
            shipment(parties=tuple(m.PartyInRole(role=m.PartyRole.BUYER, party=party()) for _ in range(2))),
            "/parties/1/role",
            "duplicate",
        ),
        (shipment(payment=m.Payment(payer=m.Payer.RECIPIENT)), "/payment/account", "missing"),
        (shipment(label=m.LabelSpec(copies=0)), "/label/copies", "not_positive"),
        (shipment(label=m.LabelSpec(orientation=45)), "/label/orientation", "out_of_range"),
        (
            shipment(label=m.LabelSpec(size=m.PageSize(format=m.PageFormat.CUSTOM))),
            "/label/size/width",
            "missing",
        ),
        (
            shipment(return_label=m.ReturnSpec(kind=m.ReturnLabelKind.PRINTED, valid_days=0)),
            "/return_label/valid_days",
            "not_positive",
        ),
        (shipment(references=(m.Reference(type=m.ReferenceType.ORDER, value=""),)), "/references/0/value", "too_short"),
        (shipment(customs=goods(quantity=Decimal(0))), "/customs/lines/0/quantity", "not_positive"),
        (shipment(customs=goods(line=0)), "/customs/lines/0/line", "not_positive"),
        (shipment(customs=goods(hs_code="61")), "/customs/lines/0/hs_code", "malformed"),
        (shipment(customs=goods(gtin="4006381333932")), "/customs/lines/0/gtin", "check_digit"),
        (
            shipment(customs=goods(net_weight=kg("2"), gross_weight=m.Weight(Decimal(4), m.WeightUnit.LB))),
            "/customs/lines/0/gross_weight",
            "inconsistent",
        ),
        (
            shipment(customs=goods(unit_value=m.Money(Decimal(-1), "EUR"))),
            "/customs/lines/0/unit_value/amount",
            "not_positive",
        ),
        (
            shipment(customs=attrs.evolve(goods(), duties_payer=m.Payer.THIRD_PARTY)),
            "/customs/duties_account",
            "missing",
        ),
        (shipment(customs=attrs.evolve(goods(), lines=())), "/customs/lines", "too_few"),
    ],
)
def test_a_rule_of_the_model_is_checked(request_: m.ShipmentRequest, path: str, code: str) -> None:
    assert (path, code) in found(request_)


@pytest.mark.parametrize(
    "request_",
    [
        shipment(packages=(package(weight=m.Weight(Decimal(0), m.WeightUnit.G), packaging=m.PackagingKind.LETTER),)),
        shipment(packages=(package(sscc="123456789012345675"),)),
        shipment(
            ship_to=party(lines=()),
            service_point=m.ServicePointRef(id="62050", country="FR"),
        ),
        shipment(ship_to=party(country="HK", postal_code=None), customs=goods()),
        shipment(service="home", quote_id=None, return_to=m.Party(address=party().address)),
        shipment(customs=goods(gtin="4006381333931", net_weight=kg("0.5"), gross_weight=kg("0.5"))),
        shipment(packages=(package(weight=m.Weight(Decimal("1.1000000000"), m.WeightUnit.KG)),)),
        shipment(ship_to=party(name="Zoë\N{NO-BREAK SPACE}Ünal")),
    ],
)
def test_what_only_looks_odd_is_no_problem(request_: m.ShipmentRequest) -> None:
    refused = [path for path, _ in found(request_) if "packaging" not in path]

    assert refused == []


def test_the_quote_to_buy_stands_for_a_service() -> None:
    assert found(shipment(service=None, quote_id="q1")) == []


def test_each_option_comes_once_for_a_package_and_speaks_of_packages_that_are_there() -> None:
    signature = m.Option(code=m.OptionCode.SIGNATURE, value=m.SignatureLevel.ANY)
    packages = (package("A"), package("B"))
    of_a, of_b = (attrs.evolve(signature, package_refs=(ref,)) for ref in "AB")

    assert found(shipment(packages=packages, options=(of_a, of_b))) == []
    assert found(shipment(packages=packages, options=(of_a, of_a))) == [("/options/1/code", "duplicate")]
    assert found(shipment(packages=packages, options=(of_a, signature))) == [("/options/1/code", "duplicate")]
    assert found(shipment(packages=packages, options=(signature, of_b))) == [("/options/1/code", "duplicate")]
    unknown = attrs.evolve(signature, package_refs=("C",))
    assert found(shipment(packages=packages, options=(unknown,))) == [("/options/0/package_refs/0", "inconsistent")]


@pytest.mark.parametrize(
    ("option", "path", "code"),
    [
        (m.Option(code=m.OptionCode.SIGNATURE), "/options/0/value", "missing"),
        (
            m.Option(code=m.OptionCode.INSURANCE, value=m.Money(Decimal(0), "EUR")),
            "/options/0/value/amount",
            "not_positive",
        ),
        (
            m.Option(code=m.OptionCode.COD, value=m.CashOnDelivery(amount=m.Money(Decimal(0), "EUR"))),
            "/options/0/value/amount/amount",
            "not_positive",
        ),
        (
            m.Option(code=m.OptionCode.SATURDAY_DELIVERY, package_refs=("P1",)),
            "/options/0/package_refs",
            "not_offered",
        ),
    ],
)
def test_an_option_that_needs_a_value_has_one(option: m.Option, path: str, code: str) -> None:
    assert (path, code) in found(shipment(options=(option,)))


def test_the_goods_that_customs_is_told_of_are_those_in_the_packages() -> None:
    line = goods().lines[0]
    told = shipment(packages=(package(contents=(line,)),), customs=goods())
    less = shipment(packages=(package(contents=(attrs.evolve(line, quantity=Decimal(1)),)),), customs=goods())
    dearer = goods(unit_value=m.Money(Decimal(21), "EUR"))

    assert found(told) == []
    assert found(less) == [("/customs/lines", "inconsistent")]
    assert found(attrs.evolve(told, customs=dearer)) == [("/customs/lines", "inconsistent")]


def test_dangerous_goods_have_a_number_a_level_and_somebody_to_call() -> None:
    battery = good()

    def with_(**changes: Any) -> list[tuple[str, str]]:
        return found(shipment(packages=(package(dangerous_goods=(attrs.evolve(battery, **changes),)),)))

    at = "/packages/0/dangerous_goods/0"
    assert with_() == []
    assert with_(un_number="3480") == [(f"{at}/un_number", "malformed")]
    assert with_(level=m.DgLevel.FULL) == [(f"{at}/emergency_contact", "missing"), (f"{at}/level", "not_offered")]
    assert battery.lithium is not None
    powerless = attrs.evolve(battery.lithium, watt_hours=None)
    assert with_(lithium=powerless) == [(f"{at}/lithium/watt_hours", "missing")]
    assert with_(net=m.Volume(Decimal(0), m.VolumeUnit.ML)) == [(f"{at}/net/value", "not_positive")]


def good() -> m.DangerousGood:
    return m.DangerousGood(
        un_number="UN3480",
        proper_shipping_name="Lithium ion batteries",
        hazard_class="9",
        quantity=1,
        net=kg("1"),
        regulation=m.DgRegulation.ADR,
        level=m.DgLevel.LIMITED_QUANTITY,
        lithium=m.LithiumBattery(
            chemistry=m.LithiumChemistry.ION,
            configuration=m.LithiumConfiguration.STANDALONE,
            watt_hours=Decimal(90),
            count=1,
        ),
    )


# The facts of the carrier


@pytest.mark.parametrize(
    ("request_", "path", "code", "limit"),
    [
        (shipment(service="x"), "/service", "unknown_value", "home, light"),
        (shipment(reference="x" * 21), "/reference", "too_long", "20"),
        (shipment(packages=tuple(package(f"P{n}") for n in range(6))), "/packages", "too_many", "5"),
        (shipment(packages=(package(weight=kg("30.000001")),)), "/packages/0/weight", "too_heavy", "30 kg"),
        (
            shipment(packages=tuple(package(f"P{n}", weight=kg("25.1")) for n in range(4))),
            "/packages",
            "too_heavy",
            "100 kg",
        ),
        (shipment(service="light", packages=(package(weight=kg("2.1")),)), "/packages/0/weight", "too_heavy", "2 kg"),
        (
            shipment(service="light", packages=(package(weight=kg("0.099")),)),
            "/packages/0/weight",
            "out_of_range",
            "100 g",
        ),
        (
            shipment(packages=(package(dimensions=cm("150.1", "10", "10")),)),
            "/packages/0/dimensions",
            "too_big",
            "150 cm x 80 cm x 60 cm",
        ),
        (
            shipment(packages=(package(dimensions=cm("150", "50", "26")),)),
            "/packages/0/dimensions",
            "too_big",
            "300 cm",
        ),
        (
            shipment(packages=(package(declared_value=m.Money(Decimal("1000.01"), "EUR")),)),
            "/packages/0/declared_value",
            "out_of_range",
            "1000 EUR",
        ),
        (
            shipment(packages=(package(handling=frozenset({m.Handling.LIVE_ANIMAL})),)),
            "/packages/0/handling",
            "not_offered",
            "live_animal",
        ),
        (shipment(packages=(package(packaging_code="B2"),)), "/packages/0/packaging_code", "unknown_value", "B1"),
        (
            shipment(packages=(package(packaging=m.PackagingKind.PALLET),)),
            "/packages/0/packaging",
            "not_offered",
            "box",
        ),
        (shipment(label=m.LabelSpec(format=m.DocumentFormat.GIF)), "/label/format", "not_offered", "pdf, zpl"),
        (shipment(label=m.LabelSpec(format=m.DocumentFormat.ZPL, dpi=600)), "/label/dpi", "not_offered", "203, 300"),
        (shipment(label=m.LabelSpec(format=m.DocumentFormat.PDF, dpi=300)), "/label/dpi", "not_offered", None),
        (
            shipment(label=m.LabelSpec(format=m.DocumentFormat.PDF, size=m.PageSize(format=m.PageFormat.A4))),
            "/label/size",
            "not_offered",
            "a6",
        ),
        (
            shipment(options=(m.Option(code=m.OptionCode.PREDICT),)),
            "/options/0/code",
            "not_offered",
            "signature, notify, insurance, cod, saturday_delivery",
        ),
        (
            shipment(options=(m.Option(code=m.OptionCode.SIGNATURE, value=m.SignatureLevel.DIRECT),)),
            "/options/0/value",
            "not_offered",
            "adult, any",
        ),
        (
            shipment(
                options=(m.Option(code=m.OptionCode.NOTIFY, value=m.Notify(channels=frozenset({m.NotifyChannel.SMS}))),)
            ),
            "/options/0/value",
            "not_offered",
            "email",
        ),
        (
            shipment(
                options=(m.Option(code=m.OptionCode.COD, value=m.CashOnDelivery(amount=m.Money(Decimal(501), "EUR"))),)
            ),
            "/options/0/value/amount",
            "out_of_range",
            "500 EUR",
        ),
        (shipment(ship_from=party(country="DE")), "/ship_from/address/country", "not_offered", None),
        (
            shipment(service="light", ship_to=party(country="DE")),
            "/ship_to/address/country",
            "not_offered",
            None,
        ),
        (shipment(ship_to=party(name="x" * 36)), "/ship_to/contact/name", "too_long", "35"),
        (shipment(ship_to=party(name="Łukasz")), "/ship_to/contact/name", "bad_characters", "latin-1"),
        (shipment(ship_to=party(phone="call me")), "/ship_to/contact/phone", "malformed", r"\+?[0-9]+"),
        (shipment(ship_to=party(lines=("x" * 36,))), "/ship_to/address/lines", "too_long", "3 x 35"),
        (shipment(ship_to=party(lines=("Ł",))), "/ship_to/address/lines/0", "bad_characters", "latin-1"),
        (
            shipment(references=tuple(m.Reference(type=m.ReferenceType.ORDER, value="1") for _ in range(3))),
            "/references",
            "too_many",
            "2",
        ),
        (
            shipment(packages=(package(references=(m.Reference(type=m.ReferenceType.ORDER, value="1" * 15),)),)),
            "/packages/0/references/0/value",
            "too_long",
            "14",
        ),
        (shipment(ship_to=party(country="CH")), "/customs", "lane_requires", None),
        (
            shipment(ship_to=party(country="CH"), customs=goods(hs_code=None)),
            "/customs/lines/0/hs_code",
            "lane_requires",
            None,
        ),
        (
            shipment(
                ship_to=party(email=None),
                options=(
                    m.Option(code=m.OptionCode.NOTIFY, value=m.Notify(channels=frozenset({m.NotifyChannel.EMAIL}))),
                ),
            ),
            "/ship_to/contact/email",
            "missing",
            None,
        ),
    ],
)
def test_a_fact_of_the_carrier_is_checked_and_its_limit_named(
    request_: m.ShipmentRequest, path: str, code: str, limit: str | None
) -> None:
    said = [problem for problem in problems(request_, ACME) if problem.path == path and problem.code == code]

    assert len(said) == 1
    assert limit is None or said[0].limit == limit


@pytest.mark.parametrize(
    "request_",
    [
        shipment(packages=(package(weight=kg("30")),)),
        shipment(packages=(package(weight=m.Weight(Decimal("66.138678"), m.WeightUnit.LB)),)),
        shipment(packages=(package(dimensions=cm("20", "10", "150")),)),
        shipment(packages=(package(packaging=m.PackagingKind.BOX),)),
        shipment(packages=(package(packaging_code="B1"),)),
        shipment(packages=(package(declared_value=m.Money(Decimal(99999), "JPY")),)),
        shipment(label=m.LabelSpec(format=m.DocumentFormat.ZPL, dpi=300)),
        shipment(label=m.LabelSpec(size=m.PageSize(format=m.PageFormat.A6))),
        shipment(ship_to=party(country="CH", city="Zürich"), customs=goods()),
        shipment(ship_to=party(country="DE")),
        shipment(
            ship_to=party(country="CH"),
            packages=(package(packaging=m.PackagingKind.CUSTOM),),
            customs=attrs.evolve(goods(), purpose=m.CustomsPurpose.DOCUMENTS),
        ),
    ],
)
def test_what_is_within_the_facts_is_no_problem(request_: m.ShipmentRequest) -> None:
    assert found(request_) == []


def test_weights_are_compared_exactly_across_units() -> None:
    """30 kg are 66.13867865... lb: the last millionth of a pound decides."""
    below, above = (m.Weight(Decimal(value), m.WeightUnit.LB) for value in ("66.138678", "66.138679"))

    assert found(shipment(packages=(package(weight=below),))) == []
    assert found(shipment(packages=(package(weight=above),))) == [("/packages/0/weight", "too_heavy")]


def test_the_hosts_own_decimal_context_changes_nothing() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        assert found(shipment(packages=(package(weight=kg("30.000001")),))) == [("/packages/0/weight", "too_heavy")]


def test_papers_alone_need_no_customs_data() -> None:
    letter = package(weight=m.Weight(Decimal(0), m.WeightUnit.G), packaging=m.PackagingKind.LETTER)
    facts = attrs.evolve(ACME, packagings=())

    assert problems(shipment(ship_to=party(country="CH"), packages=(letter,)), facts) == ()


@pytest.mark.parametrize(
    ("subject", "operator", "values", "text"),
    [
        ("origin", "present", (), "Acme requires it"),
        ("destination", "one_of", ("FR", "BE"), "Acme requires it when destination is FR or BE"),
        ("option", "present", ("signature",), "Acme requires it when signature is given"),
    ],
)
def test_why_something_is_required_is_said_where_it_is_a_reason(
    subject: str, operator: str, values: tuple[str, ...], text: str
) -> None:
    condition = m.Predicate(subject=m.PredicateSubject(subject), operator=m.PredicateOperator(operator), values=values)
    facts = attrs.evolve(ACME, field_rules=(m.FieldRule(path="/description", required_when=(condition,)),))
    signed = m.Option(code=m.OptionCode.SIGNATURE, value=m.SignatureLevel.ADULT)

    assert [problem.text for problem in problems(shipment(options=(signed,)), facts)] == [text]


@pytest.mark.parametrize(
    ("limit", "weight", "holds"),
    [("2 kg", "2", False), ("2 kg", "2.000001", True), ("4 lb", "2", True), ("nonsense", "2", False)],
)
def test_a_rule_can_depend_on_the_weight(limit: str, weight: str, holds: bool) -> None:
    heavy = m.Predicate(subject=m.PredicateSubject.WEIGHT, operator=m.PredicateOperator.ABOVE, values=(limit,))
    facts = attrs.evolve(ACME, field_rules=(m.FieldRule(path="/description", required_when=(heavy,)),))
    said = problems(shipment(packages=(package(weight=kg(weight)),)), facts)

    assert [problem.path for problem in said] == (["/description"] if holds else [])


@pytest.mark.parametrize(
    ("limit", "holds"), [("39 EUR", True), ("40 EUR", False), ("39 USD", False), ("nonsense", False)]
)
def test_a_rule_can_depend_on_the_value_of_the_goods(limit: str, holds: bool) -> None:
    dear = m.Predicate(subject=m.PredicateSubject.VALUE, operator=m.PredicateOperator.ABOVE, values=(limit,))
    facts = attrs.evolve(ACME, field_rules=(m.FieldRule(path="/description", required_when=(dear,)),))

    assert bool(problems(shipment(customs=goods()), facts)) is holds


@pytest.mark.parametrize(
    ("subject", "operator", "values", "holds"),
    [
        ("service", "is", ("home",), True),
        ("service", "one_of", ("a", "b"), False),
        ("destination", "one_of", ("FR", "BE"), True),
        ("origin", "is", ("BE",), False),
        ("lane", "is", ("domestic",), True),
        ("lane", "is", ("any",), True),
        ("dangerous_goods", "present", (), False),
        ("document_only", "is", ("false",), True),
        ("weight", "below", ("2 kg",), True),
        ("option", "present", (), False),
    ],
)
def test_a_rule_can_depend_on(subject: str, operator: str, values: tuple[str, ...], holds: bool) -> None:
    condition = m.Predicate(subject=m.PredicateSubject(subject), operator=m.PredicateOperator(operator), values=values)
    facts = attrs.evolve(ACME, field_rules=(m.FieldRule(path="/description", required_when=(condition,)),))

    assert bool(problems(shipment(), facts)) is holds


@pytest.mark.parametrize(
    ("origin", "destination", "kind"),
    [
        ("FR", "FR", "domestic"),
        ("FR", "DE", "customs_union"),
        ("CH", "LI", "customs_union"),
        ("FR", "CH", "international"),
        ("FR", "RE", "international"),
        ("GB", "IE", "international"),
        ("US", "PR", "customs_union"),
        ("US", "VI", "international"),
        ("US", "CA", "international"),
    ],
)
def test_a_lane_is_what_the_border_means(origin: str, destination: str, kind: str) -> None:
    assert lane_kind(origin, destination) == kind == lane_kind(destination, origin)


# Other requests


def test_the_services_of_a_question_for_prices_are_checked_one_by_one() -> None:
    whole = shipment()
    rates = m.RateRequest(
        ship_from=whole.ship_from, ship_to=whole.ship_to, packages=whole.packages, services=("home", "x")
    )

    assert found(rates) == [("/services/1", "unknown_value")]


def test_the_booking_inside_a_return_is_checked_under_its_path() -> None:
    request = m.ReturnRequest(
        shipment=shipment(reference="x" * 21, ship_to=party(name="x" * 36)),
        kind=m.ReturnLabelKind.PRINTED,
        valid_days=0,
    )

    assert found(request) == [
        ("/valid_days", "not_positive"),
        ("/shipment/reference", "too_long"),
        ("/shipment/ship_to/contact/name", "too_long"),
    ]


def test_a_collection_is_checked() -> None:
    request = m.PickupRequest(
        reference="P1",
        pickup_from=party(),
        window=m.PickupWindow(day=date(2026, 1, 16), ready=time(12), close=time(9)),
        package_count=0,
        weight=kg("0"),
    )

    assert found(request) == [
        ("/window/close", "inconsistent"),
        ("/package_count", "not_positive"),
        ("/weight/value", "not_positive"),
    ]


REFERENCE = m.Reference(type=m.ReferenceType.ORDER, value="1")
NUMBER = m.TrackingNumber(value="1Z1", carrier="acme")


@pytest.mark.parametrize(
    ("request_", "path", "code"),
    [
        (m.RefundRequest(tracking_numbers=()), "/tracking_numbers", "too_few"),
        (m.CancelRequest(shipment_id="", reference="r", tracking_numbers=()), "/shipment_id", "missing"),
        (m.ServicePointQuery(country="FR"), "/near", "missing"),
        (m.ServicePointQuery(country="FR", id="1", max_results=101), "/max_results", "out_of_range"),
        (m.SubscriptionRequest(numbers=(), callback_url="https://x.example"), "/numbers", "too_few"),
        (
            m.InsuranceRequest(reference="r", number=NUMBER, amount=m.Money(Decimal(0), "EUR")),
            "/amount/amount",
            "not_positive",
        ),
        (m.TrackQuery(number=attrs.evolve(NUMBER, value="")), "/number/value", "missing"),
        (
            m.AddressCheck(address=m.Address(lines=("x",), country="ZZ")),
            "/address/country",
            "unknown_value",
        ),
        (
            m.ManifestRequest(ship_from=party(country="ZZ"), day=date(2026, 1, 16)),
            "/ship_from/address/country",
            "unknown_value",
        ),
    ],
)
def test_every_other_request_is_held_against_the_model(request_: Any, path: str, code: str) -> None:
    assert (path, code) in found(request_)


# A carrier's own options


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"depot": "D1"}, None),
        ({"depot": "D1", "floor": 3, "mode": "a", "tags": ("x",), "free": {"any": ({"thing": 1},)}}, None),
        ({}, ("/carrier_options/acme/depot", "missing")),
        ({"depot": "X"}, ("/carrier_options/acme/depot", "malformed")),
        ({"depot": "D1234"}, ("/carrier_options/acme/depot", "too_long")),
        ({"depot": "D1", "depto": 1}, ("/carrier_options/acme/depto", "unknown_value")),
        ({"depot": "D1", "floor": 10}, ("/carrier_options/acme/floor", "out_of_range")),
        ({"depot": "D1", "floor": "3"}, ("/carrier_options/acme/floor", "malformed")),
        ({"depot": "D1", "floor": True}, ("/carrier_options/acme/floor", "malformed")),
        ({"depot": "D1", "mode": "c"}, ("/carrier_options/acme/mode", "unknown_value")),
        ({"depot": "D1", "tags": ("a", "b", "c")}, ("/carrier_options/acme/tags", "too_many")),
        ({"depot": "D1", "tags": (1,)}, ("/carrier_options/acme/tags/0", "malformed")),
    ],
)
def test_a_carriers_own_options_are_held_against_its_schema(own: Any, problem: tuple[str, str] | None) -> None:
    request = shipment(carrier_options={"acme": own, "other": {"anything": 1}})

    assert found(request, schema=SCHEMA) == ([problem] if problem else [])


def test_a_carrier_without_a_schema_takes_no_options_of_its_own() -> None:
    assert found(shipment(carrier_options={"acme": {"x": 1}})) == [("/carrier_options/acme/x", "unknown_value")]


# Drafts


def draft(change: Any) -> list[tuple[str, str]]:
    data = to_dict(shipment())
    change(data)
    value, said = draft_from_dict(data, m.ShipmentRequest)
    more = problems(value, ACME, settled=[problem.path for problem in said])
    return [(problem.path, str(problem.code)) for problem in (*said, *more)]


def test_a_draft_is_checked_as_far_as_it_goes_and_each_path_named_once() -> None:
    def change(data: dict[str, Any]) -> None:
        del data["packages"][0]["weight"]["unit"]
        data["packages"][0]["dimensions"]["length"] = 1.5
        del data["ship_to"]["address"]["country"]
        del data["reference"]
        data["ship_from"] = None
        data["service"] = "nope"
        data["label"] = {"format": "gif"}

    said = draft(change)

    assert sorted(said) == [
        ("/label/format", "not_offered"),
        ("/packages/0/dimensions/length", "unit_missing"),
        ("/packages/0/weight/unit", "unit_missing"),
        ("/reference", "missing"),
        ("/service", "unknown_value"),
        ("/ship_from", "missing"),
        ("/ship_to/address/country", "missing"),
    ]


@given(st.data())
def test_no_draft_breaks_the_checks(data: st.DataObject) -> None:
    """Any member may be missing or of another kind: it is named, and nothing raises."""
    whole = to_dict(
        shipment(
            packages=(
                package(contents=goods().lines, references=(REFERENCE,), dangerous_goods=(good(),)),
                package("B"),
            ),
            options=(
                m.Option(code=m.OptionCode.SIGNATURE, value=m.SignatureLevel.ANY, package_refs=("B",)),
                m.Option(code=m.OptionCode.COD, value=m.CashOnDelivery(amount=m.Money(Decimal(5), "EUR"))),
            ),
            customs=goods(net_weight=kg("1"), gross_weight=kg("2")),
            label=m.LabelSpec(size=m.PageSize(format=m.PageFormat.A6)),
            payment=m.Payment(),
            parties=(m.PartyInRole(role=m.PartyRole.BUYER, party=party()),),
            references=(REFERENCE,),
            return_label=m.ReturnSpec(kind=m.ReturnLabelKind.PRINTED, return_to=party()),
            carrier_options={"acme": {"depot": "D1"}},
        )
    )
    spots = list(_spots(whole, ()))
    for _ in range(data.draw(st.integers(1, 4))):
        _spoil(whole, data.draw(st.sampled_from(spots)), data.draw(st.sampled_from([None, "", [], {}, 7, 1.5, "x"])))
    value, said = draft_from_dict(whole, m.ShipmentRequest)
    more = problems(value, ACME, schema=SCHEMA, settled=[problem.path for problem in said])

    paths = [problem.path for problem in said]
    assert not [one for one in more if any(one.path == path or one.path.startswith(f"{path}/") for path in paths)]


def _spots(node: Any, at: tuple[Any, ...]) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key not in ("schema", "v"):
            yield (*at, key)
            yield from _spots(value, (*at, key))


def _spoil(node: Any, path: tuple[Any, ...], new: Any) -> None:
    for step in path[:-1]:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(node, dict) or (isinstance(node, list) and path[-1] in range(len(node))):
        node[path[-1]] = new


def test_facts_are_prepared_once_and_forgotten_when_there_are_many() -> None:
    for number in range(200):
        facts = attrs.evolve(ACME, name=f"Acme {number}")
        assert found(shipment(service="x"))[0] == ("/service", "unknown_value")
        assert f"Acme {number}" in problems(shipment(service="x"), facts)[0].text
