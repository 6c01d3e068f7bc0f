"""A newcomer's database: the demonstration data load, and one of their deliveries goes out with a label."""

from odoo.tests import tagged
from odoo.tools import convert_file, mute_logger

from .. import simulation
from ..bridge import forget
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestDemo(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(simulation.stop)
        cls.addClassCleanup(forget, cls.env.cr.dbname)
        if not cls.env.ref("delivery_shipkit.demo_drill", raise_if_not_found=False):
            convert_file(cls.env, "delivery_shipkit", "demo/demo.xml", {}, "init", noupdate=True)

    def test_every_carrier_that_can_be_simulated_has_a_working_account(self):
        accounts = self.env["shipkit.account"].search([("environment", "=", "simulator")])
        self.assertGreaterEqual(len(accounts), 4)
        for account in accounts:
            told = account.action_check()["params"]
            self.assertEqual(told["type"], "success", (account.plugin, told))

    def test_a_delivery_goes_out_with_a_label_and_its_parcel_moves(self):
        for plugin in ("ups", "easypost"):
            picking = self.env.ref(f"delivery_shipkit.demo_delivery_{plugin}_1")
            self.assertEqual(picking.state, "assigned")
            picking.move_ids.picked = True
            picking.button_validate()
            self.assertEqual(picking.state, "done")
            self.assertTrue(picking.carrier_tracking_ref)
            self.assertTrue(picking.shipkit_parcel_ids.attachment_id, plugin)
            account = picking.carrier_id.sudo().shipkit_account_id
            (booked,) = self.client.track(picking.carrier_tracking_ref, account=account.code)
            before = booked.value
            for _ in range(8):
                account.action_let_time_pass()
            with mute_logger("shipkit.client"):  # the token is older than the carrier's clock now likes
                (moved,) = self.client.track(picking.carrier_tracking_ref, account=account.code)
            self.assertGreater(len(moved.value.events), len(before.events))

    def test_an_order_is_quoted(self):
        order = self.env.ref("delivery_shipkit.demo_order_ups")
        told = self.env.ref("delivery_shipkit.demo_method_ups").rate_shipment(order)
        self.assertTrue(told["success"], told)
        self.assertGreater(told["price"], 0)
