"""Transfers: their shipments, their state, what went wrong."""

from __future__ import annotations

from odoo import fields, models

from .shipment import ACTORS, MILESTONES


class StockPicking(models.Model):
    """A transfer."""

    _inherit = "stock.picking"

    shipkit_shipment_ids = fields.Many2many(
        "shipkit.shipment", "shipkit_shipment_picking_rel", "picking_id", "shipment_id", copy=False, string="Shipments"
    )
    shipkit_milestone = fields.Selection(MILESTONES, string="Shipping state", copy=False, index=True)
    shipkit_actor = fields.Selection(ACTORS, string="To act", copy=False, index=True)
    shipkit_problem = fields.Char(string="Shipping problem", copy=False)
