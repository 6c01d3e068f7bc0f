"""A delivery is booked once, and what came of it stands on the transfer."""

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import ShipkitCase


class Shipping(ShipkitCase):
    """What tests of booking and cancelling look at: the simulator's books as far as this test wrote them."""

    def setUp(self):
        super().setUp()
        self.before = {each.id for each in self.simulator.bookings()}
        self.asked_before = len(self.simulator.requests())

    def booked(self):
        return [each for each in super().booked() if each.id not in self.before]

    def asked(self, operation=None):
        """What the carrier was asked in this test."""
        requests = self.simulator.requests()[self.asked_before :]
        return [each for each in requests if operation in (None, each.operation)]

    def labels(self, picking):
        here = [("res_model", "=", "stock.picking"), ("res_id", "=", picking.id)]
        return self.env["ir.attachment"].search([*here, ("name", "=like", "LabelShipping-shipkit-%")])

    def chain(self):
        """Pick and ship of one order, the first of them done."""
        self.warehouse.delivery_steps = "pick_ship"
        order = self.order(quantity=1)
        order.carrier_id = self.carrier
        order.action_confirm()
        pick = order.picking_ids
        pick.action_assign()
        pick.move_ids.picked = True
        pick.button_validate()
        ship = order.picking_ids - pick
        ship.carrier_id = self.carrier
        ship.action_assign()
        ship.move_ids.picked = True
        return pick, ship


@tagged("post_install", "-at_install")
class TestShipping(Shipping):
    def test_validating_books_one_label_and_attaches_it(self):
        picking = self.picking()
        picking.button_validate()

        (booking,) = self.booked()
        self.assertEqual(picking.state, "done")
        shipment = picking.shipkit_shipment_ids
        self.assertEqual([picking.carrier_tracking_ref], shipment.parcel_ids.mapped("name"))
        self.assertEqual(booking.numbers, (picking.carrier_tracking_ref,))
        label = shipment.parcel_ids.attachment_id
        self.assertTrue(label.name.startswith(f"LabelShipping-shipkit-{picking.carrier_tracking_ref}-1."))
        self.assertEqual(label, shipment.attachment_ids)
        self.assertEqual(label, self.labels(picking))
        self.assertEqual(picking.message_ids.attachment_ids, label)
        self.assertGreater(picking.carrier_price, 0)

    def test_the_same_booking_that_comes_back_is_attached_once(self):
        picking = self.picking()
        for _ in range(2):
            self.carrier.shipkit_send_shipping(picking)

        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(len(picking.shipkit_shipment_ids), 1)
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertEqual(len(picking.message_ids.filtered("attachment_ids")), 1)

    def test_a_rolled_back_click_leaves_a_label_that_the_next_one_uses(self):
        picking = self.picking()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            picking.button_validate()
            _ = 1 / 0
        picking.invalidate_recordset()
        self.assertFalse(picking.carrier_tracking_ref)
        self.assertTrue(picking.shipkit_bought)

        picking.button_validate()

        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertFalse(picking.shipkit_bought)

    def test_the_whole_chain_shows_the_number(self):
        pick, ship = self.chain()
        ship.button_validate()

        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(pick.carrier_tracking_ref, ship.carrier_tracking_ref)
        self.assertEqual(ship.shipkit_shipment_ids.picking_ids, pick | ship)

    def test_an_address_that_lacks_something_is_named_and_nothing_is_sent(self):
        partner = self.customer.copy({"name": "Grace Hopper", "zip": False, "street": False})
        picking = self.picking(partner=partner)

        with self.assertRaisesRegex(UserError, r"Grace Hopper.*a street, a postal code"):
            picking.button_validate()

        self.assertFalse(self.asked())

    def test_a_parcel_that_weighs_nothing_is_refused_before_anything_is_sent(self):
        self.product.weight = 0
        picking = self.picking()

        with self.assertRaisesRegex(UserError, "weight"):
            picking.button_validate()

        self.assertFalse(self.asked())

    def test_a_missing_plugin_refuses_to_ship_and_leaves_transfers_readable(self):
        sent = self.picking()
        sent.button_validate()
        picking = self.picking()
        self.env.cr.execute("UPDATE delivery_carrier SET shipkit_plugin = 'gone' WHERE id = %s", (self.carrier.id,))
        self.carrier.invalidate_recordset()

        self.assertTrue(sent.read(["carrier_tracking_url", "shipkit_shipment_ids", "shipkit_bought"]))
        with self.assertRaisesRegex(UserError, "not installed"):
            picking.button_validate()

    def test_a_label_that_follows_leaves_its_number_at_once(self):
        from unittest.mock import patch

        import attrs

        from shipkit.errors import LabelPendingError
        from shipkit.model import BookingState

        picking = self.picking()
        book = type(self.carrier)._shipkit_book

        def pending(method, transfer, request):
            whole = book(method, transfer, request)
            booked = attrs.evolve(whole, documents=(), state=BookingState.LABEL_PENDING)
            raise LabelPendingError("later", shipment=booked, key=transfer._shipkit_key())

        with patch.object(type(self.carrier), "_shipkit_book", pending):
            picking.button_validate()

        shipment = picking.shipkit_shipment_ids
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(shipment.state, "label_pending")
        self.assertFalse(self.labels(picking))

        picking._shipkit_attach(self.client.ledger.finish(key=picking._shipkit_key()))

        self.assertEqual(shipment.state, "confirmed")
        self.assertEqual(shipment.parcel_ids.attachment_id, self.labels(picking))

    def test_the_price_comes_in_the_currency_of_the_order(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", euro.id)]).unlink()
        self.env["res.currency.rate"].create({"currency_id": euro.id, "name": "2020-01-01", "rate": 0.5})
        pricelist = self.env["product.pricelist"].create({"name": "Euro", "currency_id": euro.id})
        order = self.order()
        order.pricelist_id = pricelist
        order.currency_id = euro
        order.carrier_id = self.carrier
        order.action_confirm()
        picking = order.picking_ids
        picking.carrier_id = self.carrier
        picking.move_ids.picked = True
        picking.button_validate()

        shipment = picking.shipkit_shipment_ids
        self.assertEqual(shipment.currency_id.name, "USD")
        self.assertAlmostEqual(picking.carrier_price, shipment.price / 2, 2)

    def test_an_order_without_a_service_goes_by_the_cheapest_and_again_by_that(self):
        method = self.carrier_by(self.account, False)
        picking = self.picking(carrier=method)
        picking.button_validate()

        cheapest = self.client.rates(method._shipkit_request(picking), accounts=[self.account.code]).quotes[0]
        self.assertEqual(picking.shipkit_shipment_ids.service, cheapest.service)
        method.shipkit_send_shipping(picking)
        self.assertEqual(len(self.booked()), 1)


@tagged("post_install", "-at_install")
class TestConflict(Shipping):
    def changed_after_it_was_bought(self):
        picking = self.picking()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            picking.button_validate()
            _ = 1 / 0
        picking.invalidate_recordset()
        picking.partner_id.street = "351 Fifth Ave"
        return picking

    def test_a_transfer_that_was_changed_says_which_label_was_bought(self):
        picking = self.changed_after_it_was_bought()
        (booking,) = self.booked()

        with self.assertRaisesRegex(UserError, booking.id), self.env.cr.savepoint():
            picking.button_validate()

        self.assertEqual(len(self.booked()), 1)
        picking.invalidate_recordset()
        self.assertEqual(picking.shipkit_bought, booking.id)

    def test_the_label_that_was_bought_is_attached(self):
        picking = self.changed_after_it_was_bought()
        wizard = self.env["shipkit.conflict"].browse(picking.action_shipkit_bought()["res_id"])
        (booking,) = self.booked()
        self.assertEqual(wizard.booking, booking.id)

        wizard.action_attach()

        self.assertEqual(picking.carrier_tracking_ref, booking.numbers[0])
        self.assertEqual(len(self.labels(picking)), 1)
        picking.button_validate()
        self.assertEqual((picking.state, len(self.booked())), ("done", 1))

    def test_the_label_that_was_bought_is_voided_and_the_transfer_ships_anew(self):
        picking = self.changed_after_it_was_bought()
        wizard = self.env["shipkit.conflict"].browse(picking.action_shipkit_bought()["res_id"])

        wizard.action_void()
        self.assertFalse(self.booked())
        with self.assertRaises(UserError):
            wizard.action_void()

        picking.invalidate_recordset()
        picking.button_validate()
        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(picking.shipkit_shipment_ids.generation, 2)

    def test_the_form_of_a_transfer_with_a_bought_label_opens(self):
        picking = self.changed_after_it_was_bought()
        with Form(picking) as form:
            self.assertTrue(form.shipkit_bought)


@tagged("post_install", "-at_install")
class TestLinks(Shipping):
    def test_one_number_is_an_address_and_several_are_a_list(self):
        picking = self.picking()
        picking.carrier_tracking_ref = "1Z1"
        self.assertEqual(picking.carrier_tracking_url, "https://www.ups.com/track?tracknum=1Z1")

        picking.carrier_tracking_ref = "1Z1,1Z2"
        self.assertEqual(
            picking.get_multiple_carrier_tracking(),
            [["1Z1", "https://www.ups.com/track?tracknum=1Z1"], ["1Z2", "https://www.ups.com/track?tracknum=1Z2"]],
        )
        self.assertFalse(self.asked())

    def test_without_a_template_it_is_the_methods_own_or_none(self):
        account = self.account_at("easypost", self.simulator, code="easypost-links")
        method = self.carrier_by(account, "usps/Priority")
        picking = self.picking(carrier=method)
        picking.carrier_tracking_ref = "94 00"
        self.assertFalse(picking.carrier_tracking_url)

        method.tracking_url = "https://shop.example/track/<shipmenttrackingnumber>"
        picking.invalidate_recordset()
        self.assertEqual(picking.carrier_tracking_url, "https://shop.example/track/94%2000")
