"""A person's way through the addon, in a real browser: ``python -m tests.odoo.walk [--write]``.

Each step is something that people do, and looks at what the page shows; with ``--write`` its picture is kept under
``docs/odoo``. The carrier is simulated, and pushes to Odoo's own HTTP server; Odoo's scheduled actions run by
themselves.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from shipkit import Registry
from shipkit.simulator import Simulator, World

from .browser import at_a_browser
from .places import CACHE, ROOT, UNAVAILABLE, Unavailable
from .stand import Stand
from .steps import STEPS, Walk
from .verdict import LINE

__all__ = ["main"]

PICTURES: Final = ROOT / "docs" / "odoo"
EXPECTED: Final = (
    "odoo.addons.iap", "odoo.addons.partner_autocomplete", "unmapped_code", " in_doubt ups create_shipment ",
    " find_shipments unavailable ",
    "It is not known yet whether the carrier booked this.",
)  # fmt: skip
"""Odoo looks customers up while their names are typed, and says so where it cannot; a code that is in no table, and an
answer that is lost on purpose, are told of."""
STAGE: Final = Path(__file__).parent / "inside" / "walk.py"


def main() -> int:
    """Walk all steps; 1 where one does not see what it must, or something went wrong behind the pages."""
    write = "--write" in sys.argv[1:]
    with (
        Stand.or_skipped() as stand,
        Simulator(Registry().simulator("ups")(World())) as simulator,
        stand.database() as database,
    ):
        made = stand.script(database, STAGE)
        if made.returncode:
            print(made.stderr, file=sys.stderr)
            return 1
        with stand.server(database, cron_threads=1) as server:
            try:
                with at_a_browser(server.url, PICTURES if write else None) as person:
                    wrong = walk(Walk(person, simulator, lambda sql: stand.query(database, sql)))
            except Unavailable as error:
                print(f"odoo: not on this machine: {error}", file=sys.stderr)
                return UNAVAILABLE
            log = server.log.read_text()
    lines = [line for line in log.splitlines() if not any(name in line for name in EXPECTED)]
    wrong += [f"in Odoo's log: {line}" for line in lines if LINE.match(line) or line.startswith("Traceback")]
    for text in wrong:
        print(f"WRONG: {text}")
    print(f"{len(STEPS)} steps, {len(wrong)} wrong")
    return 1 if wrong else 0


def walk(on: Walk) -> list[str]:
    """What was wrong on the way; a step that fails leaves a picture beside the logs, and does not end it."""
    on.person.logs_in()
    wrong = []
    for step in STEPS:
        began, name = time.monotonic(), step.__name__
        try:
            step(on)
        except Exception as error:
            on.person.page.screenshot(path=str(CACHE / "logs" / f"{name}.png"))
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        print(f"{time.monotonic() - began:5.1f} s  {name.replace('_', ' ')}")
    return wrong + on.person.errors


if __name__ == "__main__":
    sys.exit(main())
