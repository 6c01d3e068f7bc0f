"""What is wrong with a configuration: each problem with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

import attrs

from ..errors import InputError
from ..model import Problem, ProblemCode
from .positions import Place

__all__ = ["Findings"]


@attrs.define
class Findings:
    """Problems and warnings, gathered while a file is read; never a value of the file, for it may be a secret."""

    path: Path | None
    places: Mapping[tuple[str | int, ...], Place] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)

    def add(self, where: tuple[str | int, ...], code: ProblemCode, text: str, *, source: str = "") -> None:
        """One problem at *where*; *source* names an environment variable that it came from instead of the file."""
        place = self._place(where)
        if source:
            text = f"{source}: {text}"
        elif place is not None:
            text = f"line {place[0]}, column {place[1]}: {text}"
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in where)
        self.problems.append(Problem(path=pointer, code=code, text=text))

    def unknown(self, where: tuple[str | int, ...], known: Iterable[str], *, source: str = "") -> None:
        """A key that means nothing here."""
        names = sorted(known)
        name = str(where[-1])
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
        self.add(where, ProblemCode.UNKNOWN_VALUE, f"unknown key {name}; {hint}", source=source)

    def refuse(self) -> None:
        """Raise everything at once.

        Raises:
            InputError: there is at least one problem.
        """
        if self.problems:
            file = f"{self.path}: " if self.path is not None else ""
            text = "; ".join(f"{one.path}: {one.text}" if one.path else one.text for one in self.problems)
            raise InputError(f"{file}{text}", problems=tuple(self.problems))

    def _place(self, where: tuple[str | int, ...]) -> Place | None:
        """That of the key, else of the nearest table around it."""
        while where:
            if where in self.places:
                return self.places[where]
            where = where[:-1]
        return None
