"""DPD France's own words: payloads out, replies in, and the mapping to and from the canonical model.

Field names are the WSDL's. Flows hand over the account's customer numbers; credentials go into the SOAP header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from shipkit.errors import ReplyError
from shipkit.flow import Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    Document,
    DocumentKind,
    NotifyChannel,
    NumberRole,
    OptionCode,
    PageSize,
    ProblemCode,
    Reference,
    ReferenceType,
    ReturnLabelKind,
    ReturnShipment,
    Shipment,
    TrackingNumber,
    WeightUnit,
    content_fits,
)
from shipkit.model.bookings import canonical_number
from shipkit.readers import Reader, wire

from .codes import DOCUMENT_KINDS, LABELS, PIECES, PREDICT, RELAIS, RETURN_DAYS
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
    refused,
    single_line,
)

if TYPE_CHECKING:
    from shipkit.model import (
        Money,
        Package,
        Party,
        PickupRequest,
        ReturnRequest,
        ShipmentRequest,
    )

__all__ = [
    "BookedReply",
    "DayReply",
    "FetchedReply",
    "MultiReply",
    "PickupReply",
    "ReturnReply",
    "ShippingRow",
    "booking_to_wire",
    "day_to_wire",
    "documents_from_wire",
    "listed_from_wire",
    "multi_from_wire",
    "multi_to_wire",
    "pickup_to_wire",
    "reader",
    "return_from_wire",
    "return_to_wire",
    "rows_from_wire",
    "shipment_from_wire",
]

reader = Reader()


@wire
class BarcodeRow:
    BarcodeId: str
    BarcodeSource: int | None = None
    BarCode: str | None = None


@wire
class ParcelRow:
    Shipment: BarcodeRow
    Type: str


@wire
class ParcelRows:
    ShipmentBc: tuple[ParcelRow, ...]


@wire
class LabelRow:
    type: str
    label: bytes | None = None


@wire
class LabelRows:
    Label: tuple[LabelRow, ...] = ()


@wire
class BookedReply:
    shipments: ParcelRows
    labels: LabelRows | None = None


@wire
class MultiReply:
    shipments: ParcelRows
    mastershipment: ParcelRow | None = None


@wire
class ReturnReply:
    Shipment: ParcelRow
    Labels: LabelRows | None = None


@wire
class FetchedReply:
    labels: LabelRows


@wire
class PickupReply:
    Sin: int


@wire
class ListedAddress:
    zipCode: str | None = None
    name: str | None = None


@wire
class ShippingRow:
    barcodeId: str | None = None
    barcodeSource: int | None = None
    reference: str | None = None
    receiverAddress: ListedAddress | None = None


@wire
class ShippingRows:
    Shipping: tuple[ShippingRow, ...] = ()


@wire
class DayReply:
    shippings: ShippingRows | None = None


# ---- out


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
    if request.kind is not ReturnLabelKind.PRINTED:
        raise refused("/kind", ProblemCode.NOT_OFFERED, "the label of a return is printed by who sends it", "printed")
    if request.shipment.service_point is not None:
        text = "any relay point takes the parcel in"
        raise refused("/shipment/service_point", ProblemCode.NOT_OFFERED, text)
    if len(request.shipment.packages) > 1:
        raise refused("/shipment/packages", ProblemCode.TOO_MANY, "a return has one package", "1")
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
        "street": street or (lines(address, at)[0] if address and address.lines else None),
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


# ---- in


def shipment_from_wire(request: ShipmentRequest, reply: BookedReply, response: Response) -> Shipment:
    """One parcel as booked; without a label that can be used, the booking stands and the label is pending."""
    pieces, back = _sorted(reply.shipments.ShipmentBc)
    documents = _documents(reply.labels, label_type(request.label), response, strict=False)
    ordered = {DocumentKind.LABEL} | ({DocumentKind.RETURN_LABEL} if request.return_label else set())
    in_hand = ordered <= {document.kind for document in documents}
    return _shipment(request, pieces, product(request), response, documents, in_hand=in_hand, back=back)


def multi_from_wire(request: ShipmentRequest, reply: MultiReply, response: Response) -> Shipment:
    """Several parcels as booked; their labels are a second call."""
    pieces, _ = _sorted(reply.shipments.ShipmentBc)
    master = reply.mastershipment.Shipment.BarcodeId if reply.mastershipment else ""
    return _shipment(request, pieces, product(request), response, (), in_hand=False, master=master)


def return_from_wire(request: ReturnRequest, reply: ReturnReply, response: Response) -> ReturnShipment:
    """A way back as booked."""
    wire_type = label_type(request.shipment.label)
    documents = tuple(_as_return(document) for document in _documents(reply.Labels, wire_type, response, strict=False))
    shipment = _shipment(
        request.shipment,
        (reply.Shipment.Shipment,),
        product(request.shipment),
        response,
        documents,
        in_hand=bool(documents),
        role=NumberRole.RETURN,
    )
    return ReturnShipment(
        kind=request.kind, shipment=shipment, outbound=request.outbound, authorization=request.authorization
    )


def documents_from_wire(reply: FetchedReply, wire_type: str, number: str, response: Response) -> tuple[Document, ...]:
    """The labels of the parcel *number*, fetched again."""
    import attrs

    found = _documents(reply.labels, wire_type, response, strict=True)
    if not found:
        raise ReplyError.of(response, message="no label @ $.labels.Label", paths=("$.labels.Label",))
    return tuple(attrs.evolve(document, package_refs=(number,)) for document in found)


def rows_from_wire(reply: DayReply, response: Response) -> dict[str, ShippingRow]:
    """The parcels of a day by their number; a list that is not there is no empty list, for absence is a proof."""
    if reply.shippings is None and b"shippings" not in response.content:
        raise _unclear(response, "no list")
    rows = reply.shippings.Shipping if reply.shippings else ()
    if not all(row.barcodeId for row in rows):
        raise _unclear(response, "a parcel without a number")
    return {row.barcodeId or "": row for row in rows}


def listed_from_wire(request: ShipmentRequest, rows: Iterable[ShippingRow], response: Response) -> tuple[Shipment, ...]:
    """The bookings in a day's list that bear the request's mark, each with all its parcels.

    Raises:
        ReplyError: some parcels of a booking are missing, or the list shows something else than our mark.
    """
    count = len(request.packages)
    identity = request.mark or request.reference
    marks = [identity] if count == 1 else [f"{identity}/{index + 1}" for index in range(count)]
    listed = list(rows)
    pieces = [[row for row in listed if (row.reference or "").strip() == mark] for mark in marks]
    if len({len(found) for found in pieces}) > 1 or (request.return_label and len(pieces[0]) > 1):
        raise _unclear(response, "the list shows other parcels under this mark than were booked")
    if not pieces[0] and any(_may_be_ours(row, request) for row in listed):
        raise _unclear(response, "the list shows a parcel to that recipient without the reference it was booked under")
    return tuple(
        _shipment(request, [_barcode(row) for row in booking], product(request), response, (), in_hand=False)
        for booking in zip(*pieces, strict=True)
    )


def _may_be_ours(row: ShippingRow, request: ShipmentRequest) -> bool:
    """The WSDL does not say which of the references the list shows. Were it another, absence would prove nothing."""
    address, contact = request.ship_to.address, request.ship_to.contact
    shown = row.receiverAddress
    if shown is None or address is None or contact is None or (row.reference or "") not in ("", request.reference):
        return False
    same_code = canonical_number(shown.zipCode or "") == canonical_number(address.postal_code or "")
    return same_code and (shown.name or "").strip().casefold() in {
        name.strip().casefold() for name in (contact.name, contact.company) if name
    }


def _unclear(response: Response, what: str) -> ReplyError:
    return ReplyError.of(response, message=f"{what} @ $.shippings.Shipping", paths=("$.shippings.Shipping",))


def _barcode(row: ShippingRow) -> BarcodeRow:
    return BarcodeRow(BarcodeId=row.barcodeId or "", BarcodeSource=row.barcodeSource)


def _sorted(rows: Sequence[ParcelRow]) -> tuple[list[BarcodeRow], str | None]:
    """The parcels on their way to the recipient, and the number of the way back that was ordered with them."""
    pieces = [row.Shipment for row in rows if row.Type in PIECES]
    back = next((row.Shipment.BarcodeId for row in rows if row.Type.startswith("REVERSE")), None)
    return pieces, back


def _shipment(
    request: ShipmentRequest,
    pieces: Sequence[BarcodeRow],
    service: str,
    response: Response,
    documents: tuple[Document, ...],
    *,
    in_hand: bool,
    master: str = "",
    back: str | None = None,
    role: NumberRole = NumberRole.PIECE,
) -> Shipment:
    if len(pieces) != len(request.packages) or not all(piece.BarcodeId.strip() for piece in pieces):
        text = f"{len(pieces)} numbered parcels for {len(request.packages)} packages @ $.shipments.ShipmentBc"
        raise ReplyError.of(response, message=text, paths=("$.shipments.ShipmentBc",))
    numbers = [TrackingNumber(value=piece.BarcodeId, carrier="dpd_fr", role=role) for piece in pieces]
    packages = tuple(
        BookedPackage(
            ref=package.ref,
            position=index,
            tracking_number=numbers[index],
            barcodes=(piece.BarCode,) if piece.BarCode else (),
            carrier_package_id=f"{piece.BarcodeSource or ''}{piece.BarcodeId}",
        )
        for index, (package, piece) in enumerate(zip(request.packages, pieces, strict=True))
    )
    return Shipment(
        # The first parcel's number: the day's list, which recovers a booking, does not show the master.
        shipment_id=numbers[0].value,
        reference=request.reference,
        state=BookingState.CONFIRMED if in_hand else BookingState.LABEL_PENDING,
        service=service,
        packages=packages,
        tracking_numbers=tuple(numbers),
        documents=documents,
        return_shipment_id=back,
        carrier_refs=(Reference(type=ReferenceType.OTHER, value=master),) if master else (),
        created_at=response.received_at,
    )


def _documents(labels: LabelRows | None, wire_type: str, response: Response, *, strict: bool) -> tuple[Document, ...]:
    """The labels that are what their type says; with *strict*, one that is not is an error."""
    asked = LABELS[wire_type]
    found = []
    for index, row in enumerate(labels.Label if labels else ()):
        if row.label is None or not content_fits(asked.format, row.label):
            if not strict:
                continue
            path = f"$.labels.Label[{index}].label"
            raise ReplyError.of(response, message=f"not a {asked.format} @ {path}", paths=(path,))
        found.append(
            Document(
                kind=DOCUMENT_KINDS.get(row.type, DocumentKind.OTHER),
                format=asked.format,
                dpi=asked.dpi,
                size=PageSize(format=asked.page) if asked.page else None,
                content=row.label,
            )
        )
    return tuple(found)


def _as_return(document: Document) -> Document:
    import attrs

    return attrs.evolve(document, kind=DocumentKind.RETURN_LABEL)
