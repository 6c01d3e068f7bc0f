"""What every request must obey, whoever the carrier is: the bounds on its fields, and rules between fields.

Bounds stand on the fields of the model (`shipkit.model.marks`); here they are read once per class. Rules between fields
are functions, one per class. A draft may lack what is required: that is said once, and what lies below is left alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import attrs

from shipkit import model
from shipkit.model._fit import Shape, shape_of
from shipkit.model.base import Value
from shipkit.model.marks import BOUNDS, Bounds
from shipkit.model.messages import ProblemCode
from shipkit.model.scalars import TEXT_NAMES

from .codes import COUNTRIES, CURRENCIES
from .rules import RULES

if TYPE_CHECKING:
    from .found import Found

__all__ = ["check"]

_Check = Callable[["Found", Any, str], None]
_Look = Callable[["Found", Any, str, str], None]
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ONE_CLASS: Final = re.compile(r"\[[^\]]*\]\+")
_CODES: Final = {"CountryCode": (COUNTRIES, "ISO 3166-1"), "CurrencyCode": (CURRENCIES, "ISO 4217")}


def check(found: Found, value: Any, at: str = "") -> None:
    """Add to *found* what is wrong with *value*, whose JSON pointer is *at*, and with whatever it holds."""
    (_CHECKS.get(value.__class__) or _check_of(value.__class__))(found, value, at)


_CHECKS: Final[dict[type, _Check]] = {}


def _check_of(cls: type) -> _Check:
    """How a class is looked at, written as text once: each field that is there, each that is not; then the whole.

    A request has some two hundred fields, and nearly all are in order at first sight.
    """
    names: dict[str, Any] = {"check": check, "rule": RULES.get(cls.__name__)}
    lines = ["def check_fields(found, value, at):"]
    for index, field in enumerate(attrs.fields(cls)):
        shape, bounds = shape_of(field.type), field.metadata.get(BOUNDS) or Bounds()
        required = not shape.optional and field.default is attrs.NOTHING
        look, blank = _looks(shape, bounds, required=required)
        if field.name == "extras" or (look is None and blank is None):
            continue
        names |= {f"look{index}": look, f"blank{index}": blank}
        closely = f"look{index}(found, item, at, {field.name!r})"
        if look is None:
            closely = "pass"
        elif look is _inner:
            closely = f"check(found, item, f'{{at}}/{field.name}')"
        lines += [f"    if item := value.{field.name}:", f"        {_sight(shape, bounds, index, names)}{closely}"]
        if blank is not None:
            lines += ["    else:", f"        blank{index}(found, item, at, {field.name!r})"]
    lines.append("    rule(found, value, at)" if names["rule"] is not None else "    return")
    exec(compile("\n".join(lines), f"<shipkit check of {cls.__name__}>", "exec"), names)  # noqa: S102
    written: _Check = names["check_fields"]
    _CHECKS[cls] = written
    return written


def _sight(shape: Shape, bounds: Bounds, index: int, names: dict[str, Any]) -> str:
    """The condition under which a field that is there has to be looked at closely; empty where it always has."""
    if shape.kind == "name" and shape.name in TEXT_NAMES:
        tests = ["item.isprintable()"]
        listed, _ = _CODES.get(shape.name, (None, ""))
        if bounds.max_length is not None:
            tests.append(f"len(item) <= {bounds.max_length}")
        if listed is not None:
            names[f"listed{index}"] = listed
            tests.append(f"item in listed{index}")
        if bounds.pattern:
            names[f"matches{index}"] = re.compile(bounds.pattern, re.ASCII).fullmatch
            tests.append(f"matches{index}(item)")
        if bounds.min_length:
            tests.append("item[0] != ' '")
        return f"if not ({' and '.join(tests)}): "
    if shape.kind == "name" and shape.name in ("Weight", "Length"):
        # A request has eight of them or more: with few digits, above 0, they obey every bound on them.
        few = "len(text := str(item.value)) <= 7 and 'E' not in text"
        return f"if not (item.value and item.value > 0 and item.unit is not None and {few}): "
    return ""


def _looks(shape: Shape, bounds: Bounds, *, required: bool) -> tuple[_Look | None, _Look | None]:
    """How a field of *shape* is looked at when it is there, and when it is not."""
    missing = _missing if required else None
    if shape.kind in ("tuple", "set"):
        return _many(shape.args[0], bounds), _none_given(bounds.min_items or 0, missing)
    if shape.kind == "map":
        return (_map if _may_be_value(shape.args[1].name) else None), None
    if shape.kind == "union" or shape.name == "OptionValue":
        return _perhaps, missing
    if shape.name in TEXT_NAMES:
        return _text(shape.name, bounds), _no_text(bounds.min_length or 0, required=required)
    if shape.name in ("int", "Decimal") and bounds != Bounds():
        look = _number(bounds)
        return look, _zero(look, missing)
    if not _may_be_value(shape.name):
        return None, missing
    return (_inner if _room_of(shape.name) is not None else _perhaps), missing


def _may_be_value(name: str) -> bool:
    """Whether *name* is a value's; of a room that nothing has needed so far, perhaps: it is not loaded for that."""
    room = _room_of(name)
    if room is None:
        return name in model.__all__
    found = getattr(room, name)
    return isinstance(found, type) and issubclass(found, Value)


def _room_of(name: str) -> ModuleType | None:
    """The room of the model that *name* lies in, if it is loaded."""
    return sys.modules.get(f"{model.__name__}.{model._ROOMS.get(name)}")


def _inner(found: Found, item: Any, at: str, name: str) -> None:
    check(found, item, f"{at}/{name}")


def _perhaps(found: Found, item: Any, at: str, name: str) -> None:
    if isinstance(item, Value):
        check(found, item, f"{at}/{name}")


def _map(found: Found, item: Any, at: str, name: str) -> None:
    for key, value in item.items():
        _perhaps(found, value, f"{at}/{name}", key)


def _missing(found: Found, item: Any, at: str, name: str) -> None:
    if item is None:
        found.missing(f"{at}/{name}")


def _none_given(least: int, missing: _Look | None) -> _Look | None:
    def blank(found: Found, items: Any, at: str, name: str) -> None:
        if items is None:
            if missing is not None:
                missing(found, items, at, name)
        elif least:
            found.add(f"{at}/{name}", ProblemCode.TOO_FEW, f"must have at least {least}", str(least))

    return blank if least or missing is not None else None


def _no_text(least: int, *, required: bool) -> _Look | None:
    def blank(found: Found, text: str | None, at: str, name: str) -> None:
        if text is not None and least:
            found.add(f"{at}/{name}", ProblemCode.TOO_SHORT, f"must have at least {_characters(least)}", str(least))
        elif required:
            found.missing(f"{at}/{name}")

    return blank if least or required else None


def _zero(look: _Look, missing: _Look | None) -> _Look:
    def blank(found: Found, number: Any, at: str, name: str) -> None:
        if number is not None:
            look(found, number, at, name)
        elif missing is not None:
            missing(found, number, at, name)

    return blank


def _text(kind: str, bounds: Bounds) -> _Look:
    least, most = bounds.min_length or 0, bounds.max_length
    matches = re.compile(bounds.pattern, re.ASCII).fullmatch if bounds.pattern else None
    listed, standard = _CODES.get(kind, (None, ""))
    if bounds == Bounds() and listed is None:
        return _any_text

    def look(found: Found, text: str, at: str, name: str) -> None:
        if (
            text.isprintable()
            and (most is None or len(text) <= most)
            and (listed is None or text in listed)
            and (matches is None or matches(text))
            and not (least and text[0] == " ")
        ):
            return
        _text_problems(found, text, f"{at}/{name}", bounds)
        if listed is not None and text not in listed:
            found.add(f"{at}/{name}", ProblemCode.UNKNOWN_VALUE, f"is no code of {standard}", standard)

    return look


def _any_text(found: Found, text: str, at: str, name: str) -> None:
    if not text.isprintable():
        _text_problems(found, text, f"{at}/{name}", Bounds())


def _text_problems(found: Found, text: str, at: str, bounds: Bounds) -> None:
    pattern, most = bounds.pattern, bounds.max_length
    if _CONTROL.search(text):
        found.add(at, ProblemCode.BAD_CHARACTERS, "holds a control character")
    elif bounds.min_length and not text.strip():
        found.add(at, ProblemCode.TOO_SHORT, "is blank", str(bounds.min_length))
    elif pattern is not None and not re.fullmatch(pattern, text, re.ASCII):
        code = ProblemCode.BAD_CHARACTERS if _ONE_CLASS.fullmatch(pattern) else ProblemCode.MALFORMED
        found.add(at, code, f"must match {pattern}", pattern)
    if most is not None and len(text.strip()) > most:
        found.add(at, ProblemCode.TOO_LONG, f"has {len(text.strip())} characters, at most {most} are taken", str(most))


def _number(bounds: Bounds) -> _Look:
    above, least, most, decimals = bounds.above, bounds.least, bounds.most, bounds.max_decimals

    def look(found: Found, number: Decimal | int, at: str, name: str) -> None:
        if above is not None and not number > above:
            found.add(f"{at}/{name}", ProblemCode.NOT_POSITIVE, f"must be greater than {above}", f"> {above}")
        elif least is not None and number < least:
            code = ProblemCode.NOT_POSITIVE if least >= 0 else ProblemCode.OUT_OF_RANGE
            found.add(f"{at}/{name}", code, f"must be {least} or more", f">= {least}")
        elif most is not None and number > most:
            found.add(f"{at}/{name}", ProblemCode.OUT_OF_RANGE, f"must be {most} or less", f"<= {most}")
        elif decimals is not None and isinstance(number, Decimal) and _decimals(number) > decimals:
            text = f"must have at most {decimals} decimals"
            found.add(f"{at}/{name}", ProblemCode.OUT_OF_RANGE, text, f"{decimals} decimals")

    return look


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -6:
        return 0 if not isinstance(exponent, int) else max(0, -exponent)
    digits = format(number, "f").rstrip("0")  # trailing zeros are no decimals
    return len(digits.partition(".")[2])


def _many(item: Shape, bounds: Bounds) -> _Look | None:
    most, unique = bounds.max_items, bounds.unique
    text = _text(item.name, bounds) if item.name in TEXT_NAMES else None
    no_text = _no_text(bounds.min_length or 0, required=True)
    if text is None and not _may_be_value(item.name) and most is None:
        return None

    def look(found: Found, items: Any, at: str, name: str) -> None:
        path = f"{at}/{name}"
        if most is not None and len(items) > most:
            found.add(path, ProblemCode.TOO_MANY, f"has {len(items)}, at most {most} are taken", str(most))
        for index, one in enumerate(items):
            if not one:
                if no_text is not None:
                    no_text(found, one, path, str(index))
            elif text is not None:
                text(found, one, path, str(index))
            else:
                _perhaps(found, one, path, str(index))
        if unique is not None and len(items) > 1:
            _distinct(found, items, path, unique)

    return look


def _distinct(found: Found, items: Any, at: str, member: str) -> None:
    seen: dict[Any, int] = {}
    for index, item in enumerate(items):
        name = getattr(item, member, None)
        if name is not None and seen.setdefault(name, index) != index:
            text = f"is the same as {at}/{seen[name]}/{member}"
            found.add(f"{at}/{index}/{member}", ProblemCode.DUPLICATE, text)


def _characters(count: int) -> str:
    return f"{count} character" if count == 1 else f"{count} characters"
