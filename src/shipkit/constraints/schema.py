"""A carrier's own options against the carrier's own JSON Schema: the part of the standard that option lists need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from shipkit.model.messages import ProblemCode

if TYPE_CHECKING:
    from .found import Found

__all__ = ["check_options"]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "null": (type(None),),
}


def check_options(
    found: Found, options: Mapping[str, Any], carrier: str, schema: Mapping[str, Any] | None, at: str
) -> None:
    """Add what of the *carrier*'s own options does not fit *schema*; options for other carriers are theirs to check.

    Known of JSON Schema: type, enum, properties, required, additionalProperties (false beside properties unless said),
    items, minLength, maxLength, pattern, minimum, maximum, minItems, maxItems. Without a schema the carrier takes no
    options of its own.
    """
    own = options.get(carrier)
    if own is not None:
        _check(found, own, {"type": "object", "properties": {}, **(schema or {})}, f"{at}/{carrier}")


def _check(found: Found, value: Any, schema: Mapping[str, Any], at: str) -> None:
    kind = schema.get("type")
    if kind is not None and not _is_a(value, kind):
        found.add(at, ProblemCode.MALFORMED, f"must be of type {kind}", str(kind))
        return
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(map(str, schema["enum"]))
        found.add(at, ProblemCode.UNKNOWN_VALUE, f"must be one of {known}", known)
    if isinstance(value, str):
        _text(found, value, schema, at)
    elif isinstance(value, Mapping):
        _object(found, value, schema, at)
    elif isinstance(value, (list, tuple)):
        _size(found, len(value), schema.get("minItems"), schema.get("maxItems"), at, "items")
        for index, item in enumerate(value):
            _check(found, item, schema.get("items", {}), f"{at}/{index}")
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if least is not None and value < least:
            found.add(at, ProblemCode.OUT_OF_RANGE, f"must be {least} or more", f">= {least}")
        if most is not None and value > most:
            found.add(at, ProblemCode.OUT_OF_RANGE, f"must be {most} or less", f"<= {most}")


def _is_a(value: Any, kind: str | list[str] | tuple[str, ...]) -> bool:
    names = (kind,) if isinstance(kind, str) else kind
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _text(found: Found, value: str, schema: Mapping[str, Any], at: str) -> None:
    _size(found, len(value), schema.get("minLength"), schema.get("maxLength"), at, "characters")
    pattern = schema.get("pattern")
    if pattern is not None and not re.search(pattern, value):
        found.add(at, ProblemCode.MALFORMED, f"must match {pattern}", pattern)


def _size(found: Found, size: int, least: int | None, most: int | None, at: str, what: str) -> None:
    characters = what == "characters"
    if least is not None and size < least:
        code = ProblemCode.TOO_SHORT if characters else ProblemCode.TOO_FEW
        found.add(at, code, f"has {size} {what}, at least {least} are required", str(least))
    if most is not None and size > most:
        code = ProblemCode.TOO_LONG if characters else ProblemCode.TOO_MANY
        found.add(at, code, f"has {size} {what}, at most {most} are taken", str(most))


def _object(found: Found, value: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> None:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", "properties" not in schema)
    for name in schema.get("required", ()):
        if value.get(name) is None:
            found.missing(f"{at}/{name}")
    for name, item in value.items():
        path = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in known:
            _check(found, item, known[name], path)
        elif isinstance(others, Mapping):
            _check(found, item, others, path)
        elif not others:
            listed = ", ".join(known) or "none"
            found.add(path, ProblemCode.UNKNOWN_VALUE, "is no option of this carrier", listed)
