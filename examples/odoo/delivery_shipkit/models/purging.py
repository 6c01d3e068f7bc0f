"""Retention: what shipkit and Odoo keep of parcels for a time, by shipkit's settings. Nothing that is open goes."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from odoo import api, models

from shipkit.errors import ShipkitError
from shipkit.store.host import HostStore

from ..bridge import Cursors, client_of

_logger = logging.getLogger(__name__)

_BUDGET_S = 60.0
_AT_ONCE = 1000
_LONG_AGO = timedelta(days=36500)
_ENDED = ("delivered", "returned", "lost", "destroyed", "cancelled")


class Retention(models.AbstractModel):
    """The scheduled action of retention.

    Of the ledger requests, answers and label bytes go, of the inbox bodies, of parcels the evidence; keys, phases and
    the carriers' numbers stay. Labels and proofs that Odoo has as attachments are Odoo's, and are kept.
    """

    _name = "shipkit.retention"
    _description = "Retention of parcels' data"

    @api.model
    def _purge(self) -> None:
        """Take away what is older than the settings say, a part at a time."""
        client, began = client_of(self.env), time.monotonic()
        store, settings = HostStore(Cursors(self.env.cr.dbname)), client.settings
        now = client.ledger.now()

        def before(name: str):
            return now - timedelta(days=self._days(name, getattr(settings, f"retention_{name}_days")))

        never = now - _LONG_AGO
        parts = (
            lambda: store.purge(before("bodies"), before("documents")),
            lambda: store.events.purge_events(before("webhook_bodies"), never, never),
            lambda: store.events.purge_events(never, before("evidence"), never),
            lambda: store.events.purge_events(never, never, before("announcements")),
        )
        for part in parts:
            try:
                part()
            except ShipkitError as error:
                _logger.warning("retention stopped: %s", error.code)
            if self._is_over(began):
                return
        evidence = before("evidence").replace(tzinfo=None)
        # An announcement that is given again is dropped by its id, so ids outlive the outbox by far.
        taken = now.replace(tzinfo=None) - 3 * (now - before("announcements"))
        ended = [("parcel_id.milestone", "in", _ENDED), ("received_at", "<", evidence)]
        rest = [("parcel_id.milestone", "in", _ENDED), ("received_at", "=", False), ("occurred_at", "<", evidence)]
        for model, domain in (
            ("shipkit.event", ended),
            ("shipkit.event", rest),
            ("shipkit.announcement", [("taken_at", "<", taken)]),
        ):
            while rows := self.env[model].sudo().search(domain, limit=_AT_ONCE, order="id"):
                rows.unlink()
                if self._is_over(began):
                    return

    @api.model
    def _days(self, name: str, usual: int) -> float:
        """A database may keep things for another time than shipkit usually does."""
        given = self.env["ir.config_parameter"].sudo().get_param(f"delivery_shipkit.retention_{name}_days")
        return float(given) if given else usual

    def _is_over(self, began: float) -> bool:
        left_s = self.env["ir.cron"]._commit_progress()
        return left_s <= 0 or time.monotonic() - began > _BUDGET_S
