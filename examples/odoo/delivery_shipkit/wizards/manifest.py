"""Closes the day."""

from __future__ import annotations

from typing import Any

from odoo import models
from odoo.exceptions import UserError

from shipkit.model import Operation


class ManifestWizard(models.TransientModel):
    """The day's shipments of an account that are on no manifest yet."""

    _name = "shipkit.manifest.wizard"
    _description = "Close the day"
    _inherit = ["shipkit.handover.wizard"]
    _operation = Operation.CLOSE_MANIFEST

    def _domain(self, end: Any) -> list[Any]:
        return self.env["shipkit.shipment"]._to_be_manifested(self.account_id, self.address_id, end)

    def action_make(self) -> dict[str, Any]:
        """Store the manifest; the carrier is asked by a button on it, once it is there to stay."""
        self.ensure_one()
        if not self.shipment_ids:
            raise UserError(self.env._("Nothing is open."))
        manifest = self.env["shipkit.manifest"].create(self._values())
        manifest._put_on(self.shipment_ids)
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_manifest")
        return action | {"res_id": manifest.id, "view_mode": "form", "views": [(False, "form")]}
