"""Settling and disputing lines of bills, with a note."""

from __future__ import annotations

from odoo import fields, models


class InvoiceDecision(models.TransientModel):
    """What is decided about some lines, and why."""

    _name = "shipkit.invoice.decision"
    _description = "Decision about lines of a carrier's invoice"

    decision = fields.Selection([("settled", "Settle"), ("disputed", "Dispute")], required=True)
    line_ids = fields.Many2many("shipkit.invoice.line", required=True)
    note = fields.Char(required=True)

    def action_decide(self):
        """Write it down."""
        self.ensure_one()
        self.line_ids._decide(self.decision, self.note)
        return {"type": "ir.actions.act_window_close"}
