"""What a transfer shows of its shipments, and the fields of OCA's ``delivery_state`` with values mapped down to them.

Where OCA's module is installed beside this one the fields are the same columns. This addon writes those of transfers
that it has shipments of, and leaves all others to the modules of their carriers.
"""

from __future__ import annotations

from odoo import api, fields, models

from shipkit.model import Milestone, Reason

from ..delivery_states import DELIVERY_STATES, delivery_state


class StockPicking(models.Model):
    """A transfer whose goods are on their way."""

    _inherit = "stock.picking"

    shipkit_milestone = fields.Selection(compute="_compute_shipkit_state", store=True)
    shipkit_actor = fields.Selection(compute="_compute_shipkit_state", store=True)
    shipkit_problem = fields.Char(compute="_compute_shipkit_state", store=True)
    delivery_state = fields.Selection(
        DELIVERY_STATES, string="Carrier State", compute="_compute_delivery_state", store=True, copy=False
    )
    date_shipped = fields.Date(string="Shipment Date", compute="_compute_delivery_state", store=True, copy=False)
    date_delivered = fields.Datetime(string="Delivery Date", compute="_compute_delivery_state", store=True, copy=False)
    tracking_state = fields.Char(string="Tracking state", compute="_compute_delivery_state", store=True, copy=False)
    tracking_state_history = fields.Text(
        string="Tracking state history", compute="_compute_tracking_history", store=True, copy=False
    )

    def _shipkit_current(self):
        """The shipment that says how it stands: the newest that is not cancelled, of the transfer's own direction."""
        self.ensure_one()
        shipments = self.sudo().shipkit_shipment_ids
        kind = "return" if self.is_return_picking else "outbound"
        of_kind = shipments.filtered(lambda shipment: shipment.kind == kind) or shipments
        live = of_kind.filtered(lambda shipment: shipment.state != "voided") or of_kind
        return live.sorted("id")[-1:]

    @api.depends(
        "shipkit_shipment_ids.milestone",
        "shipkit_shipment_ids.actor",
        "shipkit_shipment_ids.problem",
        "shipkit_shipment_ids.state",
    )
    def _compute_shipkit_state(self):
        for picking in self:
            current = picking._shipkit_current()
            voided = current.state == "voided"
            picking.shipkit_milestone = "cancelled" if voided else current.milestone
            picking.shipkit_actor = current.actor if not voided else "none"
            picking.shipkit_problem = current.problem if not voided else False

    @api.depends(
        "shipkit_milestone",
        "shipkit_shipment_ids.reason",
        "shipkit_shipment_ids.delivered_at",
        "shipkit_shipment_ids.handed_over_on",
        "shipkit_shipment_ids.booked_at",
    )
    def _compute_delivery_state(self):
        for picking in self:
            current = picking._shipkit_current()
            if not current:  # another carrier's: what its module wrote stays
                picking.delivery_state = picking.delivery_state
                picking.date_shipped = picking.date_shipped
                picking.date_delivered = picking.date_delivered
                picking.tracking_state = picking.tracking_state
                continue
            milestone = Milestone(picking.shipkit_milestone or "unknown")
            reason = Reason(current.reason) if current.reason else None
            picking.delivery_state = delivery_state(milestone, reason)
            picking.date_shipped = current.handed_over_on or (current.booked_at and current.booked_at.date())
            picking.date_delivered = current.delivered_at
            picking.tracking_state = " ".join(filter(None, (milestone.value, current.reason)))

    @api.depends("shipkit_shipment_ids.parcel_ids.event_ids")
    def _compute_tracking_history(self):
        for picking in self:
            current = picking._shipkit_current()
            if not current:
                picking.tracking_state_history = picking.tracking_state_history
                continue
            events = current.parcel_ids.event_ids.sorted(lambda event: (event.printed_at or "", event.id))
            picking.tracking_state_history = "\n".join(
                " - ".join(filter(None, (event.printed_at, event.code, event.description, event.place)))
                for event in events
            )


class DeliveryCarrier(models.Model):
    """A shipping method whose parcels are followed."""

    _inherit = "delivery.carrier"

    def shipkit_tracking_state_update(self, picking):
        """What OCA's cron calls: the timelines of *picking*'s parcels are read again; no carrier is asked."""
        picking.sudo().shipkit_shipment_ids.parcel_ids._project_all()
