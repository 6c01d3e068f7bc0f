"""Customers choose the carrier's points in core's own selector, and the parcel goes there in their name."""

import json
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import Shipkit, ShipkitCase


class Points:
    """A method of Mondial Relay's, whose service 24R goes to points only."""

    PLUGIN = "mondialrelay"
    SERVICE = "24R"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        address = {"state_id": False, "country_id": cls.env.ref("base.fr").id}
        cls.warehouse.partner_id.write({**address, "street": "1 rue de Lille", "city": "Lille", "zip": "59000"})
        cls.customer.write({**address, "street": "2 rue de Rivoli", "city": "Paris", "zip": "75001"})

    def order(self, **values):
        order = super().order(**values)
        order.carrier_id = self.carrier
        return order


@tagged("post_install", "-at_install")
class TestPoints(Points, ShipkitCase):
    def test_a_service_to_points_only_lets_customers_choose_one(self):
        self.assertTrue(self.carrier.shipkit_use_locations)
        self.assertFalse(self.carrier_by(self.account, "HOM").shipkit_use_locations)
        self.carrier.shipkit_service_code = "HOM"
        self.assertFalse(self.carrier.shipkit_use_locations)

    def test_points_come_in_the_shape_that_cores_selector_reads(self):
        found = self.order()._get_pickup_locations()
        self.assertNotIn("error", found)
        for point in found["pickup_locations"]:
            for name in ("id", "name", "street", "city", "zip_code", "country_code", "latitude", "longitude"):
                self.assertIsInstance(point[name], str)
                self.assertTrue(point[name], name)
            float(point["latitude"])
        hours = found["pickup_locations"][0]["opening_hours"]
        self.assertEqual(list(hours), ["0", "1", "2", "3", "4", "5", "6"])
        self.assertRegex(hours["0"][0], r"^\d\d:\d\d - \d\d:\d\d$")

    def test_what_goes_wrong_is_said_in_the_selector(self):
        self.simulator.add_fault("503", operation="WSI4_PointRelais_Recherche", times=9)
        self.addCleanup(self.simulator._engine.faults.clear)
        with mute_logger("shipkit.client"):
            self.assertTrue(self.order()._get_pickup_locations()["error"])
        order = self.order()
        order.partner_shipping_id.write({"zip": False, "city": False})
        self.assertIn("postal code", order._get_pickup_locations()["error"])
        with patch.object(type(self.carrier), "_shipkit_class", lambda self: None):
            self.assertIn("not installed", self.order()._get_pickup_locations()["error"])

    def test_a_parcel_without_a_chosen_point_is_refused(self):
        with self.assertRaises(UserError):
            self.carrier._shipkit_service_point(self.picking())

    def test_points_of_another_carrier_come_the_same_way(self):
        method = self.carrier_by(self.account_at("ups", self.simulated("ups")), "03")
        method.shipkit_use_locations = True
        order = self.order()
        order.carrier_id = method
        found = order._get_pickup_locations()
        self.assertTrue(found.get("pickup_locations"), found)


@tagged("post_install", "-at_install")
class TestPointsOverHttp(Points, Shipkit, HttpCase):
    def test_a_point_that_is_chosen_through_cores_routes_is_where_the_parcel_goes(self):
        order = self.order()
        self.authenticate("admin", "admin")
        found = self.make_jsonrpc_request("/delivery/get_pickup_locations", {"order_id": order.id, "zip_code": "75001"})
        point = found["pickup_locations"][1]
        self.make_jsonrpc_request(
            "/delivery/set_pickup_location", {"order_id": order.id, "pickup_location_data": json.dumps(point)}
        )
        self.assertEqual(order.pickup_location_data["id"], point["id"])
        order.action_confirm()
        picking = order.picking_ids
        self.assertTrue(picking.partner_id.is_pickup_location)
        ref = self.carrier._shipkit_service_point(picking)
        self.assertEqual((ref.id, ref.country, ref.name), (point["id"], "FR", point["name"]))
        self.assertEqual(self.carrier._shipkit_ends(picking)[1], self.customer)
        request = self.carrier._shipkit_request(picking)
        self.client.create_shipment(request, account=self.account.code, key=f"test-points-{picking.id}")
        self.assertEqual(len(self.booked()), 1)
