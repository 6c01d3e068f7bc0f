"""Measures everything, writes build/bench.json, prints a table; never fails for a figure."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import attrs

from . import fanout, replies, starts
from .environments import PLUGINS, ROOT, environment
from .timing import Figure

SHARED = Path(os.environ.get("SHIPKIT_SHARED") or ROOT.parent / "shared")


def measures() -> list[Callable[[], Figure | list[Figure]]]:
    environments = ROOT / "build" / "bench-env"
    found: list[Callable[[], Figure | list[Figure]]] = [starts.imports]

    def first() -> list[Figure]:
        ours = environment(environments / "ours", str(ROOT), str(PLUGINS / "shipkit-ups"))
        karrio = environment(environments / "karrio", "karrio", "karrio-ups")
        return [*starts.first_client(ours, karrio), *starts.many_plugins(ours)]

    found.append(first)
    if (SHARED / "recordings").is_dir():
        found += [
            lambda: replies.rates(SHARED),
            lambda: replies.label(SHARED),
            replies.tracking_read,
            replies.tracking,
            lambda: replies.dpd_label(SHARED),
            lambda: replies.growth(SHARED),
        ]
    found.append(fanout.ten_accounts)
    return found


def main() -> int:
    figures: list[Figure] = []
    broken: list[str] = []
    for measure in measures():
        try:
            made = measure()
        except Exception as error:  # a figure that cannot be taken is told, not hidden
            broken.append(f"{getattr(measure, '__name__', 'measure')}: {type(error).__name__}: {error}")
            continue
        figures += made if isinstance(made, list) else [made]
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    document = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [{**attrs.asdict(figure), "holds": figure.holds} for figure in figures],
        "broken": broken,
    }
    (build / "bench.json").write_text(json.dumps(document, indent=2) + "\n")
    print(f"CPython {document['python']}; each a median of at least 7 pairs in one run")
    for figure in figures:
        bar = "" if figure.bar is None else f"<= {figure.bar:g}"
        said = {True: "holds", False: "MISSED", None: ""}[figure.holds]
        times = f"{figure.ours_us:10.0f} us {figure.base_us:10.0f} us" if figure.ours_us and figure.base_us else ""
        print(f"{figure.name:54} {figure.ratio:8.2f} {figure.unit:2} {bar:8} {said:7} {times:28} {figure.base}")
    for line in broken:
        print("not measured:", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
