"""What the plugin sends: the members that recorded requests have, those that EasyPost documents, and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, time
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.model import (
    AddressCheck,
    AddressKind,
    BillingAccount,
    CashOnDelivery,
    CodMethod,
    Contact,
    CustomsPurpose,
    DocumentFormat,
    Handling,
    Incoterm,
    LabelSpec,
    Length,
    LengthUnit,
    Money,
    Option,
    OptionCode,
    Party,
    PartyInRole,
    PartyRole,
    Payer,
    Payment,
    PickupRequest,
    PickupWindow,
    RateRequest,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    ShipmentRequest,
    SignatureLevel,
    TaxId,
    TaxIdType,
    Weight,
    WeightUnit,
)
from shipkit.testing.strategies import shipment_requests
from shipkit_easypost.wire.drafts import inches, ounces
from tests.easypost.samples import BOX, CUSTOMS, EASYPOST, ELIZABETH, JACK, ORDER, QUOTED

#: Members that no recorded request has, and where EasyPost documents each: npm @easypost/api 8.9.0, under ``types/``.
DOCUMENTED = {
    "shipment.buyer_address": "Shipment/Shipment",
    "shipment.customs_info.customs_items[].code": "Customs/CustomsItem",
    "shipment.customs_info.customs_items[].currency": "Customs/CustomsItem",
    "shipment.customs_info.customs_items[].eccn": "recording test_customs_info_create, in the reply",
    "shipment.is_return": "Shipment/Shipment",
    "shipment.options.alcohol": "Shipment/Options",
    "shipment.options.carbon_neutral": "Shipment/Options",
    "shipment.options.cod_amount": "Shipment/Options",
    "shipment.options.cod_method": "Shipment/Options",
    "shipment.options.content_description": "Shipment/Options",
    "shipment.options.currency": "Shipment/Options",
    "shipment.options.delivery_confirmation": "Shipment/Options",
    "shipment.options.duty_payment.account": "Shipment/Options",
    "shipment.options.duty_payment.country": "Shipment/Options",
    "shipment.options.duty_payment.postal_code": "Shipment/Options",
    "shipment.options.duty_payment.type": "Shipment/Options",
    "shipment.options.handling_instructions": "Shipment/Options",
    "shipment.options.hold_for_pickup": "Shipment/Options",
    "shipment.options.incoterm": "Shipment/Options",
    "shipment.options.label_date": "Shipment/Options",
    "shipment.options.machinable": "Shipment/Options",
    "shipment.options.payment.account": "Shipment/Options",
    "shipment.options.payment.country": "Shipment/Options",
    "shipment.options.payment.postal_code": "Shipment/Options",
    "shipment.options.payment.type": "Shipment/Options",
    "shipment.options.print_custom_1": "Shipment/Options",
    "shipment.options.print_custom_2": "Shipment/Options",
    "shipment.options.print_custom_2_barcode": "Shipment/Options",
    "shipment.options.print_custom_2_code": "Shipment/Options",
    "shipment.options.print_custom_3": "Shipment/Options",
    "shipment.options.print_custom_3_code": "Shipment/Options",
    "shipment.options.saturday_delivery": "Shipment/Options",
    "shipment.parcel.predefined_package": "Parcel/Parcel",
    "shipment.return_address": "Shipment/Shipment",
}
#: Members of an address, wherever one stands; company and residential are documented, the others recorded.
ADDRESS = {"name", "company", "street1", "street2", "city", "state", "zip", "country", "phone", "email", "residential"}

ACCOUNT = BillingAccount(number="A1B2C3", postal_code="94107", country="US")
RICH = attrs.evolve(
    ORDER,
    ship_from=attrs.evolve(JACK, tax_ids=(TaxId(type=TaxIdType.IOSS, value="12345", issuer="GB"),)),
    ship_to=attrs.evolve(
        ELIZABETH,
        address=attrs.evolve(ELIZABETH.address, country="CA", kind=AddressKind.RESIDENTIAL),  # type: ignore[misc]
        contact=Contact(name="Elizabeth Swan", company="Swan Ltd", phone="5555555555"),
    ),
    return_to=JACK,
    parties=(PartyInRole(role=PartyRole.BUYER, party=ELIZABETH),),
    packages=(
        attrs.evolve(
            BOX, handling=frozenset({Handling.NON_MACHINABLE, Handling.ALCOHOL}), packaging_code="FlatRateEnvelope"
        ),
    ),
    ship_on=date(2026, 3, 4),
    payment=Payment(payer=Payer.THIRD_PARTY, account=ACCOUNT),
    options=(
        Option(code=OptionCode.SIGNATURE, value=SignatureLevel.ADULT),
        Option(code=OptionCode.SATURDAY_DELIVERY),
        Option(code=OptionCode.CARBON_NEUTRAL),
        Option(code=OptionCode.HOLD_AT_LOCATION),
        Option(code=OptionCode.COD, value=CashOnDelivery(amount=Money(Decimal(5), "USD"), method=CodMethod.CHEQUE)),
    ),
    references=(
        Reference(type=ReferenceType.PURCHASE_ORDER, value="PO-7", barcode=True),
        Reference(type=ReferenceType.DEPARTMENT, value="D-3"),
    ),
    customs=attrs.evolve(
        CUSTOMS,
        incoterm=Incoterm.DDP,
        duties_payer=Payer.RECIPIENT,
        duties_account=ACCOUNT,
        lines=(attrs.evolve(CUSTOMS.lines[0], sku="SKU-1", export_control="EAR99"),),
    ),
    description="Shirts",
    instructions="Ring twice",
    carrier_options={"easypost": {"carrier_accounts": ["ca_1"]}},
)


def first_body(request: ShipmentRequest | RateRequest | ReturnRequest) -> dict[str, Any]:
    if isinstance(request, RateRequest):
        flow: Any = EASYPOST.rates(request)
    elif isinstance(request, ReturnRequest):
        flow = EASYPOST.create_return(request)
    else:
        flow = EASYPOST.create_shipment(request)
    sent = next(flow)
    flow.close()
    assert sent.replayable, "a draft costs nothing"
    body: dict[str, Any] = json.loads(sent.content, parse_float=Decimal)
    return body


def paths(value: object, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def without_addresses(found: set[str]) -> set[str]:
    rest = set()
    for path in found:
        parent, _, member = path.rpartition(".")
        if parent.endswith("_address"):
            assert member in ADDRESS, path
            rest.add(parent)
        else:
            rest.add(path)
    return rest


@pytest.fixture(scope="module")
def recorded(shared: Path) -> set[str]:
    found: set[str] = set()
    for file in (shared / "recordings/easypost").glob("*.json"):
        for exchange in json.loads(file.read_text("utf-8"))["exchanges"]:
            request = exchange["request"]
            if request["method"] == "POST" and request["url"].endswith("/v2/shipments"):
                found |= set(paths(json.loads(request["body"]["text"])))
    return without_addresses(found) | {"shipment.from_address", "shipment.to_address"}


def test_a_draft_has_only_members_that_are_recorded_or_documented(recorded: set[str]) -> None:
    richest = [
        RICH,
        attrs.evolve(QUOTED, currency="USD"),
        attrs.evolve(ORDER, customs=attrs.evolve(CUSTOMS, purpose=CustomsPurpose.REPAIR)),
        ReturnRequest(shipment=ORDER, kind=ReturnLabelKind.PRINTED, authorization="RMA-9"),
        ReturnRequest(shipment=attrs.evolve(RICH, references=()), kind=ReturnLabelKind.PRINTED, authorization="RMA-9"),
    ]
    sent = without_addresses({path for request in richest for path in paths(first_body(request))})

    assert sent - recorded - set(DOCUMENTED) == set()
    assert set(DOCUMENTED) - sent == set(), "documented here, and never sent"
    # What a recorded request has and ours never: it buys in the same call.
    assert recorded - sent == {"shipment.carrier", "shipment.service", "shipment.insurance"}


@given(shipment_requests(EASYPOST, services=["usps/GroundAdvantage"], packages_max=1))
def test_no_request_whatever_sends_another_member(request: ShipmentRequest) -> None:
    body = first_body(request)
    recorded_or_documented = {*DOCUMENTED, *_ALWAYS}

    assert without_addresses(set(paths(body))) <= recorded_or_documented
    assert body["shipment"]["reference"] == request.mark


_ALWAYS = {
    "shipment.from_address",
    "shipment.to_address",
    "shipment.reference",
    "shipment.options.label_format",
    "shipment.options.invoice_number",
    *(f"shipment.parcel.{side}" for side in ("length", "width", "height", "weight")),
    *(
        f"shipment.customs_info.{name}"
        for name in (
            "eel_pfc",
            "contents_type",
            "contents_explanation",
            "customs_certify",
            "customs_signer",
            "restriction_type",
            "non_delivery_option",
        )
    ),
    *(
        f"shipment.customs_info.customs_items[].{name}"
        for name in ("description", "quantity", "value", "weight", "hs_tariff_number", "origin_country")
    ),
    *(f"shipment.tax_identifiers[].{name}" for name in ("entity", "tax_id_type", "tax_id", "issuing_country")),
}


@given(shipment_requests(EASYPOST, services=["usps/GroundAdvantage"], packages_max=1))
def test_the_same_request_gives_the_same_bytes(request: ShipmentRequest) -> None:
    first, second = (next(EASYPOST.create_shipment(request)) for _ in range(2))

    assert first == second


def test_a_recorded_declaration_is_built_from_the_canonical_one(shared: Path) -> None:
    file = json.loads((shared / "recordings/easypost/test_shipment_create.json").read_text("utf-8"))
    recorded = json.loads(file["exchanges"][0]["request"]["body"]["text"])["shipment"]["customs_info"]
    ours = first_body(attrs.evolve(ORDER, customs=CUSTOMS))["shipment"]["customs_info"]

    # An empty explanation says nothing; the currency is documented (Customs/CustomsItem) and defaults to US dollars.
    assert recorded.pop("contents_explanation") == ""
    assert ours["customs_items"][0].pop("currency") == "USD"
    assert ours == json.loads(json.dumps(recorded), parse_float=Decimal)


def test_the_value_of_a_customs_line_is_that_of_all_its_pieces() -> None:
    line = attrs.evolve(CUSTOMS.lines[0], quantity=Decimal(3), unit_value=Money(Decimal("0.10"), "USD"))
    body = first_body(attrs.evolve(ORDER, customs=attrs.evolve(CUSTOMS, lines=(line,))))
    (item,) = body["shipment"]["customs_info"]["customs_items"]

    assert (item["quantity"], item["value"], item["weight"]) == (3, Decimal("0.3"), 11)


def test_a_purpose_without_a_word_at_easypost_is_explained() -> None:
    customs = attrs.evolve(CUSTOMS, purpose=CustomsPurpose.PERSONAL_EFFECTS)
    info = first_body(attrs.evolve(ORDER, customs=customs))["shipment"]["customs_info"]

    assert (info["contents_type"], info["contents_explanation"]) == ("other", "personal effects")


@given(st.decimals("0.000001", "70000", places=6, allow_nan=False), st.sampled_from(WeightUnit))
def test_no_weight_is_declared_lighter_than_it_is_nor_a_tenth_heavier(value: Decimal, unit: WeightUnit) -> None:
    grams = {
        WeightUnit.G: Decimal(1),
        WeightUnit.KG: Decimal(1000),
        WeightUnit.OZ: Decimal("28.349523125"),
        WeightUnit.LB: Decimal("453.59237"),
    }
    exact = value * grams[unit]
    sent = ounces(Weight(value, unit)) * grams[WeightUnit.OZ]

    assert exact <= sent < exact + grams[WeightUnit.OZ] / 10


@given(st.decimals("0.000001", "5000", places=6, allow_nan=False), st.sampled_from(LengthUnit))
def test_no_side_is_declared_shorter_than_it_is_nor_a_tenth_longer(value: Decimal, unit: LengthUnit) -> None:
    millimetres = {LengthUnit.MM: Decimal(1), LengthUnit.CM: Decimal(10), LengthUnit.IN: Decimal("25.4")}
    exact = value * millimetres[unit]
    sent = inches(Length(value, unit)) * millimetres[LengthUnit.IN]

    assert exact <= sent < exact + Decimal("2.54")


def test_whole_ounces_and_inches_arrive_as_they_are() -> None:
    pound = attrs.evolve(BOX, weight=Weight(Decimal(1), WeightUnit.LB))
    parcel = first_body(attrs.evolve(ORDER, packages=(pound,)))["shipment"]["parcel"]

    assert parcel == {"weight": 16, "length": 10, "width": 8, "height": 4}


def test_a_return_keeps_the_addresses_of_the_way_out() -> None:
    # EasyPost ships a return *to* from_address: the customer stands in to_address.
    back = attrs.evolve(ORDER, ship_from=ELIZABETH, ship_to=JACK)
    body = first_body(ReturnRequest(shipment=back, kind=ReturnLabelKind.PRINTED, authorization="RMA-9"))["shipment"]

    assert body["is_return"] is True
    assert body["from_address"]["name"] == "Jack Sparrow"
    assert body["to_address"]["name"] == "Elizabeth Swan"
    assert (body["options"]["print_custom_2"], body["options"]["print_custom_2_code"]) == ("RMA-9", "RMA")


def test_lines_that_easypost_has_no_field_for_go_on_in_the_second_one() -> None:
    address = attrs.evolve(JACK.address, lines=("Harbour House", "388 Townsend St", "Apt 20"))  # type: ignore[misc]
    body = first_body(attrs.evolve(ORDER, ship_from=attrs.evolve(JACK, address=address)))["shipment"]

    assert body["from_address"]["street1"] == "Harbour House"
    assert body["from_address"]["street2"] == "388 Townsend St, Apt 20"


def test_what_a_host_gives_for_easypost_alone_wins_over_what_is_made() -> None:
    options = {"easypost": {"options": {"label_format": "PDF", "endorsement": "RETURN_SERVICE_REQUESTED"}}}
    body = first_body(attrs.evolve(ORDER, carrier_options=options))["shipment"]["options"]

    assert (body["label_format"], body["endorsement"]) == ("PDF", "RETURN_SERVICE_REQUESTED")


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (DocumentFormat.PNG, "PNG"),
        (DocumentFormat.PDF, "PDF"),
        (DocumentFormat.ZPL, "ZPL"),
        (DocumentFormat.EPL, "EPL2"),
    ],
)
def test_each_label_format_is_ordered_by_easyposts_name(form: DocumentFormat, word: str) -> None:
    body = first_body(attrs.evolve(ORDER, label=LabelSpec(format=form)))

    assert body["shipment"]["options"]["label_format"] == word


def test_the_key_is_the_user_of_basic_authentication_and_nowhere_else() -> None:
    signed = EASYPOST.sign(next(EASYPOST.create_shipment(ORDER)))

    assert base64.b64decode(signed.headers["authorization"].removeprefix("Basic ")).decode() == f"{EASYPOST.api_key}:"
    assert EASYPOST.api_key not in signed.url + signed.content.decode() + repr(signed)


def test_an_address_is_sent_to_be_verified_as_it_was_recorded(shared: Path) -> None:
    file = json.loads((shared / "recordings/easypost/test_address_create_verify.json").read_text("utf-8"))
    recorded = json.loads(file["exchanges"][1]["request"]["body"]["text"])
    sent = json.loads(next(EASYPOST.check_address(AddressCheck(address=JACK.address))).content)  # type: ignore[arg-type]

    assert sent["verify"] is recorded["verify"] is True
    assert set(sent["address"]) <= set(recorded["address"]) | {"street2"}


def test_a_pickup_is_sent_as_it_was_recorded_and_says_the_offset_of_its_zone(shared: Path) -> None:
    file = json.loads((shared / "recordings/easypost/test_pickup_buy.json").read_text("utf-8"))
    recorded = json.loads(file["exchanges"][1]["request"]["body"]["text"])
    request = PickupRequest(
        reference="pickup-1",
        pickup_from=JACK,
        window=PickupWindow(day=date(2026, 7, 8), ready=time(9), close=time(17), zone="America/Los_Angeles"),
        package_count=1,
        shipment_ids=("shp_1",),
        instructions="Pickup at front door",
    )
    sent = json.loads(next(EASYPOST.book_pickup(request)).content)

    # The reference is documented: npm Pickup/PickupCreateParameters.
    assert set(paths(sent)) - set(paths(recorded)) == {"pickup.reference"}
    assert sent["pickup"]["min_datetime"] == "2026-07-08T09:00:00-07:00"
    assert sent["pickup"]["max_datetime"] == "2026-07-08T17:00:00-07:00"


def test_a_party_without_an_address_or_a_person_is_sent_as_far_as_it_goes() -> None:
    body = first_body(attrs.evolve(ORDER, return_to=Party(address=JACK.address)))["shipment"]

    assert set(body["return_address"]) == {"street1", "street2", "city", "state", "zip", "country"}


def test_the_rounding_is_the_one_that_the_facts_declare() -> None:
    facts = EASYPOST.facts()
    weight = Weight(Decimal("437.21"), WeightUnit.G)

    assert facts.weight.rounding == "up"
    assert ounces(weight) == weight.to(facts.weight.unit, ROUND_CEILING, Decimal(1).scaleb(-facts.weight.decimals))
