"""Evidence of where parcels are, as carriers told it."""

from __future__ import annotations

from odoo import fields, models

from .shipment import MILESTONES


class Event(models.Model):
    """One event of one parcel; rows are only added."""

    _name = "shipkit.event"
    _description = "Tracking event"
    _order = "occurred_at desc, id desc"

    parcel_id = fields.Many2one("shipkit.parcel", required=True, ondelete="cascade", index=True)
    event_ref = fields.Char(required=True, help="shipkit's identity of the event.")
    occurred_at = fields.Datetime(help="In UTC; empty where the carrier's time cannot be placed.")
    printed_at = fields.Char(help="The time as the carrier printed it.")
    received_at = fields.Datetime()
    milestone = fields.Selection(MILESTONES)
    reason = fields.Char()
    code = fields.Char(string="Carrier's code")
    description = fields.Char()
    place = fields.Char()
    source = fields.Char()

    _once = models.Constraint("UNIQUE (parcel_id, event_ref)", "An event counts once.")


class Announcement(models.Model):
    """What shipkit announced and this database has taken: each id once."""

    _name = "shipkit.announcement"
    _description = "Announcement taken"

    name = fields.Char(required=True)
    type = fields.Char()
    taken_at = fields.Datetime(default=fields.Datetime.now)

    _once = models.Constraint("UNIQUE (name)", "An announcement is taken once.")
