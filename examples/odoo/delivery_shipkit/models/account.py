"""Accounts at carriers: whose credentials, for which world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
from odoo import api, fields, models

from shipkit import Registry
from shipkit.carrier import Carrier
from shipkit.config.values import fitted

from ..bridge import client_of, stamp_of

REGISTRY = Registry()
"""The plugins of this process: names are read when they are first asked for, and nothing is imported before."""


def plugin_names(_self: object = None) -> list[tuple[str, str]]:
    """What a selection of carriers offers: the plugins that are installed."""
    return [(name, name) for name in REGISTRY.names()]


class Account(models.Model):
    """An account at a carrier."""

    _name = "shipkit.account"
    _description = "Carrier account"
    _inherit = ["mail.thread"]
    _order = "sequence, name"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    code = fields.Char(
        required=True, copy=False, help="Names the account in the ledger and in environment variables; never changes."
    )
    plugin = fields.Selection(selection="_plugins", string="Carrier", required=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    environment = fields.Selection(
        [
            ("simulator", "Simulator on this machine"),
            ("test", "Test"),
            ("certification", "Certification"),
            ("production", "Production"),
        ],
        required=True,
        default="test",
        copy=False,
    )
    setting_ids = fields.One2many("shipkit.account.setting", "account_id", groups="base.group_system")
    base_url = fields.Char(groups="base.group_system", help="Sends every request elsewhere, such as to a simulator.")
    webhook_url = fields.Char(compute="_compute_webhook_url", groups="base.group_system")

    _code_once = models.Constraint("UNIQUE (code)", "There is an account of this code.")

    @api.model
    def _plugins(self) -> list[tuple[str, str]]:
        return plugin_names()

    def _configured(self) -> tuple[str, Callable[[], Mapping[str, Carrier]]]:
        """A stamp of all usable accounts, and what makes their carriers."""
        accounts = self.with_context(active_test=True).search([], order="id")
        tables = {account.code: account._table_of() for account in accounts}
        return stamp_of(tables), lambda: {code: _carrier(table) for code, table in tables.items()}

    def _table_of(self) -> dict[str, str]:
        self.ensure_one()
        table = {"carrier": self.plugin, **{line.name: line.value for line in self.setting_ids if line.value}}
        if self.environment != "simulator":
            table["environment"] = self.environment
        if self.base_url:
            table["base_url"] = self.base_url
        return table

    def _client(self):
        """The client of this database."""
        return client_of(self.env)


def _carrier(table: Mapping[str, str]) -> Carrier:
    cls = REGISTRY.carrier(table["carrier"])
    known = {field.name: field for field in attrs.fields(cls)}
    return cls(**{name: fitted(text, known[name].type, text=True) for name, text in table.items() if name in known})


class AccountSetting(models.Model):
    """One thing that a carrier wants to know of an account, such as a client id."""

    _name = "shipkit.account.setting"
    _description = "Setting of a carrier account"
    _order = "id"

    account_id = fields.Many2one("shipkit.account", required=True, ondelete="cascade", index=True)
    name = fields.Char(required=True)
    value = fields.Char(copy=False)
    secret = fields.Boolean()
    required = fields.Boolean()
    help = fields.Char()

    _once = models.Constraint("UNIQUE (account_id, name)", "A setting is given once.")
