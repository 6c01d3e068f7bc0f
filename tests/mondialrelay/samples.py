"""Requests and replies that the tests of Mondial Relay share; the people in them are invented."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import attrs

from shipkit.errors import InputError
from shipkit.flow import Request
from shipkit.model import (
    Address,
    AddressCheck,
    Contact,
    DocumentQuery,
    LabelSpec,
    Package,
    PageFormat,
    PageSize,
    Party,
    Problem,
    ReturnLabelKind,
    ReturnRequest,
    ServicePointQuery,
    ServicePointRef,
    ShipmentRequest,
    TrackingNumber,
    TrackQuery,
    Weight,
    WeightUnit,
)
from shipkit.testing import Reply, play, reply
from shipkit_mondialrelay import MondialRelay

__all__ = [
    "ANY_POINT",
    "CHECK",
    "HERE",
    "HOME",
    "LABELS",
    "MR",
    "NEAR",
    "NUMBER",
    "POINT",
    "RECIPIENT",
    "RELAY",
    "RETURN",
    "SENDER",
    "TRACK",
    "booked",
    "labels",
    "label_in",
    "package",
    "problems",
    "result",
    "sent",
    "traced",
]

# The test contract that Mondial Relay publishes for everybody.
MR = MondialRelay(enseigne="BDTEST13", private_key="PrivateK")
NUMBER = TrackingNumber(value="50554859", carrier="mondialrelay")
POINT = ServicePointRef(id="005680", country="FR")
ANY_POINT = ServicePointRef(id="AUTO", country="FR")

HERE = Address(lines=("27 rue Henri Rolland", "Batiment B"), postal_code="69100", city="Villeurbanne", country="FR")
SENDER = Party(
    address=HERE,
    contact=Contact(company="Akretion", phone="+33 4 00 00 00 00"),
)
RECIPIENT = Party(
    address=Address(lines=("6 Place des Vosges",), postal_code="75004", city="Paris", country="FR"),
    contact=Contact(name="Hugo", phone="+33 (0)6 00 00 00 00", email="hugo.victor@example.com"),
)


def package(ref: str = "1", kg: str = "1.2", **more: Any) -> Package:
    return Package(ref=ref, weight=Weight(Decimal(kg), WeightUnit.KG), **more)


HOME = ShipmentRequest(
    ship_from=SENDER,
    ship_to=RECIPIENT,
    packages=(package(),),
    service="HOM",
    reference="SO-1",
    drop_off_point=ANY_POINT,
)
RELAY = attrs.evolve(HOME, service="24R", service_point=POINT, drop_off_point=None)
RETURN = ReturnRequest(
    shipment=attrs.evolve(HOME, ship_from=RECIPIENT, ship_to=SENDER, service="LCC", drop_off_point=None),
    kind=ReturnLabelKind.PRINTED,
)
TRACK = TrackQuery(number=NUMBER)
NEAR = ServicePointQuery(country="FR", near=Address(lines=(), postal_code="69100", country="FR"), max_results=30)
CHECK = AddressCheck(address=HERE)
LABELS = DocumentQuery(shipment_id="50554859", tracking_numbers=(NUMBER,))


def label_in(size: PageFormat) -> LabelSpec:
    return LabelSpec(size=PageSize(format=size))


def problems(flow: Any) -> list[Problem]:
    """What is wrong with a request that never leaves."""
    return list(play(flow).raised(InputError).problems)


def sent(flow: Any) -> Request:
    """The first request of a conversation."""
    request = next(flow)
    flow.close()
    assert isinstance(request, Request)
    return request


def result(operation: str, content: str, status: int = 200) -> Reply:
    """A reply as the service wraps it."""
    body = (
        f'<{operation}Response xmlns="http://www.mondialrelay.fr/webservice/">'
        f"<{operation}Result>{content}</{operation}Result></{operation}Response>"
    )
    envelope = (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    return reply(status, envelope, {"Content-Type": "text/xml; charset=utf-8"})


def _link(number: str, size: str = "A4") -> str:
    return escape(f"/ww2/PDF/StickerMaker2.aspx?ens=BDTEST1311&expedition={number}&lg=FR&format={size}&crc=C453")


def booked(number: str = "50554859", stat: str = "0") -> Reply:
    """The answer of WSI2_CreationEtiquette."""
    link = f"<URL_Etiquette>{_link(number)}</URL_Etiquette>"
    return result("WSI2_CreationEtiquette", f"<STAT>{stat}</STAT><ExpeditionNum>{number}</ExpeditionNum>{link}")


def labels(number: str = "50554859") -> Reply:
    """The answer of WSI3_GetEtiquettes."""
    links = "".join(f"<URL_PDF_{size}>{_link(number, size)}</URL_PDF_{size}>" for size in ("A4", "A5", "10x15"))
    return result("WSI3_GetEtiquettes", f"<STAT>0</STAT>{links}")


def traced(*rows: tuple[str, str, str, str], stat: str = "81") -> Reply:
    """The answer of WSI2_TracingColisDetaille: text, day, hour and place, filled up with empty rows."""
    names = ("Libelle", "Date", "Heure", "Emplacement")
    cells = [
        "".join(
            f"<{name}>{escape(value)}</{name}>" if value else f"<{name} />"
            for name, value in zip(names, row, strict=True)
        )
        for row in (*rows, *[("", "", "", "")] * (10 - len(rows)))
    ]
    steps = "".join(
        f"<ret_WSI2_sub_TracingColisDetaille>{row}<Relais_Num /><Relais_Pays /></ret_WSI2_sub_TracingColisDetaille>"
        for row in cells
    )
    return result(
        "WSI2_TracingColisDetaille",
        f"<STAT>{stat}</STAT><Libelle01>COLIS PRIS EN CHARGE</Libelle01><Tracing>{steps}</Tracing>",
    )
