"""What runs by itself for parcels on their way: pushes read, carriers asked, news taken, people told of silence."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from odoo import api, fields, models

from shipkit.errors import AuthenticationError, ShipkitError
from shipkit.publishers.relay import Relay

from ..bridge import DESTINATION, client_of, events_of, is_neutralized
from ..publisher import IntoOdoo

_logger = logging.getLogger(__name__)

_BUDGET_S = 45.0
"""Of one run of a job, well below Odoo's ``limit_time_real``: what is left goes on in the next."""
_FOLLOWED_AT = "delivery_shipkit.followed_at"
_AN_HOUR = timedelta(hours=1)


class Jobs(models.AbstractModel):
    """The scheduled actions of tracking. In a copy of a database none of them does anything."""

    _name = "shipkit.jobs"
    _description = "Scheduled work on parcels"

    @api.model
    def _awake(self) -> None:
        """Have what came in read soon, once this transaction is committed."""
        self.env.ref("delivery_shipkit.cron_process")._trigger()

    @api.model
    def _rests(self) -> bool:
        """Whether there is nothing to do: a copy of a database, or one that never had an account."""
        accounts = self.env["shipkit.account"].with_context(active_test=False)
        return is_neutralized(self.env) or not accounts.search_count([], limit=1)

    @api.model
    def _process(self) -> None:
        """Read pushes and take the news, until there are none or the time is over."""
        if self._rests():
            return
        client, began = client_of(self.env), time.monotonic()
        relay = Relay(events_of(self.env), {DESTINATION: IntoOdoo(self.env)}, client.settings)
        try:
            left = True
            while left:
                processed = client.events.process()
                relayed = relay.round()
                done = processed.taken + relayed.sent + self.env["shipkit.announcement"]._take_waiting()
                left = bool(processed.taken or relayed.more or relayed.sent)
                if not self._goes_on(done, began, left=left):
                    break
        finally:
            relay.close()

    def _goes_on(self, done: int, began: float, *, left: bool) -> bool:
        """Commit what is *done*; whether there is time for more."""
        remaining_s = self.env["ir.cron"]._commit_progress(done, remaining=int(left and done > 0))
        return remaining_s > 0 and time.monotonic() - began < _BUDGET_S

    @api.model
    def _follow(self) -> None:
        """Follow what was booked, subscribe where carriers push by number, ask the carriers of what is due."""
        if self._rests():
            return
        client, began = client_of(self.env), time.monotonic()
        self._follow_booked(client)
        for account in self.env["shipkit.account"].search([("subscribed", "=", True)]):
            try:
                account._subscribe()
            except ShipkitError as error:  # one carrier that is down stops no other
                _logger.info("%s could not be subscribed at: %s", account.code, error.code)
        news = True
        while news:
            polled = client.events.poll()
            for alias, error in polled.stopped.items():
                _logger.info("%s is not asked any further now: %s", alias, error.code)
            refused = {alias for alias, error in polled.stopped.items() if isinstance(error, AuthenticationError)}
            self.env["shipkit.account"]._tell_refused({one.account for one in polled.parcels}, refused)
            if polled.announcements:
                self._awake()
            news = polled.taken > 0
            if not self._goes_on(polled.taken, began, left=news):
                break

    @api.model
    def _follow_booked(self, client) -> int:
        """Follow what was booked since the last time, less an hour; how many parcels those were."""
        settings = self.env["ir.config_parameter"].sudo()
        now = events_of(self.env).now()
        last = settings.get_param(_FOLLOWED_AT)
        since = fields.Datetime.to_datetime(last) if last else None
        found = client.events.follow_booked(since and since.replace(tzinfo=now.tzinfo) - _AN_HOUR)
        settings.set_param(_FOLLOWED_AT, fields.Datetime.to_string(now.replace(tzinfo=None)))
        return found

    @api.model
    def _watch(self) -> None:
        """Compare with what was promised, look whether carriers still push, and show what waits for a person."""
        if self._rests():
            return
        open_ones = [("delivered_at", "=", False), ("state", "!=", "voided"), ("late", "=", False)]
        promised = ["|", ("promised_on", "!=", False), ("expected_on", "!=", False)]
        self.env["shipkit.shipment"].search(open_ones + promised)._compare_with_promise()
        self.env["shipkit.account"]._tell_silence(client_of(self.env).events.silent())
        self.env["shipkit.inbox"]._refresh()
