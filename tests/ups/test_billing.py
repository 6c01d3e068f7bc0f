"""UPS's billing data file: every charge is in a line, the lines add up, and what cannot be read is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.carrier import ReadsInvoices, able
from shipkit.errors import InputError
from shipkit.invoices import Booked, match
from shipkit.model import (
    CancelRequest,
    ChargeType,
    InvoiceLine,
    InvoiceLineReason,
    Money,
    NumberScheme,
    Shipment,
    Weight,
    WeightUnit,
)
from shipkit_ups.billing_codes import COLUMNS
from shipkit_ups.simulator.billing import FAULTS, billing_file, stranger
from tests.ups.samples import ORDER, UPS
from tests.ups.stage import START, Stage

Cells = list[list[str]]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def read(content: bytes) -> tuple[InvoiceLine, ...]:
    return UPS.read_invoice(content)


def cells_of(content: bytes) -> Cells:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def written(rows: Iterable[list[str]], **dialect: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


def changed(content: bytes, column: str, value: str, *, row: int = 0) -> bytes:
    rows = cells_of(content)
    rows[row][COLUMNS[column] - 1] = value
    return written(rows)


def total(lines: Iterable[InvoiceLine]) -> Decimal:
    return sum((line.billed.amount for line in lines if line.billed is not None), Decimal(0))


def booked(shipment: Shipment, **rest: object) -> Booked:
    numbers = tuple(number.value for number in shipment.tracking_numbers)
    return Booked(id=shipment.shipment_id, numbers=numbers, total=shipment.total, booked_on=START.date(), **rest)  # type: ignore[arg-type]


def test_the_plugin_reads_invoices() -> None:
    assert able(UPS, ReadsInvoices)


def test_the_lines_add_up_to_what_the_carriers_books_would_invoice(stage: Stage) -> None:
    for _ in range(3):
        stage.book()
    stage.world.charge("pickup", Decimal("9.75"), "USD")

    assert total(read(billing_file(stage.world))) == sum(line.amount for line in stage.world.invoice())


def test_a_parcel_is_one_line_with_its_charges_weights_and_service(stage: Stage) -> None:
    shipment = stage.book()
    lines = read(billing_file(stage.world, "000000A1B2C3126", on=date(2026, 3, 7)))

    assert [line.tracking_number and line.tracking_number.value for line in lines] == [
        number.value for number in shipment.tracking_numbers
    ]
    first = lines[0]
    assert (first.invoice_number, first.billed_on) == ("000000A1B2C3126", date(2026, 3, 7))
    assert first.reason is InvoiceLineReason.BOOKED
    assert [charge.type for charge in first.charges] == [ChargeType.BASE, ChargeType.FUEL]
    assert first.tracking_number is not None and first.tracking_number.scheme is NumberScheme.UPS_1Z
    assert first.billed_weight is not None and first.billed_weight == first.declared_weight
    assert first.billed_service


def test_what_was_booked_agrees_with_its_bill(stage: Stage) -> None:
    orders = [booked(stage.book()) for _ in range(2)]
    findings = match(read(billing_file(stage.world)), orders, on=START.date())

    assert {finding.kind.value for finding in findings} == {"agrees"}


EXPECTED = {
    "reweigh": ("differs", "reweigh"),
    "heavier": ("differs", "reweigh"),
    "duplicate": ("duplicate", "booked"),
    "address_correction": ("differs", "address_correction"),
    "residential": ("differs", "residential"),
    "duties": ("differs", "duties"),
    "credit": ("credit", "other"),
    "unknown": ("unmatched", "booked"),
    "unknown_code": ("differs", "other"),
    "currency": ("currency", "booked"),
    "fee": ("account", "other"),
}


@pytest.mark.parametrize(("fault", "expected"), EXPECTED.items())
def test_every_fault_of_a_bill_is_found_for_what_it_is(stage: Stage, fault: str, expected: tuple[str, str]) -> None:
    order = attrs.evolve(ORDER, packages=ORDER.packages[:1])
    shipment = stage.run(UPS.create_shipment(order))
    number = stranger() if fault == "unknown" else shipment.tracking_numbers[0].value
    content = billing_file(stage.world, faults={fault: [number]})

    findings = match(read(content), [booked(shipment)], on=START.date())
    odd = [(each.kind.value, each.reason and each.reason.value) for each in findings if each.kind != "agrees"]
    assert odd == [expected]


def test_a_voided_parcel_that_is_billed_all_the_same_and_one_that_was_forgotten(stage: Stage) -> None:
    shipment = stage.book()
    numbers = tuple(number.value for number in shipment.tracking_numbers)
    stage.run(
        UPS.cancel_shipment(
            CancelRequest(
                shipment_id=shipment.shipment_id,
                reference=ORDER.reference,
                tracking_numbers=shipment.tracking_numbers,
            )
        )
    )
    other = stage.book()
    billed = {str(line.tracking_number) for line in read(billing_file(stage.world))}
    assert billed == {number.value for number in other.tracking_numbers}
    lines = read(billing_file(stage.world, faults={"after_void": numbers}))
    findings = match(lines, [booked(shipment, voided=True), booked(other)], on=START.date())
    assert [each.kind.value for each in findings] == ["voided"] * len(numbers) + ["agrees"] * len(other.packages)

    left = billing_file(stage.world, faults={"forgotten": [other.tracking_numbers[0].value]})
    assert other.tracking_numbers[0].value not in left.decode()


def test_all_faults_are_tried() -> None:
    assert set(FAULTS) == {*EXPECTED, "after_void", "forgotten"}


def test_an_unknown_fault_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="nosuch"):
        billing_file(stage.world, faults={"nosuch": []})


def test_a_charge_of_unknown_codes_keeps_them(stage: Stage) -> None:
    number = stage.book().tracking_numbers[0].value
    lines = read(billing_file(stage.world, faults={"unknown_code": [number]}))
    (charge,) = next(line.charges for line in lines if line.reason is InvoiceLineReason.OTHER)
    assert (charge.type, charge.code, charge.amount) == (ChargeType.OTHER, "QQQ/999", Money("1.23", "USD"))


def test_what_the_total_holds_beyond_the_rows_is_a_line_of_its_own(stage: Stage) -> None:
    stage.book()
    rows = cells_of(billing_file(stage.world))
    stated = Decimal(rows[0][COLUMNS["Invoice Amount"] - 1]) + Decimal("2.50")
    for row in rows:
        row[COLUMNS["Invoice Amount"] - 1] = str(stated)
    *_, last = lines = read(written(rows))
    assert (last.line_id, last.charges[0].type) == ("unexplained", ChargeType.UNEXPLAINED)
    assert total(lines) == stated


def test_informational_rows_add_nothing(stage: Stage) -> None:
    stage.book()
    content = billing_file(stage.world)
    rows = cells_of(content)
    twin = list(rows[0])
    twin[COLUMNS["Charge Classification Code"] - 1] = "INF"
    lines = read(written([*rows, twin]))
    assert total(lines) == total(read(content))
    assert sum(len(line.charges) for line in lines) == len(rows) + 1


def test_the_same_bill_gives_the_same_lines_with_numbers_of_their_own(stage: Stage) -> None:
    numbers = [number.value for number in stage.book().tracking_numbers]
    content = billing_file(stage.world, faults={"duplicate": numbers, "reweigh": numbers, "fee": []})
    lines = read(content)
    assert lines == read(content)
    assert len({line.line_id for line in lines}) == len(lines)
    assert not any(number in line.line_id for number in numbers for line in lines)  # logs mask numbers, and no ids


def test_a_file_with_names_is_read_by_its_names_in_any_order(stage: Stage) -> None:
    stage.book()
    rows = cells_of(billing_file(stage.world, header=True))
    turned = [row[:1] + row[:0:-1] for row in rows]
    assert read(written(turned)) == read(written(rows)) == read(billing_file(stage.world))


def test_other_encodings_and_ends_of_lines_are_read(stage: Stage) -> None:
    stage.book()
    content = changed(billing_file(stage.world), "Charge Description", "Treibstoffzuschläge")
    lines = read(content)
    assert read(b"\xef\xbb\xbf" + content) == lines
    assert read(content.decode().encode("latin-1")) == lines
    assert read(content.replace(b"\r\n", b"\n") + b"\n\n") == lines


SPOILT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "no charge"),
    "blank": (lambda _: b"\n \n", "no charge"),
    "a page": (lambda _: b"<html><body>Sign in</body></html>", "line 1: there are 1 columns"),
    "semicolons": (lambda content: content.replace(b",", b";"), "line 1: there are 1 columns"),
    "short row": (lambda content: content + b"2.1,x\r\n", r"line \d+: there are 2 columns"),
    "long row": (lambda content: content.replace(b"\r\n", b"," * 100 + b"\r\n", 1), "line 1: there are 350 columns"),
    "open quote": (lambda content: content + b'"', "is no CSV"),
    "zero byte": (lambda content: content.replace(b"2.1", b"2\0", 1), "line 1"),
    "amount": (lambda content: changed(content, "Net Amount", "1,50"), r"line 1, column 53 \(Net Amount\)"),
    "exponent": (lambda content: changed(content, "Net Amount", "1e9"), "column 53"),
    "no number": (lambda content: changed(content, "Net Amount", "NaN"), "column 53"),
    "other digits": (lambda content: changed(content, "Net Amount", "١"), "column 53"),
    "date": (lambda content: changed(content, "Invoice Date", "03/02/2026"), r"column 5 \(Invoice Date\)"),
    "week": (lambda content: changed(content, "Invoice Date", "2026-W10-1"), "column 5"),
    "calendar": (lambda content: changed(content, "Invoice Date", "2026-02-30"), "column 5"),
    "version": (lambda content: changed(content, "Version", "Total"), "column 1"),
    "invoice": (lambda content: changed(content, "Invoice Number", ""), "column 6"),
    "currency": (lambda content: changed(content, "Invoice Currency Code", "usd"), "column 10"),
    "paid in": (lambda content: changed(content, "Transaction Currency Code", "$"), "column 51"),
    "tracking": (lambda content: changed(content, "Tracking Number", "1Z/;DROP"), "column 21"),
    "unit": (lambda content: changed(content, "Billed Weight Unit of Measure", "X"), "column 30"),
    "weight": (lambda content: changed(content, "Billed Weight", "-3"), "column 29"),
    "long cell": (lambda content: changed(content, "Charge Description", "x" * 1001), "column 46"),
    "two totals": (lambda content: changed(content, "Invoice Amount", "1.00", row=1), "line 2, column 11"),
    "two dates": (lambda content: changed(content, "Invoice Date", "2026-03-09", row=1), "line 2, column 5"),
    "name missing": (lambda content: b"Version,Invoice Date\r\n" + content, "no column"),
    "name twice": (lambda content: b"Version,Invoice Date,Invoice Date\r\n" + content, "twice"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_file_is_refused_and_says_where(stage: Stage, name: str) -> None:
    stage.book()
    spoil, where = SPOILT[name]
    with pytest.raises(InputError, match=where):
        read(spoil(billing_file(stage.world)))


def test_what_stands_in_a_cell_is_not_repeated(stage: Stage) -> None:
    stage.book()
    with pytest.raises(InputError) as refused:
        read(changed(billing_file(stage.world), "Net Amount", "Jane Doe, 7007 Sea World Dr"))
    assert "Jane" not in str(refused.value)


@pytest.fixture(scope="module")
def content() -> bytes:
    stage = Stage()
    number = stage.book().tracking_numbers[0].value
    return billing_file(stage.world, faults={"reweigh": [number], "credit": [number], "fee": []})


@given(data=st.data())
def test_any_cut_and_any_byte_end_in_lines_or_in_a_typed_error(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    spoilt = content[:at] + data.draw(st.binary(max_size=4)) + content[data.draw(st.integers(at, len(content))) :]
    try:
        lines = read(spoilt)
    except InputError as error:
        assert all(problem.path.startswith("/lines/") for problem in error.problems)
    else:
        assert all(line.billed is not None for line in lines)


@given(st.binary(max_size=300))
def test_anything_is_lines_or_a_typed_error(junk: bytes) -> None:
    with pytest.raises(InputError):
        read(junk)


@given(data=st.data())
def test_no_charge_is_lost_whatever_its_codes(content: bytes, data: st.DataObject) -> None:
    rows = cells_of(content)
    for row in rows:
        row[COLUMNS["Invoice Amount"] - 1] = ""
        for column in (
            "Charge Category Code",
            "Charge Category Detail Code",
            "Charge Classification Code",
            "Charge Description Code",
            "Tracking Number",
        ):
            row[COLUMNS[column] - 1] = data.draw(st.sampled_from(["", "SHP", "ADJ", "FRT", "GOV", "RES", "QQ"]))
    lines = read(written(rows))
    assert sum(len(line.charges) for line in lines) == len(rows)
    assert total(lines) == sum(Decimal(row[COLUMNS["Net Amount"] - 1]) for row in rows)


def test_a_weight_is_the_files_own(stage: Stage) -> None:
    stage.book()
    heavy = changed(billing_file(stage.world), "Billed Weight", "12.5")
    assert read(heavy)[0].billed_weight == Weight("12.5", WeightUnit.LB)


def test_a_later_bill_with_a_credit_is_set_against_the_first(stage: Stage) -> None:
    shipment = stage.run(UPS.create_shipment(attrs.evolve(ORDER, packages=ORDER.packages[:1])))
    number = shipment.tracking_numbers[0].value
    first = read(billing_file(stage.world, "000000A1B2C3106"))
    second = read(
        billing_file(
            stage.world,
            "000000A1B2C3116",
            on=START.date() + timedelta(days=7),
            faults={"forgotten": [number], "credit": [number]},
        )
    )
    findings = match([*first, *second], [booked(shipment)], on=START.date())
    assert [each.kind.value for each in findings] == ["agrees", "credit"]
    assert findings[1].against == (first[0].invoice_number, first[0].line_id)
