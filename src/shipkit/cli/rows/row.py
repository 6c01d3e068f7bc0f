"""One order of a file, before anybody has judged it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ...model import Problem
from ...model.base import Value

__all__ = ["Row", "Spot", "Target", "own_pointer"]


@attrs.frozen(kw_only=True)
class Target:
    """What the rows of a file are to become: the class of the model, and classes whose further members are let pass.

    A file of orders serves prices and tracking as well: there most of its columns do not matter.
    """

    root: type[Value]
    passing: tuple[type[Value], ...] = ()
    returns: bool = False
    """Whether a row may ask for a way back."""


@attrs.frozen
class Spot:
    """Where a person finds something: the line of the file, and the column or the JSON pointer."""

    line: int
    field: str


def own_pointer(pointer: str) -> tuple[str | int, ...]:
    """The parts of a JSON pointer (RFC 6901); numbers are indices."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return tuple(int(part) if part.isdecimal() else part for part in parts)


@attrs.frozen(kw_only=True)
class Row:
    """One order: its JSON data in the model's form, the key and the account that it names, what could not be read."""

    line: int
    data: Mapping[str, Any]
    key: str = ""
    account: str = ""
    way_back: Mapping[str, Any] | None = None
    """Members of a ReturnRequest beside its shipment; None for an order that goes out."""
    problems: tuple[Problem, ...] = ()
    find: Callable[[str], Spot] = attrs.field(repr=False, eq=False)
    """The spot of a JSON pointer into `data`."""

    def spot(self, problem: Problem) -> Spot:
        """Where the problem is: the line and the column (or, in JSON, the pointer)."""
        return self.spot_of(problem.path)

    def spot_of(self, pointer: str) -> Spot:
        """Where a person finds what the pointer points at."""
        return self.find(pointer.removeprefix("/shipment") if self.way_back is not None else pointer)

    @property
    def unread(self) -> bool:
        """Whether nothing of the row could be read, so that nothing is missing from it."""
        return any(not problem.path for problem in self.problems)

    @property
    def reference(self) -> str:
        """The host's own number, if it is text."""
        found = self.data.get("reference")
        return found if isinstance(found, str) else ""
