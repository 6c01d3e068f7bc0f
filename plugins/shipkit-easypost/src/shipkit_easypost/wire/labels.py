"""Labels and forms: EasyPost gives their addresses, the client fetches them."""

from __future__ import annotations

from collections.abc import Iterator

from shipkit.model import Document, DocumentFormat, DocumentKind, PageSize
from shipkit.readers import wire

from .. import codes

__all__ = ["FormRow", "LabelRow", "label_url", "labels_from_wire"]


@wire
class LabelRow:
    """``label_url`` is the label as it was bought, the others what it was converted to since."""

    label_url: str | None = None
    label_file_type: str | None = None
    label_resolution: int | None = None
    label_size: str | None = None
    label_pdf_url: str | None = None
    label_zpl_url: str | None = None
    label_epl2_url: str | None = None


@wire
class FormRow:
    form_type: str | None = None
    form_url: str | None = None


def label_url(label: LabelRow, wanted: DocumentFormat | None) -> tuple[str, DocumentFormat] | None:
    """Where the label lies in the format *wanted* (None: as it was bought); None where it must be converted first.

    Only a label bought as PNG can be converted (npm Shipment/Shipment, convertLabelFormat): any other stays as it is.
    """
    converted = {
        DocumentFormat.PDF: label.label_pdf_url,
        DocumentFormat.ZPL: label.label_zpl_url,
        DocumentFormat.EPL: label.label_epl2_url,
    }
    if wanted is not None and (url := converted.get(wanted)):
        return url, wanted
    if not label.label_url:
        return None
    bought = _format(label.label_file_type or "", label.label_url)
    if wanted in (None, bought) or bought is not DocumentFormat.PNG:
        return label.label_url, bought
    return None


def labels_from_wire(
    label: LabelRow | None,
    forms: tuple[FormRow, ...],
    *,
    is_return: bool,
    ref: str = "",
    wanted: DocumentFormat | None = None,
) -> tuple[Document, ...]:
    """The label first, then the forms; empty while there is no label in the format wanted."""
    found = label_url(label, wanted) if label is not None else None
    if label is None or found is None:
        return ()
    url, form = found
    size = codes.SIZES.get(label.label_size or "")
    first = Document(
        kind=DocumentKind.RETURN_LABEL if is_return else DocumentKind.LABEL,
        format=form,
        dpi=label.label_resolution,
        size=PageSize(format=size) if size is not None else None,
        url=url,
        package_refs=(ref,) if ref else (),
    )
    return (first, *_forms(forms))


def _forms(forms: tuple[FormRow, ...]) -> Iterator[Document]:
    for row in forms:
        if row.form_url:
            kind = codes.FORMS.get(row.form_type or "", DocumentKind.OTHER)
            yield Document(kind=kind, format=_format("", row.form_url), url=row.form_url)


def _format(media_type: str, url: str) -> DocumentFormat:
    named = codes.FORMATS.get(media_type.partition(";")[0].strip().lower())
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return named or codes.FORMATS.get(ending) or DocumentFormat(media_type or ending)
