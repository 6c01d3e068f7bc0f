"""Address validation, street level (AddressValidation.yaml, version v2): the US and Puerto Rico."""

from __future__ import annotations

from typing import Any, Final

from shipkit.model import (
    Address,
    AddressCheck,
    AddressCheckLevel,
    AddressCheckResult,
    AddressKind,
    AddressVerdict,
)
from shipkit.readers import wire

from ..codes import ADDRESS_KINDS
from .common import HeadRow, without_none

__all__ = ["AddressReply", "address_check_from_wire", "address_check_option", "address_check_to_wire"]

_UNCLASSIFIED: Final = "0"


def address_check_option(request: AddressCheck) -> str:
    """2 classifies, 3 validates and classifies."""
    return "2" if request.level is AddressCheckLevel.CLASSIFY else "3"


def address_check_to_wire(request: AddressCheck) -> dict[str, Any]:
    address = request.address
    zip_code, _, extension = (address.postal_code or "").replace(" ", "").partition("-")
    return {
        "XAVRequest": {
            "AddressKeyFormat": without_none(
                AddressLine=list(address.lines),
                PoliticalDivision2=address.city,
                PoliticalDivision1=address.region,
                PostcodePrimaryLow=zip_code,
                PostcodeExtendedLow=extension,
                Urbanization=address.dependent_locality if address.country == "PR" else None,
                CountryCode=address.country,
            )
        }
    }


@wire
class ClassificationRow:
    Code: str
    Description: str | None = None


@wire
class AddressKeyRow:
    CountryCode: str
    AddressLine: tuple[str, ...] = ()
    PoliticalDivision2: str | None = None
    PoliticalDivision1: str | None = None
    PostcodePrimaryLow: str | None = None
    PostcodeExtendedLow: str | None = None
    Urbanization: str | None = None


@wire
class CandidateRow:
    AddressKeyFormat: AddressKeyRow
    AddressClassification: ClassificationRow | None = None


@wire
class XAVResponse:
    """An indicator is there or not; its value, mostly empty, says nothing."""

    Response: HeadRow
    ValidAddressIndicator: Any = False
    AmbiguousAddressIndicator: Any = False
    NoCandidatesIndicator: Any = False
    AddressClassification: ClassificationRow | None = None
    Candidate: tuple[CandidateRow, ...] = ()


@wire
class AddressReply:
    XAVResponse: XAVResponse


def address_check_from_wire(request: AddressCheck, reply: AddressReply) -> AddressCheckResult:
    """What UPS makes of the address; its candidates are written its way."""
    row = reply.XAVResponse
    candidates = tuple(_candidate(candidate) for candidate in row.Candidate)
    return AddressCheckResult(
        verdict=_verdict(row, request.address, candidates),
        kind=_kind(row.AddressClassification),
        candidates=candidates,
        messages=row.Response.Alert,
    )


def _verdict(row: XAVResponse, given: Address, candidates: tuple[Address, ...]) -> AddressVerdict:
    """A bare classification has no indicator: what UPS can classify it knows."""
    if row.NoCandidatesIndicator is not False:
        return AddressVerdict.FAILED
    if row.AmbiguousAddressIndicator is not False:
        return AddressVerdict.AMBIGUOUS
    if row.ValidAddressIndicator is not False:
        same = not candidates or any(_plain(given) == _plain(candidate) for candidate in candidates)
        return AddressVerdict.VERIFIED if same else AddressVerdict.CORRECTED
    known = row.AddressClassification is not None and row.AddressClassification.Code != _UNCLASSIFIED
    return AddressVerdict.VERIFIED if known else AddressVerdict.FAILED


def _plain(address: Address) -> tuple[str, ...]:
    """What makes two spellings one address: capitals, blanks and the ZIP's extension do not."""
    zip_code = (address.postal_code or "").replace(" ", "").partition("-")[0]
    parts = (" ".join(address.lines), address.city or "", address.region or "", zip_code)
    return tuple(" ".join(part.upper().split()) for part in parts)


def _candidate(row: CandidateRow) -> Address:
    key = row.AddressKeyFormat
    postal_code = "-".join(part for part in (key.PostcodePrimaryLow, key.PostcodeExtendedLow) if part)
    return Address(
        lines=key.AddressLine,
        city=key.PoliticalDivision2,
        region=key.PoliticalDivision1,
        postal_code=postal_code or None,
        dependent_locality=key.Urbanization,
        country=key.CountryCode,
        kind=_kind(row.AddressClassification),
    )


def _kind(row: ClassificationRow | None) -> AddressKind:
    return AddressKind(ADDRESS_KINDS.get(row.Code, "unknown")) if row else AddressKind.UNKNOWN
