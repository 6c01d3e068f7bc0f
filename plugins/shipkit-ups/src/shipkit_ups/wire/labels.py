"""Label recovery: papers once more, by number or by reference (Shipping.yaml, LabelRecoveryRequest, version v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from shipkit.model import (
    BookedPackage,
    BookingState,
    Document,
    DocumentFormat,
    DocumentKind,
    LabelSpec,
    PageFormat,
    Shipment,
    ShipmentRequest,
    TrackingNumber,
)
from shipkit.readers import wire

from ..codes import RECOVERY_FORMATS
from .common import number_from_wire, numbers_from_wire, without_none
from .papers import FormatRow, ImageRow, PictureRow, document_from_wire
from .tracking import Tracked

__all__ = [
    "RecoveryReply",
    "RecoveryRow",
    "bookings_from_wire",
    "candidates_from_wire",
    "documents_from_wire",
    "merged",
    "recovery_to_wire",
]

_SUB_VERSION: Final = "1903"


def recovery_to_wire(
    *, number: str = "", mark: str = "", shipper_number: str = "", label: LabelSpec | None = None
) -> dict[str, Any]:
    """Ask by the *number* of a package, or by the *mark* that was written into its reference."""
    form = (label.format if label else None) or DocumentFormat.GIF
    tall = label is not None and label.size is not None and label.size.format is PageFormat.IN_4X8
    by_mark = {"ReferenceNumber": {"Value": mark}, "ShipperNumber": shipper_number}
    return {
        "LabelRecoveryRequest": without_none(
            Request={"SubVersion": _SUB_VERSION},
            LabelSpecification=without_none(
                LabelImageFormat={"Code": RECOVERY_FORMATS[form]},
                HTTPUserAgent="Mozilla/4.5" if form is DocumentFormat.GIF else None,
                LabelStockSize={"Height": "8" if tall else "6", "Width": "4"},
            ),
            TrackingNumber=number,
            ReferenceValues=by_mark if mark else None,
        )
    }


@wire
class LabelImageRow:
    LabelImageFormat: FormatRow
    GraphicImage: bytes | None = None
    InternationalSignatureGraphicImage: bytes | None = None


@wire
class ReceiptRow:
    Image: ImageRow | None = None
    HTMLImage: bytes | None = None


@wire
class LabelResultRow:
    TrackingNumber: str | None = None
    LabelImage: LabelImageRow | None = None
    Receipt: ReceiptRow | None = None
    Form: PictureRow | None = None


@wire
class CandidateRow:
    TrackingNumber: str


@wire
class RecoveryRow:
    ShipmentIdentificationNumber: str | None = None
    LabelResults: tuple[LabelResultRow, ...] = ()
    TrackingCandidate: tuple[CandidateRow, ...] = ()
    Form: PictureRow | None = None
    CODTurnInPage: PictureRow | None = None
    HighValueReport: PictureRow | None = None


@wire
class RecoveryReply:
    LabelRecoveryResponse: RecoveryRow


def candidates_from_wire(row: RecoveryRow) -> tuple[str, ...]:
    """Numbers that fit a reference and came without their labels: ask again by each."""
    labelled = {result.TrackingNumber for result in row.LabelResults if result.LabelImage}
    named = [result.TrackingNumber or "" for result in row.LabelResults]
    named += [candidate.TrackingNumber for candidate in row.TrackingCandidate]
    return tuple(dict.fromkeys(number for number in named if number and number not in labelled))


def documents_from_wire(row: RecoveryRow, refs: Mapping[str, str] | None = None) -> Iterator[Document]:
    """Every paper of an answer; *refs* names the packages by their numbers."""
    for result in row.LabelResults:
        ref = (refs or {}).get(result.TrackingNumber or "")
        of_package = (ref,) if ref else ()
        image, receipt = result.LabelImage, result.Receipt
        if image is not None:
            label = ImageRow(image.LabelImageFormat, image.GraphicImage, image.InternationalSignatureGraphicImage)
            yield from document_from_wire(DocumentKind.LABEL, label, of_package)
        if receipt is not None:
            page = receipt.Image or ImageRow(FormatRow("HTML"), receipt.HTMLImage)
            yield from document_from_wire(DocumentKind.RECEIPT, page, of_package)
        yield from document_from_wire(DocumentKind.OTHER, result.Form, of_package)
    yield from document_from_wire(DocumentKind.COMMERCIAL_INVOICE, row.Form)
    for picture in (row.CODTurnInPage, row.HighValueReport):
        yield from document_from_wire(DocumentKind.OTHER, picture)


def bookings_from_wire(
    request: ShipmentRequest, rows: Sequence[RecoveryRow], received_at: datetime
) -> tuple[Shipment, ...]:
    """The bookings that label recovery answered for one mark: one per shipment number, packages in UPS's order."""
    bookings: dict[str, list[RecoveryRow]] = {}
    for row in rows:
        lead = row.ShipmentIdentificationNumber or next((r.TrackingNumber for r in row.LabelResults), None)
        if lead:
            bookings.setdefault(lead, []).append(row)
    return tuple(_booking(request, lead, found, received_at) for lead, found in bookings.items())


def _booking(request: ShipmentRequest, lead: str, rows: Sequence[RecoveryRow], received_at: datetime) -> Shipment:
    values = dict.fromkeys(r.TrackingNumber for row in rows for r in row.LabelResults if r.TrackingNumber)
    numbers = numbers_from_wire(sorted(values, key=lambda value: value != lead))
    refs = {number.value: package.ref for number, package in zip(numbers, request.packages, strict=False)}
    documents = tuple(paper for row in rows for paper in documents_from_wire(row, refs))
    labels = sum(paper.kind is DocumentKind.LABEL for paper in documents)
    state = BookingState.CONFIRMED if labels >= len(numbers) else BookingState.LABEL_PENDING
    return _found(request, numbers, received_at, lead=lead, documents=documents, state=state)


def merged(
    request: ShipmentRequest, recovered: Sequence[Shipment], tracked: Sequence[Tracked], received_at: datetime
) -> tuple[Shipment, ...]:
    """Labels from one source, what is void from the other; a booking that only tracking knows still lacks its labels.

    Tracking may answer the packages of one shipment one by one: under one mark, as many packages as were ordered are
    one booking.
    """
    void = {number_from_wire(number).value for shipment in tracked if shipment.voided for number in shipment.numbers}
    known = {number.value for shipment in recovered for number in shipment.tracking_numbers}
    found = [
        attrs.evolve(shipment, state=BookingState.VOIDED)
        if void.issuperset(number.value for number in shipment.tracking_numbers)
        else shipment
        for shipment in recovered
    ]
    others = [one for one in tracked if not known.intersection(number_from_wire(n).value for n in one.numbers)]
    numbers = [number for one in others for number in one.numbers]
    if len(others) > 1 and len(numbers) == len(request.packages) and len({one.voided for one in others}) == 1:
        others = [Tracked(tuple(numbers), others[0].voided)]
    found += [
        _found(
            request,
            numbers_from_wire(one.numbers),
            received_at,
            state=BookingState.VOIDED if one.voided else BookingState.LABEL_PENDING,
        )
        for one in others
    ]
    return tuple(found)


def _found(
    request: ShipmentRequest,
    numbers: tuple[TrackingNumber, ...],
    received_at: datetime,
    *,
    lead: str = "",
    documents: tuple[Document, ...] = (),
    state: BookingState,
) -> Shipment:
    """A booking that was looked up: its numbers in UPS's order, the host's refs beside them by position."""
    refs = [package.ref for package in request.packages]
    return Shipment(
        shipment_id=lead or numbers[0].value,
        reference=request.reference,
        state=state,
        service=request.service or "",
        packages=tuple(
            BookedPackage(
                ref=refs[position] if position < len(refs) else f"{position + 1}",
                position=position,
                tracking_number=number,
            )
            for position, number in enumerate(numbers)
        ),
        tracking_numbers=numbers,
        documents=documents,
        created_at=received_at,
    )
