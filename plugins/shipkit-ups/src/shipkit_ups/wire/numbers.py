"""The numbers that UPS gives to packages and shipments."""

from __future__ import annotations

from collections.abc import Iterable

from shipkit.errors import ReplyError
from shipkit.model import NumberRole, NumberScheme, TrackingNumber

__all__ = ["number_from_wire", "numbers_from_wire"]


def numbers_from_wire(values: Iterable[str], *, returned: bool = False) -> tuple[TrackingNumber, ...]:
    """UPS's numbers in its order: the first package's is the shipment's as well."""
    first = NumberRole.RETURN if returned else NumberRole.MASTER
    return tuple(
        number_from_wire(value, NumberRole.PIECE if position else first) for position, value in enumerate(values)
    )


def number_from_wire(value: str, role: NumberRole = NumberRole.PIECE) -> TrackingNumber:
    """A number as UPS prints it, without the blanks.

    Raises:
        ReplyError: there is none.
    """
    plain = value.replace(" ", "").upper()
    if not plain:
        raise ReplyError("required field missing @ $..TrackingNumber", paths=("$..TrackingNumber",))
    scheme = NumberScheme.UPS_1Z if plain.startswith("1Z") and len(plain) == 18 else NumberScheme.UNKNOWN
    return TrackingNumber(value=plain, carrier="ups", role=role, scheme=scheme)
