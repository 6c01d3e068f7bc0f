"""What shipping costs, in the wizard and in the shop, and what happens when the carrier does not say."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from shipkit import Client

from ..models import rating
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestRates(ShipkitCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.simulator._engine.faults.clear)
        self.enterContext(patch.object(rating, "KEPT", rating.Kept()))
        self.enterContext(patch.object(rating, "_OFFICE_S", 3.0))

    def asked(self):
        """How often the carrier was asked for prices."""
        return sum(request.operation == "rates" for request in self.simulator.requests())

    def test_the_carriers_price_of_the_methods_service_comes_with_its_arrival(self):
        result = self.carrier.rate_shipment(self.order())
        self.assertTrue(result["success"], result["error_message"])
        self.assertGreater(result["price"], 0)
        self.assertEqual(result["shipkit_service"], "03")
        self.assertIn("UPS Ground", result["warning_message"])

    def test_without_a_service_the_cheapest_counts_and_the_order_remembers_it(self):
        cheapest = self.carrier_by(self.account, False)
        order = self.order()
        prices = {
            service: self.carrier_by(self.account, service).rate_shipment(order)["price"]
            for service in ("03", "12", "01")
        }
        result = cheapest.rate_shipment(order)
        self.assertLessEqual(result["price"], min(prices.values()))
        order.set_delivery_line(cheapest, result["price"])
        self.assertEqual(order.shipkit_service_code, result["shipkit_service"])
        self.assertEqual(cheapest._shipkit_service(order), result["shipkit_service"])

    def test_the_wizards_weight_counts(self):
        order = self.order()
        light = self.carrier.with_context(order_weight=1.0).rate_shipment(order)["price"]
        heavy = self.carrier.with_context(order_weight=25.0).rate_shipment(order)["price"]
        self.assertGreater(heavy, light)

    def test_the_wizard_shows_the_price_and_the_order_gets_its_line(self):
        order = self.order()
        wizard = self.env["choose.delivery.carrier"].create({"order_id": order.id, "carrier_id": self.carrier.id})
        wizard.update_price()
        self.assertGreater(wizard.delivery_price, 0)
        wizard.button_confirm()
        line = order.order_line.filtered("is_delivery")
        self.assertAlmostEqual(line.price_unit, wizard.delivery_price)
        self.assertIn("UPS Ground", order.delivery_message)

    def test_margins_of_core_are_put_on_the_carriers_price(self):
        order = self.order()
        price = self.carrier.rate_shipment(order)["price"]
        self.carrier.write({"margin": 0.5, "fixed_margin": 3.0})
        self.assertAlmostEqual(self.carrier.rate_shipment(order)["price"], price * 1.5 + 3.0)

    def test_a_large_order_ships_free_and_the_carriers_price_is_kept(self):
        order = self.order()
        self.carrier.write({"free_over": True, "amount": 100.0})
        result = self.carrier.rate_shipment(order)
        self.assertEqual(result["price"], 0.0)
        self.assertGreater(result["carrier_price"], 0)

    def test_an_included_tax_is_cores_to_map(self):
        order = self.order()
        price = self.carrier.rate_shipment(order)["price"]
        self.carrier.product_id.taxes_id = self.env["account.tax"].create({"name": "T", "amount": 10.0})
        order.set_delivery_line(self.carrier, price)
        line = order.order_line.filtered("is_delivery")
        self.assertAlmostEqual(line.price_total, price * 1.1, places=1)

    def foreign(self, rate):
        """An order in a currency that the carrier does not bill in, of which one of the company's is *rate*."""
        currency = self.env["res.currency"].create({"name": "XTS", "symbol": "X", "rounding": 0.01})
        if rate:
            self.env["res.currency.rate"].create(
                {"currency_id": currency.id, "rate": rate, "name": "2020-01-01", "company_id": self.env.company.id}
            )
        pricelist = self.env["product.pricelist"].create({"name": "X", "currency_id": currency.id})
        order = self.order()
        order.pricelist_id = pricelist
        self.assertEqual(order.currency_id, currency)
        return order

    def test_the_price_is_in_the_currency_of_the_order(self):
        self.assertEqual(self.env.company.currency_id.name, "USD")
        price = self.carrier.rate_shipment(self.order())["price"]
        order = self.foreign(2.0)
        result = self.carrier.rate_shipment(order)
        self.assertAlmostEqual(result["price"], price * 2, places=2)
        order.set_delivery_line(self.carrier, result["price"])
        self.assertAlmostEqual(order.order_line.filtered("is_delivery").price_unit, price * 2, places=2)

    def test_a_currency_without_a_rate_is_an_error_and_no_price(self):
        result = self.carrier.rate_shipment(self.foreign(None))
        self.assertFalse(result["success"])
        self.assertEqual(result["price"], 0.0)
        self.assertIn("no rate for XTS", result["error_message"])

    def test_goods_without_weight_are_an_error_in_words(self):
        self.product.weight = 0.0
        result = self.carrier.rate_shipment(self.order())
        self.assertEqual((result["success"], result["price"]), (False, 0.0))
        self.assertIn("weight", result["error_message"])

    def test_a_customer_without_an_address_is_an_error_in_words(self):
        partner = self.env["res.partner"].create({"name": "Nobody Knows"})
        result = self.carrier.rate_shipment(self.order(partner=partner))
        self.assertFalse(result["success"])
        self.assertTrue(result["error_message"])
        self.assertNotIn("Traceback", result["error_message"])

    def test_a_refusal_has_the_carriers_own_words(self):
        result = self.carrier_by(self.account, "11").rate_shipment(self.order())
        self.assertEqual((result["success"], result["price"]), (False, 0.0))
        self.assertIn("111", result["error_message"])

    def test_a_carrier_that_does_not_answer_costs_seconds_and_no_exception(self):
        with patch.object(rating, "_OFFICE_S", 0.5):
            self.simulator.add_fault("slow", operation="rates", after_s=2.0, times=3)
            result = self.carrier.rate_shipment(self.order())
        self.assertFalse(result["success"])
        self.assertIn("in time", result["error_message"])

    def test_the_same_question_is_asked_once_a_minute_and_another_one_anew(self):
        order = self.order()
        first = self.carrier.rate_shipment(order)
        asked = self.asked()
        self.assertEqual(self.carrier.rate_shipment(order)["price"], first["price"])
        self.assertEqual(self.asked(), asked)
        self.carrier.with_context(order_weight=9.0).rate_shipment(order)
        self.assertEqual(self.asked(), asked + 1)

    def test_an_error_is_not_kept(self):
        self.simulator.add_fault("200_with_error", operation="rates")
        order = self.order()
        self.assertFalse(self.carrier.rate_shipment(order)["success"])
        self.assertTrue(self.carrier.rate_shipment(order)["success"])

    def test_answers_kept_are_bounded_and_go_with_the_client(self):
        kept, client = rating.Kept(), Client({})
        for number in range(rating._KEPT + 10):
            kept.put(client, str(number), object())
        self.assertIsNone(kept.get(client, "0"))
        self.assertIsNotNone(kept.get(client, str(rating._KEPT)))
        self.assertEqual(len(kept._of[client]), rating._KEPT)
        with patch.object(rating, "_KEPT_S", 0.0):
            self.assertIsNone(kept.get(client, str(rating._KEPT)))

    def test_a_shop_waits_less_than_the_office(self):
        self.assertGreater(self.carrier._shipkit_patience(), rating._SHOP_S - 2)
        with patch.object(rating, "request", type("R", (), {"is_frontend": True})()):
            self.assertEqual(self.carrier._shipkit_patience(), 4.0)

    def test_a_method_may_have_a_price_or_rules_of_its_own(self):
        asked = self.asked()
        self.carrier.write({"shipkit_pricing": "fixed", "fixed_price": 7.5})
        self.assertEqual(self.carrier.rate_shipment(self.order())["price"], 7.5)
        rule = {"variable": "weight", "operator": "<=", "max_value": 99, "list_base_price": 4.0}
        self.carrier.write({"shipkit_pricing": "rules", "price_rule_ids": [Command.create(rule)]})
        self.assertEqual(self.carrier.rate_shipment(self.order())["price"], 4.0)
        self.assertEqual(self.asked(), asked)

    def test_a_carrier_without_prices_has_the_methods_own(self):
        method = self.carrier_by(self.account_at("mondialrelay", self.simulator), "HOM", fixed_price=6.0)
        self.assertEqual(method.rate_shipment(self.order())["price"], 6.0)

    def test_a_method_for_other_countries_is_not_offered(self):
        self.carrier.country_ids = self.env.ref("base.fr")
        self.assertFalse(self.carrier._is_available_for_order(self.order()))
        self.assertFalse(self.carrier.rate_shipment(self.order())["success"])

    def test_a_salesperson_sees_prices_and_no_credentials(self):
        user = self.env["res.users"].create(
            {
                "name": "S",
                "login": "s-rates",
                "group_ids": [Command.set(self.env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
        order = self.order()
        order.user_id = user
        result = self.carrier.with_user(user).rate_shipment(order.with_user(user))
        self.assertTrue(result["success"], result["error_message"])
        with self.assertRaises(UserError):
            self.env["shipkit.account.setting"].with_user(user).search_read([], ["value"])

    def test_ways_to_ship_an_order_are_compared_and_one_is_chosen(self):
        cheapest = self.carrier_by(self.account, False, margin=1.0)
        order = self.order()
        action = order.action_shipkit_compare()
        quotes = self.env["shipkit.quote"].search(action["domain"])
        ways = quotes.filtered(lambda quote: quote.carrier_id == cheapest)
        self.assertGreater(len(ways), 2)
        self.assertEqual(ways.filtered(lambda way: not way.offered).ids, [])
        (fixed,) = quotes.filtered(lambda quote: quote.carrier_id == self.carrier)
        dearest = ways.sorted("price")[-1]
        self.assertAlmostEqual(ways.filtered(lambda way: way.service == "03").price, fixed.price * 2, places=2)
        dearest.action_choose()
        self.assertEqual((order.carrier_id, order.shipkit_service_code), (cheapest, dearest.service))
        self.assertAlmostEqual(order.order_line.filtered("is_delivery").price_unit, dearest.price, places=2)
        self.assertEqual(cheapest._shipkit_service(order), dearest.service)

    def test_a_way_that_does_not_go_says_why(self):
        self.carrier_by(self.account, "11")
        quotes = self.env["shipkit.quote"].search(self.order().action_shipkit_compare()["domain"])
        self.assertTrue(quotes.filtered(lambda quote: not quote.offered).note)
