"""Collections by the carrier."""

from __future__ import annotations

from odoo import fields, models


class Pickup(models.Model):
    """A collection that was asked for."""

    _name = "shipkit.pickup"
    _description = "Carrier pickup"
    _inherit = ["mail.thread"]
    _order = "day desc, id desc"

    name = fields.Char(required=True, copy=False, default="New")
    account_id = fields.Many2one("shipkit.account", required=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    address_id = fields.Many2one("res.partner", required=True)
    day = fields.Date(required=True)
    ready = fields.Float(required=True, default=14.0, help="Hours, local to the address.")
    close = fields.Float(required=True, default=18.0)
    confirmation = fields.Char(copy=False)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("confirmed", "Confirmed"),
            ("cancelled", "Called off"),
            ("failed", "Failed"),
            ("completed", "Collected"),
        ],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    package_count = fields.Integer()
    instructions = fields.Char()
    price = fields.Monetary(copy=False)
    currency_id = fields.Many2one("res.currency")
    shipment_ids = fields.One2many("shipkit.shipment", "pickup_id")
