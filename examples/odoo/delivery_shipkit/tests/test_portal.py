"""What customers see of their parcels, and where they find the label of a return."""

from odoo.tests import HttpCase, tagged

from .common import Shipkit
from .handing_over import HandingOver


@tagged("post_install", "-at_install")
class TestPortal(HandingOver, Shipkit, HttpCase):
    def setUp(self):
        super().setUp()
        self.carrier.write({"return_label_on_delivery": True, "get_return_label_from_portal": True})
        self.sale = self.order()
        self.sale.carrier_id = self.carrier
        self.sale.action_confirm()
        self.delivery = self.sale.picking_ids
        self.delivery.button_validate()
        self.shipments = self.delivery.shipkit_shipment_ids
        self.out = self.shipments.filtered(lambda shipment: shipment.kind == "outbound")

    def page(self):
        """The order as the customer's browser gets it, without being logged in."""
        response = self.url_open(self.sale.get_portal_url())
        self.assertEqual(response.status_code, 200)
        return response.text

    def test_the_label_of_the_return_is_downloaded_with_cores_token(self):
        label = self.delivery.return_label_ids
        self.assertTrue(label.access_token)
        link = f"/web/content/{label.id}?access_token={label.access_token}"
        self.assertIn(link, self.page())
        response = self.url_open(link)
        self.assertEqual((response.status_code, response.content), (200, label.raw))
        self.assertNotEqual(self.url_open(f"/web/content/{label.id}?access_token=wrong").content, label.raw)

    def test_no_label_is_offered_where_the_method_does_not_say_so(self):
        self.carrier.get_return_label_from_portal = False
        self.assertNotIn("Print Return Label", self.page())

    def test_the_page_tells_where_each_parcel_is(self):
        self.out.parcel_ids.milestone = "out_for_delivery"
        page = self.page()
        self.assertIn("Out for delivery", page)
        self.assertIn(self.out.parcel_ids.name, page)
        self.assertIn(self.out.parcel_ids.link, page)

    def test_the_page_tells_nothing_that_is_not_the_customers(self):
        self.out.parcel_ids.write({"problem": "driver was bitten", "signed_by": "Mr Neighbour"})
        self.out.problem = "driver was bitten"
        page = self.page()
        self.assertNotIn("bitten", page)
        self.assertNotIn("Neighbour", page)

    def test_a_cancelled_parcel_is_not_shown(self):
        number = self.out.parcel_ids.name
        self.delivery.cancel_shipment()
        self.assertNotIn(number, self.page())
        self.assertNotIn("Print Return Label", self.page())

    def test_a_return_shows_its_own_label(self):
        wizard = self.env["stock.return.picking"].create({"picking_id": self.delivery.id})
        wizard.product_return_moves.quantity = 1
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.print_return_label()
        label = back.return_label_ids
        self.assertIn(f"/web/content/{label.id}?access_token={label.access_token}", self.page())
