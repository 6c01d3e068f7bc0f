"""UPS's billing data file: the CSV in which UPS bills, a row for each charge."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Final, NoReturn

import attrs

from shipkit.errors import InputError
from shipkit.model import (
    Charge,
    ChargeType,
    InvoiceLine,
    InvoiceLineReason,
    InvoiceMatch,
    Money,
    NumberScheme,
    Problem,
    ProblemCode,
    TrackingNumber,
    Weight,
    WeightUnit,
)

from .billing_codes import CHARGES, COLUMNS, CORRECTIONS, DUTIES, HOME, INFORMATION, REASONS, WEIGHT_UNITS, ZERO

__all__ = ["lines_from_file"]

_BYTES_MAX: Final = 64 * 1024 * 1024
_ROWS_MAX: Final = 250_000
_COLUMNS_MAX: Final = 300  # the file has 250, older ones fewer
_CELL_MAX: Final = 1_000

_AMOUNT: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_VERSION: Final = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_NUMBER: Final = re.compile(r"[A-Za-z0-9 -]{1,35}", re.ASCII)


@attrs.frozen
class _Row:
    """One charge as it stands in the file: what we know of its 250 columns."""

    at: int
    """Its line in the file, counted from 1."""
    texts: Mapping[str, str]
    columns: Mapping[str, int]

    def text(self, column: str) -> str:
        return self.texts[column]

    def amount(self, column: str) -> Decimal | None:
        if not (text := self.text(column)):
            return None
        if not _AMOUNT.fullmatch(text):
            self.refuse(column, "is no amount such as -12.50")
        return Decimal(text)

    def day(self, column: str) -> date:
        text = self.matching(column, _DATE, "is no date such as 2026-03-02")
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.refuse(column, "is no day of the calendar")

    def matching(self, column: str, pattern: re.Pattern[str], what: str) -> str:
        text = self.text(column)
        if not pattern.fullmatch(text):
            self.refuse(column, what)
        return text

    def refuse(self, column: str, what: str) -> NoReturn:
        _refuse(self.at, what, column, self.columns[column])


def _refuse(at: int, what: str, column: str = "", position: int = 0, code: str = "malformed") -> NoReturn:
    """What is in the cell is not repeated: in a file that is out of step it may be anybody's address."""
    where = f"line {at}, column {position} ({column})" if column else f"line {at}"
    path = f"/lines/{at}/{position}" if column else f"/lines/{at}"
    raise InputError(problems=(Problem(path=path, code=ProblemCode(code), text=f"{where}: {what}"),))


def lines_from_file(content: bytes) -> tuple[InvoiceLine, ...]:
    """What UPS billed, by parcel and reason, in the order of the file.

    Raises:
        InputError: it is not a billing data file, or one of its rows cannot be read.
    """
    groups: dict[tuple[str, ...], _Group] = {}
    bills: dict[str, _Bill] = {}
    for row in _rows(content):
        bill = bills.setdefault(row.text("Invoice Number"), _Bill.of(row))
        bill.add(row)
        key = _key(row)
        groups.setdefault((*key, str(bill.turn(key, row))), _Group(key)).rows.append(row)
    lines = [group.line(copy) for (*_, copy), group in groups.items()]
    return (*lines, *(line for bill in bills.values() for line in bill.unexplained()))


def _rows(content: bytes) -> Iterator[_Row]:
    if len(content) > _BYTES_MAX:
        _refuse(1, f"the file has more than {_BYTES_MAX} bytes", code="too_long")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # what is not ASCII is in descriptions and addresses only
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns, count = COLUMNS, 0
    while True:
        at = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            _refuse(at, f"is no CSV: {error}")
        if not any(cell.strip() for cell in cells):
            continue
        if count == 0 and columns is COLUMNS and cells[0].strip() == "Version":
            columns = _named(at, cells)
            continue
        count += 1
        yield _checked(_row(at, cells, columns), count)
    if not count:
        _refuse(1, "there is no charge in the file", code="missing")


def _named(at: int, cells: Sequence[str]) -> Mapping[str, int]:
    """Where the columns stand in a file to which somebody gave a row of names."""
    places: dict[str, int] = {}
    for place, cell in enumerate(cells, 1):
        if places.setdefault(cell.strip(), place) != place and cell.strip() in COLUMNS:
            _refuse(at, f"the column {cell.strip()} is there twice", code="duplicate")
    for column in COLUMNS:
        if column not in places:
            _refuse(at, f"there is no column {column}", code="missing")
    return {column: places[column] for column in COLUMNS}


def _row(at: int, cells: Sequence[str], columns: Mapping[str, int]) -> _Row:
    needed = max(columns.values())
    if not needed <= len(cells) <= _COLUMNS_MAX:
        _refuse(at, f"there are {len(cells)} columns, not {needed} to {_COLUMNS_MAX}, divided by commas")
    return _Row(at, {column: cells[place - 1].strip() for column, place in columns.items()}, columns)


def _checked(row: _Row, count: int) -> _Row:
    if count > _ROWS_MAX:
        _refuse(row.at, f"there are more than {_ROWS_MAX} charges", code="too_many")
    for column in row.columns:
        if len(row.text(column)) > _CELL_MAX:
            row.refuse(column, f"is longer than {_CELL_MAX} characters")
    row.matching("Version", _VERSION, "is no version such as 2.1: this is no billing data file")
    row.matching("Invoice Number", _NUMBER, "is no number")
    row.matching("Invoice Currency Code", _CURRENCY, "is no currency")
    return row


def _key(row: _Row) -> tuple[str, ...]:
    """What makes charges one line: the bill, the parcel, why it was billed, and whether it is the state's."""
    number = row.text("Tracking Number") or row.text("Lead Shipment Number")
    kind = "duties" if row.text("Charge Classification Code") in DUTIES else ""
    codes = (row.text("Charge Category Code"), row.text("Charge Category Detail Code"))
    return (row.text("Invoice Number"), number.upper(), *codes, _currency(row), kind)


def _currency(row: _Row) -> str:
    if not row.text("Transaction Currency Code"):
        return row.text("Invoice Currency Code")
    return row.matching("Transaction Currency Code", _CURRENCY, "is no currency")


def _net(row: _Row) -> Decimal:
    """What the charge adds to the bill: informational rows repeat what others charge, and add nothing."""
    amount = row.amount("Net Amount")
    return ZERO if row.text("Charge Classification Code") == INFORMATION or amount is None else amount


@attrs.define
class _Bill:
    """What one bill says of itself, and what its rows say."""

    number: str
    billed_on: date
    currency: str
    total: Decimal | None
    sums: dict[str, Decimal] = attrs.field(factory=dict)
    turns: dict[tuple[str, ...], Counter[str]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, row: _Row) -> _Bill:
        return cls(
            row.text("Invoice Number"),
            row.day("Invoice Date"),
            row.text("Invoice Currency Code"),
            row.amount("Invoice Amount"),
        )

    def add(self, row: _Row) -> None:
        """Count *row* in.

        Raises:
            InputError: it contradicts an earlier row of the same bill.
        """
        for column, known, found in (
            ("Invoice Date", self.billed_on, row.day("Invoice Date")),
            ("Invoice Currency Code", self.currency, row.text("Invoice Currency Code")),
            ("Invoice Amount", self.total, row.amount("Invoice Amount")),
        ):
            if known != found:
                row.refuse(column, "is another one than in the rows before, for the same invoice")
        currency = _currency(row)
        self.sums[currency] = self.sums.get(currency, ZERO) + _net(row)

    def turn(self, key: tuple[str, ...], row: _Row) -> int:
        """How often the same has been billed: a second charge for the transport begins a line of its own."""
        seen = self.turns.setdefault(key, Counter())
        if row.text("Charge Classification Code") == "FRT":
            code = row.text("Charge Description Code")
            seen[code] += 1
            return seen[code]
        return max(seen.values(), default=1)

    def unexplained(self) -> Iterator[InvoiceLine]:
        """What the total holds beyond the rows, so that the lines add up to it; nothing in bills of two currencies."""
        if self.total is None or set(self.sums) != {self.currency}:
            return
        missing = self.total - self.sums[self.currency]
        if missing:
            charge = Charge(type=ChargeType.UNEXPLAINED, amount=Money(missing, self.currency))
            yield InvoiceLine(
                invoice_number=self.number,
                line_id="unexplained",
                billed_on=self.billed_on,
                shipment_match=InvoiceMatch.UNMATCHED,
                charges=(charge,),
                reason=InvoiceLineReason.OTHER,
            )


@attrs.define
class _Group:
    """The rows of one line."""

    key: tuple[str, ...]
    rows: list[_Row] = attrs.field(factory=list)

    def line(self, copy: str) -> InvoiceLine:
        invoice, number, category, detail, currency, kind = self.key
        first = self.rows[0]
        if number and not _NUMBER.fullmatch(number):
            column = "Tracking Number" if first.text("Tracking Number") else "Lead Shipment Number"
            first.refuse(column, "is no tracking number")
        scheme = NumberScheme.UPS_1Z if number.startswith("1Z") else NumberScheme.UNKNOWN
        billed, declared = self._weight("Billed Weight"), self._weight("Entered Weight")
        return InvoiceLine(
            invoice_number=invoice,
            line_id="/".join((_pseudonym(number), *filter(None, (category, detail, kind)), currency, copy)),
            billed_on=first.day("Invoice Date"),
            tracking_number=TrackingNumber(value=number, carrier="ups", scheme=scheme) if number else None,
            shipment_match=InvoiceMatch.UNMATCHED,
            charges=tuple(_charge(row, currency) for row in self.rows),
            reason=self._reason(category, detail, kind, billed, declared),
            billed_service=self._service(),
            billed_weight=billed,
            declared_weight=declared,
        )

    def _reason(
        self, category: str, detail: str, kind: str, billed: Weight | None, declared: Weight | None
    ) -> InvoiceLineReason:
        if kind:
            return InvoiceLineReason.DUTIES
        if category not in CORRECTIONS:
            return REASONS.get((category, ""), InvoiceLineReason.OTHER)
        if detail == "SCC":
            heavier = billed is not None and declared is not None and billed.grams > declared.grams
            return InvoiceLineReason.REWEIGH if heavier else InvoiceLineReason.OTHER
        if any(row.text("Charge Description Code") == HOME for row in self.rows):
            return InvoiceLineReason.RESIDENTIAL
        return REASONS.get((category, detail), InvoiceLineReason.OTHER)

    def _service(self) -> str | None:
        words = (row.text("Charge Description") for row in self.rows if row.text("Charge Classification Code") == "FRT")
        return next((word for word in words if word), None)

    def _weight(self, column: str) -> Weight | None:
        """The first that a row gives: rows of charges that do not hang on it say 0."""
        for row in self.rows:
            value = row.amount(column)
            if value is not None and value < 0:
                row.refuse(column, "is below 0")
            if value:
                unit = f"{column} Unit of Measure"
                known = WEIGHT_UNITS.get(row.text(unit))
                if known is None:
                    row.refuse(unit, f"is none of {', '.join(WEIGHT_UNITS)}")
                return Weight(value, WeightUnit(known))
        return None


def _pseudonym(number: str) -> str:
    """Names a parcel in the line's id without saying its number, which is personal."""
    return f"{sha256(number.encode()).hexdigest()[:16]}-{number[-4:]}" if number else "account"


def _charge(row: _Row, currency: str) -> Charge:
    """One row; what is not known keeps UPS's code and words, as ``other``."""
    kind, code = row.text("Charge Classification Code"), row.text("Charge Description Code")
    amount = _net(row)
    known = ChargeType.RESIDENTIAL if code == HOME else CHARGES.get(kind, ChargeType.OTHER)
    return Charge(
        type=ChargeType.REFUND if amount < 0 else known,
        code=f"{kind}/{code}" if code else kind or None,
        description=row.text("Charge Description") or None,
        amount=Money(amount, currency),
    )
