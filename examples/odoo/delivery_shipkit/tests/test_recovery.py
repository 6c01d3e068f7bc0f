"""What was booked and whose answer was lost is found, or shown to somebody; nothing is bought twice on the way."""

from unittest.mock import patch

import attrs
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from shipkit.client.standing import Further
from shipkit.flow import Done

from ..bridge import forget
from .common import SECRET
from .recovering import NEVER_THERE, RecoveringCase


@tagged("post_install", "-at_install")
class TestRecovery(RecoveringCase):
    def test_a_booking_that_is_found_later_comes_onto_its_transfer(self):
        picking = self.picking()
        self.send_lost(picking)
        self.assertFalse(picking.carrier_tracking_ref)

        self.wait(30)
        self.recover()
        (booking,) = self.booked()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertIn(picking.carrier_tracking_ref, str(booking))
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertIn(picking.carrier_tracking_ref, self.words(picking))
        self.assertGreater(picking.carrier_price, 0)
        self.assertFalse(self.operations(picking))

        self.wait(2000)
        self.recover()
        self.assertEqual(len(self.labels(picking)), 1, "once")
        self.assertEqual(len(self.booked()), 1)

    def test_a_doubt_is_shown_until_it_ends(self):
        picking = self.picking()
        self.send_lost(picking)
        with self.silent():
            self.wait(30)
            self.recover()
            (row,) = self.operations(picking)
            self.assertEqual((row.kind, row.phase, row.operation), ("in_doubt", "in_doubt", "create_shipment"))
            self.assertEqual((row.picking_id, row.account_id), (picking, self.account))
            self.assertTrue(row.retry_at > row.since)
            self.assertEqual(len(picking.activity_ids), 1)
            self.wait(60)
            self.recover()
            self.assertEqual(self.operations(picking), row, "one row, however often it is looked at")
            self.assertEqual(len(picking.activity_ids), 1)

        self.wait(600)
        self.recover()
        self.assertEqual(row.state, "done")
        self.assertFalse(picking.activity_ids)
        self.assertTrue(picking.carrier_tracking_ref)

    def test_what_never_arrived_may_be_shipped_again(self):
        picking = self.picking()
        self.send_lost(picking, NEVER_THERE)
        self.wait(30)
        self.recover()
        self.assertEqual(self.operations(picking).kind, "in_doubt", "absent counts only once everything has settled")

        self.wait(2000)
        self.recover()
        self.assertFalse(self.operations(picking))
        self.assertFalse(picking.carrier_tracking_ref)
        self.assertIn("ship again", picking.activity_ids.mapped("summary")[-1])
        picking.send_to_shipper()
        self.assertEqual(len(self.booked()), 1)

    def test_rows_name_nobody_and_no_secret(self):
        picking = self.picking()
        self.send_lost(picking)
        with self.silent():
            self.wait(30)
            self.recover()
        row = self.operations(picking)
        text = str(row.read()) + self.words(row) + str(picking.activity_ids.read(["summary", "note"]))
        for personal in (self.customer.name, self.customer.street, self.customer.phone, SECRET):
            self.assertNotIn(personal, text)

    def test_one_transfer_that_cannot_be_helped_stops_no_other(self):
        first, second = self.picking(), self.picking()
        self.send_lost(first)
        self.send_lost(second)
        self.wait(30)

        def broken(picking, shipment):
            if picking == first:
                raise ValueError(f"about {picking.partner_id.name}")
            return adopted(picking, shipment)

        adopted = type(first)._shipkit_adopt
        self.patch(type(first), "_shipkit_adopt", broken)
        with self.assertLogs("odoo.addons.delivery_shipkit.models.recovery", "WARNING") as logs:
            self.recover()
        self.assertTrue(second.carrier_tracking_ref)
        self.assertIn(f"picking-{first.id}", str(logs.output))
        self.assertNotIn(self.customer.name, str(logs.output))

        self.patch(type(first), "_shipkit_adopt", adopted)
        self.wait(3600)
        self.recover()
        self.assertEqual(self.operations(first, "unused").state, "open", "what is not put in is not forgotten")

    def test_an_account_that_is_down_holds_up_no_other(self):
        simulator = self.simulated(self.PLUGIN)
        other = self.carrier_by(self.account_at(self.PLUGIN, simulator), self.SERVICE)
        mine, theirs = self.picking(), self.picking(carrier=other)
        self.send_lost(mine)
        simulator.add_fault("drop_after_commit", operation="create_shipment", times=1)
        simulator.add_fault("500", operation="find_shipments", times=None)
        with self.assertRaises(UserError):
            theirs.send_to_shipper()
        self.wait(30)
        self.recover()
        self.assertTrue(mine.carrier_tracking_ref)
        self.assertEqual(self.operations(theirs).kind, "in_doubt")

    def test_a_copy_of_the_database_asks_nobody(self):
        picking = self.picking()
        self.send_lost(picking)
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "True")
        asked = len(self.simulator.requests())
        self.wait(30)
        self.recover()
        self.assertEqual(len(self.simulator.requests()), asked)
        self.assertFalse(self.operations(picking))

    def test_a_transfer_that_was_deleted_meanwhile_stops_nothing(self):
        picking = self.picking()
        self.send_lost(picking)
        number = picking.id
        picking.do_unreserve()
        picking.move_ids.state = "draft"
        picking.unlink()
        self.wait(30)
        self.recover()
        self.wait(2400)
        self.recover()
        row = self.env["shipkit.operation"].search([("picking_ref", "=", number), ("state", "=", "open")])
        self.assertEqual((row.kind, row.can_attach), ("unused", False))
        row.action_void()
        self.assertFalse(self.booked())


@tagged("post_install", "-at_install")
class TestPerson(RecoveringCase):
    def needing(self, fault="drop_after_commit"):
        """A transfer whose booking nobody could ask about for long."""
        picking = self.picking()
        self.send_lost(picking, fault)
        held = self.simulator.add_fault("500", operation="find_shipments", times=None)
        settings = self.client.settings
        for _ in range(4):
            self.wait(settings.watch_s)
            self.recover()
        row = self.operations(picking, "needs_person")
        self.assertEqual(row.state, "open")
        return picking, row, held

    def test_it_is_there(self):
        picking, row, _ = self.needing()
        self.assertFalse(self.operations(picking, "in_doubt"))
        row = row.with_user(self.manager())
        with self.assertRaises(UserError):
            row.action_found()
        row.found_ref = self.booked()[0].id
        row.action_found()
        self.assertEqual(row.state, "done")
        self.assertTrue(picking.shipkit_shipment_ids)
        self.assertEqual(len(self.booked()), 1)

    def test_it_is_not_there_and_is_sent_again(self):
        picking, row, _ = self.needing("drop_before")
        row.with_user(self.manager()).action_not_there()
        self.assertEqual(row.state, "done")
        self.simulator.faults.clear()
        picking.send_to_shipper()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(len(self.booked()), 1)

    def test_asking_again_may_end_it(self):
        picking, row, held = self.needing()
        self.simulator.faults.remove(held)
        forget(self.env.cr.dbname)
        row.with_user(self.manager()).action_ask()
        self.assertEqual(row.state, "done")
        self.assertTrue(picking.carrier_tracking_ref)

    def test_only_managers_decide_and_users_read(self):
        _picking, row, _held = self.needing()
        user = self.manager("stock.group_stock_user")
        self.assertEqual(row.with_user(user).kind, "needs_person")
        for decide in ("action_found", "action_not_there", "action_ask"):
            with self.assertRaises(AccessError):
                getattr(row.with_user(user), decide)()
        with self.assertRaises(AccessError):
            row.with_user(user).found_ref = "1"
        self.assertEqual(row.state, "open")

    def test_a_second_booking_is_shown_with_what_became_of_it(self):
        picking = self.picking()
        picking.send_to_shipper()
        twice = Further(generation=1, booking="1Z-TWICE", phase="shown")
        done = [(picking._shipkit_key(), Done(None))]
        client = type(self.client)
        ledger = type(self.client.ledger)
        with (
            patch.object(client, "recover", side_effect=[done, ()]),
            patch.object(ledger, "further", lambda *_, **__: (twice,)),
        ):
            self.recover()
        row = self.operations(picking, "stray")
        self.assertEqual((row.state, row.note), ("open", "1Z-TWICE: shown"))
        self.assertIn("further booking", picking.activity_ids.summary)

        undone = attrs.evolve(twice, phase="voided")
        with (
            patch.object(client, "recover", side_effect=[done, ()]),
            patch.object(ledger, "further", lambda *_, **__: (undone,)),
        ):
            self.recover()
        self.assertEqual(row.state, "done")
        self.assertFalse(picking.activity_ids)
