"""A label that was paid and is used nowhere is found, and is attached or voided by somebody."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .recovering import RecoveringCase


@tagged("post_install", "-at_install")
class TestUnused(RecoveringCase):
    def unused(self):
        """A transfer whose label was bought in a transaction that was rolled back, and the row about it."""
        picking = self.picking()
        self.roll_back(picking)
        self.wait(1900)
        self.recover()
        row = self.operations(picking)
        self.assertEqual((row.kind, row.can_attach), ("unused", True))
        return picking, row.with_user(self.manager())

    def test_it_is_shown_after_half_an_hour_and_not_before(self):
        picking = self.picking()
        self.roll_back(picking)
        self.wait(1700)
        self.recover()
        self.assertFalse(self.operations(picking))
        self.wait(200)
        self.recover()
        self.assertEqual(self.operations(picking).kind, "unused")
        self.assertIn("attach or void", picking.activity_ids.summary)
        self.wait(9000)
        self.recover()
        self.assertEqual(len(self.operations(picking)), 1)
        self.assertEqual(len(picking.activity_ids), 1)

    def test_the_time_is_a_setting(self):
        self.env["ir.config_parameter"].set_param("delivery_shipkit.unused_after_minutes", "5")
        picking = self.picking()
        self.roll_back(picking)
        self.wait(310)
        self.recover()
        self.assertEqual(self.operations(picking).kind, "unused")

    def test_what_is_used_is_not_shown(self):
        picking = self.picking()
        picking.send_to_shipper()
        self.wait(4000)
        self.recover()
        self.assertFalse(self.operations(picking))

    def test_attach_is_as_if_it_were_sent(self):
        picking, row = self.unused()
        row.action_attach()
        self.assertEqual(row.state, "done")
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertGreater(picking.carrier_price, 0)
        self.assertEqual(len(picking.shipkit_shipment_ids), 1)
        self.assertFalse(picking.activity_ids)
        self.assertEqual(len(self.booked()), 1)
        with self.assertRaises(UserError):
            row.action_attach()

    def test_void_cancels_once_and_the_transfer_is_sent_anew(self):
        picking, row = self.unused()
        asked = self.asked("cancel_shipment")
        row.action_void()
        self.assertEqual(row.state, "done")
        self.assertFalse(self.booked())
        with self.assertRaises(UserError):
            row.action_void()
        self.assertEqual(self.asked("cancel_shipment"), asked + 1)
        picking.send_to_shipper()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(len(self.booked()), 1)

    def test_sending_it_meanwhile_uses_the_label_and_ends_the_row(self):
        picking, row = self.unused()
        picking.send_to_shipper()
        self.assertEqual(len(self.booked()), 1)
        with self.assertRaises(UserError):
            row.action_void()
        self.assertEqual(len(self.booked()), 1, "a label in use is not voided")
        self.recover()
        self.assertEqual(row.state, "done")

    def decided_on_its_transfer(self, decision):
        picking, row = self.unused()
        getattr(self.env["shipkit.conflict"].create({"picking_id": picking.id}), decision)()
        self.assertEqual(row.state, "done")
        self.assertFalse(picking.activity_ids)

    def test_a_label_that_is_attached_on_its_transfer_ends_the_row_at_once(self):
        self.decided_on_its_transfer("action_attach")

    def test_a_label_that_is_voided_on_its_transfer_ends_the_row_at_once(self):
        self.decided_on_its_transfer("action_void")

    def test_of_a_cancelled_transfer_it_can_only_be_voided(self):
        picking = self.picking()
        self.roll_back(picking)
        picking.action_cancel()
        self.wait(1900)
        self.recover()
        row = self.operations(picking)
        self.assertEqual((row.kind, row.can_attach), ("unused", False))
        with self.assertRaises(UserError):
            row.action_attach()
        row.action_void()
        self.assertFalse(self.booked())

    def test_the_label_of_a_transfer_that_is_cancelled_afterwards_is_shown_too(self):
        picking = self.picking()
        picking.send_to_shipper()
        self.wait(4000)
        self.recover()
        picking.action_cancel()
        self.recover()
        row = self.operations(picking)
        self.assertEqual((row.kind, row.can_attach), ("unused", False))
        row.action_void()
        self.assertEqual((row.state, picking.shipkit_shipment_ids.state), ("done", "voided"))
        self.assertFalse(self.booked())
        self.recover()
        self.assertFalse(self.operations(picking))

    def test_too_late_is_said_and_the_row_stays(self):
        picking, row = self.unused()
        self.simulator.advance(86400 * 100)
        row.action_void()
        self.assertEqual(row.state, "open")
        self.assertIn("within the allowed void period", row.note)
        self.assertIn("within the allowed void period", self.words(row))
        self.assertEqual(len(self.booked()), 1)
        row.action_attach()
        self.assertTrue(picking.carrier_tracking_ref)

    def test_only_managers_decide(self):
        _picking, row = self.unused()
        user = self.manager("stock.group_stock_user")
        for decide in ("action_attach", "action_void"):
            with self.assertRaises(AccessError):
                getattr(row.with_user(user), decide)()
        self.assertEqual(len(self.booked()), 1)

    def test_a_way_back_that_nothing_shows_is_attached_too(self):
        picking = self.picking()
        picking.button_validate()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.carrier.shipkit_get_return_label(picking)
            raise ZeroDivisionError
        self.assertFalse(picking._shipkit_ways_back())
        self.wait(1900)
        self.recover()
        row = self.operations(picking)
        self.assertEqual((row.kind, row.name, row.can_attach), ("unused", f"return-{picking.id}", True))
        number = picking.carrier_tracking_ref
        row.action_attach()
        self.assertEqual(len(picking._shipkit_ways_back()), 1)
        self.assertEqual(picking.carrier_tracking_ref, number, "the delivery keeps its own")
        self.assertEqual(len(self.booked()), 2)
