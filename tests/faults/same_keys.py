"""Several processes buy the same keys at the same time, each in an order of its own: one booking per key, one label."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import carriers, victims
from .kills import _SETTLE_S, _SHM
from .report import Part

__all__ = ["run"]

_PROCESSES = 8


def run(context: Any, store: str, keys: int, server: dict[str, str] | None) -> Part:
    """*keys* identical keys in each of eight processes, on that kind of store."""
    part = Part(name=f"same-keys-{store}", title=f"Eight processes, the same {keys:,} keys, {store}")
    wanted = {f"S{index}": "shipped" for index in range(keys)}
    with tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as name, carriers.simulator("ups") as sim:
        spec = {
            "carrier": "ups",
            "url": sim.url,
            "store": server if store == "postgres" else {"kind": "sqlite", "path": str(Path(name) / "ledger.db")},
            "namespace": "same" if store == "postgres" else "",
            "wanted": wanted,
            "tasks": False,
            "settle_s": _SETTLE_S,
            "settings": {},
            "deadline_s": 30,
        }
        outs = [Path(name) / f"out-{index}.jsonl" for index in range(_PROCESSES)]
        workers = [
            context.Process(target=victims.buy_all, args=({**spec, "dice": index, "out": str(out)},))
            for index, out in enumerate(outs)
        ]
        began = time.monotonic()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(900)
            if worker.exitcode is None:
                worker.kill()
        lines = [[json.loads(line) for line in out.read_text().splitlines()] if out.exists() else [] for out in outs]
        _judged(part, sim, wanted, [worker.exitcode for worker in workers], lines)
        part.notes.append(
            f"{_PROCESSES} x {keys:,} calls, {len(sim.bookings()):,} bookings, one label per key in every hand"
        )
        print(f"{part.name}: {time.monotonic() - began:.0f} s", flush=True)
    return part


def _judged(part: Part, sim: Any, wanted: dict[str, str], ended: list[Any], lines: list[list[dict[str, Any]]]) -> None:
    if any(ended):
        part.wrong.append(f"the processes ended with {ended}")
    booked = defaultdict(int)
    for booking in sim.bookings():
        booked[booking.reference] += 1
    if set(booked) != set(wanted) or set(booked.values()) != {1}:
        part.wrong.append(f"{len(sim.bookings())} bookings of {len(booked)} keys for {len(wanted)} keys")
    arrived = sum(count.arrivals for count in sim.counts("reference").values())
    if arrived != len(wanted):
        part.wrong.append(f"{arrived} purchases arrived for {len(wanted)} keys")
    digests = defaultdict(set)
    for got in lines:
        if sorted(line["key"] for line in got) != sorted(wanted):
            part.wrong.append(f"a process got {len(got)} labels for {len(wanted)} keys")
        for line in got:
            digests[line["key"]].add(line["digest"] if line["whole"] else "")
    several = [key for key, found in digests.items() if len(found) != 1 or "" in found]
    if several:
        part.wrong.append(f"{len(several)} keys whose processes hold different labels, or none")
