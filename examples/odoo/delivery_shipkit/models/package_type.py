"""Package types of the provider."""

from __future__ import annotations

from odoo import fields, models


class PackageType(models.Model):
    """A kind of package."""

    _inherit = "stock.package.type"

    # Packing passes the shipping method's delivery type here, so our key must be among the values.
    package_carrier_type = fields.Selection(selection_add=[("shipkit", "shipkit")], ondelete={"shipkit": "set default"})
