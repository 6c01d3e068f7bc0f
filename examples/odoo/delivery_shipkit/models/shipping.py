"""Booking, cancelling, tracking links: the provider's side of stock_delivery."""

from __future__ import annotations

from odoo import models

from shipkit import ShipmentRequest

from ..bridge import client_of, in_odoos_words
from ..compat import contents_of, packages_of_picking, party_of

DEADLINE_S = 30


class DeliveryCarrier(models.Model):
    """A shipping method that books."""

    _inherit = "delivery.carrier"

    def shipkit_send_shipping(self, pickings):
        """Book each of *pickings* once under its key."""
        self._shipkit_check()
        with in_odoos_words(self.env):
            return [self._shipkit_send(picking) for picking in pickings]

    def _shipkit_send(self, picking):
        contents = contents_of(picking, self._shipkit_package_type())
        booked = self._shipkit_book(picking, self._shipkit_request(picking, contents))
        shipment = self.env["shipkit.shipment"].sudo()._take(self, picking, contents, booked)
        return {"exact_price": shipment._price_for(picking), "tracking_number": shipment._tracking_ref()}

    def _shipkit_book(self, picking, request):
        """The booking of *picking*: made now, or the one that was made before."""
        return client_of(self.env).create_shipment(
            request, account=self._shipkit_alias(), key=self._shipkit_key(picking), deadline_s=DEADLINE_S
        )

    def _shipkit_key(self, picking):
        """The intent in the ledger: the same on every try, and nobody else's."""
        return f"picking-{picking.id}"

    def _shipkit_request(self, picking, contents=None):
        """What is asked of the carrier; the same on every try."""
        contents = contents if contents is not None else contents_of(picking, self._shipkit_package_type())
        sender, receiver = self._shipkit_ends(picking)
        packages = packages_of_picking(picking, contents)
        return ShipmentRequest(
            ship_from=party_of(sender, what=self.env._("The warehouse's address")),
            ship_to=party_of(receiver, what=self.env._("The delivery address")),
            packages=packages,
            service=self._shipkit_service(picking),
            reference=picking.name,
            references=self._shipkit_references(picking),
            options=self._shipkit_options(picking, packages),
            customs=self._shipkit_customs(picking, packages),
            service_point=self._shipkit_service_point(picking),
            label=self._shipkit_label(),
            description=self._shipkit_description(picking),
            instructions=self._shipkit_instructions(picking),
            carrier_options=self._shipkit_carrier_options(),
        )

    def _shipkit_package_type(self):
        """What goods travel in that nobody packed."""
        return self.shipkit_packaging_id or self.env["stock.package.type"]

    def shipkit_cancel_shipment(self, pickings):
        """Undo what *pickings* were sent by, each booking once: core comes by once for each of them, with all."""
        shipments = pickings.sudo().shipkit_shipment_ids.filtered(
            lambda one: one.kind == "outbound" and one.state not in ("voided", "voiding")
        )
        with in_odoos_words(self.env):
            for shipment in shipments:
                client_of(self.env).cancel_shipment(key=shipment.key, deadline_s=DEADLINE_S)
                shipment.state = "voided"
