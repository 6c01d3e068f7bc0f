"""What a pickup and a manifest are made from: an account, an address, a day, and the shipments that stand there."""

from __future__ import annotations

from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError

from shipkit.model import Operation

from ..models.handover import end_of, support_of, today_in, zone_of


class HandoverWizard(models.AbstractModel):
    """Chooses shipments of one account at one address; what it makes is stored before any carrier is asked."""

    _name = "shipkit.handover.wizard"
    _description = "Choose shipments"
    _operation: Operation

    allowed_account_ids = fields.Many2many("shipkit.account", compute="_compute_allowed_accounts")
    account_id = fields.Many2one(
        "shipkit.account", required=True, domain="[('id', 'in', allowed_account_ids)]", string="Carrier account"
    )
    address_id = fields.Many2one("res.partner", required=True, string="At")
    day = fields.Date(required=True, compute="_compute_day", store=True, readonly=False, precompute=True)
    chosen = fields.Json(help="Ids of the shipments that were chosen in their list.")
    shipment_ids = fields.Many2many(
        "shipkit.shipment", compute="_compute_shipments", store=True, readonly=False, string="Shipments"
    )

    @api.model
    def default_get(self, fields_list: list[str]) -> dict[str, Any]:
        values = super().default_get(fields_list)
        allowed = self._allowed()
        if self.env.context.get("active_model") == "shipkit.shipment" and self.env.context.get("active_ids"):
            chosen = self.env["shipkit.shipment"].browse(self.env.context["active_ids"])
            account, address = chosen.account_id, chosen.origin_id
            if len(account) != 1 or len(address) != 1:
                raise UserError(self.env._("Choose shipments of one account that leave from one address."))
            if account not in allowed:
                note = support_of(account.plugin, self._operation)[1]
                raise UserError(
                    self.env._("%(account)s does not offer this. %(note)s", account=account.name, note=note)
                )
            values |= {"account_id": account.id, "address_id": address.id, "chosen": chosen.ids}
        if "account_id" not in values:
            values["account_id"] = allowed[:1].id
        if "address_id" not in values:
            warehouses = self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1)
            values["address_id"] = warehouses.partner_id.id
        return values

    @api.model
    def _allowed(self):
        """The accounts whose carrier can be asked for this."""
        accounts = self.env["shipkit.account"].search([("company_id", "in", (False, self.env.company.id))])
        return accounts.filtered(lambda account: support_of(account.plugin, self._operation)[0])

    def _compute_allowed_accounts(self) -> None:
        self.allowed_account_ids = self._allowed()

    @api.depends("address_id")
    def _compute_day(self) -> None:
        for wizard in self:
            wizard.day = wizard.day or today_in(zone_of(wizard.address_id or self.env.company.partner_id))

    @api.depends("account_id", "address_id", "day")
    def _compute_shipments(self) -> None:
        for wizard in self:
            found = self.env["shipkit.shipment"]
            if wizard.account_id and wizard.address_id and wizard.day:
                end = end_of(wizard.day, zone_of(wizard.address_id))
                found = found.search(wizard._domain(end), order="id")
            if chosen := set(wizard.chosen or ()):
                found &= found.browse(chosen)
            wizard.shipment_ids = found

    def _domain(self, end: Any) -> list[Any]:
        """What can be chosen."""
        raise NotImplementedError

    def _values(self) -> dict[str, Any]:
        return {
            "account_id": self.account_id.id,
            "address_id": self.address_id.id,
            "day": self.day,
            "company_id": (self.account_id.company_id or self.env.company).id,
        }
