"""Transfers that bring goods back, and the shipments that carry them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from odoo import fields, models

from shipkit.model import ReturnShipment

from .. import compat


class StockReturnPicking(models.TransientModel):
    """The wizard that makes a return."""

    _inherit = "stock.return.picking"

    def _reset_carrier_id(self, picking):
        """A carrier that brings goods back stays on what a customer returns; core takes every carrier away."""
        carrier = picking.carrier_id
        super()._reset_carrier_id(picking)
        if carrier.delivery_type == "shipkit" and carrier.can_generate_return and picking._shipkit_comes_back():
            picking.carrier_id = carrier


class StockPicking(models.Model):
    """A transfer with a way back."""

    _inherit = "stock.picking"

    shipkit_can_return = fields.Boolean(related="carrier_id.can_generate_return", string="Carrier brings goods back")

    def _shipkit_comes_back(self) -> bool:
        """Whether a customer returns it: it is not ours to send."""
        self.ensure_one()
        return self.location_id.usage == "customer"

    def _shipkit_delivery(self):
        """The delivery that this transfer brings back, or is."""
        self.ensure_one()
        return self.return_id or self.move_ids.origin_returned_move_id.picking_id[:1] or self

    def _shipkit_out(self):
        """What it left by."""
        return self.sudo()._shipkit_live()[:1]

    def _shipkit_return_key(self) -> str:
        """Names its way back in the ledger."""
        self.ensure_one()
        return f"return-{self.id}"

    def _shipkit_ways_back(self):
        """The ways back that were booked for these transfers and not cancelled."""
        domain = [("picking_id", "in", self.ids), ("kind", "=", "return"), ("state", "!=", "voided")]
        return self.env["shipkit.shipment"].sudo().search(domain)

    def _shipkit_keep_return(self, method: Any, back: ReturnShipment, weight: Decimal) -> None:
        """Record what was booked, and attach its label under the name by which core finds it."""
        self.ensure_one()
        booked = back.shipment
        if booked is None:
            self._shipkit_attach_papers(method, back)
            return
        shipments, key = self.env["shipkit.shipment"].sudo(), self._shipkit_return_key()
        generation = booked.generation or 1
        shipment = shipments.search([("key", "=", key), ("generation", "=", generation)], limit=1)
        shipments._end_earlier(key, generation)
        if shipment:
            shipment._bring_up_to_date(booked)
        else:
            goods = compat.Content(self.env["stock.package"], method.shipkit_packaging_id, self.move_line_ids, weight)
            values = self._shipkit_values(booked, [goods])
            own = {"kind": "return", "key": key, "carrier_id": method.id, "picking_ids": [(6, 0, self.ids)]}
            shipment = shipments.create(values | own)
        shipment._attach(booked)
        self.invalidate_recordset(["return_label_ids"])
        if self._shipkit_comes_back():
            self.carrier_tracking_ref = ",".join(shipment._numbers())
        # Core does so after the button; a label that is found later comes by another way.
        if method.get_return_label_from_portal:
            self.return_label_ids.generate_access_token()

    def _shipkit_attach_papers(self, method: Any, back: ReturnShipment) -> None:
        """The papers of a way back that the carrier books when the parcel comes."""
        prefix, there = method.get_return_label_prefix(), self.return_label_ids.mapped("name")
        papers = [(f"{prefix}-{number}.{each.format}", each.content) for number, each in enumerate(back.documents, 1)]
        if new := [(name, content) for name, content in papers if content and name not in there]:
            self.message_post(body=self.env._("Papers of the way back"), attachments=new)
            self.invalidate_recordset(["return_label_ids"])

    def _shipkit_for_customers(self) -> list[dict[str, Any]]:
        """What the portal shows of the parcels: where they are, in words, and the carriers' pages; nobody's data."""
        self.ensure_one()
        live = self.sudo().shipkit_shipment_ids.filtered(lambda shipment: shipment.state != "voided")
        words = dict(live._fields["milestone"]._description_selection(self.env))
        return [
            {
                "number": parcel.name,
                "link": parcel.link,
                "back": parcel.shipment_id.kind == "return",
                "words": words[parcel.milestone] if parcel.milestone != "unknown" else self.env._("Booked"),
                "delivered": parcel.milestone == "delivered",
                "expected_on": parcel.shipment_id.expected_on or parcel.shipment_id.promised_on,
            }
            for parcel in live.parcel_ids
        ]

    def send_to_shipper(self):
        """Nothing of a return is sent: not by its button, and not where its type of operation is that of deliveries."""
        if self.delivery_type == "shipkit" and self._shipkit_comes_back():
            return None
        return super().send_to_shipper()


class Shipment(models.Model):
    """A shipment that comes back."""

    _inherit = "shipkit.shipment"

    def _file_name(self, booked, number: int, paper) -> str:
        name = super()._file_name(booked, number, paper)
        if self.kind == "return" and name.startswith(out := self.carrier_id._get_delivery_label_prefix()):
            return self.carrier_id.get_return_label_prefix() + name.removeprefix(out)
        return name

    def action_void_return(self) -> None:
        """Cancel a way back; its label is no longer shown to anybody.

        Raises:
            UserError: the carrier does not, or its answer is not known.
        """
        self.check_access("read")
        self.picking_id.check_access("write")
        self.sudo().filtered(lambda shipment: shipment.kind == "return" and shipment.state != "voided")._cancel()
