"""Runs inside ``odoo shell``: a worker that is to be killed (PART=buy), and what comes after it (PART=later)."""

from __future__ import annotations

import json
import os
import sys

from odoo.modules.registry import Registry
from stage import Stage, bookings, later, request, shown, validate

REGISTRY = Registry(env.cr.dbname)  # noqa: F821 - given by the shell
PROVIDER = "shipkit"


def buy() -> None:
    stage = request(REGISTRY, lambda own: Stage(own, PROVIDER))

    def made(own):
        picking = stage.picking(own)
        picking.origin = "killed"
        return picking.id

    made_id = request(REGISTRY, made)
    request(REGISTRY, lambda own: validate(own, [made_id]))


def after() -> None:
    """The lease runs out, the recovery looks; the person who waited presses the button once more."""
    later(REGISTRY)
    ids = request(REGISTRY, lambda own: own["stock.picking"].search([("origin", "=", "killed")]).ids)
    open_ = request(REGISTRY, lambda own: own["stock.picking"].browse(ids).filtered(lambda p: p.state != "done").ids)
    if open_:
        request(REGISTRY, lambda own: validate(own, open_))
    live = [row for row in bookings()[int(os.environ["BEFORE"]) :] if row["state"] == "live"]
    rows = request(REGISTRY, lambda own: shown(own, ids))
    known = {number for row in rows for number in row["ref"].split(",")}
    orphans = sum(not known.intersection(row["numbers"]) for row in live)
    seen = {"case": "killed", "provider": PROVIDER, "bought": len(live), "unknown_to_odoo": orphans, "pickings": rows}
    sys.stdout.write("RESULT " + json.dumps(seen) + "\n")


{"buy": buy, "later": after}[os.environ["PART"]]()
