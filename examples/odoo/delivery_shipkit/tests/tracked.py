"""A transfer whose parcels are booked at a simulated carrier and followed, as the tests of tracking want it."""

from odoo.tools import html2plaintext

from ..bridge import events_of


class Tracked:
    """Mixed into Odoo's test classes beside `Shipkit`."""

    def shipped(self, parcels=1, carrier=None, promised_on=None, follow=True):
        """A transfer that was validated, in *parcels* packages, and its shipment; followed, or not yet."""
        picking = self.picking(quantity=parcels, carrier=carrier, packs=parcels if parcels > 1 else 0)
        picking.button_validate()
        shipment = picking.shipkit_shipment_ids
        self.assertEqual((picking.state, len(shipment.parcel_ids)), ("done", parcels))
        shipment.promised_on = promised_on
        if follow:
            self.client.events.follow_booked()
        self.spoken = self.env["mail.message"].search([], limit=1, order="id desc").id
        return picking, shipment

    def run_job(self, name):
        """Run a scheduled action as Odoo does, in the test's transaction."""
        cron = self.env.ref(f"delivery_shipkit.{name}")
        if self.registry_in_test_mode():
            cron.method_direct_trigger()
        else:
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.env.invalidate_all()

    def registry_in_test_mode(self):
        return bool(getattr(self, "registry_test_mode", False))

    def lines(self, picking):
        """What was written into the chatter since it was booked, oldest first."""
        robot = self.env.ref("base.partner_root")
        messages = picking.message_ids.filtered(lambda one: one.author_id == robot and one.id > self.spoken)
        return [str(one.body) for one in messages.sorted("id") if html2plaintext(one.body or "").strip()]

    def events_store(self):
        return events_of(self.env)
