"""Numbers and papers of the simulated UPS."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shipkit.simulator import Booking, labels

from .base import listed, one, text_at
from .tariff import PRODUCTS

__all__ = ["FORMATS", "invoice", "label", "number_1z", "page"]

#: What a label may be asked for; recovery knows PDF as well (Shipping.yaml).
FORMATS: Final = ("GIF", "ZPL", "EPL", "SPL")

_PAGE: Final = "<html><head><title>View/Print Label</title></head><body><img src='label{number}.gif'></body></html>"


def number_1z(shipper: str, service: str, serial: int) -> str:
    """1Z, shipper, service, seven digits, check digit: letters count by their ASCII code, every second place twice."""
    body = f"{shipper.upper():0<6}"[:6] + f"{service:0>2}"[:2] + f"{serial:07d}"
    values = [int(c) if c.isdigit() else (ord(c) - 3) % 10 for c in body]
    return f"1Z{body}{-(sum(values) + sum(values[1::2])) % 10}"


def _lines(party: Mapping[str, Any]) -> tuple[str, ...]:
    address = one(party.get("Address"))
    place = (text_at(address, [name]) for name in ("City", "StateProvinceCode", "PostalCode", "CountryCode"))
    return (text_at(party, ["Name"]), *listed(address.get("AddressLine")), " ".join(part for part in place if part))


def label(booking: Booking, number: str, form: str) -> str:
    """The label of one package in base64."""
    shipment, index = booking.details["shipment"], booking.numbers.index(number)
    sender = one(shipment.get("ShipFrom")) or one(shipment["Shipper"])
    fields = labels.LabelFields(
        carrier="UPS",
        service=PRODUCTS[booking.service].name.replace("®", ""),
        number=number,
        reference=booking.reference,
        mark=booking.mark,
        ship_from=_lines(sender),
        ship_to=_lines(one(shipment["ShipTo"])),
        package=f"{index + 1} OF {len(booking.numbers)}",
    )
    return _base64(labels.render(form, fields, size="4X6"))


def page(number: str) -> str:
    """The page around a picture that UPS sends beside it, in base64."""
    return _base64(_PAGE.format(number=number).encode())


def invoice(booking: Booking) -> dict[str, Any]:
    """The international forms of a booking, as one PDF."""
    shipment = booking.details["shipment"]
    forms = shipment["ShipmentServiceOptions"]["InternationalForms"]
    goods: Sequence[Any] = listed(forms.get("Product"))
    fields = labels.LabelFields(
        carrier="COMMERCIAL INVOICE",
        service=text_at(forms, ["ReasonForExport"]),
        number=text_at(forms, ["InvoiceNumber"]) or booking.id,
        ship_from=_lines(one(shipment["Shipper"])),
        ship_to=_lines(one(shipment["ShipTo"])),
        extra=tuple(" ".join(listed(row.get("Description"))) for row in goods),
    )
    picture = {"ImageFormat": {"Code": "PDF", "Description": "PDF"}}
    return {
        "Code": "01",
        "Description": "All Requested International Forms",
        "Image": {**picture, "GraphicImage": _base64(labels.render("PDF", fields, size="A4"))},
        "FormGroupId": f"{booking.created_at:%Y-%m-%d-%H.%M.%S}.000000",
    }


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
