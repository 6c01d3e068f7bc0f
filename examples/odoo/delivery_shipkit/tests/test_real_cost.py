"""The real cost stands on the order once, in its currency, whatever became of the labels."""

from odoo.tests import tagged

from .recovering import RecoveringCase


@tagged("post_install", "-at_install")
class TestRealCost(RecoveringCase):
    def ordered(self, estimate=5.0, **carrier):
        """A confirmed order by a method whose real cost is invoiced, and its delivery."""
        self.carrier.write({"invoice_policy": "real", **carrier})
        order = self.order()
        order.set_delivery_line(self.carrier, estimate)
        order.action_confirm()
        picking = order.picking_ids
        picking.carrier_id = self.carrier
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        return order, picking

    def lines(self, order):
        return order.order_line.filtered("is_delivery")

    def cost(self, picking):
        """What the carrier bills, in the order's currency."""
        return picking.shipkit_shipment_ids[:1]._price_for(picking)

    def test_the_estimate_is_replaced_by_what_it_cost(self):
        order, picking = self.ordered()
        self.assertEqual(self.lines(order).price_unit, 0)
        self.assertIn("Estimated", self.lines(order).name)
        picking.button_validate()
        self.assertEqual(len(self.lines(order)), 1)
        self.assertAlmostEqual(self.lines(order).price_unit, self.cost(picking), 2)
        self.assertGreater(self.cost(picking), 0)
        self.assertNotIn("Estimated", self.lines(order).name)

    def test_an_estimate_stays_where_that_is_invoiced(self):
        self.carrier.invoice_policy = "estimated"
        order, picking = self.ordered(invoice_policy="estimated")
        picking.button_validate()
        self.assertEqual(self.lines(order).price_unit, 5)

    def test_margins_count(self):
        order, picking = self.ordered(margin=0.5, fixed_margin=2.0)
        picking.button_validate()
        self.assertAlmostEqual(self.lines(order).price_unit, self.cost(picking) * 1.5 + 2, 2)

    def test_free_over_is_free(self):
        order, picking = self.ordered(free_over=True, amount=10)
        picking.button_validate()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(self.lines(order).price_unit, 0)

    def test_the_orders_currency_is_kept(self):
        other = self.env.ref("base.CHF")
        other.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": other.id, "name": "2020-01-01", "rate": 2.0, "company_id": self.env.company.id}
        )
        pricelist = self.env["product.pricelist"].create({"name": "CHF", "currency_id": other.id})
        self.customer.property_product_pricelist = pricelist
        order, picking = self.ordered()
        self.assertEqual(order.currency_id, other)
        picking.button_validate()
        shipment = picking.shipkit_shipment_ids
        price = shipment.currency_id._convert(shipment.price, other, self.env.company)
        self.assertAlmostEqual(self.lines(order).price_unit, price, 2)
        self.assertAlmostEqual(
            price, 2 * shipment.currency_id._convert(shipment.price, self.env.company.currency_id, self.env.company), 1
        )

    def test_cancelled_and_shipped_anew_it_is_billed_once(self):
        order, picking = self.ordered()
        picking.button_validate()
        cost = self.lines(order).price_unit
        picking.cancel_shipment()
        self.assertEqual(sum(self.lines(order).mapped("price_unit")), 0)
        self.assertEqual(picking.carrier_price, 0)
        picking.send_to_shipper()
        self.assertEqual(len(self.lines(order)), 1)
        self.assertAlmostEqual(self.lines(order).price_unit, cost, 2)
        self.assertEqual(len(self.booked()), 1)

    def test_what_is_invoiced_already_is_told_and_left(self):
        order, picking = self.ordered()
        picking.button_validate()
        order._create_invoices().action_post()
        cost = self.lines(order).price_unit
        picking.cancel_shipment()
        self.assertEqual(self.lines(order).price_unit, cost)
        self.assertIn("credit it", self.words(order))

    def test_a_label_that_is_found_later_brings_its_cost(self):
        order, picking = self.ordered()
        self.send_lost(picking)
        self.assertEqual(self.lines(order).price_unit, 0)
        self.wait(30)
        self.recover()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertGreater(self.lines(order).price_unit, 0)
        self.assertEqual(len(self.lines(order)), 1)

    def test_a_label_that_is_attached_by_hand_brings_its_cost(self):
        order, picking = self.ordered()
        self.roll_back(picking)
        self.wait(1900)
        self.recover()
        self.operations(picking, "unused").action_attach()
        self.assertAlmostEqual(self.lines(order).price_unit, self.cost(picking), 2)
        self.assertGreater(self.cost(picking), 0)

    def test_another_method_takes_the_line_over(self):
        other = self.carrier_by(self.account_at(self.PLUGIN, self.simulated(self.PLUGIN)), "02", invoice_policy="real")
        self.carrier.shipkit_fallback_ids = other
        order, picking = self.ordered()
        self.refuse(self.simulator)
        picking.button_validate()
        self.assertEqual(picking.carrier_id, other)
        self.assertEqual(len(self.lines(order)), 1)
        self.assertAlmostEqual(self.lines(order).price_unit, self.cost(picking), 2)
        self.assertEqual(self.lines(order).name, other.name)
