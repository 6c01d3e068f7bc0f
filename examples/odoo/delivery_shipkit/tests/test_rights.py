"""What people may do by RPC, which no view stands before: every button asks for itself."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_shipping import Shipping


@tagged("post_install", "-at_install")
class TestRights(Shipping):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(cls.env, "shipkit-portal", "base.group_portal")
        cls.manager = new_test_user(cls.env, "shipkit-boss", "stock.group_stock_manager")
        # As shops have it, where customers choose a method.
        cls.env["ir.model.access"].create(
            {
                "name": "methods on the website",
                "model_id": cls.env["ir.model"]._get_id("delivery.carrier"),
                "group_id": cls.env.ref("base.group_portal").id,
                "perm_read": True,
            }
        )

    def test_a_customer_who_reads_a_transfer_neither_ships_it_nor_cancels_it(self):
        picking = self.picking(partner=self.portal.partner_id)
        self.portal.partner_id.write(
            {name: self.customer[name] for name in ("street", "city", "zip", "phone")}
            | {"state_id": self.customer.state_id.id, "country_id": self.customer.country_id.id}
        )
        theirs = picking.with_user(self.portal)
        theirs.read(["name"])
        for attempt in (theirs.send_to_shipper, theirs.print_return_label, theirs.action_shipkit_bought):
            with self.assertRaises(AccessError):
                attempt()
        self.assertFalse(self.asked())
        picking.button_validate()
        self.assertEqual(len(self.booked()), 1)
        with self.assertRaises(AccessError):
            theirs.cancel_shipment()
        self.assertEqual(len(self.booked()), 1)

    def test_lists_that_are_read_anew_are_not_for_strangers(self):
        for model, method in (("shipkit.inbox", "action_open"), ("shipkit.plugin", "action_look")):
            with self.assertRaises(AccessError):
                getattr(self.env[model].with_user(self.portal), method)()

    def test_nobody_says_which_booking_a_row_is_about(self):
        picking = self.picking()
        picking.button_validate()
        shipment = picking.shipkit_shipment_ids
        for attempt in (
            lambda: shipment.with_user(self.manager).write({"key": "picking-1"}),
            lambda: shipment.parcel_ids.with_user(self.manager).write({"shipment_id": shipment.id}),
            lambda: (
                self.env["shipkit.shipment"]
                .with_user(self.manager)
                .create({"name": "x", "key": "picking-1", "company_id": self.env.company.id})
            ),
        ):
            with self.assertRaises(AccessError):
                attempt()
        row = self.env["shipkit.operation"].create({"name": "picking-1", "kind": "unused"}).with_user(self.manager)
        row.write({"found_ref": "1Z", "found_tracking": "1Z"})
        for name, value in (("name", "picking-2"), ("generation", 7), ("picking_ref", 2), ("kind", "needs_person")):
            with self.assertRaises(AccessError):
                row.write({name: value})

    def test_nothing_is_collected_on_another_companys_account(self):
        other = self.env["res.company"].create({"name": "Another"})
        account = self.account.copy({"company_id": other.id})
        values = {"address_id": self.warehouse.partner_id.id, "day": "2030-01-07"}
        clerk = new_test_user(self.env, "shipkit-clerk", "stock.group_stock_user")
        clerk.company_ids |= other
        clerk = clerk.with_context(allowed_company_ids=(self.env.company | other).ids)
        pickups = clerk.env["shipkit.pickup"].with_user(clerk)
        pickups.create({**values, "account_id": self.account.id})
        with self.assertRaises(UserError):
            pickups.create({**values, "account_id": account.id})

    def test_a_tracking_page_is_a_page(self):
        self.patch(type(self.carrier), "_shipkit_facts", lambda _self: None)
        for template, page in (
            ("javascript:alert(1)//<shipmenttrackingnumber>", ""),
            (" JavaScript:alert(1)", ""),
            ("data:text/html,<shipmenttrackingnumber>", ""),
            ("https://example.com/<shipmenttrackingnumber>", "https://example.com/1%2F2"),
        ):
            self.carrier.tracking_url = template
            with self.subTest(template):
                self.assertEqual(self.carrier._shipkit_page("1/2"), page)

    def test_what_a_carrier_says_is_text_and_no_page(self):
        picking = self.picking()
        picking.button_validate()
        shipment = picking.shipkit_shipment_ids
        shipment._post(picking, '<img src=x onerror="alert(1)">\n<b>bold</b>')
        body = picking.message_ids[0].body
        self.assertNotIn("<img", body)
        self.assertNotIn("<b>", body)
