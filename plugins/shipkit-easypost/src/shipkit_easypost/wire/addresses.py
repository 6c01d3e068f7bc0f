"""Address verification."""

from __future__ import annotations

from shipkit.errors import RejectedError
from shipkit.model import (
    Address,
    AddressCheckResult,
    AddressKind,
    AddressVerdict,
    Message,
    NoticeLevel,
)

from .. import codes
from .common import AddressRow, VerificationRow, address_to_wire

__all__ = ["address_check_to_wire", "refused_from_wire", "verdict_from_wire"]


def address_check_to_wire(address: Address) -> dict[str, object]:
    """The body of ``POST /addresses`` with verification (recording test_address_create_verify)."""
    return {"address": address_to_wire(address), "verify": True}


def refused_from_wire(refusal: RejectedError) -> AddressCheckResult:
    """An address that cannot be verified at all comes as an error (recording test_address_verify_invalid_address).

    Raises:
        RejectedError: *refusal* itself, where it is about something else.
    """
    if not refusal.carrier_code.startswith("ADDRESS.VERIF"):
        raise refusal
    message = Message(
        level=NoticeLevel.WARNING, carrier_code=refusal.carrier_code, text=refusal.carrier_message or None
    )
    return AddressCheckResult(verdict=AddressVerdict.FAILED, messages=(message,))


def verdict_from_wire(asked: Address, row: AddressRow) -> AddressCheckResult:
    """What EasyPost made of *asked*: it writes a deliverable address its own way, in capitals and with the ZIP+4.

    Recording test_address_create_verify: without verification ``verifications`` is empty, and nothing is known.
    """
    checks = row.verifications
    delivery = checks.delivery if checks is not None else None
    kind = codes.RESIDENTIAL[row.residential] if row.residential is not None else AddressKind.UNKNOWN
    if delivery is None or not delivery.success:
        return AddressCheckResult(
            verdict=AddressVerdict.FAILED, kind=kind, messages=_messages(delivery, checks.zip4 if checks else None)
        )
    found = Address(
        lines=tuple(line for line in (row.street1, row.street2) if line),
        city=row.city,
        region=row.state,
        postal_code=row.zip,
        country=row.country or asked.country,
        kind=kind,
    )
    return AddressCheckResult(
        verdict=AddressVerdict.VERIFIED if _same(asked, found) else AddressVerdict.CORRECTED,
        kind=kind,
        candidates=(found,),
    )


def _same(asked: Address, found: Address) -> bool:
    """Equal but for capitals, blanks, punctuation, the split into lines and the +4 that EasyPost adds."""
    ours, theirs = _key(asked), _key(found)
    return ours[:-1] == theirs[:-1] and theirs[-1].startswith(ours[-1])


def _key(address: Address) -> tuple[str, ...]:
    parts = (
        "".join(address.lines),
        address.city or "",
        address.region or "",
        address.country,
        address.postal_code or "",
    )
    return tuple("".join(sign for sign in part.upper() if sign.isalnum()) for part in parts)


def _messages(*checks: VerificationRow | None) -> tuple[Message, ...]:
    rows = [row for check in checks if check is not None for row in check.errors]
    texts = {(row.code, ": ".join(part for part in (row.field, row.message) if part)) for row in rows}
    return tuple(
        Message(level=NoticeLevel.WARNING, carrier_code=code, text=text) for code, text in sorted(texts, key=str)
    )
