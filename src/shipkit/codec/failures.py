"""The JSON form of errors: their class and the attributes that are set."""

from __future__ import annotations

from typing import Any, Final

from shipkit import errors
from shipkit.codec import reading, writing
from shipkit.model._fit import shape_of

__all__ = ["read_error", "writer"]

# Attributes that are not text or whole numbers, with their annotation. The rest reads as it stands.
_TYPES: Final = {
    "problems": "tuple[Problem, ...]",
    "paths": "tuple[str, ...]",
    "shipment": "Shipment",
    "environment": "Environment",
    "option": "OptionCode",
    "since": "datetime",
    "retry_at": "datetime",
}
_WORDS: Final = ("message", "carrier_message")
"""Text that may quote a carrier, and through it a person."""


def writer(plan: writing.Plan) -> writing.Writer:
    """A function that writes errors as *plan* wants them; masked output has no sentence of a carrier's in it."""

    def write(error: Any) -> dict[str, Any]:
        out: dict[str, Any] = {"type": type(error).__name__, "code": error.code}
        for name, item in vars(error).items():
            hidden = plan.profile is not writing.Profile.FULL and name in _WORDS
            if item not in (None, "", ()) and not name.startswith("_") and not hidden:
                out[name] = item.value if isinstance(item, errors.ReachedCarrier) else plan.write(item)
        return out

    return write


def read_error(data: Any) -> errors.ShipkitError:
    """The error that *data* describes; one of a class that this version lacks becomes its nearest kind, the base."""
    members = data if isinstance(data, dict) else {}
    cls = getattr(errors, str(members.get("type")), None)
    if not (isinstance(cls, type) and issubclass(cls, errors.ShipkitError)):
        cls = errors.ShipkitError
    error = cls(str(members.get("message", "")))
    for name, item in members.items():
        if name in vars(error) and name != "message" and item is not None:
            setattr(error, name, _attribute(name, item, getattr(error, name)))
    return error


def _attribute(name: str, item: Any, default: Any) -> Any:
    if name == "reached_carrier":
        return errors.ReachedCarrier(item) if item in list(errors.ReachedCarrier) else default
    if name in _TYPES:
        return reading.reader_of(shape_of(_TYPES[name]))(item)
    return item if isinstance(item, (str, int)) else default
