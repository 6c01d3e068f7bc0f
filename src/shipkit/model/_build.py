"""Constructors of values, written as text once a class turns out to be used much.

attrs sets each field of a frozen, slotted object by a call, and a check in a loop over the fields costs as much again:
together more than half of what reading a carrier's reply takes. The text below says the same, field by field: set, and
look whether the type is one that was found to fit. Where one is new, `Plan.settle` decides, as it did for the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timezone
from typing import TYPE_CHECKING, Any, cast

import attrs

if TYPE_CHECKING:
    from shipkit.model._fit import Plan

__all__ = ["build"]


def build(cls: type, plan: Plan) -> None:
    """Give *cls* its constructor, and *plan* the way to copy a value of it; nothing where attrs was told more."""
    fields = attrs.fields(cls)
    if "__attrs_attrs__" not in cls.__dict__ or any(_is_unusual(field) for field in fields):
        return
    # An object is of this class while its fields are set; its layout is the same, and it takes what is set.
    plain = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    names: dict[str, Any] = {
        "_become": object.__dict__["__class__"].__set__,
        "_open": type(cls.__name__, (cls,), plain),
        "_shut": cls,
        "_new": object.__new__,
        "_by_attrs": cls.__init__,  # type: ignore[misc]
        "_settle": plan.settle,
        "_type": type,
        "_utc": timezone.utc,
    }
    for index, field in enumerate(fields):
        names |= {f"_default{index}": field.default, f"_convert{index}": field.converter}
        names |= {f"_seen{index}": plan.seen[index], f"_items{index}": plan.items.get(index)}
    lines = [*_constructor(cls, plan, fields), *_copier(fields)]
    exec(compile("\n".join(lines), f"<shipkit constructor of {cls.__name__}>", "exec"), names)  # noqa: S102
    made = names["__init__"]
    made.__annotations__, made.__qualname__ = cls.__init__.__annotations__, f"{cls.__qualname__}.__init__"  # type: ignore[misc]
    plan.copy = cast("Callable[[Any], Any]", names["copy"])
    cls.__init__ = made  # type: ignore[misc]


def _is_unusual(field: Any) -> bool:
    whole = field.init and field.validator is None and field.alias == field.name and not field.name.startswith("_")
    return not whole or isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]


def _constructor(cls: Any, plan: Plan, fields: Any) -> Iterator[str]:
    given = [_parameter(index, field) for index, field in enumerate(fields) if not field.kw_only]
    named = [_parameter(index, field) for index, field in enumerate(fields) if field.kw_only]
    yield f"def __init__(self, {', '.join([*given, '*', *named])}):"
    yield "    if self.__class__ is not _shut:"  # a class made from ours, which may have fields of its own
    yield f"        return _by_attrs(self, {', '.join(f'{field.name}={field.name}' for field in fields)})"
    yield "    _become(self, _open)"
    for index, field in enumerate(fields):
        yield f"    self.{field.name} = {field.name if field.converter is None else f'_convert{index}({field.name})'}"
    yield "    self.__class__ = _shut"
    yield f"    fits = {' and '.join(_test(plan, index, field) for index, field in enumerate(fields))}"
    for index in plan.items:
        yield "    if fits:"
        yield f"        for item in {fields[index].name} or ():"
        yield f"            if _type(item) not in _items{index}:"
        yield "                fits = False"
        yield "                break"
    yield "    if not fits:"
    yield "        _settle(self)"
    if plan.ruled:
        yield "    self._whole()"


def _parameter(index: int, field: Any) -> str:
    return field.name if field.default is attrs.NOTHING else f"{field.name}=_default{index}"


def _test(plan: Plan, index: int, field: Any) -> str:
    """Whether a field is seen to fit: None where it may be, its default, a type that fitted before, no zone but UTC."""
    name = field.name if field.converter is None else f"self.{field.name}"
    test = f"_type({name}) in _seen{index}"
    if index in plan.moments:
        test += f" and {name}.tzinfo is _utc"
    if index in plan.bare:
        test += f" and getattr({name}, 'tzinfo', None) is None"
    if plan.shapes[index].optional:
        return f"({name} is None or {test})"
    return test if field.default is attrs.NOTHING else f"({name} is _default{index} or {test})"


def _copier(fields: Any) -> Iterator[str]:
    yield "def copy(value):"
    yield "    made = _new(_open)"
    for field in fields:
        yield f"    made.{field.name} = value.{field.name}"
    yield "    made.__class__ = _shut"
    yield "    return made"
