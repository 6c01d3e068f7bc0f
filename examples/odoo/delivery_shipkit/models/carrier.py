"""Shipping methods of the provider ``shipkit``: which account, which service, which label."""

from __future__ import annotations

from odoo import api, fields, models

from .account import REGISTRY


class DeliveryCarrier(models.Model):
    """A shipping method."""

    _inherit = "delivery.carrier"

    delivery_type = fields.Selection(selection_add=[("shipkit", "shipkit")], ondelete={"shipkit": "set default"})
    shipkit_account_id = fields.Many2one("shipkit.account", string="Carrier account", ondelete="restrict")
    shipkit_plugin = fields.Selection(related="shipkit_account_id.plugin", store=True, readonly=True)
    shipkit_environment = fields.Selection(related="shipkit_account_id.environment", string="Account's environment")
    shipkit_service = fields.Selection(
        selection="_shipkit_services", string="Service", help="Empty: the cheapest that the account offers."
    )
    shipkit_service_code = fields.Char(
        string="Service code", help="The carrier's own, where the list does not have it."
    )
    shipkit_label_format = fields.Selection(selection="_shipkit_label_formats", string="Label")
    shipkit_packaging_id = fields.Many2one("stock.package.type", string="Default package")
    shipkit_fallback_ids = fields.Many2many(
        "delivery.carrier",
        "delivery_carrier_shipkit_fallback_rel",
        "carrier_id",
        "fallback_id",
        string="Otherwise by",
        help="Tried in their order when nothing was bought here, never in doubt.",
    )

    @api.model
    def _shipkit_services(self) -> list[tuple[str, str]]:
        """``carrier:code`` of every service that the installed plugins list."""
        return []

    @api.model
    def _shipkit_label_formats(self) -> list[tuple[str, str]]:
        return []

    def _shipkit_facts(self):
        """The facts of the plugin, or None where it is not installed."""
        self.ensure_one()
        return REGISTRY.carrier(self.shipkit_plugin).facts() if self.shipkit_plugin else None

    def _shipkit_alias(self) -> str:
        """The account's name in shipkit."""
        self.ensure_one()
        return self.sudo().shipkit_account_id.code
