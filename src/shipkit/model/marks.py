"""Marks on fields: what is personal, what is volatile, and what a request must obey. Codec and checks read them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

__all__ = ["BOUNDS", "IS_VOLATILE", "PERSONAL", "VOLATILE", "Bounds", "Personal", "bounds", "personal"]

PERSONAL: Final = "shipkit.personal"
BOUNDS: Final = "shipkit.bounds"
IS_VOLATILE: Final = "shipkit.volatile"


class Personal(NamedTuple):
    """How delicate a field is, and how it is shown where it must not be shown whole."""

    sensitivity: str
    """low, medium, high or critical."""
    kind: str
    """identity, contact, location, free_text, secret, and so on."""
    mask: str
    """keep, drop, initials, mail, hash, length_and_hash, round_1, keep_first_N or keep_last_N: used in logs."""
    by_default: bool
    """Whether ``repr`` and masked exports mask it too, not logs only."""


class Bounds(NamedTuple):
    """What a request must obey in one field. Constructors do not look at it: a carrier's answer may break it."""

    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    above: int | None = None
    """The number is greater than this."""
    least: int | None = None
    most: int | None = None
    max_decimals: int | None = None
    pattern: str | None = None
    """A regular expression that the whole text, or each text of a tuple, matches."""
    needed: bool = False
    """Optional in an answer, demanded in a request."""
    unique: str | None = None
    """The member that no two items share."""


def personal(
    sensitivity: str, kind: str = "free_text", *, mask: str = "drop", by_default: bool = False
) -> dict[str, Any]:
    """Field metadata: the field is personal or secret; masking and the exported table follow from it."""
    return {PERSONAL: Personal(sensitivity, kind, mask, by_default)}


def bounds(**limits: Any) -> dict[str, Any]:
    """Field metadata: the bounds that a request must keep, see `Bounds`."""
    return {BOUNDS: Bounds(**limits)}


VOLATILE: Final[dict[str, Any]] = {IS_VOLATILE: True}
"""Field metadata: the field is no part of a request's fingerprint."""
