"""The real cost on the order: one line for each transfer, right after a cancel, another method, a late label."""

from __future__ import annotations

from odoo import fields, models


class Picking(models.Model):
    """A transfer that knows which line of its order its cost stands on."""

    _inherit = "stock.picking"

    shipkit_cost_line_id = fields.Many2one("sale.order.line", copy=False, readonly=True, ondelete="set null")

    def _get_matching_delivery_lines(self):
        """The line that waits for this transfer's cost: its own, core's, or that of a method it was to go by."""
        found = super()._get_matching_delivery_lines()
        if self.delivery_type != "shipkit":
            return found
        own = self.shipkit_cost_line_id
        if own and not own.qty_invoiced:
            return own | found
        if found:
            return found
        # Core looks for the product of the method that took it; the order was made for another one.
        return self.sale_id.order_line.filtered(
            lambda line: (
                line.is_delivery
                and line.currency_id.is_zero(line.price_unit)
                and line.product_id in self._shipkit_ways_before().product_id
            )
        )

    def _shipkit_ways_before(self):
        """The methods that name this transfer's one as their fallback."""
        return self.env["delivery.carrier"].sudo().search([("shipkit_fallback_ids", "in", self.carrier_id.ids)])

    def _add_delivery_cost_to_so(self):
        """Remember which line core chose."""
        order = self.sale_id
        if self.delivery_type != "shipkit" or not order or self.carrier_id.invoice_policy != "real":
            return super()._add_delivery_cost_to_so()
        before, chosen = order.order_line, self._get_matching_delivery_lines()[:1]
        result = super()._add_delivery_cost_to_so()
        if self.carrier_price:
            self.shipkit_cost_line_id = chosen or (order.order_line - before)[:1]
        return result

    def _shipkit_take_cost_back(self) -> None:
        """The label was cancelled: its cost leaves the order, whose line waits for the next label's."""
        for picking in self:
            line = picking.shipkit_cost_line_id.sudo()
            picking.carrier_price = 0.0
            if not line:
                continue
            if line.qty_invoiced:
                words = self.env._(
                    "The label of %(transfer)s was cancelled, and its cost of %(cost)s is invoiced already: credit it.",
                    transfer=picking.name,
                    cost=line.currency_id.format(line.price_unit),
                )
                line.order_id.message_post(body=words, author_id=self.env.ref("base.partner_root").id)
                picking.shipkit_cost_line_id = False
            else:
                line.price_unit = 0.0


class Shipment(models.Model):
    """A shipment whose cancel takes its cost along."""

    _inherit = "shipkit.shipment"

    def write(self, values):
        """Once it is cancelled its cost is nobody's."""
        cancelled = self.browse()
        if values.get("state") == "voided":
            cancelled = self.filtered(lambda one: one.state != "voided" and one.kind == "outbound")
        result = super().write(values)
        # A newer label of the transfer keeps the cost that stands there: it is its own.
        cancelled.picking_id.filtered(lambda one: not one._shipkit_live())._shipkit_take_cost_back()
        return result

    def _voided_under(self, key: str, generation: int) -> None:
        """The ledger says that what was booked under *key* is cancelled."""
        known = [("key", "=", key), ("generation", "=", generation), ("state", "!=", "voided")]
        self.search(known).write({"state": "voided"})
