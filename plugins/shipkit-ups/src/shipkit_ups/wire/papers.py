"""Labels, receipts and forms as UPS sends them: base64 in JSON, the bytes left as they are."""

from __future__ import annotations

from shipkit.errors import ReplyError
from shipkit.model import Document, DocumentFormat, DocumentKind
from shipkit.model.documents import content_fits
from shipkit.readers import wire

from ..codes import DOCUMENT_FORMATS

__all__ = ["FormatRow", "ImageRow", "PictureRow", "document_from_wire"]


@wire
class FormatRow:
    Code: str


@wire
class ImageRow:
    """A label, a receipt, a report, a form."""

    ImageFormat: FormatRow
    GraphicImage: bytes | None = None
    InternationalSignatureGraphicImage: bytes | None = None


@wire
class PictureRow:
    Image: ImageRow | None = None


def document_from_wire(
    kind: DocumentKind, row: ImageRow | PictureRow | None, refs: tuple[str, ...] = ()
) -> tuple[Document, ...]:
    """What UPS sent of it: the paper, and on some lanes the page to sign that goes with it.

    Raises:
        ReplyError: the bytes are no document of the format that UPS names.
    """
    if isinstance(row, PictureRow):
        row = row.Image
    if row is None:
        return ()
    code = row.ImageFormat.Code.upper()
    form = DOCUMENT_FORMATS.get(code) or DocumentFormat(code.lower())
    papers = ((kind, row.GraphicImage), (DocumentKind.OTHER, row.InternationalSignatureGraphicImage))
    found = tuple(Document(kind=k, format=form, content=paper, package_refs=refs) for k, paper in papers if paper)
    if not all(content_fits(form, paper.content or b"") for paper in found):
        raise ReplyError(f"the bytes are no {form} @ $..GraphicImage", paths=("$..GraphicImage",))
    return found
