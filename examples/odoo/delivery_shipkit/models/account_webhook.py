"""Where an account's carrier pushes to, and whether it still does."""

from __future__ import annotations

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from shipkit.carrier import Subscribes
from shipkit.errors import ShipkitError

from ..bridge import client_of, in_odoos_words, is_neutralized
from ..controllers.webhook import ROUTE
from .account import REGISTRY

_SILENT = "delivery_shipkit.activity_silence"
_REFUSED = "delivery_shipkit.activity_credentials"


class Account(models.Model):
    """An account that is pushed to."""

    _name = "shipkit.account"
    _inherit = ["shipkit.account", "mail.activity.mixin"]

    subscribed = fields.Boolean(
        string="Carrier pushes", copy=False, help="New parcels are subscribed to, and subscriptions renewed in time."
    )
    can_subscribe = fields.Boolean(compute="_compute_can_subscribe")

    @api.depends("plugin")
    def _compute_can_subscribe(self):
        for account in self:
            account.can_subscribe = account.plugin in REGISTRY.names() and issubclass(
                REGISTRY.carrier(account.plugin), Subscribes
            )

    @api.depends("code", "plugin", "active")
    def _compute_webhook_url(self):
        """The address that is told to the carrier alone; whoever knows it can send what looks like a push."""
        base = self[:1].get_base_url() if self else ""
        try:
            paths = client_of(self.env).events.webhook_paths()
        except ShipkitError:
            paths = {}
        for account in self:
            path = paths.get(account.code)
            account.webhook_url = f"{base}{ROUTE}{path}" if path else False

    def action_subscribe(self):
        """Have the carrier push for every parcel on its way, and for those to come."""
        self.ensure_one()
        self.check_access("write")
        if is_neutralized(self.env):
            raise UserError(self.env._("This is a copy of a database: carriers must not be told to push to it."))
        with in_odoos_words(self.env):
            done = self._subscribe()
        self.subscribed = True
        words = self.env._(
            "The carrier pushes for %(accepted)s parcels; %(refused)s it refused, %(failed)s could not be asked for.",
            accepted=done.accepted,
            refused=len(done.refused),
            failed=done.failed,
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"message": words, "type": "success" if not done.failed else "warning"},
        }

    def _subscribe(self):
        return client_of(self.env).events.subscribe_open(self.code, callback_url=self.webhook_url)

    def _tell_silence(self, silences) -> None:
        """Tell of each account whose pushes do not come."""
        by_code = {silence.account: silence for silence in silences}
        for account in self.search([]):
            silence = by_code.get(account.code)
            account._tell(_SILENT, silence and account._silence_words(silence), self.env._("Pushes come again."))

    def _tell_refused(self, asked, refused) -> None:
        """Tell of each account that was *asked* and whose carrier *refused* what it was shown."""
        words = self.env._("The carrier refuses the account's credentials, so that its parcels cannot be asked for.")
        for account in self.search([("code", "in", list(asked))]):
            said = words if account.code in refused else ""
            account._tell(_REFUSED, said, self.env._("The carrier takes them again."))

    def _tell(self, kind, words, over) -> None:
        """One activity for the administrator, for as long as there are *words*; closed when there are none."""
        open_ones = self.activity_search([kind])
        if not words:
            open_ones.action_feedback(over)
        elif not open_ones:
            day = fields.Date.context_today(self) + timedelta(days=1)
            admin = self.env.ref("base.user_admin")
            self.activity_schedule(kind, date_deadline=day, note=words, user_id=admin.id)

    def _silence_words(self, silence):
        heard = fields.Datetime.to_string(silence.heard_at) if silence.heard_at else self.env._("never")
        if silence.silent:
            return self.env._(
                "No push of %(carrier)s for %(open)s parcels on their way; the last one came: %(heard)s (UTC). Is the"
                " address still told to it, and can it be reached? Meanwhile the carrier is asked.",
                carrier=silence.carrier,
                open=silence.open_parcels,
                heard=heard,
            )
        return self.env._(
            "Of %(open)s parcels on their way %(missed)s had news that %(carrier)s did not push.",
            open=silence.open_parcels,
            missed=silence.missed_parcels,
            carrier=silence.carrier,
        )
