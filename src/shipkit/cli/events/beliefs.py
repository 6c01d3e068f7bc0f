"""What a host believes of its parcels, read from a table, and held against what carriers say now."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ...client.events.reconciling import Agreement, Reconciled
from ...errors import InputError
from ...events.comparing import Belief
from ...model import Milestone, Problem, ProblemCode
from ..ledger.rows import hidden
from ..orders.batch import OK, SOME_FAILED
from .room import Room, line, rows

__all__ = ["beliefs_of", "reconciled"]

_COLUMNS: Final = ("key", "number", "milestone", "delivered_at")
_TABLE: Final = ("account", "key", "number", "believed", "carrier", "agreement", "repair")


def reconciled(
    room: Room,
    file: Path | None,
    *,
    account: str,
    since: datetime | None,
    apply: bool,
    as_json: bool,
    personal: bool,
) -> int:
    """Write what does not agree; the exit code says whether anything does not."""
    beliefs = None if file is None else beliefs_of(_text(file))
    report = room.client.events.reconcile(beliefs, account=account or None, since=since, apply=apply)
    found = [_row(one, personal=personal) for one in report.rows]
    counts = {kind.value: report.counts.get(kind, 0) for kind in Agreement}
    if as_json:
        data = {"counts": counts, "repaired": report.repaired, "announcements": report.announcements, "rows": found}
        sys.stdout.write(line(data))
    else:
        if found:
            rows(_TABLE, found, as_json=False, none="")
        sys.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to ask")
        sys.stdout.write(f"; {report.repaired} repaired\n" if apply else "\n")
    return OK if report.agrees else SOME_FAILED


def beliefs_of(text: str) -> list[Belief]:
    """The rows of a table with the columns ``key``, ``number``, ``milestone`` and ``delivered_at``.

    Raises:
        InputError: every line that says what cannot be.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    wrong = [name for name in reader.fieldnames or () if name not in _COLUMNS]
    if wrong or not {"key", "number"} & set(reader.fieldnames or ()):
        names = f"has the columns {', '.join(_COLUMNS)}, and key or number at least"
        raise InputError(problems=(Problem(path="/0", code=ProblemCode.UNKNOWN_VALUE, text=names),))
    found, problems = [], []
    for row in reader:
        problems += list(_problems(reader.line_num, row))
        if not problems:
            found.append(_belief(row))
    if problems:
        raise InputError(problems=tuple(problems))
    return found


def _text(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read().decode("utf-8")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        problem = Problem(path="", code=ProblemCode.MISSING, text=f"{file}: {why}")
        raise InputError(problems=(problem,)) from None


def _problems(number: int, row: dict[str, Any]) -> Iterator[Problem]:
    def problem(name: str, text: str) -> Problem:
        return Problem(path=f"/{number}/{name}", code=ProblemCode.MALFORMED, text=f"line {number}: {text}")

    if not (_cell(row, "key") or _cell(row, "number")):
        yield problem("number", "names neither a key nor a number")
    milestone = _cell(row, "milestone")
    if milestone and milestone not in [each.value for each in Milestone]:
        yield problem("milestone", f"is one of {', '.join(each.value for each in Milestone)}")
    if _cell(row, "delivered_at") and _moment(_cell(row, "delivered_at")) is None:
        yield problem("delivered_at", "is a time with its offset, such as 2026-03-01T08:00:00Z")


def _belief(row: dict[str, Any]) -> Belief:
    milestone = _cell(row, "milestone")
    return Belief(
        key=_cell(row, "key"),
        number=_cell(row, "number"),
        milestone=Milestone(milestone) if milestone else None,
        delivered_at=_moment(_cell(row, "delivered_at")),
    )


def _cell(row: dict[str, Any], name: str) -> str:
    return (row.get(name) or "").strip()


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _row(one: Reconciled, *, personal: bool) -> dict[str, Any]:
    told = one.as_dict()
    believed, number = told["believed"], hidden(str(told["number"]), personal=personal)
    return {
        "account": one.account,
        "key": told["key"],
        "number": number,
        "believed": believed or "",
        "carrier": told["milestone"] or "",
        "agreement": one.agreement.value,
        "about": told["about"],
        "repair": "repaired" if one.repaired else one.error or told["repair"],
        "error": one.error,
    }
