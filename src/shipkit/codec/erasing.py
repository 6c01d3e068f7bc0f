"""A stored value without anything personal in it: what stays says what was done, not for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import shipkit.model as model
from shipkit.codec.reading import loads
from shipkit.codec.roots import class_name
from shipkit.codec.stored import join
from shipkit.codec.writing import Plan, Profile, dumps, stamped
from shipkit.errors import InputError
from shipkit.model.marks import Personal

__all__ = ["erased"]


class _Erasing(Plan):
    def masking(self, mark: Personal | None) -> str | None:
        """Every marked field is left out: what a log may show of it would still lead to somebody."""
        return None if mark is None or mark.mask == "keep" else "drop"


def _refused(value: Any) -> Any:
    raise TypeError("bytes are left out")


_PLAN: Final = _Erasing(_refused, lambda number: format(number, "f"), Profile.LOG)


def erased(text: bytes, blobs: Sequence[bytes] = ()) -> bytes:
    """The stored value in *text* without its personal fields, documents and members that nobody knows.

    It can be counted, not read back. What cannot be read now is blanked whole.
    """
    try:
        members = loads(text)
        name = class_name(str(members.get("schema", ""))) if isinstance(members, dict) else None
        cls = getattr(model, name or "", None)
        if cls is None:
            return b""
        value = join(text, blobs, cls)
        return dumps(stamped(value, _PLAN.write(value)))
    except (InputError, TypeError):
        return b""
