"""Accounts at a simulated carrier, for newcomers: time goes on when they say so."""

from __future__ import annotations

from odoo import models
from odoo.exceptions import UserError

from ..bridge import is_neutralized
from ..simulation import simulator_url, time_passes

HOURS = 12


class Account(models.Model):
    """An account whose carrier may be a simulator."""

    _inherit = "shipkit.account"

    def action_let_time_pass(self) -> None:
        """Let half a day go by at the simulated carrier: parcels move on."""
        self.ensure_one()
        self.check_access("write")
        if self.environment != "simulator" or is_neutralized(self.env):
            raise UserError(self.env._("Only a simulator's time can be moved."))
        time_passes(simulator_url(self.env.cr.dbname, self.plugin), HOURS)
