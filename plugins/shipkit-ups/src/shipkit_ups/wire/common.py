"""What recurs in UPS's requests and replies: parties, measures, money, charges, notices, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

from shipkit.errors import InputError, ReplyError
from shipkit.flow import Response
from shipkit.model import (
    Address,
    AddressKind,
    Contact,
    Dimensions,
    LengthUnit,
    Message,
    Money,
    NoticeCode,
    NoticeLevel,
    Package,
    PackagingKind,
    Party,
    Problem,
    ProblemCode,
    RateRequest,
    ShipmentRequest,
    Tristate,
    Weight,
    WeightUnit,
)
from shipkit.readers import Reader, wire

from ..codes import IMPERIAL, PACKAGINGS, STATE_REQUIRED, WEIGHT_UNITS

__all__ = [
    "HeadRow",
    "address_of",
    "address_to_wire",
    "crosses_border",
    "day",
    "digits",
    "each",
    "goods_value",
    "is_documents",
    "lane_of",
    "listed",
    "measures_to_wire",
    "message_from_wire",
    "money_from_wire",
    "packaging_code",
    "party_to_wire",
    "phone_to_wire",
    "plain",
    "postal_code_of",
    "reader",
    "recipient_to_wire",
    "refusal",
    "sides_of",
    "state_of",
    "straight",
    "total_weight",
    "weight_from_wire",
    "without_none",
]

reader = Reader()

T = TypeVar("T")

_UNITS: Final[Mapping[bool, tuple[str, str, WeightUnit, str, str, LengthUnit]]] = {
    True: ("LBS", "Pounds", WeightUnit.LB, "IN", "Inches", LengthUnit.IN),
    False: ("KGS", "Kilograms", WeightUnit.KG, "CM", "Centimeters", LengthUnit.CM),
}


@reader.hook(Money)
def money_from_wire(row: Mapping[str, Any]) -> Money:
    return Money(Decimal(row["MonetaryValue"]), row["CurrencyCode"])


@reader.hook(Weight)
def weight_from_wire(row: Mapping[str, Any]) -> Weight:
    return _weight(row["Weight"], row["UnitOfMeasurement"]["Code"])


# Weights and notices repeat from service to service of one answer.
@lru_cache(maxsize=128)
def _weight(value: str, code: str) -> Weight:
    return Weight(Decimal(value), WEIGHT_UNITS[code.upper()])


@reader.hook(Message)
def message_from_wire(row: Mapping[str, Any]) -> Message:
    return _message(row["Code"], row.get("Description") or None)


@lru_cache(maxsize=128)
def _message(code: str, text: str | None) -> Message:
    return Message(level=NoticeLevel.INFO, code=NoticeCode.CARRIER_NOTICE, carrier_code=code, text=text)


@wire
class HeadRow:
    """What begins every answer but those of tracking and time in transit."""

    Alert: tuple[Message, ...] = ()


def refusal(response: Response) -> tuple[str, str] | None:
    """Code and text of UPS's own error body; None where it is somebody else's, such as a gateway's page."""
    try:
        body = response.json()
    except ReplyError:
        return None
    if not isinstance(body, dict):
        return None
    inner = body.get("response")
    errors = (inner if isinstance(inner, dict) else body).get("errors")
    row = errors[0] if isinstance(errors, list) and errors else errors
    if not isinstance(row, dict) or not row.get("code"):
        return None
    return str(row["code"]), str(row.get("message") or "")


def listed(value: Any) -> Any:
    """One row or several; none where the member is missing or empty (UPS sends all three)."""
    return value if isinstance(value, list) else (value,) if value else ()


def each(response: Response, function: Callable[[Any], T], rows: Iterable[Any], at: str) -> list[T]:
    """All of *rows*, the list at the path *at*, read `straight`."""
    try:
        return [function(row) for row in rows]
    except Exception:  # which one it is, and whether it can be read all the same
        return [straight(response, function, row, f"{at}[{index}]") for index, row in enumerate(rows)]


def straight(response: Response, function: Callable[[Any], T], row: Any, at: str) -> T:
    """*row* (parsed JSON at the path *at*) read straight into our values, without a class between: for what recurs.

    Raises:
        ReplyError: it does not fit, not even with its numbers as text and its blanks left out, as `Reader` has it.
    """
    try:
        return function(row)
    except Exception:  # whatever does not fit, it is the reply's fault
        try:
            return function(_tidy(row))
        except Exception as error:
            raise ReplyError.of(response, message=f"cannot be read @ {at}", paths=(at,)) from error


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tidy(inner) for name, inner in value.items() if inner not in (None, "", {}, [])}
    if isinstance(value, list):
        return [_tidy(inner) for inner in value]
    return str(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else value


# To UPS


def without_none(**members: object) -> dict[str, Any]:
    """An object of what is there: nothing, blank and empty members are left out."""
    return {name: value for name, value in members.items() if value}


def address_of(party: Party) -> Address:
    """The address that a request's bounds demand of every party of a shipment.

    Raises:
        InputError: there is none.
    """
    if party.address is None:
        raise InputError(problems=(Problem(path="/address", code=ProblemCode.MISSING, text="must be given"),))
    return party.address


def lane_of(request: RateRequest | ShipmentRequest) -> tuple[str, str]:
    """Countries of origin and destination."""
    return address_of(request.ship_from).country, address_of(request.ship_to).country


def crosses_border(request: RateRequest | ShipmentRequest) -> bool:
    origin, destination = lane_of(request)
    return origin != destination


def is_documents(request: RateRequest | ShipmentRequest) -> bool:
    """Letters, and what customs calls documents."""
    if request.customs is not None and request.customs.purpose == "documents":  # text: few requests need that room
        return True
    return all(package.packaging is PackagingKind.LETTER for package in request.packages)


def goods_value(request: RateRequest | ShipmentRequest) -> dict[str, str] | None:
    """InvoiceLineTotal: what the goods are worth, in whole units (Shipping.yaml: 1 to 99999999), begun ones counted."""
    if request.customs is None:
        return None
    lines = request.customs.lines
    amount = sum((line.quantity * line.unit_value.amount for line in lines), Decimal(0))
    whole = max(Decimal(1), amount.quantize(Decimal(1), ROUND_CEILING))
    return {"CurrencyCode": lines[0].unit_value.currency, "MonetaryValue": str(whole)}


def plain(number: Decimal) -> str:
    """A number without an exponent."""
    return format(number, "f")


def digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() else re.sub("[^0-9]", "", text)


def state_of(address: Address) -> str | None:
    """The state where UPS asks for one; Viet Nam's with its country (``VN-44``), as Shipping.yaml wants it."""
    if address.country not in STATE_REQUIRED or not address.region:
        return None
    prefix = "VN-" if address.country == "VN" and not address.region.startswith("VN-") else ""
    return f"{prefix}{address.region}"


def postal_code_of(address: Address) -> str:
    """Letters and digits: UPS takes nine characters, so a ZIP with its extension loses the dash (Shipping.yaml)."""
    code = address.postal_code or ""
    return (code if code.isalnum() else re.sub(r"[\W_]", "", code)).upper()


def address_to_wire(address: Address) -> dict[str, Any]:
    """An address of a rating or shipping request (Shipping.yaml)."""
    return without_none(
        AddressLine=list(address.lines),
        City=address.city,
        StateProvinceCode=state_of(address),
        PostalCode=postal_code_of(address),
        CountryCode=address.country,
    )


def phone_to_wire(contact: Contact, country: str) -> dict[str, str] | None:
    """Digits only; without the country's own 1 where UPS wants area code and number (US, PR, CA, VI)."""
    number = digits(contact.phone or "")
    if country in {"US", "PR", "CA", "VI"} and len(number) == 11 and number[0] == "1":
        number = number[1:]
    return {"Number": number} if number else None


def party_to_wire(party: Party) -> dict[str, Any]:
    """Name (the company, else the person) and attention name (the person, else the company), phone and address."""
    contact, address = party.contact or Contact(), address_of(party)
    return without_none(
        Name=contact.company or contact.name,
        AttentionName=contact.name or contact.company,
        Phone=phone_to_wire(contact, address.country),
        Address=address_to_wire(address),
    )


def recipient_to_wire(party: Party) -> dict[str, Any]:
    """A party to deliver to, with what UPS asks about its address."""
    row, address = party_to_wire(party), address_of(party)
    if address.kind is AddressKind.RESIDENTIAL:
        row["Address"]["ResidentialAddressIndicator"] = "Y"
    if address.po_box is Tristate.YES:
        row["Address"]["POBoxIndicator"] = "Y"
    return row


def packaging_code(package: Package) -> str:
    return package.packaging_code or PACKAGINGS[package.packaging]


def measures_to_wire(package: Package, country: str) -> dict[str, Any]:
    """Weight to a tenth and whole sides, both rounded up, in the units of the shipper's *country*.

    A tenth is what UPS keeps (TimeInTransit.yaml, ``weight``); sides have three digits (Shipping.yaml), and UPS bills
    a begun inch or centimetre as a whole one.
    """
    weight_code, weight_name, weight_unit, length_code, length_name, length_unit = _UNITS[country in IMPERIAL]
    weight = package.weight.to(weight_unit, ROUND_CEILING, "0.1")
    measures: dict[str, Any] = {}
    if weight:  # a letter may weigh nothing
        measures["PackageWeight"] = {
            "UnitOfMeasurement": {"Code": weight_code, "Description": weight_name},
            "Weight": str(weight),
        }
    if package.dimensions is not None:
        length, width, height = (str(side) for side in sides_of(package.dimensions, length_unit))
        measures["Dimensions"] = {
            "UnitOfMeasurement": {"Code": length_code, "Description": length_name},
            "Length": length,
            "Width": width,
            "Height": height,
        }
    return measures


def sides_of(dimensions: Dimensions, unit: LengthUnit) -> tuple[Decimal, Decimal, Decimal]:
    """Longest side first, as UPS wants it; a tube is as wide and as high as its diameter."""
    width, height = dimensions.width or dimensions.diameter, dimensions.height or dimensions.diameter
    sides = [side.to(unit, ROUND_CEILING, "1") for side in (dimensions.length, width, height) if side is not None]
    longest, *others = sorted(sides, reverse=True)
    return longest, others[0], others[1]


def total_weight(packages: Iterable[Package], country: str) -> dict[str, Any]:
    """The weights as they are sent, added up; "non-zero" even where all are letters."""
    code, name, unit, *_ = _UNITS[country in IMPERIAL]
    total = sum((package.weight.to(unit, ROUND_CEILING, "0.1") for package in packages), Decimal(0))
    return {"UnitOfMeasurement": {"Code": code, "Description": name}, "Weight": str(total or Decimal("0.1"))}


def day(value: date) -> str:
    return value.strftime("%Y%m%d")
