"""A simulated carrier of the database's own: started on demand, shared, and never for production."""

import os

import httpx
from odoo.exceptions import UserError
from odoo.tests import tagged

from .. import simulation
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestSimulation(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(simulation.stop)
        cls.tried = cls.env["shipkit.account"].create(
            {"name": "Trial", "code": "trial", "plugin": "ups", "environment": "simulator"}
        )

    def url(self):
        return simulation.simulator_url(self.env.cr.dbname, "ups")

    def test_an_account_for_trying_out_needs_no_credentials(self):
        self.assertFalse(self.tried.problem)
        told = self.tried.action_check()["params"]
        self.assertEqual(told["type"], "success", told)

    def test_it_is_one_for_all_who_ask_and_comes_back_at_its_address(self):
        url = self.url()
        self.assertTrue(url.startswith("http://127.0.0.1:"))
        simulation._seen.clear()  # as another worker sees it
        self.assertEqual(self.url(), url)
        self.assertEqual(len(simulation._children), 1)
        simulation.stop()
        self.assertEqual(self.url(), url)

    def test_half_a_day_passes_when_somebody_says_so(self):
        before = httpx.get(f"{self.url()}/_sim/clock").json()["now"]
        self.tried.action_let_time_pass()
        self.assertGreater(httpx.get(f"{self.url()}/_sim/clock").json()["now"], before)
        with self.assertRaises(UserError):
            self.account.action_let_time_pass()

    def test_it_ends_with_the_server_that_started_it(self):
        self.url()
        (child,) = simulation._children
        self.assertEqual(child.args[-2:], ["--host-pid", str(os.getpid())])
        self.assertIsNone(child.poll())

    def test_a_neutralized_database_and_production_start_none(self):
        self.tried.environment = "production"
        self.assertNotIn("base_url", self.tried._table_of())
        self.tried.environment = "simulator"
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", True)
        self.assertNotIn("base_url", self.tried._table_of())
        self.assertEqual(self.tried._carrier(self.tried._table_of()).base_url, "http://127.0.0.1")
