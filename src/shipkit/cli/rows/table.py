"""Orders out of a table: a header, then a line for each order, or several lines for an order of several packages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final

import attrs

from ...errors import InputError
from ...model import Problem, ProblemCode, ReturnRequest
from .cells import Assembly
from .columns import Column, column_of, names_of
from .row import Row, Spot, Target

__all__ = ["rows_of_table"]

_KEY, _ACCOUNT, _RETURN, _REFERENCE = "key", "account", "return", "reference"
_DELIMITERS: Final = (",", ";", "\t")


@attrs.frozen
class _Line:
    number: int
    cells: tuple[str, ...]
    problem: str = ""


@attrs.frozen(kw_only=True)
class _Header:
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    """None for key, account, return, and what is let pass."""
    of_packages: bool
    """Whether a column speaks of a package, so that an order may have a line for each."""

    def cell(self, line: _Line, name: str) -> str:
        return line.cells[self.names.index(name)] if name in self.names else ""


def rows_of_table(text: str, target: Target) -> list[Row]:
    """The orders of *text*.

    Raises:
        InputError: there is no header, or columns of it mean nothing; all of them are named.
    """
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = list(_lines(text, delimiter))
    if not lines:
        raise InputError("the file is empty: a table begins with a line of column names")
    header = _header(lines[0].cells, target)
    return [_row(header, group, target) for group in _groups(header, lines[1:])]


def _lines(text: str, delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Line(start, (), f"is not CSV: {error}")
        else:
            if any(cell.strip() for cell in cells):
                yield _Line(start, tuple(cell.strip() for cell in cells))
        start = reader.line_num + 1


def _header(names: Sequence[str], target: Target) -> _Header:
    columns = tuple(column_of(target.root, name) if name else None for name in names)
    problems = [
        Problem(path="", code=ProblemCode.UNKNOWN_VALUE, text=_unknown(name, target))
        for name, column in zip(names, columns, strict=True)
        if column is None and not _passes(name, target)
    ]
    problems += [
        Problem(path="", code=ProblemCode.DUPLICATE, text=f"column {name} stands there twice")
        for index, name in enumerate(names)
        if name and name in names[:index]
    ]
    if problems:
        text = "; ".join(problem.text for problem in problems)
        raise InputError(f"the table's columns cannot be used: {text}", problems=tuple(problems))
    passing = (column_of(cls, name) for cls in target.passing for name in names if name)
    of_packages = any(column is not None and column.of_package for column in (*columns, *passing))
    return _Header(names=tuple(names), columns=columns, of_packages=of_packages)


def _passes(name: str, target: Target) -> bool:
    if name in ("", _KEY, _ACCOUNT) or any(column_of(cls, name) is not None for cls in target.passing):
        return True
    return _is_return(name) and (target.returns or bool(target.passing)) and _return_column(name) is not None


def _is_return(name: str) -> bool:
    return name.partition(".")[0] == _RETURN


def _return_column(name: str) -> Column | None:
    """``return`` alone is the kind of the way back."""
    member = name.partition(".")[2] or "kind"
    return column_of(ReturnRequest, member) if not member.startswith("shipment") else None


def _unknown(name: str, target: Target) -> str:
    known = [_KEY, _ACCOUNT, *names_of(target.root), *(name for cls in target.passing for name in names_of(cls))]
    close = get_close_matches(name, known, n=1)
    return f"column {name} means nothing" + (f", did you mean {close[0]}?" if close else "")


def _groups(header: _Header, lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Lines of one order: those that follow each other with the same reference (and key)."""
    group: list[_Line] = []
    previous: tuple[str, str] | None = None
    for line in lines:
        complete = not line.problem and len(line.cells) <= len(header.names)
        padded = attrs.evolve(line, cells=line.cells + ("",) * (len(header.names) - len(line.cells)))
        identity = (header.cell(padded, _KEY), header.cell(padded, _REFERENCE)) if complete else None
        same = identity is not None and bool(identity[1]) and identity == previous
        if group and not same:
            yield group
            group = []
        group.append(padded)
        previous = identity if header.of_packages else None
    if group:
        yield group


def _row(header: _Header, group: list[_Line], target: Target) -> Row:
    first = group[0]
    if first.problem or len(first.cells) > len(header.names):
        text = first.problem or f"has {len(first.cells)} cells, the header {len(header.names)}"
        problem = Problem(path="", code=ProblemCode.MALFORMED, text=text)
        return Row(line=first.number, data={}, problems=(problem,), find=lambda _: Spot(first.number, ""))
    order = Assembly(root=target.root, lines=[line.number for line in group])
    for package, line in enumerate(group):
        for name, column, cell, before in zip(header.names, header.columns, line.cells, first.cells, strict=True):
            if column is None or not cell:
                continue
            if len(group) > 1 and column.numbered_package:
                _numbered(order, name, line.number)
            elif package and not column.of_package:
                if cell != before:
                    _differs(order, name, line.number, first.number)
            else:
                order.put(column, cell, package)
    data = order.data()
    way_back = _way_back(header, first) if target.returns else None
    return Row(
        line=first.number,
        data=data,
        key=header.cell(first, _KEY) or header.cell(first, _REFERENCE),
        account=header.cell(first, _ACCOUNT),
        way_back=way_back,
        problems=tuple(order.problems),
        find=lambda pointer: _spot(order, pointer, first.number, way_back is not None),
    )


def _spot(order: Assembly, pointer: str, line: int, returning: bool) -> Spot:
    if pointer.startswith("/columns/"):
        number, _, name = pointer.removeprefix("/columns/").partition("/")
        return Spot(int(number), name)
    if pointer in ("/key", "/account"):
        return Spot(line, pointer[1:])
    if returning and pointer.split("/")[1:2] in (["kind"], ["outbound"], ["authorization"], ["valid_days"]):
        return Spot(line, f"{_RETURN}.{pointer.split('/')[1]}")
    return order.spot(pointer)


def _differs(order: Assembly, name: str, line: int, first: int) -> None:
    text = f"differs from line {first} of the same order: leave it empty or repeat it"
    order.problems.append(Problem(path=f"/columns/{line}/{name}", code=ProblemCode.INCONSISTENT, text=text))


def _numbered(order: Assembly, name: str, line: int) -> None:
    text = "an order of several lines has one package in each: leave the number out"
    order.problems.append(Problem(path=f"/columns/{line}/{name}", code=ProblemCode.NOT_TOGETHER, text=text))


def _way_back(header: _Header, line: _Line) -> dict[str, Any] | None:
    given = [(name, cell) for name, cell in zip(header.names, line.cells, strict=True) if _is_return(name) and cell]
    if not given:
        return None
    members = Assembly(root=ReturnRequest, lines=[line.number])
    for name, cell in given:
        column = _return_column(name)
        if column is not None:
            members.put(column, cell, 0)
    return members.data()
