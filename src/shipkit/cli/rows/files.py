"""A file of orders, whatever its form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...codec.reading import loads
from ...errors import InputError
from ...model import Problem, ProblemCode
from .row import Row, Spot, Target
from .table import rows_of_table

__all__ = ["FORMS", "read_rows"]

FORMS: Final = ("csv", "json", "jsonl")
_ENDINGS: Final[Mapping[str, str]] = {"csv": "csv", "tsv": "csv", "json": "json", "jsonl": "jsonl", "ndjson": "jsonl"}
_MEMBERS: Final = ("key", "account")
_BACK: Final = ("kind", "outbound", "authorization", "valid_days")


def read_rows(content: bytes, target: Target, *, name: str = "", form: str = "") -> list[Row]:
    """The orders in *content*; its form is *form*, else what the ending of *name* says, else what it looks like.

    A bad row is a row with problems: it stops no other.

    Raises:
        InputError: nothing of it can be read, or a table has columns that mean nothing.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line} is not UTF-8 text: save the file as UTF-8") from None
    form = form or _ENDINGS.get(name.rpartition(".")[2].lower(), "") or _looks_like(text)
    if form == "csv":
        return rows_of_table(text, target)
    values = _values_by_line(text) if form == "jsonl" else _values(text)
    return [_row(line, value, target) for line, value in values]


def _looks_like(text: str) -> str:
    start = text.lstrip()[:1]
    if start == "[":
        return "json"
    return (
        "jsonl" if start == "{" and _is_whole(text.lstrip().partition("\n")[0]) else "json" if start == "{" else "csv"
    )


def _is_whole(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


Unread = InputError | Any


def _values_by_line(text: str) -> Iterator[tuple[int, Unread]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _read(line)


def _values(text: str) -> Iterator[tuple[int, Unread]]:
    """One object, a list of them, or several after each other."""
    whole = _read(text)
    if not isinstance(whole, InputError):
        items = whole if isinstance(whole, list) else [whole]
        yield from zip(_starts(text, isinstance(whole, list)), items, strict=False)
        return
    values = list(_values_by_line(text))
    if not any(isinstance(value, InputError) for _, value in values):
        yield from values
        return
    raise InputError(f"the file {whole.problems[0].text}", problems=whole.problems)


def _read(text: str) -> Unread:
    try:
        return loads(text)
    except InputError as error:
        return error


def _starts(text: str, is_list: bool) -> Iterator[int]:
    """The line on which each value begins."""
    decoder, at = json.JSONDecoder(), 0
    if is_list:
        at = text.index("[") + 1
    gap = re.compile(r"[\s,]*")
    while (match := gap.match(text, at)) is not None and match.end() < len(text):
        at = match.end()
        if text[at] == "]":
            return
        yield text.count("\n", 0, at) + 1
        at = decoder.raw_decode(text, at)[1]


def _row(line: int, value: Unread, target: Target) -> Row:
    if isinstance(value, InputError):
        return Row(line=line, data={}, problems=value.problems, find=lambda _: Spot(line, ""))
    if not isinstance(value, dict):
        problem = Problem(path="", code=ProblemCode.MALFORMED, text="must be an object")
        return Row(line=line, data={}, problems=(problem,), find=lambda _: Spot(line, ""))
    members = {name: item for name, item in value.items() if name not in _MEMBERS}
    problems = [
        Problem(path=f"/{name}", code=ProblemCode.MALFORMED, text="must be text")
        for name in _MEMBERS
        if not isinstance(value.get(name, ""), str)
    ]
    shipment = members.get("shipment")
    way_back = None
    if isinstance(shipment, dict) and (target.returns or target.passing):
        way_back = {name: members[name] for name in _BACK if name in members} if target.returns else None
        members = shipment
    reference = members.get("reference")
    return Row(
        line=line,
        data=members,
        key=_text(value.get("key")) or _text(reference),
        account=_text(value.get("account")),
        way_back=way_back,
        problems=tuple(problems),
        find=lambda pointer: Spot(line, pointer),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
