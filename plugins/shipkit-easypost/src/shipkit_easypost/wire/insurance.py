"""Insurance: of a shipment bought through EasyPost, and of any other parcel. Amounts are US dollars (npm Insurance)."""

from __future__ import annotations

from decimal import Decimal

import attrs

from shipkit.errors import InputError
from shipkit.model import InsurancePolicy, InsuranceRequest, Money, PolicyState, Problem, ProblemCode
from shipkit.readers import wire

from .. import codes
from .common import FeeRow, filled, party_to_wire
from .shipments import ShipmentRow

__all__ = ["InsuranceRow", "amount_to_wire", "insurance_to_wire", "policy_from_shipment", "policy_from_wire"]

CURRENCY = "USD"


@wire
class InsuranceRow:
    id: str = attrs.field(validator=filled)
    amount: Decimal
    status: str | None = None
    provider: str | None = None
    fee: FeeRow | None = None


def amount_to_wire(amount: Money) -> str:
    """The insured value as text.

    Raises:
        InputError: it is not in US dollars.
    """
    if amount.currency != CURRENCY:
        text = "EasyPost insures in US dollars only"
        raise InputError(
            problems=(Problem(path="/amount/currency", code=ProblemCode.NOT_OFFERED, text=text, limit=CURRENCY),)
        )
    return str(amount.amount)


def insurance_to_wire(request: InsuranceRequest) -> dict[str, object]:
    """The body of ``POST /insurances`` (recording test_insurance_create), for a parcel bought elsewhere.

    Raises:
        InputError: one of the two parties is missing, which the insurer wants for such a parcel.
    """
    ends = {"ship_from": request.ship_from, "ship_to": request.ship_to}
    problems = [
        Problem(path=f"/{name}", code=ProblemCode.MISSING, text="wanted for a parcel that EasyPost did not ship")
        for name, party in ends.items()
        if party is None
    ]
    if problems or request.ship_from is None or request.ship_to is None:
        raise InputError(problems=tuple(problems))
    insurance: dict[str, object] = {
        "from_address": party_to_wire(request.ship_from),
        "to_address": party_to_wire(request.ship_to),
        "tracking_code": request.number.value,
        "amount": amount_to_wire(request.amount),
        "reference": request.reference,
    }
    if carrier := codes.carrier_name(request.number.carrier):
        insurance["carrier"] = carrier
    return {"insurance": insurance}


def policy_from_wire(row: InsuranceRow) -> InsurancePolicy:
    """A policy of its own; EasyPost looks at the tracking before it is in force."""
    return InsurancePolicy(
        policy_id=row.id,
        state=codes.POLICIES.get(row.status or "", PolicyState.PENDING),
        amount=Money(row.amount, CURRENCY),
        fee=Money(row.fee.amount, CURRENCY) if row.fee is not None else None,
        provider=row.provider,
    )


def policy_from_shipment(request: InsuranceRequest, row: ShipmentRow) -> InsurancePolicy:
    """The insurance of a shipment has no id of its own and is in force at once (npm Insurance/Insurance)."""
    fees = [fee.amount for fee in row.fees if fee.type == "InsuranceFee"]
    return InsurancePolicy(
        policy_id=row.id,
        state=PolicyState.ACTIVE if row.insurance is not None else PolicyState.PENDING,
        amount=Money(row.insurance, CURRENCY) if row.insurance is not None else request.amount,
        fee=Money(fees[-1], CURRENCY) if fees else None,
    )
