"""Scan forms: the paper that hands over a day's parcels with one scan."""

from __future__ import annotations

import attrs

from shipkit.errors import InputError
from shipkit.model import (
    Document,
    DocumentFormat,
    DocumentKind,
    Manifest,
    ManifestEntry,
    ManifestKind,
    ManifestRequest,
    ManifestState,
    Message,
    NoticeCode,
    NoticeLevel,
    Problem,
    ProblemCode,
)
from shipkit.readers import wire

from .common import filled

__all__ = ["ScanFormRow", "manifest_from_wire", "scan_form_to_wire"]

# npm ScanForm/ScanForm.
_STATES = {
    "creating": ManifestState.CLOSING,
    "created": ManifestState.CLOSED,
    "failed": ManifestState.FAILED,
}


@wire
class ScanFormRow:
    id: str = attrs.field(validator=filled)
    status: str | None = None
    message: str | None = None
    form_url: str | None = None
    tracking_codes: tuple[str, ...] = ()


def scan_form_to_wire(request: ManifestRequest) -> dict[str, object]:
    """The body of ``POST /scan_forms``.

    Raises:
        InputError: no shipment is named, since EasyPost closes only those it is told; or a digital manifest is wanted.
    """
    problems = []
    if not request.shipment_ids:
        text = "EasyPost closes the shipments it is told of: name them"
        problems.append(Problem(path="/shipment_ids", code=ProblemCode.MISSING, text=text))
    if request.kind is ManifestKind.DIGITAL:
        text = "a scan form is a paper to be scanned"
        problems.append(Problem(path="/kind", code=ProblemCode.NOT_OFFERED, text=text))
    if problems:
        raise InputError(problems=tuple(problems))
    return {"scan_form": {"shipments": [{"id": shipment_id} for shipment_id in request.shipment_ids]}}


def manifest_from_wire(request: ManifestRequest, row: ScanFormRow) -> Manifest:
    """The form; EasyPost names tracking codes, not shipments, so it is all of them or nobody can tell which."""
    state = _STATES.get(row.status or "", ManifestState.CLOSING)
    if state is ManifestState.CLOSED and not row.form_url:
        state = ManifestState.CLOSING  # without its paper nothing can be handed over
    whole = len(row.tracking_codes) == len(request.shipment_ids)
    messages = [Message(level=NoticeLevel.WARNING, text=row.message)] if row.message else []
    if not whole and state is not ManifestState.FAILED:
        text = f"{len(request.shipment_ids)} shipments were named, {len(row.tracking_codes)} are on the form"
        messages.append(Message(level=NoticeLevel.WARNING, code=NoticeCode.PARTIAL_ANSWER, text=text))
    return Manifest(
        manifest_id=row.id,
        kind=ManifestKind.PHYSICAL,
        day=request.day,
        state=state,
        entries=tuple(
            ManifestEntry(
                shipment_id=shipment_id, accepted=whole and state is not ManifestState.FAILED, text=row.message
            )
            for shipment_id in request.shipment_ids
        ),
        documents=_form(row),
        messages=tuple(messages),
    )


def _form(row: ScanFormRow) -> tuple[Document, ...]:
    # Recording test_scanform_create: form_file_type is null, the address ends in .pdf.
    if not row.form_url:
        return ()
    return (Document(kind=DocumentKind.MANIFEST, format=DocumentFormat.PDF, url=row.form_url),)
