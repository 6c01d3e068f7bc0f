"""A transaction that is done again where others were at the same rows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from ..errors import StoreError
from .dialect import Clashed, Home, Session

__all__ = ["done"]

T = TypeVar("T")

_TRIES: Final = 40
"""Each clash means that somebody else's event was written, so as many in a row are no accident."""
_LONGEST_S: Final = 0.05


def done(home: Home, do: Callable[[Session], T], *, held: bool = False, durable: bool = True) -> T:
    """What *do* returns, once what it wrote is committed.

    Raises:
        StoreError: the database cannot be written, or others were first each time.
    """
    why: Clashed | None = None
    for tries in range(_TRIES):
        try:
            with home.writing(held=held, durable=durable) as session:
                return do(session)
        except Clashed as clashed:
            why = clashed
        if tries > 1:
            time.sleep(random.uniform(0, min(_LONGEST_S, 0.001 * 2**tries)))  # noqa: S311 (nothing is to be kept secret)
    raise StoreError(f"the store was changed by others at each of {_TRIES} tries") from why
