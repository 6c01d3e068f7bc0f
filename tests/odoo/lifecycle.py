"""A database with demonstration data ships; the addon goes and its ledger stays: ``python -m tests.odoo.lifecycle``."""

from __future__ import annotations

import sys
from typing import Any

from .stand import Stand
from .transactions import INSIDE, results_of

__all__ = ["main"]


def part(stand: Stand, database: str, name: str) -> dict[str, Any]:
    """One part of the script inside Odoo, and what it said."""
    done = stand.script(database, INSIDE / "lifecycle.py", env={"PART": name})
    found = results_of(done)
    if done.returncode or not found:
        raise RuntimeError(f"{name}: {done.stderr[-4000:]}")
    return found[-1]


def main() -> int:
    """Print what was seen in each part; 1 where something is not as it must be."""
    wrong = []
    with Stand.or_skipped() as stand, stand.database(demo=True) as database:
        shipped = part(stand, database, "ship")
        print(f"{shipped['labelled']} of {shipped['deliveries']} deliveries of the demonstration have their label")
        if not shipped["deliveries"] or shipped["labelled"] != shipped["deliveries"]:
            wrong.append("a delivery of the demonstration has no label")
        gone = part(stand, database, "go")
        print(f"uninstalled: {gone['models']} models left, {gone['rows']} rows of the ledger")
        if (gone["state"], gone["models"], gone["methods"]) != ("uninstalled", 0, 0):
            wrong.append(f"uninstalling left something: {gone}")
        if gone["rows"] != shipped["rows"]:
            wrong.append("the ledger did not stay")
        back = part(stand, database, "come_back")
        print(f"installed again: {back['rows']} rows of the ledger")
        if (back["state"], back["rows"]) != ("installed", shipped["rows"]):
            wrong.append(f"it did not come back: {back}")
    for text in wrong:
        print(f"    WRONG: {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
