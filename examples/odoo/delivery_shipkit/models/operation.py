"""What the ledger has open and a person or the recovery has to end: a mirror of its rows, never the truth itself."""

from __future__ import annotations

import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from shipkit.errors import InDoubtError, LabelPendingError, RejectedError, ShipkitError
from shipkit.model import CancelOutcome
from shipkit.ports import Phase

from ..bridge import client_of, in_odoos_words, words_of
from .cancelling import UNDONE

_OF_A_TRANSFER = re.compile("(picking|return)-([0-9]+)")
_NOT_ANY_MORE = (CancelOutcome.TOO_LATE, CancelOutcome.ALREADY_USED)


def transfer_of(key: str) -> int:
    """The id of the transfer that *key* is about; 0 where it is about none."""
    found = _OF_A_TRANSFER.fullmatch(key)
    return int(found[2]) if found else 0


class Operation(models.Model):
    """A row of the ledger that wants attention."""

    _name = "shipkit.operation"
    _description = "Booking to look at"
    _inherit = ["mail.activity.mixin", "mail.thread"]
    _order = "state, since desc, id desc"

    name = fields.Char(string="Key", required=True, index=True, readonly=True)
    kind = fields.Selection(
        [
            ("in_doubt", "Not known whether booked"),
            ("needs_person", "Somebody has to decide"),
            ("voiding", "Being cancelled"),
            ("label_pending", "Label follows"),
            ("unused", "Label bought, not used"),
            ("stray", "A second booking"),
        ],
        required=True,
        index=True,
        readonly=True,
    )
    state = fields.Selection(
        [("open", "Open"), ("done", "Ended")], default="open", required=True, index=True, readonly=True
    )
    operation = fields.Char(help="create_shipment, cancel_shipment, create_return and so on.", readonly=True)
    phase = fields.Char(help="Where the key stands in the ledger.", readonly=True)
    generation = fields.Integer(readonly=True, help="Which booking under the key this is about.")
    waiting = fields.Char(readonly=True, help="The key, or of several packages the piece, that a person decides about.")
    account_ref = fields.Integer(readonly=True)
    account_id = fields.Many2one("shipkit.account", compute="_compute_records", string="Account")
    # Integers and no foreign keys: a row of the ledger may be about a transfer that was rolled back, or is locked.
    picking_ref = fields.Integer(index=True, readonly=True)
    picking_id = fields.Many2one("stock.picking", compute="_compute_records", string="Transfer")
    company_id = fields.Many2one("res.company", readonly=True)
    tracking_number = fields.Char(readonly=True)
    price = fields.Char(readonly=True)
    since = fields.Datetime(readonly=True)
    retry_at = fields.Datetime(
        string="Certain from", help="The first moment at which asking the carrier proves anything.", readonly=True
    )
    attempts = fields.Integer(readonly=True)
    error = fields.Char(help="What happened, without anybody's data.", readonly=True)
    note = fields.Char(readonly=True)
    found_ref = fields.Char(string="Number of the booking", copy=False, help="As the carrier's own pages show it.")
    found_tracking = fields.Char(string="Tracking number found", copy=False)
    can_attach = fields.Boolean(compute="_compute_records")
    activity_ref = fields.Integer(readonly=True, help="The activity on the transfer that says so.")

    _once = models.Constraint("UNIQUE (name, kind)", "One row for each key and trouble.")

    @api.depends("picking_ref", "account_ref", "kind", "phase")
    def _compute_records(self) -> None:
        for row in self:
            row.picking_id = self.env["stock.picking"].browse(row.picking_ref).exists()
            row.account_id = self.env["shipkit.account"].browse(row.account_ref).exists()
            row.can_attach = (
                row.kind == "unused"
                and row.phase == Phase.SUCCEEDED.value
                and row.picking_id.state not in (False, "cancel")
                and not row._other_label()
            )

    def _other_label(self):
        """What the transfer has by now of what this row offers."""
        if self.name.startswith("return-"):
            return self.picking_id._shipkit_ways_back()
        return self.picking_id._shipkit_live()

    @api.depends("name", "kind", "picking_ref")
    def _compute_display_name(self) -> None:
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for row in self:
            row.display_name = f"{row.picking_id.name or row.name}: {kinds.get(row.kind, '')}"

    def write(self, vals):
        """People write what they found; which booking a row is about, only the recovery."""
        fixed = {name for name in vals if self._fields[name].readonly and not self._fields[name].compute}
        if fixed and not self.env.su:
            raise AccessError(self.env._("What a booking to look at is about cannot be changed."))
        return super().write(vals)

    # What a person decides

    def action_attach(self):
        """Put a label that was bought, and is used nowhere, on its transfer as if it were sent now."""
        row = self._decided()
        if not row.can_attach:
            raise UserError(self.env._("The transfer is gone, cancelled, or has another label: void this one."))
        row._refuse_other_generation()
        with in_odoos_words(self.env):
            found = client_of(self.env).ledger.finish(key=row.name)
        if found is None:
            raise UserError(self.env._("Nothing is booked under this key any more."))
        row._attach(found)
        row._end(self.env._("The label was attached to the transfer."))
        return True

    def action_void(self):
        """Have the carrier cancel what is used nowhere; asked twice it is cancelled once."""
        row = self._decided()
        if row.kind != "unused":
            raise UserError(self.env._("Only a label that is not used is voided here."))
        row._refuse_other_generation()
        if row.picking_id.state != "cancel" and row._is_used():
            raise UserError(self.env._("The transfer uses this label by now: cancel its shipment there."))
        try:
            with in_odoos_words(self.env):
                result = client_of(self.env).cancel_shipment(key=row.name)
        except UserError as error:
            if not isinstance(error.__cause__, RejectedError):
                raise
            row.note = str(error)
            return row._shown(str(error))
        if result.outcome in UNDONE:
            row._mark_voided()
            row._end(self.env._("The label was voided at the carrier (%s).", result.outcome.value))
            return True
        words = self.env._("The carrier did not cancel it (%s).", result.outcome.value)
        if result.outcome in _NOT_ANY_MORE:
            words = self.env._("It is too late to void this label; the carrier may bill it (%s).", result.outcome.value)
        row.note = words
        return row._shown(words)

    def action_ask(self):
        """Ask the carrier now."""
        row = self._decided()
        try:
            found = client_of(self.env).ledger.finish(key=row.name)
        except InDoubtError as error:
            row._refresh()
            if error.needs_person:
                return row._shown(
                    self.env._("The carrier cannot tell. Look at its own pages, then say what you found.")
                )
            at = fields.Datetime.to_string(error.retry_at.replace(tzinfo=None)) if error.retry_at else ""
            return row._shown(
                self.env._("It is still not known. What the carrier does not show counts from %s UTC.", at)
            )
        except LabelPendingError:
            row._refresh()
            return row._shown(self.env._("It is booked; its label follows."))
        except ShipkitError as error:
            return row._shown(words_of(self.env, error))
        row._settle(found)
        return True

    def action_found(self):
        """A person saw the booking at the carrier: enter it, and put it on its transfer."""
        row = self._waiting_for_a_person()
        number = (row.found_ref or "").strip()
        if not number:
            raise UserError(self.env._("Enter the number of the booking first."))
        note = self.env._("found by user %s", self.env.uid)
        found = None
        try:
            with in_odoos_words(self.env):
                found = client_of(self.env).resolve(
                    key=row.waiting or row.name,
                    shipment_id=number,
                    tracking_number=(row.found_tracking or "").strip() or None,
                    note=note,
                )
        except UserError as error:
            if not isinstance(error.__cause__, LabelPendingError):
                raise
        if found is not None and row.waiting in (False, row.name):
            row._settle(found)
        else:  # a piece of several packages, or its label is still to come
            row._refresh()
        return True

    def action_not_there(self):
        """A person looked, and it is not at the carrier: the transfer may be sent again."""
        row = self._waiting_for_a_person()
        at = row.retry_at
        if at and at > client_of(self.env).ledger.now().replace(tzinfo=None):
            words = self.env._("This was sent a moment ago: what is not seen yet may still come until %s UTC.", at)
            raise UserError(words)
        with in_odoos_words(self.env):
            note = self.env._("not there, says user %s", self.env.uid)
            client_of(self.env).close_key(key=row.waiting or row.name, note=note)
        row._refresh()
        return True

    def action_seen(self):
        """A person dealt with a second booking at the carrier."""
        self._decided()._end(self.env._("Dealt with by %s.", self.env.user.name))
        return True

    def action_open_transfer(self):
        """Go to the transfer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "stock.picking",
            "res_id": self.picking_ref,
            "views": [(False, "form")],
        }

    def _decided(self):
        """The open row, for somebody who may decide.

        Raises:
            AccessError: it takes a manager of the stock.
            UserError: it has ended.
        """
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group("stock.group_stock_manager"):
            raise AccessError(self.env._("Only a manager of the stock decides this."))
        self.check_access("write")
        if self.state != "open":
            raise UserError(self.env._("This has ended."))
        return self.sudo()

    def _waiting_for_a_person(self):
        row = self._decided()
        if row.kind != "needs_person":
            raise UserError(self.env._("The carrier is still being asked: this is not for a person to decide."))
        return row

    def _refuse_other_generation(self) -> None:
        told = client_of(self.env).ledger.standing(key=self.name)
        if told is None or told.generation != self.generation:
            self._end(self.env._("Something newer is booked under the key."))
            raise UserError(self.env._("Something newer is booked under this key."))

    def _shown(self, words: str) -> dict:
        self._told_in_chatter(words)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": words,
                "type": "warning",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _told_in_chatter(self, words: str) -> None:
        self.message_post(body=words, author_id=self.env.user.partner_id.id)
