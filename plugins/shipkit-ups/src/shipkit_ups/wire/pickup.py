"""On-call pickups: PickupCreationRequest and its replies (Pickup.yaml, version v2409)."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from shipkit.errors import InputError, ReplyError
from shipkit.model import (
    Address,
    AddressKind,
    CancellationResult,
    CancelOutcome,
    Charge,
    ChargeType,
    Contact,
    Money,
    Pickup,
    PickupRequest,
    PickupState,
    Problem,
    ProblemCode,
    WeightUnit,
)
from shipkit.readers import wire

from ..codes import IMPERIAL
from .common import HeadRow, address_of, day, digits, postal_code_of, state_of, without_none

__all__ = [
    "PickupCancelReply",
    "PickupReply",
    "pickup_cancellation_from_wire",
    "pickup_from_wire",
    "pickup_to_wire",
]

_BY_SHIPPER_ACCOUNT: Final = "01"
_PACKAGE: Final = "01"
_PIECES_MAX: Final = 999  # PickupPiece.Quantity: "Max per service: 999"

# Pickup.yaml ChargeDetail.ChargeCode and ChargeDescription.
_CHARGES: Final = {"A": ChargeType.SURCHARGE, "B": ChargeType.PICKUP, "S": ChargeType.SURCHARGE}


def pickup_to_wire(request: PickupRequest, shipper_number: str) -> dict[str, Any]:
    """A pickup paid by the account, with its price."""
    address, contact = address_of(request.pickup_from), request.pickup_from.contact or Contact()
    window = request.window
    shipper = {"AccountNumber": shipper_number, "AccountCountryCode": address.country}
    return {
        "PickupCreationRequest": without_none(
            Request={"SubVersion": "2007"},
            RatePickupIndicator="Y",
            Shipper={"Account": shipper},
            PickupDateInfo={
                "PickupDate": day(window.day),
                "ReadyTime": window.ready.strftime("%H%M"),
                "CloseTime": window.close.strftime("%H%M"),
            },
            PickupAddress=without_none(
                CompanyName=contact.company or contact.name,
                ContactName=contact.name,
                AddressLine=[", ".join(address.lines)],
                City=address.city,
                StateProvince=state_of(address),
                PostalCode=_postal_code(address),
                CountryCode=address.country,
                ResidentialIndicator="Y" if address.kind is AddressKind.RESIDENTIAL else "N",
                PickupPoint=request.location.value if request.location else None,
                Phone={"Number": digits(contact.phone or "")},
            ),
            AlternateAddressIndicator="Y",
            PickupPiece=_pieces(request, address.country),
            TotalWeight=_weight(request, address.country),
            TrackingData=[{"TrackingNumber": number.value} for number in request.tracking_numbers],
            PaymentMethod=_BY_SHIPPER_ACCOUNT,
            SpecialInstruction=request.instructions,
            ReferenceNumber=request.reference,
        )
    }


def _postal_code(address: Address) -> str:
    """Eight characters at most, which a ZIP code with its extension has not: five digits are the whole ZIP code."""
    code = postal_code_of(address)
    return code[:5] if address.country in ("US", "PR") else code


def _pieces(request: PickupRequest, country: str) -> list[dict[str, str]]:
    """How many of each service: the host says one number for all, so the first service takes what is left over.

    Raises:
        InputError: there are more services than packages, or more packages of a service than UPS counts.
    """
    services = request.services or ("03" if country in IMPERIAL else "11",)
    if not len(services) <= request.package_count < len(services) + _PIECES_MAX:
        text = f"UPS collects 1 to {_PIECES_MAX} packages of a service"
        problem = Problem(path="/package_count", code=ProblemCode.OUT_OF_RANGE, text=text, limit=str(_PIECES_MAX))
        raise InputError(problems=(problem,))
    counts = [request.package_count - len(services) + 1, *[1] * (len(services) - 1)]
    return [
        {
            "ServiceCode": service.zfill(3),
            "Quantity": str(count),
            "DestinationCountryCode": country,
            "ContainerCode": _PACKAGE,
        }
        for service, count in zip(services, counts, strict=True)
    ]


def _weight(request: PickupRequest, country: str) -> dict[str, str] | None:
    if request.weight is None:
        return None
    unit, code = (WeightUnit.LB, "LBS") if country in IMPERIAL else (WeightUnit.KG, "KGS")
    return {"Weight": str(request.weight.to(unit, ROUND_CEILING, "0.1")), "UnitOfMeasurement": code}


@wire
class ChargeDetailRow:
    ChargeCode: str
    ChargeAmount: Decimal
    ChargeDescription: str | None = None
    IncentedAmount: Decimal | None = None


@wire
class TaxRow:
    Type: str
    MonetaryValue: Decimal


@wire
class RateResultRow:
    GrandTotalOfAllCharge: Decimal
    CurrencyCode: str | None = None
    GrandTotalOfAllIncentedCharge: Decimal | None = None
    ChargeDetail: tuple[ChargeDetailRow, ...] = ()
    TaxCharges: tuple[TaxRow, ...] = ()


@wire
class PickupCreationResponse:
    Response: HeadRow
    PRN: str
    RateResult: RateResultRow | None = None


@wire
class PickupReply:
    PickupCreationResponse: PickupCreationResponse


def pickup_from_wire(request: PickupRequest, reply: PickupReply, received_at: datetime) -> Pickup:
    """The confirmation; UPS gives back the same number for an address where a pickup is already ordered.

    Raises:
        ReplyError: it has no number.
    """
    row = reply.PickupCreationResponse
    if not row.PRN:
        path = "$.PickupCreationResponse.PRN"
        raise ReplyError(f"required field missing @ {path}", paths=(path,))
    total, charges = _price(row.RateResult)
    return Pickup(
        confirmation=row.PRN,
        state=PickupState.CONFIRMED,
        window=request.window,
        pickup_from=request.pickup_from,
        package_count=request.package_count,
        charges=charges,
        total=total,
        created_at=received_at,
        messages=row.Response.Alert,
    )


def _price(result: RateResultRow | None) -> tuple[Money | None, tuple[Charge, ...]]:
    if result is None or not result.CurrencyCode:
        return None, ()
    incented = result.GrandTotalOfAllIncentedCharge
    total = result.GrandTotalOfAllCharge if incented is None else incented
    rows = [
        (_CHARGES.get(row.ChargeCode, ChargeType.OTHER), row.ChargeCode, row.ChargeDescription, _billed(row, incented))
        for row in result.ChargeDetail
    ]
    rows += [(ChargeType.TAX, row.Type, None, row.MonetaryValue) for row in result.TaxCharges]
    rows = [row for row in rows if row[3]]
    rest = total - sum(amount for *_, amount in rows)
    if rows and rest:
        rows.append((ChargeType.UNEXPLAINED, "", None, rest))
    return Money(total, result.CurrencyCode), tuple(
        Charge(type=kind, code=code or None, description=text, amount=Money(amount, result.CurrencyCode))
        for kind, code, text, amount in rows
    )


def _billed(row: ChargeDetailRow, incented: Decimal | None) -> Decimal:
    return row.ChargeAmount if incented is None or row.IncentedAmount is None else row.IncentedAmount


@wire
class PickupCancelResponse:
    Response: HeadRow


@wire
class PickupCancelReply:
    PickupCancelResponse: PickupCancelResponse


def pickup_cancellation_from_wire(reply: PickupCancelReply) -> CancellationResult:
    return CancellationResult(outcome=CancelOutcome.VOIDED, messages=reply.PickupCancelResponse.Response.Alert)
