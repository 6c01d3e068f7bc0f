"""What UPS charges, read the same way from a quote and from a booking.

Only the rows of the shipment and of its packages together add up to UPS's total (recorded 2024-01-17, all six
services). A negotiated total often has no rows at all. Rows of nothing (UPS lists what is free) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeAlias

from shipkit.model import Charge, ChargeType, Money, PriceBasis
from shipkit.readers import wire

from ..codes import CHARGES
from .common import money_from_wire, reader

__all__ = ["ChargesRow", "Items", "Row", "NegotiatedRow", "Parts", "Price", "Published", "TaxRow", "price_from_wire"]


Row: TypeAlias = tuple[str | None, str | None, Money]
"""UPS's code, its words, what it costs; the base charge has neither code nor words."""


class Items(NamedTuple):
    """``ItemizedCharges``: one row or several."""

    rows: Sequence[Row] = ()


class Parts(NamedTuple):
    """What one package costs by the published prices, and by the account's own where those are given."""

    published: Sequence[Row]
    negotiated: Sequence[Row]


@reader.hook(Items)
def items_from_wire(rows: Any) -> Items:
    return Items(_rows(None, rows))


@reader.hook(Parts)
def parts_from_wire(row: Mapping[str, Any]) -> Parts:
    own = row.get("NegotiatedCharges") or {}
    return Parts(
        published=_rows(row.get("BaseServiceCharge"), row.get("ItemizedCharges")),
        negotiated=_rows(own.get("BaseServiceCharge"), own.get("ItemizedCharges")) if own else (),
    )


def _rows(base: Any, items: Any) -> list[Row]:
    found: list[Row] = []
    if base and (amount := money_from_wire(base)).amount:
        found.append((None, None, amount))
    for row in items if isinstance(items, list) else (items,) if items else ():
        code = row["Code"]  # demanded of free rows as well
        if (amount := money_from_wire(row)).amount:
            found.append((code, row.get("Description") or None, amount))
    return found


@wire
class TaxRow:
    Type: str
    MonetaryValue: Decimal


@wire
class ChargesRow:
    TotalCharges: Money
    BaseServiceCharge: Money | None = None
    ItemizedCharges: Items = Items()
    TaxCharges: tuple[TaxRow, ...] = ()
    TotalChargesWithTaxes: Money | None = None


@wire
class NegotiatedRow:
    TotalCharge: Money
    ItemizedCharges: Items = Items()
    TaxCharges: tuple[TaxRow, ...] = ()
    TotalChargesWithTaxes: Money | None = None


class Published(Protocol):
    """The published price of a shipment, wherever it stands."""

    TotalCharges: Money
    BaseServiceCharge: Money | None
    ItemizedCharges: Items
    TaxCharges: tuple[TaxRow, ...]
    TotalChargesWithTaxes: Money | None


class Price(NamedTuple):
    """What will be billed, its parts, and where it comes from."""

    total: Money
    charges: tuple[Charge, ...]
    basis: PriceBasis
    list_total: Money | None
    tax_included: bool | None


def price_from_wire(
    published: Published, negotiated: NegotiatedRow | None, packages: Sequence[Parts], refs: Sequence[str]
) -> Price:
    """The account's own price where UPS gives one, else the published one.

    UPS names packages by their place only: with another number of *refs* they stay unnamed.
    """
    named: Sequence[str | None] = refs if len(refs) == len(packages) else [None] * len(packages)
    bill = published if negotiated is None else negotiated
    total = bill.TotalChargesWithTaxes or (negotiated.TotalCharge if negotiated else published.TotalCharges)
    charges: list[Charge] = []
    if negotiated is not None:
        _add(charges, negotiated.ItemizedCharges.rows, None)
        for package, ref in zip(packages, named, strict=True):
            _add(charges, package.negotiated, ref)
    if not charges:  # nothing is negotiated row by row, or only what is free (recorded)
        if (base := published.BaseServiceCharge) is not None and base.amount:
            charges.append(Charge(type=ChargeType.BASE, amount=base))
        _add(charges, published.ItemizedCharges.rows, None)
        for package, ref in zip(packages, named, strict=True):
            _add(charges, package.published, ref)
    charges += [
        Charge(type=ChargeType.TAX, code=tax.Type, amount=Money(tax.MonetaryValue, total.currency))
        for tax in bill.TaxCharges
    ]
    return Price(
        total=total,
        charges=_settled(charges, total),
        basis=PriceBasis.LIST if negotiated is None else PriceBasis.NEGOTIATED,
        list_total=None if negotiated is None else published.TotalCharges,
        tax_included=True if bill.TotalChargesWithTaxes else None,
    )


def _add(charges: list[Charge], rows: Sequence[Row], ref: str | None) -> None:
    for code, text, amount in rows:
        kind = ChargeType.BASE if code is None else CHARGES.get(code, ChargeType.SURCHARGE)
        charges.append(Charge(type=kind, code=code, description=text, amount=amount, package_ref=ref))


def _settled(charges: list[Charge], total: Money) -> tuple[Charge, ...]:
    """*charges*, and what they leave of *total* as one of its own.

    Where a negotiated total comes without rows, the published ones stand beside the difference (recorded 2024-02-07:
    rows 47.96, billed 47.48).
    """
    rest = total.amount - sum(charge.amount.amount for charge in charges)
    if charges and rest:
        charges.append(Charge(type=ChargeType.UNEXPLAINED, amount=Money(rest, total.currency)))
    return tuple(charges)
