"""What a line of a bill turns out to be."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError
from shipkit.invoices import Booked, Finding, FindingKind, Seen, Terms, match
from shipkit.model import (
    Charge,
    ChargeType,
    Dimensions,
    InvoiceLine,
    InvoiceLineReason,
    InvoiceMatch,
    Length,
    LengthUnit,
    Milestone,
    Money,
    Weight,
    WeightUnit,
)
from tests.invoices.lines import DAY, bills, booked, line, usd, worlds

TODAY = DAY + timedelta(days=60)
CREDIT = InvoiceLineReason.OTHER


def found(
    *lines: InvoiceLine, of: tuple[Booked, ...] = (), seen: dict[str, Seen] | None = None, **terms: object
) -> list[Finding]:
    return list(match(lines, of or (booked(),), seen or {}, on=TODAY, terms=Terms(**terms)))  # type: ignore[arg-type]


def kinds(*lines: InvoiceLine, **rest: object) -> list[str]:
    return [finding.kind.value for finding in found(*lines, **rest)]  # type: ignore[arg-type]


def test_a_line_that_bills_the_price_of_the_booking_agrees_and_is_joined_to_it() -> None:
    (finding,) = found(line())

    assert (finding.kind, finding.booking, finding.booked, finding.difference) == (
        FindingKind.AGREES, "B1", usd("10.00"), usd("0.00"),
    )  # fmt: skip
    assert finding.line is not None
    assert (finding.line.shipment_match, finding.line.quoted) == (InvoiceMatch.MATCHED, usd("10.00"))
    assert finding.line.difference == usd("0.00")


def test_a_number_of_nobody_is_unmatched_and_one_of_two_bookings_ambiguous() -> None:
    assert kinds(line("X")) == ["unmatched"]
    (finding,) = found(line(), of=(booked(), booked(id="B2")))
    assert (finding.kind, finding.booking, finding.difference) == (FindingKind.AMBIGUOUS, None, usd("10.00"))
    assert finding.line is not None and finding.line.shipment_match is InvoiceMatch.AMBIGUOUS


def test_what_is_billed_to_no_parcel_is_the_accounts() -> None:
    (finding,) = found(line(None, "30.00", reason=InvoiceLineReason.LATE_PAYMENT))
    assert (finding.kind, finding.reason) == (FindingKind.ACCOUNT, InvoiceLineReason.LATE_PAYMENT)


@pytest.mark.parametrize(("amount", "kind"), [("10.05", "agrees"), ("9.95", "agrees"), ("10.06", "differs")])
def test_the_tolerance_is_the_currencys_and_the_difference_stays_exact(amount: str, kind: str) -> None:
    (finding,) = found(line(amount=amount), tolerance={"USD": Decimal("0.05"), "EUR": Decimal(5)})
    assert (finding.kind, finding.difference) == (kind, usd(amount) - usd("10.00"))


def test_more_for_more_weight_than_declared_is_a_reweigh_and_begun_units_are_none() -> None:
    order = booked(weights={"n 1": Weight("2.4", WeightUnit.KG)})
    heavy = line(amount="14.00", billed_weight=Weight(8, WeightUnit.LB))

    assert found(heavy, of=(order,))[0].reason is InvoiceLineReason.REWEIGH
    begun = line(amount="14.00", billed_weight=Weight(6, WeightUnit.LB))  # 2.4 kg are 5.29 lb
    assert found(begun, of=(order,))[0].reason is InvoiceLineReason.OTHER
    told = line(amount="14.00", billed_weight=Weight(9, WeightUnit.LB), declared_weight=Weight(6, WeightUnit.LB))
    assert found(told)[0].reason is InvoiceLineReason.REWEIGH
    less = line(amount="6.00", billed_weight=Weight(8, WeightUnit.LB))
    assert found(less, of=(order,))[0].reason is InvoiceLineReason.OTHER


def test_a_side_longer_than_declared_is_a_redimension_whichever_side_it_is_called() -> None:
    def size(*sides: int) -> Dimensions:
        one, two, three = (Length(side, LengthUnit.CM) for side in sides)
        return Dimensions(length=one, width=two, height=three)

    order = booked(dimensions={"N1": size(30, 20, 10)})
    assert found(line(amount="12.00", billed_dimensions=size(10, 30, 21)), of=(order,))[0].reason == "redimension"
    assert found(line(amount="12.00", billed_dimensions=size(10, 30, 20)), of=(order,))[0].reason == "other"


def test_a_home_that_was_booked_as_none_is_the_reason_where_that_is_charged() -> None:
    charges = (
        Charge(type=ChargeType.BASE, amount=usd("10.00")),
        Charge(type=ChargeType.RESIDENTIAL, amount=usd("5.65")),
    )
    assert found(line(charges=charges), of=(booked(residential=False),))[0].reason is InvoiceLineReason.RESIDENTIAL
    assert found(line(charges=charges))[0].reason is InvoiceLineReason.OTHER


@pytest.mark.parametrize(
    "reason", [InvoiceLineReason.ADDRESS_CORRECTION, InvoiceLineReason.DUTIES, InvoiceLineReason.RETURN]
)
def test_a_correction_differs_by_all_that_it_bills_for_the_carriers_reason(reason: InvoiceLineReason) -> None:
    first, second = found(line(), line(amount="18.00", line_id="2", reason=reason))
    assert first.kind is FindingKind.AGREES
    assert (second.kind, second.reason, second.difference) == (FindingKind.DIFFERS, reason, usd("18.00"))


def test_a_return_that_was_booked_is_billed_as_one_and_agrees() -> None:
    assert kinds(line(reason=InvoiceLineReason.RETURN), of=(booked(returned=True),)) == ["agrees"]


def test_the_parcels_of_a_booking_share_its_price_and_the_last_has_what_is_left() -> None:
    of = (booked("N1", "N2", "N3", total=usd("30.00")),)
    shares = [finding.booked for finding in found(line("N1"), line("N2"), line("N3", "12.00"), of=of)]
    assert shares == [usd("10.00")] * 3
    (_, _, last) = found(line("N1"), line("N2"), line("N3", "8.00"), of=of)
    assert (last.kind, last.difference) == (FindingKind.DIFFERS, usd("-2.00"))


def test_the_transport_is_billed_once_whatever_the_second_bill_asks_for_it() -> None:
    first, second = found(line(), line(amount="11.00", invoice_number="I2", billed_on=DAY + timedelta(days=7)))
    assert (second.kind, second.against) == (FindingKind.DUPLICATE, ("I1", "N1:booked"))
    assert (second.difference, first.kind) == (usd("11.00"), FindingKind.AGREES)


def test_the_same_correction_twice_is_a_duplicate_and_another_one_is_not() -> None:
    def fee(line_id: str, amount: str) -> InvoiceLine:
        return line(line_id=line_id, amount=amount, reason=InvoiceLineReason.ADDRESS_CORRECTION)

    assert kinds(line(), fee("2", "18.00"), fee("3", "18.00"), fee("4", "9.00")) == [
        "agrees", "differs", "duplicate", "differs",
    ]  # fmt: skip


def test_a_credit_is_set_against_the_first_line_and_what_is_billed_after_it_is_no_duplicate() -> None:
    later, last = DAY + timedelta(days=7), DAY + timedelta(days=14)
    first, credit, again = found(
        line(),
        line(amount="-10.00", line_id="c", invoice_number="I2", billed_on=later, reason=CREDIT),
        line(amount="10.00", invoice_number="I3", billed_on=last),
    )
    assert (credit.kind, credit.against, credit.difference) == (FindingKind.CREDIT, ("I1", "N1:booked"), usd("0.00"))
    assert (first.kind, again.kind) == (FindingKind.AGREES, FindingKind.AGREES)


def test_a_line_of_nothing_takes_nothing_of_the_price() -> None:
    home = {"N1": Seen(milestone=Milestone.DELIVERED, delivered_on=DAY)}
    assert kinds(line(amount="0.00", line_id="1"), line(line_id="2")) == ["agrees", "agrees"]
    assert kinds(line(amount="0.00"), seen=home) == ["agrees", "unbilled"]


def test_within_one_bill_a_credit_comes_after_what_it_credits() -> None:
    credit, first = found(line(amount="-10.00", line_id="1", reason=CREDIT), line(line_id="2"))
    assert (credit.against, first.kind) == (("I1", "2"), FindingKind.AGREES)


def test_a_credit_of_a_part_leaves_the_line_standing() -> None:
    first, credit, again = found(line(line_id="1"), line(amount="-4.00", line_id="2", reason=CREDIT), line(line_id="3"))
    assert (first.kind, credit.difference, again.kind) == (FindingKind.AGREES, usd("-4.00"), FindingKind.DUPLICATE)


def test_a_credit_for_nothing_that_was_billed_is_a_credit_against_nothing() -> None:
    (finding,) = found(line(amount="-10.00", reason=CREDIT))
    assert (finding.kind, finding.against) == (FindingKind.CREDIT, None)


def test_billed_though_cancelled_and_billed_though_never_scanned_are_told_apart() -> None:
    silent = {"N1": Seen(milestone=Milestone.ANNOUNCED)}
    assert kinds(line(), of=(booked(voided=True),), seen=silent) == ["voided"]
    assert kinds(line(), seen=silent) == ["unused"]
    assert kinds(line(), seen=silent, unused_after_days=90) == ["agrees"]
    for milestone in (Milestone.UNKNOWN, Milestone.CANCELLED, Milestone.ACCEPTED):
        assert kinds(line(), seen={"N1": Seen(milestone=milestone)}) == ["agrees"]


def test_another_currency_is_no_difference_in_money() -> None:
    (finding,) = found(line(charges=(Charge(type=ChargeType.BASE, amount=Money("13.50", "CAD")),)))
    assert (finding.kind, finding.difference) == (FindingKind.CURRENCY, None)


@pytest.mark.parametrize(
    ("price", "included", "difference"),
    [
        ("10.00", False, "0.00"),
        ("12.00", True, "0.00"),
        ("10.00", None, "0.00"),
        ("12.00", None, "0.00"),
        ("10.00", True, "2.00"),
    ],
)
def test_tax_comes_on_top_of_a_price_that_has_none(price: str, included: bool | None, difference: str) -> None:
    charges = (Charge(type=ChargeType.BASE, amount=usd("10.00")), Charge(type=ChargeType.TAX, amount=usd("2.00")))
    back = tuple(Charge(type=ChargeType.REFUND, amount=-charge.amount) for charge in charges)
    of = (booked(total=usd(price), tax_included=included),)
    finding, credit = found(line(charges=charges), line(charges=back, line_id="c", reason=CREDIT), of=of)
    assert finding.difference == usd(difference)
    assert credit.difference == -usd(difference)


def test_a_booking_without_a_price_is_matched_and_not_compared() -> None:
    assert kinds(line(), of=(booked(total=None),)) == ["unpriced"]


def test_delivered_and_not_billed_is_missing_after_the_time_it_takes() -> None:
    home = {"N1": Seen(milestone=Milestone.DELIVERED, delivered_on=TODAY - timedelta(days=30))}
    (finding,) = found(seen=home)
    assert (finding.kind, finding.line, finding.booking, finding.numbers) == (FindingKind.UNBILLED, None, "B1", ("N1",))
    assert finding.difference == usd("-10.00")
    assert kinds(seen=home, unbilled_after_days=31) == []
    assert kinds(line(), seen=home) == ["agrees"]
    assert kinds(of=(booked(voided=True),), seen=home) == []


def test_a_booking_of_which_one_parcel_took_the_whole_price_is_billed() -> None:
    home = {number: Seen(milestone=Milestone.DELIVERED, delivered_on=DAY) for number in ("N1", "N2")}
    two = (booked("N1", "N2"),)
    assert kinds(line("N1", "10.00"), of=two, seen=home) == ["agrees"]
    _first, missing = found(line("N1", "6.00"), of=two, seen=home)
    assert (missing.kind, missing.numbers, missing.booked) == (FindingKind.UNBILLED, ("N2",), usd("4.00"))


def test_a_line_is_one_line_however_often_it_is_given_and_two_under_one_number_are_refused() -> None:
    assert kinds(line(), line()) == ["agrees"]
    with pytest.raises(InputError, match="/invoices/I1/N1:booked"):
        found(line(), line(amount="11.00"))
    with pytest.raises(InputError, match="no charges"):
        found(line(charges=()))


@given(bills(), worlds())
def test_every_line_is_found_once_and_the_sums_are_those_of_the_bills(
    lines: list[InvoiceLine], world: tuple[list[Booked], dict[str, Seen]]
) -> None:
    findings = match(lines, world[0], world[1], on=TODAY)
    told = [finding for finding in findings if finding.line is not None]

    assert [(finding.line.invoice_number, finding.line.line_id) for finding in told if finding.line] == [
        (each.invoice_number, each.line_id) for each in lines
    ]
    assert _sums(each.billed for each in lines) == _sums(finding.billed for finding in told)
    for finding in told:
        if finding.booked is not None:
            assert finding.billed is not None and finding.difference == finding.billed - finding.booked
        elif finding.kind not in (FindingKind.CURRENCY, FindingKind.UNPRICED):
            assert finding.difference == finding.billed
    assert all(finding.kind is FindingKind.UNBILLED for finding in findings[len(told) :])


@given(bills(), worlds())
def test_no_more_of_a_price_is_taken_than_there_is(
    lines: list[InvoiceLine], world: tuple[list[Booked], dict[str, Seen]]
) -> None:
    findings = match(lines, world[0], world[1], on=TODAY)
    for order in world[0]:
        if order.total is not None:
            taken = [each.booked.amount for each in findings if each.booking == order.id and each.booked is not None]
            assert sum(taken) <= order.total.amount


@given(bills(), worlds(), st.randoms(use_true_random=False))
def test_the_findings_do_not_depend_on_the_order_of_the_lines(
    lines: list[InvoiceLine], world: tuple[list[Booked], dict[str, Seen]], luck: random.Random
) -> None:
    mixed = list(lines)
    luck.shuffle(mixed)
    one, other = (match(each, world[0], world[1], on=TODAY) for each in (lines, mixed))
    assert {_named(finding): finding for finding in one} == {_named(finding): finding for finding in other}


@given(bills(), worlds(), st.integers(1, 3))
def test_a_later_bill_changes_nothing_about_an_earlier_one(
    lines: list[InvoiceLine], world: tuple[list[Booked], dict[str, Seen]], bill: int
) -> None:
    early = [each for each in lines if each.invoice_number <= f"I{bill}"]
    whole = {_named(finding): finding for finding in match(lines, world[0], world[1], on=TODAY)}
    for finding in match(early, world[0], world[1], on=TODAY):
        if finding.line is not None:
            assert whole[_named(finding)] == finding


def _named(finding: Finding) -> tuple[str, ...]:
    if finding.line is None:
        return (finding.booking or "", *finding.numbers)
    return (finding.line.invoice_number, finding.line.line_id)


def _sums(amounts: object) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for amount in amounts:  # type: ignore[attr-defined]
        found[amount.currency] += amount.amount
    return dict(found)


def test_what_a_timeline_knows_is_the_day_of_the_last_delivery() -> None:
    from shipkit.model import EventTime, MilestoneEntry, Timeline, TimePrecision

    entry = MilestoneEntry(
        milestone=Milestone.DELIVERED,
        ordinal=1,
        at=EventTime(local=date(2026, 3, 4), precision=TimePrecision.DAY),
        event_id="e",
    )
    timeline = Timeline(
        scope="s",
        milestone=Milestone.DELIVERED,
        entries=(entry,),
        events=(),
        exceptions=(),
        anomalies=(),
        evidence_count=1,
        mapping_versions=frozenset(),
        revision=1,
    )
    assert Seen.of(timeline) == Seen(milestone=Milestone.DELIVERED, delivered_on=date(2026, 3, 4))


@pytest.mark.parametrize("reason", [InvoiceLineReason.BOOKED, InvoiceLineReason.OTHER])
def test_many_lines_of_one_parcel_take_a_time_in_proportion(reason: InvoiceLineReason) -> None:
    many = [
        line(amount=Decimal(sign * (index + 1)) / 100, line_id=f"{index}{sign}", reason=reason)
        for index in range(4000)
        for sign in (1, -1)
    ]
    assert len(found(*many)) == 8000
