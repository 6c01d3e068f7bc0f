"""A delivery is booked once, and what came of it stands on the transfer."""

from odoo.tests import tagged

from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestShipping(ShipkitCase):
    def test_validating_books_one_label_and_attaches_it(self):
        picking = self.picking()
        picking.button_validate()

        (booking,) = self.booked()
        self.assertEqual(picking.state, "done")
        shipment = picking.shipkit_shipment_ids
        self.assertEqual(picking.carrier_tracking_ref, shipment.parcel_ids.name)
        self.assertIn(picking.carrier_tracking_ref, str(booking))
        label = shipment.parcel_ids.attachment_id
        self.assertTrue(label.name.startswith(f"LabelShipping-shipkit-{picking.carrier_tracking_ref}-1."))
        self.assertEqual(label, shipment.attachment_ids)
        self.assertEqual((label.res_model, label.res_id), ("stock.picking", picking.id))
        self.assertGreater(picking.carrier_price, 0)
