"""A shipment is cancelled once, whoever asks how often, and then the transfer can be shipped anew."""

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_shipping import Shipping


@tagged("post_install", "-at_install")
class TestCancel(Shipping):
    def sent(self, **how):
        picking = self.picking(**how)
        picking.button_validate()
        return picking

    def voids(self):
        return self.asked("cancel_shipment")

    def test_a_cancelled_transfer_shows_no_number_and_ships_anew(self):
        picking = self.sent()
        first = picking.carrier_tracking_ref

        picking.cancel_shipment()

        self.assertFalse(self.booked())
        self.assertFalse(picking.carrier_tracking_ref)
        self.assertEqual(picking.shipkit_shipment_ids.state, "voided")
        self.assertEqual(picking.shipkit_shipment_ids.parcel_ids.milestone, "cancelled")
        self.assertFalse(self.labels(picking))
        said = [message for message in picking.message_ids if "cancelled" in (message.body or "")]
        self.assertEqual(len(said), 1)
        self.assertIn(first, said[0].body)

        picking.send_to_shipper()

        self.assertEqual(len(self.booked()), 1)
        self.assertNotIn(picking.carrier_tracking_ref, (False, first))
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertEqual(sorted(picking.shipkit_shipment_ids.mapped("generation")), [1, 2])

    def test_two_transfers_are_cancelled_once_each(self):
        pickings = self.sent() | self.sent()
        pickings.cancel_shipment()

        self.assertFalse(self.booked())
        self.assertEqual(len(self.voids()), 2)
        self.assertEqual(pickings.mapped("carrier_tracking_ref"), [False, False])

    def test_core_may_ask_for_all_of_them_once_for_each(self):
        pickings = self.sent() | self.sent()
        for _ in pickings:
            self.carrier.cancel_shipment(pickings)

        self.assertEqual(len(self.voids()), 2)

    def test_a_chain_is_cancelled_once_and_shows_no_number_any_more(self):
        pick, ship = self.chain()
        ship.button_validate()

        (pick | ship).cancel_shipment()
        (pick | ship).cancel_shipment()

        self.assertEqual(len(self.voids()), 1)
        self.assertEqual((pick | ship).mapped("carrier_tracking_ref"), [False, False])

    def test_one_that_was_cancelled_at_the_carrier_counts_as_cancelled(self):
        picking = self.sent()
        (booking,) = self.booked()
        self.simulator.world.void(booking.id)

        picking.cancel_shipment()

        self.assertEqual(picking.shipkit_shipment_ids.state, "voided")
        self.assertFalse(picking.carrier_tracking_ref)

    @mute_logger("shipkit.client")  # the token has run out by then
    def test_a_parcel_that_is_on_its_way_stays_and_says_why(self):
        picking = self.sent()
        self.simulator.advance(2 * 24 * 3600)

        with self.assertRaises(UserError) as raised, self.env.cr.savepoint():
            picking.cancel_shipment()

        self.assertIn("cannot be cancelled", str(raised.exception))
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(picking.shipkit_shipment_ids.state, "confirmed")

    @mute_logger("shipkit.client")
    def test_no_answer_to_a_cancellation_is_told_and_asked_again(self):
        picking = self.sent()
        self.simulator.add_fault("drop_after_commit", operation="cancel_shipment", times=None)
        with self.assertRaisesRegex(UserError, "not known yet"), self.env.cr.savepoint():
            picking.cancel_shipment()
        self.assertTrue(picking.carrier_tracking_ref)
        self.simulator.faults.clear()

        picking.cancel_shipment()

        self.assertFalse(picking.carrier_tracking_ref)
        self.assertEqual(picking.shipkit_shipment_ids.state, "voided")

    def test_after_a_cancellation_it_goes_by_another_method(self):
        picking = self.sent()
        picking.cancel_shipment()
        simulator = self.simulated("easypost")
        account = self.account_at("easypost", simulator)
        picking.carrier_id = self.carrier_by(account, "usps/Priority")

        picking.send_to_shipper()

        self.assertEqual(len([each for each in simulator.bookings() if each.live]), 1)
        self.assertFalse(self.booked())
        self.assertEqual(picking.shipkit_shipment_ids.sorted("id")[-1:].plugin, "easypost")

    def test_one_parcel_of_several_is_cancelled_alone(self):
        picking = self.sent(packs=3, quantity=6)
        numbers = picking.carrier_tracking_ref.split(",")
        parcels = picking.shipkit_shipment_ids.parcel_ids

        parcels[1].action_cancel()

        self.assertEqual(picking.carrier_tracking_ref, f"{numbers[0]},{numbers[2]}")
        self.assertEqual(picking.shipkit_shipment_ids.state, "confirmed")
        (booking,) = self.booked()
        self.assertEqual(list(booking.voided_numbers), [numbers[1]])

    def test_a_number_that_somebody_typed_is_only_cleared(self):
        picking = self.picking()
        picking.carrier_tracking_ref = "TYPED"
        picking.cancel_shipment()
        self.assertFalse(picking.carrier_tracking_ref)
        self.assertFalse(self.voids())
