"""Shipping methods of the provider ``shipkit``: which account, which service, which label, which options."""

from __future__ import annotations

import json
from decimal import Decimal

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from shipkit.constraints.found import Found
from shipkit.constraints.schema import check_options
from shipkit.errors import PluginError
from shipkit.model import LabelSpec, OptionCode, PageSize

from ..facts import all_facts, capabilities_of, label_value, label_words, labels_of
from .account import REGISTRY


class DeliveryCarrier(models.Model):
    """A shipping method."""

    _inherit = "delivery.carrier"

    delivery_type = fields.Selection(selection_add=[("shipkit", "shipkit")], ondelete={"shipkit": "set default"})
    shipkit_account_id = fields.Many2one(
        "shipkit.account",
        string="Carrier account",
        ondelete="restrict",
        help="Whose credentials at which carrier. A method with an account for production works only while its own "
        "switch stands at production, and one with any other account only while it stands at test.",
    )
    shipkit_plugin = fields.Selection(related="shipkit_account_id.plugin", store=True, readonly=True)
    shipkit_environment = fields.Selection(related="shipkit_account_id.environment", string="Account's environment")
    shipkit_service_code = fields.Char(
        string="Service code",
        help="The carrier's own code of the service; at an aggregator carrier/code. Empty: the cheapest.",
    )
    shipkit_service = fields.Selection(
        selection="_shipkit_services",
        string="Service",
        compute="_compute_shipkit_service",
        inverse="_inverse_shipkit_service",
        help="Empty: the cheapest that the account offers.",
    )
    shipkit_label_format = fields.Selection(
        selection="_shipkit_label_formats", string="Label", help="Empty: the carrier's first."
    )
    shipkit_packaging_id = fields.Many2one(
        "stock.package.type",
        string="Default package",
        domain="[('package_carrier_type', 'in', ('none', 'shipkit'))]",
        help="For orders, and for goods that are in no package: its size, its own weight, and the most that fits in. "
        "Its carrier code names one of the carrier's own packagings.",
    )
    shipkit_fallback_ids = fields.Many2many(
        "delivery.carrier",
        "delivery_carrier_shipkit_fallback_rel",
        "carrier_id",
        "fallback_id",
        string="Otherwise by",
        domain="[('delivery_type', '=', 'shipkit'), ('id', '!=', id)]",
        help="Tried in their order when nothing was bought here, never in doubt.",
    )
    shipkit_pricing = fields.Selection(
        [("carrier", "The carrier's price"), ("fixed", "A fixed price"), ("rules", "Price rules")],
        string="Customers pay",
        default="carrier",
        help="Where the carrier cannot be asked for prices, the fixed price counts.",
    )
    shipkit_signature = fields.Selection(
        [
            ("none", "None"),
            ("any", "By anybody at the address"),
            ("direct", "By someone at the address, no neighbour"),
            ("adult", "By an adult"),
        ],
        string="Signature",
        help="Empty: what the service does by itself.",
    )
    shipkit_notify = fields.Selection(
        [("email", "By e-mail"), ("sms", "By text message"), ("email,sms", "By both")],
        string="Carrier tells the recipient",
        help="Gives the recipient's e-mail address or phone number to the carrier for messages.",
    )
    shipkit_saturday = fields.Boolean("Saturday delivery")
    shipkit_no_neighbour = fields.Boolean("Never to a neighbour")
    shipkit_direct_only = fields.Boolean("Only at the address on the label")
    shipkit_predict = fields.Boolean("Time window for the recipient")
    shipkit_carbon_neutral = fields.Boolean("Carbon compensation")
    shipkit_carrier_options = fields.Text(
        string="Carrier's own options",
        help="A JSON object of what only this carrier has; checked against the carrier's own list.",
    )
    shipkit_installed = fields.Boolean(compute="_compute_shipkit_facts")
    shipkit_capabilities = fields.Json(compute="_compute_shipkit_facts", help="What the carrier's plugin can do.")
    shipkit_badges = fields.Html(string="The carrier can", compute="_compute_shipkit_badges")
    shipkit_choices = fields.Json(compute="_compute_shipkit_facts")
    shipkit_service_choices = fields.Json(compute="_compute_shipkit_facts")
    shipkit_label_choices = fields.Json(compute="_compute_shipkit_facts")
    shipkit_signature_choices = fields.Json(compute="_compute_shipkit_facts")
    shipkit_objection = fields.Char(compute="_compute_shipkit_objection", help="Why this method refuses now.")

    # What the form offers

    @api.model
    def _shipkit_services(self) -> list[tuple[str, str]]:
        """``carrier:code`` of every service that the installed plugins list."""
        return [(f"{facts.code}:{s.code}", s.name) for facts in all_facts() for s in facts.services]

    @api.model
    def _shipkit_label_formats(self) -> list[tuple[str, str]]:
        """Every label of the installed plugins, and those that methods have of plugins that are gone."""
        offered = {label_value(label) for facts in all_facts() for label in labels_of(facts)}
        self.env.cr.execute(
            "SELECT DISTINCT shipkit_label_format FROM delivery_carrier WHERE shipkit_label_format IS NOT NULL"
        )
        return [(value, label_words(value)) for value in sorted(offered | {row[0] for row in self.env.cr.fetchall()})]

    @api.depends("shipkit_account_id.plugin", "shipkit_service_code")
    def _compute_shipkit_service(self) -> None:
        known = {value for value, _name in self._shipkit_services()}
        for method in self:
            value = f"{method.shipkit_plugin}:{method.shipkit_service_code}"
            method.shipkit_service = value if value in known else False

    def _inverse_shipkit_service(self) -> None:
        for method in self:
            if method.shipkit_service:
                method.shipkit_service_code = method.shipkit_service.partition(":")[2]
            elif f"{method.shipkit_plugin}:{method.shipkit_service_code}" in (method.shipkit_service_choices or ()):
                method.shipkit_service_code = False

    @api.depends("shipkit_account_id.plugin")
    def _compute_shipkit_facts(self) -> None:
        for method in self:
            facts = method._shipkit_facts()
            method.shipkit_installed = facts is not None
            method.shipkit_capabilities = capabilities_of(facts) if facts is not None else {}
            options = {str(option.code): option for option in facts.options} if facts is not None else {}
            method.shipkit_choices = sorted(options)
            services, labels = (facts.services, labels_of(facts)) if facts is not None else ((), ())
            method.shipkit_service_choices = [f"{facts.code}:{service.code}" for service in services]
            method.shipkit_label_choices = sorted({label_value(label) for label in labels})
            signature = options.get("signature")
            levels = [value for value, _name in self._fields["shipkit_signature"].selection]
            method.shipkit_signature_choices = sorted(signature.values) if signature and signature.values else levels

    @api.depends("shipkit_account_id.plugin")
    def _compute_shipkit_badges(self) -> None:
        _ = self.env._
        words = {
            "rates": _("prices"),
            "create_shipment": _("labels"),
            "find_shipments": _("look-up after a lost answer"),
            "cancel_shipment": _("cancelling"),
            "track": _("tracking"),
            "read_webhook": _("pushed events"),
            "service_points": _("points"),
            "create_return": _("returns"),
            "book_pickup": _("pickups"),
            "close_manifest": _("manifests"),
            "check_address": _("address check"),
            "insure": _("insurance afterwards"),
            "invoices": _("invoices"),
        }
        badge = Markup('<span class="badge rounded-pill text-bg-light me-1">%s</span>')
        for method in self:
            able = [text for name, text in words.items() if method._shipkit_can(name)]
            method.shipkit_badges = Markup().join(badge % text for text in able)

    @api.depends(
        "delivery_type",
        "prod_environment",
        "company_id",
        "shipkit_account_id.active",
        "shipkit_account_id.environment",
        "shipkit_account_id.plugin",
    )
    def _compute_shipkit_objection(self) -> None:
        for method in self:
            method.shipkit_objection = method.delivery_type == "shipkit" and method._shipkit_refusal()

    @api.depends("shipkit_account_id.plugin")
    def _compute_can_generate_return(self):
        super()._compute_can_generate_return()
        for method in self.filtered(lambda method: method.delivery_type == "shipkit"):
            method.can_generate_return = method._shipkit_can("create_return")

    @api.depends("shipkit_account_id.plugin")
    def _compute_supports_shipping_insurance(self):
        super()._compute_supports_shipping_insurance()
        for method in self.filtered(lambda method: method.delivery_type == "shipkit"):
            method.supports_shipping_insurance = "insurance" in (method.shipkit_choices or ())

    @api.onchange("shipkit_account_id")
    def _onchange_shipkit_account_id(self) -> None:
        """What the other carrier has not goes with its account."""
        facts = self._shipkit_facts()
        if self.delivery_type != "shipkit" or facts is None:
            return
        if facts.services and self.shipkit_service_code not in {service.code for service in facts.services}:
            self.shipkit_service_code = False
        # An empty list in a Json field reads as False.
        if self.shipkit_label_format not in (self.shipkit_label_choices or ()):
            self.shipkit_label_format = False
        for code, name in _TYPED.items():
            if code not in (self.shipkit_choices or ()):
                self[name] = False
        if self.shipkit_signature not in (self.shipkit_signature_choices or ()):
            self.shipkit_signature = False
        if not self.supports_shipping_insurance:
            self.shipping_insurance = 0
        if not self._shipkit_can("rates") and self.shipkit_pricing == "carrier":
            self.shipkit_pricing = "fixed"

    def toggle_prod_environment(self):
        """The switch agrees with the account.

        Raises:
            UserError: it would not any more; the account is changed first.
        """
        for method in self.filtered(lambda method: method.delivery_type == "shipkit" and method.shipkit_account_id):
            production = method.shipkit_environment == "production"
            if production is bool(method.prod_environment):
                name = method.sudo().shipkit_account_id.name
                if production:
                    raise UserError(self.env._("The account %s is for production: choose another one first.", name))
                raise UserError(self.env._("The account %s is not for production: choose another one first.", name))
        return super().toggle_prod_environment()

    # What holds

    @api.constrains("shipkit_account_id", "company_id", "delivery_type", "shipkit_fallback_ids")
    def _check_shipkit_account(self) -> None:
        for method in self.filtered(lambda method: method.delivery_type == "shipkit"):
            company = method.sudo().shipkit_account_id.company_id
            if company and method.company_id and company != method.company_id:
                raise ValidationError(
                    self.env._("The account of the method %s belongs to another company.", method.name)
                )
            if method in method.shipkit_fallback_ids:
                raise ValidationError(self.env._("The method %s cannot stand in for itself.", method.name))
            if any(other.delivery_type != "shipkit" for other in method.shipkit_fallback_ids):
                raise ValidationError(
                    self.env._("Only methods of the provider shipkit can stand in for %s.", method.name)
                )

    @api.constrains("shipkit_carrier_options", "shipkit_account_id")
    def _check_shipkit_carrier_options(self) -> None:
        for method in self:
            cls = method._shipkit_class()
            if not method.shipkit_carrier_options or cls is None:
                continue
            found = Found(frozenset())
            check_options(found, {cls.code: method._shipkit_own_options()}, cls.code, cls.options_schema(), "")
            if found.problems:
                text = "\n".join(f"- {problem.path.rpartition('/')[2]}: {problem.text}" for problem in found.problems)
                raise ValidationError(self.env._("The carrier does not take these options:\n%s", text))

    @api.constrains("shipping_insurance", "shipkit_account_id")
    def _check_shipkit_insurance(self) -> None:
        for method in self:
            wanted = method.delivery_type == "shipkit" and method.shipping_insurance and method.shipkit_installed
            if wanted and not method.supports_shipping_insurance:
                raise ValidationError(self.env._("The carrier of %s insures nothing.", method.name))

    # What rating and booking ask

    def _shipkit_class(self):
        """The carrier's class, or None where its plugin is not installed or broken."""
        self.ensure_one()
        try:
            return REGISTRY.carrier(self.shipkit_plugin) if self.shipkit_plugin else None
        except PluginError:
            return None

    def _shipkit_facts(self):
        """The facts of the plugin, or None where it is not installed."""
        cls = self._shipkit_class()
        return cls.facts() if cls is not None else None

    def _shipkit_can(self, operation: str) -> bool:
        """Whether the carrier can be asked to do *operation*."""
        return operation in (self.shipkit_capabilities or {}).get("operations", ())

    def _shipkit_alias(self) -> str:
        """The account's name in shipkit."""
        self.ensure_one()
        return self.sudo().shipkit_account_id.code

    def _shipkit_refusal(self, company=None) -> str:
        """Why the method cannot be used (by *company*), or nothing."""
        self.ensure_one()
        _ = self.env._
        account = self.sudo().shipkit_account_id
        if not account:
            return _("The method %s has no carrier account.", self.name)
        if not account.active:
            return _("The account %s is archived.", account.name)
        if self._shipkit_class() is None:
            return _("The plugin for %s is not installed on this server, or does not work.", account.plugin)
        if company and account.company_id and account.company_id != company:
            return _("The account %s belongs to another company.", account.name)
        if account.environment == "production" and not self.prod_environment:
            return _("The account %s is for production, and this method is switched to test.", account.name)
        if account.environment != "production" and self.prod_environment:
            return _("This method is switched to production, and the account %s is not.", account.name)
        return account.problem or ""

    def _shipkit_check(self, company=None) -> None:
        """Raises:
        UserError: the method cannot be used; nothing was sent."""
        if refusal := self._shipkit_refusal(company):
            raise UserError(refusal)

    def _shipkit_label(self) -> LabelSpec | None:
        """The label that is wanted; None for the carrier's first."""
        self.ensure_one()
        if not self.shipkit_label_format:
            return None
        kind, *rest = self.shipkit_label_format.split("-")
        dpi = next((int(part) for part in rest if part.isdigit()), None)
        size = next((PageSize(format=part) for part in rest if not part.isdigit()), None)
        return LabelSpec(format=kind, dpi=dpi, size=size)

    def _shipkit_carrier_options(self) -> dict[str, object]:
        """The carrier's own options by its code, as a request has them."""
        self.ensure_one()
        return {self.shipkit_plugin: self._shipkit_own_options()} if self.shipkit_carrier_options else {}

    def _shipkit_own_options(self) -> dict[str, object]:
        try:
            options = json.loads(self.shipkit_carrier_options, parse_float=Decimal)
        except ValueError:
            options = None
        if not isinstance(options, dict):
            raise ValidationError(
                self.env._('The carrier\'s own options are a JSON object, such as {"name": "value"}.')
            )
        return options


_TYPED = {
    "signature": "shipkit_signature",
    "notify": "shipkit_notify",
    "saturday_delivery": "shipkit_saturday",
    "no_neighbour": "shipkit_no_neighbour",
    "direct_delivery_only": "shipkit_direct_only",
    "predict": "shipkit_predict",
    "carbon_neutral": "shipkit_carbon_neutral",
}
"""Fields of the form by the code of their option."""

FLAGS = {OptionCode(code): name for code, name in _TYPED.items() if code not in ("signature", "notify")}
"""Those that say all by being there."""
