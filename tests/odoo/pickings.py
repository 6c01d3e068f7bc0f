"""Deliveries by the hundred, by several workers, with a carrier that loses answers.

``python -m tests.odoo.pickings --profile full``: 500 deliveries, 4 workers, 2 % of the calls lost after the carrier has
booked. Then time goes by, the recovery runs, and people press the button of what is left. Prints what the carrier and
Odoo have, and whose time it took.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from typing import Any, Final

import attrs

from shipkit import Registry
from shipkit.simulator import Simulator, World

from .stand import Stand
from .transactions import INSIDE, inside, results_of

__all__ = ["main"]

SCRIPT: Final = INSIDE / "pickings.py"
ROUNDS_MAX: Final = 5


@attrs.frozen
class Profile:
    """How much is done."""

    deliveries: int
    workers: int = 4
    batch: int = 5
    lost: float = 0.02


PROFILES: Final = {"ci": Profile(deliveries=60, workers=2, lost=0.05), "full": Profile(deliveries=500)}


class Campaign:
    """One database, one carrier, the deliveries between them."""

    def __init__(self, stand: Stand, database: str, simulator: Simulator, profile: Profile) -> None:
        self._stand, self._database, self._simulator, self._profile = stand, database, simulator, profile

    def part(self, name: str, **more: object) -> dict[str, Any]:
        """One part of the script inside Odoo, and what it said."""
        env = inside(self._simulator, PART=name, **{key: str(value) for key, value in more.items()})
        return results_of(self._stand.script(self._database, SCRIPT, env=env, timeout=1200))[-1]

    def lose(self, seed: int) -> list[int]:
        """Lose the answers of so many calls, drawn from all of them; the numbers of the faults.

        What was booked by every second of them cannot be looked up for half an hour.
        """
        count = round(self._profile.deliveries * self._profile.lost)
        calls = sorted(random.Random(seed).sample(range(self._profile.deliveries), count))
        for call in calls[::2]:
            self._simulator.add_fault("find_lags", operation="purchase", skip=call, times=1, lag_s=1800.0)
        return [
            self._simulator.add_fault("drop_after_commit", operation="purchase", skip=call, times=1) for call in calls
        ]

    def settle(self) -> int:
        """An hour goes by, and the recovery runs; how many are not done then."""
        return int(self.part("settle")["waiting"])

    def work(self) -> list[dict[str, Any]]:
        """All workers at once, each with its share; what each says."""
        profile, running = self._profile, []
        for worker in range(profile.workers):
            more = {"WORKER": worker, "WORKERS": profile.workers, "BATCH": profile.batch}
            env = inside(self._simulator, PART="work", **{name: str(value) for name, value in more.items()})
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            running.append(self._stand.popen(self._database, SCRIPT, env=env, **pipes))
        said = []
        for process in running:
            out, err = process.communicate(timeout=1200)
            done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
            said += results_of(done)
        return said


def main(arguments: list[str] | None = None) -> int:
    """Run it; 1 where something is missing, bought twice, or stuck."""
    parser = argparse.ArgumentParser(prog="python -m tests.odoo.pickings")
    parser.add_argument("--profile", choices=PROFILES, default="ci")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(arguments)
    profile = PROFILES[told.profile]
    with (
        Stand.or_skipped() as stand,
        Simulator(Registry().simulator("ups")(World())) as simulator,
        stand.database() as database,
    ):
        campaign = Campaign(stand, database, simulator, profile)
        campaign.part("prepare", COUNT=profile.deliveries)
        faults = campaign.lose(told.seed)
        began = time.monotonic()
        first = campaign.work()
        took_s = time.monotonic() - began
        at_once = campaign.part("report")
        waiting, rounds = profile.deliveries, 0
        while waiting and rounds < ROUNDS_MAX:
            rounds += 1
            if campaign.settle():
                campaign.work()
            waiting = campaign.settle()
        seen = campaign.part("report")
        books = simulator.bookings()
        lost = sum(simulator.faults.hits(fault) for fault in faults)
    without = profile.deliveries - at_once["with_a_number"]
    print(f"{profile.deliveries} deliveries, {profile.workers} workers, {lost} answers lost")
    print(f"after the first round: {without} without a number, {at_once['activities']} activities; {errors(first)}")
    return told_of(profile, first, took_s, {**seen, "waiting": waiting, "rounds": rounds}, books)


def told_of(profile: Profile, first: list[dict[str, Any]], took_s: float, seen: dict[str, Any], books: Any) -> int:
    """Print the figures; 1 where they are not as they must be."""
    live = sum(booking.live for booking in books)
    whole, ours = sum(row["took_s"] for row in first), sum(row["in_shipkit_s"] for row in first)
    print(f"at the carrier: {len(books)} bookings, {live} live; in Odoo: {json.dumps(seen)}")
    each, in_shipkit = whole / profile.deliveries * 1000, ours / profile.deliveries * 1000
    print(
        f"validated in {took_s:.0f} s with Odoo's start; a delivery takes {each:.0f} ms of a worker, "
        f"{in_shipkit:.0f} ms of them in shipkit: a share of {ours / whole:.2f}"
    )
    wanted = {"with_one_label": profile.deliveries, "with_a_number": profile.deliveries, "waiting": 0, "activities": 0}
    wanted["numbers"] = profile.deliveries
    wrong = [f"{name}: {seen[name]}, not {value}" for name, value in wanted.items() if seen[name] != value]
    wrong += [f"bookings: {live}, not {profile.deliveries}"] if live != profile.deliveries else []
    wrong += [f"not done: {seen['states']}"] if seen["states"] != {"done": profile.deliveries} else []
    print("; ".join(wrong) or "everything held")
    return 1 if wrong else 0


def errors(first: list[dict[str, Any]]) -> str:
    """What people were told in the first round, and how often."""
    found: dict[str, int] = {}
    for row in first:
        for text, count in row["errors"].items():
            found[text] = found.get(text, 0) + count
    return ", ".join(f"{count} x {text!r}" for text, count in found.items()) or "no error"


if __name__ == "__main__":
    sys.exit(main())
