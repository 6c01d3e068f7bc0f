"""Transfers and labels that came by another way than the button: found later, or bought before a rollback."""

from __future__ import annotations

import attrs
from odoo import models
from odoo.exceptions import UserError

from shipkit.errors import ShipkitError
from shipkit.model import ReturnShipment

from ..bridge import client_of


class Picking(models.Model):
    """A transfer that takes a booking over."""

    _inherit = "stock.picking"

    def _shipkit_live(self):
        """The shipments of this transfer that were not cancelled."""
        return self.shipkit_shipment_ids.filtered(lambda one: one.kind == "outbound" and one.state != "voided")

    def _shipkit_take_in(self, told, value) -> None:
        """What the ledger has now: taken over where this transfer waits for it, its papers where only these lacked."""
        self.ensure_one()
        if isinstance(value, ReturnShipment):
            if self.state != "cancel" and "confirmed" not in self._shipkit_ways_back().mapped("state"):
                self._shipkit_take_back(value)
            return
        if value.generation != told.generation:
            return
        same = [("key", "=", told.key), ("generation", "=", told.generation)]
        known = self.env["shipkit.shipment"].sudo().search(same, limit=1)
        if known:
            if known.state == "label_pending":
                self.sudo()._shipkit_attach(value)
        # Somebody who is sending it now holds the row, and takes the label over himself.
        elif (
            self.state != "cancel"
            and self._shipkit_waits_for(value)
            and self.try_lock_for_update(allow_referencing=True)
        ):
            self._shipkit_adopt(value)

    def _shipkit_waits_for(self, booked) -> bool:
        """Whether no label is on this transfer, and no number of another way that it went meanwhile."""
        typed = {number.strip() for number in (self.carrier_tracking_ref or "").split(",")} - {""}
        return not self._shipkit_live() and (not typed or not typed.isdisjoint(map(str, booked.tracking_numbers)))

    def _shipkit_take_back(self, back: ReturnShipment) -> None:
        """Take over a way back as if it were booked now."""
        method = self.carrier_id
        if back.shipment is not None and method.sudo().shipkit_account_id.code != back.shipment.account:
            method = self.env["delivery.carrier"].search(self._shipkit_of(back.shipment.account), limit=1) or method
        self.sudo()._shipkit_keep_return(method, back, method._shipkit_return_weight(self))

    @staticmethod
    def _shipkit_of(account: str) -> list[tuple[str, str, str]]:
        return [("delivery_type", "=", "shipkit"), ("shipkit_account_id.code", "=", account)]

    def _shipkit_adopt(self, shipment) -> None:
        """Take over *shipment* as if it were sent now: label, number along the chain, price, cost, chatter."""
        self.ensure_one()
        self._shipkit_take_way(shipment.account)
        if shipment.total is None:
            shipment = self._shipkit_priced(shipment)
        self.sudo().with_context(shipkit_adopted=shipment).send_to_shipper()

    def _shipkit_priced(self, shipment):
        """*shipment*, which was looked up without a price, at the price that its service has now."""
        try:
            request = self.carrier_id._shipkit_request(self)
            quotes = client_of(self.env).rates(request, accounts=[shipment.account]).quotes
        except (ShipkitError, UserError):
            quotes = ()
        for quote in quotes:
            if quote.service == shipment.service:
                return attrs.evolve(shipment, total=quote.total)
        words = self.env._("The carrier does not say what this label costs: its price is to be entered by hand.")
        self.message_post(body=words, author_id=self.env.ref("base.partner_root").id)
        return shipment

    def _shipkit_take_way(self, account: str) -> None:
        """Have the shipping method be one of *account*, where the booking was made.

        Raises:
            UserError: there is none, so that nothing would become of the label.
        """
        if self.carrier_id.sudo().shipkit_account_id.code == account:
            return
        methods = self.env["delivery.carrier"].with_context(active_test=False)
        of_company = [("company_id", "in", (False, self.company_id.id))]
        same = self.carrier_id.shipkit_fallback_ids | methods.search(self._shipkit_of(account) + of_company)
        fitting = same.filtered(lambda one: one.sudo().shipkit_account_id.code == account)
        chosen = (fitting.filtered("active") or fitting)[:1]
        if not chosen:
            raise UserError(
                self.env._("There is no shipping method of the account %s, where this was bought.", account)
            )
        self.carrier_id = chosen

    def _shipkit_tell_not_booked(self, told) -> None:
        """Say that nothing was bought in the end, to a transfer that still has no label."""
        if self.state == "cancel" or self._shipkit_live() or self.carrier_tracking_ref:
            return
        words = self.env._("Nothing was booked at the carrier in the end: ship again.")
        open_ones = self.activity_ids.filtered(lambda one: one.summary == words)
        if not open_ones:
            self.sudo().activity_schedule(
                "mail.mail_activity_data_warning", summary=words, user_id=self._shipkit_responsible().id
            )

    def _shipkit_responsible(self):
        """Who is told: the transfer's own person, else the first manager of the stock in its company."""
        self.ensure_one()
        if self.user_id:
            return self.user_id
        managers = self.env.ref("stock.group_stock_manager").sudo().all_user_ids
        fitting = managers.filtered(lambda user: user.active and self.company_id in user.company_ids and not user.share)
        return fitting.sorted("id")[:1] or self.env.user
