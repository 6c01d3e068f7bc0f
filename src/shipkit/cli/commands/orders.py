"""Commands that work through a file of orders."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from .arguments import Account, AsJson, AtOnce, ConfigFile, File, Form, Keys, Labels, repeated

if TYPE_CHECKING:
    from ..orders.batch import Stopped
    from ..orders.results import Result
    from ..orders.session import Session
    from ..rows import Row

__all__ = ["cancel", "columns", "documents", "pickup", "rates", "ship", "track"]

_STDIN = Path("-")
_LABELS = Path("labels")


def rates(
    file: File = _STDIN,
    /,
    *,
    account: Annotated[tuple[str, ...], repeated("--account", "Else every account")] = (),
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Prices of the orders in a file, cheapest first."""
    from ..orders import jobs as doing

    rows = _rows("rates", file, form)
    return _worked(
        "rates", rows, lambda session, row, _: doing.rates(session, row, account), config, account, json, jobs
    )


def ship(
    file: File = _STDIN,
    /,
    *,
    account: Account = None,
    labels: Labels = _LABELS,
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Book the orders in a file, each once under its key, and write their labels.

    The key is the column key, else the order's reference. The same file may be given again: what is booked comes back
    with the same labels, what was left open is finished.
    """
    from ..orders import jobs as doing
    from ..orders.papers import Papers

    rows, papers = _once(_rows("ship", file, form)), Papers(labels)
    return _told(
        "ship",
        rows,
        lambda session, several, stopped: doing.ship(session, rows, papers, several, stopped),
        config,
        account,
        json,
        jobs,
    )


def track(
    file: File = _STDIN,
    /,
    *,
    account: Account = None,
    number: Annotated[tuple[str, ...], repeated("--number", "Instead of a file")] = (),
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Where the parcels are: of the column number, else of what was booked under the row's key."""
    from ..orders import jobs as doing

    rows = _given(("", {"number": {"value": each}}) for each in number) or _rows("track", file, form)
    return _worked("track", rows, doing.track, config, account, json, jobs)


def cancel(
    file: File = _STDIN,
    /,
    *,
    account: Account = None,
    key: Keys = (),
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Undo what was booked under the keys in a file, shipments and collections alike."""
    from ..orders import jobs as doing

    rows = _given((each, {}) for each in key) or _rows("cancel", file, form)
    return _worked("cancel", rows, doing.cancel, config, account, json, jobs)


def pickup(
    file: File = _STDIN,
    /,
    *,
    account: Account = None,
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Ask for the collections in a file, each once under its key (else its reference)."""
    from ..orders import jobs as doing

    rows = _once(_rows("pickup", file, form))
    return _worked("pickup", rows, doing.pickup, config, account, json, jobs)


def documents(
    file: File = _STDIN,
    /,
    *,
    account: Account = None,
    key: Keys = (),
    labels: Labels = _LABELS,
    config: ConfigFile = None,
    json: AsJson = False,
    form: Form = None,
    jobs: AtOnce = None,
) -> int:
    """Papers once more: those kept under the row's key, else the carrier's, in another format where it converts."""
    from ..orders import jobs as doing
    from ..orders.papers import Papers

    rows, papers = _given((each, {}) for each in key) or _rows("documents", file, form), Papers(labels)
    return _worked(
        "documents",
        rows,
        lambda session, row, own: doing.documents(session, row, own, papers),
        config,
        account,
        json,
        jobs,
    )


def columns(
    command: Annotated[
        Literal["ship", "rates", "track", "pickup", "documents"], Parameter(help="Whose table.")
    ] = "ship",
    /,
) -> int:
    """The usual columns that a table of orders may have; docs/command-line.md has the rule behind their names."""
    from ..orders.jobs import TARGETS
    from ..rows.columns import names_of

    target = TARGETS[command]
    ways = ("return", "return.outbound", "return.authorization", "return.valid_days") if target.returns else ()
    sys.stdout.writelines(f"{name}\n" for name in ("key", "account", *ways, *names_of(target.root)))
    return 0


def _worked(
    command: str,
    rows: list[Row],
    job: Callable[[Session, Row, str], Result],
    config: Path | None,
    accounts: tuple[str, ...] | str | None,
    as_json: bool,
    at_once: int | None,
) -> int:
    """Work *rows* through with *job*, for the account that is named where only one can be."""
    from ..orders.batch import each_of
    from ..orders.jobs import guarded

    def results(session: Session, several: int, stopped: Stopped) -> Iterator[tuple[int, Result]]:
        return each_of(rows, guarded(session, job), several, stopped)

    return _told(command, rows, results, config, accounts, as_json, at_once)


def _told(
    command: str,
    rows: list[Row],
    results: Callable[[Session, int, Stopped], Iterator[tuple[int, Result]]],
    config: Path | None,
    accounts: tuple[str, ...] | str | None,
    as_json: bool,
    at_once: int | None,
) -> int:
    """Say what *results* come to, of so many rows at once."""
    from ..orders.batch import worked_through
    from ..orders.jobs import COLUMNS
    from ..orders.session import opened, refuse_unknown

    named = (accounts,) if isinstance(accounts, str) else accounts or ()
    with opened(config, accounts if isinstance(accounts, str) else None) as session:
        refuse_unknown(session.config, named)
        for warning in session.config.warnings:
            sys.stderr.write(f"{warning}\n")
        several = at_once or session.config.settings.list_concurrency
        each = partial(results, session, several)
        return worked_through(len(rows), each, COLUMNS[command], as_json=as_json)


def _rows(command: str, file: Path, form: str | None) -> list[Row]:
    from ..orders.jobs import TARGETS
    from ..rows import read_rows

    return read_rows(_content(file), TARGETS[command], name=file.name, form=form or "")


def _given(values: Iterable[tuple[str, dict[str, Any]]]) -> list[Row]:
    """Rows out of the command's own arguments: key and data of each."""
    from ..rows import Row, Spot

    return [
        Row(line=number, data=data, key=key, find=lambda pointer, number=number: Spot(number, pointer))  # type: ignore[misc]
        for number, (key, data) in enumerate(values, 1)
    ]


def _once(rows: list[Row]) -> list[Row]:
    """A key stands for one order: a second row with it is told so, whatever it says."""
    import attrs

    from ...model import Problem, ProblemCode

    first: dict[str, int] = {}
    found = []
    for row in rows:
        if row.key and first.setdefault(row.key, row.line) != row.line:
            text = f"line {first[row.key]} has the same key"
            problem = Problem(path="/key", code=ProblemCode.DUPLICATE, text=text)
            row = attrs.evolve(row, problems=(*row.problems, problem))
        found.append(row)
    return found


def _content(file: Path) -> bytes:
    from ...errors import InputError

    if str(file) == "-":
        if sys.stdin.isatty():
            sys.stderr.write("reading orders from the keyboard; Ctrl-D ends them\n")
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"the file {file} cannot be read: {error.strerror}") from None
