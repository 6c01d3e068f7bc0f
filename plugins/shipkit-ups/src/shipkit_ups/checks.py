"""UPS's demands that span several fields, or that its facts cannot express.

Unless said otherwise they are those of Shipping.yaml; the facts' source notes hold here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shipkit.constraints.unplaced import other_roles, unplaced
from shipkit.model import (
    CustomsDeclaration,
    LengthUnit,
    Notify,
    NotifyEvent,
    OptionCode,
    PackagingKind,
    Party,
    PartyRole,
    Payer,
    Problem,
    ProblemCode,
    RateRequest,
    ReturnRequest,
    ShipmentRequest,
    SignatureLevel,
    Weight,
    WeightUnit,
)

from .codes import EUROPEAN_UNION, IMPERIAL, INCOTERMS, RETURN_SERVICES
from .wire.common import address_of, crosses_border, digits, is_documents, lane_of, sides_of
from .wire.customs import described
from .wire.shipping import character_set, goods, needs_forms, printed_texts
from .wire.terms import collection_point, signed_per_package

__all__ = ["problems", "return_problems"]

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
_GOODS: Final = 50
_BARCODE: Final = re.compile(r"[0-9A-Za-z]{1,14}|[0-9]{1,24}", re.ASCII)

# Fields of a booking that UPS has no place for: said, rather than left out in silence.
_NOT_OFFERED: Final = {
    "return_to": "UPS returns what it cannot deliver to the account's owner: name that party account_holder",
    "return_label": "UPS books the way back apart: create_return",
    "drop_off_point": "UPS takes parcels at any of its points: none is named in a booking",
    "quote_id": "UPS's quotes have no number: name the service",
    "instructions": "UPS takes no instructions for the driver with a booking",
    "packages/*/label_text": "UPS prints references and no other text of the host's",
}

# "Package type 24, or 25 is only allowed for shipment without return service" (Package_Packaging.Code).
_FORWARD_PACKAGINGS: Final = frozenset({"24", "25"})

# "Not available to return shipment" (Shipment_Service.Code).
_NO_RETURN: Final = frozenset({"13", "59", "82", "83", "84", "85", "86"})


def _problem(path: str, code: ProblemCode, text: str, limit: str | None = None) -> Problem:
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
                yield _problem(f"/payment/account/{field}", ProblemCode.MISSING, "UPS bills third parties by it")
    if isinstance(request, ShipmentRequest):
        yield from _booking(request)


def return_problems(request: ReturnRequest) -> Iterator[Problem]:
    """What holds for the way back alone."""
    order, packages = request.shipment, "/shipment/packages"
    if request.kind not in RETURN_SERVICES:
        known = ", ".join(RETURN_SERVICES)
        yield _problem("/kind", ProblemCode.NOT_OFFERED, f"UPS has no return of the kind {request.kind}", known)
    if order.service in _NO_RETURN:
        yield _problem("/shipment/service", ProblemCode.NOT_OFFERED, "UPS has no returns with this service")
    most = 1 if lane_of(order)[0] in {"US", "PR"} else 20
    if len(order.packages) > most:
        text = f"a return from here has at most {most} packages, not {len(order.packages)}"
        yield _problem(packages, ProblemCode.TOO_MANY, text, str(most))
    yield from _not_on_the_way_back(request)
    for index, package in enumerate(order.packages):
        if package.packaging_code in _FORWARD_PACKAGINGS:
            text = "UPS has no returns in this packaging"
            yield _problem(f"{packages}/{index}/packaging_code", ProblemCode.NOT_OFFERED, text)
        if not package.description and len(goods(order) or "") not in range(1, 36):
            text = "a return needs a description of at most 35 characters"
            yield _problem(f"{packages}/{index}/description", ProblemCode.MISSING, text, "35")


def _not_on_the_way_back(request: ReturnRequest) -> Iterator[Problem]:
    """ "Valid for forward shipments only" (the shipment's DCISType); indication 01 and 02 deliver to a recipient."""
    order = request.shipment
    if request.valid_days is not None:
        yield _problem("/valid_days", ProblemCode.NOT_OFFERED, "how long a return label is valid, UPS decides")
    if order.service_point is not None:
        yield _problem("/shipment/service_point", ProblemCode.NOT_OFFERED, "a return goes to an address")
    for index, option in enumerate(order.options):
        confirmed = option.code is OptionCode.SIGNATURE and not signed_per_package(order)
        if confirmed or option.code is OptionCode.HOLD_AT_LOCATION:
            text = "UPS offers this on the way out only"
            yield _problem(f"/shipment/options/{index}", ProblemCode.NOT_OFFERED, text)


def _party(party: Party, at: str) -> Iterator[Problem]:
    address, contact = address_of(party), party.contact
    pattern = _POSTAL_CODES.get(address.country)
    if pattern is not None and address.postal_code and not pattern.fullmatch(address.postal_code.strip()):
        shape = "A1A 1A1" if address.country == "CA" else "5 or 9 digits"
        text = f"a postal code of {address.country} has the form {shape}"
        yield _problem(f"{at}/address/postal_code", ProblemCode.MALFORMED, text, shape)
    postal_code = address.postal_code or ""
    if len(postal_code) > 9 and sum(character.isalnum() for character in postal_code) > 9:
        yield _problem(f"{at}/address/postal_code", ProblemCode.TOO_LONG, "UPS takes at most 9 characters", "9")
    number = digits(contact.phone or "") if contact is not None else ""
    if contact is not None and contact.phone:
        country = address.country
        plain = number[1:] if country in _NANP and len(number) == 11 and number.startswith("1") else number
        if not plain or (country in _NANP and len(plain) != 10) or len(plain) > 15:
            shape = "area code and 7 digits" if country in _NANP else "1 to 15 digits"
            yield _problem(f"{at}/contact/phone", ProblemCode.MALFORMED, f"UPS takes {shape}", shape)


def _packages(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    """In pounds and inches 150 lb, 108 in and 165 in (the facts'), else 70 kg (the facts'), 270 cm and 330 cm."""
    shipper = request.account_holder or request.ship_from
    imperial = shipper.address is not None and shipper.address.country in IMPERIAL
    for index, package in enumerate(request.packages):
        at = f"/packages/{index}"
        if imperial and package.weight.grams > _HEAVIEST:
            text = f"package {package.ref} weighs {package.weight}, UPS takes at most 150 lb: split it"
            yield _problem(f"{at}/weight", ProblemCode.TOO_HEAVY, text, "150 lb")
        if not imperial and package.dimensions is not None:
            length, width, height = sides_of(package.dimensions, LengthUnit.CM)
            if length > _LONGEST_CM:
                text = f"package {package.ref} is longer than {_LONGEST_CM} cm"
                yield _problem(f"{at}/dimensions", ProblemCode.TOO_BIG, text, f"{_LONGEST_CM} cm")
            elif length + 2 * (width + height) > _GIRTH_CM:
                text = f"package {package.ref}: length and girth together are above {_GIRTH_CM} cm"
                yield _problem(f"{at}/dimensions", ProblemCode.TOO_BIG, text, f"{_GIRTH_CM} cm")


def _options(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    for index, option in enumerate(request.options):
        at = f"/options/{index}"
        if option.code is OptionCode.INSURANCE and not option.package_refs and len(request.packages) > 1:
            text = "UPS insures packages: say which ones this amount is for, each"
            yield _problem(f"{at}/package_refs", ProblemCode.MISSING, text)
        if option.value is SignatureLevel.NONE and not signed_per_package(request):
            text = "UPS leaves parcels without a signature within the US and Puerto Rico only"
            yield _problem(f"{at}/value", ProblemCode.NOT_OFFERED, text)
        if option.code is OptionCode.SIGNATURE and option.package_refs and not signed_per_package(request):
            text = "UPS confirms the whole shipment on this lane"
            yield _problem(f"{at}/package_refs", ProblemCode.NOT_OFFERED, text)
        if isinstance(option.value, Notify):
            yield from _notice(request, option.value, at)


def _notice(request: ShipmentRequest | RateRequest, value: Notify, at: str) -> Iterator[Problem]:
    if NotifyEvent.OUT_FOR_DELIVERY in value.events:
        known = "shipped, exception, delivered"
        yield _problem(f"{at}/value/events", ProblemCode.NOT_OFFERED, f"UPS tells of {known}", known)
    if request.ship_to.contact is None or not request.ship_to.contact.email:
        yield _problem("/ship_to/contact/email", ProblemCode.MISSING, "UPS tells the recipient by mail")


def _point(request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
    """AlternateDeliveryAddress wants name and address beside the id."""
    holds = [i for i, option in enumerate(request.options) if option.code is OptionCode.HOLD_AT_LOCATION]
    if holds and request.service_point is not None:
        text = "a point to deliver to and a point to hold at exclude each other"
        yield _problem(f"/options/{holds[0]}", ProblemCode.NOT_TOGETHER, text)
    found = collection_point(request)
    if found is None:
        return
    point, at = found[1], "/service_point" if request.service_point is not None else f"/options/{holds[0]}/value"
    if len(point.id) != _POINT_ID:
        text = f"an Access Point's id has {_POINT_ID} characters"
        yield _problem(f"{at}/id", ProblemCode.MALFORMED, text, str(_POINT_ID))
    if point.address is None or not point.address.lines or not point.address.city:
        yield _problem(f"{at}/address", ProblemCode.MISSING, "UPS wants the point's address beside its id")
    direct = [i for i, option in enumerate(request.options) if option.code is OptionCode.DIRECT_DELIVERY_ONLY]
    if direct:
        text = "delivery to the door only does not go with an Access Point"
        yield _problem(f"/options/{direct[0]}", ProblemCode.NOT_TOGETHER, text)


def _barcodes(request: ShipmentRequest) -> Iterator[Problem]:
    """ReferenceNumber.BarCodeIndicator: one number, "no longer than 14 alphanumeric characters or 24 numeric"."""
    rows = [(f"/references/{i}", reference) for i, reference in enumerate(request.references)]
    for index, package in enumerate(request.packages):
        rows += [(f"/packages/{index}/references/{i}", reference) for i, reference in enumerate(package.references)]
    barred = [(at, reference) for at, reference in rows if reference.barcode]
    for at, reference in barred:
        if not _BARCODE.fullmatch(reference.value):
            text = "as a bar code UPS prints 14 letters and digits, or 24 digits"
            yield _problem(f"{at}/value", ProblemCode.MALFORMED, text, "14")
    for at, _ in barred[1:]:
        yield _problem(f"{at}/barcode", ProblemCode.TOO_MANY, "UPS prints one reference as a bar code", "1")


def _booking(request: ShipmentRequest) -> Iterator[Problem]:
    yield from unplaced(request, _NOT_OFFERED)
    yield from other_roles(request, (PartyRole.BUYER,), "of the further parties UPS's invoice has the buyer only")
    yield from _barcodes(request)
    if character_set(request) is None:
        for path, printed in printed_texts(request):
            if not printed.isascii():
                text = "UPS prints Latin, Turkish or Cyrillic letters, one alphabet on a label"
                yield _problem(path, ProblemCode.BAD_CHARACTERS, text)
    if not crosses_border(request):
        return
    for name in ("ship_from", "ship_to"):
        contact = getattr(request, name).contact
        if contact is None or not digits(contact.phone or ""):
            text = "UPS wants a phone number across borders"
            yield _problem(f"/{name}/contact/phone", ProblemCode.LANE_REQUIRES, text)
    yield from _goods(request)
    if request.customs is not None and needs_forms(request):
        yield from _declaration(request.customs)


def _goods(request: ShipmentRequest) -> Iterator[Problem]:
    """What is in it: not for letters, nor within the European Union by UPS Standard."""
    origin, destination = lane_of(request)
    inside = {origin, destination} <= EUROPEAN_UNION
    letters = all(package.packaging is PackagingKind.LETTER for package in request.packages)
    words = goods(request)
    if not words and not letters and not (inside and request.service == "11"):
        yield _problem("/description", ProblemCode.LANE_REQUIRES, "UPS wants the goods in plain words", str(_GOODS))
    elif words and not request.description and len(words) > _GOODS:
        text = f"the customs lines together are longer than {_GOODS} characters: describe the shipment"
        yield _problem("/description", ProblemCode.LANE_REQUIRES, text, str(_GOODS))
    if request.customs is None and not inside and not is_documents(request):
        yield _problem("/customs", ProblemCode.LANE_REQUIRES, "customs wants a declaration on this lane")


def _declaration(customs: CustomsDeclaration) -> Iterator[Problem]:
    """InternationalForms: one currency, whole numbers of goods, three lines of 35 characters each."""
    currency = customs.lines[0].unit_value.currency
    if customs.incoterm is not None and customs.incoterm.value not in INCOTERMS:
        known = ", ".join(sorted(INCOTERMS))
        text = f"UPS's invoice does not know {customs.incoterm}"
        yield _problem("/customs/incoterm", ProblemCode.NOT_OFFERED, text, known)
    for index, line in enumerate(customs.lines):
        at = f"/customs/lines/{index}"
        if line.quantity != line.quantity.to_integral_value() or line.quantity >= 10**7:
            text = "UPS counts goods in whole numbers of at most 7 digits"
            yield _problem(f"{at}/quantity", ProblemCode.MALFORMED, text, "7 digits")
        if line.unit_value.currency != currency:
            text = f"UPS's invoice has one currency, the first line's is {currency}"
            yield _problem(f"{at}/unit_value/currency", ProblemCode.INCONSISTENT, text)
        if not line.unit_value.amount or line.unit_value.amount != round(line.unit_value.amount, 6):
            text = "UPS wants a value above 0 with at most 6 decimals"
            yield _problem(f"{at}/unit_value/amount", ProblemCode.OUT_OF_RANGE, text, "> 0")
        if len(described(line)) > 3:
            text = "UPS prints 3 lines of 35 characters"
            yield _problem(f"{at}/description", ProblemCode.TOO_LONG, text, "105")
        if not line.origin_country:
            text = "customs wants to know where the goods were made"
            yield _problem(f"{at}/origin_country", ProblemCode.LANE_REQUIRES, text)
