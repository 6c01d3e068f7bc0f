"""The carrier is asked to come once, whatever Odoo forgets of it."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.handover import end_of, zone_of
from .common import ShipkitCase
from .handing_over import HandingOver


class PickupCase(HandingOver, ShipkitCase):
    def setUp(self):
        super().setUp()
        self.before = {pickup.id for pickup in self.simulator.world.pickups()}

    def ordered(self, shipments, **values):
        """The pickups that the wizard makes of *shipments*."""
        day = fields.Date.today() + timedelta(days=1)
        action = self.wizard("shipkit.pickup.wizard", shipments, **{"day": day, **values}).action_order()
        if action["res_id"]:
            return self.env["shipkit.pickup"].browse(action["res_id"])
        return self.env["shipkit.pickup"].search(action["domain"])

    def at_the_carrier(self):
        """Collections in the carrier's books that were not called off."""
        return [
            pickup
            for pickup in self.simulator.world.pickups()
            if pickup.state == "scheduled" and pickup.id not in self.before
        ]


@tagged("post_install", "-at_install")
class TestPickups(PickupCase):
    def test_the_carriers_confirmation_price_and_window_stand_on_the_pickup(self):
        shipments = self.booked_shipment() | self.booked_shipment()
        pickup = self.ordered(shipments, ready=9.5, close=17.25)
        self.assertEqual((pickup.state, pickup.package_count), ("draft", 2))
        pickup.action_ask()
        self.assertEqual(pickup.state, "confirmed")
        self.assertEqual([record.id for record in self.at_the_carrier()], [pickup.confirmation])
        self.assertEqual((pickup.confirmed_ready, pickup.confirmed_close), (9.5, 17.25))
        self.assertGreater(pickup.price, 0)
        self.assertEqual(pickup.currency_id.name, "USD")
        self.assertIn(pickup.confirmation, pickup.message_ids[0].body + pickup.message_ids[1].body)

    def test_asked_again_after_a_rollback_it_is_the_same_confirmation(self):
        pickup = self.ordered(self.booked_shipment())
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            pickup.action_ask()
            first = pickup.confirmation
            raise ZeroDivisionError
        pickup.invalidate_recordset()
        self.assertEqual((pickup.state, pickup.confirmation), ("draft", False))
        pickup.action_ask()
        self.assertEqual((pickup.state, pickup.confirmation), ("confirmed", first))
        self.assertEqual(len(self.at_the_carrier()), 1)

    def test_a_lost_answer_is_no_second_pickup(self):
        pickup = self.ordered(self.booked_shipment())
        self.simulator.add_fault("drop_after_commit", operation="book_pickup")
        for _ in range(2):
            with mute_logger("shipkit.client"), self.assertRaises(UserError):
                pickup.action_ask()
        self.assertEqual(len(self.at_the_carrier()), 1)
        self.assertEqual(pickup.state, "draft")

    def test_other_data_after_a_lost_attempt_is_refused_and_can_be_called_off(self):
        pickup = self.ordered(self.booked_shipment())
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            pickup.action_ask()
            raise ZeroDivisionError
        pickup.invalidate_recordset()
        pickup.close = 20.0
        with self.assertRaisesRegex(UserError, "Call it off"):
            pickup.action_ask()
        with self.assertRaisesRegex(UserError, "call it off"):
            pickup.unlink()
        pickup.action_call_off()
        self.assertEqual((pickup.state, self.at_the_carrier()), ("cancelled", []))

    def test_it_is_called_off_once_and_its_shipments_can_be_ordered_again(self):
        shipment = self.booked_shipment()
        pickup = self.ordered(shipment)
        pickup.action_ask()
        pickup.action_call_off()
        pickup.action_call_off()
        self.assertEqual((pickup.state, self.at_the_carrier()), ("cancelled", []))
        again = self.ordered(shipment)
        self.assertEqual(shipment.pickup_id, again)

    def test_a_draft_that_nobody_asked_for_just_ends(self):
        pickup = self.ordered(self.booked_shipment())
        before = len(self.simulator.requests())
        pickup.action_call_off()
        self.assertEqual((pickup.state, len(self.simulator.requests())), ("cancelled", before))

    def test_the_wizard_has_what_stands_there_and_nothing_else(self):
        open_, voided, gone, other = (self.booked_shipment() for _ in range(4))
        voided.state, gone.milestone = "voided", "in_transit"
        elsewhere = self.env["res.partner"].create({"name": "Elsewhere"})
        warehouse = self.env["stock.warehouse"].create({"name": "W2", "code": "W2", "partner_id": elsewhere.id})
        other.picking_id = other.picking_id.copy({"picking_type_id": warehouse.out_type_id.id})
        wizard = self.wizard("shipkit.pickup.wizard", account_id=self.account)
        self.assertEqual(wizard.shipment_ids, open_)

    def test_shipments_can_be_added_before_and_after_the_carrier_was_asked(self):
        pickup = self.ordered(self.booked_shipment())
        more = self.wizard("shipkit.pickup.wizard", self.booked_shipment(), pickup=pickup)
        more.action_order()
        self.assertEqual(pickup.package_count, 2)
        pickup.action_ask()
        late = self.booked_shipment()
        self.wizard("shipkit.pickup.wizard", late, pickup=pickup).action_order()
        self.assertEqual((len(pickup.shipment_ids), pickup.package_count), (3, 2))
        self.assertIn("told of 2 packages", pickup.message_ids[0].body)

    def test_the_carriers_refusal_is_told_and_the_pickup_stays_a_draft(self):
        pickup = self.ordered(self.booked_shipment(), day=fields.Date.today() - timedelta(days=9))
        with self.assertRaisesRegex(UserError, "not valid"):
            pickup.action_ask()
        self.assertEqual(pickup.state, "draft")
        self.assertFalse(self.at_the_carrier())

    def test_of_several_one_refusal_takes_nothing_from_the_others(self):
        good = self.ordered(self.booked_shipment())
        bad = self.ordered(self.booked_shipment(), day=fields.Date.today() - timedelta(days=9))
        (bad | good).action_ask()
        self.assertEqual((good.state, bad.state), ("confirmed", "draft"))
        self.assertIn("not valid", bad.message_ids[0].body)

    def test_a_warehouse_user_can_do_it(self):
        user = self.env["res.users"].create(
            {
                "name": "Packer",
                "login": "packer",
                "group_ids": [(6, 0, [self.env.ref("stock.group_stock_user").id])],
            }
        )
        shipment = self.booked_shipment()
        self.env = self.env(user=user)
        pickup = self.ordered(shipment.with_env(self.env))
        pickup.action_ask()
        self.assertEqual(pickup.state, "confirmed")
        pickup.action_call_off()
        self.assertEqual(pickup.state, "cancelled")

    def test_hours_are_those_of_the_address(self):
        paris = self.env["res.partner"].create(
            {"name": "Dépôt", "country_id": self.env.ref("base.fr").id, "zip": "75011", "tz": "America/Lima"}
        )
        self.assertEqual(zone_of(paris), "Europe/Paris")
        self.warehouse.partner_id.tz = "America/New_York"  # the country has several
        self.assertEqual(zone_of(self.warehouse.partner_id), "America/New_York")
        day = fields.Date.to_date("2026-11-24")
        self.assertEqual(str(end_of(day, "America/New_York")), "2026-11-25 05:00:00")


@tagged("post_install", "-at_install")
class TestPickupsWithoutCallingOff(PickupCase):
    PLUGIN = "dpd_fr"

    def test_a_carrier_that_takes_no_calling_off_here_says_so(self):
        pickup = self.env["shipkit.pickup"].create(
            {
                "account_id": self.account.id,
                "address_id": self.warehouse.partner_id.id,
                "day": fields.Date.today(),
            }
        )
        self.assertFalse(pickup.can_be_called_off)
        self.assertTrue(pickup.note)


@tagged("post_install", "-at_install")
class TestNoPickups(PickupCase):
    PLUGIN = "mondialrelay"
    SERVICE = "24R"

    def test_a_carrier_without_pickups_is_not_offered(self):
        wizard = self.env["shipkit.pickup.wizard"].create(
            {"address_id": self.warehouse.partner_id.id, "account_id": self.account.id}
        )
        self.assertNotIn(self.account, wizard.allowed_account_ids)
        with self.assertRaises(ValidationError):
            self.env["shipkit.pickup"].create(
                {
                    "account_id": self.account.id,
                    "address_id": self.warehouse.partner_id.id,
                    "day": fields.Date.today(),
                }
            )


@tagged("post_install", "-at_install")
class TestPickupsByShipment(PickupCase):
    PLUGIN = "easypost"
    SERVICE = "usps/Priority"

    def test_where_the_carrier_collects_by_shipment_each_has_a_pickup(self):
        pickups = self.ordered(self.booked_shipment() | self.booked_shipment())
        self.assertEqual(len(pickups), 2)
        pickups.action_ask()
        self.assertEqual(set(pickups.mapped("state")), {"confirmed"})
        self.assertEqual(len(self.at_the_carrier()), 2)
