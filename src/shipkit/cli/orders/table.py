"""Results as a table: for people on a terminal, and aligned text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from .results import Result

__all__ = ["aligned", "show"]


def show(results: Sequence[Result], columns: Sequence[str]) -> None:
    """Write one line a row (a price list has several) to stdout; columns in which nothing stands are left out."""
    lines: list[Mapping[str, str]] = []
    for result in results:
        own = {"line": str(result.row.line), "key": result.row.key, "account": result.account, "status": result.status}
        lines += [{**own, **cells} for cells in result.cells or ({},)]
    names = [name for name in columns if any(line.get(name) for line in lines)]
    if sys.stdout.isatty():
        _show_on_terminal(names, lines)
    else:
        sys.stdout.write(aligned(names, lines))


def aligned(names: Sequence[str], lines: Sequence[Mapping[str, str]]) -> str:
    """Plain text in columns, whole, whatever its width."""
    if not lines:
        return ""
    rows = [list(names), *([line.get(name, "") for name in names] for line in lines)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(names))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{row.rstrip()}\n" for row in padded)


def _show_on_terminal(names: Sequence[str], lines: Sequence[Mapping[str, str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(*(Text(line.get(name, "")) for name in names))
    Console().print(table)
