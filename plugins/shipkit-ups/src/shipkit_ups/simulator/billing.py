"""The bill of the simulated UPS: what its books would invoice, as a billing data file, with the faults of bills.

The layout is the one of `shipkit_ups.billing_codes`; columns that have no public source stay empty. Amounts are those
of the books, divided over parcels and charges.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from shipkit.simulator import Booking, InvoiceLine, World

from ..billing_codes import COLUMNS
from .base import one
from .papers import number_1z
from .tariff import PRODUCTS, parcels_of, price_of

__all__ = ["FAULTS", "billing_file", "stranger"]

FAULTS: Final[Mapping[str, str]] = {
    "reweigh": "the parcel was weighed anew, five pounds heavier, and the difference is billed as a correction",
    "heavier": "the parcel is billed at a higher weight at once, for more than was booked",
    "duplicate": "the parcel is billed twice",
    "after_void": "the parcel is billed though its booking was voided",
    "address_correction": "the address was corrected, for a fee",
    "residential": "the address turned out to be a home, for a surcharge",
    "duties": "duty and a fee for paying it",
    "credit": "the charge for the transport is given back",
    "unknown": "a parcel is billed that nobody booked",
    "unknown_code": "a charge with codes that nobody knows",
    "currency": "the parcel is billed in Canadian dollars",
    "fee": "a fee for the account, for no parcel",
    "forgotten": "the parcel is not billed",
}
"""What can go wrong with a bill; each is given the numbers of the parcels that it happens to."""

_COLUMNS: Final = 250
_CENT: Final = Decimal("0.01")
_FUEL: Final = Decimal("0.15")
_LB: Final = "L"
_MORE_LB: Final = 5
_FEES: Final = {
    # Detail code, then classification, code, words and amount of the one charge.
    "address_correction": ("ADC", "FRT", "003", "Address Correction Ground", Decimal("18.00")),
    "residential": ("RADJ", "ACC", "RES", "Residential Surcharge Adjustment", Decimal("5.65")),
    "unknown_code": ("ZZZ", "QQQ", "999", "Something new", Decimal("1.23")),
}


def billing_file(
    world: World,
    number: str = "000000A1B2C3106",
    *,
    on: date | None = None,
    faults: Mapping[str, Iterable[str]] | None = None,
    header: bool = False,
) -> bytes:
    """The bill *number* of all that *world* would invoice, and of what *faults* add or leave out.

    Raises:
        ValueError: there is no such fault.
        NotInBooksError: there is no such parcel.
    """
    hit = {name: frozenset(numbers) for name, numbers in (faults or {}).items()}
    if unknown := hit.keys() - FAULTS.keys():
        raise ValueError(f"no fault of a bill is called {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    for name in hit.keys() - {"unknown"}:
        for parcel in hit[name]:
            if name != "fee":
                world.by_number(parcel)
    rows = list(_rows(world, hit))
    total = sum((Decimal(row["Net Amount"]) for row in rows), Decimal(0))
    shared = {
        "Version": "2.1",
        "Invoice Date": (on or world.clock.now().date()).isoformat(),
        "Invoice Number": number,
        "Invoice Currency Code": _currency(world),
        "Invoice Amount": str(total),
    }
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if header:
        writer.writerow(_cells({column: column for column in COLUMNS}))
    writer.writerows(_cells({**shared, **row}) for row in rows)
    return out.getvalue().encode()


def _cells(row: Mapping[str, str]) -> list[str]:
    cells = [""] * _COLUMNS
    for column, value in row.items():
        cells[COLUMNS[column] - 1] = value
    return cells


def _currency(world: World) -> str:
    return next((line.currency for line in world.invoice()), "USD")


def _rows(world: World, hit: Mapping[str, frozenset[str]]) -> Iterator[dict[str, str]]:
    billed = {line.booking_id for line in world.invoice() if line.what == "shipment"}
    for booking in world.bookings():
        shares = dict(zip(booking.numbers, _shares(booking), strict=True))
        for parcel in booking.numbers:
            if booking.id in billed or parcel in hit.get("after_void", ()):
                yield from _parcel(booking, parcel, shares[parcel], hit)
    for parcel in sorted(hit.get("unknown", ())):
        yield from _transport(parcel, "003", "Ground Commercial", Decimal("12.34"), Decimal("3.0"), "USD")
    for charge in world.invoice():
        if charge.what != "shipment":
            yield _account(charge)
    if "fee" in hit:
        yield _row("", "MIS", "SVCH", "MSC", "", "Service Charge", Decimal("30.00"), _currency(world))


def _parcel(
    booking: Booking, number: str, share: Decimal, hit: Mapping[str, frozenset[str]]
) -> Iterator[dict[str, str]]:
    name = PRODUCTS[booking.service].name.replace("®", "")
    currency = "CAD" if number in hit.get("currency", ()) else booking.currency
    entered = Decimal(booking.details["weights"][booking.numbers.index(number)])
    audited = entered + _MORE_LB if number in hit.get("heavier", ()) else None
    amount = share + Decimal("4.00") if audited else share
    code = f"{booking.service:0>3}"
    if number not in hit.get("forgotten", ()):
        for _ in range(2 if number in hit.get("duplicate", ()) else 1):
            yield from _transport(number, code, name, amount, entered, currency, audited)
    if number in hit.get("reweigh", ()):
        words = f"Shipping Charge Correction {name.removeprefix('UPS ')}"
        weights = _weights(entered, entered + _MORE_LB)
        yield _row(number, "ADJ", "SCC", "FRT", code, words, Decimal("6.20"), currency, weights)
        yield _row(
            number, "ADJ", "SCC", "FSC", "FSC", "Shipping Charge Correction Fuel Surcharge", Decimal("0.93"), currency
        )
    for fault, (detail, kind, charged, words, fee) in _FEES.items():
        if number in hit.get(fault, ()):
            yield _row(number, "ADJ", detail, kind, charged, words, fee, currency)
    if number in hit.get("duties", ()):
        yield _row(number, "SHP", "IMP", "GOV", "201", "Duty Amount", Decimal("7.50"), currency)
        yield _row(number, "SHP", "IMP", "BRK", "405", "Disbursement Fee", Decimal("2.50"), currency)
    if number in hit.get("credit", ()):
        yield _row(number, "ADJ", "CADJ", "MSC", "", "Billing Adjustment", -share, currency)


def _transport(
    number: str, code: str, words: str, amount: Decimal, entered: Decimal, currency: str, audited: Decimal | None = None
) -> Iterator[dict[str, str]]:
    fuel = (amount * _FUEL).quantize(_CENT, ROUND_HALF_UP)
    weights = _weights(entered, audited or entered)
    yield _row(number, "SHP", "ISS", "FRT", code, words, amount - fuel, currency, weights)
    yield _row(number, "SHP", "ISS", "FSC", "FSC", "Fuel Surcharge", fuel, currency)


def _account(charge: InvoiceLine) -> dict[str, str]:
    return _row("", "MIS", "MISC", "MSC", "", charge.what, charge.amount, charge.currency)


def _weights(entered: Decimal, billed: Decimal) -> dict[str, str]:
    return {
        "Entered Weight": f"{entered:.1f}",
        "Entered Weight Unit of Measure": _LB,
        "Billed Weight": f"{billed:.1f}",
        "Billed Weight Unit of Measure": _LB,
    }


def _row(
    number: str,
    category: str,
    detail: str,
    kind: str,
    code: str,
    words: str,
    amount: Decimal,
    currency: str,
    weights: Mapping[str, str] | None = None,
) -> dict[str, str]:
    return {
        "Lead Shipment Number": number,
        "Tracking Number": number,
        "Charge Category Code": category,
        "Charge Category Detail Code": detail,
        "Charge Classification Code": kind,
        "Charge Description Code": code,
        "Charge Description": words,
        "Transaction Currency Code": currency,
        "Net Amount": f"{amount:.2f}",
        **(weights or _weights(Decimal(0), Decimal(0))),
    }


def _shares(booking: Booking) -> list[Decimal]:
    """The price of *booking* divided over its parcels by what each of them costs; the last has what is left."""
    parcels = parcels_of(one(booking.details["shipment"])["Package"])
    price = price_of(PRODUCTS[booking.service], parcels, residential=False)
    costs = [sum(parts) for parts in zip(price.bases, price.fuels, price.covers, strict=True)]
    shares = [(booking.price * cost / sum(costs)).quantize(_CENT, ROUND_HALF_UP) for cost in costs]
    shares[-1] = booking.price - sum(shares[:-1], Decimal(0))
    return shares


def stranger(serial: int = 1) -> str:
    """The number of a parcel of another shipper."""
    return number_1z("ZZZZZZ", "03", serial)
