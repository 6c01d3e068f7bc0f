"""What recurs in EasyPost's objects: addresses, messages, fees, times, numbers."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Final

import attrs

from shipkit.errors import ReplyError
from shipkit.model import (
    Address,
    Charge,
    EventTime,
    Message,
    Money,
    NoticeLevel,
    NumberRole,
    Party,
    TimeBasis,
    TimePrecision,
    TrackingNumber,
)
from shipkit.readers import Reader, wire

from .. import codes

__all__ = [
    "AddressRow",
    "VerificationRow",
    "FeeRow",
    "MessageRow",
    "address_to_wire",
    "carrier_time",
    "charges_from_wire",
    "filled",
    "iso_instant",
    "messages_from_wire",
    "number_from_wire",
    "party_to_wire",
    "printed_day",
    "reader",
]

reader: Final = Reader()
filled: Final[Any] = attrs.validators.min_len(1)
"""For a field of text that must say something: an empty number or currency is none."""


@wire
class VerificationErrorRow:
    code: str | None = None
    field: str | None = None
    message: str | None = None


@wire
class VerificationRow:
    success: bool
    errors: tuple[VerificationErrorRow, ...] = ()


@wire
class VerificationsRow:
    zip4: VerificationRow | None = None
    delivery: VerificationRow | None = None


@wire
class AddressRow:
    name: str | None = None
    company: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    residential: bool | None = None
    verifications: VerificationsRow | None = None


@wire
class MessageRow:
    """A carrier's own words about a rate or a pickup rate that it did not give."""

    carrier: str | None = None
    type: str | None = None
    message: str | None = None


@wire
class FeeRow:
    type: str
    amount: Decimal


def party_to_wire(party: Party) -> dict[str, object]:
    """Person and place are one object at EasyPost."""
    contact = party.contact
    people = (
        {}
        if contact is None
        else {
            "name": contact.name,
            "company": contact.company,
            "phone": contact.phone,
            "email": contact.email,
        }
    )
    place = {} if party.address is None else address_to_wire(party.address)
    return {name: value for name, value in (people | place).items() if value not in (None, "")}


def address_to_wire(address: Address) -> dict[str, object]:
    """EasyPost has two street lines and says no limit: what is over goes on in the second, nothing is cut."""
    first, *rest = address.lines or ("",)
    fields = {
        "street1": first,
        "street2": ", ".join(rest),
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "residential": next((flag for flag, kind in codes.RESIDENTIAL.items() if kind is address.kind), None),
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def messages_from_wire(rows: tuple[MessageRow, ...]) -> tuple[Message, ...]:
    """Each carrier's complaint as a warning."""
    return tuple(
        Message(
            level=NoticeLevel.WARNING,
            carrier_code=row.type or None,
            text=": ".join(part for part in (row.carrier, row.message) if part),
        )
        for row in rows
    )


def charges_from_wire(fees: tuple[FeeRow, ...]) -> tuple[Charge, ...]:
    """EasyPost's fees, which are US dollars with sub-cent precision (npm Fee/Fee); free ones are left out."""
    return tuple(
        Charge(
            type=codes.CHARGES.get(fee.type, codes.CHARGES["TrackerFee"]),
            code=fee.type,
            amount=Money(fee.amount, "USD"),
        )
        for fee in fees
        if fee.amount
    )


def number_from_wire(code: str, carrier: str | None, role: NumberRole = NumberRole.PIECE) -> TrackingNumber:
    """A carrier's tracking number in canonical form, beside the form in which EasyPost wrote it."""
    value = "".join(code.split()).replace("-", "").upper()
    return TrackingNumber(
        value=value,
        raw=code if code != value else None,
        carrier=codes.carrier_code(carrier or "") or "easypost",
        role=role,
    )


def iso_instant(text: str) -> datetime:
    """One of EasyPost's times (``…Z`` or ``…+00:00``) as an aware instant in UTC.

    Raises:
        ReplyError: it is none.
    """
    moment = _parsed(text)
    return moment.astimezone(timezone.utc) if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def carrier_time(text: str, *, known: bool) -> EventTime:
    """A time as printed. EasyPost prints an offset, and UTC where it knows none (*known* is false); none is added."""
    moment = _parsed(text)
    offset = moment.utcoffset()
    sure = known and offset is not None
    return EventTime(
        local=moment.replace(tzinfo=None),
        precision=TimePrecision.SECOND,
        offset_min=int(offset.total_seconds() // 60) if sure and offset is not None else None,
        basis=TimeBasis.OFFSET if sure else TimeBasis.NONE,
    )


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "zZ" else text)
    except ValueError:
        raise ReplyError("not a time @ $", paths=("$",)) from None


def printed_day(text: str) -> date:
    """The calendar day that stands in one of EasyPost's times."""
    return _parsed(text).date()
