"""Rows worked through, several at once, shown in their order."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..rows import Row
from .results import Result
from .table import show

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["INTERRUPTED", "OK", "SOME_FAILED", "Stopped", "each_of", "worked_through"]

OK, SOME_FAILED, INTERRUPTED = 0, 1, 130


Stopped = Callable[[], bool]
"""Whether a person asked to begin nothing more."""


def worked_through(
    rows: int, results: Callable[[Stopped], Iterable[tuple[int, Result]]], columns: Sequence[str], *, as_json: bool
) -> int:
    """Say what became of each row, in the order of the file; the exit code.

    Interrupted, *results* end what has begun and begin nothing more: with keys the same file may be given again.
    """
    told: list[Result] = []
    early: dict[int, Result] = {}
    with _stop_asked() as stopped, _progress(rows, as_json) as step:
        for place, result in results(stopped):
            early[place] = result
            while len(told) in early:
                _collect(early.pop(len(told)), told, as_json)
            step()
        interrupted = stopped()
    for place in sorted(early):  # those before them were not begun
        _collect(early[place], told, as_json)
    failed = [result for result in told if not result.ok]
    if not as_json:
        show(told, columns)
        sys.stdout.flush()
        for result in told:
            for sentence in (*result.complaints(), *result.warnings()):
                sys.stderr.write(f"{sentence}\n")
    _summary(told, rows)
    if interrupted:
        return INTERRUPTED
    return SOME_FAILED if failed else OK


def each_of(
    rows: Sequence[Row], work: Callable[[Row], Result], at_once: int, stopped: Stopped
) -> Iterator[tuple[int, Result]]:
    """*work* on every row, several at once, in the order of the file."""

    def begun(row: Row) -> Result | None:
        return None if stopped() else work(row)

    with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
        for place, result in enumerate(pool.map(begun, rows)):
            if result is not None:
                yield place, result


@contextmanager
def _stop_asked() -> Iterator[Stopped]:
    """The first interrupt is a wish to begin nothing more, the second one ends the program as always."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _collect(result: Result, results: list[Result], as_json: bool) -> None:
    results.append(result)
    if as_json:
        from ...codec import dumps

        sys.stdout.write(dumps(result.data()).decode("utf-8") + "\n")
        sys.stdout.flush()


def _summary(results: Sequence[Result], rows: int) -> None:
    counts: dict[str, int] = {}
    for result in results:
        counts[result.status] = counts.get(result.status, 0) + 1
    told = ", ".join(f"{count} {status}" for status, count in counts.items()) or "no rows"
    more = f", {rows - len(results)} not begun" if len(results) < rows else ""
    sys.stderr.write(f"{rows} rows: {told}{more}\n")


@contextmanager
def _progress(total: int, as_json: bool) -> Iterator[Callable[[], None]]:
    """A bar on stderr where a person watches, and nothing else is written meanwhile."""
    if not sys.stderr.isatty() or total < 2 or (as_json and sys.stdout.isatty()):
        yield lambda: None
        return
    bar = _bar()
    with bar:
        task = bar.add_task("rows", total=total)
        yield lambda: bar.advance(task)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Redirected, what is written to stdout meanwhile would go to the bar's stream.
    return Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    )
