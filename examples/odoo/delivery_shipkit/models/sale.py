"""Orders: what was quoted for them, and what the driver should know."""

from __future__ import annotations

from odoo import fields, models


class SaleOrder(models.Model):
    """An order with a way of shipping."""

    _inherit = "sale.order"

    shipkit_service_code = fields.Char(
        string="Quoted service", copy=False, readonly=True, help="What is booked where the method takes the cheapest."
    )
    shipkit_expected_on = fields.Date(
        string="Carrier's estimate", copy=False, readonly=True, help="The day that was named with the price."
    )
    shipkit_instructions = fields.Char(string="For the driver", help="Given to the carrier with the parcel.")

    def set_delivery_line(self, carrier, amount):
        """Keep which service the price was for; where it is not known any more, booking takes the cheapest then."""
        result = super().set_delivery_line(carrier, amount)
        quoted = carrier.delivery_type == "shipkit" and carrier.shipkit_pricing == "carrier"
        for order in self:
            offer = carrier._shipkit_quoted(order) if quoted else None
            order.shipkit_service_code = offer.quote.service if offer is not None else False
            order.shipkit_expected_on = offer.arrives_on if offer is not None else False
        return result
