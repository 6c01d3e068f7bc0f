"""What UPS charges, read the same way from a quote and from a booking.

Only the rows of the shipment and of its packages together add up to UPS's total (recorded 2024-01-17, all six
services). A negotiated total often has no rows at all. Rows of nothing (UPS lists what is free) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from shipkit.model import Charge, ChargeType, Money, PriceBasis

from ..codes import CHARGES
from .common import listed, money_from_wire, reader

__all__ = ["Bill", "Parts", "Row", "bill_from_wire", "charges_from_wire", "parts_from_wire"]

Row: TypeAlias = tuple[str | None, str | None, Money]
"""UPS's code, its words, what it costs; the base charge has neither code nor words."""


class Parts(NamedTuple):
    """What something costs by the published prices, and by the account's own where those are given."""

    published: Sequence[Row]
    negotiated: Sequence[Row]


class Bill(NamedTuple):
    """What will be billed for a shipment, and the rows that belong to no package."""

    total: Money
    parts: Parts
    taxes: Sequence[Row]
    basis: PriceBasis
    list_total: Money | None
    tax_included: bool | None


@reader.hook(Parts)
def parts_from_wire(row: Mapping[str, Any]) -> Parts:
    """The rows of a package."""
    own = row.get("NegotiatedCharges")
    return Parts(_rows(row), _rows(own) if own else ())


def bill_from_wire(published: Mapping[str, Any], negotiated: Mapping[str, Any] | None) -> Bill:
    """The account's own price where UPS gives one, else the published one; with its taxes where they were asked for."""
    listing = money_from_wire(published["TotalCharges"])
    bill = negotiated or published
    taxed = bill.get("TotalChargesWithTaxes")
    net = money_from_wire(negotiated["TotalCharge"]) if negotiated else listing
    return Bill(
        total=money_from_wire(taxed) if taxed else net,
        parts=Parts(_rows(published), _rows(negotiated) if negotiated else ()),
        taxes=[
            (tax["Type"], None, Money(Decimal(tax["MonetaryValue"]), net.currency))
            for tax in listed(bill.get("TaxCharges"))
        ],
        basis=PriceBasis.NEGOTIATED if negotiated else PriceBasis.LIST,
        list_total=listing if negotiated else None,
        tax_included=True if taxed else None,
    )


def _rows(owner: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = [
        (None, None, Money(value, row["CurrencyCode"]))
        for row in listed(owner.get("BaseServiceCharge"))
        if (value := Decimal(row["MonetaryValue"]))
    ]
    rows += [
        (row["Code"], row.get("Description") or None, Money(value, row["CurrencyCode"]))
        for row in listed(owner.get("ItemizedCharges"))
        if (value := Decimal(row["MonetaryValue"]))
    ]
    return rows


def charges_from_wire(bill: Bill, packages: Sequence[Parts], refs: Sequence[str]) -> tuple[Charge, ...]:
    """The bill's rows and its packages' together, and what they leave of the total as one of its own.

    UPS names packages by their place only: with another number of *refs* they stay unnamed. Where a negotiated total
    comes without rows, the published ones stand beside the difference (recorded 2024-02-07: 47.96, billed 47.48).
    """
    own = bool(bill.parts.negotiated) or any(package.negotiated for package in packages)
    named: Sequence[str | None] = refs if len(refs) == len(packages) else [None] * len(packages)
    charges = [_charge(row, None) for row in (bill.parts.negotiated if own else bill.parts.published)]
    for package, ref in zip(packages, named, strict=True):
        charges += [_charge(row, ref) for row in (package.negotiated if own else package.published)]
    for code, _, amount in bill.taxes:
        charges.append(Charge(type=ChargeType.TAX, code=code, amount=amount))
    rest = bill.total.amount - sum([charge.amount.amount for charge in charges])
    if charges and rest:
        charges.append(Charge(type=ChargeType.UNEXPLAINED, amount=Money(rest, bill.total.currency)))
    return tuple(charges)


def _charge(row: Row, ref: str | None) -> Charge:
    code, text, amount = row
    kind = ChargeType.BASE if code is None else CHARGES.get(code, ChargeType.SURCHARGE)
    return Charge(type=kind, code=code, description=text, amount=amount, package_ref=ref)
