"""DPD France's own words in replies, and their mapping into the canonical model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from shipkit.errors import ReplyError
from shipkit.flow import Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    Document,
    DocumentKind,
    NumberRole,
    PageSize,
    Reference,
    ReferenceType,
    ReturnShipment,
    Shipment,
    TrackingNumber,
    content_fits,
)
from shipkit.model.bookings import canonical_number
from shipkit.readers import Reader, wire

from .codes import DOCUMENT_KINDS, LABELS, PIECES
from .terms import label_type, product

if TYPE_CHECKING:
    from shipkit.model import ReturnRequest, ShipmentRequest

__all__ = [
    "BookedReply",
    "DayReply",
    "FetchedReply",
    "MultiReply",
    "PickupReply",
    "ReturnReply",
    "ShippingRow",
    "documents_from_wire",
    "listed_from_wire",
    "multi_from_wire",
    "reader",
    "return_from_wire",
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


def documents_from_wire(
    reply: FetchedReply, wire_type: str, number: str, response: Response, kind: DocumentKind
) -> tuple[Document, ...]:
    """The labels of the parcel *number*, fetched again."""
    found = _documents(reply.labels, wire_type, response, strict=True)
    if not found:
        raise ReplyError.of(response, message="no label @ $.labels.Label", paths=("$.labels.Label",))
    of_parcel = (attrs.evolve(document, package_refs=(number,)) for document in found)
    return tuple(_as_return(document) if kind is DocumentKind.RETURN_LABEL else document for document in of_parcel)


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
    return attrs.evolve(document, kind=DocumentKind.RETURN_LABEL)
