"""DPD France's vocabularies as tables, each with its source.

"WSDL" is the description that the EPrint web service publishes (e-station-testenv.cargonet.software, 2024). "Recorded"
is traffic of 2024 with DPD France's own test server. "SDK" is github.com/Cotex-System/DPD_SDK_FR at 5243aa089f and
"ekyna" github.com/ekyna/Dpd at 3f3cd383df: two public clients that restate DPD France's document, which is not public.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from shipkit.model import DocumentFormat, DocumentKind, Environment, PageFormat

__all__ = [
    "AUTHENTICATION_CODES",
    "CLASSIC",
    "DOCUMENT_KINDS",
    "FURTHER_REFERENCES",
    "INFO_MAX",
    "INSURANCE_MAX",
    "INTERCOM_MAX",
    "LABELS",
    "LABEL_TEXT_MAX",
    "LINES_MAX",
    "LINE_MAX",
    "NAME_MAX",
    "PHONE_MAX",
    "PIECES",
    "POSTAL_CODE_MAX",
    "PREDICT",
    "REFERENCE_MAX",
    "REFUSAL_CODES",
    "RELAIS",
    "RETURN_DAYS",
    "SERVERS",
    "SERVICES",
    "LabelFormat",
]

# WSDL (test); production: both clients.
SERVERS: Final[Mapping[Environment, str]] = {
    Environment.TEST: "https://e-station-testenv.cargonet.software/eprintwebservice",
    Environment.PRODUCTION: "https://e-station.cargonet.software/dpd-eprintwebservice",
}

# The interface has no field for the product: it follows from what else is asked for (SDK, ServiceMatrix). Hence the
# codes are ours; the names are DPD France's.
CLASSIC: Final = "classic"
PREDICT: Final = "predict"
RELAIS: Final = "relais"
SERVICES: Final[Mapping[str, str]] = {
    CLASSIC: "DPD Classic",
    PREDICT: "DPD Predict",
    RELAIS: "DPD Relais",
}


@attrs.frozen
class LabelFormat:
    """One label type of the interface, and what its name says of the paper."""

    format: DocumentFormat
    dpi: int | None = None
    page: PageFormat | None = None


# WSDL, eLabelType; its "Default" is left out, since it does not say what will come. The first is the carrier's first.
# Recorded: PDF comes on A4.
LABELS: Final[Mapping[str, LabelFormat]] = {
    "PDF": LabelFormat(DocumentFormat.PDF, page=PageFormat.A4),
    "PDF_A6": LabelFormat(DocumentFormat.PDF, page=PageFormat.A6),
    "ZPL": LabelFormat(DocumentFormat.ZPL),
    "ZPL300": LabelFormat(DocumentFormat.ZPL, dpi=300),
    "ZPL_A6": LabelFormat(DocumentFormat.ZPL, page=PageFormat.A6),
    "ZPL300_A6": LabelFormat(DocumentFormat.ZPL, dpi=300, page=PageFormat.A6),
    "EPL": LabelFormat(DocumentFormat.EPL),
}

# WSDL, etype. Recorded: a parcel of type EPRINT has a label of type BIC3.
DOCUMENT_KINDS: Final[Mapping[str, DocumentKind]] = {
    "EPRINT": DocumentKind.LABEL,
    "BIC3": DocumentKind.LABEL,
    "MASTER": DocumentKind.LABEL,
    "REVERSE": DocumentKind.RETURN_LABEL,
    "REVERSEBIC3": DocumentKind.RETURN_LABEL,
}

# WSDL, etype: what stands for a parcel of its own on its way to the recipient.
PIECES: Final = frozenset({"EPRINT", "BIC3"})

# Recorded: HTTP 500 with detail/Error/ErrorId. No list of these codes is public: any other is passed on, and proves
# nothing about a booking.
AUTHENTICATION_CODES: Final = frozenset({"PermissionDenied"})
REFUSAL_CODES: Final = frozenset({"InvalidWeight", "PermissionDenied"})

# SDK, AddressDTO, AddressInfoDTO and the requests.
NAME_MAX: Final = 35
LINE_MAX: Final = 35
INFO_MAX: Final = 32
LINES_MAX: Final = 4
POSTAL_CODE_MAX: Final = 10
PHONE_MAX: Final = 30
INTERCOM_MAX: Final = 10
REFERENCE_MAX: Final = 35
# WSDL: four references, of which the first bears the mark and the second the order's number.
FURTHER_REFERENCES: Final = 2
LABEL_TEXT_MAX: Final = 400
# SDK, ExtraInsuranceDTO: euros per parcel.
INSURANCE_MAX: Final = 20_000

# Ours, where the host does not say: the interface demands a number of days, at least 7 (ekyna) and of at most 3 digits.
RETURN_DAYS: Final = 30
