"""What goes wrong between the carrier and Odoo's transaction, seen from the other side: nothing wrong is shown."""

from unittest.mock import patch

from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from shipkit.errors import InProgressError

from .. import bridge, compat
from .recovering import RecoveringCase


@tagged("post_install", "-at_install")
class TestUndone(RecoveringCase):
    """The carrier cancelled, and Odoo's transaction was undone."""

    def cancelled_and_undone(self):
        picking = self.picking()
        picking.button_validate()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            picking.cancel_shipment()
            raise ZeroDivisionError
        self.assertFalse(self.booked())
        self.assertTrue(picking.carrier_tracking_ref, "the transfer shows what is cancelled")
        return picking

    def test_a_cancel_whose_transaction_was_undone_is_noticed(self):
        picking = self.cancelled_and_undone()
        self.wait(600)
        self.recover()
        self.assertFalse(picking.carrier_tracking_ref)
        self.assertEqual(picking.shipkit_shipment_ids.state, "voided")
        self.assertEqual(picking.carrier_price, 0)
        self.assertIn("cancelled", self.words(picking))

    def test_a_cancel_that_may_still_be_committed_is_left_to_its_user(self):
        picking = self.cancelled_and_undone()
        self.wait(10)
        self.recover()
        self.assertEqual(picking.shipkit_shipment_ids.state, "confirmed")

    def test_a_label_that_is_bought_anew_ends_the_one_before(self):
        picking = self.cancelled_and_undone()
        old = picking.carrier_tracking_ref
        picking.send_to_shipper()
        (booking,) = self.booked()
        self.assertNotEqual(booking.numbers[0], old)
        self.assertEqual(picking.carrier_tracking_ref, booking.numbers[0])
        self.assertEqual(picking.shipkit_shipment_ids.sorted("id").mapped("state"), ["voided", "confirmed"])
        self.assertEqual(len(self.labels(picking)), 1)
        self.assertGreater(picking.carrier_price, 0)

    def test_a_way_back_that_is_bought_anew_ends_the_one_before(self):
        picking = self.picking()
        picking.button_validate()
        self.carrier.shipkit_get_return_label(picking)
        back = picking._shipkit_ways_back()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            back.action_void_return()
            raise ZeroDivisionError
        self.wait(600)
        self.recover()
        self.assertEqual(back.state, "voided")
        self.assertFalse(picking.return_label_ids)
        self.assertTrue(picking.carrier_tracking_ref)


@tagged("post_install", "-at_install")
class TestAnotherWay(RecoveringCase):
    """Somebody chose another shipping method while a booking was on its way."""

    def other(self):
        """A method of another account, and where it goes."""
        simulator = self.simulated("easypost")
        return self.carrier_by(self.account_at("easypost", simulator), "usps/Priority"), simulator

    def fixed(self):
        product = self.env["product.product"].create({"name": "Our van", "type": "service"})
        return self.env["delivery.carrier"].create(
            {"name": "Our van", "delivery_type": "fixed", "fixed_price": 7, "product_id": product.id}
        )

    def test_a_label_that_is_attached_stays_with_the_account_where_it_was_bought(self):
        picking = self.picking()
        self.roll_back(picking)
        other, simulator = self.other()
        picking.carrier_id = other
        with self.assertRaises(UserError), self.env.cr.savepoint():
            picking.send_to_shipper()
        self.assertFalse(simulator.bookings())

        self.env["shipkit.conflict"].browse(picking.action_shipkit_bought()["res_id"]).action_attach()

        self.assertEqual(picking.carrier_id, self.carrier)
        self.assertEqual(picking.shipkit_shipment_ids.account_id, self.account)
        self.assertIn("ups.com", picking.carrier_tracking_url)

    def test_what_went_by_another_provider_meanwhile_gets_no_second_number(self):
        picking = self.picking()
        self.send_lost(picking)
        picking.carrier_id = self.fixed()
        picking.button_validate()
        picking.carrier_tracking_ref = "VAN-1"
        price = picking.carrier_price

        self.wait(30)
        self.recover()
        self.assertEqual((picking.carrier_tracking_ref, picking.carrier_price), ("VAN-1", price))
        self.wait(2000)
        self.recover()
        self.assertEqual(self.operations(picking).kind, "unused", "somebody has it voided")

    def test_a_number_that_somebody_saw_at_the_carrier_and_typed_is_this_label(self):
        picking = self.picking()
        self.send_lost(picking)
        (booking,) = self.booked()
        picking.carrier_tracking_ref = booking.numbers[0]
        self.wait(30)
        self.recover()
        self.assertEqual(picking.carrier_tracking_ref, booking.numbers[0])
        self.assertEqual(len(self.labels(picking)), 1)

    def test_a_label_without_any_method_to_attach_it_by_is_not_lost(self):
        picking = self.picking()
        self.roll_back(picking)
        picking.carrier_id = self.fixed()
        self.carrier.active = False
        self.wait(1900)
        self.recover()
        row = self.operations(picking)
        self.assertEqual(row.kind, "unused")
        row.action_attach()
        self.assertEqual(len(picking.shipkit_shipment_ids), 1)
        self.assertEqual(len(self.labels(picking)), 1)

    def test_a_label_whose_method_is_gone_stays_with_a_person(self):
        picking = self.picking()
        self.roll_back(picking)
        picking.carrier_id = self.fixed()
        self.carrier.unlink()
        self.wait(1900)
        self.recover()
        row = self.operations(picking)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            row.action_attach()
        self.assertEqual(row.state, "open")
        row.action_void()
        self.assertFalse(self.booked())


@tagged("post_install", "-at_install")
class TestAccountAtRest(RecoveringCase):
    """An account that is archived takes nothing new; what was booked through it is still ended."""

    def test_a_label_is_cancelled_through_an_archived_account(self):
        picking = self.picking()
        picking.button_validate()
        self.account.active = False
        picking.cancel_shipment()
        self.assertFalse(self.booked())
        self.assertFalse(picking.carrier_tracking_ref)

    def test_a_doubt_is_ended_through_an_archived_account(self):
        picking = self.picking()
        self.send_lost(picking)
        self.account.active = False
        self.wait(30)
        self.recover()
        self.assertTrue(picking.carrier_tracking_ref)

    def test_nothing_new_is_booked_through_it(self):
        picking = self.picking()
        self.account.active = False
        with self.assertRaisesRegex(UserError, "archived"), self.env.cr.savepoint():
            picking.send_to_shipper()
        self.assertFalse(self.booked())

    def test_a_doubt_of_a_carrier_that_is_gone_stops_no_other(self):
        lost, other = self.picking(), self.picking()
        simulator = self.simulated("easypost")
        account = self.account_at("easypost", simulator)
        lost.carrier_id = self.carrier_by(account, "usps/Priority")
        simulator.add_fault("drop_after_commit", operation="create_shipment", times=1)
        held = simulator.add_fault("500", operation="find_shipments", times=None)
        with self.assertRaises(UserError):
            lost.send_to_shipper()
        simulator.faults.remove(held)
        self.send_lost(other)
        self.env.flush_all()
        self.env.cr.execute("UPDATE shipkit_account SET plugin = 'gone' WHERE id = %s", [account.id])
        self.env.invalidate_all()
        self.wait(30)
        with mute_logger("odoo.addons.delivery_shipkit.models.recovery"):
            self.recover()
        self.assertTrue(other.carrier_tracking_ref)
        self.assertEqual(self.operations(lost).kind, "in_doubt")


@tagged("post_install", "-at_install")
class TestOdd(RecoveringCase):
    """Values that nobody means."""

    def test_a_weight_that_is_no_number_is_refused_in_words(self):
        for weight in (float("nan"), 1e30, float("inf"), -2.0):
            with self.subTest(weight=weight), self.assertRaises(UserError):
                compat._package(self.env, "1", compat.exact(weight), self.env["stock.package.type"], "P1")

    def test_a_tax_number_of_letters_is_of_its_own_country(self):
        for country, number, issuer in (
            ("base.mx", "GODE561231GR8", "MX"),
            ("base.be", "BE0477472701", "BE"),
            ("base.gr", "EL123456783", "GR"),
            ("base.fr", "DE136695976", "DE"),
            ("base.uk", "XI123456789", "GB"),
        ):
            partner = (
                self.env["res.partner"]
                .with_context(no_vat_validation=True)
                .create({"name": "Acme", "vat": number, "country_id": self.env.ref(country).id})
            )
            (tax_id,) = compat._tax_ids_of(partner)
            self.assertEqual(tax_id.issuer, issuer)

    def test_a_database_that_became_another_one_has_keys_of_its_own(self):
        before = self.client
        self.env["ir.config_parameter"].set_param("database.uuid", "11111111-2222-3333-4444-555555555555")
        self.assertIsNot(self.client, before)
        self.assertTrue(self.client.settings.namespace.startswith("1111"))

    def test_whoever_waits_for_another_worker_in_vain_is_told_in_words(self):
        def busy():
            with bridge.in_odoos_words(self.env):
                raise InProgressError("another worker holds picking-1", key="picking-1", generation=1, retry_after_s=1)

        for _ in range(4):
            with self.assertRaises(ConcurrencyError):
                busy()
        with self.assertRaisesRegex(UserError, "somebody else"):
            busy()
        with self.assertRaises(ConcurrencyError):
            busy()

    def test_a_failure_after_the_purchase_leaves_the_label_to_the_next_try(self):
        picking = self.picking()
        cls = type(self.env["shipkit.shipment"])
        full = patch.object(cls, "_attach", lambda *_: (_ for _ in ()).throw(UserError("no room left")))
        with full, self.assertRaises(UserError), self.env.cr.savepoint():
            picking.send_to_shipper()
        self.assertEqual(len(self.booked()), 1)
        self.assertFalse(picking.shipkit_shipment_ids)
        picking.send_to_shipper()
        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(len(self.labels(picking)), 1)
