"""Requests in DPD France's own words: what goes into an envelope's body.

Field names are the WSDL's. Flows hand over the account's customer numbers; credentials go into the SOAP header.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from shipkit.errors import InputError
from shipkit.model import NotifyChannel, OptionCode, WeightUnit

from .codes import PREDICT, RELAIS, RETURN_DAYS
from .terms import (
    delivery_notes,
    insured,
    label_text,
    label_type,
    lines,
    names,
    option,
    product,
    references,
    return_problems,
    single_line,
)

if TYPE_CHECKING:
    from shipkit.model import Money, Package, Party, PickupRequest, ReturnRequest, ShipmentRequest

__all__ = ["booking_to_wire", "day_to_wire", "multi_to_wire", "pickup_to_wire", "return_to_wire"]


def booking_to_wire(request: ShipmentRequest, customer: Mapping[str, int]) -> dict[str, Any]:
    """One parcel with its label."""
    package = request.packages[0]
    return {
        **_journey(request, customer),
        "services": {
            "contact": _contact(request),
            "extraInsurance": _insurance(insured(request, package)),
            "parcelshop": {"shopaddress": {"shopid": request.service_point.id}} if request.service_point else None,
            "reverse": _reverse(request),
        },
        "weight": _kilograms(package),
        "referencenumber": request.mark or request.reference,
        **references(request, package),
        "customLabelText": label_text(package, "/packages/0"),
        "labelType": {"type": label_type(request.label)},
        # Recorded: the order number stands in reference2, and that one is printed as a bar code.
        "refnrasbarcode": False,
        "referenceInBarcode": {"type": "Reference2"},
    }


def multi_to_wire(request: ShipmentRequest, customer: Mapping[str, int]) -> dict[str, Any]:
    """Several parcels; each bears the mark and its own place, since the day's list shows one reference per parcel."""
    identity = request.mark or request.reference
    label_type(request.label)  # asked for after the booking: what does not exist is refused before it
    pieces = [
        {
            "weight": _kilograms(package),
            "referencenumber": f"{identity}/{index + 1}",
            **references(request, package),
            "services": {"extraInsurance": _insurance(insured(request, package))},
        }
        for index, package in enumerate(request.packages)
    ]
    return {
        **_journey(request, customer),
        "services": {"contact": _contact(request)},
        "slaves": {"SlaveRequest": pieces},
    }


def return_to_wire(request: ReturnRequest, customer: Mapping[str, int]) -> dict[str, Any]:
    """A way back: the customer sends, and the order number is printed, for there is one reference field only."""
    shipment = request.shipment
    package = _returnable(request)
    return {
        **_journey(shipment, customer),
        "weight": _kilograms(package),
        "expire_offset": request.valid_days or RETURN_DAYS,
        "referencenumber": shipment.mark or shipment.reference,
        "services": {"extraInsurance": _insurance(insured(shipment, package)), "contact": _contact(shipment)},
        "customLabelText": label_text(package, "/shipment/packages/0") or shipment.reference,
        "labelType": {"type": label_type(shipment.label)},
        "refasbarcode": False,
    }


def _returnable(request: ReturnRequest) -> Package:
    if problems := tuple(return_problems(request)):
        raise InputError(problems=problems)
    return request.shipment.packages[0]


def pickup_to_wire(request: PickupRequest, customer: Mapping[str, int]) -> dict[str, Any]:
    """A collection of parcels that are booked."""
    window = request.window
    numbers = [number.value for number in request.tracking_numbers] or list(request.shipment_ids)
    return {
        "shipperaddress": _place(request.pickup_from, "/pickup_from"),
        "customer": customer,
        "pick_date": _day(window.day),
        "data": {
            "time_from": f"{window.ready:%H:%M}",
            "time_to": f"{window.close:%H:%M}",
            "pick_remark": request.instructions,
            "dayCheckDone": None,
        },
        "shipments": {"string": numbers} if numbers else None,
    }


def day_to_wire(day: date | None, customer: Mapping[str, int]) -> dict[str, Any]:
    """What was booked on a day."""
    return {"date": _day(day), "customer": customer}


def _journey(request: ShipmentRequest, customer: Mapping[str, int]) -> dict[str, Any]:
    consumer = product(request) in (PREDICT, RELAIS)
    return {
        "receiveraddress": _address(request.ship_to, "/ship_to", consumer=consumer),
        "receiverinfo": _info(request.ship_to, "/ship_to", consumer=consumer, instructions=request.instructions),
        "shipperaddress": _address(request.ship_from, "/ship_from"),
        "shipperinfo": _info(request.ship_from, "/ship_from"),
        "retourAddress": _place(request.return_to, "/return_to") if request.return_to else None,
        "customer_countrycode": customer["countrycode"],
        "customer_centernumber": customer["centernumber"],
        "customer_number": customer["number"],
        "shippingdate": _day(request.ship_on),
    }


def _address(party: Party, at: str, *, consumer: bool = False, street: str | None = None) -> dict[str, Any]:
    address, contact = party.address, party.contact
    given = {
        "countryPrefix": address.country if address else None,
        "zipCode": address.postal_code if address else None,
        "city": address.city if address else None,
        "street": street or next(iter(lines(address, at)), None) if address else None,
        "name": names(contact, at, consumer=consumer)[0] if contact else None,
        "phoneNumber": contact.phone if contact else None,
    }
    return {name: value for name, value in given.items() if value}


def _place(party: Party, at: str) -> dict[str, Any]:
    """An address that has no room for more than a street."""
    return _address(party, at, street=single_line(party.address, at) if party.address else None)


def _info(party: Party, at: str, *, consumer: bool = False, instructions: str | None = None) -> dict[str, Any] | None:
    address = party.address
    access = address.access if address else None
    further = lines(address, at)[1:] if address else ()
    notes = delivery_notes(party, instructions, at)
    given = {
        "contact": names(party.contact, at, consumer=consumer)[1] if party.contact else None,
        **{f"name{index + 2}": line for index, line in enumerate(further)},
        **{f"digicode{index + 1}": code for index, code in enumerate(access.door_codes if access else ())},
        "intercomid": access.intercom if access else None,
        **{f"vinfo{index + 1}": note for index, note in enumerate(notes)},
    }
    return {name: value for name, value in given.items() if value} or None


def _contact(request: ShipmentRequest) -> dict[str, Any] | None:
    """How the recipient is told; to a relay point their numbers go along in any case, or nobody could call them."""
    contact, notify = request.ship_to.contact, option(request, OptionCode.NOTIFY)
    kind = "Predict" if product(request) == PREDICT else "No"
    if notify:
        kind = "AutomaticSMS" if NotifyChannel.SMS in notify.channels else "AutomaticMail"
    if contact is None or (kind == "No" and request.service_point is None):
        return None
    told = {"sms": contact.phone if kind != "AutomaticMail" else None}
    told["email"] = contact.email if kind != "AutomaticSMS" else None
    return {**{name: value for name, value in told.items() if value}, "type": kind}


def _insurance(amount: Money | None) -> dict[str, Any] | None:
    if amount is None:
        return None
    return {"value": str(amount.amount.quantize(Decimal("0.01"), ROUND_CEILING)), "type": "byShipments"}


def _reverse(request: ShipmentRequest) -> dict[str, Any] | None:
    spec = request.return_label
    if spec is None:
        return None
    back_to = spec.return_to or request.return_to or request.ship_from
    days = spec.valid_days or RETURN_DAYS
    return {"expireOffset": days, "type": "Prepared", "retour_receiver": _place(back_to, "/return_label/return_to")}


def _kilograms(package: Package) -> str:
    """Kilograms with two decimals (SDK), rounded up: never less than the parcel weighs."""
    return f"{package.weight.to(WeightUnit.KG, ROUND_CEILING, '0.01').normalize():f}"


def _day(day: date | None) -> str | None:
    """Recorded and ekyna: ``31/01/2026``."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}" if day else None
