"""One value, one text: what a fingerprint is taken over, and the last tie-break between two records of one fact."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

from shipkit.codec.writing import Plan
from shipkit.model import Value
from shipkit.model.marks import IS_VOLATILE

__all__ = ["canonical", "record"]


def _number(value: Decimal) -> str:
    """1, 1.0 and 1.00 are one number; ``normalize`` would round to the precision of the thread's context."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _free_number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    text = _number(value)
    return {"#": text} if "." in text else int(text)


def _content(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_LASTING: Final = Plan(_content, _number, skip=IS_VOLATILE)
_WHOLE: Final = Plan(_content, _number)
_encode = json.JSONEncoder(sort_keys=True, check_circular=False, separators=(",", ":"), default=_free_number).encode


def canonical(value: Value, *, without: Collection[str] = ()) -> bytes:
    """The same bytes for values that mean the same: defaults left out, numbers without trailing zeros, sorted.

    Fields marked volatile (``mark``, ``metadata``) are no part of it, nor are the root members named in *without*.
    What a client fills in later, such as the day, is part of it: take the text before that.
    """
    members = _LASTING.write(value)
    for name in without:
        members.pop(name, None)
    return f"{type(value).__name__}{_encode(members)}".encode()


def record(value: Value) -> bytes:
    """The same for the whole of *value*, volatile fields included: a total order over records of one fact."""
    return f"{type(value).__name__}{_encode(_WHOLE.write(value))}".encode()
