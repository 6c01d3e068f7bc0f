"""Rows of the tables as values, and values as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from ..codec import split, to_json
from ..errors import StoreError
from ..model.base import Value
from ..ports import Entry, Kept, Phase, Step, Stray
from .dialect import Dialect

__all__ = [
    "BODIES",
    "HEAD",
    "STEP",
    "STRAY",
    "UNREAD",
    "columns_of",
    "entry_of",
    "kept",
    "step_of_row",
    "stray_of",
    "whole",
]

HEAD: Final = (
    *("key", "generation", "operation", "account", "carrier", "phase", "void_wanted", "fingerprint", "base"),
    *("attempt", "send", "sole", "owner", "booking", "complete", "error"),
    *("lease_until", "settle_at", "first_sent_at", "watch_until", "next_at"),
    *("parent_key", "parent_generation", "note", "purged_at", "created_at", "updated_at"),
)
"""What an event has to know of a row; the bodies are long, and most events need none of them."""

BODIES: Final = ("request", "result", "void_result")
STEP: Final = (
    *("key", "number", "generation", "event", "phase_before", "phase_after", "attempt", "send", "booking", "detail"),
    *("at", "digest"),
)
STRAY: Final = ("key", "generation", "booking", "attempt", "result", "phase")
UNREAD: Final = Kept(b"")
"""Stands where a body was not read."""

_TIMES: Final = frozenset(field for field in HEAD if field.endswith(("_at", "_until")))
_FLAGS: Final = ("void_wanted", "sole", "complete")


def kept(value: Value | Kept | None) -> Kept:
    """A value as it is stored; None is empty text."""
    if value is None:
        return UNREAD
    return value if isinstance(value, Kept) else Kept(*split(value))


def whole(value: Value | Kept | None) -> bytes:
    """A value as one text, the bytes of its documents within."""
    if value is None:
        return b""
    return value.text if isinstance(value, Kept) else to_json(value)


def entry_of(dialect: Dialect, row: Sequence[Any], bodies: Sequence[Any] = (), blobs: Sequence[Any] = ()) -> Entry:
    """The row as a value. *row* is as `HEAD` names it, *bodies* as `BODIES` does.

    Raises:
        StoreError: this version cannot read it.
    """
    values: dict[str, Any] = dict(zip(HEAD, row, strict=True))
    try:
        out = dialect.time_out
        for name in _TIMES:
            if values[name] is not None:
                values[name] = out(values[name])
        for name in _FLAGS:
            values[name] = bool(values[name])
        values["phase"] = Phase(values["phase"])
        parent = values.pop("parent_key"), values.pop("parent_generation")
        values["parent"] = None if parent[0] is None else parent
        values["request"] = UNREAD
        if bodies:
            request, result, void_result = (bytes(body) for body in bodies)
            values["request"] = Kept(request)
            values["result"] = Kept(result, tuple(map(bytes, blobs))) if result else None
            values["void_result"] = Kept(void_result) if void_result else None
        return Entry(**values)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise StoreError(f"the row of {values['key']} cannot be read", key=str(values["key"])) from error


def columns_of(dialect: Dialect, members: Mapping[str, Any]) -> dict[str, Any]:
    """Members of an `Entry` as the columns of its row; bodies are left to the caller."""
    found = {}
    for name, value in members.items():
        if name == "parent":
            found["parent_key"], found["parent_generation"] = value or (None, None)
        elif isinstance(value, datetime):
            found[name] = dialect.time_in(value)
        elif isinstance(value, Phase):
            found[name] = value.value
        else:
            found[name] = value
    return found


def step_of_row(dialect: Dialect, row: Sequence[Any]) -> Step:
    """A line of the audit trail, as `STEP` names its columns."""
    key, number, generation, event, before, after, attempt, send, booking, detail, at, digest = row
    return Step(
        key=key,
        generation=generation,
        number=number,
        event=event,
        before=before,
        after=after,
        attempt=attempt,
        send=send,
        booking=booking,
        detail=detail,
        at=dialect.time_out(at),
        digest=digest,
    )


def step_columns(dialect: Dialect, step: Step) -> dict[str, Any]:
    """A line of the audit trail as parameters."""
    found = {field.name: getattr(step, field.name) for field in attrs.fields(Step)}
    found["phase_before"], found["phase_after"] = found.pop("before"), found.pop("after")
    return found | {"at": dialect.time_in(step.at)}


def stray_of(row: Sequence[Any], blobs: Sequence[Any]) -> Stray:
    """A further booking, as `STRAY` names its columns, with the bytes of its documents."""
    values: dict[str, Any] = dict(zip(STRAY, row, strict=True))
    return Stray(**{**values, "result": Kept(bytes(values["result"]), tuple(map(bytes, blobs)))})
