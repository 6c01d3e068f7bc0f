"""What a value shows of itself: fields at their default left out, personal ones masked."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from hashlib import sha256
from typing import Any

import attrs

from shipkit.model._fit import shape_of
from shipkit.model.marks import PERSONAL

Mask = Callable[[Any], Any]
HIDDEN = "***"


def _initials(text: str) -> str:
    return "".join(f"{word[0]}." for word in text.split())


def _mail(text: str) -> str:
    name, at, domain = text.rpartition("@")
    return f"{name[:1]}{HIDDEN}@{domain}" if at else HIDDEN


def _hash(text: str) -> str:
    return f"#{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def _length_and_hash(content: bytes) -> str:
    return f"<{len(content)} bytes, sha256 {sha256(content).hexdigest()[:12]}>"


def _round_1(place: Any) -> Any:
    """A place to one decimal of a degree, some eleven kilometres."""
    tenth = Decimal("0.1")
    return attrs.evolve(
        place,
        latitude=place.latitude.quantize(tenth, ROUND_HALF_EVEN),
        longitude=place.longitude.quantize(tenth, ROUND_HALF_EVEN),
        accuracy_m=None,
        extras={},
    )


def _keep(count: int, *, first: bool) -> Mask:
    def keep(text: str) -> str:
        """A text that is hardly longer than what would be kept is hidden whole."""
        if len(text) <= count:
            return HIDDEN
        return f"{text[:count]}{HIDDEN}" if first else f"{HIDDEN}{text[-count:]}"

    return keep


_MASKS: dict[str, Mask] = {
    "drop": lambda value: HIDDEN,
    "initials": _initials,
    "mail": _mail,
    "hash": _hash,
    "length_and_hash": _length_and_hash,
    "round_1": _round_1,
}


@cache
def mask(rule: str) -> Mask | None:
    """The function that masks by *rule*, for a value or each item of a tuple; None where the rule is ``keep``."""
    if rule == "keep":
        return None
    if rule.startswith("keep_"):
        _, side, count = rule.split("_")
        one = _keep(int(count), first=side == "first")
    else:
        one = _MASKS[rule]
    if rule == "drop":
        return one

    def masked(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, (tuple, frozenset)):
            return one(value)
        return tuple(None if item is None else one(item) for item in value)  # a draft may lack some

    return masked


@cache
def _parts(cls: Any) -> tuple[tuple[str, Any, Mask | None], ...]:
    found = []
    for field in attrs.fields(cls):
        if field.name == "extras":
            continue
        mark = field.metadata.get(PERSONAL)
        shown = mask(mark.mask) if mark is not None and mark.by_default else None
        if shown is None and any(arg.name == "Json" for arg in (shape_of(field.type), *shape_of(field.type).args)):
            shown = mask("drop")  # a carrier's own options may hold anything
        found.append((field.name, field.default, shown))
    return tuple(found)


def text(value: Any) -> str:
    """The masked repr of a value of the model."""
    parts = []
    cls: Any = type(value)
    for name, default, masked in _parts(cls):
        item = getattr(value, name)
        if item is default or (default is not attrs.NOTHING and item == default):
            continue
        if masked is None:
            parts.append(f"{name}={_repr(item)}")
        else:
            shown = masked(item)
            parts.append(f"{name}={shown if isinstance(shown, str) else _repr(shown)}")
    return f"{type(value).__name__}({', '.join(parts)})"


def _repr(item: Any) -> str:
    return f"<{len(item)} bytes>" if isinstance(item, bytes) else repr(item)
