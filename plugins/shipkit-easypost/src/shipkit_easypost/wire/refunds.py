"""Money back: for a shipment, and for a list of tracking numbers."""

from __future__ import annotations

import attrs

from shipkit.errors import CarrierError, InputError
from shipkit.model import (
    CancellationResult,
    CancelOutcome,
    Message,
    NoticeLevel,
    PackageOutcome,
    Problem,
    ProblemCode,
    RefundRequest,
    RefundState,
)
from shipkit.readers import wire

from .. import codes
from .common import filled, number_from_wire
from .shipments import ShipmentRow

__all__ = ["RefundRow", "refund_to_wire", "refused_from_wire", "result_from_shipment", "results_from_wire"]

# A refund that was asked for is decided by the carrier, within 30 days (npm Shipment/Shipment).
_OUTCOMES = {
    RefundState.PENDING: CancelOutcome.REQUESTED,
    RefundState.APPROVED: CancelOutcome.VOIDED,
    RefundState.REJECTED: CancelOutcome.REJECTED,
    RefundState.EXCLUDED: CancelOutcome.REJECTED,
    RefundState.NONE: CancelOutcome.REJECTED,
}


@wire
class RefundRow:
    tracking_code: str = attrs.field(validator=filled)
    status: str | None = None


def result_from_shipment(row: ShipmentRow) -> CancellationResult:
    """How the refund of a shipment stands."""
    state = codes.refund_state(row.refund_status)
    return CancellationResult(outcome=_OUTCOMES[state], refund=state)


def refused_from_wire(row: ShipmentRow, refusal: CarrierError) -> CancellationResult:
    """EasyPost would not refund it: because that was asked for before, or for the reason that it gives."""
    state = codes.refund_state(row.refund_status)
    if state in (RefundState.PENDING, RefundState.APPROVED):
        return CancellationResult(outcome=CancelOutcome.ALREADY_VOIDED, refund=state)
    message = Message(
        level=NoticeLevel.WARNING,
        carrier_code=refusal.carrier_code or None,
        text=refusal.carrier_message or refusal.message,
    )
    return CancellationResult(outcome=CancelOutcome.REJECTED, refund=state, messages=(message,))


def refund_to_wire(request: RefundRequest, carriers: set[str]) -> dict[str, object]:
    """The body of ``POST /refunds`` (recording test_refund_create), for numbers that are all of one of *carriers*.

    Raises:
        InputError: they are of several, or of one that nobody knows.
    """
    if len(carriers) != 1 or "" in carriers:
        text = "EasyPost refunds numbers of one carrier at a time"
        raise InputError(problems=(Problem(path="/tracking_numbers", code=ProblemCode.INCONSISTENT, text=text),))
    numbers = [number.value for number in request.tracking_numbers]
    return {"refund": {"carrier": next(iter(carriers)), "tracking_codes": numbers}}


def results_from_wire(request: RefundRequest, rows: tuple[RefundRow, ...]) -> CancellationResult:
    """One outcome per number, joined by the number; one that EasyPost leaves out was not found."""
    states = {number_from_wire(row.tracking_code, None).value: codes.refund_state(row.status) for row in rows}
    packages = tuple(
        PackageOutcome(
            tracking_number=number,
            outcome=_OUTCOMES[states[number.value]] if number.value in states else CancelOutcome.NOT_FOUND,
        )
        for number in request.tracking_numbers
    )
    outcomes = {package.outcome for package in packages}
    refunds = set(states.values())
    return CancellationResult(
        outcome=outcomes.pop() if len(outcomes) == 1 else CancelOutcome.PARTLY,
        refund=refunds.pop() if len(refunds) == 1 else None,
        packages=packages,
    )
