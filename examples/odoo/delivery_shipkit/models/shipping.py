"""Booking, cancelling, tracking links: the provider's side of stock_delivery."""

from __future__ import annotations

from odoo import models


class DeliveryCarrier(models.Model):
    """A shipping method that books."""

    _inherit = "delivery.carrier"

    def shipkit_send_shipping(self, pickings):
        """Book each of *pickings* once under its key."""
        raise NotImplementedError
