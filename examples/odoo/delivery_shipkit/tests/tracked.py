"""A transfer whose parcels are booked at a simulated carrier and followed, as the tests of tracking want it."""

from odoo.tools import html2plaintext

from shipkit import Address, Contact, Package, Party, ShipmentRequest, Weight, WeightUnit

from ..bridge import events_of


def _party(name, line, city, region, code):
    where = Address(lines=(line,), city=city, region=region, postal_code=code, country="US")
    return Party(address=where, contact=Contact(name=name, phone="+1 404 555 0101"))


class Tracked:
    """Mixed into Odoo's test classes beside `Shipkit`."""

    def shipped(self, parcels=1, account=None, service=None, promised_on=None, follow=True):
        """A transfer with a shipment of *parcels*, booked under the transfer's key; followed, or not."""
        account = account or self.account
        picking = self.picking()
        request = ShipmentRequest(
            ship_from=_party("Weber Tools", "12 Peachtree St", "Atlanta", "GA", "30303"),
            ship_to=_party("Ada Lovelace", "350 Fifth Ave", "New York", "NY", "10118"),
            packages=tuple(
                Package(ref=str(number + 1), weight=Weight("2.4", WeightUnit.KG)) for number in range(parcels)
            ),
            service=service or self.SERVICE,
            reference=picking.name,
        )
        key = f"picking-{picking.id}"
        booked = self.client.create_shipment(request, account=account.code, key=key)
        if follow:
            self.client.events.follow_shipment(booked, account=account.code, key=key, request=request)
        numbers = [package.tracking_number.value for package in booked.packages]
        shipment = self.env["shipkit.shipment"].create(
            {
                "name": numbers[0],
                "key": key,
                "picking_id": picking.id,
                "picking_ids": [(6, 0, picking.ids)],
                "company_id": picking.company_id.id,
                "carrier_id": self.carrier.id,
                "account_id": account.id,
                "plugin": account.plugin,
                "promised_on": promised_on,
                "parcel_ids": [(0, 0, {"position": at + 1, "name": name}) for at, name in enumerate(numbers)],
            }
        )
        self.spoken = max(self.env["mail.message"].search([], limit=1, order="id desc").id, 0)
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
