"""Requests and replies that the tests of DPD France share; the people in them are invented."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, time
from decimal import Decimal
from typing import Any

import attrs

from shipkit.model import (
    Address,
    Contact,
    Package,
    Party,
    PickupRequest,
    PickupWindow,
    ReturnLabelKind,
    ReturnRequest,
    ServicePointRef,
    ShipmentRequest,
    Weight,
    WeightUnit,
)
from shipkit.testing import Reply, reply
from shipkit_dpd_fr.carrier import DpdFrance

__all__ = [
    "DPD",
    "HOME",
    "LABEL",
    "MARK",
    "PICKUP",
    "RELAY",
    "RETURN",
    "SHOP",
    "TWO",
    "booked",
    "fault",
    "fetched",
    "listed",
    "package",
    "parcel",
    "row",
    "soap",
]

DPD = DpdFrance(userid="boutique", password="s3cr3t-w0rd", customer_center=77, customer_number=18028)
MARK = "ABCDEFGHIJKLM-1"
LABEL = b"%PDF-1.4\n%simulated\n%%EOF\n"

_SENDER = Party(
    address=Address(
        lines=("27 rue Henri Rolland", "Batiment B"), postal_code="69100", city="Villeurbanne", country="FR"
    ),
    contact=Contact(company="Akrétion", phone="+33400000000"),
)
_RECIPIENT = Party(
    address=Address(lines=("6 Place des Vôsges",), postal_code="75004", city="Paris", country="FR"),
    contact=Contact(name="Hügǒ", phone="+33600000000", email="hugo.victor@example.com"),
)


def package(ref: str = "1", kg: str = "1.2", **more: Any) -> Package:
    return Package(ref=ref, weight=Weight(Decimal(kg), WeightUnit.KG), **more)


HOME = ShipmentRequest(
    ship_from=_SENDER,
    ship_to=_RECIPIENT,
    packages=(package(),),
    service="classic",
    reference="Parcel 1",
    mark=MARK,
    ship_on=date(2026, 1, 15),
)
SHOP = ServicePointRef(id="P32500", country="FR")
RELAY = attrs.evolve(HOME, service="relais", service_point=SHOP)
TWO = attrs.evolve(HOME, packages=(package("a"), package("b", "0.4")))
RETURN = ReturnRequest(
    shipment=attrs.evolve(HOME, ship_from=_RECIPIENT, ship_to=_SENDER),
    kind=ReturnLabelKind.PRINTED,
    valid_days=14,
)
PICKUP = PickupRequest(
    reference="P1",
    pickup_from=_SENDER,
    window=PickupWindow(day=date(2026, 1, 16), ready=time(9, 30), close=time(17)),
    package_count=2,
    shipment_ids=("10774000248377",),
)


def soap(body: str) -> str:
    """A reply as the service wraps it."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def _result(operation: str, content: str, status: int = 200) -> Reply:
    inner = f"<{operation}Result>{content}</{operation}Result>" if content else ""
    return reply(
        status, soap(f'<{operation}Response xmlns="http://www.cargonet.software">{inner}</{operation}Response>')
    )


def parcel(number: str, kind: str = "EPRINT") -> str:
    return (
        f"<ShipmentBc><Shipment><BarcodeId>{number}</BarcodeId><BarcodeSource>902</BarcodeSource>"
        f"<BarCode>%0075004{number}101902</BarCode></Shipment><Type>{kind}</Type></ShipmentBc>"
    )


def _labels(*labels: tuple[str, bytes]) -> str:
    return "".join(
        f"<Label><type>{kind}</type><label>{b64encode(content).decode()}</label></Label>" for kind, content in labels
    )


def booked(operation: str, *numbers: str, labels: tuple[tuple[str, bytes], ...] = (("BIC3", LABEL),)) -> Reply:
    """The answer of one of the three booking operations."""
    if operation == "CreateMultiShipmentBc":
        master = parcel("10774000240000", "MASTER").replace("ShipmentBc", "mastershipment")
        return _result(operation, f"{master}<shipments>{''.join(map(parcel, numbers))}</shipments>")
    if operation == "CreateReverseInverseShipmentWithLabelsBc":
        shipment = parcel(numbers[0], "REVERSE").replace("ShipmentBc", "Shipment", 1)
        shipment = f"{shipment.removesuffix('</ShipmentBc>')}</Shipment>"
        return _result(operation, f"{shipment}<Labels>{_labels(*labels)}</Labels>")
    parcels = "".join(map(parcel, numbers))
    return _result(operation, f"<shipments>{parcels}</shipments><labels>{_labels(*labels)}</labels>")


def fetched(content: bytes = LABEL) -> Reply:
    """The answer of GetLabelBc."""
    return _result("GetLabelBc", f"<labels>{_labels(('BIC3', content))}</labels>")


def row(number: str, reference: str = MARK, name: str = "Hügǒ", postal_code: str = "75004") -> str:
    """One parcel of a day's list."""
    return (
        f"<Shipping><shipment>250077{number}</shipment><barcodeSource>902</barcodeSource>"
        f"<barcodeId>{number}</barcodeId><weight>1.2</weight><receiverAddress><countryPrefix>F</countryPrefix>"
        f"<zipCode>{postal_code}</zipCode><city>Paris</city><street>6 Place des Vôsges</street><name>{name}</name>"
        f"<CountryPrefixIso2>FR</CountryPrefixIso2></receiverAddress><reference>{reference}</reference></Shipping>"
    )


def listed(*rows: str) -> Reply:
    """The answer of GetShipping."""
    return _result("GetShipping", f"<shippings>{''.join(rows)}</shippings>")


def fault(error_id: str, message: str = "no", status: int = 500) -> Reply:
    """A refusal as the service words it; without an *error_id*, a fault that says nothing."""
    detail = f"<Error><ErrorId>{error_id}</ErrorId><ErrorMessage>{message}</ErrorMessage></Error>" if error_id else ""
    return reply(
        status,
        soap(
            f"<soap:Fault><faultcode>soap:Server</faultcode><faultstring>{message}</faultstring>"
            f"<detail>{detail}</detail></soap:Fault>"
        ),
    )
