"""Who sees what: secrets nobody, states those who need them, and other companies' things no one."""

import logging

from odoo import sql_db
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import SECRET, ShipkitCase

EXPORT = "base.group_allow_export"
MODELS = ("shipkit.account", "shipkit.account.setting", "delivery.carrier", "shipkit.shipment", "shipkit.parcel")


@tagged("post_install", "-at_install")
class TestAccess(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sales = new_test_user(cls.env, "shipkit-sales", f"sales_team.group_sale_salesman,{EXPORT}")
        cls.stock = new_test_user(cls.env, "shipkit-stock", f"stock.group_stock_user,{EXPORT}")
        cls.manager = new_test_user(cls.env, "shipkit-manager", f"stock.group_stock_manager,{EXPORT}")
        cls.admin = new_test_user(cls.env, "shipkit-admin", f"base.group_system,stock.group_stock_manager,{EXPORT}")
        cls.people = (cls.sales, cls.stock, cls.manager)
        cls.env.flush_all()

    def shipment(self, company=None):
        return self.env["shipkit.shipment"].create(
            {
                "name": "1Z999",
                "key": "k",
                "company_id": (company or self.env.company).id,
                "account_id": self.account.id,
                "parcel_ids": [(0, 0, {"name": "1Z999", "event_ids": [(0, 0, {"event_ref": "1"})]})],
            }
        )

    def readable(self, model, user):
        """The fields that *user* may ask for."""
        return [name for name in self.env[model].with_user(user).fields_get() if name != "secret"]

    def test_no_way_of_reading_tells_a_secret(self):
        for user in (*self.people, self.admin):
            for model in MODELS:
                records = self.env[model].sudo().search([]).with_user(user)
                for name in self.readable(model, user):
                    self.env.invalidate_all()
                    try:
                        told = repr(records.read([name])) + repr(records.export_data([name])["datas"])
                    except AccessError:
                        continue
                    self.assertNotIn(SECRET, told, f"{model}.{name} to {user.login}")

    def test_settings_are_out_of_reach_of_all_but_administrators(self):
        for user in self.people:
            account = self.account.with_user(user)
            setting = self.env["shipkit.account.setting"].with_user(user)
            for attempt in (
                lambda account=account: account.read(["setting_ids"]),
                lambda account=account: account.export_data(["setting_ids/value"]),
                lambda account=account: account.search([("setting_ids.name", "=", "client_secret")]),
                lambda account=account: account.web_read({"setting_ids": {"fields": {"value": {}}}}),
                lambda setting=setting: setting.search([]),
                lambda setting=setting: setting.formatted_read_group([], ["name"]),
                lambda user=user: self.carrier.with_user(user).web_read(
                    {"shipkit_account_id": {"fields": {"setting_ids": {"fields": {"value": {}}}}}}
                ),
            ):
                with self.assertRaises(AccessError):
                    attempt()
            account.read(["name", "display_name", "environment", "problem"])

    def test_what_was_typed_is_not_for_administrators_either(self):
        setting = self.account.with_user(self.admin).setting_ids
        self.assertIn("client_id", setting.mapped("name"))
        for attempt in (
            lambda: setting.read(["content"]),
            lambda: setting.search([("content", "like", "demo")]),
            lambda: setting.export_data(["content"]),
            lambda: setting.formatted_read_group([], ["content"]),
            lambda: setting.write({"content": "x"}),
            lambda: self.account.with_user(self.admin).search([("setting_ids.content", "like", "demo%")]),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_an_administrator_writes_a_secret(self):
        line = self.account.with_user(self.admin).setting_ids.filtered(lambda one: one.name == "client_secret")
        line.value = "fresh"
        self.assertEqual(line.sudo().content, "fresh")

    def test_a_salesperson_rates_and_follows_what_was_sold(self):
        order = self.order()
        order.user_id = self.sales
        told = self.carrier.with_user(self.sales).rate_shipment(order.with_user(self.sales))
        self.assertTrue(told["success"], told)
        shipment = self.shipment().with_user(self.sales)
        shipment.read(["name", "milestone", "problem", "expected_on"])
        shipment.parcel_ids.event_ids.read(["milestone", "description"])
        with self.assertRaises(AccessError):
            shipment.write({"problem": "x"})
        with self.assertRaises(AccessError):
            self.account.with_user(self.sales).write({"name": "x"})

    def test_other_companies_things_are_not_seen(self):
        other = self.env["res.company"].create({"name": "Another"})
        theirs = self.shipment(other)
        mine = self.shipment()
        account = self.env["shipkit.account"].create(
            {"name": "theirs", "code": "theirs", "plugin": "ups", "company_id": other.id}
        )
        for user in self.people:
            found = self.env["shipkit.shipment"].with_user(user).search([("id", "in", (theirs | mine).ids)])
            self.assertEqual(found, mine)
            for model in ("shipkit.parcel", "shipkit.event"):
                self.assertEqual(
                    len(self.env[model].with_user(user).search([("id", "in", self.all_of(model, theirs | mine))])), 1
                )
            self.assertNotIn(account, self.env["shipkit.account"].with_user(user).search([]))
            with self.assertRaises(AccessError):
                theirs.with_user(user).read(["name"])

    def all_of(self, model, shipments):
        parcels = shipments.parcel_ids
        return (parcels if model == "shipkit.parcel" else parcels.event_ids).ids

    def test_every_model_of_the_addon_has_rights_and_those_of_a_company_a_rule(self):
        for name in self.env.registry:
            model = self.env[name]
            if not name.startswith("shipkit.") or model._abstract:
                continue
            self.assertTrue(self.env["ir.model.access"].sudo().search([("model_id.model", "=", name)]), name)
            if "company_id" in model._fields and not model._transient:
                self.assertTrue(self.env["ir.rule"].sudo().search([("model_id.model", "=", name)]), name)

    def test_neither_chatter_nor_logs_tell_a_secret(self):
        self.carrier.debug_logging = True
        dbname = self.env.cr.dbname
        with sql_db.db_connect(dbname).cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM ir_logging")
            last = cursor.fetchone()[0]
        self.addCleanup(self.forget_log, last)
        with self.assertLogs(level=logging.DEBUG) as logs:
            self.account.setting_ids.filtered(lambda line: line.name == "client_secret").value = f"{SECRET}-new"
            told = self.carrier.rate_shipment(self.order())
            self.account.environment = "certification"
            self.env.flush_all()
        self.assertTrue(told["success"], told)
        # Whatever Odoo is made to log of its own statements at this level is the administrator's database log.
        lines = [line for line in logs.output if "odoo.sql_db" not in line]
        self.assertNotIn(SECRET, "\n".join(lines))
        self.assertNotIn(self.customer.name, "\n".join(line for line in lines if "shipkit" in line))
        with sql_db.db_connect(dbname).cursor() as cursor:
            cursor.execute("SELECT message FROM ir_logging WHERE id > %s AND name = 'delivery.carrier'", (last,))
            trail = "\n".join(message for (message,) in cursor.fetchall())
        self.assertIn("rates", trail)
        self.assertNotIn(SECRET, trail)
        self.assertNotIn(self.customer.street, trail)
        self.assertNotIn(SECRET, repr(self.account.message_ids.mapped("body")))
        self.assertNotIn(SECRET, repr(self.account.message_ids.tracking_value_ids.read()))

    def forget_log(self, last):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cursor:
            cursor.execute("DELETE FROM ir_logging WHERE id > %s AND name = 'delivery.carrier'", (last,))

    def test_without_debug_logging_no_exchange_is_written_down(self):
        self.assertFalse(self.env["shipkit.account"]._debugged())
