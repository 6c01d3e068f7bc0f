"""What people are told of a parcel's way: a line for each milestone that matters, an activity for whoever must act."""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup
from odoo import fields, models

from shipkit.model import Actor, Milestone

from .tracking import changed, day

TOLD = (
    Milestone.ACCEPTED,
    Milestone.READY_FOR_PICKUP,
    Milestone.DELIVERED,
    Milestone.RETURNING,
    Milestone.RETURNED,
    Milestone.LOST,
    Milestone.DESTROYED,
)
"""Milestones that somebody at the merchant's does something with; scans in between are in the list of events."""
_OURS = "delivery_shipkit.activity_problem"
_OTHERS = "delivery_shipkit.activity_follow_up"
_FOLLOWED_AFTER = timedelta(days=3)
"""Somebody else has to act; by then it is looked whether he did."""


class Shipment(models.Model):
    """A shipment whose transfer has a chatter."""

    _inherit = "shipkit.shipment"

    def _tell(self, whole, timelines) -> None:
        """Write into the transfer's chatter what is new in *whole*, and see to its activities."""
        if not self.picking_id:
            return
        # In the company's language: it is a job that writes, and the job has none.
        spoken = self.with_user(self.env.ref("base.user_root")).with_context(lang=self.company_id.partner_id.lang)
        spoken._tell_milestones(spoken.picking_id, whole, timelines)
        for parcel, timeline in timelines.items():
            parcel.with_env(spoken.env)._tell_problems(spoken.picking_id, timeline)
            parcel.with_env(spoken.env)._attach_proof(spoken.picking_id, timeline)

    def _tell_milestones(self, picking, whole, timelines) -> None:
        told = list(self.told_milestones or [])
        places = {f"{entry.milestone.value}|{entry.ordinal}": entry for entry in whole.entries}
        order = list(places)
        taken_back = [name for name in told if name not in places]
        kept = [name for name in told if name in places]
        if taken_back:
            was, now = self._named(taken_back[-1].partition("|")[0]), self._named(whole.milestone.value)
            words = self.env._("Correction: not “%(was)s”, as was said before, but “%(now)s”.", was=was, now=now)
            self._post(picking, words)
        last = max(map(order.index, kept), default=-1)
        for name in order:
            entry = places[name]
            if name in kept or entry.milestone not in TOLD:
                continue
            if order.index(name) > last:
                self._post(picking, self._milestone_words(entry, timelines))
            kept.append(name)  # what came before something that was told is no news any more
        changed(self, {"told_milestones": kept or False})

    def _named(self, milestone) -> str:
        return dict(self._fields["milestone"]._description_selection(self.env))[milestone]

    def _milestone_words(self, entry, timelines):
        said = self._named(entry.milestone.value)
        printed = entry.at.local.isoformat(sep=" ")[:16] if hasattr(entry.at.local, "hour") else str(entry.at.local)
        numbers = ", ".join(filter(None, (parcel.name for parcel in timelines)))
        words = self.env._(
            "%(said)s on %(printed)s (time of the place): %(numbers)s", said=said, printed=printed, numbers=numbers
        )
        if entry.milestone is not Milestone.DELIVERED:
            return words
        proofs = [(parcel.name, parcel.with_env(self.env)._proof_words()) for parcel in timelines]
        return "\n".join([words, *(f"{name}: {proof}" for name, proof in proofs if proof)])

    def _post(self, picking, words, **options) -> None:
        picking.message_post(
            body=Markup("<br/>").join(words.split("\n")),
            author_id=self.env.ref("base.partner_root").id,
            subtype_xmlid="mail.mt_note",
            **options,
        )


class Parcel(models.Model):
    """A parcel whose problems are somebody's."""

    _inherit = "shipkit.parcel"

    def _proof_words(self) -> str:
        """Who took it, and where it was left."""
        parts = []
        if self.signed_by:
            parts.append(self.env._("signed by %s", self.signed_by))
        if self.proof_relation:
            parts.append(self.env._("taken by: %s", self.proof_relation))
        if self.proof_place:
            parts.append(self.env._("left at: %s", self.proof_place))
        return ", ".join(parts)

    def _tell_problems(self, picking, timeline) -> None:
        """An activity for each open problem that somebody has to act on; those that are over are closed.

        One that a person marked as done is not opened again while the problem is the same.
        """
        told = dict(self.told_problems or {})
        activities = self.env["mail.activity"].sudo().with_user(self.env.ref("base.user_root"))
        by_id = {problem.event_id: problem for problem in timeline.exceptions}
        for event_id, activity_id in list(told.items()):
            problem = by_id.get(event_id)
            if problem is not None and problem.resolved_by is None:
                continue
            activity = activities.browse(activity_id).exists()
            if activity.active:
                none = self.env._("There was no such problem.")
                activity.action_feedback(self.env._("It is over, says the carrier.") if problem else none)
            del told[event_id]
        for event_id, problem in by_id.items():
            if problem.resolved_by is None and problem.action.actor is not Actor.NOBODY and event_id not in told:
                told[event_id] = self._schedule(picking, timeline, problem).id
        changed(self, {"told_problems": told or False})

    def _schedule(self, picking, timeline, problem):
        ours = problem.action.actor is Actor.SHIPPER
        today = fields.Date.context_today(self)
        by = problem.action.by and day(problem.action.by)
        words = self._words(timeline, problem)
        lines = [
            f"{self.name or ''}: {words}",
            self.env._("The carrier says what to do: %s", problem.action.what) if problem.action.what else "",
            self.env._("By %s.", by) if by else "",
            "" if ours else self.env._("To act: %s. Look whether it was done.", problem.action.actor.value),
        ]
        return picking.activity_schedule(
            _OURS if ours else _OTHERS,
            date_deadline=by or (today if ours else today + _FOLLOWED_AFTER),
            summary=str(problem.reason).replace("_", " ").capitalize(),
            note=Markup("<br/>").join(filter(None, lines)),
            user_id=_responsible(picking).id,
        )

    def _attach_proof(self, picking, timeline) -> None:
        """Keep the document of the hand-over, where the carrier gave one."""
        document = timeline.proof.document if timeline.proof else None
        if document is None or not document.content or self.proof_attachment_id:
            return
        name = f"ProofOfDelivery-{self.name or self.id}.{document.format.value}"
        attachment = self.env["ir.attachment"].create(
            {"name": name, "raw": document.content, "res_model": "stock.picking", "res_id": picking.id}
        )
        self.proof_attachment_id = attachment
        words = self.env._("Proof of delivery of %s", self.name)
        self.shipment_id._post(picking, words, attachment_ids=attachment.ids)


def _responsible(picking):
    """Who deals with a transfer: its responsible, else who sold the goods, else who made it, else the administrator."""
    candidates = [picking.user_id, picking.sale_id.user_id, picking.create_uid, picking.env.ref("base.user_admin")]
    robot = picking.env.ref("base.user_root")
    people = [user for user in candidates if user and user != robot and user.active and not user.share]
    return people[0] if people else robot
