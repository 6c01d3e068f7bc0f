"""Evidence of where parcels are, as carriers told it, and what was announced of it."""

from __future__ import annotations

import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..bridge import client_of
from .shipment import MILESTONES

_KEPT = timedelta(days=90)
"""Longer than the outbox keeps what it may send again."""
_BATCH = 100


class Event(models.Model):
    """One event of one parcel. Rows are only added; of one that is there, at most our reading changes."""

    _name = "shipkit.event"
    _description = "Tracking event"
    _order = "occurred_at desc, id desc"

    parcel_id = fields.Many2one("shipkit.parcel", required=True, ondelete="cascade", index=True)
    event_ref = fields.Char(required=True, help="shipkit's identity of the event.")
    occurred_at = fields.Datetime(string="When", help="In UTC; empty where the carrier's time cannot be placed.")
    printed_at = fields.Char(string="Time as printed", help="The time as the carrier printed it.")
    received_at = fields.Datetime(string="Received")
    milestone = fields.Selection(MILESTONES)
    reason = fields.Char()
    code = fields.Char(string="Carrier's code")
    description = fields.Char()
    place = fields.Char()
    source = fields.Char()

    _once = models.Constraint("UNIQUE (parcel_id, event_ref)", "An event counts once.")

    @api.model
    def _keep(self, parcel, events) -> None:
        """Add *events* of a timeline to *parcel*; of those that it has, what is read otherwise today is changed."""
        if not events:
            return
        rows = [_row(parcel, event) for event in events]
        names = list(rows[0])
        read = ("occurred_at", "milestone", "reason", "description", "place")
        self.env.cr.execute(
            SQL(
                "INSERT INTO shipkit_event (%s) VALUES %s ON CONFLICT (parcel_id, event_ref) DO UPDATE SET %s"
                " WHERE (%s) IS DISTINCT FROM (%s) RETURNING id",
                SQL(", ").join(map(SQL.identifier, names)),
                SQL(", ").join(SQL("(%s)", SQL(", ").join(SQL("%s", row[name]) for name in names)) for row in rows),
                SQL(", ").join(SQL("%s = EXCLUDED.%s", SQL.identifier(name), SQL.identifier(name)) for name in read),
                SQL(", ").join(SQL.identifier("shipkit_event", name) for name in read),
                SQL(", ").join(SQL("EXCLUDED.%s", SQL.identifier(name)) for name in read),
            )
        )
        written = self.browse(row[0] for row in self.env.cr.fetchall())
        self.invalidate_model()
        parcel.invalidate_recordset(["event_ids"])
        written.modified(names)


def _row(parcel, event) -> dict[str, object]:
    instant, place = event.time.instant, event.place
    spot = (place.name, place.city, place.region, place.country) if place else ()
    return {
        "parcel_id": parcel.id,
        "event_ref": event.event_id,
        "occurred_at": instant and instant.replace(tzinfo=None),
        "printed_at": event.time.local.isoformat(),
        "received_at": event.observed_at.replace(tzinfo=None, microsecond=0),
        "milestone": event.milestone.value if event.milestone else None,
        "reason": str(event.reason) if event.reason else None,
        "code": " ".join(filter(None, (event.code, event.subcode))),
        "description": event.text,
        "place": ", ".join(str(part) for part in spot if part) or None,
        "source": event.source.value if event.source else None,
    }


class Announcement(models.Model):
    """What shipkit announced and this database has taken: each id once."""

    _name = "shipkit.announcement"
    _description = "Announcement taken"

    name = fields.Char(required=True)
    type = fields.Char()
    taken_at = fields.Datetime(default=fields.Datetime.now, index=True)
    scope = fields.Char(help="Names the parcel's timeline in shipkit's event store.")
    number = fields.Char()
    key = fields.Char(help="Names the shipment in the ledger.")
    waiting = fields.Boolean(help="Its parcel is not in Odoo: not yet, or its transaction was rolled back.")

    _once = models.Constraint("UNIQUE (name)", "An announcement is taken once.")
    _waiting_index = models.Index("(scope) WHERE waiting")

    @api.model
    def _take(self, told) -> None:
        """Take *told*, announcements of one parcel in their order: those that are new make it read its timeline.

        What they say is only that there is news: the state is the timeline's, whichever of them comes last.
        """
        envelopes = [json.loads(one.body) for one in told]
        own = client_of(self.env).settings.namespace + "/"
        now = fields.Datetime.now()
        rows = [
            SQL(
                "(%s, %s, %s, %s, %s, %s)",
                envelope["id"],
                envelope["type"],
                now,
                told[0].scope,
                envelope.get("subject"),
                envelope.get("shipkitkey", "").removeprefix(own),
            )
            for envelope in envelopes
        ]
        self.env.cr.execute(
            SQL(
                "INSERT INTO shipkit_announcement (name, type, taken_at, scope, number, key) VALUES %s"
                " ON CONFLICT (name) DO NOTHING RETURNING id",
                SQL(", ").join(rows),
            )
        )
        fresh = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_model()
        if fresh and not fresh._parcel()._project_all():
            fresh.waiting = not told[0].scope.startswith("shipment")  # of a whole its parcels tell

    def _parcel(self):
        """The parcel that these are about, if it is in Odoo."""
        last = self[-1:]
        return self.env["shipkit.parcel"]._announced(last.scope, last.number, last.key)

    @api.model
    def _take_waiting(self) -> int:
        """Read the timelines of parcels that came into Odoo after the news of them; how many there were."""
        rows = self._read_group([("waiting", "=", True)], ["scope"], ["id:recordset"], limit=_BATCH)
        found = 0
        for _scope, waiting in rows:
            if waiting._parcel()._project_all():
                waiting.waiting = False
                found += 1
        return found

    @api.autovacuum
    def _gc_taken(self):
        """Forget ids that cannot come again."""
        self.search([("taken_at", "<", fields.Datetime.now() - _KEPT)], limit=10_000).unlink()
