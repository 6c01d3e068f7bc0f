"""Carriers' bills held against what was booked and what was seen."""

from __future__ import annotations

from odoo import fields, models


class Invoice(models.Model):
    """A carrier's bill that was imported."""

    _name = "shipkit.invoice"
    _description = "Carrier's invoice"
    _inherit = ["mail.thread"]
    _order = "billed_on desc, id desc"

    name = fields.Char(string="Number", required=True)
    account_id = fields.Many2one("shipkit.account", required=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    billed_on = fields.Date()
    currency_id = fields.Many2one("res.currency")
    amount = fields.Monetary()
    line_ids = fields.One2many("shipkit.invoice.line", "invoice_id")

    _once = models.Constraint("UNIQUE (account_id, name)", "This invoice was imported.")


class InvoiceLine(models.Model):
    """What was billed for one parcel, held against its label and its journey."""

    _name = "shipkit.invoice.line"
    _description = "Line of a carrier's invoice"
    _order = "invoice_id, id"

    invoice_id = fields.Many2one("shipkit.invoice", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="invoice_id.company_id", store=True)
    line_ref = fields.Char(required=True, help="Unique within the invoice.")
    tracking_number = fields.Char(index=True)
    shipment_id = fields.Many2one("shipkit.shipment", ondelete="set null")
    currency_id = fields.Many2one("res.currency")
    billed = fields.Monetary()
    booked = fields.Monetary()
    difference = fields.Monetary()
    reason = fields.Char(help="Why it differs, in shipkit's code.")
    state = fields.Selection(
        [("matched", "Agrees"), ("different", "Differs"), ("unmatched", "Nothing of ours"), ("settled", "Settled")],
        required=True,
        default="unmatched",
        index=True,
    )

    _once = models.Constraint("UNIQUE (invoice_id, line_ref)", "A line counts once.")
