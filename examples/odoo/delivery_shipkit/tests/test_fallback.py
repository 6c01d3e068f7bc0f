"""Another method takes a transfer only where surely nothing was bought on the one before it."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .recovering import RecoveringCase


@tagged("post_install", "-at_install")
class TestFallback(RecoveringCase):
    def setUp(self):
        super().setUp()
        self.second = self.simulated(self.PLUGIN)
        account = self.account_at(self.PLUGIN, self.second)
        self.other = self.carrier_by(account, "02")
        self.carrier.shipkit_fallback_ids = self.other

    def live(self):
        """How many labels both carriers have sold."""
        return len(self.booked()), sum(booking.live for booking in self.second.bookings())

    def test_the_first_takes_what_it_can(self):
        picking = self.picking()
        picking.send_to_shipper()
        self.assertEqual(self.live(), (1, 0))
        self.assertEqual(picking.carrier_id, self.carrier)

    def test_the_next_one_takes_what_was_refused_and_the_chatter_says_why(self):
        self.refuse(self.simulator)
        picking = self.picking()
        picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 1))
        self.assertEqual(picking.carrier_id, self.other)
        self.assertEqual(picking.shipkit_shipment_ids.service, "02")
        self.assertEqual(picking.shipkit_shipment_ids.account_id, self.other.shipkit_account_id)
        self.assertIn(f"by {self.other.name} instead of {self.carrier.name}", self.words(picking))
        self.assertIn("nothing was bought", self.words(picking))
        self.assertTrue(picking.carrier_tracking_url)
        self.assertGreater(picking.carrier_price, 0)

    def test_no_other_one_is_tried_in_doubt(self):
        picking = self.picking()
        self.send_lost(picking)
        self.assertEqual(self.live(), (1, 0))
        with self.silent(), self.assertRaises(UserError):
            picking.send_to_shipper()
        self.assertEqual(self.live(), (1, 0))
        self.wait(30)
        self.recover()
        self.assertEqual(self.live(), (1, 0))
        self.assertEqual(picking.carrier_id, self.carrier)
        self.assertTrue(picking.carrier_tracking_ref)

    def test_what_was_absent_in_the_end_may_go_by_the_other(self):
        picking = self.picking()
        self.send_lost(picking, "drop_before")
        self.wait(2000)
        self.recover()
        self.refuse(self.simulator)
        picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 1))

    def test_a_rollback_after_it_finds_the_same_label_though_the_first_is_well_again(self):
        self.refuse(self.simulator)
        picking = self.picking()
        self.roll_back(picking)
        self.assertEqual(picking.carrier_id, self.carrier)
        self.accept(self.simulator)
        picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 1))
        self.assertEqual(picking.carrier_id, self.other)

    def test_the_same_when_the_requests_differ(self):
        self.other.shipkit_label_format = "zpl"
        self.test_a_rollback_after_it_finds_the_same_label_though_the_first_is_well_again()

    def test_each_asks_for_its_own_papers(self):
        self.other.shipkit_label_format = "zpl"
        self.refuse(self.simulator)
        picking = self.picking()
        picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 1))
        self.assertTrue(self.labels(picking).name.endswith(".zpl"))

    def test_the_doubt_of_the_second_is_adopted_on_the_second(self):
        self.refuse(self.simulator)
        picking = self.picking()
        self.second.add_fault("drop_after_commit", operation="create_shipment", times=1)
        held = self.second.add_fault("500", operation="find_shipments", times=None)
        with self.assertRaises(UserError):
            picking.send_to_shipper()
        self.second.faults.remove(held)
        self.accept(self.simulator)
        self.wait(600)
        self.recover()
        self.assertEqual(self.live(), (0, 1))
        self.assertEqual(picking.carrier_id, self.other)
        self.assertTrue(picking.carrier_tracking_ref)

    def test_a_label_of_the_other_that_nothing_uses_is_attached_there(self):
        self.refuse(self.simulator)
        picking = self.picking()
        self.roll_back(picking)
        self.wait(1900)
        self.recover()
        self.operations(picking, "unused").action_attach()
        self.assertEqual(picking.carrier_id, self.other)
        self.assertEqual(self.live(), (0, 1))

    def test_cancelled_it_is_shipped_anew_by_whichever_takes_it(self):
        self.refuse(self.simulator)
        picking = self.picking()
        picking.send_to_shipper()
        picking.cancel_shipment()
        self.assertEqual(self.live(), (0, 0))
        picking.carrier_id = self.carrier
        self.accept(self.simulator)
        picking.send_to_shipper()
        self.assertEqual(self.live(), (1, 0))

    def test_where_nobody_takes_it_the_first_reason_is_told(self):
        self.refuse(self.simulator)
        self.refuse(self.second)
        picking = self.picking()
        with self.assertRaisesRegex(UserError, "nothing was bought"):
            picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 0))

    def test_a_cheapest_service_that_cannot_be_priced_is_passed_over(self):
        self.carrier.shipkit_service_code = False
        self.refuse(self.simulator)
        picking = self.picking()
        picking.send_to_shipper()
        self.assertEqual(self.live(), (0, 1))
