"""A label that was bought for a transfer and that the transfer does not show: somebody uses it, or has it voided."""

from __future__ import annotations

from odoo import api, fields, models
from odoo.exceptions import UserError

from shipkit.errors import ConflictError, ShipkitError
from shipkit.ports import Phase

from ..bridge import client_of, in_odoos_words
from ..models.cancelling import UNDONE, refusal_of


class StockPicking(models.Model):
    """A transfer with a label that it does not show."""

    _inherit = "stock.picking"

    shipkit_bought = fields.Char(
        string="Label bought", compute="_compute_shipkit_bought", help="What stands under its key and is not used."
    )

    @api.depends("carrier_tracking_ref", "carrier_id", "shipkit_shipment_ids.state")
    def _compute_shipkit_bought(self) -> None:
        for picking in self:
            told = picking._shipkit_unused() if picking.id and len(self) == 1 else None
            picking.shipkit_bought = told.booking if told is not None else False

    def _shipkit_unused(self):
        """Where the key stands, if it is booked and no shipment of this transfer is that booking."""
        self.ensure_one()
        if self.delivery_type != "shipkit" or self.carrier_tracking_ref:
            return None
        try:
            told = client_of(self.env).ledger.standing(key=self._shipkit_key())
        except ShipkitError:
            return None  # a transfer can be read while the store cannot
        if told is None or told.phase is not Phase.SUCCEEDED:
            return None
        known = self.sudo().shipkit_shipment_ids.filtered(
            lambda shipment: (shipment.key, shipment.generation) == (told.key, told.generation)
        )
        return told if not known else None

    def _shipkit_conflict_words(self, error: ConflictError) -> str:
        """Which label stands in the way."""
        told = client_of(self.env).ledger.standing(key=self._shipkit_key())
        if told is None or not told.booking:
            return self.env._("Something else is under way for %s: %s", self.display_name, error.message)
        return self.env._(
            "A label was bought for %(name)s before (%(booking)s, account %(account)s), and the transfer was changed "
            "since. Open it and choose what becomes of the bought label: attach it, or void it and ship anew.",
            name=self.display_name,
            booking=told.booking,
            account=told.account,
        )

    def action_shipkit_bought(self):
        """Choose what becomes of the label that was bought."""
        self.ensure_one()
        wizard = self.env["shipkit.conflict"].create({"picking_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("A label was bought"),
            "res_model": "shipkit.conflict",
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }


class Conflict(models.TransientModel):
    """A bought label that waits for somebody's word."""

    _name = "shipkit.conflict"
    _description = "Label that was bought before"

    picking_id = fields.Many2one("stock.picking", required=True, readonly=True)
    booking = fields.Char(string="Carrier's number", compute="_compute_booking")
    numbers = fields.Char(string="Tracking numbers", compute="_compute_booking")
    service = fields.Char(compute="_compute_booking")
    cost = fields.Char(compute="_compute_booking")
    booked_at = fields.Datetime(string="Bought at", compute="_compute_booking")

    @api.depends("picking_id")
    def _compute_booking(self) -> None:
        for wizard in self:
            booked = wizard._booked()
            wizard.booking = booked.shipment_id
            wizard.numbers = ", ".join(map(str, booked.tracking_numbers))
            wizard.service = booked.service
            wizard.cost = str(booked.total or "")
            wizard.booked_at = booked.created_at.replace(tzinfo=None, microsecond=0)

    def _booked(self):
        """What was bought.

        Raises:
            UserError: nothing is bought any more, or the transfer uses it by now.
        """
        self.ensure_one()
        self.picking_id.check_access("write")
        if self.picking_id._shipkit_unused() is None:
            raise UserError(self.env._("No bought label waits for %s any more.", self.picking_id.display_name))
        with in_odoos_words(self.env):
            return client_of(self.env).ledger.finish(key=self.picking_id._shipkit_key())

    def action_attach(self):
        """Use the label that was bought, though the transfer was changed since."""
        picking, booked = self.picking_id, self._booked()
        picking.message_post(body=self.env._("The label that was bought before is used: %s", booked.shipment_id))
        picking._shipkit_adopt(booked)
        self._end_row()
        return {"type": "ir.actions.act_window_close"}

    def action_void(self):
        """Have the carrier cancel the label; the transfer is shipped anew when it is sent again.

        Raises:
            UserError: the carrier does not, or its answer is not known.
        """
        picking, booked = self.picking_id, self._booked()
        shipments = self.env["shipkit.shipment"].sudo()
        result = shipments._ask_to_cancel(picking._shipkit_key())
        if result.outcome not in UNDONE:
            raise UserError(refusal_of(self.env, booked.shipment_id, result))
        picking.message_post(body=self.env._("The label that was bought before was voided: %s", booked.shipment_id))
        self._end_row()
        return {"type": "ir.actions.act_window_close"}

    def _end_row(self) -> None:
        """What the recovery shows of this label has ended, without waiting for its next run."""
        known = [("name", "=", self.picking_id._shipkit_key()), ("kind", "=", "unused"), ("state", "=", "open")]
        for row in self.env["shipkit.operation"].sudo().search(known):
            row._refresh()
