"""What waits for a person: pushes that cannot be read or are of unknown parcels, and news that Odoo did not take."""

from __future__ import annotations

from odoo import api, fields, models

from shipkit.ports.events import LetterState

from ..bridge import DESTINATION, client_of, events_of, in_odoos_words

_SHOWN = 500


class Inbox(models.Model):
    """A row that shipkit's store has open: why, and nothing of what it says, for that is somebody's data.

    A mirror, made anew when it is opened and by a cron.
    """

    _name = "shipkit.inbox"
    _description = "Push to look at"
    _order = "received_at desc, id desc"
    _rec_name = "number"

    kind = fields.Selection(
        [
            ("dead", "Cannot be read"),
            ("parked", "Of a parcel that nobody follows"),
            ("announcement", "News that was not taken"),
        ],
        required=True,
        index=True,
    )
    number = fields.Integer(help="Its number in shipkit's store.")
    account = fields.Char()
    carrier = fields.Char()
    received_at = fields.Datetime()
    error = fields.Char(string="Reason")
    detail = fields.Char(help="Where it did not fit: paths and codes, no data.")
    attempts = fields.Integer()
    body_kept = fields.Boolean(help="Whether it can still be read again.")

    _once = models.Constraint("UNIQUE (kind, number)", "Each is shown once.")

    @api.model
    def _refresh(self) -> None:
        """Show what the store has open now."""
        store = events_of(self.env)
        wanted = {}
        for state in (LetterState.DEAD, LetterState.PARKED):
            for letter in store.letters((state,), limit=_SHOWN, bodies=False):
                wanted[state.value, letter.id] = {
                    "account": letter.delivery.account,
                    "carrier": letter.delivery.carrier,
                    "received_at": letter.delivery.received_at.replace(tzinfo=None, microsecond=0),
                    "error": letter.error or ("not_followed" if state is LetterState.PARKED else ""),
                    "detail": letter.detail,
                    "attempts": letter.attempts,
                    "body_kept": letter.purged_at is None,
                }
        for row in store.outbox(DESTINATION, dead=True, limit=_SHOWN):
            wanted["announcement", row.number] = {
                "carrier": row.scope.partition(":")[0],
                "received_at": row.at.replace(tzinfo=None, microsecond=0),
                "error": row.error,
                "detail": row.type,
                "attempts": row.attempts,
                "body_kept": True,
            }
        known = {(row.kind, row.number): row for row in self.search([])}
        self.union(*(row for name, row in known.items() if name not in wanted)).unlink()
        for name, values in wanted.items():
            if name not in known:
                self.create({"kind": name[0], "number": name[1], **values})
            elif any(known[name][field] != (value or False) for field, value in values.items()):
                known[name].write(values)

    @api.model
    def action_open(self):
        """The list as it is now."""
        self.check_access("read")
        with in_odoos_words(self.env):
            self.sudo()._refresh()
        return self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_inbox")

    def action_replay(self):
        """Read these again, with what is known today."""
        self.check_access("write")
        client, store = client_of(self.env), events_of(self.env)
        with in_odoos_words(self.env):
            letters = self.filtered(lambda row: row.kind != "announcement")
            report = client.events.replay(letters.mapped("number"), apply=True) if letters else None
            parked = letters.filtered(lambda row: row.kind == "parked")
            taken = client.events.take_up(parked.mapped("number"))
            news = (self - letters).mapped("number")
            taken += store.send_again(DESTINATION, news) if news else 0
        taken += len(report.readable) if report else 0
        self.env["shipkit.jobs"]._awake()
        still = self.env._("%(taken)s are read again now; %(left)s stay.", taken=taken, left=len(self) - taken)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": still,
                "type": "success" if taken == len(self) else "warning",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
