"""Label recovery: papers once more, by number or by reference (Shipping.yaml, LabelRecoveryRequest, version v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

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
)
from shipkit.readers import wire

from ..codes import RECOVERY_FORMATS
from .common import without_none
from .numbers import numbers_from_wire
from .papers import FormatRow, ImageRow, PictureRow, document_from_wire
from .tracking import Tracked

__all__ = [
    "RecoveryReply",
    "RecoveryRow",
    "candidates_from_wire",
    "documents_from_wire",
    "found_shipments",
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


def documents_from_wire(
    row: RecoveryRow, refs: Mapping[str, str] | None = None, *, kind: DocumentKind = DocumentKind.LABEL
) -> Iterator[Document]:
    """Every paper of an answer; *refs* names the packages by their numbers, without it the numbers stand for them."""
    for result in row.LabelResults:
        ref = result.TrackingNumber if refs is None else refs.get(result.TrackingNumber or "")
        of_package = (ref,) if ref else ()
        image, receipt = result.LabelImage, result.Receipt
        if image is not None:
            label = ImageRow(image.LabelImageFormat, image.GraphicImage, image.InternationalSignatureGraphicImage)
            yield from document_from_wire(kind, label, of_package)
        if receipt is not None:
            page = receipt.Image or ImageRow(FormatRow("HTML"), receipt.HTMLImage)
            yield from document_from_wire(DocumentKind.RECEIPT, page, of_package)
        yield from document_from_wire(DocumentKind.OTHER, result.Form, of_package)
    yield from document_from_wire(DocumentKind.COMMERCIAL_INVOICE, row.Form)
    for picture in (row.CODTurnInPage, row.HighValueReport):
        yield from document_from_wire(DocumentKind.OTHER, picture)


def found_shipments(
    request: ShipmentRequest, rows: Sequence[RecoveryRow], tracked: Sequence[Tracked], received_at: datetime
) -> tuple[Shipment, ...]:
    """The bookings under one mark: labels from recovery, what is void and what recovery did not say from tracking.

    Tracking may answer the packages of one shipment one by one: under one mark, as many packages as were ordered are
    one booking.
    """
    bookings: dict[str, list[RecoveryRow]] = {}
    for row in rows:
        lead = row.ShipmentIdentificationNumber or next(iter(_labelled(row)), None)
        if lead:
            bookings.setdefault(lead, []).append(row)
    found, others = [], list(tracked)
    for lead, of_lead in bookings.items():
        labelled = dict.fromkeys(value for row in of_lead for value in _labelled(row)) or {lead: None}
        same = [one for one in others if not {lead, *labelled}.isdisjoint(one.numbers)]
        others = [one for one in others if one not in same]
        live = dict.fromkeys(value for one in same for value in one.live)
        void = bool(same) and not live
        found.append(_found(request, [*(labelled | live)], of_lead, received_at, void=void))
    if len(others) > 1 and sum(len(one.numbers) for one in others) == len(request.packages):
        numbers, live_ = (tuple(value for one in others for value in one[part]) for part in (0, 1))
        others = [Tracked(numbers, live_)]
    found += [_found(request, [*(one.live or one.numbers)], (), received_at, void=not one.live) for one in others]
    return tuple(found)


def _labelled(row: RecoveryRow) -> list[str]:
    return [result.TrackingNumber for result in row.LabelResults if result.TrackingNumber]


def _found(
    request: ShipmentRequest, values: list[str], rows: Sequence[RecoveryRow], received_at: datetime, *, void: bool
) -> Shipment:
    """A booking that was looked up: its numbers in UPS's order, the host's refs beside them by position."""
    numbers = numbers_from_wire(values)
    refs = [package.ref for package in request.packages]
    refs += [f"{position + 1}" for position in range(len(refs), len(numbers))]
    documents = tuple(
        paper for row in rows for paper in documents_from_wire(row, dict(zip(values, refs, strict=False)))
    )
    labelled = {ref for paper in documents if paper.kind is DocumentKind.LABEL for ref in paper.package_refs}
    state = BookingState.CONFIRMED if len(labelled) == len(numbers) else BookingState.LABEL_PENDING
    return Shipment(
        shipment_id=numbers[0].value,
        reference=request.reference,
        state=BookingState.VOIDED if void else state,
        service=request.service or "",
        packages=tuple(
            BookedPackage(ref=refs[position], position=position, tracking_number=number)
            for position, number in enumerate(numbers)
        ),
        tracking_numbers=numbers,
        documents=documents,
        created_at=received_at,
    )
