"""An account at each of the four carriers, and requests that say what the recorded ones say. Nobody here exists."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from shipkit import model as m
from shipkit.carrier import Carrier
from shipkit_dpd_fr.carrier import DpdFrance
from shipkit_easypost.carrier import EasyPost
from shipkit_mondialrelay.carrier import MondialRelay
from shipkit_ups.carrier import Ups

UPS = Ups(
    client_id="the-client-of-the-tests",
    client_secret="the-secret-of-the-tests",
    shipper_number="A1B2C3",
    webhook_credentials=("credential-of-the-tests",),
)
EASYPOST = EasyPost(api_key="EZTK-key-of-the-tests", webhook_secret="webhook-secret-of-the-tests")
DPD = DpdFrance(userid="boutique", password="pass-word-of-the-tests", customer_center=77, customer_number=18028)
MONDIALRELAY = MondialRelay(enseigne="BDTEST13", private_key="key-of-the-tests")

ACCOUNTS: dict[str, Carrier] = {carrier.code: carrier for carrier in (UPS, EASYPOST, DPD, MONDIALRELAY)}


def party(name: str, line: str, city: str, postal_code: str, country: str = "US", region: str | None = None) -> m.Party:
    return m.Party(
        address=m.Address(lines=(line,), city=city, postal_code=postal_code, region=region, country=country),
        contact=m.Contact(
            name=name,
            company="Company",
            phone="9195550142" if country == "US" else "+33199000001",
            email="test@example.com",
        ),
    )


RALEIGH = party("John Doe", "10 Lovely Street", "Raleigh", "27615", region="NC")
ORLANDO = party("Jane Doe", "7007 Sea World Dr", "Orlando", "32821", region="FL")
VILLEURBANNE = party("Akretion", "27 rue Henri Rolland", "Villeurbanne", "69100", "FR")
PARIS = party("Hugo", "6 Place des Vosges", "Paris", "75004", "FR")

INCH, POUND, KG = m.LengthUnit.IN, m.WeightUnit.LB, m.WeightUnit.KG


def box(ref: str, weight: m.Weight) -> m.Package:
    length, width, height = (m.Length(Decimal(side), INCH) for side in ("11.811", "7.874", "5.906"))
    return m.Package(ref=ref, weight=weight, dimensions=m.Dimensions(length=length, width=width, height=height))


def order(
    service: str, ship_from: m.Party, ship_to: m.Party, *packages: m.Package, **more: object
) -> m.ShipmentRequest:
    return m.ShipmentRequest(
        ship_from=ship_from,
        ship_to=ship_to,
        packages=packages,
        service=service,
        reference="order-1042",
        mark="MARKMARKMARK1-1",
        ship_on=date(2026, 1, 16),
        **more,  # type: ignore[arg-type]
    )


TWO_BOXES = (box("1", m.Weight(Decimal(1), POUND)), box("2", m.Weight(Decimal(1), POUND)))
ONE_BOX = box("box", m.Weight(Decimal("15.4"), m.WeightUnit.OZ))
PARCEL = m.Package(ref="1", weight=m.Weight(Decimal("1.2"), KG))

UPS_ORDER = order("03", RALEIGH, ORLANDO, *TWO_BOXES)
UPS_QUOTED = m.RateRequest(ship_from=RALEIGH, ship_to=ORLANDO, packages=TWO_BOXES, ship_on=date(2026, 1, 16))
EASYPOST_ORDER = order("usps/GroundAdvantage", RALEIGH, ORLANDO, ONE_BOX)
EASYPOST_QUOTED = m.RateRequest(ship_from=RALEIGH, ship_to=ORLANDO, packages=(ONE_BOX,), ship_on=date(2026, 1, 16))
DPD_ORDER = order("classic", VILLEURBANNE, PARIS, PARCEL)
DPD_RELAY_ORDER = order(
    "relais", VILLEURBANNE, PARIS, PARCEL, service_point=m.ServicePointRef(id="P32500", country="FR")
)
DPD_ZPL_ORDER = order("classic", VILLEURBANNE, PARIS, PARCEL, label=m.LabelSpec(format=m.DocumentFormat.ZPL))
MONDIALRELAY_ORDER = order(
    "HOM", VILLEURBANNE, PARIS, PARCEL, drop_off_point=m.ServicePointRef(id="AUTO", country="FR")
)

WINDOW = m.PickupWindow(day=date(2025, 3, 8), ready=time(9), close=time(17))


def number(value: str, carrier: str) -> m.TrackingNumber:
    return m.TrackingNumber(value=value, carrier=carrier)
