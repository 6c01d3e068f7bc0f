"""Accounts: what the plugin asks for, what nobody reads back, what keeps worlds apart, and what a broken one costs."""

import os
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from shipkit.errors import InputError, PluginError

from ..bridge import forget, words_of
from ..models import account as rooms
from .common import SECRET, ShipkitCase


@tagged("post_install", "-at_install")
class TestAccounts(ShipkitCase):
    def line(self, name, account=None):
        return (account or self.account).setting_ids.filtered(lambda line: line.name == name)

    def refusal(self, account):
        """What a person is told who wants to use it."""
        with self.assertRaises(InputError) as refused:
            self.client.rates(None, accounts=[account.code])
        return words_of(self.env, refused.exception)

    def test_choosing_a_carrier_asks_for_what_it_wants_to_know(self):
        with Form(self.env["shipkit.account"]) as form:
            form.name = "Parcels"
            form.plugin = "ups"
            self.assertTrue(form.code.startswith("ups"))
        lines = {line.name: line for line in form.record.setting_ids}
        self.assertTrue(lines["client_secret"].secret and lines["client_secret"].required)
        self.assertFalse(lines["client_id"].secret)
        self.assertEqual(lines["client_secret"].state, "missing")
        self.assertIn("client_secret", form.record.problem)
        self.assertNotIn("environment", lines)
        self.assertTrue(lines["shipper_number"].help)

    def test_another_carrier_asks_for_other_things(self):
        account = self.env["shipkit.account"].create({"name": "x", "code": "x", "plugin": "ups"})
        with Form(account) as form:
            form.plugin = "easypost"
        self.assertIn("api_key", account.setting_ids.mapped("name"))
        self.assertNotIn("client_secret", account.setting_ids.mapped("name"))

    def test_a_secret_is_written_and_not_shown_again(self):
        secret = self.line("client_secret")
        self.assertEqual((secret.value, secret.state), (False, "given"))
        self.assertEqual(secret.sudo().content, SECRET)
        secret.value = False
        self.assertEqual(secret.sudo().content, SECRET)
        secret.value = "another"
        self.env.invalidate_all()
        self.assertEqual((secret.value, secret.sudo().content), (False, "another"))
        secret.value = "-"
        self.assertEqual(secret.state, "missing")
        self.assertEqual(self.line("client_id").value, "demo")

    def test_a_copy_has_neither_secrets_nor_the_world(self):
        self.account.environment = "certification"
        copied = self.account.copy()
        self.assertFalse(any(copied.setting_ids.sudo().mapped("content")))
        self.assertEqual(copied.environment, "test")
        self.assertNotEqual(copied.code, self.account.code)

    def test_a_change_of_a_secret_makes_a_new_client(self):
        before = self.client
        self.assertIs(self.client, before)
        self.line("client_secret").value = "another"
        self.assertIsNot(self.client, before)
        self.assertEqual(self.client.accounts[self.account.code].client_secret, "another")

    def test_an_environment_variable_goes_before_the_database_which_may_hold_nothing(self):
        self.line("client_secret").value = "-"
        self.assertIn("client_secret", self.refusal(self.account))
        with patch.dict(os.environ, {f"{self.account.variables}CLIENT_SECRET": "from-outside"}):
            self.env.invalidate_all()
            self.assertEqual(self.line("client_secret").state, "outside")
            self.assertFalse(self.account.problem)
            self.assertEqual(self.client.accounts[self.account.code].client_secret, "from-outside")

    def test_what_does_not_fit_is_said_and_no_secret_with_it(self):
        account = self.account_at("dpd_fr", self.simulator)
        self.line("customer_number", account).value = "none"
        self.assertEqual(account.problem, "customer_number: must be a whole number")
        self.assertIn("customer_number", self.refusal(account))
        self.line("client_secret").value = "\x00" + SECRET
        self.assertNotIn(SECRET, str(self.account.problem))

    def test_one_bad_account_stops_neither_the_others_nor_their_deliveries(self):
        bad = self.account_at("easypost", self.simulator, code="bad")
        self.line("api_key", bad).value = "-"
        self.assertIn(self.account.code, self.client.accounts)
        self.assertNotIn("bad", self.client.accounts)
        self.assertIn("bad: api_key must be given", self.refusal(bad))
        self.assertNotIn(SECRET, self.refusal(bad))

    def test_a_missing_plugin_is_shown_as_such_and_stops_nothing(self):
        gone = self.account_at("easypost", self.simulator, code="gone")
        found = {name: points for name, points in rooms.REGISTRY._found().items() if name != "easypost"}
        loaded = {name: plugin for name, plugin in rooms.REGISTRY._loaded.items() if name != "easypost"}
        with patch.object(rooms.REGISTRY, "_points", found), patch.object(rooms.REGISTRY, "_loaded", loaded):
            self.env.invalidate_all()
            self.assertIn("not installed", dict(gone._plugins())["easypost"])
            self.assertIn("no plugin for easypost is installed", gone.problem)
            gone.web_read({"plugin": {}, "problem": {}, "setting_ids": {"fields": {"value": {}, "state": {}}}})
            self.assertTrue(all(line.secret for line in gone.setting_ids))  # nobody can say which are
            forget(self.env.cr.dbname)  # as after a start of the server without it
            self.assertIn(self.account.code, self.client.accounts)
            self.assertIn("gone: no plugin for easypost", self.refusal(gone))

    def test_a_broken_plugin_is_shown_with_its_error(self):
        from shipkit.registry import BrokenPlugin

        point = rooms.REGISTRY._found()["easypost"][0]
        broken = BrokenPlugin(name="easypost", point=point, error=PluginError("it has no head", plugin="easypost"))
        account = self.account_at("easypost", self.simulator)
        with patch.dict(rooms.REGISTRY._loaded, {"easypost": broken}):
            self.env.invalidate_all()
            self.assertIn("it has no head", account.problem)
            self.env["shipkit.plugin"].action_look()
            row = self.env["shipkit.plugin"].search([("code", "=", "easypost")])
            self.assertEqual(row.broken, "it has no head")

    def test_the_plugins_say_what_they_can_do(self):
        self.env["shipkit.plugin"].action_look()
        self.env["shipkit.plugin"].action_look()
        ups = self.env["shipkit.plugin"].search([("code", "=", "ups")])
        self.assertEqual(len(ups), 1)
        self.assertTrue(ups.rates and ups.tracks and ups.returns and ups.version)
        self.assertFalse(ups.manifests)
        self.assertIn("create shipment", ups.features)

    def test_an_account_says_whether_it_works_and_buys_nothing(self):
        told = self.account.action_check()["params"]
        self.assertEqual(told["type"], "success", told)
        self.assertFalse(self.booked())
        self.assertTrue(self.account.checked_at)

    def test_refused_credentials_are_said_in_words(self):
        self.simulator.add_fault("token_revoked", times=None)
        told = self.account.action_check()["params"]
        self.assertEqual(told["type"], "danger")
        self.assertIn("credentials", told["message"])
        self.assertNotIn(SECRET, told["message"])

    def test_a_carrier_that_cannot_be_reached_is_said_in_words(self):
        self.account.base_url = "http://127.0.0.1:9"
        with mute_logger("shipkit.client"):
            told = self.account.action_check()["params"]
        self.assertEqual(told["type"], "danger")
        self.assertIn("cannot be reached", told["message"])

    def test_a_carrier_that_can_be_asked_nothing_says_so(self):
        account = self.account_at("dpd_fr", self.simulator)
        told = account.action_check()["params"]
        self.assertIn("nothing without a booking", told["message"])

    def test_what_was_booked_through_keeps_its_code_carrier_and_world(self):
        self.account.code = "renamed"
        self.env["shipkit.shipment"].create(
            {"name": "1Z", "key": "k", "company_id": self.env.company.id, "account_id": self.account.id}
        )
        for change in ({"code": "other"}, {"plugin": "easypost"}, {"environment": "production"}):
            with self.assertRaises(UserError):
                self.account.write(change)
        with self.assertRaises(UserError):
            self.account.unlink()
        self.account.name = "Another name"
        self.account.active = False

    def test_codes_are_apart_where_environment_variables_are(self):
        for code in ("Über", "a--b", "-a", "a b"):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.env["shipkit.account"].create({"name": code, "code": code, "plugin": "ups"})
        self.env["shipkit.account"].create({"name": "a", "code": "a-b", "plugin": "ups"})
        with self.assertRaises(ValidationError):
            self.env["shipkit.account"].create({"name": "b", "code": "a_b", "plugin": "ups"})

    def test_production_rests_in_a_neutralized_database(self):
        self.account.base_url = False
        self.account.environment = "production"
        self.assertFalse(self.account.problem)
        self.assertIn(self.account.code, self.client.accounts)
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", True)
        self.env.invalidate_all()
        self.assertIn("neutralized", self.account.problem)
        self.assertIn("neutralized", self.refusal(self.account))

    def test_production_never_goes_to_a_simulator(self):
        self.account.environment = "production"
        self.assertIn("on this machine", self.account.problem)
        self.assertNotIn(self.account.code, self.client.accounts)

    def test_production_is_not_slipped_in_by_a_variable(self):
        with patch.dict(os.environ, {f"{self.account.variables}ENVIRONMENT": "production"}):
            self.env.invalidate_all()
            self.assertIn("of production", self.account.problem)
            self.assertNotIn(self.account.code, self.client.accounts)

    def test_an_environment_that_the_carrier_has_not_is_refused(self):
        account = self.account_at("dpd_fr", self.simulator)
        account.write({"base_url": False, "environment": "certification"})
        self.assertIn("no such environment", account.problem)
