"""Takes the host's own personal data out of a carrier's sentence: carriers like to repeat what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ..errors import ShipkitError
from ..model.marks import PERSONAL, Personal

__all__ = ["masked"]

_SHORTEST = 3  # a shorter text would be found in any sentence


def masked(error: ShipkitError, request: Any) -> None:
    """Replace personal values of *request* in the texts of *error*."""
    if not error.message and not error.carrier_message:
        return
    for text in sorted(set(_personal(request)), key=len, reverse=True):
        if len(text) >= _SHORTEST:
            error.message = error.message.replace(text, "***")
            error.carrier_message = error.carrier_message.replace(text, "***")
    error.args = (error.message, *error.args[1:])


def _personal(value: Any, *, marked: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if marked:
            yield value
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _personal(item, marked=marked)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            mark: Personal | None = field.metadata.get(PERSONAL)
            delicate = mark is not None and mark.sensitivity in ("high", "critical")
            yield from _personal(getattr(value, field.name), marked=delicate)
