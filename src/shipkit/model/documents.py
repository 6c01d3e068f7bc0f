"""Labels, forms and proofs: bytes as the carrier sent them."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import personal
from shipkit.model.scalars import LanguageTag, Url

if TYPE_CHECKING:
    from shipkit.model.bookings import TrackingNumber
    from shipkit.model.shipments import DocumentFormat, DocumentKind, LabelSpec, PageSize

__all__ = [
    "Document",
    "DocumentQuery",
    "content_fits",
]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Document(Value):
    """A file: a label, a form, a proof. It has ``content`` or ``url``, and both once it was fetched."""

    kind: DocumentKind
    format: DocumentFormat
    dpi: int | None = None
    """As the carrier states it, never guessed."""
    size: PageSize | None = None
    orientation: int | None = None
    """0, 90, 180 or 270 degrees."""
    pages: int | None = None
    copies: int = 1
    content: bytes | None = attrs.field(
        default=None, metadata=personal("critical", "document", mask="length_and_hash", by_default=True)
    )
    """Exactly the bytes that the carrier sent."""
    url: Url | None = attrs.field(default=None, metadata=personal("critical", "secret", mask="drop", by_default=True))
    """On one of the ``document_hosts`` of the carrier's facts."""
    expires_at: datetime | None = None
    """Of the address."""
    package_refs: tuple[str, ...] = ()
    """The packages it covers; empty means all."""
    language: LanguageTag | None = None

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the content in hexadecimal; None until it is fetched."""
        return None if self.content is None else sha256(self.content).hexdigest()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DocumentQuery(Value):
    """Asks for the papers of a booking, once more or in another format."""

    shipment_id: str = attrs.field(metadata=personal("medium", "pseudonym", mask="keep_last_4"))
    tracking_numbers: tuple[TrackingNumber, ...]
    kinds: frozenset[DocumentKind] = frozenset()
    """Empty means all there are."""
    label: LabelSpec | None = None
    """Another format, where the carrier converts."""

    @property
    def label_kind(self) -> DocumentKind:
        """What a label of this booking is: for a way back, as its numbers or the kinds that are wanted say, another."""
        from shipkit.model.bookings import NumberRole
        from shipkit.model.shipments import DocumentKind

        numbered = any(number.role is NumberRole.RETURN for number in self.tracking_numbers)
        back = numbered or self.kinds == {DocumentKind.RETURN_LABEL}
        return DocumentKind.RETURN_LABEL if back else DocumentKind.LABEL


_MAGIC: Final[dict[str, tuple[bytes, ...]]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "gif": (b"GIF87a", b"GIF89a"),
    "jpg": (b"\xff\xd8\xff",),
    "tiff": (b"II*\x00", b"MM\x00*"),
}
_BINARY: Final = (b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", *(start for starts in _MAGIC.values() for start in starts))
_REPORTS: Final = (b"<!doctype", b"<html", b"<?xml", b"{", b"[")


def content_fits(format: DocumentFormat | str, content: bytes) -> bool:  # noqa: A002
    """Whether the first bytes of *content* can be a document of *format*.

    Images and PDF have a signature. Printer languages and text have none that all carriers keep: there the answer is
    True unless the content is empty, is plainly another format, or is a web page, XML or JSON in a document's place.
    """
    name = str(format)
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if name == "pdf":
        return b"%PDF-" in head  # the header may stand anywhere in the first 1024 bytes (ISO 32000-1, annex H.3.4.1)
    if name in _MAGIC:
        return content.startswith(_MAGIC[name])
    if not content or content.startswith(_BINARY):
        return False
    if name == "html":
        return head.startswith(b"<")
    if name == "zpl":
        return head.startswith((b"^", b"~", b"CT~")) or b"^XA" in content[:4096]
    if name in ("epl", "spl"):
        return not head.lower().startswith(_REPORTS)
    return True
