"""The end of the day: what is handed over together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from shipkit.errors import ConflictError
from shipkit.model import ManifestEntry, ManifestRequest, ManifestState, Operation

from .. import compat
from ..bridge import client_of, in_odoos_words
from .handover import UNDER_OUR_ROOF, support_of


class Manifest(models.Model):
    """A list of shipments that was closed with the carrier."""

    _name = "shipkit.manifest"
    _description = "End-of-day manifest"
    _inherit = ["shipkit.handover"]
    _order = "day desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, copy=False, default="New", readonly=True)
    account_id = fields.Many2one("shipkit.account", required=True, check_company=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    address_id = fields.Many2one("res.partner", required=True)
    day = fields.Date(required=True)
    manifest_ref = fields.Char(string="Carrier's number", copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("open", "Open"), ("closing", "Closing"), ("closed", "Closed"), ("failed", "Failed")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    shipment_ids = fields.One2many("shipkit.shipment", "manifest_id")
    attachment_ids = fields.Many2many("ir.attachment", copy=False, string="Documents")
    line_ids = fields.One2many("shipkit.manifest.line", "manifest_id")
    refused_count = fields.Integer(compute="_compute_refused_count", string="Not accepted")

    @api.depends("line_ids.state")
    def _compute_refused_count(self) -> None:
        for manifest in self:
            manifest.refused_count = len(manifest.line_ids.filtered(lambda line: line.state == "refused"))

    @api.constrains("account_id")
    def _check_account(self) -> None:
        for manifest in self:
            can, note = support_of(manifest.account_id.plugin, Operation.CLOSE_MANIFEST)
            if not can:
                plugin = manifest.account_id.plugin
                raise ValidationError(self.env._("%(plugin)s takes no manifests. %(note)s", plugin=plugin, note=note))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self) -> None:
        for manifest in self:
            if manifest.state != "failed" and manifest._is_asked():
                raise UserError(self.env._("The carrier has %s, or may have it: it stays.", manifest.name))

    def action_close(self) -> None:
        """Close the day with the carrier; asked again, such as after a rollback, it is the same manifest."""
        self.ensure_one()
        if self.state not in ("draft", "open"):
            return
        lines = self.line_ids.filtered(lambda line: line.shipment_id.state == "confirmed")
        (self.line_ids - lines).sudo().unlink()  # cancelled since
        if not lines:
            raise UserError(self.env._("There is nothing on this manifest."))
        refs = {ref: line for line in lines for ref in line.shipment_id._booking_refs()}
        request = ManifestRequest(
            ship_from=compat.party_of(self.address_id, what=self.env._("the address of the manifest")),
            day=self.day,
            shipment_ids=tuple(refs),
        )
        with in_odoos_words(self.env):
            try:
                closed = client_of(self.env).close_manifest(
                    request, account=self.account_id.sudo().code, key=self._key()
                )
            except ConflictError as conflict:
                raise UserError(
                    self.env._(
                        "The carrier closed this manifest with other shipments, in an attempt that was lost here. "
                        "Put back the shipments that were on it."
                    )
                ) from conflict
        self._take(closed, refs)

    def _take(self, closed: Any, refs: dict[str, Any]) -> None:
        """What the carrier accepted is handed over; the rest stays open for another one."""
        entries: dict[Any, list[ManifestEntry]] = defaultdict(list)
        for entry in closed.entries:
            if entry.shipment_id in refs:
                entries[refs[entry.shipment_id]].append(entry)
        for line in self.line_ids:
            line.sudo()._take(entries[line], failed=closed.state is ManifestState.FAILED)
        self.write({"state": closed.state.value, "manifest_ref": closed.manifest_id})
        self.attachment_ids = self._kept(closed.documents)
        said = "; ".join(message.text for message in closed.messages if message.text)
        told = self.env._(
            "Manifest %(number)s: %(accepted)s accepted, %(refused)s not.",
            number=closed.manifest_id,
            accepted=len(self.line_ids) - self.refused_count,
            refused=self.refused_count,
        )
        self.message_post(body=f"{told} {said}" if said else told, attachment_ids=self.attachment_ids.ids)

    def _kept(self, documents: Any):
        names = (f"{self.name.replace('/', '-')}-{index}" for index in range(1, len(documents) + 1))
        return self.env["ir.attachment"].create(
            [
                {
                    "name": f"{name}.{document.format.value}",
                    "raw": document.content,
                    "res_model": self._name,
                    "res_id": self.id,
                }
                for name, document in zip(names, documents, strict=True)
                if document.content is not None
            ]
        )

    def action_print(self) -> dict[str, Any]:
        """The paper that the driver scans or signs."""
        self.ensure_one()
        if not self.attachment_ids:
            raise UserError(self.env._("The carrier gave no document for this manifest."))
        return {"type": "ir.actions.act_url", "url": f"/web/content/{self.attachment_ids[:1].id}", "target": "new"}

    def action_discard(self) -> dict[str, Any]:
        """Give the shipments of a draft free again."""
        self.ensure_one()
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be discarded."))
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_manifest")
        self.sudo().unlink()
        return action

    def _put_on(self, shipments: Any) -> None:
        """Put *shipments* on this draft."""
        self.ensure_one()
        self.env["shipkit.manifest.line"].sudo().create(
            [{"manifest_id": self.id, "shipment_id": shipment.id} for shipment in shipments.sorted("id")]
        )
        shipments.sudo().manifest_id = self


class ManifestLine(models.Model):
    """One shipment on a manifest, and what the carrier made of it."""

    _name = "shipkit.manifest.line"
    _description = "Shipment on a manifest"
    _order = "id"

    manifest_id = fields.Many2one("shipkit.manifest", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="manifest_id.company_id", store=True)
    shipment_id = fields.Many2one("shipkit.shipment", required=True, ondelete="cascade", index=True)
    picking_id = fields.Many2one(related="shipment_id.picking_id")
    state = fields.Selection(
        [("new", "To be closed"), ("accepted", "Accepted"), ("refused", "Not accepted")], required=True, default="new"
    )
    code = fields.Char(string="Carrier's code")
    text = fields.Char(string="Carrier's words")

    _once = models.Constraint("UNIQUE (manifest_id, shipment_id)", "A shipment is on a manifest once.")

    def _take(self, entries: list[ManifestEntry], *, failed: bool) -> None:
        """A shipment is accepted when every booking of it is."""
        accepted = bool(entries) and not failed and all(entry.accepted for entry in entries)
        refusal = next((entry for entry in entries if not entry.accepted), None) if not accepted else None
        self.write(
            {
                "state": "accepted" if accepted else "refused",
                "code": refusal.carrier_code if refusal else False,
                "text": refusal.text if refusal else False,
            }
        )
        if accepted:
            self.shipment_id.state = "manifested"
        else:
            self.shipment_id.manifest_id = False


class Shipment(models.Model):
    """A shipment that is on a manifest."""

    _inherit = "shipkit.shipment"

    @api.model
    def _to_be_manifested(self, account: Any, address: Any, end: Any) -> list[Any]:
        """Domain of what can be closed there at the end of a day: booked, not cancelled, and on no manifest."""
        return [
            ("account_id", "=", account.id),
            ("kind", "=", "outbound"),
            ("state", "=", "confirmed"),
            ("milestone", "in", UNDER_OUR_ROOF),
            ("origin_id", "=", address.id),
            ("booked_at", "<", end),
            ("manifest_id", "=", False),
        ]
