"""The cases of transactions in a real Odoo, beside core's own pattern: ``python -m tests.odoo.transactions``.

Each case runs with real cursors and threads, and with what PostgreSQL does to them; the carrier is simulated, and
counts. The last one kills a worker between the carrier's booking and the record of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from shipkit import Registry
from shipkit.simulator import Simulator, World
from shipkit_ups.simulator import shipping
from shipkit_ups.simulator.base import RefusedError

from .stand import Stand

__all__ = ["main", "results_of"]

INSIDE: Final = Path(__file__).parent / "inside"
MARK: Final = "RESULT "

EXPECTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "later_failure": {"bought": 1, "unknown_to_odoo": 0},
    "serialization": {"bought": 1, "unknown_to_odoo": 0},
    "two_validate": {"bought": 1, "unknown_to_odoo": 0},
    "two_send": {"bought": 1, "unknown_to_odoo": 0},
    "refused": {"bought": 1, "unknown_to_odoo": 0},
    "unreachable": {"bought": 1, "unknown_to_odoo": 0},
    "lost": {"bought": 2, "unknown_to_odoo": 0},
    "cancel_two": {"bought": 0, "cancel_calls": 2},
    "killed": {"bought": 1, "unknown_to_odoo": 0},
}
"""What must be seen of shipkit; besides, every label in hand and an activity where one is due."""
WITH_ACTIVITY: Final = {"refused", "unreachable"}


def inside(simulator: Simulator, **more: str) -> dict[str, str]:
    """The environment of a script inside Odoo."""
    return {"SIMULATOR": simulator.url, "PYTHONPATH": str(INSIDE), **more}


def results_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a script inside Odoo said.

    Raises:
        RuntimeError: it failed; the end of what it wrote is the text.
    """
    if done.returncode:
        raise RuntimeError(f"the script in Odoo failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    lines = [line.partition(MARK)[2] for line in done.stdout.splitlines() if MARK in line]
    return [json.loads(line) for line in lines]


@contextmanager
def refusing() -> Iterator[None]:
    """The simulated carrier refuses, in its own words, what goes to Nobody."""
    check = shipping._check

    def picky(shipment: Mapping[str, Any], returned: str) -> None:
        if shipment["ShipTo"]["Name"] == "Nobody":
            raise RefusedError("120202", "Missing or invalid ship to address line 1")
        check(shipment, returned)

    with patch.object(shipping, "_check", picky):
        yield


def killed(stand: Stand, database: str, simulator: Simulator) -> list[dict[str, Any]]:
    """A worker dies between the carrier's booking and its record; another one, later, ends the matter."""
    before = len(simulator.bookings())
    simulator.add_fault("slow", operation="purchase", times=1, after_s=60.0)
    script = INSIDE / "killed.py"
    worker = stand.popen(
        database, script, env=inside(simulator, PART="buy"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    end = time.monotonic() + 60
    while len(simulator.bookings()) == before:
        if time.monotonic() > end or worker.poll() is not None:
            worker.kill()
            raise RuntimeError(f"the worker booked nothing:\n{worker.communicate()[0]}")
        time.sleep(0.05)
    os.killpg(worker.pid, 9)
    worker.wait()
    simulator.faults.clear()
    return results_of(stand.script(database, script, env=inside(simulator, PART="later", BEFORE=str(before))))


def wrong_of(row: Mapping[str, Any]) -> list[str]:
    """What is not as it must be, in what was seen of shipkit in one case."""
    if row.get("broken"):
        return [row["broken"]]
    case, pickings = row["case"], row["pickings"]
    wrong = [f"{name} is {row[name]}, not {value}" for name, value in EXPECTED[case].items() if row[name] != value]
    labels = [one["labels"] for one in pickings if one["ref"]]
    wrong += [f"{count} labels on a transfer" for count in labels if count != 1]
    if case in WITH_ACTIVITY and not any(one["activities"] for one in pickings):
        wrong.append("no activity")
    if case not in WITH_ACTIVITY and any(one["activities"] for one in pickings):
        wrong.append("an activity that is over")
    if case not in WITH_ACTIVITY and any(one["state"] != "done" for one in pickings):
        wrong.append("a transfer is not done")
    return wrong


def shown(row: Mapping[str, Any]) -> str:
    """A line of the table."""
    if row.get("broken"):
        return f"{row['case']:<14} {row['provider']:<18} broken"
    refs = ", ".join(one["ref"] or f"no number ({one['state']})" for one in row["pickings"])
    more = f"; {row['cancel_calls']} cancel calls" if "cancel_calls" in row else ""
    activities = sum(one["activities"] for one in row["pickings"])
    more += f"; {activities} activity" if activities else ""
    bought = f"{row['bought']} live, {row['unknown_to_odoo']} unknown to Odoo"
    return f"{row['case']:<14} {row['provider']:<18} {bought:<28} {refs}{more}"


def main() -> int:
    """Run all cases and print the table; 1 where shipkit does not hold what it must."""
    with (
        Stand.or_skipped() as stand,
        refusing(),
        Simulator(Registry().simulator("ups")(World())) as simulator,
        stand.database() as database,
    ):
        rows = results_of(stand.script(database, INSIDE / "transactions.py", env=inside(simulator)))
        rows += killed(stand, database, simulator)
    failed = 0
    for row in sorted(rows, key=lambda row: list(EXPECTED).index(row["case"])):
        print(shown(row))
        for text in wrong_of(row) if row["provider"] == "shipkit" else ():
            failed += 1
            print(f"    WRONG: {text}")
    missing = set(EXPECTED) - {row["case"] for row in rows if row["provider"] == "shipkit"}
    print(f"{len(EXPECTED) - len(missing)} cases, {failed + len(missing)} wrong")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
