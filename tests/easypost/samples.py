"""An account at EasyPost, and requests that say what the recorded ones say."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

from shipkit.model import (
    Address,
    Certification,
    CommodityLine,
    Contact,
    CustomsDeclaration,
    CustomsPurpose,
    DedupResult,
    DeliveryResult,
    Dimensions,
    DocumentFormat,
    InvoiceRef,
    LabelSpec,
    Length,
    LengthUnit,
    Money,
    Package,
    Party,
    RateRequest,
    Reference,
    ReferenceType,
    ShipmentRequest,
    SignatureResult,
    TrackingNumber,
    TrustLevel,
    WebhookDelivery,
    Weight,
    WeightUnit,
)
from shipkit_easypost import EasyPost

KEY = "EZTK-key-of-the-tests"
EASYPOST = EasyPost(api_key=KEY, webhook_secret="sécret-of-the-tests")
RECEIVED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)

JACK = Party(
    address=Address(
        lines=("388 Townsend St", "Apt 20"), city="San Francisco", region="CA", postal_code="94107", country="US"
    ),
    contact=Contact(name="Jack Sparrow", phone="5555555555", email="test@example.com"),
)
ELIZABETH = Party(
    address=Address(lines=("179 N Harbor Dr",), city="Redondo Beach", region="CA", postal_code="90277", country="US"),
    contact=Contact(name="Elizabeth Swan", phone="5555555555", email="test@example.com"),
)
BOX = Package(
    ref="box",
    weight=Weight(Decimal("15.4"), WeightUnit.OZ),
    dimensions=Dimensions(
        length=Length(Decimal(10), LengthUnit.IN),
        width=Length(Decimal(8), LengthUnit.IN),
        height=Length(Decimal(4), LengthUnit.IN),
    ),
)
CUSTOMS = CustomsDeclaration(
    purpose=CustomsPurpose.SALE,
    lines=(
        CommodityLine(
            line=1,
            description="Sweet shirts",
            quantity=Decimal(2),
            unit_value=Money(Decimal("11.625"), "USD"),
            net_weight=Weight(Decimal(11), WeightUnit.OZ),
            hs_code="654321",
            origin_country="US",
        ),
    ),
    invoice=InvoiceRef(number="123", issued_on=date(2026, 3, 1)),
    certify=Certification(signer="Steve Brule"),
    export_refs=(Reference(type=ReferenceType.OTHER, value="NOEEI 30.37(a)"),),
)
QUOTED = RateRequest(ship_from=JACK, ship_to=ELIZABETH, packages=(BOX,))
ORDER = ShipmentRequest(
    ship_from=JACK,
    ship_to=ELIZABETH,
    packages=(BOX,),
    service="usps/GroundAdvantage",
    reference="order-1042",
    mark="MARKMARKMARK1-1",
    label=LabelSpec(format=DocumentFormat.PNG),
)


def number(value: str = "9400100208303109505657", carrier: str = "usps") -> TrackingNumber:
    return TrackingNumber(value=value, carrier=carrier)


def delivery(body: bytes) -> WebhookDelivery:
    return WebhookDelivery(
        delivery_id="d1",
        carrier="easypost",
        account="ep",
        received_at=RECEIVED_AT,
        headers={},
        body=body,
        signature=SignatureResult.VALID,
        trust=TrustLevel.BODY_SIGNED,
        dedup=DedupResult.FIRST,
        result=DeliveryResult.ACCEPTED,
    )
