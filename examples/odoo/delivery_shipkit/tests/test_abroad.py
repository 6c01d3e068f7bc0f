"""Across a customs border in several packages: each says what it holds, and all of it is what is declared."""

from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_shipping import Shipping


class Abroad(Shipping):
    """Two products that were sold to somebody across a customs border, in two packages."""

    LAND = "base.de"
    PLACE = {"street": "Invalidenstr. 116", "city": "Berlin", "zip": "10115"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        land = cls.env.ref(cls.LAND)
        cls.abroad = cls.env["res.partner"].create(
            {
                "name": "Grace Hopper",
                **cls.PLACE,
                "country_id": land.id,
                "phone": "+49 30 901820",
                "email": "grace@example.com",
            }
        )
        made_in = cls.env.ref("base.de").id
        cls.product.write({"hs_code": "8467.21", "country_of_origin": made_in})
        cls.bits = cls.env["product.product"].create(
            {
                "name": "Bits",
                "type": "consu",
                "is_storable": True,
                "list_price": 7.35,
                "weight": 0.3,
                "hs_code": "820750",
                "country_of_origin": made_in,
            }
        )
        cls.env["stock.quant"]._update_available_quantity(cls.bits, cls.warehouse.lot_stock_id, 1000)

    def packed(self):
        """Three drills, of which one is in the second package, and seven sets of bits there."""
        order = self.order(quantity=3, partner=self.abroad)
        order.write(
            {
                "carrier_id": self.carrier.id,
                "order_line": [(0, 0, {"product_id": self.bits.id, "product_uom_qty": 7, "discount": 3.3})],
            }
        )
        order.action_confirm()
        picking = order.picking_ids
        picking.action_assign()
        picking.move_ids.picked = True
        drills = picking.move_line_ids.filtered(lambda line: line.product_id == self.product)
        bits = picking.move_line_ids - drills
        drills.quantity = 2
        single = drills.copy({"quantity": 1})
        first, second = self.env["stock.package"].create([{}, {}])
        drills.result_package_id = first
        (single | bits).result_package_id = second
        return picking

    def asked_for(self, picking, method=None):
        return (method or self.carrier)._shipkit_request(picking)


@tagged("post_install", "-at_install")
class TestAbroadInPieces(Abroad):
    PLUGIN = "easypost"
    SERVICE = "usps/PriorityMailInternational"

    def test_what_the_packages_hold_is_what_is_declared(self):
        picking = self.packed()
        request = self.asked_for(picking)
        held = [{line.line: line.quantity for line in package.contents} for package in request.packages]
        self.assertEqual(held, [{1: Decimal(2)}, {1: Decimal(1), 2: Decimal(7)}])
        for line in request.customs.lines:
            parts = [part for package in request.packages for part in package.contents if part.line == line.line]
            self.assertEqual(sum(part.quantity for part in parts), line.quantity)
            self.assertEqual(sum(part.net_weight.value for part in parts), line.net_weight.value)
            for part in parts:
                self.assertEqual(part.unit_value, line.unit_value)
                self.assertEqual((part.hs_code, part.origin_country), (line.hs_code, line.origin_country))
        self.assertEqual(request.packages[0].declared_value.amount, Decimal("160.00"))
        self.assertEqual(self.asked_for(picking), request)

    def test_who_tries_again_in_another_language_asks_for_the_same(self):
        picking = self.packed()
        self.env["res.lang"]._activate_lang("fr_FR")
        before = self.asked_for(picking)
        self.product.with_context(lang="fr_FR").name = "Perceuse"
        self.assertEqual(self.product.with_context(lang="en_US").name, "Drill")
        self.assertEqual(
            self.asked_for(picking.with_context(lang="fr_FR"), self.carrier.with_context(lang="fr_FR")), before
        )

    def test_inside_the_country_nothing_is_said_of_the_contents(self):
        for package in self.asked_for(self.picking(quantity=4, packs=2)).packages:
            self.assertFalse(package.contents)
            self.assertIsNone(package.declared_value)

    def test_loose_goods_beside_a_package_are_declared_too(self):
        picking = self.packed()
        picking.move_line_ids.filtered(lambda line: line.product_id == self.bits).result_package_id = False
        request = self.asked_for(picking)
        self.assertEqual(len(request.packages), 3)
        self.assertEqual(sum(part.quantity for package in request.packages for part in package.contents), Decimal(10))

    def test_a_carrier_of_one_package_a_booking_declares_each(self):
        picking = self.packed()
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(len(self.booked()), 2)
        self.assertEqual(len(picking.carrier_tracking_ref.split(",")), 2)
        self.assertEqual(len(self.labels(picking)), 2)

    def test_what_customs_lacks_is_named_by_its_product_before_anything_is_asked(self):
        picking = self.packed()
        self.bits.write({"hs_code": "12", "country_of_origin": False})
        with self.assertRaisesRegex(UserError, "(?s)Bits.*HS code.*country of origin") as raised:
            picking.button_validate()
        self.assertNotIn("Drill", str(raised.exception))
        self.assertFalse(self.asked())


@tagged("post_install", "-at_install")
class TestAbroadAtOnce(Abroad):
    LAND = "base.ca"
    PLACE = {"street": "1 Yonge St", "city": "Toronto", "zip": "M5E 1W7"}
    SERVICE = "11"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.abroad.write({"state_id": cls.env.ref("base.state_ca_on").id, "phone": "+1 416 555 0100"})

    def test_two_packages_and_the_invoice_for_customs(self):
        picking = self.packed()
        picking.button_validate()
        (booking,) = self.booked()
        self.assertEqual(len(booking.numbers), 2)
        self.assertEqual(len(self.labels(picking)), 2)
        papers = self.env["ir.attachment"].search(
            [("res_model", "=", "stock.picking"), ("res_id", "=", picking.id), ("name", "=like", "ShippingDoc-%")]
        )
        self.assertEqual(len(papers), 1, papers.mapped("name"))
        self.assertIn("commercial_invoice", papers.name)
