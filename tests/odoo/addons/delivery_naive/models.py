"""What core's interface suggests, and what providers do: ask the carrier inside the business transaction.

The same carrier, the same requests, and the same check that providers have ("a tracking ref is already there", which
is core's); but no ledger: every call is a new purchase.
"""

from __future__ import annotations

import uuid

from odoo import fields, models
from odoo.addons.delivery_shipkit.bridge import client_of
from odoo.exceptions import UserError

from shipkit import Client
from shipkit.errors import CarrierError


class DeliveryCarrier(models.Model):
    """A shipping method of the naive provider."""

    _inherit = "delivery.carrier"

    delivery_type = fields.Selection(selection_add=[("naive", "naive")], ondelete={"naive": "set default"})

    def naive_send_shipping(self, pickings):
        """A refusal is a `UserError`, as in every provider; what the transport raises goes through, as in most."""
        alias = self._shipkit_alias()
        sent = []
        with Client({alias: client_of(self.env).accounts[alias]}) as client:
            for picking in pickings:
                request = self._shipkit_request(picking)
                try:
                    shipment = client.create_shipment(request, account=alias, key=uuid.uuid4().hex)
                except CarrierError as error:
                    raise UserError(str(error)) from error
                label = shipment.documents[0]
                number = shipment.tracking_numbers[0].value
                picking.message_post(body=number, attachments=[(f"LabelShipping-naive-{number}.gif", label.content)])
                sent.append({"exact_price": 0.0, "tracking_number": number})
        return sent

    def naive_cancel_shipment(self, pickings):
        """Every number that the pickings hold, as providers do: a carrier's refusal of a second time is passed over."""
        alias = self._shipkit_alias()
        for picking in pickings:
            self._naive_void(alias, picking.carrier_tracking_ref)

    def _naive_void(self, alias, number):
        """The carrier's own call, by number, without a ledger that knows what was asked before."""
        import httpx

        carrier = client_of(self.env).accounts[alias]
        with httpx.Client(base_url=carrier.base_url, trust_env=False) as http:
            token = http.post(
                "/security/v1/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(carrier.client_id, carrier.client_secret),
            ).json()["access_token"]
            http.delete(
                f"/shipments/v2409/void/cancel/{number or 'none'}",
                headers={"Authorization": f"Bearer {token}", "transId": "naive", "transactionSrc": "naive"},
            )
