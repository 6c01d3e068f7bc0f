"""Lines of a bill, bookings and journeys for the tests of the match."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shipkit.invoices import Booked, Seen
from shipkit.model import (
    Charge,
    ChargeType,
    InvoiceLine,
    InvoiceLineReason,
    InvoiceMatch,
    Milestone,
    Money,
    TrackingNumber,
)

DAY = date(2026, 3, 2)
NUMBERS = ("N1", "N2", "N3", "N4")


def usd(amount: str | Decimal) -> Money:
    return Money(amount, "USD")


def line(number: str | None = "N1", amount: str | Decimal = "10.00", **rest: Any) -> InvoiceLine:
    """A line of the bill "I1", for the transport that was ordered unless *rest* says otherwise."""
    return InvoiceLine(
        **{
            "invoice_number": "I1",
            "line_id": f"{number}:booked",
            "billed_on": DAY,
            "tracking_number": number and TrackingNumber(value=number, carrier="acme"),
            "shipment_match": InvoiceMatch.UNMATCHED,
            "charges": (Charge(type=ChargeType.BASE, code="FRT", amount=usd(amount)),),
            "reason": InvoiceLineReason.BOOKED,
            **rest,
        }
    )


def booked(*numbers: str, **rest: Any) -> Booked:
    """The booking "B1", at 10 dollars for all its parcels."""
    return Booked(
        **{
            "id": "B1",
            "numbers": numbers or ("N1",),
            "total": usd("10.00"),
            "booked_on": DAY - timedelta(days=3),
            **rest,
        }
    )


def bills() -> st.SearchStrategy[list[InvoiceLine]]:
    """Any lines of any bills: credits, corrections, other currencies, numbers of ours and of nobody."""

    def made(index: int, row: tuple[Any, ...]) -> InvoiceLine:
        number, cents, currency, reason, bill = row
        return line(
            number,
            line_id=str(index),
            invoice_number=f"I{bill}",
            billed_on=DAY + timedelta(days=7 * bill),
            charges=(Charge(type=ChargeType.BASE, amount=Money(Decimal(cents) / 100, currency)),),
            reason=reason,
        )

    rows = st.tuples(
        st.sampled_from([*NUMBERS, None, "X"]),
        st.sampled_from([-1500, -1000, -500, 0, 500, 1000, 1001, 1500]),
        st.sampled_from(["USD", "USD", "USD", "CAD"]),
        st.sampled_from([*InvoiceLineReason]),
        st.integers(1, 3),
    )
    return st.lists(rows, max_size=9).map(lambda found: [made(index, row) for index, row in enumerate(found)])


def worlds() -> st.SearchStrategy[tuple[list[Booked], dict[str, Seen]]]:
    """Bookings of one and of two parcels, some voided, some without a price, one number in two of them; journeys."""
    prices = st.none() | st.sampled_from(["10.00", "20.00", "30.00"]).map(usd)
    one = st.builds(
        lambda total, voided, back: booked("N1", total=total, voided=voided, returned=back),
        prices,
        st.booleans(),
        st.booleans(),
    )
    two = st.builds(
        lambda total, voided: booked("N2", "N3", id="B2", total=total, voided=voided), prices, st.booleans()
    )
    twice = st.booleans().map(lambda more: [booked("N4", id="B3")] + [booked("N4", id="B4")] * more)
    seen = st.dictionaries(
        st.sampled_from(NUMBERS),
        st.builds(Seen, milestone=st.sampled_from([*Milestone]), delivered_on=st.none() | st.just(DAY)),
    )
    return st.tuples(st.tuples(one, two, twice).map(lambda found: [found[0], found[1], *found[2]]), seen)
