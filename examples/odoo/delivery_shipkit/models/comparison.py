"""What every shipping method would cost for one order, and why some cost nothing because they do not go."""

from __future__ import annotations

from odoo import fields, models
from odoo.exceptions import UserError

from shipkit.errors import ShipkitError


class Quote(models.TransientModel):
    """One way to ship an order."""

    _name = "shipkit.quote"
    _description = "Way to ship an order"
    _order = "offered desc, price, id"

    order_id = fields.Many2one("sale.order", required=True, ondelete="cascade")
    carrier_id = fields.Many2one("delivery.carrier", string="Shipping method", required=True, ondelete="cascade")
    service = fields.Char(string="Code")
    name = fields.Char(string="Service")
    offered = fields.Boolean()
    currency_id = fields.Many2one(related="order_id.currency_id")
    price = fields.Monetary()
    arrives_on = fields.Date(string="Expected on")
    note = fields.Char(string="Remark")

    def action_choose(self):
        """Put it onto the order."""
        self.ensure_one()
        method = self.carrier_id.with_context(shipkit_service=self.service, order_weight=self.order_id.shipping_weight)
        result = method.rate_shipment(self.order_id)
        if not result["success"]:
            raise UserError(result["error_message"])
        self.order_id.set_delivery_line(method, result["price"])
        self.order_id.write({"recompute_delivery_price": False, "delivery_message": result["warning_message"]})
        return {"type": "ir.actions.act_window_close"}


class DeliveryCarrier(models.Model):
    """A shipping method among others."""

    _inherit = "delivery.carrier"

    def _shipkit_compared(self, order) -> list[dict[str, object]]:
        """What this method offers for *order*, as rows: each service where it leaves that open, else one."""
        services: list[str | None] = [None]
        if self.shipkit_pricing == "carrier" and not self.shipkit_service_code and not self._shipkit_refusal():
            try:
                services = sorted({quote.service for quote in self._shipkit_answer(order).quotes}) or [None]
            except (ShipkitError, UserError):
                pass  # asked once more below, it says why
        rows = []
        for service in services:
            result = self.with_context(shipkit_service=service).rate_shipment(order)
            code = result.get("shipkit_service") or service or self.shipkit_service_code
            rows.append(
                {
                    "order_id": order.id,
                    "carrier_id": self.id,
                    "service": service,
                    "name": dict(self._shipkit_services()).get(f"{self.shipkit_plugin}:{code}") or code,
                    "offered": result["success"],
                    "price": result["price"],
                    "arrives_on": result.get("shipkit_arrives_on"),
                    "note": result["warning_message"] if result["success"] else result["error_message"],
                }
            )
        return rows


class SaleOrder(models.Model):
    """An order with a choice of ways."""

    _inherit = "sale.order"

    def action_shipkit_compare(self):
        """Ask every method of the provider that serves the address."""
        self.ensure_one()
        methods = self.env["delivery.carrier"].search(
            [("delivery_type", "=", "shipkit"), *self.env["delivery.carrier"]._check_company_domain(self.company_id)]
        )
        serving = methods.available_carriers(self.partner_shipping_id, self)
        rows = [
            row
            for method in serving
            for row in method.with_context(order_weight=self.shipping_weight)._shipkit_compared(self)
        ]
        quotes = self.env["shipkit.quote"].create(rows)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ways to ship %s", self.name),
            "res_model": "shipkit.quote",
            "view_mode": "list",
            "domain": [("id", "in", quotes.ids)],
            "target": "new",
        }
