"""Shipments that are booked at the simulated carrier and stand in the warehouse."""

from __future__ import annotations


class HandingOver:
    """Mixed into test classes: `self.booked_shipment()` and the wizards."""

    def booked_shipment(self):
        """What is booked for a delivery that was validated."""
        picking = self.picking()
        picking.button_validate()
        return picking.shipkit_shipment_ids

    def wizard(self, model, shipments=None, **values):
        """A wizard as the list of shipments opens it."""
        chosen = {"active_model": "shipkit.shipment", "active_ids": shipments.ids} if shipments else {}
        wizards = self.env[model].with_context(**chosen)
        return wizards.create({**wizards.default_get(list(wizards._fields)), **values})
