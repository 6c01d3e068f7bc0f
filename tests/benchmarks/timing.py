"""Pairs of timings: the machine drifts, so a ratio is taken pair by pair, and its median is told."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

__all__ = ["Figure", "asked", "asked_once", "paired", "quick"]

PAIRS = 11
PROCESSES = 9  # pairs of fresh processes


@attrs.frozen(kw_only=True)
class Figure:
    """One row of the table: a ratio of medians, its bar where there is one, and the two times behind it."""

    name: str
    ratio: float
    bar: float | None = None
    ours_us: float | None = None
    base_us: float | None = None
    base: str = ""
    unit: str = "x"
    note: str = ""

    @property
    def holds(self) -> bool | None:
        return None if self.bar is None else self.ratio <= self.bar


def quick(function: Callable[[], object], seconds: float = 0.05) -> float:
    """Processor seconds per call of *function*: what else the machine does meanwhile does not count."""
    function()
    once = _timed(function, 1)
    loops = max(1, int(seconds / max(once, 1e-9)))
    return _timed(function, loops) / loops


def paired(
    name: str, ours: Callable[[], object], base: Callable[[], object], *, bar: float | None, against: str
) -> Figure:
    """*ours* against *base*, in turn."""
    ratios, left, right = [], [], []
    for _ in range(PAIRS):
        a, b = quick(ours), quick(base)
        ratios.append(a / b)
        left.append(a)
        right.append(b)
    return Figure(
        name=name,
        ratio=statistics.median(ratios),
        bar=bar,
        ours_us=statistics.median(left) * 1e6,
        base_us=statistics.median(right) * 1e6,
        base=against,
    )


def asked(
    name: str,
    ours: tuple[Path, str],
    base: tuple[Path, str],
    *,
    bar: float | None,
    against: str,
    note: str = "",
    env: dict[str, str] | None = None,
) -> Figure:
    """Two scripts that print their own seconds, each in a fresh process of its own interpreter, in turn."""
    asked_once(*ours, env)
    asked_once(*base, env)
    ratios, left, right = [], [], []
    for _ in range(PROCESSES):
        a, b = asked_once(*ours, env), asked_once(*base, env)
        ratios.append(a / b)
        left.append(a)
        right.append(b)
    return Figure(
        name=name,
        ratio=statistics.median(ratios),
        bar=bar,
        ours_us=statistics.median(left) * 1e6,
        base_us=statistics.median(right) * 1e6,
        base=against,
        note=note,
    )


def asked_once(python: Path, script: str, env: dict[str, str] | None) -> float:
    """The number that a script prints last."""
    command: Sequence[str] = [str(python), "-c", script]
    kept = {name: text for name, text in (env or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=kept, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{script}\n{done.stderr[-2000:]}")
    return float(done.stdout.strip().splitlines()[-1])


def _timed(function: Callable[[], object], loops: int) -> float:
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(loops):
            function()
        return time.process_time() - began
    finally:
        gc.enable()
