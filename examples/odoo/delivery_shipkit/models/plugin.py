"""The carriers that are installed, for people to look at: read from the plugins whenever the list is opened."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from odoo import api, fields, models

from shipkit.model import CarrierFacts, Operation, Support
from shipkit.registry import BrokenPlugin

from .account import REGISTRY

_OFFERED = (Support.YES, Support.EMULATED)


class Plugin(models.Model):
    """A plugin of shipkit in this process's Python."""

    _name = "shipkit.plugin"
    _description = "Carrier plugin"
    _order = "name"

    name = fields.Char(readonly=True)
    code = fields.Char(readonly=True)
    distribution = fields.Char(readonly=True)
    version = fields.Char(readonly=True)
    interface = fields.Char(string="Written to", readonly=True)
    broken = fields.Char(readonly=True, help="Why it cannot be loaded.")
    environments = fields.Char(readonly=True)
    services = fields.Integer(readonly=True, help="How many it lists; none where only the account knows them.")
    rates = fields.Boolean(readonly=True)
    cancels = fields.Boolean(readonly=True)
    tracks = fields.Boolean(string="Tracking", readonly=True)
    pushes = fields.Boolean(string="Webhooks", readonly=True)
    returns = fields.Boolean(readonly=True)
    pickups = fields.Boolean(readonly=True)
    manifests = fields.Boolean(readonly=True)
    points = fields.Boolean(string="Service points", readonly=True)
    features = fields.Html(readonly=True, sanitize=False)

    @api.model
    def action_look(self) -> dict[str, Any]:
        """The list, read anew."""
        self.check_access("read")
        self.sudo()._read_plugins()
        return self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_plugin")

    def _read_plugins(self) -> None:
        found = {plugin.name: self._told(plugin) for plugin in REGISTRY.plugins()}
        for row in self.search([]):
            if row.code in found:
                row.write(found.pop(row.code))
            else:
                row.unlink()
        self.create(list(found.values()))

    def _told(self, plugin: Any) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": plugin.name,
            "code": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "broken": plugin.error.message if isinstance(plugin, BrokenPlugin) else False,
        }
        if isinstance(plugin, BrokenPlugin):
            return told
        facts = REGISTRY.carrier(plugin.name).facts()
        operations = {operation for operation, one in facts.operations.items() if one.support in _OFFERED}
        return {
            **told,
            "name": facts.name,
            "interface": facts.interface,
            "environments": ", ".join(sorted(str(each) for each in facts.hosts)),
            "services": len(facts.services),
            "rates": Operation.RATES in operations,
            "cancels": Operation.CANCEL_SHIPMENT in operations,
            "tracks": Operation.TRACK in operations,
            "pushes": facts.webhooks is not None,
            "returns": Operation.CREATE_RETURN in operations,
            "pickups": Operation.BOOK_PICKUP in operations,
            "manifests": Operation.CLOSE_MANIFEST in operations,
            "points": Operation.SERVICE_POINTS in operations,
            "features": self._feature_table(facts),
        }

    def _feature_table(self, facts: CarrierFacts) -> Markup:
        words = {
            Support.YES: self.env._("yes"),
            Support.NO: self.env._("no: the carrier's interface has none"),
            Support.EMULATED: self.env._("from other calls"),
            Support.NOT_YET: self.env._("not yet: the carrier has it, the plugin not"),
        }
        rows = Markup().join(
            Markup("<tr><td>%s</td><td>%s</td><td>%s</td></tr>")
            % (str(operation).replace("_", " "), words[one.support], one.note or "")
            for operation, one in facts.operations.items()
        )
        return Markup('<table class="table table-sm"><tbody>%s</tbody></table>') % rows
