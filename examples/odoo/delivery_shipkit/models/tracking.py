"""From the evidence to Odoo's records: what a parcel's timeline says is what its parcel, shipment and transfer say."""

from __future__ import annotations

from contextlib import suppress

from odoo import api, fields, models
from odoo.tools import SQL

from shipkit.errors import InputError
from shipkit.events import fold, roll_up
from shipkit.model import Actor, Milestone, Severity, canonical_number

from ..bridge import client_of, events_of

ACTOR_NAMES = {
    Actor.SHIPPER: "merchant",
    Actor.RECIPIENT: "recipient",
    Actor.CARRIER: "carrier",
    Actor.CUSTOMS: "customs",
    Actor.NOBODY: "none",
}
"""`shipkit.model.Actor` in the words of `ACTORS`."""
_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.ERROR)


class Parcel(models.Model):
    """A parcel with a timeline."""

    _inherit = "shipkit.parcel"

    proof_place = fields.Char(string="Left at")
    proof_relation = fields.Char(string="Taken by")
    told_problems = fields.Json(help="The problems that somebody was told of, by the event that opened them.")

    @api.model
    def _announced(self, scope, number, key):
        """The parcel of a timeline, found by its number and its shipment's key where it does not know its scope yet."""
        found = self.search([("scope", "=", scope)], limit=1)
        if found or not number:
            return found
        candidates = self.search([("shipment_id.key", "=", key)] if key else [("name", "=", number)])
        found = candidates.filtered(lambda parcel: canonical_number(parcel.name or "") == number).sorted("id")[-1:]
        found.scope = scope
        return found

    def _project_all(self) -> bool:
        """Read the timelines of the shipments of these parcels; False where there are none."""
        for shipment in self.shipment_id:
            shipment._project()
        return bool(self)

    def _timeline(self, client):
        """What is known of this parcel; nothing where nobody follows it."""
        self.ensure_one()
        for name in (lambda: self.scope, self._followed_as):
            try:
                if scope := name():
                    timeline = client.events.timeline(scope=scope)
                    changed(self, {"scope": scope})
                    return timeline
            except InputError:  # nobody follows it under that name
                continue
        return fold((), scope=self.scope or f"parcel-{self.id}")

    def _followed_as(self):
        """The scope that its number has in shipkit's event store, where that is this shipment's."""
        code, number = self.shipment_id.plugin, canonical_number(self.name or "")
        if not (code and number):
            return False
        row = events_of(self.env).find(((code, number),))[0]
        own = client_of(self.env).settings.namespace + "/"
        return row is not None and row.key.removeprefix(own) == self.shipment_id.key and row.scope

    def _project(self, timeline) -> None:
        """Say what *timeline* says."""
        self.env["shipkit.event"]._keep(self, timeline.events)
        problem, proof = worst(timeline), timeline.proof
        changed(
            self,
            {
                **state_of(timeline, problem, self.shipment_id),
                "problem": self._words(timeline, problem),
                "signed_by": (proof.signed_by if proof else False) or False,
                "proof_place": str(proof.place).replace("_", " ") if proof and proof.place else False,
                "proof_relation": str(proof.relation).replace("_", " ") if proof and proof.relation else False,
            },
        )

    def _words(self, timeline, problem):
        """A problem in words: what it is, and what the carrier said."""
        if problem is None:
            return False
        said = next((event.text for event in timeline.events if event.event_id == problem.event_id), "")
        what = str(problem.reason).replace("_", " ").capitalize()
        return f"{what}: {said}" if said else what


class Shipment(models.Model):
    """A shipment, as far as its parcels came."""

    _inherit = "shipkit.shipment"

    told_milestones = fields.Json(help="What was written into the transfer's chatter: milestones and their ordinals.")
    delivered_on = fields.Date(help="The day of the hand-over, at its place.")
    handed_over_on = fields.Date(help="The day on which the carrier had it first, at its place.")

    def write(self, vals):
        """What is cancelled is asked for no more. Its pushes are still taken: a voided label that is used is seen."""
        written = super().write(vals)
        if vals.get("state") == "voided":
            client = client_of(self.env)
            for scope in filter(None, [parcel.scope or parcel._followed_as() for parcel in self.parcel_ids]):
                with suppress(InputError):  # nobody has followed it yet
                    client.events.unfollow(scope=scope)
        return written

    def _project(self) -> None:
        """Say what the timelines of its parcels say, and tell the people whom it concerns."""
        self.ensure_one()
        self._hold()
        client = client_of(self.env)
        timelines = {parcel: parcel._timeline(client) for parcel in self.parcel_ids}
        if not timelines:
            return
        for parcel, timeline in timelines.items():
            parcel._project(timeline)
        pieces = list(timelines.values())
        whole = pieces[0] if len(pieces) == 1 else roll_up(pieces, scope=self.key)
        problem = worst(whole)
        troubled = next((parcel for parcel, one in timelines.items() if problem in one.exceptions), None)
        handed = [day(entry.at) for entry in whole.entries if entry.milestone not in _NOT_HANDED]
        expected = whole.transit and whole.transit.window and whole.transit.window.latest
        values = {
            **state_of(whole, problem, self),
            "problem": troubled.problem if troubled else False,
            "delivered_on": day(_delivery(whole).at) if _delivery(whole) else False,
            "handed_over_on": min(handed) if handed else False,
        }
        if expected:
            values["expected_on"] = day(expected)
        changed(self, values)
        self._compare_with_promise()
        self._tell(whole, timelines)

    def _hold(self) -> None:
        """Meet whoever writes the same rows here, in a statement that names nobody: Odoo logs those that fail."""
        for records in (self.picking_ids | self.picking_id, self, self.parcel_ids):
            if records:
                rows = SQL("SELECT 1 FROM %s WHERE id IN %s", SQL.identifier(records._table), records._ids)
                self.env.cr.execute(SQL("%s ORDER BY id FOR NO KEY UPDATE", rows), log_exceptions=False)

    def _compare_with_promise(self) -> None:
        """Whether it is past the day that was promised, or else expected."""
        today = fields.Date.context_today(self)
        for shipment in self:
            by = shipment.promised_on or shipment.expected_on
            over = shipment.delivered_on or (None if _ended(shipment) else today)
            changed(shipment, {"late": bool(by and over and over > by and shipment.state != "voided")})


_NOT_HANDED = (Milestone.UNKNOWN, Milestone.ANNOUNCED, Milestone.CANCELLED)


def _ended(shipment) -> bool:
    return Milestone(shipment.milestone or "unknown").terminal


def worst(timeline):
    """The open problem that matters most: the most severe, then the newest; None where there is none."""
    found = [problem for problem in timeline.exceptions if problem.resolved_by is None]
    return max(found, key=lambda one: (_SEVERITIES.index(one.severity), one.since.latest, one.event_id), default=None)


def state_of(timeline, problem, shipment) -> dict[str, object]:
    """What parcels and shipments have in common. Of what was booked the label is there, before any carrier says so."""
    delivery, milestone = _delivery(timeline), timeline.milestone
    if milestone in (Milestone.UNKNOWN, Milestone.ANNOUNCED):
        milestone = Milestone.CANCELLED if shipment.state == "voided" else Milestone.ANNOUNCED
    moment = (delivery.at.instant or delivery.at.latest) if delivery else None
    return {
        "milestone": milestone.value,
        "reason": str(timeline.reason) if timeline.reason else False,
        "actor": ACTOR_NAMES[problem.action.actor] if problem else "none",
        "delivered_at": moment.replace(tzinfo=None, microsecond=0) if moment else False,
    }


def _delivery(timeline):
    """The entry that the hand-over stands on, while it stands."""
    if timeline.milestone is not Milestone.DELIVERED:
        return None
    return next((entry for entry in reversed(timeline.entries) if entry.milestone is Milestone.DELIVERED), None)


def day(when):
    """The day of an event at its place."""
    return fields.Date.to_date(when.local.isoformat()[:10])


def changed(record, values) -> None:
    """Write what differs: a transfer that nothing happened to is no reason for anybody's transaction to start again."""
    differs = {name: value for name, value in values.items() if record[name] != value}
    if differs:
        record.write(differs)
