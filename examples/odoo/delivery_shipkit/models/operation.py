"""What the ledger has open and a person or the recovery has to end: a mirror of its rows, never the truth itself."""

from __future__ import annotations

from odoo import fields, models


class Operation(models.Model):
    """A row of the ledger that wants attention."""

    _name = "shipkit.operation"
    _description = "Booking to look at"
    _inherit = ["mail.activity.mixin", "mail.thread"]
    _order = "since desc, id desc"

    name = fields.Char(string="Key", required=True, index=True)
    kind = fields.Selection(
        [
            ("in_doubt", "Not known whether booked"),
            ("needs_person", "Somebody has to decide"),
            ("label_pending", "Label follows"),
            ("unused", "Label bought, not used"),
            ("stray", "A second booking"),
        ],
        required=True,
        index=True,
    )
    state = fields.Selection([("open", "Open"), ("done", "Ended")], default="open", required=True, index=True)
    operation = fields.Char(help="create_shipment, cancel_shipment, create_return and so on.")
    phase = fields.Char(help="Where the key stands in the ledger.")
    account_ref = fields.Integer()
    account_id = fields.Many2one("shipkit.account", compute="_compute_records")
    # Integers and no foreign keys: a row of the ledger may be about a transfer that was rolled back, or is locked.
    picking_ref = fields.Integer(index=True)
    picking_id = fields.Many2one("stock.picking", compute="_compute_records")
    company_id = fields.Many2one("res.company")
    tracking_number = fields.Char()
    price = fields.Char()
    since = fields.Datetime()
    retry_at = fields.Datetime(help="The first moment at which asking the carrier proves anything.")
    attempts = fields.Integer()
    error = fields.Char(help="What happened, without anybody's data.")
    note = fields.Char()

    _once = models.Constraint("UNIQUE (name, kind)", "One row for each key and trouble.")

    def _compute_records(self) -> None:
        for row in self:
            row.picking_id = self.env["stock.picking"].browse(row.picking_ref).exists()
            row.account_id = self.env["shipkit.account"].browse(row.account_ref).exists()
