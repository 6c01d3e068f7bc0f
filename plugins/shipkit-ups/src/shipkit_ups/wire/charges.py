"""What UPS charges, read the same way from a quote and from a booking.

Only the rows of the shipment and of its packages together add up to UPS's total (recorded 2024-01-17, all six
services). A negotiated total often has no rows at all. Rows of nothing (UPS lists what is free) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shipkit.model import Charge, ChargeType, Money, PriceBasis

from .common import listed, money_from_wire

__all__ = ["Bill", "bill_from_wire"]

# ItemizedCharges.Code. UPS's table is not in the published files. 375: recorded, the difference that Rating.yaml names
# ("BaseServiceCharge is transportation charges - fuel surcharges"). 270: recorded on residential addresses only.
# 400: recorded with SubType EVS, which Shipping.yaml explains as the declared value. The rest is a surcharge.
_KINDS: Final[Mapping[str, ChargeType]] = {
    "375": ChargeType.FUEL,
    "270": ChargeType.RESIDENTIAL,
    "400": ChargeType.INSURANCE,
}


class Bill(NamedTuple):
    """What will be billed for a shipment."""

    total: Money
    charges: tuple[Charge, ...]
    basis: PriceBasis
    list_total: Money | None
    tax_included: bool | None


def bill_from_wire(
    published: Mapping[str, Any], negotiated: Mapping[str, Any] | None, packages: Any, refs: Sequence[str]
) -> Bill:
    """The account's own price where UPS gives one, else the published one; with its taxes where they were asked for.

    UPS names packages by their place only: with another number of *refs* they stay unnamed. Where a negotiated total
    comes without rows, the published ones stand beside the difference (recorded 2024-02-07: 47.96, billed 47.48).
    """
    rows = listed(packages)
    named: Sequence[str | None] = refs if len(refs) == len(rows) else [None] * len(rows)
    listing = money_from_wire(published["TotalCharges"])
    net, bill, charges = listing, published, []
    if negotiated:
        net, bill = money_from_wire(negotiated["TotalCharge"]), negotiated
        charges = _charges(negotiated, None)
        for row, ref in zip(rows, named, strict=True):
            if own := row.get("NegotiatedCharges"):
                charges += _charges(own, ref)
    if not charges:
        charges = _charges(published, None)
        for row, ref in zip(rows, named, strict=True):
            charges += _charges(row, ref)
    taxed = bill.get("TotalChargesWithTaxes")
    total = money_from_wire(taxed) if taxed else net
    for tax in listed(bill.get("TaxCharges")):
        amount = Money(Decimal(tax["MonetaryValue"]), net.currency)
        charges.append(Charge(type=ChargeType.TAX, code=tax["Type"], amount=amount))
    rest = total.amount - sum([charge.amount.amount for charge in charges])
    if charges and rest:
        charges.append(Charge(type=ChargeType.UNEXPLAINED, amount=Money(rest, total.currency)))
    return Bill(
        total=total,
        charges=tuple(charges),
        basis=PriceBasis.NEGOTIATED if negotiated else PriceBasis.LIST,
        list_total=listing if negotiated else None,
        tax_included=True if taxed else None,
    )


def _charges(owner: Mapping[str, Any], ref: str | None) -> list[Charge]:
    charges = [
        Charge(type=ChargeType.BASE, amount=Money(value, row["CurrencyCode"]), package_ref=ref)
        for row in listed(owner.get("BaseServiceCharge"))
        if (value := Decimal(row["MonetaryValue"]))
    ]
    for row in listed(owner.get("ItemizedCharges")):
        if value := Decimal(row["MonetaryValue"]):
            code, text, amount = row["Code"], row.get("Description") or None, Money(value, row["CurrencyCode"])
            kind = _KINDS.get(code, ChargeType.SURCHARGE)
            charges.append(Charge(type=kind, code=code, description=text, amount=amount, package_ref=ref))
    return charges
