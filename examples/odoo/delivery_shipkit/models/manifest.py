"""The end of the day: what is handed over together."""

from __future__ import annotations

from odoo import fields, models


class Manifest(models.Model):
    """A list of shipments that was closed with the carrier."""

    _name = "shipkit.manifest"
    _description = "End-of-day manifest"
    _inherit = ["mail.thread"]
    _order = "day desc, id desc"

    name = fields.Char(required=True, copy=False, default="New")
    account_id = fields.Many2one("shipkit.account", required=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    address_id = fields.Many2one("res.partner", required=True)
    day = fields.Date(required=True)
    manifest_ref = fields.Char(string="Carrier's number", copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("open", "Open"), ("closing", "Closing"), ("closed", "Closed"), ("failed", "Failed")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    shipment_ids = fields.One2many("shipkit.shipment", "manifest_id")
    attachment_ids = fields.Many2many("ir.attachment")
