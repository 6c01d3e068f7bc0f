"""Nothing of a test leaves the machine, whichever way it takes."""

import httpx
from odoo.tests import tagged
from odoo.tools import mute_logger

from shipkit.errors import ShipkitError

from .common import Egress, ShipkitCase


@tagged("post_install", "-at_install")
class TestEgress(ShipkitCase):
    def test_httpx_is_held_back(self):
        with self.assertRaises(Egress):
            httpx.get("http://192.0.2.1/", timeout=1)

    def test_a_client_whose_account_names_the_carrier_itself_is_held_back(self):
        self.account.base_url = False
        try:
            with mute_logger("shipkit.client"):
                (outcome,) = self.client.track("1Z12345E0205271688", account=self.account.code)
            stopped = outcome.error
        except (Egress, ShipkitError) as error:
            stopped = error
        causes = []
        while stopped is not None:
            causes.append(stopped)
            stopped = stopped.__cause__ or stopped.__context__
        self.assertTrue(any(isinstance(cause, Egress) for cause in causes), causes)

    def test_loopback_is_open(self):
        self.assertEqual(httpx.get(f"{self.simulator.url}/_sim/", timeout=5).status_code, 200)
