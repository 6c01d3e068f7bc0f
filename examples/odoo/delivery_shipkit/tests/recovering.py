"""What tests of the recovery stand on: a clock of the store that moves, and a carrier that loses answers."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .. import bridge
from ..models import purging
from .common import ShipkitCase

LOST = "drop_after_commit"
NEVER_THERE = "drop_before"


class Later:
    """The store's clock."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


class RecoveringCase(ShipkitCase):
    """A test whose store's clock it moves on; what a scheduled action commits stays in the test's transaction."""

    def setUp(self):
        super().setUp()
        self.later = Later()
        store = partial(bridge.HostStore, clock=self.later)
        self.startPatcher(patch.object(bridge, "HostStore", store))
        self.startPatcher(patch.object(purging, "HostStore", store))
        self.startPatcher(patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: float("inf")))
        bridge.forget(self.env.cr.dbname)
        self.addCleanup(bridge.forget, self.env.cr.dbname)
        self.addCleanup(self.simulator.faults.clear)
        # A doubt is told as an error, and so it should be; here it is made on purpose.
        self.enterContext(mute_logger("shipkit.client"))
        self.before = {booking.id for booking in self.simulator.bookings()}
        self.since(self.client.ledger.now())

    def booked(self):
        return [booking for booking in super().booked() if booking.id not in self.before]

    def asked(self, operation):
        """How often the carrier was asked for *operation*."""
        return sum(one.operation == operation for one in self.simulator.requests())

    def since(self, at):
        """Look for labels that nothing uses from *at* on: rows of other tests, whose transfers are gone, are older."""
        self.env["ir.config_parameter"].set_param("delivery_shipkit.unused_since", at.isoformat())

    def wait(self, seconds):
        """Let time pass for the store and for the carrier."""
        self.later.offset += seconds
        self.simulator.advance(seconds)

    @contextmanager
    def silent(self):
        """A carrier that cannot be asked what it has."""
        held = self.simulator.add_fault("500", operation="find_shipments", times=None)
        yield
        self.simulator.faults.remove(held)
        bridge.forget(self.env.cr.dbname)  # and with it what its client holds against the carrier, in time that is real

    def send_lost(self, picking, fault=LOST):
        """Send *picking*; its answer is lost, and it is in doubt."""
        self.simulator.add_fault(fault, operation="create_shipment", times=1)
        with self.silent(), self.assertRaises(UserError):
            picking.send_to_shipper()

    def roll_back(self, picking):
        """Send *picking* in a transaction that is undone afterwards."""
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            picking.send_to_shipper()
            raise ZeroDivisionError
        self.assertFalse(picking.carrier_tracking_ref)

    def refuse(self, simulator):
        """The carrier answers that it is asked too often: surely nothing is bought there."""
        for operation in ("create_shipment", "rates"):
            simulator.add_fault("429", operation=operation, times=None, retry_after_s=3600)

    def accept(self, simulator):
        """It takes what comes again."""
        simulator.faults.clear()
        self.later.offset += 3700
        bridge.forget(self.env.cr.dbname)

    def recover(self):
        """The scheduled action, once."""
        self.env["shipkit.operation"]._cron_recover()

    def operations(self, picking, kind=None, state="open"):
        """The rows about *picking*."""
        domain = [("picking_ref", "=", picking.id)]
        domain += [("kind", "=", kind)] if kind else []
        domain += [("state", "=", state)] if state else []
        return self.env["shipkit.operation"].search(domain)

    def labels(self, picking):
        """Its label files."""
        mine = [("res_model", "=", "stock.picking"), ("res_id", "=", picking.id), ("name", "=like", "LabelShipping-%")]
        return self.env["ir.attachment"].search(mine)

    def words(self, picking):
        """Its chatter as one text."""
        return "\n".join(str(message.body) for message in picking.message_ids)

    def manager(self, group="stock.group_stock_manager"):
        """A user of that group and no other."""
        return self.env["res.users"].create(
            {"name": group, "login": group, "group_ids": [(6, 0, [self.env.ref(group).id])], "email": "m@example.com"}
        )
