"""Runs the campaign of a profile, prints its table, and ends with 1 where a promise was broken."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from . import carriers, kills, plans, report, same_keys, schedules, stores
from .oracle import Verdict
from .report import Part

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "campaigns" / "ledger.md"
_CHUNK = 10
#: Of all paused runs so many may meet the one instant that no check can guard: between the check and the first byte.
_MEETINGS = 0.05


@attrs.frozen
class Profile:
    """How much is run."""

    schedules: int
    kills: int
    same_keys: int
    abreast: int


PROFILES = {"ci": Profile(260, 40, 250, 8), "full": Profile(2600, 380, 2000, 10)}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    absent = stores.postgres_there()
    server = None if absent else stores.fresh_schema()
    if absent:
        print(f"nothing is run on PostgreSQL: {absent}", flush=True)
    kinds = ("sqlite", "postgres") if server else ("sqlite",)
    context = kills.processes()
    try:
        if options.run:
            return _replayed(options, context, kinds, server)
        parts = _campaign(options, context, kinds, server)
    finally:
        if server:
            stores.dropped(server)
    text = report.page(options.profile, options.seed, parts)
    print(text)
    if options.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    return _told(options, parts)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    reads = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    reads.add_argument("--profile", choices=PROFILES, default="ci")
    reads.add_argument("--seed", type=int, default=1)
    reads.add_argument("--only", choices=("schedules", "kills", "same-keys"), help="one part of it")
    reads.add_argument("--run", help="one run again, by its name: schedules:17, kills:4")
    reads.add_argument("--times", type=int, default=1, help="how often that run is repeated")
    reads.add_argument("--write", action="store_true", help=f"keep the output as {PAGE.relative_to(ROOT)}")
    return reads.parse_args(arguments)


def _campaign(options: Any, context: Any, kinds: tuple[str, ...], server: Any) -> list[Part]:
    profile = PROFILES[options.profile]
    parts: dict[str, Callable[[], list[Part]]] = {
        "schedules": lambda: [_schedules(options.seed, profile.schedules)],
        "kills": lambda: [_kills(context, options.seed, profile, kinds, server)],
        "same-keys": lambda: [same_keys.run(context, kind, profile.same_keys, server) for kind in kinds],
    }
    chosen = {name: made for name, made in parts.items() if options.only in (None, name)}
    # Killed workers mostly wait, schedules mostly compute; the same keys want the machine for themselves.
    last = [chosen.pop("same-keys")] if "same-keys" in chosen else []
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(made) for made in chosen.values()]
        begun = [part for each in found for part in each.result()]
    return begun + [part for made in last for part in made()]


def _schedules(seed: int, count: int) -> Part:
    """All of them, in as many processes as there are processors."""
    part = Part(name="schedules", title="Random schedules: threads and tasks, every fault at every exchange")
    jobs = max(2, min(os.cpu_count() or 1, 4))
    numbers = iter(range(count))
    chunks = iter(lambda: list(islice(numbers, _CHUNK)), [])
    began = time.monotonic()
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(schedules.several, seed, chunk) for chunk in chunks]
        for done in as_completed(waiting):
            part.verdicts += done.result()
    part.verdicts.sort(key=lambda verdict: int(verdict.name.partition(":")[2]))
    every = {(code, pair) for code in carriers.CODES for pair in plans.pairs(code)}
    hit = {(verdict.carrier, pair) for verdict in part.verdicts for pair in verdict.hit}
    part.notes.append(
        f"{len(part.verdicts):,} schedules of 1 to 8 workers on 1 to 3 keys, threads and tasks; "
        f"{_stores(part)}; "
        f"{len(every & hit)} of {len(every)} pairs of fault and exchange happened"
    )
    print(f"schedules: {time.monotonic() - began:.0f} s", flush=True)
    return part


def _stores(part: Part) -> str:
    counted = Counter(verdict.store for verdict in part.verdicts)
    return "stores: " + ", ".join(f"{name} {counted[name]}" for name in sorted(counted) if name)


def _kills(context: Any, seed: int, profile: Profile, kinds: tuple[str, ...], server: Any) -> Part:
    """All of them, several abreast: they mostly wait for the settling time to pass."""
    part = Part(name="kills", title="Workers that are killed or stopped: processes on one store")
    began = time.monotonic()
    with ThreadPoolExecutor(profile.abreast) as pool:
        part.verdicts += pool.map(lambda number: _killed(context, seed, number, kinds, server), range(profile.kills))
    total = sum(verdict.counts["kills"] for verdict in part.verdicts)
    struck = sum(verdict.counts["killed_runs"] for verdict in part.verdicts)
    paused = sum(bool(verdict.counts["pauses"]) for verdict in part.verdicts)
    met = sum(verdict.counts["met"] for verdict in part.verdicts)
    part.notes.append(
        f"{struck} of {len(part.verdicts)} runs had a worker killed ({total} kills), {paused} one stopped for longer"
        f" than a claim's window and settling; {_stores(part)}"
    )
    part.notes.append(f"stopped between its last look at the clock and its first byte, and therefore too late: {met}")
    if met > max(1, _MEETINGS * paused):
        part.wrong.append(f"{met} of {paused} paused runs sent too late")
    print(f"kills: {time.monotonic() - began:.0f} s", flush=True)
    return part


def _killed(context: Any, seed: int, number: int, kinds: tuple[str, ...], server: Any) -> Verdict:
    return schedules.safely(f"kills:{number}", lambda: kills.run(context, kills.planned(seed, number, kinds), server))


def _replayed(options: Any, context: Any, kinds: tuple[str, ...], server: Any) -> int:
    kind, _, number = options.run.partition(":")
    wrong = 0
    for _ in range(options.times):
        if kind == "schedules":
            plan: Any = plans.planned(options.seed, int(number))
            verdict = schedules.run(plan)
        else:
            plan = kills.planned(options.seed, int(number), kinds)
            verdict = kills.run(context, plan, server)
        if not wrong:
            print(plan)
        print(verdict.violations or "nothing wrong", dict(verdict.counts), flush=True)
        wrong += bool(verdict.violations)
    return int(wrong > 0)


def _told(options: Any, parts: Sequence[Part]) -> int:
    wrong = False
    for part in parts:
        for text in part.wrong:
            wrong = True
            print(f"VIOLATION {part.name}: {text}")
        for verdict in part.verdicts:
            for text in verdict.violations:
                wrong = True
                print(f"VIOLATION {verdict.name} ({verdict.carrier}): {text}")
                print(f"    again: python -m tests.faults --seed {options.seed} --run {verdict.name} --times 5")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
