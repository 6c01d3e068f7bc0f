"""The day is closed once, and what the carrier did not accept stays open."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from shipkit import Client
from shipkit.model import ManifestEntry
from shipkit.model.base import evolve

from .common import ShipkitCase
from .handing_over import HandingOver


class ManifestCase(HandingOver, ShipkitCase):
    def prepared(self, shipments=None, **values):
        """The draft that the wizard makes."""
        action = self.wizard("shipkit.manifest.wizard", shipments, **values).action_make()
        return self.env["shipkit.manifest"].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestManifests(ManifestCase):
    PLUGIN = "easypost"
    SERVICE = "usps/Priority"

    def test_what_is_closed_is_manifested_and_its_paper_can_be_printed(self):
        shipments = self.booked_shipment() | self.booked_shipment()
        manifest = self.prepared(shipments)
        manifest.action_close()
        self.assertEqual(manifest.state, "closed")
        self.assertEqual(set(shipments.mapped("state")), {"manifested"})
        self.assertEqual(set(manifest.line_ids.mapped("state")), {"accepted"})
        record = self.simulator.world.manifests()[-1]
        self.assertEqual(record.id, manifest.manifest_ref)
        self.assertTrue(manifest.attachment_ids.raw.startswith(b"%PDF"))
        self.assertIn(str(manifest.attachment_ids.id), manifest.action_print()["url"])
        answer = self.client.can_cancel(key=shipments[0].key, manifested=True)
        self.assertEqual(answer.code, "manifest_unknown")

    def test_closed_again_after_a_rollback_it_is_the_same_manifest(self):
        shipment = self.booked_shipment()
        manifest = self.prepared(shipment)
        before = len(self.simulator.world.manifests())
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            manifest.action_close()
            first = manifest.manifest_ref
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertEqual((manifest.state, shipment.state), ("draft", "confirmed"))
        with self.assertRaises(UserError):
            manifest.action_discard()
        manifest.action_close()
        manifest.action_close()
        self.assertEqual((manifest.state, manifest.manifest_ref), ("closed", first))
        self.assertEqual(len(self.simulator.world.manifests()), before + 1)
        self.assertEqual(len(manifest.attachment_ids), 1)

    def test_what_was_not_accepted_stays_open_with_the_carriers_words(self):
        good, bad = self.booked_shipment(), self.booked_shipment()
        manifest = self.prepared(good | bad)
        close = Client.close_manifest

        def partly(client, request, **options):
            closed = close(client, request, **options)
            refused = ManifestEntry(shipment_id=bad.name, accepted=False, carrier_code="E12", text="wrong depot")
            entries = tuple(refused if entry.shipment_id == bad.name else entry for entry in closed.entries)
            return evolve(closed, entries=entries)

        with patch.object(Client, "close_manifest", partly):
            manifest.action_close()
        self.assertEqual((good.state, good.manifest_id), ("manifested", manifest))
        self.assertEqual((bad.state, bad.manifest_id.id), ("confirmed", False))
        line = manifest.line_ids.filtered(lambda line: line.shipment_id == bad)
        self.assertEqual((line.state, line.code, line.text), ("refused", "E12", "wrong depot"))
        self.assertEqual(manifest.refused_count, 1)
        self.assertIn(bad, self.wizard("shipkit.manifest.wizard", account_id=self.account).shipment_ids)

    def test_what_is_not_known_to_be_closed_is_marked_nowhere(self):
        shipment = self.booked_shipment()
        manifest = self.prepared(shipment)
        self.simulator.add_fault("drop_after_commit", operation="close_manifest")
        with mute_logger("shipkit.client"), self.assertRaisesRegex(UserError, "not known"):
            manifest.action_close()
        self.assertEqual((manifest.state, shipment.state), ("draft", "confirmed"))
        with self.assertRaisesRegex(UserError, "it stays"):
            manifest.action_discard()

    def test_a_shipment_that_became_two_bookings_is_closed_with_both(self):
        shipment = self.booked_shipment(packs=2)
        self.assertEqual(len(set(shipment.parcel_ids.mapped("booking_ref"))), 2)
        manifest = self.prepared(shipment)
        manifest.action_close()
        self.assertEqual((manifest.state, shipment.state), ("closed", "manifested"))
        record = self.simulator.world.manifests()[-1]
        self.assertEqual(set(record.booking_ids), set(shipment.parcel_ids.mapped("booking_ref")))

    def test_a_shipment_is_offered_once(self):
        first, voided = self.booked_shipment(), self.booked_shipment()
        voided.state = "voided"
        manifest = self.prepared(account_id=self.account)
        self.assertEqual(manifest.line_ids.shipment_id, first)
        with self.assertRaises(UserError):
            self.prepared(account_id=self.account)
        manifest.action_discard()
        self.assertEqual(self.prepared(account_id=self.account).line_ids.shipment_id, first)

    def test_what_was_cancelled_since_is_left_out(self):
        kept, cancelled = self.booked_shipment(), self.booked_shipment()
        manifest = self.prepared(kept | cancelled)
        self.client.cancel_shipment(key=cancelled.key)
        cancelled.state = "voided"
        manifest.action_close()
        self.assertEqual((manifest.state, manifest.line_ids.shipment_id), ("closed", kept))


@tagged("post_install", "-at_install")
class TestNoManifests(ManifestCase):
    def test_a_carrier_without_manifests_is_not_offered(self):
        with self.assertRaisesRegex(UserError, "does not offer"):
            self.wizard("shipkit.manifest.wizard", self.booked_shipment())
        with self.assertRaises(ValidationError):
            self.env["shipkit.manifest"].create(
                {"account_id": self.account.id, "address_id": self.warehouse.partner_id.id, "day": fields.Date.today()}
            )
