"""Labels and forms: what is in hand, what is still at the carrier, and fetching it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

from ..carrier import Carrier, Documents, able
from ..errors import CarrierError, LabelPendingError, ReplyError, ShipkitError
from ..flow import Request, Response, Run, drive
from ..model import BookingState, Document, DocumentKind, DocumentQuery, LabelSpec, Shipment, evolve
from ..model.documents import content_fits
from ..policy import Context, Stack, stack

__all__ = ["completed", "fetched", "in_hand", "labelled", "linked"]

_LABELS = (DocumentKind.LABEL, DocumentKind.RETURN_LABEL, DocumentKind.QR_CODE)
_REDIRECTS = (301, 302, 303, 307, 308)


def in_hand(shipment: Shipment) -> bool:
    """Whether every paper that was ordered with *shipment* is here, and none stands behind a link only."""
    return shipment.state is not BookingState.LABEL_PENDING and not linked(shipment.documents)


def labelled(shipment: Shipment) -> Shipment:
    """*shipment* in the state that its labels show: each package needs one, whatever the plugin says."""
    labels = [document for document in shipment.documents if document.kind in _LABELS]
    covered = {ref for label in labels for ref in label.package_refs or _all_refs(shipment)}
    missing = not labels or not covered.issuperset(_all_refs(shipment))
    if missing == (shipment.state is BookingState.LABEL_PENDING):
        return shipment
    return evolve(shipment, state=BookingState.LABEL_PENDING if missing else BookingState.CONFIRMED)


def completed(shipment: Shipment, stack: Stack, key: str, label: LabelSpec | None = None) -> Run[Shipment]:
    """*shipment* with the papers that were still at the carrier; labels are asked for as the booking asked for *label*.

    Raises:
        LabelPendingError: they cannot be had now; the booking stands, and the error carries it.
    """
    try:
        documents = yield from fetched(shipment.documents, stack.context)
        whole = labelled(evolve(shipment, documents=documents))
        if not in_hand(whole) and able(stack.carrier, Documents):
            query = DocumentQuery(
                shipment_id=shipment.shipment_id, tracking_numbers=shipment.tracking_numbers, label=label
            )
            more = yield from drive(stack.carrier.documents(query), stack.send)
            more = tuple(_of_package(document, shipment) for document in more)
            whole = labelled(evolve(shipment, documents=(yield from fetched(more, stack.context))))
    except ShipkitError as error:
        raise _pending(shipment, key) from error
    if not in_hand(whole):
        raise _pending(shipment, key)
    return whole


def _of_package(document: Document, shipment: Shipment) -> Document:
    """A query names packages by number, so a plugin that can tell them apart answers with numbers in place of refs."""
    refs = {str(package.tracking_number): package.ref for package in shipment.packages if package.tracking_number}
    named = tuple(refs.get(ref, ref) for ref in document.package_refs)
    return document if named == document.package_refs else evolve(document, package_refs=named)


def fetched(documents: Iterable[Document], context: Context) -> Run[tuple[Document, ...]]:
    """*documents* with the bytes of those that only had a link."""
    whole = []
    for document in documents:
        if document.content is None and document.url is not None:
            document = evolve(document, content=(yield from _content(document, document.url, context)))
        whole.append(document)
    return tuple(whole)


def _content(document: Document, url: str, context: Context) -> Run[bytes]:
    send = stack(_Papers(), context).send
    for _ in range(context.settings.redirects_max + 1):
        request = Request.get(url, name="document", signed=False)
        try:
            response: Response = yield from send(request)
        except _RedirectError as redirect:
            url = urljoin(url, redirect.location)
            continue
        if not content_fits(document.format, response.content):
            text = f"the document does not begin like {document.format.value} @ $"
            raise ReplyError.of(response, message=text, paths=("$",))
        return response.content
    raise ReplyError("the document's link leads on and on @ $", paths=("$",))


class _RedirectError(CarrierError):
    def __init__(self, message: str = "", *, location: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.location = location


class _Papers(Carrier):
    """Where documents lie: their bytes are no reply in the carrier's own form, and a link needs no signature."""

    def check(self, response: Response) -> None:
        location = response.headers.get("location", "")
        if response.status in _REDIRECTS and location:
            raise _RedirectError.of(response, location=location)


def linked(documents: Iterable[Document]) -> bool:
    """Whether one of *documents* is known by its link only."""
    return any(document.content is None for document in documents)


def _all_refs(shipment: Shipment) -> set[str]:
    return {package.ref for package in shipment.packages}


def _pending(shipment: Shipment, key: str) -> LabelPendingError:
    return LabelPendingError(
        "booked; a document is still at the carrier, and the same call fetches it",
        shipment=shipment,
        key=key,
        generation=shipment.generation or 0,
    )
