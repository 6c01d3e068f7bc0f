"""The one mapping between the columns of a table and the model: a column is a dotted path into the request.

What goes without saying may be left out (`INSIDE`): ``ship_to.city`` is ``ship_to.address.city``, ``weight`` that of
the package. Numbers count from 1, and one at the end says which package: ``weight.2``. A measure has its unit in a
column of its own: ``weight_unit``, ``length_unit``, ``declared_value_currency``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ... import model
from ...model import OptionCode
from ...model._fit import Shape, shape_of
from ...model.base import Value
from ...model.shipments import OPTION_TYPES

__all__ = ["EACH", "Coded", "Column", "Each", "INSIDE", "MEASURES", "column_of", "name_of", "names_of"]

INSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "Party": ("contact", "address"),
    "ShipmentRequest": ("packages",),
    "RateRequest": ("packages",),
    "Package": ("dimensions",),
    "PickupRequest": ("window",),
}
"""Members that a column need not name, by class."""

MEASURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "Weight": ("value", "unit", "_unit"),
    "Length": ("value", "unit", "_unit"),
    "Volume": ("value", "unit", "_unit"),
    "Money": ("amount", "currency", "_currency"),
}
"""A number and what it counts: the two members, and how the column of the second ends."""

_SUFFIXES: Final = tuple(dict.fromkeys(measure[2] for measure in MEASURES.values()))
_PACKAGES: Final = "packages"


class Each:
    """Stands in a path for the package that the row speaks of."""

    def __repr__(self) -> str:
        return "EACH"


EACH: Final = Each()


class Coded(str):
    """Stands in a path for the item of a list that has this code, wherever it is: ``options.signature``."""

    __slots__ = ()


Part = str | int | Each
Path = tuple[Part, ...]


@attrs.frozen(kw_only=True)
class Column:
    """A column of a table: where its cells go, and as what."""

    name: str
    path: Path
    kind: str
    """``text``, ``int``, ``bool``, ``set``, ``json`` (an object or a list, as JSON), ``flag``, or ``unit``."""

    @property
    def of_package(self) -> bool:
        """Whether the cell speaks of the row's own package."""
        return any(part is EACH for part in self.path)

    @property
    def numbered_package(self) -> bool:
        """Whether the name itself says which package."""
        return len(self.path) > 1 and self.path[0] == _PACKAGES and isinstance(self.path[1], int)


def column_of(root: type[Value], name: str) -> Column | None:
    """What the column *name* means in a table of *root*; None where it means nothing."""
    segments = tuple(name.split("."))
    found = _walk(Shape("name", root.__name__), segments, ())
    if found is None and len(segments) > 1 and _number(segments[-1]) is not None:
        found = _walk(Shape("name", root.__name__), segments[:-1], ())
        if found is None or EACH not in found[0]:
            return None
        number = _number(segments[-1]) or 0
        found = tuple(number if part is EACH else part for part in found[0]), found[1]
    return None if found is None else Column(name=name, path=found[0], kind=found[1])


def _walk(shape: Shape, segments: tuple[str, ...], path: Path) -> tuple[Path, str] | None:
    if not segments:
        return _leaf(shape, path)
    if shape.kind == "tuple":
        return _walk_items(shape.args[0], segments, path)
    if shape.kind == "map":
        return _walk(shape.args[1], segments[1:], (*path, segments[0]))
    if shape.kind != "name":
        return None
    if shape.name == "Json":
        return (*path, *segments), "json"
    cls = _class(shape)
    return None if cls is None else _walk_class(cls, segments, path)


def _walk_class(cls: type[Value], segments: tuple[str, ...], path: Path) -> tuple[Path, str] | None:
    fields = {field.name: field for field in attrs.fields(cls) if field.name != "extras"}
    first = segments[0]
    if first in fields:
        return _walk(shape_of(fields[first].type), segments[1:], (*path, first))
    for member in INSIDE.get(cls.__name__, ()):
        found = _walk(shape_of(fields[member].type), segments, (*path, member))
        if found is not None:
            return found
    for suffix in _SUFFIXES:
        stem = first.removesuffix(suffix)
        if stem != first and stem in fields and len(segments) == 1:
            return _unit(shape_of(fields[stem].type), (*path, stem), suffix)
    return None


def _unit(shape: Shape, path: Path, suffix: str) -> tuple[Path, str] | None:
    measure = MEASURES.get(shape.name)
    if measure is not None and measure[2] == suffix:
        return (*path, measure[1]), "unit"
    if shape.name == "Dimensions" and suffix == "_unit":
        return path, "unit"
    return None


def _walk_items(item: Shape, segments: tuple[str, ...], path: Path) -> tuple[Path, str] | None:
    number = _number(segments[0])
    if number is not None:
        return _walk(item, segments[1:], (*path, number))
    if item.name == "Option":
        return _walk_option(segments, path)
    return _walk(item, segments, (*path, EACH if path == (_PACKAGES,) else 0))


def _walk_option(segments: tuple[str, ...], path: Path) -> tuple[Path, str] | None:
    """``options.insurance`` is the value of that option, ``options.insurance_currency`` its currency."""
    codes = {code.value: OPTION_TYPES[code] for code in OptionCode}
    first = segments[0]
    if first in codes:
        if not codes[first]:
            return ((*path, Coded(first)), "flag") if len(segments) == 1 else None
        return _walk(shape_of(codes[first]), segments[1:], (*path, Coded(first), "value"))
    stem = first.removesuffix("_currency")
    if stem != first and codes.get(stem) == "Money" and len(segments) == 1:
        return _unit(shape_of("Money"), (*path, Coded(stem), "value"), "_currency")
    return None


def _leaf(shape: Shape, path: Path) -> tuple[Path, str] | None:
    if shape.kind == "tuple":
        item = shape.args[0]
        return ((*path, 0), _kind(item)) if _class(item) is None and item.kind == "name" else (path, "json")
    if shape.name in MEASURES:
        return (*path, MEASURES[shape.name][0]), "text"
    if shape.name == "TrackingNumber":
        return (*path, "value"), "text"
    return path, _kind(shape)


def _kind(shape: Shape) -> str:
    if shape.kind == "set":
        return "set"
    if shape.kind in ("map", "tuple") or shape.name == "Json" or _class(shape) is not None:
        return "json"
    if shape.kind == "union" or shape.name == "OptionValue":
        return "mixed"
    return shape.name if shape.name in ("int", "bool") else "text"


def _class(shape: Shape) -> type[Value] | None:
    if shape.kind != "name" or not hasattr(model, shape.name):
        return None
    found = getattr(model, shape.name)
    return found if isinstance(found, type) and issubclass(found, Value) else None


def _number(text: str) -> int | None:
    """The index that a counted segment means: ``1`` is 0."""
    return int(text) - 1 if text.isascii() and text.isdecimal() and 1 <= int(text) <= 10_000 else None


def name_of(root: type[Value], pointer: tuple[str | int, ...]) -> str:
    """The column that would hold what *pointer* points at, by the same rules and as short as it is clear."""
    short = _named(root, pointer, leave_out=True)
    column = column_of(root, short)
    package = pointer[1] if len(pointer) > 1 and pointer[0] == _PACKAGES else 0
    meant = () if column is None else tuple(package if part is EACH else part for part in column.path)
    long = short if meant[: len(pointer)] == pointer else _named(root, pointer, leave_out=False)
    return long if column_of(root, long) is not None else short


def _named(root: type[Value], pointer: tuple[str | int, ...], *, leave_out: bool) -> str:
    shape = Shape("name", root.__name__)
    names: list[str] = []
    package = ""
    for position, part in enumerate(pointer):
        measure = MEASURES.get(shape.name)
        if isinstance(part, int):
            if position == 1 and pointer[0] == _PACKAGES:
                package = str(part + 1) if part else ""
                if not leave_out and package:
                    names.append(package)
            else:
                names.append(str(part + 1))
            shape = shape.args[0] if shape.args else shape
        elif measure is not None and part in measure[:2]:
            if part == measure[1] and names:
                names[-1] += measure[2]
            break
        else:
            implied = part in INSIDE.get(shape.name, ()) and (leave_out or part != _PACKAGES)
            if position == len(pointer) - 1 or not implied:
                names.append(part)
            shape = _member(shape, part)
    return ".".join([*names, package] if package and leave_out else names)


def _member(shape: Shape, name: str) -> Shape:
    cls = _class(shape)
    fields: Mapping[str, Any] = attrs.fields_dict(cls) if cls is not None else {}
    return shape_of(fields[name].type) if name in fields else Shape("name", "Json")


def names_of(root: type[Value], *, depth: int = 3) -> tuple[str, ...]:
    """The columns of *root* whose names are no longer than *depth* segments, for hints and for the documentation."""
    found: dict[str, None] = {}

    def visit(cls: type[Value], prefix: str, seen: tuple[str, ...]) -> None:
        for field in attrs.fields(cls):
            if field.name == "extras" or len(seen) >= depth:
                continue
            shape = shape_of(field.type)
            item = shape.args[0] if shape.kind == "tuple" else shape
            inner = _class(item)
            implied = field.name in INSIDE.get(cls.__name__, ())
            name = prefix if implied else f"{prefix}{field.name}."
            if shape.kind == "tuple" and not implied:
                name += "1."
            if item.name in MEASURES:
                found[name[:-1]] = found[name[:-1] + MEASURES[item.name][2]] = None
            elif item.name == "TrackingNumber" or inner is None:
                found[name[:-1]] = None
            elif item.name == "Option":
                found.update(dict.fromkeys(f"{prefix}options.{code}" for code in OptionCode))
            elif inner.__name__ not in seen:
                visit(inner, name, (*seen, inner.__name__) if not implied else seen)

    visit(root, "", (root.__name__,))
    return tuple(found)
