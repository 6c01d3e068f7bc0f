"""Cells of one order put together to the JSON data of a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import attrs

from ...codec.reading import loads
from ...errors import InputError
from ...model import Problem, ProblemCode
from ...model.base import Value
from .columns import EACH, Coded, Column, name_of
from .row import Spot, own_pointer

__all__ = ["Assembly"]

_TRUE: Final = ("true", "yes", "y", "1", "x")
_FALSE: Final = ("false", "no", "n", "0")
_PACKAGES: Final = "packages"


def _breadth(unit: Column) -> int:
    """How much a unit speaks of: the narrower one goes first."""
    return 2 * (unit.path[-1] not in ("unit", "currency")) + unit.of_package


class _Items(dict[Any, Any]):
    """A list while it is being filled: by index, or by the code of an item."""


@attrs.define
class Assembly:
    """The data of one order, out of one line of a table or of several: one for each package.

    `data` is in the form of the model; what could not be read is in `problems`, and `spot` says where a pointer into
    the data came from.
    """

    root: type[Value]
    lines: Sequence[int]
    problems: list[Problem] = attrs.field(factory=list)
    _tree: dict[str, Any] = attrs.field(factory=dict)
    _spots: dict[tuple[Any, ...], Spot] = attrs.field(factory=dict)
    _units: list[tuple[Column, str, Spot]] = attrs.field(factory=list)

    def put(self, column: Column, text: str, package: int) -> None:
        """One cell; *package* is the number of the line within the order, from 0."""
        spot = Spot(self.lines[package], column.name)
        if column.kind == "unit":
            self._units.append((self._of_row(column, package) if len(self.lines) > 1 else column, text, spot))
            return
        path = self._of_row(column, package).path
        self._set(path, self._read(column, text, path), spot)

    def data(self) -> dict[str, Any]:
        """The request as JSON data, units in place, packages and customs lines numbered where they have no number."""
        for column, text, spot in sorted(self._units, key=lambda unit: _breadth(unit[0])):
            self._spread(column, text, spot)
        self._number(_PACKAGES, "ref", as_text=True)
        customs = self._tree.get("customs")
        if isinstance(customs, dict):
            self._number("lines", "line", as_text=False, inside=customs)
        spots: dict[tuple[Any, ...], Spot] = {}
        data = self._closed(self._tree, (), (), spots)
        self._spots = spots
        return dict(data)

    def spot(self, pointer: str) -> Spot:
        """Where a person corrects what *pointer* points at: the column that was given, else the one that is missing."""
        path = own_pointer(pointer)
        for known, spot in self._spots.items():
            if known == path or known[: len(path)] == path:
                return spot
        package = path[1] if len(path) > 1 and path[0] == _PACKAGES and isinstance(path[1], int) else 0
        line = self.lines[package] if package < len(self.lines) else self.lines[0]
        if package and len(self.lines) > 1:
            path = (_PACKAGES, 0, *path[2:])  # the line says which package
        return Spot(line, name_of(self.root, path))

    @staticmethod
    def _of_row(column: Column, package: int) -> Column:
        if not column.of_package:
            return column
        return attrs.evolve(column, path=tuple(package if part is EACH else part for part in column.path))

    def _set(self, path: tuple[Any, ...], value: Any, spot: Spot) -> None:
        if any(known == path[: len(known)] or path == known[: len(path)] for known in self._spots):
            pointer, text = f"/columns/{spot.line}/{spot.field}", "another column gives the same, or a part of it"
            self.problems.append(Problem(path=pointer, code=ProblemCode.NOT_TOGETHER, text=text))
            return
        node: Any = self._tree
        for part, following in pairwise(path):
            empty: dict[Any, Any] = _Items() if isinstance(following, (int, Coded)) else {}
            node = node.setdefault(part, empty)
        node[path[-1]] = value
        self._spots[path] = spot

    def _read(self, column: Column, text: str, path: tuple[Any, ...]) -> Any:
        if column.kind == "int":
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else text
        if column.kind == "bool":
            lowered = text.lower()
            return True if lowered in _TRUE else False if lowered in _FALSE else text
        if column.kind == "set":
            return [item for item in re.split(r"[;,\s]+", text) if item]
        if column.kind == "flag":
            return self._flag(text, path)
        if column.kind in ("json", "mixed"):
            return self._json(text, path)
        return text

    def _flag(self, text: str, path: tuple[Any, ...]) -> Any:
        if text.lower() in _TRUE:
            return {}
        if text.lower() not in _FALSE:
            self._complain(path, ProblemCode.MALFORMED, "must be yes or no")
        return None

    def _json(self, text: str, path: tuple[Any, ...]) -> Any:
        if text[:1] not in ("{", "["):
            literal = {"true": True, "false": False}
            return literal.get(text.lower(), text)
        try:
            return loads(text)
        except InputError as error:
            self._complain(path, ProblemCode.MALFORMED, error.problems[0].text)
            return None

    def _spread(self, column: Column, text: str, spot: Spot) -> None:
        """Give a unit to the measure that it names, or to all that it speaks of and that have none of their own."""
        for path, node in self._found(self._tree, column.path, ()):
            whole = column.path[-1] in ("unit", "currency")
            measures = [(path, node)] if whole else [((*path, name), side) for name, side in node.items()]
            for place, measure in measures:
                name = str(column.path[-1]) if whole else "unit"
                member = (*place, name)
                if isinstance(measure, dict) and measure and name not in measure:
                    measure[name] = text
                    self._spots[member] = spot

    def _found(self, node: Any, path: tuple[Any, ...], done: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        if not isinstance(node, dict):
            return []
        if not path or path[0] in ("unit", "currency"):
            return [(done, node)]
        if path[0] is EACH:
            return [hit for key, item in node.items() for hit in self._found(item, path[1:], (*done, key))]
        return self._found(node.get(path[0]), path[1:], (*done, path[0]))

    def _number(self, name: str, member: str, *, as_text: bool, inside: dict[str, Any] | None = None) -> None:
        items = (self._tree if inside is None else inside).get(name)
        if isinstance(items, _Items):
            for index, item in items.items():
                if isinstance(item, dict) and member not in item:
                    item[member] = str(index + 1) if as_text else index + 1

    def _closed(
        self, node: Any, given: tuple[Any, ...], path: tuple[Any, ...], spots: dict[tuple[Any, ...], Spot]
    ) -> Any:
        """*node* with lists as lists, and where each cell ended up."""
        if given in self._spots:
            spots[path] = self._spots[given]
        if isinstance(node, _Items):
            counted = sorted(key for key in node if isinstance(key, int))
            keys = [*counted, *(key for key in node if isinstance(key, Coded) and node[key] is not None)]
            items = []
            for index, key in enumerate(keys):
                item = self._closed(node[key], (*given, key), (*path, index), spots)
                if isinstance(key, Coded):
                    item = {"code": str(key), **item}
                    whole, code = (*given, key), (*path, index, "code")
                    spots[code] = next(spot for known, spot in self._spots.items() if known[: len(whole)] == whole)
                items.append(item)
            return items
        if isinstance(node, dict):
            return {
                key: self._closed(item, (*given, key), (*path, key), spots)
                for key, item in node.items()
                if item is not None
            }
        return node

    def _complain(self, path: tuple[Any, ...], code: ProblemCode, text: str) -> None:
        pointer = "".join(f"/{part}" for part in path if part is not EACH)
        self.problems.append(Problem(path=pointer, code=code, text=text))
