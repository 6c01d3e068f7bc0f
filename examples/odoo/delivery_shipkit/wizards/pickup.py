"""Orders a pickup of what stands ready."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from shipkit.model import Operation, PickupLocation

from ..models.account import REGISTRY


class PickupWizard(models.TransientModel):
    """The day's shipments of an account, and when the driver may come."""

    _name = "shipkit.pickup.wizard"
    _description = "Order a pickup"
    _inherit = ["shipkit.handover.wizard"]
    _operation = Operation.BOOK_PICKUP

    pickup_id = fields.Many2one("shipkit.pickup", string="Add to")
    ready = fields.Float(required=True, default=14.0, help="Hours, local to the address.")
    close = fields.Float(required=True, default=18.0)
    location = fields.Selection(
        [(place.value, place.value.capitalize()) for place in PickupLocation], string="Parcels stand at"
    )
    contact_name = fields.Char(string="Whom to ask for", default=lambda self: self.env.user.name)
    instructions = fields.Char(help="For the driver.")
    each = fields.Boolean(
        string="One for each shipment",
        compute="_compute_each",
        store=True,
        readonly=False,
        help="For carriers that collect shipment by shipment.",
    )

    @api.model
    def default_get(self, fields_list: list[str]) -> dict[str, Any]:
        values = super().default_get(fields_list)
        if pickup := self.env["shipkit.pickup"].browse(values.get("pickup_id")).exists():
            values |= {"account_id": pickup.account_id.id, "address_id": pickup.address_id.id, "day": pickup.day}
        return values

    @api.depends("account_id")
    def _compute_each(self) -> None:
        for wizard in self:
            rules = REGISTRY.carrier(wizard.account_id.plugin).facts().field_rules if wizard.account_id else ()
            # A carrier that has to be told the shipments is one that collects by shipment.
            wizard.each = any(rule.path == "/shipment_ids" and rule.required_when for rule in rules)

    def _domain(self, end: Any) -> list[Any]:
        return self.env["shipkit.shipment"]._to_be_collected(self.account_id, self.address_id, end)

    def action_order(self) -> dict[str, Any]:
        """Store the pickups; the carrier is asked by a button on them, once they are there to stay."""
        self.ensure_one()
        if self.pickup_id:
            self.pickup_id._add(self.shipment_ids)
            return self._shown(self.pickup_id)
        groups = list(self.shipment_ids) if self.each else [self.shipment_ids]
        if not groups:
            raise UserError(self.env._("There is nothing to collect."))
        made = self.env["shipkit.pickup"]
        for shipments in groups:
            pickup = self.env["shipkit.pickup"].create(
                {
                    **self._values(),
                    "ready": self.ready,
                    "close": self.close,
                    "location": self.location,
                    "contact_name": self.contact_name,
                    "instructions": self.instructions,
                }
            )
            pickup._add(shipments)
            made |= pickup
        return self._shown(made)

    def _shown(self, pickups: Any) -> dict[str, Any]:
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_pickup")
        if len(pickups) == 1:
            return action | {"res_id": pickups.id, "view_mode": "form", "views": [(False, "form")]}
        return action | {"domain": [("id", "in", pickups.ids)]}
