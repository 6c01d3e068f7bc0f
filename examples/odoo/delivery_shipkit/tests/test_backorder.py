"""Every transfer has a key of its own: backorders, duplicates and returns are no second try of another one."""

from odoo.tests import Form, tagged

from .test_shipping import Shipping


@tagged("post_install", "-at_install")
class TestBackorder(Shipping):
    def test_a_backorder_gets_a_label_of_its_own(self):
        picking = self.picking(quantity=5)
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        action = picking.button_validate()
        wizard = Form.from_action(self.env, action).save()
        wizard.process()
        backorder = picking.backorder_ids
        self.assertFalse(backorder.carrier_tracking_ref)
        self.assertFalse(backorder.shipkit_shipment_ids)

        backorder.carrier_id = self.carrier
        backorder.action_assign()
        backorder.move_ids.picked = True
        backorder.button_validate()

        self.assertEqual(len(self.booked()), 2)
        self.assertNotEqual(picking.carrier_tracking_ref, backorder.carrier_tracking_ref)
        self.assertEqual([picking.shipkit_shipment_ids.parcel_ids.weight], [2.4])
        self.assertEqual([backorder.shipkit_shipment_ids.parcel_ids.weight], [3.6])

    def test_a_duplicate_ships_anew(self):
        picking = self.picking()
        picking.button_validate()
        copy = picking.copy()
        self.assertFalse(copy.shipkit_shipment_ids)
        self.assertFalse(copy.carrier_tracking_ref)
        copy.action_confirm()
        copy.action_assign()
        copy.move_ids.picked = True
        copy.button_validate()

        self.assertEqual(len(self.booked()), 2)
        self.assertNotEqual(picking.carrier_tracking_ref, copy.carrier_tracking_ref)

    def test_a_return_has_nothing_of_the_delivery_and_books_nothing_by_being_received(self):
        picking = self.picking()
        picking.button_validate()
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = 1
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        self.assertFalse(back.carrier_tracking_ref)
        back.move_ids.quantity = 1
        back.move_ids.picked = True
        back.button_validate()

        self.assertEqual(len(self.booked()), 1)
        self.assertTrue(picking.carrier_tracking_ref)
