"""Carriers' bills held against what was booked and what was seen."""

from __future__ import annotations

from odoo import _, api, fields, models
from odoo.exceptions import UserError

OUTCOMES = [
    ("agrees", "Billed as booked"),
    ("differs", "Billed otherwise than booked"),
    ("unpriced", "Booked without a price"),
    ("currency", "Another currency than booked"),
    ("credit", "Money back"),
    ("duplicate", "Billed before"),
    ("voided", "Billed though cancelled"),
    ("unused", "Billed though never scanned"),
    ("unmatched", "Nothing of ours"),
    ("ambiguous", "Several bookings of ours"),
    ("account", "Of the account, for no parcel"),
]
"""`shipkit.invoices.FindingKind`, in the words of somebody who pays."""
REASONS = [
    ("booked", "As booked"),
    ("reweigh", "Weighed anew"),
    ("redimension", "Measured anew"),
    ("address_correction", "Address corrected"),
    ("residential", "Delivered to a home"),
    ("return", "Return"),
    ("duties", "Duties"),
    ("late_payment", "Late payment"),
    ("other", "Other"),
]
"""`shipkit.model.InvoiceLineReason`."""
STATES = {"agrees": "matched", "unmatched": "unmatched", "ambiguous": "unmatched"}
"""What an outcome means for the list; what is not here has to be looked at."""
DECIDED = ("settled", "disputed")


class Invoice(models.Model):
    """A carrier's bill that was imported."""

    _name = "shipkit.invoice"
    _description = "Carrier's invoice"
    _inherit = ["mail.thread"]
    _order = "billed_on desc, id desc"

    name = fields.Char(string="Number", required=True, readonly=True)
    account_id = fields.Many2one("shipkit.account", required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company, index=True
    )
    billed_on = fields.Date(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True)
    line_ids = fields.One2many("shipkit.invoice.line", "invoice_id")
    line_count = fields.Integer(compute="_compute_sums")
    open_count = fields.Integer(string="To look at", compute="_compute_sums")
    difference = fields.Monetary(
        compute="_compute_sums", help="Beyond what was booked, of the lines in the bill's own currency."
    )

    _once = models.Constraint("UNIQUE (account_id, name)", "This invoice was imported.")

    @api.depends("line_ids.state", "line_ids.difference")
    def _compute_sums(self) -> None:
        for invoice in self:
            lines = invoice.line_ids
            invoice.line_count = len(lines)
            invoice.open_count = len(lines.filtered(lambda line: line.state in ("different", "unmatched")))
            own = lines.filtered(lambda line, own=invoice.currency_id: line.currency_id == own)
            invoice.difference = sum(own.mapped("difference"))

    def action_lines(self):
        """The lines of this bill."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_invoice_line")
        action.update(domain=[("invoice_id", "=", self.id)], context={"search_default_by_outcome": 1})
        return action

    def action_match(self):
        """Hold the lines against bookings and journeys once more."""
        self._match(self.line_ids)
        return True


class InvoiceLine(models.Model):
    """What was billed for one parcel and one reason, held against its label and its journey."""

    _name = "shipkit.invoice.line"
    _description = "Line of a carrier's invoice"
    _order = "invoice_id, id"
    _rec_name = "line_ref"

    invoice_id = fields.Many2one("shipkit.invoice", required=True, ondelete="cascade", index=True, readonly=True)
    company_id = fields.Many2one(related="invoice_id.company_id", store=True, index=True)
    account_id = fields.Many2one(related="invoice_id.account_id", store=True)
    billed_on = fields.Date(related="invoice_id.billed_on", store=True)
    line_ref = fields.Char(required=True, readonly=True, help="Unique within the invoice.")
    document = fields.Text(readonly=True, groups="base.group_no_one", help="The line as shipkit read it.")
    tracking_number = fields.Char(index=True, readonly=True)
    shipment_id = fields.Many2one("shipkit.shipment", ondelete="set null", readonly=True, index=True)
    parcel_id = fields.Many2one("shipkit.parcel", ondelete="set null", readonly=True)
    milestone = fields.Selection(related="parcel_id.milestone", string="Seen")
    booking_state = fields.Selection(related="shipment_id.state", string="Booking")
    service = fields.Char(readonly=True)
    charges = fields.Text(readonly=True, help="What was charged, with the carrier's codes and words.")
    billed_weight = fields.Char(readonly=True)
    declared_weight = fields.Char(readonly=True, help="As the carrier says that we declared it.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    billed = fields.Monetary(readonly=True)
    booked = fields.Monetary(readonly=True, help="The part of the booking's price that this line bills.")
    difference = fields.Monetary(readonly=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Currency of the company")
    difference_shown = fields.Monetary(
        string="Difference (company)",
        currency_field="company_currency_id",
        compute="_compute_difference_shown",
        store=True,
        help="At the rate of the bill's day; for sums only, nothing is compared by it.",
    )
    outcome = fields.Selection(OUTCOMES, readonly=True, index=True)
    reason = fields.Selection(REASONS, readonly=True, index=True)
    against_id = fields.Many2one(
        "shipkit.invoice.line", string="Against", ondelete="set null", readonly=True, help="What it repeats or credits."
    )
    state = fields.Selection(
        [
            ("matched", "Agrees"),
            ("different", "Differs"),
            ("unmatched", "Nothing of ours"),
            ("settled", "Settled"),
            ("disputed", "Disputed"),
        ],
        required=True,
        default="unmatched",
        readonly=True,
        index=True,
    )
    note = fields.Text(readonly=True, help="Why it was settled or disputed, and by whom.")

    _once = models.Constraint("UNIQUE (invoice_id, line_ref)", "A line counts once.")

    @api.depends("difference", "currency_id", "company_id", "billed_on")
    def _compute_difference_shown(self) -> None:
        for line in self:
            line.difference_shown = (
                line.currency_id._convert(
                    line.difference, line.company_id.currency_id, line.company_id, line.billed_on or fields.Date.today()
                )
                if line.currency_id and line.company_id
                else line.difference
            )

    # What people decide

    def action_settle(self):
        """Ask for a note, and settle."""
        return self._action_decide("settled", _("Settle"))

    def action_dispute(self):
        """Ask for a note, and dispute."""
        return self._action_decide("disputed", _("Dispute"))

    def action_reopen(self):
        """Take a decision back: the line is again what it was found to be."""
        decided = self.filtered(lambda line: line.state in DECIDED)
        decided._note(_("Opened again"), "")
        for line in decided:
            line.state = line._found()
        return True

    def _action_decide(self, decision: str, title: str):
        if not self:
            raise UserError(_("No line was chosen."))
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "shipkit.invoice.decision",
            "view_mode": "form",
            "target": "new",
            "context": {"default_decision": decision, "default_line_ids": self.ids},
        }

    def _decide(self, decision: str, note: str) -> None:
        label = dict(self._fields["state"]._description_selection(self.env))[decision]
        self._note(label, note)
        self.write({"state": decision})

    def _note(self, label: str, note: str) -> None:
        """Write a decision on each line, and once on each of their bills."""
        said = f"{fields.Date.today()} {self.env.user.name}: {label}{f'. {note}' if note else ''}"
        for line in self:
            line.note = f"{line.note}\n{said}" if line.note else said
        for invoice in self.invoice_id:
            lines = self & invoice.line_ids
            words = ", ".join(sorted({line.tracking_number or line.line_ref for line in lines})[:20])
            body = _("%(label)s: %(count)s lines (%(words)s)", label=label, count=len(lines), words=words)
            invoice.message_post(body=f"{body}. {note}" if note else body)

    def _found(self) -> str:
        """The state that follows from what the line was found to be."""
        self.ensure_one()
        if self.outcome == "credit":
            return "matched" if self.against_id else "different"
        return STATES.get(self.outcome, "different")


class Shipment(models.Model):
    """A shipment and what was billed for it."""

    _inherit = "shipkit.shipment"

    invoice_line_ids = fields.One2many("shipkit.invoice.line", "shipment_id", string="Billed")
