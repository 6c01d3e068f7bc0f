"""Shipments that are booked at the simulated carrier and stand in the warehouse."""

from __future__ import annotations

from odoo import fields

from shipkit import Package, ShipmentRequest, Weight, WeightUnit

from ..compat import party_of


class HandingOver:
    """Mixed into test classes: `self.booked_shipment()`, without a transfer being validated."""

    def booked_shipment(self, *, weight="2.4"):
        """A delivery that was booked."""
        picking = self.picking()
        request = ShipmentRequest(
            ship_from=party_of(self.warehouse.partner_id, what=""),
            ship_to=party_of(self.customer, what=""),
            packages=(Package(ref="1", weight=Weight(weight, WeightUnit.KG)),),
            service=self.SERVICE,
            reference=picking.name,
        )
        key = f"picking-{picking.id}"
        booked = self.client.create_shipment(request, account=self.account.code, key=key)
        return self.env["shipkit.shipment"].create(
            {
                "name": booked.shipment_id,
                "key": key,
                "picking_id": picking.id,
                "company_id": picking.company_id.id,
                "carrier_id": self.carrier.id,
                "account_id": self.account.id,
                "plugin": self.PLUGIN,
                "service": booked.service,
                "booked_at": fields.Datetime.now(),
                "parcel_ids": [
                    (0, 0, {"position": 1, "name": str(booked.packages[0].tracking_number), "weight": float(weight)})
                ],
            }
        )

    def wizard(self, model, shipments=None, **values):
        """A wizard as the list of shipments opens it."""
        chosen = {"active_model": "shipkit.shipment", "active_ids": shipments.ids} if shipments else {}
        wizards = self.env[model].with_context(**chosen)
        return wizards.create({**wizards.default_get(list(wizards._fields)), **values})
