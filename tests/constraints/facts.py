"""An invented carrier whose facts use everything that facts can say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shipkit import model as m

ABROAD = m.Predicate(subject=m.PredicateSubject.LANE, operator=m.PredicateOperator.IS, values=("international",))
GOODS = m.Predicate(subject=m.PredicateSubject.DOCUMENT_ONLY, operator=m.PredicateOperator.IS, values=("false",))


def rules_for(role: str) -> tuple[m.FieldRule, ...]:
    return (
        m.FieldRule(path=f"/{role}/contact/name", max_length=35, printed=30, charset="latin-1"),
        m.FieldRule(path=f"/{role}/contact/email", max_length=50),
        m.FieldRule(path=f"/{role}/contact/phone", max_length=15, pattern=r"\+?[0-9]+"),
        m.FieldRule(path=f"/{role}/address/city", max_length=30, charset="latin-1"),
        m.FieldRule(
            path=f"/{role}/address/lines/*",
            max_length=35,
            max_count=3,
            printed=25,
            charset="latin-1",
            on_overflow=m.OnOverflow.WRAP,
        ),
    )


ACME = m.CarrierFacts(
    code="acme",
    name="Acme",
    interface="developer guide 2.14",
    operations={},
    services=(
        m.ServiceLevel(carrier="acme", code="home", name="Acme Home"),
        m.ServiceLevel(
            carrier="acme",
            code="light",
            name="Acme Light",
            limits=m.Limits(
                weight_max=m.Weight(Decimal(2), m.WeightUnit.KG),
                weight_min=m.Weight(Decimal(100), m.WeightUnit.G),
                lanes=(m.Lane(origins=frozenset({"FR"}), destinations=frozenset({"FR", "BE"})),),
            ),
        ),
    ),
    packagings=(m.PackagingFacts(code="B1", kind=m.PackagingKind.BOX, name="Box"),),
    label_formats=(
        m.LabelFormatFacts(format=m.DocumentFormat.PDF, size=m.PageSize(format=m.PageFormat.A6), wire="PDF"),
        m.LabelFormatFacts(format=m.DocumentFormat.ZPL, dpi=203, wire="ZPL"),
        m.LabelFormatFacts(format=m.DocumentFormat.ZPL, dpi=300, wire="ZPL300"),
    ),
    options=(
        m.OptionFacts(code=m.OptionCode.SIGNATURE, wire="SIG", values=frozenset({"any", "adult"}), per_package=True),
        m.OptionFacts(code=m.OptionCode.NOTIFY, wire="NOT", values=frozenset({"email"})),
        m.OptionFacts(code=m.OptionCode.INSURANCE, wire="INS"),
        m.OptionFacts(code=m.OptionCode.COD, wire="COD"),
        m.OptionFacts(code=m.OptionCode.SATURDAY_DELIVERY, wire="SAT"),
    ),
    field_rules=(
        *rules_for("ship_from"),
        *rules_for("ship_to"),
        m.FieldRule(path="/customs", required_when=(ABROAD, GOODS)),
        m.FieldRule(path="/customs/lines/*/hs_code", required_when=(ABROAD,)),
        m.FieldRule(
            path="/ship_to/contact/email",
            required_when=(
                m.Predicate(
                    subject=m.PredicateSubject.OPTION, operator=m.PredicateOperator.PRESENT, values=("notify",)
                ),
            ),
        ),
        m.FieldRule(path="/references", max_count=2),
        m.FieldRule(path="/packages/*/references/*/value", max_length=14),
    ),
    limits=m.Limits(
        packages_max=5,
        weight_max=m.Weight(Decimal(30), m.WeightUnit.KG),
        shipment_weight_max=m.Weight(Decimal(100), m.WeightUnit.KG),
        dimensions_max=m.Dimensions(
            length=m.Length(Decimal(150), m.LengthUnit.CM),
            width=m.Length(Decimal(80), m.LengthUnit.CM),
            height=m.Length(Decimal(60), m.LengthUnit.CM),
        ),
        girth=m.GirthLimit(formula=m.GirthFormula.LENGTH_PLUS_GIRTH, most=m.Length(Decimal(300), m.LengthUnit.CM)),
        volume_max=m.Volume(Decimal(400), m.VolumeUnit.L),
        declared_value_max=m.Money(Decimal(1000), "EUR"),
        cod_max=m.Money(Decimal(500), "EUR"),
        dangerous_goods=frozenset({m.DgLevel.LIMITED_QUANTITY}),
        handling_refused=frozenset({m.Handling.LIVE_ANIMAL}),
    ),
    lanes=(m.Lane(origins=frozenset({"FR", "BE", "US"})),),
    weight=m.WeightFacts(unit=m.WeightUnit.KG, decimals=3),
    length=m.LengthFacts(unit=m.LengthUnit.CM, decimals=0),
    reference_max=20,
    recovery=m.RecoveryFacts(),
    hosts={},
)


def kg(value: str) -> m.Weight:
    return m.Weight(Decimal(value), m.WeightUnit.KG)


def cm(*sides: str) -> m.Dimensions:
    length, width, height = [m.Length(Decimal(side), m.LengthUnit.CM) for side in sides]
    return m.Dimensions(length=length, width=width, height=height)


def party(**changes: Any) -> m.Party:
    address = {
        "lines": ("6 Place des Vosges",),
        "postal_code": "75004",
        "city": "Paris",
        "country": "FR",
        **{name: value for name, value in changes.items() if name not in ("name", "company", "phone", "email")},
    }
    contact: dict[str, Any] = {"name": "Ada Byron", "phone": "+33199000001", "email": "ada@example.com"}
    contact |= {name: value for name, value in changes.items() if name in ("name", "company", "phone", "email")}
    return m.Party(address=m.Address(**address), contact=m.Contact(**contact))


def package(ref: str = "P1", **changes: Any) -> m.Package:
    return m.Package(**{"ref": ref, "weight": kg("1.5"), "dimensions": cm("30", "20", "10"), **changes})


def shipment(**changes: Any) -> m.ShipmentRequest:
    fields: dict[str, Any] = {
        "ship_from": party(),
        "ship_to": party(),
        "packages": (package(),),
        "service": "home",
        "reference": "order-1042",
    }
    return m.ShipmentRequest(**{**fields, **changes})


def goods(**changes: Any) -> m.CustomsDeclaration:
    line = {
        "line": 1,
        "description": "cotton shirts",
        "quantity": Decimal(2),
        "unit_value": m.Money(Decimal(20), "EUR"),
        "hs_code": "610910",
    }
    return m.CustomsDeclaration(purpose=m.CustomsPurpose.SALE, lines=(m.CommodityLine(**{**line, **changes}),))
