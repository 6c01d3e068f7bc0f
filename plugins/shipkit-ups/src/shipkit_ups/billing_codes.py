"""Columns and codes of UPS's billing data file, each from public sources that agree.

The sources:

1. UPS, "Forwarding Data Dictionary", the list of the file's fields with number, name, length, type and values, as
   published at vdocuments.site/forwarding-data-dictionary.html and at
   pdfcoffee.com/forwarding-data-dictionary-pdf-free.html (posted 2018; later readers cite a version 5).
2. University of Pennsylvania, data dictionary of its warehouse of UPS billing data (2008 and later):
   upenn.edu/computing/da/dw/expmail/transaction_master.e.html and charges.e.html; it defines the fields.
3. UPS, "Flat File Bill FAQ", ups.com/content/us/en/resources/sri/ffb16.html: shipping charge corrections show the
   shipper's weight and the audited one, and bill the difference.
4. Public readers of such files (United States, United Kingdom, Germany; 2024 to 2026), which count the same positions.

What has one source only, or sources that disagree, is not here: the kinds of billed weight (column 32), the unit of
the dimensions (and so the dimensions, column 33), RADJ (residential, or rate, adjustment), the codes of fees for late
payment, the variant with semicolons. Such charges keep UPS's code and are ``other``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from shipkit.model import ChargeType, InvoiceLineReason

__all__ = [
    "CHARGES", "COLUMNS", "CORRECTIONS", "DUTIES", "HOME", "INFORMATION", "REASONS", "WEIGHT_UNITS", "ZERO",
]  # fmt: skip

ZERO: Final = Decimal(0)

# Position, counted from 1, in a file without names (sources 1 and 4); the names are those of source 1.
COLUMNS: Final[Mapping[str, int]] = {
    "Version": 1,
    "Invoice Date": 5,
    "Invoice Number": 6,
    "Invoice Currency Code": 10,
    "Invoice Amount": 11,
    "Lead Shipment Number": 14,
    "Tracking Number": 21,
    "Entered Weight": 27,
    "Entered Weight Unit of Measure": 28,
    "Billed Weight": 29,
    "Billed Weight Unit of Measure": 30,
    "Charge Category Code": 35,
    "Charge Category Detail Code": 36,
    "Charge Classification Code": 44,
    "Charge Description Code": 45,
    "Charge Description": 46,
    "Transaction Currency Code": 51,
    "Net Amount": 53,
}

# Source 1 has the letters, source 4 what they stand for.
WEIGHT_UNITS: Final[Mapping[str, str]] = {"K": "kg", "L": "lb", "O": "oz"}

# Charge Classification Code, source 2; exemptions (EXM), miscellaneous (MSC) and unknown ones are ``other``.
CHARGES: Final[Mapping[str, ChargeType]] = {
    "FRT": ChargeType.BASE,
    "FSC": ChargeType.FUEL,
    "ACC": ChargeType.SURCHARGE,
    "TAX": ChargeType.TAX,
    "GOV": ChargeType.DUTY,
    "BRK": ChargeType.BROKERAGE,
}
DUTIES: Final = frozenset({"GOV", "BRK"})

# Source 4 alone, all its readers: rows that inform, and repeat what another row charges. Were one of them charged after
# all, the bill's total would show it, as a line of what is unexplained.
INFORMATION: Final = "INF"

# Charge Description Code of the surcharge for delivery to a home, source 4.
HOME: Final = "RES"

# Charge Category Code (source 2: shipment, return, miscellaneous, adjustment after delivery) and its detail (source 4).
CORRECTIONS: Final = frozenset({"ADJ"})
REASONS: Final[Mapping[tuple[str, str], InvoiceLineReason]] = {
    ("SHP", ""): InvoiceLineReason.BOOKED,
    ("RTN", ""): InvoiceLineReason.RETURN,
    ("ADJ", "ADC"): InvoiceLineReason.ADDRESS_CORRECTION,
}
