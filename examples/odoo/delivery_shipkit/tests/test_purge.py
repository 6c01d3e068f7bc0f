"""What is over goes when its time has come; what is open stays, and so do Odoo's own papers."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from shipkit.errors import ConflictError

from .recovering import RecoveringCase

DAY_S = 86_400


@tagged("post_install", "-at_install")
class TestPurge(RecoveringCase):
    def purge(self):
        self.env["shipkit.retention"]._purge()

    def test_bodies_go_and_the_key_stays_used(self):
        picking = self.picking()
        picking.send_to_shipper()
        key, ledger = picking._shipkit_key(), self.client.ledger
        self.purge()
        self.assertFalse(ledger.standing(key=key).purged)
        self.later.offset += 200 * DAY_S
        self.recover()
        self.purge()
        told = ledger.standing(key=key)
        self.assertEqual((told.purged, told.phase.value), (True, "succeeded"))
        with self.assertRaises(ConflictError):
            ledger.finish(key=key)
        self.assertTrue(self.labels(picking).raw, "the label on the transfer is Odoo's")
        self.assertFalse(self.operations(picking))

    def test_a_database_may_keep_them_longer(self):
        for name in ("bodies", "documents"):
            self.env["ir.config_parameter"].set_param(f"delivery_shipkit.retention_{name}_days", "1000")
        picking = self.picking()
        picking.send_to_shipper()
        self.later.offset += 200 * DAY_S
        self.recover()
        self.purge()
        self.assertTrue(self.client.ledger.finish(key=picking._shipkit_key()).documents[0].content)

    def test_what_is_open_stays(self):
        picking = self.picking()
        self.send_lost(picking)
        self.later.offset += 2000 * DAY_S
        self.purge()
        told = self.client.ledger.standing(key=picking._shipkit_key())
        self.assertEqual((told.purged, told.phase.value), (False, "in_doubt"))

    def test_events_of_ended_journeys_go_and_open_ones_stay(self):
        ended, running = self.picking(), self.picking()
        long_ago = fields.Datetime.now() - timedelta(days=800)
        for picking, milestone in ((ended, "delivered"), (running, "in_transit")):
            picking.send_to_shipper()
            parcel = picking.shipkit_shipment_ids.parcel_ids
            parcel.milestone = milestone
            for number in range(3):
                self.env["shipkit.event"].create(
                    {"parcel_id": parcel.id, "event_ref": str(number), "received_at": long_ago, "occurred_at": long_ago}
                )
        self.env["shipkit.announcement"].create([{"name": "old", "taken_at": long_ago}, {"name": "new"}])
        self.patch(type(self.env["shipkit.retention"]), "_purge", type(self.env["shipkit.retention"])._purge)
        self.purge()
        self.assertFalse(ended.shipkit_shipment_ids.parcel_ids.event_ids)
        self.assertEqual(len(running.shipkit_shipment_ids.parcel_ids.event_ids), 3)
        names = self.env["shipkit.announcement"].search([("name", "in", ("old", "new"))]).mapped("name")
        self.assertEqual(names, ["new"])

    def test_it_stops_when_its_time_is_over(self):
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: 0.0)
        self.env["shipkit.announcement"].create({"name": "old", "taken_at": "2020-01-01 00:00:00"})
        self.purge()
        self.assertTrue(self.env["shipkit.announcement"].search([("name", "=", "old")]), "that comes in the next run")
