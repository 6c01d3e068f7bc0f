"""What goes with a parcel: options from the method and the order, and the declaration where customs stands between."""

from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from shipkit.model import CustomsPurpose, Incoterm, OptionCode, Payer, TaxIdType

from .. import compat
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestCustoms(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.abroad = cls.env["res.partner"].create(
            {
                "name": "Grace Hopper",
                "street": "1 Yonge St",
                "city": "Toronto",
                "zip": "M5E 1W7",
                "state_id": cls.env.ref("base.state_ca_on").id,
                "country_id": cls.env.ref("base.ca").id,
                "phone": "+1 416 555 0100",
                "email": "grace@example.com",
            }
        )
        cls.product.write({"hs_code": "8467.21", "country_of_origin": cls.env.ref("base.de").id})

    def sold(self, quantity=3, price=80.0, partner=None, **values):
        """An order that was confirmed, and its transfer."""
        order = self.order(quantity=quantity, partner=partner or self.abroad)
        order.write({"carrier_id": self.carrier.id, **values})
        order.order_line.price_unit = price
        order.action_confirm()
        picking = order.picking_ids
        picking.action_assign()
        picking.move_ids.write({"picked": True})
        return order, picking

    def declared(self, picking):
        contents = compat.contents_of(picking, self.carrier._shipkit_package_type())
        return self.carrier._shipkit_customs(picking, compat.packages_of_picking(picking, contents))

    def test_nothing_is_declared_where_no_customs_border_is_crossed(self):
        self.assertIsNone(self.declared(self.picking()))

    def test_a_declaration_has_the_goods_as_they_were_sold(self):
        order, picking = self.sold(quantity=3, price=75.5)
        customs = self.declared(picking)
        self.assertEqual(customs.purpose, CustomsPurpose.SALE)
        (line,) = customs.lines
        self.assertEqual((line.quantity, line.unit_value.amount), (Decimal(3), Decimal("75.5")))
        self.assertEqual(line.unit_value.currency, order.currency_id.name)
        self.assertEqual((line.hs_code, line.origin_country), ("846721", "DE"))
        self.assertEqual(line.net_weight.value, compat.weight_of(self.env, 1.2).value * 3)
        self.assertEqual(customs.invoice.number, order.name)

    def test_the_value_is_without_tax_and_in_the_currency_of_the_order(self):
        order, picking = self.sold(price=100.0)
        order.order_line.tax_ids = self.env["account.tax"].create({"name": "T", "amount": 20.0})
        self.assertEqual(self.declared(picking).lines[0].unit_value.amount, Decimal(100))

    def test_a_dozen_is_twelve_with_the_price_of_one(self):
        order = self.order(quantity=1, partner=self.abroad)
        order.order_line.write({"product_uom_id": self.env.ref("uom.product_uom_dozen").id, "price_unit": 120.0})
        order.carrier_id = self.carrier
        order.action_confirm()
        order.picking_ids.action_assign()
        line = self.declared(order.picking_ids).lines[0]
        self.assertEqual((line.quantity, line.unit_value.amount), (Decimal(12), Decimal(10)))

    def test_a_gift_is_worth_what_it_cost(self):
        _, picking = self.sold(price=0.0)
        self.assertEqual(self.declared(picking).lines[0].unit_value.amount, Decimal(50))

    def test_it_is_the_same_on_every_try(self):
        _, picking = self.sold()
        self.assertEqual(self.declared(picking), self.declared(picking))

    def test_goods_in_several_packages_are_declared_once(self):
        _, picking = self.sold(quantity=4)
        lines = picking.move_line_ids
        lines.quantity = 2
        lines |= lines.copy({"quantity": 2})
        for line in lines:
            line.result_package_id = self.env["stock.package"].create({"shipping_weight": 2.4})
        customs = self.declared(picking)
        self.assertEqual([line.quantity for line in customs.lines], [Decimal(4)])

    def test_what_is_missing_is_named_with_its_product_before_anything_is_sent(self):
        self.product.write({"hs_code": False, "country_of_origin": False})
        _, picking = self.sold()
        before = len(self.booked())
        with self.assertRaises(UserError) as raised:
            self.declared(picking)
        text = str(raised.exception)
        self.assertIn("Drill", text)
        self.assertIn("HS code", text)
        self.assertIn("origin", text)
        self.assertEqual(len(self.booked()), before)

    def test_the_incoterm_is_the_orders_else_the_companys(self):
        self.env.company.incoterm_id = self.env.ref("account.incoterm_DPU")
        order, picking = self.sold()
        self.assertEqual(self.declared(picking).incoterm, Incoterm.DPU)
        order.write({"incoterm": self.env.ref("account.incoterm_DDP").id, "incoterm_location": "Toronto"})
        customs = self.declared(picking)
        self.assertEqual((customs.incoterm, customs.incoterm_place), (Incoterm.DDP, "Toronto"))
        self.assertEqual(customs.duties_payer, Payer.SENDER)
        order.incoterm = self.env["account.incoterms"].create({"name": "Old", "code": "DAF"})
        with self.assertRaisesRegex(UserError, "Incoterms 2020"):
            self.declared(picking)

    def test_tax_numbers_are_bare_and_say_who_issued_them(self):
        partner = self.env["res.partner"].create(
            {
                "name": "B",
                "street": "Ermou 1",
                "city": "Athens",
                "zip": "105 63",
                "country_id": self.env.ref("base.gr").id,
                "is_company": True,
                "shipkit_eori": "GR 123456789",
            }
        )
        partner.vat = "EL123456783"
        found = compat.party_of(partner, what="it").tax_ids
        self.assertEqual(
            [(each.type, each.value, each.issuer) for each in found],
            [(TaxIdType.VAT, "EL123456783", "GR"), (TaxIdType.EORI, "GR123456789", "GR")],
        )

    def test_references_are_the_orders_and_the_customers(self):
        order, picking = self.sold(client_order_ref="PO 77")
        self.assertEqual([each.value for each in self.carrier._shipkit_references(picking)], [order.name, "PO 77"])
        self.assertEqual(self.carrier._shipkit_references(self.picking()), ())

    def test_options_are_those_of_the_form(self):
        self.carrier.write({"shipkit_signature": "adult", "shipkit_saturday": True, "shipkit_notify": "email,sms"})
        self.customer.phone = False
        found = {option.code: option.value for option in self.carrier._shipkit_options(self.picking(), ())}
        self.assertEqual(set(found), {OptionCode.SIGNATURE, OptionCode.SATURDAY_DELIVERY, OptionCode.NOTIFY})
        self.assertEqual({str(channel) for channel in found[OptionCode.NOTIFY].channels}, {"email"})

    def test_insurance_is_the_percentage_of_what_the_goods_are_worth(self):
        self.carrier.shipping_insurance = 50
        _, picking = self.sold(quantity=3, price=80.0)
        (option,) = self.carrier._shipkit_options(picking, ())
        self.assertEqual((option.code, option.value.amount), (OptionCode.INSURANCE, Decimal("120.00")))

    def paid_on_delivery(self, order):
        provider = self.env["payment.provider"].search([("custom_mode", "=", "cash_on_delivery")], limit=1)
        self.assertTrue(provider)
        self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env.ref("payment_custom.payment_method_wire_transfer", False).id
                or self.env["payment.method"].search([], limit=1).id,
                "reference": f"T-{order.id}",
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "state": "pending",
                "sale_order_ids": [Command.set(order.ids)],
            }
        )

    def test_cash_is_collected_where_the_customer_chose_it(self):
        order, picking = self.sold(partner=self.customer)
        self.paid_on_delivery(order)
        self.assertEqual(self.carrier._shipkit_options(picking, ()), ())
        self.carrier.allow_cash_on_delivery = True
        (option,) = self.carrier._shipkit_options(picking, ())
        self.assertEqual(option.code, OptionCode.COD)
        self.assertEqual(option.value.amount.amount, Decimal(f"{order.amount_total:.2f}"))

    def test_cash_for_a_part_of_an_order_is_nobodys_guess(self):
        order, picking = self.sold(partner=self.customer)
        self.paid_on_delivery(order)
        self.carrier.allow_cash_on_delivery = True
        picking.copy({"sale_id": order.id})
        self.assertGreater(len(order.picking_ids), 1)
        with self.assertRaises(UserError):
            self.carrier._shipkit_options(picking, ())

    def test_the_goods_are_named_in_plain_words_that_fit(self):
        _, picking = self.sold()
        self.assertEqual(self.carrier._shipkit_description(picking), "Drill")
        self.product.name = "D" * 80
        self.assertEqual(len(self.carrier._shipkit_description(picking)), 50)

    def test_the_carrier_gets_all_of_it_across_a_customs_border(self):
        self.carrier.write({"shipkit_service_code": "11", "shipkit_signature": "adult", "shipkit_notify": "email"})
        _, picking = self.sold(client_order_ref="PO 77")
        before = len(self.booked())
        request = self.carrier._shipkit_request(picking)
        self.assertEqual(request.customs.lines[0].hs_code, "846721")
        booked = self.client.create_shipment(request, account=self.account.code, key=f"test-customs-{picking.id}")
        self.assertTrue(booked.documents)
        self.assertEqual(len(self.booked()), before + 1)

    def test_the_carrier_gets_references_and_instructions_inside_the_country(self):
        self.carrier.shipping_insurance = 100
        _, picking = self.sold(partner=self.customer, client_order_ref="PO 77")
        before = len(self.booked())
        request = self.carrier._shipkit_request(picking)
        self.client.create_shipment(request, account=self.account.code, key=f"test-customs-{picking.id}")
        self.assertEqual(len(self.booked()), before + 1)
