"""Shipping: ShipmentRequest and ShipmentResponse, forward and return (Shipping.yaml, version v2409)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shipkit.errors import ReplyError
from shipkit.flow import Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    CustomsPurpose,
    Document,
    DocumentFormat,
    DocumentKind,
    Handling,
    Notify,
    NotifyEvent,
    OptionCode,
    Package,
    PageFormat,
    ReturnLabelKind,
    ReturnRequest,
    Shipment,
    ShipmentRequest,
    Weight,
)
from shipkit.readers import named, wire

from ..codes import CHARACTER_SETS, NOTIFICATIONS, RETURN_SERVICES, SHIP_FORMATS
from .charges import Bill, bill_from_wire
from .common import (
    HeadRow,
    address_of,
    crosses_border,
    day,
    goods_value,
    is_documents,
    lane_of,
    measures_to_wire,
    packaging_code,
    party_to_wire,
    reader,
    recipient_to_wire,
    straight,
    without_none,
)
from .customs import forms_to_wire, taxes_to_wire, vendor_to_wire
from .numbers import numbers_from_wire
from .papers import ImageRow, PictureRow, document_from_wire
from .terms import delivery_point, package_options, payment_to_wire, service_options, wants_taxes

__all__ = [
    "BookingReply",
    "character_set",
    "goods",
    "label_to_wire",
    "needs_forms",
    "printed_texts",
    "referenced_per_package",
    "return_to_wire",
    "shipment_from_wire",
    "shipment_to_wire",
]

_SUB_VERSION: Final = "2205"

# UPS brings or mails the label of these returns.
_NO_PAPER: Final = frozenset(RETURN_SERVICES) - {ReturnLabelKind.PRINTED}

_RESTRICTED: Final = {
    Handling.ALCOHOL: "AlcoholicBeveragesIndicator",
    Handling.PERISHABLE: "PerishablesIndicator",
    Handling.TOBACCO: "TobaccoIndicator",
}


# To UPS


def shipment_to_wire(request: ShipmentRequest, shipper_number: str) -> dict[str, Any]:
    """A forward shipment; the owner of the account is the shipper, and undeliverable goods go to it."""
    shipper = request.account_holder or request.ship_from
    abroad = crosses_border(request)
    origin, destination = lane_of(request)
    shipment = without_none(
        **_common_to_wire(request, shipper_number),
        Shipper={**party_to_wire(shipper), "ShipperNumber": shipper_number},
        ShipFrom=_sender_to_wire(request) if request.account_holder or vendor_to_wire(request) else None,
        InvoiceLineTotal=goods_value(request) if origin == "US" and destination in {"PR", "CA"} else None,
        DocumentsOnlyIndicator="Y" if abroad and _documents_only(request) else None,
        Package=[_package_to_wire(request, package, address_of(shipper).country) for package in request.packages],
        ShipmentServiceOptions=_options_to_wire(request, returned=False),
        **delivery_point(request),
    )
    return _envelope(request, shipment)


def return_to_wire(request: ReturnRequest, shipper_number: str) -> dict[str, Any]:
    """A way back: the account's owner is the shipper, the customer is where the goods start."""
    order = request.shipment
    shipper = order.account_holder or order.ship_to
    country = address_of(shipper).country
    shipment = without_none(
        **_common_to_wire(order, shipper_number),
        Shipper={**party_to_wire(shipper), "ShipperNumber": shipper_number},
        ShipFrom=_sender_to_wire(order),
        ReturnService={"Code": RETURN_SERVICES[request.kind]},
        Package=[
            {"Description": package.description or goods(order), **_package_to_wire(order, package, country)}
            for package in order.packages
        ],
        ShipmentServiceOptions=_options_to_wire(order, returned=True),
    )
    return _envelope(order, shipment)


def _envelope(request: ShipmentRequest, shipment: dict[str, Any]) -> dict[str, Any]:
    return {
        "ShipmentRequest": {
            "Request": {"RequestOption": "validate", "SubVersion": _SUB_VERSION},
            "Shipment": shipment,
            "LabelSpecification": label_to_wire(request),
        }
    }


def _common_to_wire(request: ShipmentRequest, shipper_number: str) -> dict[str, Any]:
    return {
        "Description": goods(request),
        "ShipTo": recipient_to_wire(request.ship_to),
        "PaymentInformation": {"ShipmentCharge": payment_to_wire(request, shipper_number)},
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
        "TaxInformationIndicator": "Y" if wants_taxes(request) else None,
        "GlobalTaxInformation": taxes_to_wire(request),
        "Service": {"Code": request.service},
        "ShipmentDate": day(request.ship_on) if request.ship_on else None,
        "ReferenceNumber": [] if referenced_per_package(request) else list(_references(request, *request.packages)),
    }


def _sender_to_wire(request: ShipmentRequest) -> dict[str, Any]:
    return without_none(**party_to_wire(request.ship_from), VendorInfo=vendor_to_wire(request))


def goods(request: ShipmentRequest) -> str | None:
    """What is in it, in plain words: the host's, else those of the customs lines."""
    if request.description or request.customs is None:
        return request.description
    return ", ".join(line.description for line in request.customs.lines)


def _documents_only(request: ShipmentRequest) -> bool:
    """Shipping.yaml, DocumentsOnlyIndicator: not from the US, not to Canada, Puerto Rico or Mexico."""
    origin, destination = lane_of(request)
    return is_documents(request) and origin != "US" and destination not in {"CA", "PR", "MX"}


def referenced_per_package(request: ShipmentRequest) -> bool:
    """Reference numbers go to the package within the US and within Puerto Rico, to the shipment everywhere else."""
    return lane_of(request) in {("US", "US"), ("PR", "PR")}


def _references(request: ShipmentRequest, *packages: Package) -> Iterator[dict[str, str]]:
    """The first two are printed: the host's number for people, the mark for label recovery and tracking."""
    yield {"Value": request.reference}
    if request.mark:
        yield {"Value": request.mark}
    further = dict.fromkeys(reference for package in packages for reference in package.references)
    for reference in (*request.references, *further):
        yield {"Value": reference.value, **({"BarCodeIndicator": "Y"} if reference.barcode else {})}


def _package_to_wire(request: ShipmentRequest, package: Package, country: str) -> dict[str, Any]:
    return without_none(
        Description=package.description,
        Packaging={"Code": packaging_code(package)},
        **measures_to_wire(package, country),
        ReferenceNumber=list(_references(request, package)) if referenced_per_package(request) else [],
        PackageServiceOptions=package_options(request, package),
    )


def needs_forms(request: ShipmentRequest) -> bool:
    """Goods that cross a border with a declaration travel with UPS's invoice; documents do not."""
    customs = request.customs
    return customs is not None and crosses_border(request) and customs.purpose is not CustomsPurpose.DOCUMENTS


def _options_to_wire(request: ShipmentRequest, *, returned: bool) -> dict[str, Any]:
    handling = frozenset[Handling]().union(*(package.handling for package in request.packages))
    customs = request.customs
    return without_none(
        **service_options(request),
        Notification=_notices_to_wire(request, returned=returned),
        InternationalForms=forms_to_wire(request, customs, returned=returned)
        if customs is not None and needs_forms(request)
        else None,
        RestrictedArticles={name: "Y" for kind, name in _RESTRICTED.items() if kind in handling},
    )


def _notices_to_wire(request: ShipmentRequest, *, returned: bool) -> list[dict[str, Any]]:
    """Quantum View notifications by mail; "shipped" is for goods that go out."""
    wanted = next((o.value for o in request.options if o.code is OptionCode.NOTIFY), None)
    contact = request.ship_to.contact
    if not isinstance(wanted, Notify) or contact is None or not contact.email:
        return []
    events = wanted.events or frozenset(NOTIFICATIONS)
    return [
        {"NotificationCode": code, "EMail": {"EMailAddress": [contact.email]}}
        for event, code in NOTIFICATIONS.items()
        if event in events and not (returned and event is NotifyEvent.SHIPPED)
    ]


def label_to_wire(request: ShipmentRequest) -> dict[str, Any]:
    """LabelSpecification; the sizes that exist are 4 by 6 and 4 by 8 inches."""
    spec = request.label
    form = (spec.format if spec else None) or DocumentFormat.GIF
    tall = spec is not None and spec.size is not None and spec.size.format is PageFormat.IN_4X8
    characters = character_set(request)
    return without_none(
        LabelImageFormat={"Code": SHIP_FORMATS[form]},
        HTTPUserAgent="Mozilla/4.5" if form is DocumentFormat.GIF else None,
        LabelStockSize={"Height": "8" if tall else "6", "Width": "4"},
        CharacterSet=characters if characters != "eng" else None,
    )


def printed_texts(request: ShipmentRequest) -> Iterator[tuple[str, str]]:
    """Path and text of what reaches the label."""
    for name in ("ship_from", "ship_to", "account_holder"):
        party = getattr(request, name)
        if party is None:
            continue
        address, contact = party.address, party.contact
        if contact is not None:
            yield from ((f"/{name}/contact/{k}", v) for k in ("name", "company") if (v := getattr(contact, k)))
        if address is not None:
            yield from ((f"/{name}/address/lines/{i}", line) for i, line in enumerate(address.lines))
            if address.city:
                yield f"/{name}/address/city", address.city


def character_set(request: ShipmentRequest) -> str | None:
    """The first of UPS's character sets that can print every name and address; None where none can."""
    text = "".join([text for _, text in printed_texts(request)])
    if text.isascii():
        return "eng"
    for language, codec in CHARACTER_SETS.items():
        try:
            text.encode(codec)
        except UnicodeEncodeError:
            continue
        return language
    return None


# From UPS


@wire
class PackageResultRow:
    TrackingNumber: str
    ShippingLabel: ImageRow | None = None
    ShippingReceipt: ImageRow | None = None
    Form: PictureRow | None = None


@wire
class ResultsRow:
    PackageResults: tuple[PackageResultRow, ...]
    ShipmentIdentificationNumber: str | None = None
    BillingWeight: Weight | None = None
    Form: PictureRow | None = None
    ControlLogReceipt: tuple[ImageRow, ...] = ()
    HighValueReport: PictureRow | None = None
    CODTurnInPage: PictureRow | None = None
    DGPaperImage: tuple[bytes, ...] = ()


@wire
class ShipmentResponse:
    ShipmentResults: ResultsRow
    Response: HeadRow
    priced: Any = named("ShipmentResults")


@wire
class BookingReply:
    ShipmentResponse: ShipmentResponse


def shipment_from_wire(
    request: ShipmentRequest, response: Response, *, returned: ReturnLabelKind | None = None
) -> Shipment:
    """The booking; UPS answers the packages in order, without the host's refs. Of a return, only a printed label comes.

    Raises:
        ReplyError: another number of packages came back than was sent.
    """
    reply = reader.read(response, BookingReply).ShipmentResponse
    results = reply.ShipmentResults
    rows, refs = results.PackageResults, [package.ref for package in request.packages]
    if len(rows) != len(refs):
        path = "$.ShipmentResponse.ShipmentResults.PackageResults"
        raise ReplyError.of(response, message=f"{len(refs)} packages sent, {len(rows)} booked @ {path}", paths=(path,))
    numbers = numbers_from_wire([row.TrackingNumber for row in rows], returned=returned is not None)
    bill = straight(response, lambda row: _bill(row, refs), reply.priced, "$.ShipmentResponse.ShipmentResults")
    labelled = all(row.ShippingLabel and row.ShippingLabel.GraphicImage for row in rows)
    return Shipment(
        shipment_id=results.ShipmentIdentificationNumber or numbers[0].value,
        reference=request.reference,
        state=BookingState.CONFIRMED if labelled or returned in _NO_PAPER else BookingState.LABEL_PENDING,
        service=request.service or "",
        packages=tuple(
            BookedPackage(
                ref=ref,
                position=position,
                tracking_number=numbers[position],
                charges=tuple([charge for charge in bill.charges if charge.package_ref == ref]),
            )
            for position, ref in enumerate(refs)
        ),
        tracking_numbers=numbers,
        documents=tuple(_documents_from_wire(results, refs, returned=returned is not None)),
        total=bill.total,
        charges=bill.charges,
        basis=bill.basis,
        billable_weight=results.BillingWeight,
        created_at=response.received_at,
        messages=reply.Response.Alert,
    )


def _bill(results: Mapping[str, Any], refs: list[str]) -> Bill:
    own = results.get("NegotiatedRateCharges")
    return bill_from_wire(results["ShipmentCharges"], own, results["PackageResults"], refs)


def _documents_from_wire(results: ResultsRow, refs: list[str], *, returned: bool) -> Iterator[Document]:
    kind = DocumentKind.RETURN_LABEL if returned else DocumentKind.LABEL
    for ref, row in zip(refs, results.PackageResults, strict=True):
        yield from document_from_wire(kind, row.ShippingLabel, (ref,))
        yield from document_from_wire(DocumentKind.RECEIPT, row.ShippingReceipt, (ref,))
        yield from document_from_wire(DocumentKind.OTHER, row.Form, (ref,))
    yield from document_from_wire(DocumentKind.COMMERCIAL_INVOICE, results.Form)
    for receipt in results.ControlLogReceipt:
        yield from document_from_wire(DocumentKind.OTHER, receipt)
    for page in (results.HighValueReport, results.CODTurnInPage):
        yield from document_from_wire(DocumentKind.OTHER, page)
    for paper in results.DGPaperImage:
        yield Document(kind=DocumentKind.DG_DECLARATION, format=DocumentFormat.PDF, content=paper)
