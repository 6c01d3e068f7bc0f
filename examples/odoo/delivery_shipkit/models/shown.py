"""What people look at and press on transfers, shipments and parcels."""

from __future__ import annotations

import json
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class StockPicking(models.Model):
    """A transfer and what a person wants to know of its parcels."""

    _inherit = "stock.picking"

    shipkit_parcel_ids = fields.Many2many(
        "shipkit.parcel", string="Parcels", compute="_compute_shipkit_looked_at", compute_sudo=True
    )
    shipkit_event_ids = fields.Many2many(
        "shipkit.event", string="Journey", compute="_compute_shipkit_looked_at", compute_sudo=True
    )
    shipkit_promised_on = fields.Date(string="Promised for", compute="_compute_shipkit_looked_at", compute_sudo=True)
    shipkit_expected_on = fields.Date(string="Expected on", compute="_compute_shipkit_looked_at", compute_sudo=True)
    shipkit_late = fields.Boolean(
        string="Late", compute="_compute_shipkit_looked_at", search="_search_shipkit_late", compute_sudo=True
    )
    shipkit_shipment_count = fields.Integer(
        string="Number of shipments", compute="_compute_shipkit_looked_at", compute_sudo=True
    )

    @api.depends("shipkit_shipment_ids.parcel_ids.event_ids", "shipkit_shipment_ids.late")
    def _compute_shipkit_looked_at(self) -> None:
        for picking in self:
            shipments = picking.shipkit_shipment_ids
            live = shipments.filtered(lambda shipment: shipment.state != "voided")
            picking.shipkit_shipment_count = len(shipments)
            picking.shipkit_parcel_ids = live.parcel_ids
            picking.shipkit_event_ids = live.parcel_ids.event_ids
            picking.shipkit_promised_on = max(filter(None, live.mapped("promised_on")), default=False)
            picking.shipkit_expected_on = max(filter(None, live.mapped("expected_on")), default=False)
            picking.shipkit_late = any(live.mapped("late"))

    def _search_shipkit_late(self, operator: str, value: Any) -> Domain:
        if operator not in ("in", "not in"):
            return NotImplemented
        late = Domain("shipkit_shipment_ids", "any", [("late", "=", True), ("state", "!=", "voided")])
        return late if (True in value) == (operator == "in") else ~late

    def action_shipkit_shipments(self) -> dict[str, Any]:
        """The shipments of this transfer."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_shipment")
        shipments = self.shipkit_shipment_ids
        action.update(domain=[("id", "in", shipments.ids)], context={})
        if len(shipments) == 1:
            action.update(views=[(False, "form")], res_id=shipments.id)
        return action


class Shipment(models.Model):
    """A shipment with its papers at hand."""

    _inherit = "shipkit.shipment"

    event_ids = fields.Many2many("shipkit.event", string="Journey", compute="_compute_event_ids")

    @api.depends("parcel_ids.event_ids")
    def _compute_event_ids(self) -> None:
        for shipment in self:
            shipment.event_ids = shipment.parcel_ids.event_ids

    def action_open_picking(self) -> dict[str, Any]:
        """The transfer that it was booked for."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "stock.picking",
            "res_id": self.picking_id.id,
            "views": [(False, "form")],
        }


class Parcel(models.Model):
    """A parcel with its label and its tracking page at hand."""

    _inherit = "shipkit.parcel"

    link = fields.Char(string="Tracking page", compute="_compute_link")

    @api.depends("name", "shipment_id.picking_id.carrier_tracking_url")
    def _compute_link(self) -> None:
        for parcel in self:
            if parcel.shipment_id.kind == "return":  # its transfer, a delivery maybe, has the address of the way out
                method = parcel.shipment_id.carrier_id
                parcel.link = (parcel.name and method and method._shipkit_page(parcel.name)) or False
                continue
            parcel.link = link_of(parcel.shipment_id.picking_id.carrier_tracking_url or "", parcel.name)

    def action_open_label(self) -> dict[str, Any]:
        """Show the label, to be printed."""
        self.ensure_one()
        if not self.attachment_id:
            raise UserError(self.env._("There is no label of this parcel."))
        return _shown(self.attachment_id)

    def action_open_link(self) -> dict[str, Any]:
        """The carrier's page about this parcel."""
        self.ensure_one()
        if not self.link:
            raise UserError(self.env._("The carrier has no page about this parcel."))
        return {"type": "ir.actions.act_url", "url": self.link, "target": "new"}

    def action_open_proof(self) -> dict[str, Any]:
        """Show the proof of delivery."""
        self.ensure_one()
        if not self.proof_attachment_id:
            raise UserError(self.env._("There is no proof of delivery of this parcel."))
        return _shown(self.proof_attachment_id)


def _shown(attachment: Any) -> dict[str, Any]:
    return {"type": "ir.actions.act_url", "url": f"/web/content/{attachment.id}", "target": "new"}


def link_of(url: str, number: str) -> str | bool:
    """Of a transfer's address, which is a list as text where there are several parcels, that of *number*."""
    if not url.startswith("["):
        return url or False
    return next((address for name, address in json.loads(url) if name == number), False)
