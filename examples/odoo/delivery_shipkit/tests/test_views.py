"""Every view loads for those who work with it, and shows a delivery's label, state and trouble without a log."""

from lxml import etree
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from ..models.shown import link_of
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestViews(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = new_test_user(cls.env, "views-stock", "stock.group_stock_user")
        cls.manager = new_test_user(cls.env, "views-manager", "stock.group_stock_manager")
        cls.admin = new_test_user(cls.env, "views-admin", "base.group_system,stock.group_stock_manager")

    def shipped(self, **values):
        """A delivery with a shipment of one parcel, as booking leaves them."""
        picking = self.picking()
        label = self.env["ir.attachment"].create(
            {"name": "label.pdf", "raw": b"%PDF", "res_model": "stock.picking", "res_id": picking.id}
        )
        shipment = self.env["shipkit.shipment"].create(
            {
                "name": "1Z1",
                "key": f"picking-{picking.id}",
                "company_id": picking.company_id.id,
                "picking_id": picking.id,
                "carrier_id": picking.carrier_id.id,
                "promised_on": "2026-11-27",
                "parcel_ids": [
                    (
                        0,
                        0,
                        {
                            "name": "1Z1",
                            "attachment_id": label.id,
                            "event_ids": [(0, 0, {"event_ref": "1", "milestone": "in_transit", "place": "Atlanta"})],
                        },
                    )
                ],
                **values,
            }
        )
        picking.shipkit_shipment_ids = shipment
        return picking

    def test_every_view_of_every_model_loads_for_those_who_may_read_it(self):
        for user in (self.stock, self.manager, self.admin):
            for name in sorted(self.env.registry):
                if not name.startswith("shipkit."):
                    continue
                model = self.env[name].with_user(user)
                if model._abstract or not model.has_access("read"):
                    continue
                kinds = set(self.env["ir.ui.view"].sudo().search([("model", "=", name)]).mapped("type"))
                views = model.get_views([(False, kind) for kind in sorted(kinds | {"form", "list", "search"})])
                self.assertTrue(views["views"]["form"]["arch"])

    def test_every_action_of_the_menu_opens_for_those_who_see_it(self):
        for user in (self.stock, self.manager, self.admin):
            menus = self.env["ir.ui.menu"].with_user(user).load_menus(False)
            root = next(menu for menu in menus.values() if menu.get("xmlid") == "delivery_shipkit.menu_shipkit")
            waiting, seen = list(root["children"]), 0
            while waiting:
                menu = menus[waiting.pop()]
                waiting += menu["children"]
                if menu["action_model"] == "ir.actions.act_window":
                    action = self.env["ir.actions.act_window"].sudo().browse(menu["action_id"])
                    model = self.env[action.res_model].with_user(user)
                    model.get_views([(view, kind) for view, kind in action.views] + [(False, "search")])
                    model.search_read([], limit=1)
                    seen += 1
            self.assertGreaterEqual(seen, 3, user.login)

    def test_a_stock_user_has_no_way_to_the_accounts_settings(self):
        arch = self.env["shipkit.account"].with_user(self.stock).get_view(view_type="form")["arch"]
        self.assertNotIn("setting_ids", arch)
        with self.assertRaises(AccessError):
            self.account.with_user(self.stock).action_check()

    def test_a_warehouse_user_finds_the_label_the_state_and_the_day(self):
        picking = self.shipped().with_user(self.stock)
        self.assertEqual(picking.shipkit_parcel_ids.name, "1Z1")
        self.assertEqual(picking.shipkit_event_ids.place, "Atlanta")
        self.assertEqual(str(picking.shipkit_promised_on), "2026-11-27")
        opened = picking.shipkit_parcel_ids.action_open_label()
        self.assertEqual(opened["url"], f"/web/content/{picking.shipkit_parcel_ids.attachment_id.id}")
        self.assertEqual(picking.action_shipkit_shipments()["res_id"], picking.shipkit_shipment_ids.id)
        with Form(picking) as form:
            self.assertEqual(len(form.shipkit_parcel_ids), 1)
        page = etree.fromstring(picking.get_view(view_type="form")["arch"])
        self.assertTrue(page.xpath("//page[@name='shipkit']//field[@name='shipkit_parcel_ids']"))

    def test_deliveries_are_found_by_their_trouble(self):
        quiet, late, stuck = self.shipped(), self.shipped(late=True), self.shipped()
        stuck.write({"shipkit_problem": "Nobody was at home", "shipkit_actor": "merchant"})
        search = etree.fromstring(self.env["stock.picking"].get_view(view_type="search")["arch"])
        found = {}
        for name in ("shipkit_late", "shipkit_problem", "shipkit_ours"):
            (filtered,) = search.xpath(f"//filter[@name='{name}']")
            domain = [*safe_eval(filtered.get("domain")), ("id", "in", (quiet | late | stuck).ids)]
            found[name] = self.env["stock.picking"].search(domain)
        self.assertEqual(found, {"shipkit_late": late, "shipkit_problem": stuck, "shipkit_ours": stuck})
        self.assertIn(quiet, self.env["stock.picking"].search([("shipkit_late", "=", False)]))

    def test_each_parcel_of_several_has_its_own_tracking_page(self):
        parcel = self.shipped().shipkit_parcel_ids
        self.assertFalse(parcel.link)
        several = '[["1Z1", "https://track.example/1Z1"], ["1Z2", "https://track.example/1Z2"]]'
        self.assertEqual(link_of(several, "1Z2"), "https://track.example/1Z2")
        self.assertFalse(link_of(several, "1Z3"))
        self.assertEqual(link_of("https://track.example/1Z1", "1Z1"), "https://track.example/1Z1")

    def test_the_dashboard_counts_by_state_carrier_and_lateness(self):
        self.shipped(milestone="delivered")
        self.shipped(late=True, milestone="in_transit")
        rows = self.env["shipkit.shipment"].formatted_read_group(
            [("carrier_id", "=", self.carrier.id)], ["milestone", "carrier_id", "late"], ["__count"]
        )
        counted = sorted((row["milestone"], row["late"], row["__count"]) for row in rows)
        self.assertEqual(counted, [("delivered", False, 1), ("in_transit", True, 1)])
