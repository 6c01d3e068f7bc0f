"""Package types of the provider."""

from __future__ import annotations

from odoo import api, fields, models

from .. import compat


class PackageType(models.Model):
    """A kind of package."""

    _inherit = "stock.package.type"

    # Packing passes the shipping method's delivery type here, so our key must be among the values.
    package_carrier_type = fields.Selection(selection_add=[("shipkit", "shipkit")], ondelete={"shipkit": "set default"})

    @api.depends("package_carrier_type")
    def _compute_length_uom_name(self) -> None:
        """Core leaves it open in which unit a carrier's boxes are measured; here it is said."""
        super()._compute_length_uom_name()
        unit = self.env.ref("uom.product_uom_inch" if compat.in_feet(self.env) else "uom.product_uom_millimeter")
        for kind in self.filtered(lambda kind: kind.package_carrier_type == "shipkit"):
            kind.length_uom_name = unit.display_name
