"""A carrier's billing file is uploaded here."""

from __future__ import annotations

import base64
import binascii

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..models.invoice_match import plugins_that_read


class InvoiceImport(models.TransientModel):
    """A billing file for one account."""

    _name = "shipkit.invoice.import"
    _description = "Import of a carrier's billing file"

    account_id = fields.Many2one(
        "shipkit.account",
        required=True,
        domain="[('id', 'in', account_ids)]",
        default=lambda self: self._readable()[:1],
    )
    account_ids = fields.Many2many(
        "shipkit.account", string="Accounts to choose from", default=lambda self: self._readable()
    )
    content = fields.Binary(string="File", attachment=False)
    file_name = fields.Char()

    @api.model
    def _readable(self):
        """The accounts at carriers whose bills can be read."""
        return (
            self.env["shipkit.account"]
            .sudo()
            .search([("plugin", "in", plugins_that_read()), ("company_id", "in", [*self.env.companies.ids, False])])
            .sudo(False)
        )

    def action_import(self):
        """Import the file, and show its bills."""
        self.ensure_one()
        if self.account_id not in self._readable():
            raise UserError(_("The bills of this account cannot be read."))
        try:
            content = base64.b64decode(self.content or b"", validate=True)
        except (binascii.Error, ValueError) as error:
            raise UserError(_("The file did not arrive whole. Upload it again.")) from error
        invoices, added = self.env["shipkit.invoice"]._import(self.account_id, content)
        for invoice in invoices:
            count = len(added & invoice.line_ids)
            words = _("%(file)s: %(count)s lines added", file=self.file_name or _("A file"), count=count)
            invoice.message_post(body=words)
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_invoice")
        if len(invoices) == 1:
            return {**action, "views": [(False, "form")], "res_id": invoices.id}
        return {**action, "domain": [("id", "in", invoices.ids)]}
