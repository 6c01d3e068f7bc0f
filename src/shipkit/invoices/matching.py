"""Bills held against bookings and journeys: pure, and the same for any order of the lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

import attrs

from ..errors import InputError
from ..model import (
    EMPTY,
    ChargeType,
    Dimensions,
    InvoiceLine,
    InvoiceLineReason,
    InvoiceMatch,
    Length,
    Money,
    Problem,
    ProblemCode,
    canonical_number,
    evolve,
)
from .values import Booked, Finding, FindingKind, Seen, Terms

__all__ = ["match"]

_Key = tuple[str, str]
_NOTHING = Terms()


def match(
    lines: Iterable[InvoiceLine],
    bookings: Iterable[Booked],
    seen: Mapping[str, Seen] = EMPTY,
    *,
    on: date,
    terms: Terms = _NOTHING,
) -> tuple[Finding, ...]:
    """What each line turned out to be, in the order given; then what was delivered and not billed.

    Give it all lines that are known of the bookings, those of earlier bills too: lines count in the order of their
    bills, so that a later bill changes nothing about an earlier one. *seen* is by tracking number, *on* is today.

    Raises:
        InputError: a line has no charge, or charges of several currencies, or two different lines have the same number.
    """
    unique = _unique(lines)
    books = _Books(bookings, {canonical_number(number): at for number, at in seen.items()}, on, terms)
    found = {_key(line): books.judged(line) for line in sorted(unique.values(), key=_place)}
    return (*(found[key] for key in unique), *books.unbilled())


def _key(line: InvoiceLine) -> _Key:
    return line.invoice_number, line.line_id


def _place(line: InvoiceLine) -> tuple[date, str, bool, str]:
    """The place of a line among all: by its bill, and what is owed before what is given back."""
    return line.billed_on, line.invoice_number, _billed(line).amount < 0, line.line_id


def _billed(line: InvoiceLine) -> Money:
    billed = line.billed
    if billed is None:
        raise _refused(line, ProblemCode.INCONSISTENT, "has no charges, or charges of several currencies")
    return billed


def _unique(lines: Iterable[InvoiceLine]) -> dict[_Key, InvoiceLine]:
    unique: dict[_Key, InvoiceLine] = {}
    for line in lines:
        if unique.setdefault(_key(line), line) != line:
            raise _refused(line, ProblemCode.DUPLICATE, "was given twice, with different contents")
    return unique


def _refused(line: InvoiceLine, code: ProblemCode, text: str) -> InputError:
    where = f"/invoices/{line.invoice_number}/{line.line_id}"
    return InputError(problems=(Problem(path=where, code=code, text=f"the line {text}"),))


@attrs.define
class _Account:
    """What was billed of one booking so far."""

    booked: Booked
    taken: Decimal = Decimal(0)
    billed: set[str] = attrs.field(factory=set)

    @property
    def left(self) -> Decimal:
        return self.booked.total.amount - self.taken if self.booked.total else Decimal(0)

    def share(self, number: str, billed: Decimal) -> Decimal:
        """What of the price falls on *number*: as much as is billed, and on the last parcel all that is left."""
        self.billed.add(number)
        part = self.left if self.billed >= set(self.booked.numbers) else min(self.left, billed)
        self.taken += part
        return part

    def give_back(self, number: str, part: Decimal) -> None:
        """The transport of *number* was credited whole: it may be billed again."""
        self.billed.discard(number)
        self.taken -= part


@attrs.define
class _Owed:
    """A line that was billed, and how much of it was not credited yet."""

    line: InvoiceLine
    ordinary: bool
    left: Decimal
    taken: Decimal
    """What it took of the booking's price."""
    booked: Decimal
    """The same with the tax on it."""


class _Books:
    """The bookings, and the lines judged so far."""

    def __init__(self, bookings: Iterable[Booked], seen: Mapping[str, Seen], on: date, terms: Terms) -> None:
        self._accounts = [_Account(booked) for booked in bookings]
        self._by_number: dict[str, list[_Account]] = {}
        for account in self._accounts:
            for number in account.booked.numbers:
                self._by_number.setdefault(number, []).append(account)
        self._billed: set[str] = set()
        self._owed: dict[tuple[str, str], deque[_Owed]] = {}
        self._same: dict[tuple[object, ...], deque[_Owed]] = {}
        self._seen, self._on, self._terms = seen, on, terms

    def judged(self, line: InvoiceLine) -> Finding:
        billed = _billed(line)
        if line.tracking_number is None:
            return Finding(kind=FindingKind.ACCOUNT, line=line, billed=billed, difference=billed, reason=line.reason)
        number = line.tracking_number.value
        finding = Finding(
            kind=FindingKind.UNMATCHED,
            line=line,
            numbers=(number,),
            billed=billed,
            difference=billed,
            reason=line.reason,
        )
        owners = self._by_number.get(number, [])
        if len(owners) != 1:
            kind, belongs = FindingKind.UNMATCHED, InvoiceMatch.UNMATCHED
            if owners:
                kind, belongs = FindingKind.AMBIGUOUS, InvoiceMatch.AMBIGUOUS
            return attrs.evolve(finding, kind=kind, line=evolve(line, shipment_match=belongs))
        (account,) = owners
        line = evolve(line, shipment_match=InvoiceMatch.MATCHED)
        finding = attrs.evolve(finding, line=line, booking=account.booked.id)
        if not billed.amount:
            return attrs.evolve(finding, kind=FindingKind.AGREES)  # it informs, and bills nothing
        if billed.amount < 0:
            return self._credited(finding, number, billed, account)
        ordinary = line.reason is InvoiceLineReason.BOOKED or (
            line.reason is InvoiceLineReason.RETURN and account.booked.returned
        )
        before = account.taken
        found = self._owing(finding, line, billed, account, ordinary)
        part = found.booked.amount if found.booked is not None else Decimal(0)
        owed = _Owed(line, ordinary, billed.amount, taken=account.taken - before, booked=part)
        self._billed.add(number)
        self._owed.setdefault((number, billed.currency), deque()).append(owed)
        self._same.setdefault(_meaning(number, line, ordinary), deque()).append(owed)
        return found

    def _owing(self, finding: Finding, line: InvoiceLine, billed: Money, account: _Account, ordinary: bool) -> Finding:
        (number,), booked = finding.numbers, account.booked
        if booked.total is not None and booked.total.currency != billed.currency:
            return attrs.evolve(finding, kind=FindingKind.CURRENCY, difference=None)
        if (before := self._before(number, line, ordinary)) is not None:
            return attrs.evolve(finding, kind=FindingKind.DUPLICATE, against=_key(before))
        if booked.voided:
            return attrs.evolve(finding, kind=FindingKind.VOIDED)
        if self._unused(number, booked):
            return attrs.evolve(finding, kind=FindingKind.UNUSED)
        if ordinary and booked.total is None:
            account.billed.add(number)
            return attrs.evolve(finding, kind=FindingKind.UNPRICED, difference=None)
        tax = self._tax(line, billed, account) if ordinary else Decimal(0)
        share = account.share(number, billed.amount - tax) if ordinary else Decimal(0)
        part = Money(share + tax, billed.currency)
        difference = billed - part
        agrees = abs(difference.amount) <= self._tolerance(billed.currency)
        reason = line.reason
        if ordinary and not agrees:
            reason = _why(line, number, booked) if difference.amount > 0 else InvoiceLineReason.OTHER
        return attrs.evolve(
            finding,
            kind=FindingKind.AGREES if agrees else FindingKind.DIFFERS,
            line=evolve(line, quoted=part),
            booked=part,
            difference=difference,
            reason=reason,
        )

    def _credited(self, finding: Finding, number: str, credit: Money, account: _Account) -> Finding:
        """Set *credit* against what is still owed for *number*, oldest first."""
        against, back, left = None, Decimal(0), -credit.amount
        standing = self._owed.get((number, credit.currency))
        while left > 0 and (owed := _first(standing)) is not None:
            against = against or _key(owed.line)
            part = min(left, owed.left)
            owed.left -= part
            left -= part
            if owed.left == 0 and owed.booked:
                account.give_back(number, owed.taken)
                back += owed.booked
        booked = Money(-back, credit.currency) if back else None
        return attrs.evolve(
            finding,
            kind=FindingKind.CREDIT,
            booked=booked,
            difference=credit - booked if booked else credit,
            against=against,
        )

    def _before(self, number: str, line: InvoiceLine, ordinary: bool) -> InvoiceLine | None:
        """The line that already billed this: the transport once, a correction of the same charges once."""
        owed = _first(self._same.get(_meaning(number, line, ordinary)))
        return None if owed is None else owed.line

    def _unused(self, number: str, booked: Booked) -> bool:
        at = self._seen.get(number)
        if at is None or booked.booked_on is None or at.scanned is not False:
            return False
        return booked.booked_on + timedelta(days=self._terms.unused_after_days) <= self._on

    def _tax(self, line: InvoiceLine, billed: Money, account: _Account) -> Decimal:
        """The tax of *line* that comes on top of the booking's price."""
        included = account.booked.tax_included
        if included is None:
            included = abs(billed.amount - account.left) <= self._tolerance(billed.currency)
        taxes = [] if included else [each.amount.amount for each in line.charges if each.type is ChargeType.TAX]
        return sum(taxes, Decimal(0))

    def _tolerance(self, currency: str) -> Decimal:
        return self._terms.tolerance.get(currency, Decimal(0))

    def unbilled(self) -> Iterable[Finding]:
        """What was delivered, and not billed after the time in which it should have been."""
        for account in self._accounts:
            booked = account.booked
            open_ = tuple(number for number in booked.numbers if number not in self._billed and self._overdue(number))
            some_billed = any(number in self._billed for number in booked.numbers)
            small = booked.total is None or account.left <= self._tolerance(booked.total.currency)
            if booked.voided or not open_ or (some_billed and small):
                continue
            missing = Money(account.left, booked.total.currency) if booked.total else None
            yield Finding(
                kind=FindingKind.UNBILLED,
                booking=booked.id,
                numbers=open_,
                booked=missing,
                difference=-missing if missing is not None else None,
            )

    def _overdue(self, number: str) -> bool:
        at = self._seen.get(number)
        if at is None or at.delivered_on is None:
            return False
        return at.delivered_on + timedelta(days=self._terms.unbilled_after_days) <= self._on


def _meaning(number: str, line: InvoiceLine, ordinary: bool) -> tuple[object, ...]:
    """What two lines have in common when the second bills what the first did."""
    return (number,) if ordinary else (number, line.reason, line.charges)


def _first(owed: deque[_Owed] | None) -> _Owed | None:
    """The oldest of *owed* that still stands; those that were credited whole are dropped for good."""
    while owed and owed[0].left <= 0:
        owed.popleft()
    return owed[0] if owed else None


def _why(line: InvoiceLine, number: str, booked: Booked) -> InvoiceLineReason:
    """Why more was billed than booked, as far as the line and the booking tell."""
    measured, given = line.billed_dimensions, booked.dimensions.get(number)
    if measured is not None and given is not None and _larger(measured, given):
        return InvoiceLineReason.REDIMENSION
    weighed, declared = line.billed_weight, booked.weights.get(number) or line.declared_weight
    # Carriers bill begun units: 2.4 kg billed as 3 kg was not weighed anew.
    if weighed and declared and weighed.value > declared.to(weighed.unit, ROUND_CEILING, "1"):
        return InvoiceLineReason.REWEIGH
    if booked.residential is False and any(charge.type is ChargeType.RESIDENTIAL for charge in line.charges):
        return InvoiceLineReason.RESIDENTIAL
    return InvoiceLineReason.OTHER


def _larger(measured: Dimensions, given: Dimensions) -> bool:
    """Whether a side is longer than declared; carriers measure begun units too, whichever side they call the length."""
    pairs = zip(_sides(measured), _sides(given), strict=False)
    return any(one.value > other.to(one.unit, ROUND_CEILING, "1") for one, other in pairs)


def _sides(size: Dimensions) -> list[Length]:
    return sorted(filter(None, (size.length, size.width, size.height)), key=lambda side: side.millimetres, reverse=True)
