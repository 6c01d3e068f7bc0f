"""Runs inside ``odoo shell`` on a database with demonstration data: ship, uninstall, install again.

Writes one line of JSON, after ``RESULT ``, for what was seen.
"""

from __future__ import annotations

import json
import os
import sys

PART = os.environ["PART"]
MODULE = env["ir.module.module"].search([("name", "=", "delivery_shipkit")])  # noqa: F821 - given by the shell


def rows() -> int:
    env.cr.execute("SELECT count(*) FROM shipkit.shipkit_ledger")  # noqa: F821
    count: int = env.cr.fetchone()[0]  # noqa: F821
    return count


def ship() -> dict[str, object]:
    """Each delivery of the demonstration, as a person validates it."""
    pickings = env["stock.picking"].search([("carrier_id.delivery_type", "=", "shipkit"), ("state", "=", "assigned")])  # noqa: F821
    for picking in pickings:
        picking.move_ids.picked = True
        picking.with_context(skip_sms=True).button_validate()  # or it asks first whether texts shall be sent
        env.cr.commit()  # noqa: F821
    labelled = [picking for picking in pickings if picking.shipkit_parcel_ids.attachment_id]
    return {"deliveries": len(pickings), "labelled": len(labelled), "rows": rows()}


def go() -> dict[str, object]:
    MODULE.button_immediate_uninstall()
    env.cr.execute("SELECT count(*) FROM ir_model WHERE model LIKE 'shipkit.%'")  # noqa: F821
    left = env.cr.fetchone()[0]  # noqa: F821
    env.cr.execute("SELECT count(*) FROM delivery_carrier WHERE delivery_type = 'shipkit'")  # noqa: F821
    methods = env.cr.fetchone()[0]  # noqa: F821
    return {"state": MODULE.state, "models": left, "methods": methods, "rows": rows()}


def come_back() -> dict[str, object]:
    MODULE.button_immediate_install()
    return {"state": MODULE.state, "rows": rows(), "accounts": env["shipkit.account"].search_count([])}  # noqa: F821


seen = {"ship": ship, "go": go, "come_back": come_back}[PART]()
sys.stdout.write("RESULT " + json.dumps({"case": PART, **seen}) + "\n")
sys.stdout.flush()
