"""Measures what can be measured here, writes build/bench.json, prints a table; never fails for a figure."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from . import (
    deadlines,
    environments,
    events_fold,
    events_inbox,
    events_relay,
    events_store,
    fanout,
    ledger,
    lists,
    looplag,
    others,
    replies,
    starts,
    watching,
)
from .timing import Figure

SHARED = Path(os.environ.get("SHIPKIT_SHARED") or environments.ROOT.parent / "shared")


def measures() -> dict[str, Callable[[], Figure | list[Figure]]]:
    """What is measured, by name; what needs the recordings is left out where they are not."""
    recorded = (SHARED / "recordings").is_dir()
    found: dict[str, Callable[[], Figure | list[Figure]]] = {
        "imports": starts.imports,
        "first client": lambda: starts.first_client(environments.ours(), environments.karrio()),
        "first client among plugins": lambda: starts.many_plugins(environments.ours()),
        "tracking": replies.tracking_read,
        "timeline": replies.tracking,
        "fold": events_fold.folding,
        "parcel's next state": events_fold.advancing,
        "growth": lambda: replies.growth(SHARED if recorded else None),
        "rates of many accounts": fanout.ten_accounts,
        "deadline": deadlines.hung,
        "loop lag": looplag.slow_disk,
        "memory of a list": lists.flat,
        "ledgered call on SQLite": ledger.call_on_sqlite,
        "ledgered call on PostgreSQL": ledger.call_on_postgres,
        "claims per second": ledger.claims_per_second,
        "pushes on SQLite": events_inbox.inbox_on_sqlite,
        "pushes on PostgreSQL": events_inbox.inbox_on_postgres,
        "calls of an event store": events_store.flat,
        "relay": events_relay.relayed,
    }
    if recorded:
        found |= {
            "rates": lambda: replies.rates(SHARED),
            "label": lambda: replies.label(SHARED),
            "DPD label": lambda: replies.dpd_label(SHARED),
            "watched": lambda: watching.overhead(SHARED),
            "karrio": lambda: others.karrio(environments.karrio(), SHARED),
        }
    return found


def taken() -> tuple[list[Figure], list[str]]:
    """The figures, and a line for each that could not be taken: it is told, not hidden."""
    figures: list[Figure] = []
    broken: list[str] = []
    for name, measure in measures().items():
        try:
            made = measure()
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[-1:]}")
            continue
        figures += made if isinstance(made, list) else [made]
    if not (SHARED / "recordings").is_dir():
        broken.append("what reads recordings: there are none here (SHIPKIT_SHARED)")
    return figures, broken


def table(figures: list[Figure]) -> None:
    for figure in figures:
        bar = "" if figure.bar is None else f"<= {figure.bar:g}"
        said = {True: "holds", False: "MISSED", None: ""}[figure.holds]
        times = f"{figure.ours_us:10.0f} us {figure.base_us:10.0f} us" if figure.ours_us and figure.base_us else ""
        print(f"{figure.name:54} {figure.ratio:8.2f} {figure.unit:2} {bar:8} {said:7} {times:28} {figure.base}")


def main() -> int:
    began = time.monotonic()
    figures, broken = taken()
    document: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seconds": round(time.monotonic() - began),
        "figures": [{**attrs.asdict(figure), "holds": figure.holds} for figure in figures],
        "broken": broken,
    }
    build = environments.ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(document, indent=2) + "\n")
    print(
        f"CPython {document['python']}; each a median of at least 7 pairs in one run, of processor time but for waits"
    )
    table(figures)
    for line in broken:
        print("not measured:", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
