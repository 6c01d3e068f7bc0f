"""UPS's demands on bookings and returns, beyond those that hold for prices as well (`checks`).

Unless said otherwise they are those of Shipping.yaml; the facts' source notes hold here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shipkit.constraints.unplaced import other_roles, unplaced
from shipkit.model import (
    CustomsDeclaration,
    OptionCode,
    PackagingKind,
    PartyRole,
    Problem,
    ProblemCode,
    ReturnRequest,
    ShipmentRequest,
)

from .checks import problem
from .codes import EUROPEAN_UNION, RETURN_SERVICES
from .declarations import INCOTERMS
from .wire.common import crosses_border, digits, is_documents, lane_of
from .wire.customs import described
from .wire.shipping import character_set, goods, needs_forms, printed_texts, referenced_per_package
from .wire.terms import signed_per_package

__all__ = ["booking_problems", "return_problems"]

_GOODS: Final = 50
_REFERENCES: Final = 5 - 2
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


def _barcodes(request: ShipmentRequest) -> Iterator[Problem]:
    """ReferenceNumber.BarCodeIndicator: one number, "no longer than 14 alphanumeric characters or 24 numeric"."""
    rows = [(f"/references/{i}", reference) for i, reference in enumerate(request.references)]
    for index, package in enumerate(request.packages):
        rows += [(f"/packages/{index}/references/{i}", reference) for i, reference in enumerate(package.references)]
    barred = [(at, reference) for at, reference in rows if reference.barcode]
    for at, reference in barred:
        if not _BARCODE.fullmatch(reference.value):
            text = "as a bar code UPS prints 14 letters and digits, or 24 digits"
            yield problem(f"{at}/value", ProblemCode.MALFORMED, text, "14")
    for at, _ in barred[1:]:
        yield problem(f"{at}/barcode", ProblemCode.TOO_MANY, "UPS prints one reference as a bar code", "1")


def _references(request: ShipmentRequest) -> Iterator[Problem]:
    """Package_ReferenceNumber: at most five, of which the host's number and the mark are two."""
    if not referenced_per_package(request):
        return
    for index, package in enumerate(request.packages):
        if len(request.references) + len(package.references) > _REFERENCES:
            at = f"/packages/{index}/references" if package.references else "/references"
            text = f"beside the order's number a package has room for {_REFERENCES} references"
            yield problem(at, ProblemCode.TOO_MANY, text, str(_REFERENCES))


def booking_problems(request: ShipmentRequest) -> Iterator[Problem]:
    """What holds for a booking alone."""
    yield from unplaced(request, _NOT_OFFERED)
    yield from other_roles(request, (PartyRole.BUYER,), "of the further parties UPS's invoice has the buyer only")
    yield from _barcodes(request)
    yield from _references(request)
    if character_set(request) is None:
        for path, printed in printed_texts(request):
            if not printed.isascii():
                text = "UPS prints Latin, Turkish or Cyrillic letters, one alphabet on a label"
                yield problem(path, ProblemCode.BAD_CHARACTERS, text)
    if not crosses_border(request):
        return
    for name in ("ship_from", "ship_to"):
        contact = getattr(request, name).contact
        if contact is None or not digits(contact.phone or ""):
            text = "UPS wants a phone number across borders"
            yield problem(f"/{name}/contact/phone", ProblemCode.LANE_REQUIRES, text)
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
        yield problem("/description", ProblemCode.LANE_REQUIRES, "UPS wants the goods in plain words", str(_GOODS))
    elif words and not request.description and len(words) > _GOODS:
        text = f"the customs lines together are longer than {_GOODS} characters: describe the shipment"
        yield problem("/description", ProblemCode.LANE_REQUIRES, text, str(_GOODS))
    if request.customs is None and not inside and not is_documents(request):
        yield problem("/customs", ProblemCode.LANE_REQUIRES, "customs wants a declaration on this lane")


def _declaration(customs: CustomsDeclaration) -> Iterator[Problem]:
    """InternationalForms: one currency, whole numbers of goods, three lines of 35 characters each."""
    currency = customs.lines[0].unit_value.currency
    if customs.incoterm is not None and customs.incoterm.value not in INCOTERMS:
        known = ", ".join(sorted(INCOTERMS))
        text = f"UPS's invoice does not know {customs.incoterm}"
        yield problem("/customs/incoterm", ProblemCode.NOT_OFFERED, text, known)
    for index, line in enumerate(customs.lines):
        at = f"/customs/lines/{index}"
        if line.quantity != line.quantity.to_integral_value() or line.quantity >= 10**7:
            text = "UPS counts goods in whole numbers of at most 7 digits"
            yield problem(f"{at}/quantity", ProblemCode.MALFORMED, text, "7 digits")
        if line.unit_value.currency != currency:
            text = f"UPS's invoice has one currency, the first line's is {currency}"
            yield problem(f"{at}/unit_value/currency", ProblemCode.INCONSISTENT, text)
        if not line.unit_value.amount or line.unit_value.amount != round(line.unit_value.amount, 6):
            text = "UPS wants a value above 0 with at most 6 decimals"
            yield problem(f"{at}/unit_value/amount", ProblemCode.OUT_OF_RANGE, text, "> 0")
        if len(described(line)) > 3:
            text = "UPS prints 3 lines of 35 characters"
            yield problem(f"{at}/description", ProblemCode.TOO_LONG, text, "105")
        if not line.origin_country:
            text = "customs wants to know where the goods were made"
            yield problem(f"{at}/origin_country", ProblemCode.LANE_REQUIRES, text)


def return_problems(request: ReturnRequest) -> Iterator[Problem]:
    """What holds for the way back alone."""
    order, packages = request.shipment, "/shipment/packages"
    if request.kind not in RETURN_SERVICES:
        known = ", ".join(RETURN_SERVICES)
        yield problem("/kind", ProblemCode.NOT_OFFERED, f"UPS has no return of the kind {request.kind}", known)
    if order.service in _NO_RETURN:
        yield problem("/shipment/service", ProblemCode.NOT_OFFERED, "UPS has no returns with this service")
    most = 1 if lane_of(order)[0] in {"US", "PR"} else 20
    if len(order.packages) > most:
        text = f"a return from here has at most {most} packages, not {len(order.packages)}"
        yield problem(packages, ProblemCode.TOO_MANY, text, str(most))
    yield from _not_on_the_way_back(request)
    for index, package in enumerate(order.packages):
        if package.packaging_code in _FORWARD_PACKAGINGS:
            text = "UPS has no returns in this packaging"
            yield problem(f"{packages}/{index}/packaging_code", ProblemCode.NOT_OFFERED, text)
        if not package.description and len(goods(order) or "") not in range(1, 36):
            text = "a return needs a description of at most 35 characters"
            yield problem(f"{packages}/{index}/description", ProblemCode.MISSING, text, "35")


def _not_on_the_way_back(request: ReturnRequest) -> Iterator[Problem]:
    """ "Valid for forward shipments only" (the shipment's DCISType); indication 01 and 02 deliver to a recipient."""
    order = request.shipment
    if request.valid_days is not None:
        yield problem("/valid_days", ProblemCode.NOT_OFFERED, "how long a return label is valid, UPS decides")
    if order.service_point is not None:
        yield problem("/shipment/service_point", ProblemCode.NOT_OFFERED, "a return goes to an address")
    for index, option in enumerate(order.options):
        confirmed = option.code is OptionCode.SIGNATURE and not signed_per_package(order)
        if confirmed or option.code is OptionCode.HOLD_AT_LOCATION:
            text = "UPS offers this on the way out only"
            yield problem(f"/shipment/options/{index}", ProblemCode.NOT_OFFERED, text)
