"""A copy of a database must not touch what the real one has at carriers."""

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_open

from .common import ShipkitCase
from .tracked import Tracked


@tagged("post_install", "-at_install")
class TestNeutralized(Tracked, ShipkitCase):
    def neutralize(self):
        with file_open("delivery_shipkit/data/neutralize.sql") as script:
            self.env.flush_all()
            self.env.cr.execute(script.read())
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        self.env.invalidate_all()

    def test_accounts_of_production_become_test_accounts_without_their_secrets(self):
        self.account.environment = "test"
        other = self.account.copy({"code": "production-5", "name": "p"})
        self.env.cr.execute("UPDATE shipkit_account SET environment = 'production' WHERE id = %s", (other.id,))
        self.account.subscribed = True
        self.neutralize()
        self.assertEqual((other.environment, self.account.subscribed), ("test", False))
        self.env.cr.execute("SELECT count(*) FROM shipkit_account_setting WHERE content IS NOT NULL")
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_the_scheduled_work_asks_nobody(self):
        _, shipment = self.shipped(follow=False)
        asked = len(self.simulator.requests())
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        for job in ("cron_process", "cron_follow", "cron_watch"):
            self.run_job(job)
        self.assertEqual(len(self.simulator.requests()), asked)
        self.assertFalse(self.events_store().of_key(f"{self.client.settings.namespace}/{shipment.key}"))

    def test_no_carrier_is_told_to_push_to_it(self):
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        with self.assertRaises(UserError):
            self.account.action_subscribe()
