"""A bought shipment, and the price that is bought."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import attrs

from shipkit.errors import RejectedError, ReplyError
from shipkit.flow import Response
from shipkit.model import (
    BookedPackage,
    BookingState,
    Charge,
    Document,
    DocumentFormat,
    Message,
    Money,
    NoticeCode,
    NoticeLevel,
    NumberRole,
    OptionCode,
    PriceBasis,
    Reference,
    ReferenceType,
    RefundState,
    Shipment,
    ShipmentRequest,
)
from shipkit.readers import wire

from .. import codes
from .common import (
    AddressRow,
    FeeRow,
    MessageRow,
    carrier_time,
    charges_from_wire,
    filled,
    messages_from_wire,
    number_from_wire,
)
from .drafts import carrier_options
from .labels import FormRow, LabelRow, labels_from_wire
from .rates import RateRow, transit_from_wire

__all__ = ["ShipmentRow", "ShipmentsPage", "buy_to_wire", "chosen_rate", "shipment_from_wire"]


@wire
class TrackerRef:
    id: str | None = None


@wire
class ShipmentRow:
    """A draft until it has a label, a booking from then on."""

    id: str = attrs.field(validator=filled)
    created_at: str | None = None
    reference: str | None = None
    is_return: bool | None = None
    tracking_code: str | None = None
    refund_status: str | None = None
    insurance: Decimal | None = None
    usps_zone: str | None = None
    rates: tuple[RateRow, ...] = ()
    selected_rate: RateRow | None = None
    postage_label: LabelRow | None = None
    tracker: TrackerRef | None = None
    to_address: AddressRow | None = None
    from_address: AddressRow | None = None
    fees: tuple[FeeRow, ...] = ()
    forms: tuple[FormRow, ...] = ()
    messages: tuple[MessageRow, ...] = ()

    @property
    def bought(self) -> bool:
        return self.postage_label is not None or bool(self.tracking_code)


@wire
class ShipmentsPage:
    shipments: tuple[ShipmentRow, ...]
    has_more: bool


def buy_to_wire(request: ShipmentRequest, rate_id: str) -> dict[str, object]:
    """The body of ``POST /shipments/{id}/buy`` (recording test_shipment_buy); insurance is in US dollars (npm)."""
    body: dict[str, object] = {"rate": {"id": rate_id}}
    for option in request.options:
        if option.code is OptionCode.INSURANCE and isinstance(option.value, Money):
            body["insurance"] = str(option.value.amount)
    if end_shipper := carrier_options(request).get("end_shipper_id"):
        body["end_shipper_id"] = end_shipper
    return body


def chosen_rate(service: str | None, draft: ShipmentRow, response: Response) -> str:
    """The cheapest of the draft's rates for *service*, written as its carrier and its own name.

    Raises:
        RejectedError: no carrier of the account quoted it; what the carriers said of it is in the message.
    """
    wanted = _folded(service or "")
    fitting = [row for row in draft.rates if _folded(codes.service_code(row.carrier, row.service)) == wanted and row.id]
    if not fitting:
        said = "; ".join(message.text or "" for message in messages_from_wire(draft.messages))
        offered = ", ".join(sorted({codes.service_code(row.carrier, row.service) for row in draft.rates})) or "none"
        raise RejectedError.of(response, message=f"{service} was not quoted; quoted: {offered}", carrier_message=said)
    return min(fitting, key=lambda row: row.rate).id or ""


def _folded(service: str) -> str:
    carrier, _, name = service.partition("/")
    return f"{codes.carrier_code(carrier).lower()}/{name}"


def shipment_from_wire(request: ShipmentRequest, row: ShipmentRow, received_at: datetime) -> Shipment:
    """The booking that *row* is.

    Raises:
        ReplyError: it has no tracking number or no rate, so it is none.
    """
    rate = row.selected_rate
    if not row.tracking_code or rate is None:
        missing = "tracking_code" if not row.tracking_code else "selected_rate"
        raise ReplyError(f"required field missing @ $.{missing}", paths=(f"$.{missing}",))
    package = request.packages[0]
    role = NumberRole.RETURN if row.is_return else NumberRole.PIECE
    number = number_from_wire(row.tracking_code, rate.carrier, role)
    wanted = request.label.format if request.label is not None else None
    documents = labels_from_wire(
        row.postage_label, row.forms, is_return=bool(row.is_return), ref=package.ref, wanted=wanted
    )
    charges, total = _charges(rate, row.fees)
    return Shipment(
        shipment_id=row.id,
        reference=request.reference,
        state=_state(row, has_label=bool(documents)),
        service=codes.service_code(rate.carrier, rate.service),
        packages=(BookedPackage(ref=package.ref, position=0, tracking_number=number),),
        tracking_numbers=(number,),
        documents=documents,
        charges=charges,
        total=total,
        basis=PriceBasis.NEGOTIATED,
        transit=transit_from_wire(rate, received_at),
        carrier_refs=tuple(_references(row)),
        created_at=received_at,
        carrier_created_at=carrier_time(row.created_at, known=True) if row.created_at else None,
        messages=(*messages_from_wire(row.messages), *_changed_format(documents, wanted)),
    )


def _changed_format(documents: tuple[Document, ...], wanted: DocumentFormat | None) -> Iterable[Message]:
    if documents and wanted is not None and documents[0].format is not wanted:
        text = f"the label came as {documents[0].format}"
        yield Message(level=NoticeLevel.WARNING, code=NoticeCode.FORMAT_CHANGED, text=text)


def _charges(rate: RateRow, fees: tuple[FeeRow, ...]) -> tuple[tuple[Charge, ...], Money]:
    """EasyPost's fees, all in US dollars; where the carrier bills the postage itself, that is the rate beside them."""
    price = Money(rate.rate, rate.currency)
    charges = charges_from_wire(fees)
    if not any(fee.type == "PostageFee" for fee in fees):
        if rate.currency != "USD" and charges:
            return (), price
        charges = (Charge(type=codes.CHARGES["PostageFee"], code=rate.service, amount=price), *charges)
    return charges, Money(sum((charge.amount.amount for charge in charges), Decimal(0)), charges[0].amount.currency)


def _state(row: ShipmentRow, *, has_label: bool) -> BookingState:
    # A label whose refund was asked for must not be used any more, whether the carrier has agreed yet or not.
    if codes.refund_state(row.refund_status) in (RefundState.PENDING, RefundState.APPROVED):
        return BookingState.VOIDED
    return BookingState.CONFIRMED if has_label else BookingState.LABEL_PENDING


def _references(row: ShipmentRow) -> Iterable[Reference]:
    if row.tracker is not None and row.tracker.id:
        yield Reference(type=ReferenceType.EXTERNAL, value=row.tracker.id)
