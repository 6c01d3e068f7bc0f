"""Shipments that are booked at the simulated carrier and stand in the warehouse."""

from __future__ import annotations

from odoo.tests import Form


class HandingOver:
    """Mixed into test classes: `self.booked_shipment()` and the wizards."""

    def booked_shipment(self, **values):
        """What is booked for a delivery that was validated."""
        picking = self.picking(**values)
        picking.button_validate()
        return picking.shipkit_shipment_ids

    def wizard(self, model, shipments=None, pickup=None, **values):
        """A wizard as a person fills it, opened from a list of shipments, from a pickup, or from a menu."""
        context = {"default_pickup_id": pickup.id} if pickup else {}
        if shipments:
            context |= {"active_model": "shipkit.shipment", "active_ids": shipments.ids}
        form = Form(self.env[model].with_context(**context))
        for name, value in values.items():
            setattr(form, name, value)
        return form.save()
