"""The addon is there, and its tables beside Odoo's."""

from odoo.tests import tagged

from shipkit import Address, Contact, Package, Party, ShipmentRequest, Weight, WeightUnit

from .common import Egress, ShipkitCase


@tagged("post_install", "-at_install")
class TestInstall(ShipkitCase):
    def test_the_provider_offers_the_installed_plugins(self):
        self.assertIn("ups", dict(self.env["shipkit.account"]._plugins()))

    def test_a_client_of_the_database_books_once(self):
        def party(name, line, city, region, code):
            where = Address(lines=(line,), city=city, region=region, postal_code=code, country="US")
            return Party(address=where, contact=Contact(name=name, phone="+1 404 555 0101"))

        request = ShipmentRequest(
            ship_from=party("Weber Tools", "12 Peachtree St", "Atlanta", "GA", "30303"),
            ship_to=party("Ada Lovelace", "350 Fifth Ave", "New York", "NY", "10118"),
            packages=(Package(ref="1", weight=Weight("2.4", WeightUnit.KG)),),
            service="03",
            reference="OUT-1",
        )
        for _ in range(2):
            shipment = self.client.create_shipment(request, account=self.account.code, key="test-install")
        self.assertTrue(shipment.documents[0].content)
        self.assertEqual(len(self.booked()), 1)
        self.env.cr.execute("SELECT count(*) FROM shipkit.shipkit_ledger")
        picking = self.picking(packs=2)
        self.assertEqual(len(picking.move_line_ids.result_package_id), 2)

    def test_nothing_leaves_the_machine(self):
        import httpx

        with self.assertRaises(Egress):
            httpx.get("http://192.0.2.1/", timeout=1)
