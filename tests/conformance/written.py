"""Conversations that nobody recorded, written after the carriers' interface files: tracking, above all."""

from __future__ import annotations

from xml.sax.saxutils import escape

from shipkit import model as m
from shipkit.testing import Conversation, Reply, reply
from tests.recordings.accounts import number

__all__ = ["MONDIALRELAY_TRACKING", "UPS_TRACKING"]

_PIECE = "1Z2220060290602143"


def _activity(kind: str, code: str, text: str, hour: str) -> dict[str, object]:
    return {
        "location": {"address": {"city": "RALEIGH", "stateProvince": "NC", "countryCode": "US"}},
        "status": {"type": kind, "code": code, "description": text, "statusCode": "003"},
        "date": "20260115",
        "time": f"{hour}0000",
        "gmtDate": "20260115",
        "gmtTime": f"{int(hour) + 5:02d}:00:00",
        "gmtOffset": "-05:00",
    }


# Tracking.yaml, TrackApiResponse: one package with three activities.
UPS_TRACKING = Conversation(
    operation="track",
    argument=m.TrackQuery(number=number(_PIECE, "ups")),
    replies=(
        reply(
            200,
            {
                "trackResponse": {
                    "shipment": [
                        {
                            "inquiryNumber": _PIECE,
                            "package": [
                                {
                                    "trackingNumber": _PIECE,
                                    "packageCount": 1,
                                    "activity": [
                                        _activity("D", "KB", "DELIVERED", "15"),
                                        _activity("I", "OR", "Origin Scan", "08"),
                                        _activity("M", "MP", "Shipper created a label", "07"),
                                    ],
                                }
                            ],
                        }
                    ]
                }
            },
        ),
    ),
    source="specs/ups Tracking.yaml",
)


def _steps(*rows: tuple[str, str, str, str]) -> Reply:
    names = ("Libelle", "Date", "Heure", "Emplacement")
    steps = "".join(
        "<ret_WSI2_sub_TracingColisDetaille>"
        + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in zip(names, row, strict=True))
        + "</ret_WSI2_sub_TracingColisDetaille>"
        for row in rows
    )
    operation = "WSI2_TracingColisDetaille"
    return reply(
        200,
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<{operation}Response xmlns="http://www.mondialrelay.fr/webservice/"><{operation}Result><STAT>81</STAT>'
        f"<Tracing>{steps}</Tracing></{operation}Result></{operation}Response></soap:Body></soap:Envelope>",
    )


# The WSDL's ret_WSI2_TracingColisDetaille.
MONDIALRELAY_TRACKING = Conversation(
    operation="track",
    argument=m.TrackQuery(number=number("50554859", "mondialrelay")),
    replies=(
        _steps(
            ("COLIS PRIS EN CHARGE", "15/01/26", "10:15", "LYON"),
            ("COLIS REMIS AU DESTINATAIRE", "16/01/26", "17:40", "PARIS"),
        ),
    ),
    source="specs/mondialrelay",
)
