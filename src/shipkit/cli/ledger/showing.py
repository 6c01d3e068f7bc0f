"""One row or many, printed for a person or for a program."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ...codec import dumps
from ...ports import Entry, Phase, Step
from ...store.audit import broken_at
from ..orders.batch import OK, SOME_FAILED
from ..orders.table import aligned
from .advice import advice, moment, standing
from .rows import Ledger, bodies, hidden, row_data

__all__ = ["audited", "listed", "shown", "step_data"]

_LIST = ("key", "phase", "operation", "account", "attempt", "booking", "changed", "error")
_PIECES = ("piece", "phase", "attempt", "booking", "changed", "error")
_STEPS = ("number", "at", "event", "before", "after", "attempt", "booking", "detail")


def listed(
    ledger: Ledger,
    *,
    phases: Sequence[Phase],
    account: str | None,
    prefix: str,
    after: str,
    limit: int,
    as_json: bool,
    personal: bool,
) -> int:
    """Write the rows that fit, and where a next page begins; the exit code."""
    found = (
        (entry, phase)
        for entry, phase in ledger.in_phases(phases, prefix, after)
        if account in (None, entry.account) and (phases or entry.parent is None)
    )
    page = list(islice(found, limit + 1))
    rows = [row_data(entry, ledger.own(entry.key), phase, personal=personal) for entry, phase in page[:limit]]
    if as_json:
        sys.stdout.writelines(_line(row) for row in rows)
    else:
        times = {row["key"]: moment(entry.updated_at) for row, (entry, _) in zip(rows, page, strict=False)}
        sys.stdout.write(aligned(_LIST, [_cells(row, changed=times[row["key"]]) for row in rows]))
    more = f"; --after {rows[-1]['key']} shows more" if len(page) > limit else ""
    sys.stderr.write(f"{len(rows)} keys{more}\n")
    return OK


def shown(ledger: Ledger, key: str, *, as_json: bool, personal: bool) -> int:
    """Write all that is known of *key*; the exit code says whether its trail is whole."""
    entry = ledger.entry(key)
    data = _all_of(ledger, entry, ledger.own(entry.key), personal)
    if as_json:
        sys.stdout.write(_line(data))
    else:
        sys.stdout.write(_told(data))
    return OK if data["trail_broken_at"] is None else SOME_FAILED


def _all_of(ledger: Ledger, entry: Entry, key: str, personal: bool) -> dict[str, Any]:
    pieces, strays = ledger.pieces(entry), ledger.strays(entry)
    store = ledger.session.store.ledger
    steps = store.history(entry.key)
    next_one = advice(entry, pieces, strays, store.now(), key)
    rows = [row_data(piece, ledger.own(piece.key), piece.phase, personal=personal) for piece in pieces]
    return {
        **row_data(entry, key, standing(entry, pieces), personal=personal),
        **(bodies(entry) if personal else {}),
        "pieces": rows,
        "strays": [
            {
                "generation": stray.generation,
                "booking": hidden(stray.booking, personal=personal),
                "attempt": stray.attempt,
                "phase": stray.phase,
            }
            for stray in strays
        ],
        "trail": [step_data(step, personal=personal) for step in steps],
        "trail_broken_at": broken_at(steps, entry) if steps else None,
        "next": {"whose_move": next_one.whose.value, "text": next_one.text},
    }


def step_data(step: Step, *, personal: bool) -> dict[str, Any]:
    """One line of the trail as JSON data; its digest is of the line as it is stored."""
    return {
        "generation": step.generation,
        "number": step.number,
        "at": step.at.isoformat(),
        "event": step.event,
        "before": step.before,
        "after": step.after,
        "attempt": step.attempt,
        "send": step.send,
        "booking": hidden(step.booking, personal=personal),
        "detail": step.detail,
        "digest": step.digest,
    }


def _told(data: Mapping[str, Any]) -> str:
    parts = ("pieces", "strays", "trail", "trail_broken_at", "next", "request", "result")
    facts = {name: _word(value) for name, value in data.items() if name not in parts and value not in ("", None)}
    width = max(map(len, facts))
    text = "".join(f"{name.ljust(width)}  {value}\n" for name, value in facts.items())
    for name in ("request", "result"):
        if name in data:
            text += f"\n{name}  {dumps(data[name]).decode('utf-8')}\n"
    if data["pieces"]:
        rows = [_cells(row, piece=row["key"], changed=row["updated_at"]) for row in data["pieces"]]
        text += "\n" + aligned(_PIECES, rows)
    if data["strays"]:
        rows = [_cells(row) for row in data["strays"]]
        text += "\nfurther bookings\n" + aligned(("booking", "attempt", "phase"), rows)
    text += "\n" + aligned(_STEPS, [_cells(row) for row in data["trail"]])
    broken = data["trail_broken_at"]
    text += "the trail is whole\n" if broken is None else f"the trail was changed: line {broken} does not fit\n"
    return text + f"\n{data['next']['whose_move']}: {data['next']['text']}\n"


def audited(ledger: Ledger, *, prefix: str, verify: bool, as_json: bool, personal: bool) -> int:
    """Write the trail of every key (or what is wrong with it); the exit code says whether all are whole."""
    keys = lines = 0
    broken: list[str] = []
    for entry in ledger.every(prefix):
        key, steps = ledger.own(entry.key), ledger.session.store.ledger.history(entry.key)
        keys, lines = keys + 1, lines + len(steps)
        number = broken_at(steps, entry)
        if number is not None:
            broken.append(f"{key}: line {number} does not fit" if steps else f"{key}: its trail is gone")
        if not verify:
            rows = [{"key": key, **step_data(step, personal=personal)} for step in steps]
            sys.stdout.writelines(_line(row) if as_json else _plain(row) for row in rows)
    if verify:
        sys.stdout.writelines(f"{text}\n" for text in broken)
    state = "all whole" if not broken else f"{len(broken)} do not fit"
    sys.stderr.write(f"{keys} keys, {lines} lines: {state}\n")
    return OK if not broken else SOME_FAILED


def _plain(row: Mapping[str, Any]) -> str:
    moved = f"{row['before'] or '-'} -> {row['after']}"
    return f"{row['at']}  {row['key']}  {row['event']}  {moved}  {row['booking']}  {row['detail']}".rstrip() + "\n"


def _cells(row: Mapping[str, Any], **more: str) -> dict[str, str]:
    return {**{name: _word(value) for name, value in row.items()}, **more}


def _word(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _line(data: Mapping[str, Any]) -> str:
    return dumps(data).decode("utf-8") + "\n"
