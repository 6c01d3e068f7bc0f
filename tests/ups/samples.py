"""An account at UPS, and requests that say what the recorded ones say. Nobody here exists."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import attrs

from shipkit.flow import Request, Response, Token
from shipkit.model import (
    Address,
    AddressKind,
    Certification,
    Charge,
    ChargeType,
    CommodityLine,
    Contact,
    CustomsDeclaration,
    CustomsPurpose,
    DedupResult,
    DeliveryResult,
    Dimensions,
    Incoterm,
    InvoiceRef,
    Length,
    LengthUnit,
    Money,
    Package,
    Party,
    Payer,
    PickupRequest,
    PickupWindow,
    RateRequest,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnRequest,
    ServicePointRef,
    ShipmentRequest,
    SignatureResult,
    TaxId,
    TaxIdType,
    TrackingNumber,
    TrustLevel,
    WebhookDelivery,
    Weight,
    WeightUnit,
)
from shipkit_ups import Ups

UPS = Ups(
    client_id="the-client-of-the-tests",
    client_secret="the-secret-of-the-tests",
    shipper_number="A1B2C3",
    webhook_credentials=("credential-of-the-tests", "credential-of-yesterday"),
)
RECEIVED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
LEAD, SECOND = "1Z2220060290602143", "1Z2220060292353829"  # of the files' own examples


def party(
    name: str, company: str | None, line: str, city: str, postal_code: str, country: str, region: str | None = None
) -> Party:
    phone = {"US": "5555550199", "CA": "6135550142"}.get(country, "+33199000001")
    return Party(
        address=Address(lines=(line,), city=city, region=region, postal_code=postal_code, country=country),
        contact=Contact(name=name, company=company, phone=phone, email="test@example.com"),
    )


RALEIGH = party("John Doe", "Company", "10 Lovely Street", "Raleigh", "27615", "US", "NC")
ORLANDO = party("Jane Doe", None, "7007 Sea World Dr", "Orlando", "32821", "US", "FL")
OTTAWA = party("Joan Roe", None, "80 Wellington St", "Ottawa", "K1A 0B1", "CA", "ON")
PARIS = party("Hugo", "Librairie", "6 Place des Vosges", "Paris", "75004", "FR")
BERLIN = party("Ada", None, "Unter den Linden 77", "Berlin", "10117", "DE")


def at(place: Party, **changes: Any) -> Party:
    """*place* with another address."""
    assert place.address is not None
    return attrs.evolve(place, address=attrs.evolve(place.address, **changes))


HOME = at(ORLANDO, kind=AddressKind.RESIDENTIAL)


def box(ref: str = "box", weight: str = "1", unit: WeightUnit = WeightUnit.LB) -> Package:
    length, width, height = (Length(Decimal(side), LengthUnit.IN) for side in ("11.811", "7.874", "5.906"))
    return Package(
        ref=ref,
        weight=Weight(Decimal(weight), unit),
        dimensions=Dimensions(length=length, width=width, height=height),
    )


BOXES = (box("first"), box("second"))
SHIRTS = CommodityLine(
    line=1,
    description="Cotton shirts",
    quantity=Decimal(2),
    unit_value=Money(Decimal("11.625"), "USD"),
    net_weight=Weight(Decimal(11), WeightUnit.OZ),
    hs_code="610910",
    origin_country="US",
    sku="SKU-1",
)
CUSTOMS = CustomsDeclaration(
    purpose=CustomsPurpose.SALE,
    lines=(SHIRTS,),
    incoterm=Incoterm.DAP,
    invoice=InvoiceRef(number="F2026-1", issued_on=date(2026, 3, 1)),
    certify=Certification(signer="John Doe"),
    additional_charges=(
        Charge(type=ChargeType.BASE, amount=Money(Decimal("4.50"), "USD")),
        Charge(type=ChargeType.HANDLING, amount=Money(Decimal("1.25"), "USD")),
    ),
    paperless=True,
)
POINT = ServicePointRef(id="U51130200", country="US", name="The Corner Shop", address=ORLANDO.address)

QUOTED = RateRequest(ship_from=RALEIGH, ship_to=HOME, packages=BOXES, ship_on=date(2026, 3, 3))
ORDER = ShipmentRequest(
    ship_from=RALEIGH,
    ship_to=HOME,
    packages=BOXES,
    service="03",
    reference="order-1042",
    mark="MARKMARKMARK1-1",
    ship_on=date(2026, 3, 3),
    references=(Reference(type=ReferenceType.PURCHASE_ORDER, value="PO7", barcode=True),),
)
#: Goods that cross a border with UPS's invoice.
ABROAD = attrs.evolve(ORDER, ship_to=OTTAWA, service="11", customs=CUSTOMS, description="Shirts")
#: From Europe: kilograms and centimetres, a seller with tax numbers, duties paid by the sender.
EUROPEAN = attrs.evolve(
    ORDER,
    ship_from=attrs.evolve(
        PARIS,
        tax_ids=(
            TaxId(type=TaxIdType.VAT, value="FR12345678901", issuer="FR"),
            TaxId(type=TaxIdType.EORI, value="FR123456789", issuer="FR"),
            TaxId(type=TaxIdType.IOSS, value="IM2760000001", issuer="FR"),
        ),
    ),
    ship_to=attrs.evolve(HOME, tax_ids=(TaxId(type=TaxIdType.PASSPORT, value="X1234567", issuer="US"),)),
    service="65",
    customs=attrs.evolve(CUSTOMS, duties_payer=Payer.SENDER, paperless=False),
)
#: The way back of ORDER.
BACK = ReturnRequest(
    shipment=attrs.evolve(
        ORDER, ship_from=HOME, ship_to=RALEIGH, packages=(attrs.evolve(box(), description="Shirts to exchange"),)
    ),
    kind=ReturnLabelKind.PRINTED,
)
PICKUP = PickupRequest(
    reference="pickup-1",
    pickup_from=RALEIGH,
    window=PickupWindow(day=date(2026, 3, 9), ready=time(9), close=time(17, 30)),
    package_count=2,
    weight=Weight(Decimal(3), WeightUnit.KG),
    tracking_numbers=(TrackingNumber(value=LEAD, carrier="ups"),),
)


def number(value: str = LEAD) -> TrackingNumber:
    return TrackingNumber(value=value, carrier="ups")


def signed(request: Request) -> Request:
    """*request* as the driver sends it."""
    request = attrs.evolve(request, id="played-0123456789abcdef0123456789")
    return UPS.authorize(request, Token(value="a-token")) if request.signed else request


def first(flow: Generator[Request, Response, Any]) -> Request:
    """What a conversation begins with, as the driver sends it."""
    request = next(flow)
    flow.close()
    return signed(request)


def delivery(body: bytes, **headers: str) -> WebhookDelivery:
    return WebhookDelivery(
        delivery_id="d1",
        carrier="ups",
        account="ups",
        received_at=RECEIVED_AT,
        headers=headers,
        body=body,
        signature=SignatureResult.VALID,
        trust=TrustLevel.SENDER_AUTHENTICATED,
        dedup=DedupResult.FIRST,
        result=DeliveryResult.ACCEPTED,
    )
