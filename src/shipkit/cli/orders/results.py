"""What became of a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ...codec import Profile, to_dict
from ...errors import InDoubtError, InputError, RejectedError, ShipkitError
from ...model import Message, NoticeLevel, Outcome, Problem
from ...model.base import Value
from ..rows import Row

__all__ = ["Result", "error_data", "status_of"]

_WORDS: Final[Mapping[str, str]] = {
    "invalid_input": "invalid",
    "not_supported": "not supported",
    "key_conflict": "conflict",
    "in_progress": "in progress",
    "in_doubt": "in doubt",
    "label_pending": "label pending",
    "rejected": "refused",
}
_SHOWN_TYPES: Final = frozenset({"shipment"})


@attrs.frozen(kw_only=True)
class Result:
    """One row, carried out or not."""

    row: Row
    account: str = ""
    status: str
    """A word for people and scripts: ``booked``, ``invalid``, ``refused``, ``in doubt``, and so on."""
    cells: tuple[Mapping[str, str], ...] = ()
    """Lines of the table that is shown, by column; usually one."""
    value: Value | None = None
    files: tuple[Path, ...] = ()
    error: ShipkitError | None = None

    @property
    def ok(self) -> bool:
        """Whether the row is done."""
        return self.error is None

    def complaints(self) -> tuple[str, ...]:
        """What is wrong, a sentence each, with line and column; empty for a row that is done."""
        if self.error is None:
            return ()
        found = self._problems()
        if not found:
            where = f"line {self.row.line}"
            return (f"{where}: {self.status}: {self.error}",)
        return tuple(self._sentence(problem) for problem in found)

    def warnings(self) -> tuple[str, ...]:
        """What a person should look at although the row is done, a sentence each."""
        value = getattr(self.value, "shipment", None) or self.value
        found = (message for message in getattr(value, "messages", ()) if message.level is NoticeLevel.WARNING)
        return tuple(self._warning(message) for message in found)

    def data(self) -> dict[str, Any]:
        """The row as JSON data."""
        out: dict[str, Any] = {"line": self.row.line, "status": self.status}
        if self.row.key:
            out["key"] = self.row.key
        if self.account:
            out["account"] = self.account
        if self.value is not None:
            out["result"] = to_dict(self.value)
        if self.files:
            out["files"] = [str(path) for path in self.files]
        if self.error is not None:
            out["error"] = error_data(self.error)
            spots = [(problem, self.row.spot(problem)) for problem in self._problems()]
            out["problems"] = [
                {"line": spot.line, "field": spot.field, "path": p.path, "code": str(p.code), "text": p.text}
                for p, spot in spots
            ]
        return out

    def _problems(self) -> tuple[Problem, ...]:
        return self.error.problems if isinstance(self.error, (InputError, RejectedError)) else ()

    def _warning(self, message: Message) -> str:
        spot = self.row.spot_of(message.path or "")
        field = f", {spot.field}" if message.path and spot.field else ""
        theirs = f"[{message.carrier_code}] " if message.carrier_code else ""
        return f"line {spot.line}{field}: warning: {theirs}{message.text or ''} ({message.code})"

    def _sentence(self, problem: Problem) -> str:
        spot = self.row.spot(problem)
        field = f", {spot.field}" if spot.field else ""
        pointer = (
            f" [{problem.path}]"
            if problem.path and spot.field != problem.path and "/columns" not in problem.path
            else ""
        )
        return f"line {spot.line}{field}: {problem.text} ({problem.code}){pointer}"


def status_of(error: ShipkitError) -> str:
    """One or two words for *error*."""
    if isinstance(error, InDoubtError) and error.needs_person:
        return "for a person"
    return _WORDS.get(error.code, error.code.replace("_", " "))


def error_data(error: ShipkitError) -> dict[str, Any]:
    """*error* as JSON data, without the values that stand beside it in the row."""
    data: dict[str, Any] = to_dict(Outcome(index=0, error=error), profile=Profile.FULL)["error"]
    return {name: item for name, item in data.items() if name not in _SHOWN_TYPES and name != "problems"}
