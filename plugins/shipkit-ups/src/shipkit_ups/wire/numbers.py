"""The numbers that UPS gives to packages and shipments."""

from __future__ import annotations

from collections.abc import Iterable

from shipkit.errors import ReplyError
from shipkit.model import NumberRole, NumberScheme, TrackingNumber, canonical_number

__all__ = ["number_from_wire", "numbers_from_wire", "plain_number"]


def numbers_from_wire(values: Iterable[str], *, returned: bool = False) -> tuple[TrackingNumber, ...]:
    """UPS's numbers in its order: the first package's is the shipment's as well."""
    first = NumberRole.RETURN if returned else NumberRole.MASTER
    return tuple(
        number_from_wire(value, NumberRole.PIECE if position else first) for position, value in enumerate(values)
    )


def plain_number(value: str) -> str:
    """A number as UPS prints it, without the blanks.

    Raises:
        ReplyError: there is none.
    """
    plain = canonical_number(value)
    if not plain:
        raise ReplyError("required field missing @ $..TrackingNumber", paths=("$..TrackingNumber",))
    return plain


def number_from_wire(value: str, role: NumberRole = NumberRole.PIECE) -> TrackingNumber:
    """The same as a value of ours; raises like `plain_number`."""
    plain = plain_number(value)
    scheme = NumberScheme.UPS_1Z if plain.startswith("1Z") and len(plain) == 18 else NumberScheme.UNKNOWN
    return TrackingNumber(value=plain, carrier="ups", role=role, scheme=scheme)
