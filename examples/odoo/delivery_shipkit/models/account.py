"""Accounts at carriers: whose credentials, for which world."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from shipkit import Registry
from shipkit.carrier import Carrier
from shipkit.config import AccountField, account_carrier, account_fields, overriding_variables
from shipkit.errors import InputError, ShipkitError

from ..bridge import Unusable, is_neutralized, stamp_of
from ..simulation import simulator_url

REGISTRY = Registry()
"""The plugins of this process: names are read when they are first asked for, and nothing is imported before."""

OWN_FIELDS = frozenset({"environment", "base_url"})
"""What the account has fields of its own for; the carrier's other fields are its settings."""
FIXED = {"code", "plugin", "environment"}
"""What the ledger's keys hang on: under another one, what was booked could not be found again."""


def plugin_names(_self: object = None) -> list[tuple[str, str]]:
    """What a selection of carriers offers: the plugins that are installed."""
    return [(name, name) for name in REGISTRY.names()]


def fields_of(plugin: str) -> tuple[AccountField, ...]:
    """What *plugin* wants to know of an account beside its world; nothing where it is missing or broken."""
    try:
        return tuple(each for each in account_fields(REGISTRY.carrier(plugin)) if each.name not in OWN_FIELDS)
    except ShipkitError:
        return ()


class Account(models.Model):
    """An account at a carrier."""

    _name = "shipkit.account"
    _description = "Carrier account"
    _inherit = ["mail.thread"]
    _order = "sequence, name"
    _check_company_auto = True

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Names the account in the ledger and in environment variables; never changes once it was used.",
    )
    plugin = fields.Selection(selection="_plugins", string="Carrier", required=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company, index=True)
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
        tracking=True,
    )
    setting_ids = fields.One2many("shipkit.account.setting", "account_id", groups="base.group_system")
    base_url = fields.Char(
        string="Other address",
        groups="base.group_system",
        help="Sends every request elsewhere, such as to a simulator.",
    )
    webhook_url = fields.Char(compute="_compute_webhook_url", groups="base.group_system")
    problem = fields.Char(
        compute="_compute_problem", compute_sudo=True, help="Why nothing can be sent through it, in words."
    )
    used = fields.Boolean(compute="_compute_used", compute_sudo=True, help="Something was booked through it.")
    variables = fields.Char(
        string="Environment variables", compute="_compute_variables", help="How a variable of this account begins."
    )
    checked_at = fields.Datetime(readonly=True, copy=False)
    check_result = fields.Char(string="Last check", readonly=True, copy=False)

    _code_once = models.Constraint("UNIQUE (code)", "There is an account of this code.")

    @api.model
    def _plugins(self) -> list[tuple[str, str]]:
        """Those that are installed, and those that accounts name although they are not."""
        names = plugin_names()
        self.env.cr.execute("SELECT DISTINCT plugin FROM shipkit_account WHERE plugin IS NOT NULL")
        known = {name for name, _label in names}
        gone = sorted(name for (name,) in self.env.cr.fetchall() if name not in known)
        return names + [(name, self.env._("%s (not installed)", name)) for name in gone]

    # What it is worth

    @api.depends("code")
    def _compute_variables(self) -> None:
        for account in self:
            account.variables = f"SHIPKIT_ACCOUNTS__{_spelled(account.code)}__" if account.code else ""

    @api.depends("plugin", "environment", "base_url", "code", "setting_ids.content")
    def _compute_problem(self) -> None:
        for account in self:
            try:
                account.plugin and account._carrier(account._table_of(asked=False))
                account.problem = False
            except Unusable as unusable:
                account.problem = str(unusable)

    def _compute_used(self) -> None:
        for account in self:
            account.used = bool(account._origin) and account._is_used()

    def _is_used(self) -> bool:
        """Whether the ledger or a shipment knows it."""
        shipments = self.env["shipkit.shipment"].sudo()
        if shipments.search_count([("account_id", "=", self._origin.id)], limit=1):
            return True
        self.env.cr.execute("SELECT to_regclass('shipkit.shipkit_ledger')")
        if self.env.cr.fetchone()[0] is None:
            return False
        self.env.cr.execute("SELECT 1 FROM shipkit.shipkit_ledger WHERE account = %s LIMIT 1", (self._origin.code,))
        return self.env.cr.fetchone() is not None

    # Making carriers

    def _configured(self) -> tuple[str, Callable[[], tuple[dict[str, Carrier], dict[str, str]]]]:
        """A stamp of all accounts, and what makes their carriers and the words for those that cannot be made."""
        # Archived ones take nothing new, and what was booked through them is still followed, ended and cancelled.
        accounts = self.with_context(active_test=False).search([], order="id")
        tables = {account.code: account._table_of() for account in accounts}
        neutralized = is_neutralized(self.env)
        outside = sorted(each for each in os.environ.items() if each[0].startswith("SHIPKIT_ACCOUNTS__"))
        by_code = {account.code: account for account in accounts}

        def made() -> tuple[dict[str, Carrier], dict[str, str]]:
            carriers, words = {}, {}
            for code, table in tables.items():
                try:
                    carriers[code] = by_code[code]._carrier(table)
                except Unusable as unusable:
                    words[code] = str(unusable)
            return carriers, words

        return stamp_of(tables, outside, neutralized, self._debugged()), made

    def _table_of(self, *, asked: bool = True) -> dict[str, str]:
        """What the account is made from, as texts; the simulator is started where the carrier is to be *asked*."""
        self.ensure_one()
        table = {"carrier": self.plugin or ""}
        table.update((line.name, line.content) for line in self.setting_ids if line.content)
        if self.base_url:
            table["base_url"] = self.base_url
        if self.environment == "simulator":
            for field in fields_of(self.plugin or ""):
                if field.required and field.name not in table:  # it takes any
                    table[field.name] = "1" if field.kind == "whole" else "demo"
            if asked and not self.base_url and not is_neutralized(self.env):
                table["base_url"] = simulator_url(self.env.cr.dbname, self.plugin)
        else:
            table["environment"] = self.environment
        return table

    def _carrier(self, table: Mapping[str, str]) -> Carrier:
        """The carrier of *table*.

        Raises:
            Unusable: it cannot be had; the message is for people and holds no secret.
        """
        self.ensure_one()
        values = {name: text for name, text in table.items() if name != "carrier"}
        try:
            if self.environment == "simulator" and table.get("base_url", "") == "":
                values["base_url"] = "http://127.0.0.1"  # nothing of a simulator's account ever leaves the machine
            carrier = account_carrier(table["carrier"], values, alias=self.code or "new", registry=REGISTRY)
            known = carrier.facts().hosts
        except InputError as error:
            raise Unusable(_words(error)) from None
        except ShipkitError as error:
            raise Unusable(error.message or error.code) from None
        if str(carrier.environment) == "production":
            if self.environment != "production":
                raise Unusable(_("The credentials are of production, and the account is not."))
            if is_neutralized(self.env):
                raise Unusable(_("This database is neutralized: accounts of production rest in it."))
            if _is_loopback(carrier.base_url):
                raise Unusable(_("An account of production cannot go to an address on this machine."))
        elif self.environment == "production":
            raise Unusable(_("The credentials are of the carrier's test world, and the account is of production."))
        if carrier.environment not in known and not carrier.base_url:
            raise Unusable(_("This carrier has no such environment; it has: %s", ", ".join(sorted(map(str, known)))))
        return carrier

    @api.model
    def _debugged(self) -> tuple[str, ...]:
        """The codes of accounts whose exchanges are to be written to the log that administrators read."""
        methods = self.env["delivery.carrier"].sudo().with_context(active_test=False)
        chosen = methods.search([("debug_logging", "=", True), ("shipkit_account_id", "!=", False)])
        return tuple(sorted(set(chosen.shipkit_account_id.mapped("code"))))

    # Keeping it whole

    @api.onchange("plugin")
    def _onchange_plugin(self) -> None:
        names = {field.name for field in fields_of(self.plugin or "")}
        kept = self.setting_ids.filtered(lambda line: line.name in names)
        missing = [name for name in self._setting_names() if name not in kept.mapped("name")]
        self.setting_ids = kept
        self.setting_ids = [fields.Command.create({"name": name}) for name in missing]
        if self.plugin and not self.code:
            self.code = self._free_code(self.plugin.replace("_", "-"))

    def _setting_names(self) -> list[str]:
        return [field.name for field in fields_of(self.plugin or "")]

    def _free_code(self, wanted: str) -> str:
        taken = {_spelled(code) for code in self.sudo().with_context(active_test=False).search([]).mapped("code")}
        code, number = wanted, 1
        while _spelled(code) in taken:
            number += 1
            code = f"{wanted}-{number}"
        return code

    def _add_settings(self) -> None:
        """A line for everything that the carrier wants to know."""
        lines = self.env["shipkit.account.setting"].sudo()
        for account in self.sudo():
            there = set(account.setting_ids.mapped("name"))
            missing = [name for name in account._setting_names() if name not in there]
            lines.create([{"account_id": account.id, "name": name} for name in missing])

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts._add_settings()
        return accounts

    def write(self, vals):
        for account in self:
            changed = {name for name in FIXED & set(vals) if vals[name] != account[name]}
            if changed and account._is_used():
                raise UserError(
                    _("Something was booked through %s: its code, carrier and environment stay. Make another account.")
                    % account.name
                )
        done = super().write(vals)
        if {"plugin", "setting_ids"} & set(vals):
            self._add_settings()
        return done

    def copy_data(self, default=None):
        copies = super().copy_data(default)
        for account, vals in zip(self, copies, strict=True):
            vals.setdefault("code", account._free_code(account.code))
            vals.setdefault("name", _("%s (copy)", account.name))
        return copies

    @api.ondelete(at_uninstall=False)
    def _unlink_only_unused(self) -> None:
        for account in self:
            if account._is_used():
                raise UserError(_("Something was booked through %s: archive it instead.") % account.name)

    @api.constrains("code")
    def _check_code(self) -> None:
        taken: dict[str, str] = {}
        for account in self.sudo().with_context(active_test=False).search([]):
            spelled = _spelled(account.code)
            if not re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", account.code):
                raise ValidationError(_("A code is of small letters and digits, with single hyphens between them."))
            if spelled in taken:
                raise ValidationError(
                    _("%(one)s and %(other)s would have the same environment variables.")
                    % {"one": account.code, "other": taken[spelled]}
                )
            taken[spelled] = account.code

    @api.constrains("environment", "base_url")
    def _check_address(self) -> None:
        for account in self.sudo():
            if account.environment == "simulator" and account.base_url and not _is_loopback(account.base_url):
                raise ValidationError(_("A simulator is on this machine: its address is one of loopback."))


class AccountSetting(models.Model):
    """One thing that a carrier wants to know of an account, such as a client id."""

    _name = "shipkit.account.setting"
    _description = "Setting of a carrier account"
    _order = "id"

    account_id = fields.Many2one("shipkit.account", required=True, ondelete="cascade", index=True)
    plugin = fields.Selection(related="account_id.plugin")
    name = fields.Char(required=True)
    # What was typed is read by the server alone: no group has it, so it is in no form, no export and no search.
    content = fields.Char(groups=fields.NO_ACCESS, copy=False)
    value = fields.Char(
        compute="_compute_value",
        inverse="_inverse_value",
        copy=False,
        help="A secret can be written and is not shown again; a minus alone takes it away.",
    )
    label = fields.Char(compute="_compute_meaning")
    secret = fields.Boolean(compute="_compute_meaning")
    required = fields.Boolean(compute="_compute_meaning")
    help = fields.Char(string="Meaning", compute="_compute_meaning")
    state = fields.Selection(
        [
            ("given", "Given"),
            ("outside", "From the environment"),
            ("default", "Usual"),
            ("missing", "Missing"),
            ("unknown", "Unknown to the carrier"),
        ],
        compute="_compute_state",
        compute_sudo=True,
    )

    _once = models.Constraint("UNIQUE (account_id, name)", "A setting is given once.")

    @api.depends("name", "account_id.plugin")
    def _compute_meaning(self) -> None:
        for line in self:
            field = line._field()
            line.label = field.label if field else line.name
            # What nobody can explain may be a secret.
            line.secret = field.secret if field else True
            line.required = bool(field and field.required)
            line.help = " ".join(filter(None, [field.help, _choices(field)])) if field else ""

    @api.depends("content", "secret")
    def _compute_value(self) -> None:
        for line in self:
            line.value = False if line.secret else line.sudo().content

    def _inverse_value(self) -> None:
        for line in self:
            if line.value == "-":
                line.sudo().content = False
            elif line.value or not line.secret:
                line.sudo().content = line.value and line.value.strip()

    @api.depends("name", "content", "required", "account_id.code", "account_id.environment")
    def _compute_state(self) -> None:
        for line in self:
            field = line._field()
            if field is None:
                line.state = "unknown"
            elif line.account_id.code and line.name in overriding_variables(line.account_id.code):
                line.state = "outside"
            elif line.content:
                line.state = "given"
            else:
                line.state = "missing" if field.required and not line._simulated() else "default"

    def _simulated(self) -> bool:
        """A simulator takes whatever it is shown, and so needs nothing."""
        return self.account_id.environment == "simulator"

    def _field(self) -> AccountField | None:
        return next((each for each in fields_of(self.account_id.plugin or "") if each.name == self.name), None)


def _choices(field: AccountField) -> str:
    if field.choices:
        return _("One of: %s.", ", ".join(field.choices))
    return _("Without it: %s.", field.default) if field.default else ""


def _spelled(code: str) -> str:
    """*code* as environment variables have it."""
    return re.sub(r"[^A-Z0-9]+", "_", (code or "").upper())


def _words(error: InputError) -> str:
    """What is wrong with each field, by its own name."""
    said = [
        (problem.path.rpartition("/")[2] if problem.path.count("/") > 2 else "", problem.text)
        for problem in error.problems
    ]  # the path is /accounts/CODE/FIELD
    return "; ".join(
        f"{name}: {text}" if name not in ("", "carrier") and name not in text else text for name, text in said
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
