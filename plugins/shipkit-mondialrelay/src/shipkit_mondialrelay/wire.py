"""Mondial Relay's own words for bookings: members out, replies in, and the mapping to and from the canonical model.

Members stand in the order of the WSDL, because the order is part of the security key. All of them are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import md5
from math import ceil
from typing import Final
from urllib.parse import urljoin

import attrs

from shipkit.constraints.unplaced import other_payers, other_roles, unplaced
from shipkit.errors import InputError, ReplyError
from shipkit.flow import Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    CashOnDelivery,
    CodMethod,
    Document,
    DocumentFormat,
    DocumentKind,
    DocumentQuery,
    LabelSpec,
    Message,
    NoticeLevel,
    Notify,
    NumberRole,
    OptionCode,
    Package,
    PageFormat,
    PageSize,
    Party,
    Problem,
    ProblemCode,
    ReturnLabelKind,
    ReturnRequest,
    ReturnShipment,
    ServicePointRef,
    Shipment,
    ShipmentRequest,
    TrackingNumber,
)
from shipkit.readers import Reader, wire

from .codes import LABELS, SERVICES, TEXT_IGNORED
from .fields import INSTRUCTIONS_MAX, POINT, REFERENCE, REFERENCE_MAX, Sheet

__all__ = [
    "CODE",
    "OPTIONS_SCHEMA",
    "LabelReply",
    "LabelsReply",
    "document_from_wire",
    "documents_to_wire",
    "reader",
    "request_problems",
    "return_from_wire",
    "return_to_wire",
    "security_key",
    "shipment_from_wire",
    "shipment_to_wire",
]

CODE: Final = "mondialrelay"
reader = Reader()

_ANY_POINT: Final = "AUTO"  # the sender hands over at whatever point; seen in recorded traffic, not in the manual
_SIZES: Final[Mapping[PageFormat, str]] = {PageFormat.A4: "A4", PageFormat.A5: "A5", PageFormat.CM_10X15: "10x15"}
_UNSIGNED: Final = frozenset({"Security", "Texte"})

# Members without a canonical field, given as carrier_options={"mondialrelay": {...}}; patterns of Mondial Relay's
# PrestaShop module 3.4.5. What an insurance level covers is part of the contract: no source gives amounts. Taille is
# for those whom Mondial Relay tells to use it.
_EXTRA_MEMBERS: Final[Mapping[str, str]] = {
    "NClient": r"[0-9A-Z]{0,9}",
    "Taille": r"XS|S|M|L|XL|XXL|3XL",
    "TReprise": r"O|N",
    "Montage": r"[0-9]{1,3}",
    "TRDV": r"O|N",
    "Assurance": r"[0-5]",
    "Texte": r"[^<>&']{3,30}(\(cr\)[^<>&']{0,30}){0,9}",
}
OPTIONS_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {name: {"type": "string", "pattern": rf"^({text})$"} for name, text in _EXTRA_MEMBERS.items()},
    "additionalProperties": False,
}


# What a booking has no member for.
_NOT_OFFERED: Final = {
    "account_holder": "Mondial Relay knows the account holder from the merchant code",
    "return_to": "what cannot be delivered goes back to the merchant",
    "return_label": "Mondial Relay makes a return as a shipment of its own: create_return",
    "quote_id": "the interface has no quotes",
    "packages/*/label_text": "the label has no room for text of the host's, but for the carrier option Texte",
}


@wire
class LabelReply:
    STAT: str
    ExpeditionNum: str
    URL_Etiquette: str | None = None


@wire
class LabelsReply:
    URL_PDF_A4: str | None = None
    URL_PDF_A5: str | None = None
    URL_PDF_10x15: str | None = None


def security_key(members: Mapping[str, object], private_key: str) -> str:
    """The member ``Security``: MD5 over all members in their order and the private key, in capital hex digits.

    It stands for the account, it protects nothing: ``Texte`` is outside it, and MD5 is the carrier's choice.
    """
    signed = "".join(str(value) for name, value in members.items() if name not in _UNSIGNED and value is not None)
    return md5(f"{signed}{private_key}".encode(), usedforsecurity=False).hexdigest().upper()


def shipment_to_wire(request: ShipmentRequest) -> dict[str, str]:
    """The members of WSI2_CreationEtiquette.

    Raises:
        InputError: a text does not fit, or the service and the point do not fit together; all problems at once.
    """
    sheet = Sheet()
    members = _shipment_members(request, sheet, request.drop_off_point)
    return _complete(members, sheet)


def return_to_wire(request: ReturnRequest) -> dict[str, str]:
    """The members of WSI2_CreationEtiquette for a way back: handed over at a point, at any unless one is named.

    Raises:
        InputError: as `shipment_to_wire`, or the label is to be other than printed.
    """
    booking = request.shipment
    sheet = Sheet()
    if request.kind is not ReturnLabelKind.PRINTED:
        sheet.refuse("/kind", ProblemCode.NOT_OFFERED, "Mondial Relay makes printed return labels only")
    country = booking.ship_from.address.country if booking.ship_from.address else ""
    point = booking.drop_off_point or ServicePointRef(id=_ANY_POINT, country=country or "FR")
    if request.valid_days is not None:
        sheet.refuse("/valid_days", ProblemCode.NOT_OFFERED, "how long a return label is valid, Mondial Relay decides")
    return _complete(_shipment_members(booking, sheet, point), sheet)


def request_problems(request: ShipmentRequest) -> Iterator[Problem]:
    """What stands in the way of booking *request*; that a service is missing, the model's own rules say."""
    sheet = Sheet()
    _shipment_members(request, sheet, request.drop_off_point)
    yield from sheet.problems


def _complete(members: dict[str, str], sheet: Sheet) -> dict[str, str]:
    if sheet.problems:
        raise InputError(problems=tuple(sheet.problems))
    return members


def _shipment_members(request: ShipmentRequest, sheet: Sheet, hand_over: ServicePointRef | None) -> dict[str, str]:
    service = request.service
    options = {option.code: (f"/options/{index}/value", option.value) for index, option in enumerate(request.options)}
    sender = sheet.party(request.ship_from, "/ship_from", phone_needed=True)
    recipient = sheet.party(_recipient(request), "/ship_to", phone_needed=service == "LDS")
    members = {
        "ModeCol": "REL" if hand_over else "CCC",
        "ModeLiv": service or "",
        "NDossier": sheet.text(request.reference, "/reference", most=REFERENCE_MAX, allowed=REFERENCE),
        "NClient": "",
        **{f"Expe_{name}": value for name, value in sender.items()},
        **{f"Dest_{name}": value for name, value in recipient.items()},
        **_measures(request.packages, sheet),
        "CRT_Valeur": _cash(*options.get(OptionCode.COD, ("", None)), sheet),
        "CRT_Devise": "EUR",
        **_worth(request.packages),
        **_point(hand_over, "COL_Rel", "/drop_off_point", sheet, any_point=True),
        **_point(request.service_point, "LIV_Rel", "/service_point", sheet),
        "TAvisage": _notice(*options.get(OptionCode.NOTIFY, ("", None)), sheet),
        "TReprise": "",
        "Montage": "",
        "TRDV": "",
        "Assurance": "",
        "Instructions": sheet.text(request.instructions, "/instructions", most=INSTRUCTIONS_MAX),
        "Texte": "",
    }
    if service is not None:
        _check_service(request, service, sheet)
    _check_label(request.label, sheet)
    sheet.problems += unplaced(request, _NOT_OFFERED)
    sheet.problems += other_roles(request, (), "Mondial Relay knows sender and recipient and no further parties")
    sheet.problems += other_payers(request, "Mondial Relay bills the merchant")
    return {**members, **_extra_members(request)}


def _recipient(request: ShipmentRequest) -> Party:
    """Who collects; where only the point's address is known, that is the one on the label."""
    party, point = request.ship_to, request.service_point
    if point and point.address and not (party.address and party.address.lines):
        return Party(contact=party.contact, address=point.address)
    return party


def _measures(packages: tuple[Package, ...], sheet: Sheet) -> dict[str, str]:
    """Grams and centimetres, rounded up; at least 15 g (``MINIMUM_PACKAGE_WEIGHT`` of the carrier's own module).

    The service weighs the shipment as a whole. ``Longueur`` is the developed length: length +
    height (STAT 21) of the parcel as it lies flat.
    """
    grams = ceil(sum(package.weight.grams for package in packages))
    if not 15 <= grams <= 9_999_999:
        sheet.refuse("/packages", ProblemCode.OUT_OF_RANGE, "weigh 15 g to 9999999 g together", "15..9999999 g")
    if len(packages) > 99:
        sheet.refuse("/packages", ProblemCode.TOO_MANY, "are 99 at most", "99")
    size = packages[0].dimensions if len(packages) == 1 else None
    length = ""
    if size and size.height:
        length = str(ceil((size.length.millimetres + size.height.millimetres) / 10))
        if len(length) > 3:
            sheet.refuse("/packages/0/dimensions", ProblemCode.TOO_BIG, "length + height is 999 cm at most", "999 cm")
    return {"Poids": str(grams), "Longueur": length, "Taille": "", "NbColis": str(len(packages))}


def _notice(at: str, value: object, sheet: Sheet) -> str:
    """Yes or nothing: the member has no room for what the recipient is told of."""
    if isinstance(value, Notify) and value.events:
        sheet.refuse(f"{at}/events", ProblemCode.NOT_OFFERED, "what the recipient is told of cannot be chosen")
    return "O" if at else ""


def _cash(at: str, value: object, sheet: Sheet) -> str:
    """Cash on delivery in cents of the euro, the one currency that the service knows; 0 for none."""
    if not isinstance(value, CashOnDelivery):
        return "0"
    cents = value.amount.amount * 100
    if value.amount.currency != "EUR" or cents != int(cents):
        sheet.refuse(at, ProblemCode.NOT_OFFERED, "is collected in whole cents of EUR", "EUR")
    elif value.method is not CodMethod.ANY:
        sheet.refuse(at, ProblemCode.NOT_OFFERED, "is paid in whatever way the point takes", "any")
    elif len(str(int(cents))) > 7:
        sheet.refuse(at, ProblemCode.OUT_OF_RANGE, "is 99999.99 EUR at most", "99999.99 EUR")
    return str(int(cents))


def _worth(packages: tuple[Package, ...]) -> dict[str, str]:
    """What the goods are worth, in cents; said where it is known of every package, in EUR, and has seven digits."""
    values = [package.declared_value for package in packages]
    euros = [value.amount for value in values if value is not None and value.currency == "EUR"]
    cents = str(ceil(sum(euros, Decimal(0)) * 100))
    if len(euros) < len(packages) or len(cents) > 7:
        return {"Exp_Valeur": "", "Exp_Devise": ""}
    return {"Exp_Valeur": cents, "Exp_Devise": "EUR"}


def _point(
    point: ServicePointRef | None, member: str, path: str, sheet: Sheet, *, any_point: bool = False
) -> dict[str, str]:
    if point is None:
        return {f"{member}_Pays": "", member: ""}
    if not POINT.fullmatch(point.id) and not (any_point and point.id == _ANY_POINT):
        sheet.refuse(f"{path}/id", ProblemCode.MALFORMED, "is the point's number of six digits, leading zeros kept")
    return {f"{member}_Pays": point.country, member: point.id}


def _check_service(request: ShipmentRequest, service: str, sheet: Sheet) -> None:
    facts = SERVICES.get(service)
    if facts is None:
        listed = ", ".join(SERVICES)
        sheet.refuse("/service", ProblemCode.UNKNOWN_VALUE, f"is one of {listed}", listed)
        return
    if facts.to_point and request.service_point is None:
        sheet.refuse("/service_point", ProblemCode.MISSING, f"{service} delivers to a point: which one?")
    if not facts.to_point and request.service_point is not None:
        sheet.refuse("/service_point", ProblemCode.NOT_TOGETHER, f"{service} does not deliver to a point")
    if facts.to_point and len(request.packages) > 1:
        sheet.refuse("/packages", ProblemCode.TOO_MANY, f"{service} takes one package (STAT 48)", "1")


def _extra_members(request: ShipmentRequest) -> dict[str, str]:
    given = request.carrier_options.get(CODE) or {}
    return {name: value for name, value in given.items() if name in _EXTRA_MEMBERS}


def shipment_from_wire(request: ShipmentRequest, reply: LabelReply, response: Response, label_base: str) -> Shipment:
    """The booking, with the link to its label. The service links to A4; the other sizes are the same link with another
    ``format`` (akretion/mondialrelay_pyt ``make_shipping_label``, ecommerce-ventures/deliveries ``shipments/create``).

    The carrier numbers the shipment: where it has several packages, none of them has a number of its own.
    """
    several = len(request.packages) > 1
    role = NumberRole.MASTER if several else NumberRole.PIECE
    number = TrackingNumber(value=reply.ExpeditionNum, carrier=CODE, role=role)
    link, size = reply.URL_Etiquette or "", _size(request.label)
    link = link.replace("format=A4", f"format={_SIZES[size]}")
    return Shipment(
        shipment_id=reply.ExpeditionNum,
        reference=request.reference,
        state=BookingState.LABEL_PENDING,
        service=request.service or "",
        packages=tuple(
            BookedPackage(ref=package.ref, position=position, tracking_number=None if several else number)
            for position, package in enumerate(request.packages)
        ),
        tracking_numbers=(number,),
        documents=(_label(link, size, DocumentKind.LABEL, label_base),) if link else (),
        created_at=response.received_at,
        messages=_notices(reply.STAT),
    )


def return_from_wire(request: ReturnRequest, shipment: Shipment) -> ReturnShipment:
    """The way back, booked at once."""
    (number,) = (attrs.evolve(number, role=NumberRole.RETURN) for number in shipment.tracking_numbers)
    back = attrs.evolve(
        shipment,
        tracking_numbers=(number,),
        packages=tuple(attrs.evolve(p, tracking_number=p.tracking_number and number) for p in shipment.packages),
        documents=tuple(attrs.evolve(label, kind=DocumentKind.RETURN_LABEL) for label in shipment.documents),
    )
    return ReturnShipment(
        kind=request.kind, shipment=back, outbound=request.outbound, authorization=request.authorization
    )


def documents_to_wire(query: DocumentQuery, language: str) -> dict[str, str]:
    """The members of WSI3_GetEtiquettes for one shipment.

    Raises:
        InputError: the carrier prints neither that size nor that format.
    """
    sheet = Sheet()
    _check_label(query.label, sheet)
    return _complete({"Expeditions": query.shipment_id, "Langue": language}, sheet)


def document_from_wire(query: DocumentQuery, reply: LabelsReply, response: Response, label_base: str) -> Document:
    """The link to the label in the size asked for.

    Raises:
        ReplyError: there is no link to that size.
    """
    size = _size(query.label)
    link = getattr(reply, LABELS[size])
    if not link:
        path = f"$.{LABELS[size]}"
        raise ReplyError.of(response, message=f"no link to the label @ {path}", paths=(path,))
    return _label(link, size, query.label_kind, label_base)


def _check_label(label: LabelSpec | None, sheet: Sheet) -> None:
    if label and label.format not in (None, DocumentFormat.PDF):
        sheet.refuse("/label/format", ProblemCode.NOT_OFFERED, "Mondial Relay makes PDF labels only", "pdf")
    if label and label.size and label.size.format not in LABELS:
        listed = ", ".join(LABELS)
        sheet.refuse("/label/size", ProblemCode.NOT_OFFERED, f"Mondial Relay prints {listed}", listed)


def _size(label: LabelSpec | None) -> PageFormat:
    return label.size.format if label and label.size else PageFormat.A4


def _label(link: str, size: PageFormat, kind: DocumentKind, label_base: str) -> Document:
    return Document(
        kind=kind, format=DocumentFormat.PDF, size=PageSize(format=size), url=urljoin(f"{label_base}/", link.strip())
    )


def _notices(stat: str) -> tuple[Message, ...]:
    if stat != TEXT_IGNORED:
        return ()
    text = "the free text is not valid and was left out"
    return (Message(level=NoticeLevel.WARNING, carrier_code=stat, text=text, path=f"/carrier_options/{CODE}/Texte"),)
