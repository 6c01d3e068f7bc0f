"""UPS's demands on prices and bookings that span several fields, or that its facts cannot express.

Unless said otherwise they are those of Shipping.yaml; the facts' source notes hold here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shipkit.model import (
    LengthUnit,
    Notify,
    NotifyEvent,
    OptionCode,
    Party,
    Payer,
    Problem,
    ProblemCode,
    RateRequest,
    ShipmentRequest,
    SignatureLevel,
    Weight,
    WeightUnit,
)

from .codes import IMPERIAL
from .wire.common import address_of, digits, sides_of
from .wire.terms import collection_point, signed_per_package

__all__ = ["problem", "problems"]

_NANP: Final = frozenset({"US", "PR", "CA", "VI"})
_POSTAL_CODES: Final = {
    "US": re.compile(r"\d{5}([- ]?\d{4})?"),
    "PR": re.compile(r"\d{5}([- ]?\d{4})?"),
    "CA": re.compile(r"[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d"),
}
_HEAVIEST: Final = Weight("150", WeightUnit.LB).grams
_GIRTH_CM: Final = 330
_LONGEST_CM: Final = 270
_POINT_ID: Final = 9


def problem(path: str, code: ProblemCode, text: str, limit: str | None = None) -> Problem:
    """One of them."""
    return Problem(path=path, code=code, text=text, limit=limit)


def problems(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    """Everything that UPS would refuse, or carry out otherwise than it is meant."""
    if request.ship_from.address is None or request.ship_to.address is None:
        return  # said by the model's own rules
    for name in ("ship_from", "ship_to", "account_holder"):
        party: Party | None = getattr(request, name)
        if party is not None:
            yield from _party(party, f"/{name}")
    yield from _packages(request)
    yield from _options(request)
    yield from _point(request)
    payment = request.payment
    if payment is not None and payment.payer is Payer.THIRD_PARTY and payment.account is not None:
        for field in ("postal_code", "country"):
            if not getattr(payment.account, field):
                yield problem(f"/payment/account/{field}", ProblemCode.MISSING, "UPS bills third parties by it")
    if isinstance(request, ShipmentRequest):
        from .booking_checks import booking_problems

        yield from booking_problems(request)


def _party(party: Party, at: str) -> Iterator[Problem]:
    address, contact = address_of(party), party.contact
    pattern = _POSTAL_CODES.get(address.country)
    if pattern is not None and address.postal_code and not pattern.fullmatch(address.postal_code.strip()):
        shape = "A1A 1A1" if address.country == "CA" else "5 or 9 digits"
        text = f"a postal code of {address.country} has the form {shape}"
        yield problem(f"{at}/address/postal_code", ProblemCode.MALFORMED, text, shape)
    postal_code = address.postal_code or ""
    if len(postal_code) > 9 and sum(character.isalnum() for character in postal_code) > 9:
        yield problem(f"{at}/address/postal_code", ProblemCode.TOO_LONG, "UPS takes at most 9 characters", "9")
    number = digits(contact.phone or "") if contact is not None else ""
    if contact is not None and contact.phone:
        country = address.country
        plain = number[1:] if country in _NANP and len(number) == 11 and number.startswith("1") else number
        if not plain or (country in _NANP and len(plain) != 10) or len(plain) > 15:
            shape = "area code and 7 digits" if country in _NANP else "1 to 15 digits"
            yield problem(f"{at}/contact/phone", ProblemCode.MALFORMED, f"UPS takes {shape}", shape)


def _packages(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    """In pounds and inches 150 lb, 108 in and 165 in (the facts'), else 70 kg (the facts'), 270 cm and 330 cm."""
    shipper = request.account_holder or request.ship_from
    imperial = shipper.address is not None and shipper.address.country in IMPERIAL
    for index, package in enumerate(request.packages):
        at = f"/packages/{index}"
        if imperial and package.weight.grams > _HEAVIEST:
            text = f"package {package.ref} weighs {package.weight}, UPS takes at most 150 lb: split it"
            yield problem(f"{at}/weight", ProblemCode.TOO_HEAVY, text, "150 lb")
        if not imperial and package.dimensions is not None:
            length, width, height = sides_of(package.dimensions, LengthUnit.CM)
            if length > _LONGEST_CM:
                text = f"package {package.ref} is longer than {_LONGEST_CM} cm"
                yield problem(f"{at}/dimensions", ProblemCode.TOO_BIG, text, f"{_LONGEST_CM} cm")
            elif length + 2 * (width + height) > _GIRTH_CM:
                text = f"package {package.ref}: length and girth together are above {_GIRTH_CM} cm"
                yield problem(f"{at}/dimensions", ProblemCode.TOO_BIG, text, f"{_GIRTH_CM} cm")


def _options(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    for index, option in enumerate(request.options):
        at = f"/options/{index}"
        if option.code is OptionCode.INSURANCE and not option.package_refs and len(request.packages) > 1:
            text = "UPS insures packages: say which ones this amount is for, each"
            yield problem(f"{at}/package_refs", ProblemCode.MISSING, text)
        if option.value is SignatureLevel.NONE and not signed_per_package(request):
            text = "UPS leaves parcels without a signature within the US and Puerto Rico only"
            yield problem(f"{at}/value", ProblemCode.NOT_OFFERED, text)
        if option.code is OptionCode.SIGNATURE and option.package_refs and not signed_per_package(request):
            text = "UPS confirms the whole shipment on this lane"
            yield problem(f"{at}/package_refs", ProblemCode.NOT_OFFERED, text)
        if isinstance(option.value, Notify):
            yield from _notice(request, option.value, at)


def _notice(request: ShipmentRequest | RateRequest, value: Notify, at: str) -> Iterator[Problem]:
    if NotifyEvent.OUT_FOR_DELIVERY in value.events:
        known = "shipped, exception, delivered"
        yield problem(f"{at}/value/events", ProblemCode.NOT_OFFERED, f"UPS tells of {known}", known)
    if request.ship_to.contact is None or not request.ship_to.contact.email:
        yield problem("/ship_to/contact/email", ProblemCode.MISSING, "UPS tells the recipient by mail")


def _point(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    """AlternateDeliveryAddress wants name and address beside the id."""
    holds = [i for i, option in enumerate(request.options) if option.code is OptionCode.HOLD_AT_LOCATION]
    if holds and request.service_point is not None:
        text = "a point to deliver to and a point to hold at exclude each other"
        yield problem(f"/options/{holds[0]}", ProblemCode.NOT_TOGETHER, text)
    found = collection_point(request)
    if found is None:
        return
    point, at = found[1], "/service_point" if request.service_point is not None else f"/options/{holds[0]}/value"
    if len(point.id) != _POINT_ID:
        text = f"an Access Point's id has {_POINT_ID} characters"
        yield problem(f"{at}/id", ProblemCode.MALFORMED, text, str(_POINT_ID))
    if point.address is None or not point.address.lines or not point.address.city:
        yield problem(f"{at}/address", ProblemCode.MISSING, "UPS wants the point's address beside its id")
    direct = [i for i, option in enumerate(request.options) if option.code is OptionCode.DIRECT_DELIVERY_ONLY]
    if direct:
        text = "delivery to the door only does not go with an Access Point"
        yield problem(f"/options/{direct[0]}", ProblemCode.NOT_TOGETHER, text)
