"""What the plugin sends is what UPS's published files describe, and says what the host said."""

from __future__ import annotations

import base64
import json
from decimal import ROUND_CEILING, Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given

from shipkit.errors import InputError
from shipkit.model import (
    DocumentFormat,
    Environment,
    LengthUnit,
    Payer,
    PickupRequest,
    RateRequest,
    Reference,
    ReferenceType,
    ReturnRequest,
    ShipmentRequest,
    WeightUnit,
)
from shipkit.testing.strategies import pickup_requests, rate_requests, shipment_requests
from tests.conftest import shared_folder
from tests.ups.conversations import every_request, orders, returned
from tests.ups.samples import ABROAD, BACK, BERLIN, EUROPEAN, ORDER, PICKUP, QUOTED, RALEIGH, UPS, at, box, first

needs_files = pytest.mark.skipif(
    not (shared_folder() / "specs/ups").is_dir(), reason="the published files are not there (set SHIPKIT_SHARED)"
)


def complaints(request: Any) -> list[str]:
    from tests.ups.referee import request_complaints

    return request_complaints(request)


def sent(order: ShipmentRequest) -> dict[str, Any]:
    """The shipment in the request for *order*."""
    body: dict[str, Any] = json.loads(first(UPS.create_shipment(order)).content)["ShipmentRequest"]
    return body["Shipment"]  # type: ignore[no-any-return]  # JSON


# By the published files


@needs_files
@given(shipment_requests(UPS))
def test_every_booking_is_described(order: ShipmentRequest) -> None:
    assert complaints(first(UPS.create_shipment(order))) == []
    assert complaints(first(UPS.find_shipments(order))) == []


@needs_files
@given(rate_requests(UPS))
def test_every_question_for_prices_and_days_is_described(request: RateRequest) -> None:
    assert complaints(first(UPS.rates(request))) == []
    assert complaints(first(UPS.transit_times(request))) == []


@needs_files
@given(returned())
def test_every_return_is_described(request: ReturnRequest) -> None:
    assert complaints(first(UPS.create_return(request))) == []


@needs_files
@given(pickup_requests(UPS))
def test_every_pickup_is_described(request: PickupRequest) -> None:
    assert complaints(first(UPS.book_pickup(request))) == []


@needs_files
def test_every_operation_is_described_with_its_rarer_fields() -> None:
    assert {name: told for name, request in every_request() if (told := complaints(request))} == {}


# The same for the same, and what may be sent twice


def test_the_same_input_makes_the_same_request() -> None:
    assert list(every_request()) == list(every_request())


def test_only_what_costs_or_changes_something_may_not_be_sent_twice() -> None:
    once = {name.split()[0] for name, request in every_request() if not request.replayable}

    assert once == {"ship", "return", "void", "already", "pickup", "cancel", "subscribe"}


def test_every_request_is_sent_to_the_host_of_its_environment() -> None:
    hosts = UPS.facts().hosts
    for environment in (Environment.TEST, Environment.CERTIFICATION, Environment.PRODUCTION):
        account = attrs.evolve(UPS, environment=environment)
        for flow in (account.authenticate(), account.rates(QUOTED), account.create_shipment(ORDER)):
            assert first(flow).url.split("/")[2] in hosts[environment]
    assert first(attrs.evolve(UPS, base_url="http://127.0.0.1:1/").rates(QUOTED)).url.startswith(
        "http://127.0.0.1:1/api/rating/"
    )


def test_every_signed_request_says_who_asks_and_has_a_number_of_its_own() -> None:
    request = first(UPS.create_shipment(ORDER))

    assert request.headers["authorization"] == "Bearer a-token"
    assert request.headers["transactionsrc"] == "shipkit"
    assert request.headers["transid"] == request.id[-32:]


def test_a_token_is_asked_for_with_the_applications_name_and_secret() -> None:
    request = first(UPS.authenticate())
    kind, _, value = request.headers["authorization"].partition(" ")

    assert (kind, base64.b64decode(value)) == ("Basic", b"the-client-of-the-tests:the-secret-of-the-tests")
    assert request.headers["x-merchant-id"] == "A1B2C3"


# What a booking says


def test_names_addresses_and_accounts_stand_where_they_belong() -> None:
    shipment = sent(ORDER)

    assert shipment["Shipper"] == {
        "Name": "Company",
        "AttentionName": "John Doe",
        "Phone": {"Number": "5555550199"},
        "Address": {
            "AddressLine": ["10 Lovely Street"],
            "City": "Raleigh",
            "StateProvinceCode": "NC",
            "PostalCode": "27615",
            "CountryCode": "US",
        },
        "ShipperNumber": "A1B2C3",
    }
    assert shipment["ShipTo"]["Address"]["ResidentialAddressIndicator"] == "Y"
    assert shipment["PaymentInformation"]["ShipmentCharge"] == [
        {"Type": "01", "BillShipper": {"AccountNumber": "A1B2C3"}}
    ]
    assert shipment["Service"] == {"Code": "03"}


def test_the_hosts_number_and_the_mark_are_the_first_two_references() -> None:
    values = [{"Value": "order-1042"}, {"Value": "MARKMARKMARK1-1"}, {"Value": "PO7", "BarCodeIndicator": "Y"}]

    assert [package["ReferenceNumber"] for package in sent(ORDER)["Package"]] == [values, values]
    assert "ReferenceNumber" not in sent(ORDER)
    assert sent(ABROAD)["ReferenceNumber"] == values, "across a border the shipment has them"


def test_the_numbers_of_packages_are_the_shipments_where_only_it_has_any() -> None:
    packages = tuple(
        attrs.evolve(package, references=(Reference(type=ReferenceType.INVOICE, value=f"F{package.ref}"),))
        for package in ABROAD.packages
    )

    rows = sent(attrs.evolve(ABROAD, packages=packages))["ReferenceNumber"]
    assert [row["Value"] for row in rows[3:]] == ["Ffirst", "Fsecond"]


@pytest.mark.parametrize(
    ("order", "unit", "weight", "sides"),
    [
        (ORDER, ("LBS", "IN"), "1", ("12", "8", "6")),
        (EUROPEAN, ("KGS", "CM"), "0.5", ("30", "20", "16")),
    ],
)
def test_measures_are_rounded_up_in_the_shippers_units(
    order: ShipmentRequest, unit: tuple[str, str], weight: str, sides: tuple[str, str, str]
) -> None:
    package = sent(order)["Package"][0]

    assert package["PackageWeight"]["UnitOfMeasurement"]["Code"] == unit[0]
    assert Decimal(package["PackageWeight"]["Weight"]) == Decimal(weight)
    assert package["Dimensions"]["UnitOfMeasurement"]["Code"] == unit[1]
    assert tuple(package["Dimensions"][name] for name in ("Length", "Width", "Height")) == sides


@given(shipment_requests(UPS))
def test_every_measure_is_the_smallest_of_ups_own_that_is_not_below_it(order: ShipmentRequest) -> None:
    for package, row in zip(order.packages, sent(order)["Package"], strict=True):
        weight, size = row["PackageWeight"], package.dimensions
        unit = {"LBS": WeightUnit.LB, "KGS": WeightUnit.KG}[weight["UnitOfMeasurement"]["Code"]]
        assert Decimal(weight["Weight"]) == package.weight.to(unit, ROUND_CEILING, "0.1")
        if size is not None:
            side = {"IN": LengthUnit.IN, "CM": LengthUnit.CM}[row["Dimensions"]["UnitOfMeasurement"]["Code"]]
            lengths = (size.length, size.width, size.height)
            asked = [length.to(side, ROUND_CEILING, "1") for length in lengths if length]
            said = [Decimal(row["Dimensions"][name]) for name in ("Length", "Width", "Height")]
            assert said == sorted(asked, reverse=True)


def test_customs_data_reach_the_invoice() -> None:
    forms = sent(ABROAD)["ShipmentServiceOptions"]["InternationalForms"]

    assert forms["FormType"] == ["01"]
    assert forms["Product"] == [
        {
            "Description": ["Cotton shirts"],
            "Unit": {"Number": "2", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "11.625"},
            "CommodityCode": "610910",
            "PartNumber": "SKU-1",
            "OriginCountryCode": "US",
        }
    ]
    assert (forms["InvoiceNumber"], forms["InvoiceDate"]) == ("F2026-1", "20260301")
    assert (forms["TermsOfShipment"], forms["ReasonForExport"], forms["CurrencyCode"]) == ("DAP", "SALE", "USD")
    assert forms["FreightCharges"] == {"MonetaryValue": "4.50"}
    assert forms["OtherCharges"] == {"MonetaryValue": "1.25", "Description": "OTHER"}
    assert sent(ABROAD)["InvoiceLineTotal"] == {"CurrencyCode": "USD", "MonetaryValue": "24"}


def test_the_invoice_goes_without_paper_unless_a_copy_is_wanted() -> None:
    assert "OverridePaperlessIndicator" not in sent(ABROAD)["ShipmentServiceOptions"]["InternationalForms"]
    assert sent(EUROPEAN)["ShipmentServiceOptions"]["InternationalForms"]["OverridePaperlessIndicator"] == "Y"


def test_where_no_duties_can_be_due_nobody_is_said_to_pay_them() -> None:
    customs = attrs.evolve(ABROAD.customs, duties_payer=Payer.SENDER)  # type: ignore[type-var]
    inside = attrs.evolve(EUROPEAN, ship_to=BERLIN, customs=customs)

    assert [row["Type"] for row in sent(inside)["PaymentInformation"]["ShipmentCharge"]] == ["01"]


@pytest.mark.parametrize(("services", "count"), [(("01", "03"), 1), (("03",), 1000), ((), 1000)])
def test_a_pickup_counts_one_to_999_packages_of_each_service(services: tuple[str, ...], count: int) -> None:
    with pytest.raises(InputError) as caught:
        first(UPS.book_pickup(attrs.evolve(PICKUP, services=services, package_count=count)))

    assert [problem.path for problem in caught.value.problems] == ["/package_count"]


def test_tax_numbers_duties_and_the_sellers_registration_are_said() -> None:
    shipment = sent(EUROPEAN)

    assert shipment["ShipFrom"]["VendorInfo"] == {
        "VendorCollectIDTypeCode": "0356",
        "VendorCollectIDNumber": "IM2760000001",
        "ConsigneeType": "02",
    }
    agents = shipment["GlobalTaxInformation"]["AgentTaxIdentificationNumber"]
    numbers = [row["TaxIdentificationNumber"] for row in agents]
    assert [[tax["IdentificationNumber"] for tax in rows] for rows in numbers] == [
        ["FR12345678901", "FR123456789"],
        ["X1234567"],
    ]
    assert [row["Type"] for row in shipment["PaymentInformation"]["ShipmentCharge"]] == ["01", "02"]


def test_options_stand_at_the_package_or_at_the_shipment_as_ups_wants_it() -> None:
    made = {name: sent(order) for name, order in orders().items()}

    assert made["adult"]["Package"][0]["PackageServiceOptions"] == {"DeliveryConfirmation": {"DCISType": "3"}}
    assert made["adult abroad"]["ShipmentServiceOptions"]["DeliveryConfirmation"] == {"DCISType": "2"}
    assert made["left at the door"]["Package"][1]["PackageServiceOptions"] == {"ShipperReleaseIndicator": "Y"}
    assert made["insured"]["Package"][1]["PackageServiceOptions"]["DeclaredValue"] == {
        "CurrencyCode": "USD",
        "MonetaryValue": "100",
    }
    assert {"SaturdayDeliveryIndicator", "UPScarbonneutralIndicator"} == set(made["saturday"]["ShipmentServiceOptions"])
    assert [row["NotificationCode"] for row in made["told"]["ShipmentServiceOptions"]["Notification"]] == [
        "6",
        "7",
        "8",
    ]
    assert made["alcohol"]["ShipmentServiceOptions"]["RestrictedArticles"] == {"AlcoholicBeveragesIndicator": "Y"}
    assert made["papers"]["DocumentsOnlyIndicator"] == "Y"
    assert made["to a box"]["ShipTo"]["Address"]["POBoxIndicator"] == "Y"


@pytest.mark.parametrize(("name", "code"), [("to a point", "02"), ("held", "01")])
def test_a_point_is_named_with_its_address(name: str, code: str) -> None:
    shipment = sent(orders()[name])

    assert shipment["ShipmentIndicationType"] == [{"Code": code}]
    point = shipment["AlternateDeliveryAddress"]
    assert (point["UPSAccessPointID"], point["Name"], point["AttentionName"]) == (
        "U51130200",
        "The Corner Shop",
        "Jane Doe",
    )
    assert point["Address"]["City"] == "Orlando"


def test_whoever_pays_is_named_with_what_ups_checks() -> None:
    charges = {name: sent(order)["PaymentInformation"]["ShipmentCharge"] for name, order in orders().items()}

    assert charges["billed to a third"][0]["BillThirdParty"] == {
        "AccountNumber": "D4E5F6",
        "Address": {"PostalCode": "27615", "CountryCode": "US"},
    }
    assert charges["billed to the recipient"][0]["BillReceiver"] == {
        "AccountNumber": "D4E5F6",
        "Address": {"PostalCode": "27615"},
    }
    assert charges["duties of a third"][1]["BillThirdParty"]["AccountNumber"] == "D4E5F6"


def test_the_accounts_owner_is_the_shipper_and_the_goods_start_elsewhere() -> None:
    shipment = sent(orders()["for another"])

    assert shipment["Shipper"]["Address"]["AddressLine"] == ["Head office"]
    assert shipment["ShipFrom"]["Address"]["AddressLine"] == ["10 Lovely Street"]


@pytest.mark.parametrize("form", ["gif", "zpl", "epl", "spl"])
def test_a_label_is_ordered_in_its_format(form: str) -> None:
    body = json.loads(first(UPS.create_shipment(orders()[form])).content)["ShipmentRequest"]["LabelSpecification"]

    assert body["LabelImageFormat"] == {"Code": form.upper()}
    assert ("HTTPUserAgent" in body) == (form == DocumentFormat.GIF.value)


def test_letters_that_are_not_western_choose_their_character_set() -> None:
    def characters(city: str) -> str | None:
        order = attrs.evolve(ORDER, ship_to=at(ORDER.ship_to, city=city))
        body = json.loads(first(UPS.create_shipment(order)).content)
        return body["ShipmentRequest"]["LabelSpecification"].get("CharacterSet")  # type: ignore[no-any-return]

    cities = ("Orléans", "Łódź", "İstanbul", "Москва")
    assert [characters(city) for city in cities] == [None, "pol", "tur", "rus"]


def test_a_way_back_starts_at_the_customer_and_is_billed_to_the_account() -> None:
    shipment = json.loads(first(UPS.create_return(BACK)).content)["ShipmentRequest"]["Shipment"]

    assert shipment["ReturnService"] == {"Code": "9"}
    assert shipment["ShipFrom"]["Name"] == "Jane Doe"
    assert (shipment["Shipper"]["Name"], shipment["Shipper"]["ShipperNumber"]) == ("Company", "A1B2C3")
    assert shipment["Package"][0]["Description"] == "Shirts to exchange"


# What the questions say


def test_the_day_of_arrival_is_asked_for_wherever_ups_can_tell_it() -> None:
    def option(request: RateRequest) -> str:
        return first(UPS.rates(request)).url.rpartition("/")[2]

    abroad = attrs.evolve(QUOTED, ship_to=ABROAD.ship_to)
    assert option(QUOTED) == "Shoptimeintransit"
    assert option(attrs.evolve(QUOTED, services=("03",))) == "Ratetimeintransit"
    assert option(attrs.evolve(QUOTED, ship_on=None)) == "Shop"
    assert option(abroad) == "Shop"
    assert option(attrs.evolve(abroad, customs=ABROAD.customs)) == "Shoptimeintransit"


def test_the_accounts_own_options_reach_the_question() -> None:
    own = attrs.evolve(QUOTED, carrier_options={"ups": {"pickup_type": "19", "taxes": True}})
    body = json.loads(first(UPS.rates(own)).content)["RateRequest"]

    assert body["PickupType"] == {"Code": "19"}
    assert body["Shipment"]["TaxInformationIndicator"] == "Y"


def test_a_pickup_says_when_where_and_how_much() -> None:
    body = json.loads(first(UPS.book_pickup(PICKUP)).content)["PickupCreationRequest"]

    assert body["PickupDateInfo"] == {"PickupDate": "20260309", "ReadyTime": "0900", "CloseTime": "1730"}
    assert body["PickupPiece"] == [
        {"ServiceCode": "003", "Quantity": "2", "DestinationCountryCode": "US", "ContainerCode": "01"}
    ]
    assert body["TotalWeight"] == {"Weight": "6.7", "UnitOfMeasurement": "LBS"}
    assert body["ReferenceNumber"] == "pickup-1"


def test_a_zip_code_with_its_extension_fits_a_pickup() -> None:
    request = attrs.evolve(PICKUP, pickup_from=at(RALEIGH, postal_code="27615-1234"))
    body = json.loads(first(UPS.book_pickup(request)).content)["PickupCreationRequest"]

    assert body["PickupAddress"]["PostalCode"] == "27615"


def test_packages_keep_their_order() -> None:
    order = attrs.evolve(ORDER, packages=(box("a", "3"), box("b", "1"), box("c", "2")))

    assert [Decimal(row["PackageWeight"]["Weight"]) for row in sent(order)["Package"]] == [3, 1, 2]
