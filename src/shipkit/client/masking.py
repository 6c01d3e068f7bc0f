"""Takes the host's own personal data out of a carrier's sentence: carriers like to repeat what they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs

from ..errors import InputError, RejectedError, ShipkitError
from ..model.marks import PERSONAL, Personal

__all__ = ["masked"]

_SHORTEST = 3  # a shorter text would be found in any sentence


def masked(error: ShipkitError, request: Any) -> None:
    """Replace personal values of *request* in the texts of *error* and of what it came from."""
    told = list(_chain(error))
    if not any(each.message or each.carrier_message or getattr(each, "problems", ()) for each in told):
        return
    texts = sorted({text for text in _personal(request) if len(text) >= _SHORTEST}, key=len, reverse=True)
    if not texts:
        return
    hidden = partial(re.compile("|".join(map(re.escape, texts)), re.IGNORECASE).sub, "***")
    for each in told:
        each.message, each.carrier_message = hidden(each.message), hidden(each.carrier_message)
        each.args = (each.message, *each.args[1:])
        if isinstance(each, (RejectedError, InputError)):
            each.problems = tuple([attrs.evolve(one, text=hidden(one.text)) for one in each.problems])


def _chain(error: BaseException | None) -> Iterator[ShipkitError]:
    """*error* and all that a traceback shows beside it."""
    while error is not None:
        if isinstance(error, ShipkitError):
            yield error
        error = error.__cause__ if error.__suppress_context__ else error.__cause__ or error.__context__


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
