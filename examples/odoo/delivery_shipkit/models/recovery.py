"""The recovery: what the ledger finishes is put into Odoo, and what it cannot finish is shown to people."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone

from odoo import api, models
from odoo.exceptions import UserError

from shipkit.errors import InDoubtError, LabelPendingError, ShipkitError
from shipkit.model import CancellationResult, Pickup, ReturnShipment, Shipment
from shipkit.ports import Phase

from ..bridge import cancelled_in_ledger, client_of, is_neutralized
from .operation import transfer_of

_logger = logging.getLogger(__name__)

_BUDGET_S = 45.0
"""Of one run, well below Odoo's ``limit_time_real``: what is left comes in the next."""
_ROUNDS = 10
_AT_ONCE = 50
_UNUSED_AFTER = "delivery_shipkit.unused_after_minutes"
_UNUSED_SINCE = "delivery_shipkit.unused_since"
_KINDS = {Phase.IN_DOUBT: "in_doubt", Phase.NEEDS_PERSON: "needs_person", Phase.VOIDING: "voiding"}
_CANCEL_AFTER = timedelta(minutes=5)
"""Longer than the transaction of whoever cancels: by then it is committed, or was undone."""
_BOOKED = (Phase.SUCCEEDED, Phase.PLANNED)


class Operation(models.Model):
    """A row that follows the ledger."""

    _inherit = "shipkit.operation"

    @api.model
    def _cron_recover(self) -> None:
        """Finish what can be finished, then show what is open, what is used nowhere, and what has ended."""
        accounts = self.env["shipkit.account"].with_context(active_test=False)
        if is_neutralized(self.env) or not accounts.search_count([], limit=1):
            return
        client, began = client_of(self.env), time.monotonic()
        for _ in range(_ROUNDS):
            try:
                outcomes = client.recover(limit=_AT_ONCE)
            except ShipkitError as error:
                _logger.warning("the ledger's recovery stopped: %s", error.code)
                break
            self._commit()  # what was recovered is seen by a new snapshot only
            for key, done in outcomes:
                self._by_itself(key, self._take_in, key, done)
            if not outcomes or time.monotonic() - began > _BUDGET_S:
                break
        self._mirror(client)
        self._look_for_unused(client)
        self._look_for_cancelled(client)
        self._end_what_ended(client)

    def _commit(self) -> None:
        self.env["ir.cron"]._commit_progress()

    def _by_itself(self, key: str, do, *arguments) -> bool:
        """*do* in a transaction of its own: what fails is told in the log, and stops no other key."""
        try:
            with self.env.cr.savepoint():
                do(*arguments)
        except Exception as error:  # whatever it is, the next key is another transfer's
            _logger.warning("%s could not be put into Odoo: %s", key, type(error).__name__)
            return False
        self._commit()
        return True

    # What the ledger finished

    def _take_in(self, key: str, done) -> None:
        """What a recovery run made of *key*."""
        told = client_of(self.env).ledger.standing(key=key)
        if told is None:
            return
        if isinstance(done.error, LabelPendingError):
            self._shown_as("label_pending", told)
            if done.error.shipment is not None:
                self._outcome(told, done.error.shipment)
        if done.error is None:
            self._outcome(told, done.value)
        self._tell_strays(key, told)

    def _outcome(self, told, value) -> None:
        transfer = self.env["stock.picking"].browse(transfer_of(told.key)).exists()
        if isinstance(value, (Shipment, ReturnShipment)):
            if transfer:
                transfer._shipkit_take_in(told, value)
        elif isinstance(value, Pickup):
            pickup = self.env["shipkit.pickup"].browse(int(told.key.rpartition("-")[2])).exists()
            if pickup.state == "draft":
                pickup._take(value)
        elif isinstance(value, CancellationResult):
            self.env["shipkit.shipment"].sudo()._voided_under(told.key, told.generation)
        elif value is None and transfer:
            transfer._shipkit_tell_not_booked(told)

    def _settle(self, found) -> None:
        """*found* (or nothing) is what this row's key comes to."""
        told = client_of(self.env).ledger.standing(key=self.name)
        self._outcome(told, found)
        self._refresh()

    def _attach(self, found) -> None:
        if isinstance(found, ReturnShipment):
            self.picking_id._shipkit_take_back(found)
        else:
            self.picking_id._shipkit_adopt(found)

    # What is open

    def _mirror(self, client) -> None:
        """A row for every key that is open, with an activity on its transfer."""
        for told in client.ledger.open():
            kind = _KINDS.get(told.phase)
            if kind is not None:
                self._by_itself(told.key, self._shown_as, kind, told)

    def _shown_as(self, kind: str, told):
        account = self.env["shipkit.account"].sudo().with_context(active_test=False)
        account = account.search([("code", "=", told.account)], limit=1)
        transfer = self.env["stock.picking"].browse(transfer_of(told.key)).exists()
        values = {
            "state": "open",
            "operation": told.operation,
            "phase": told.phase.value,
            "generation": told.generation,
            "waiting": told.waiting or False,
            "account_ref": account.id,
            "picking_ref": transfer_of(told.key),
            "company_id": (transfer.company_id or account.company_id).id,
            "tracking_number": told.booking or False,
            "since": _plain(told.created_at),
            "retry_at": _plain(told.settle_at),
            "attempts": told.attempts,
            "error": told.error or False,
        }
        row = self.sudo().search([("name", "=", told.key), ("kind", "=", kind)])
        if not row:
            row = self.sudo().create({"name": told.key, "kind": kind, **values})
            row._schedule()
            return row
        was = row.state
        now = row.read(list(values), load=False)[0]  # a company as its number, like the values
        changed = {name: value for name, value in values.items() if (now[name] or False) != (value or False)}
        if changed:
            row.write(changed)
        if was == "done":
            row.note = False
            row._schedule()
        return row

    def _tell_strays(self, key: str, told) -> None:
        """Further bookings under *key*: which of them a person has to undo, and what was done about the others."""
        found = client_of(self.env).ledger.further(key=key)
        own = [one for one in found if one.booking != told.booking]
        if not own:
            return
        shown = [one.booking for one in own if one.phase == "shown"]
        row = self._shown_as("stray", told)
        row.note = "; ".join(f"{one.booking}: {one.phase}" for one in own)
        if not shown and all(one.phase != "open" for one in own):
            row._end(self.env._("Every further booking was undone at the carrier."))

    # What was bought and is used nowhere

    def _look_for_unused(self, client) -> None:
        """Labels whose transaction was rolled back, whose transfer is gone, or whose transfer was cancelled."""
        settings = self.env["ir.config_parameter"].sudo()
        before = client.ledger.now() - timedelta(minutes=float(settings.get_param(_UNUSED_AFTER, "30")))
        last = settings.get_param(_UNUSED_SINCE)
        since = datetime.fromisoformat(last) if last else before - timedelta(days=7)
        reached = before
        for told in client.ledger.booked(since=since, before=before):
            if not self._by_itself(told.key, self._look_whether_used, told):
                reached = min(reached, told.changed_at)
        settings.set_param(_UNUSED_SINCE, max(since, reached).isoformat())
        # What was used once, and is not any more.
        shipments = self.env["shipkit.shipment"].sudo()
        left = [
            ("state", "in", ("confirmed", "label_pending")),
            ("kind", "=", "outbound"),
            ("delivered_at", "=", False),
        ]
        gone = ["|", ("picking_id", "=", False), ("picking_id.state", "=", "cancel")]
        for shipment in shipments.search([*left, *gone, ("milestone", "in", ("unknown", "announced"))]):
            told = client.ledger.standing(key=shipment.key)
            if told is not None and told.generation == shipment.generation and told.phase in _BOOKED:
                self._by_itself(told.key, self._shown_as_unused, told)

    def _look_for_cancelled(self, client) -> None:
        """What the carrier cancelled, and a rollback took from Odoo: no transfer shows it as if it could be used."""
        shipments = self.env["shipkit.shipment"].sudo()
        shown = [("state", "in", ("confirmed", "label_pending", "voiding")), ("delivered_at", "=", False)]
        still_here = ("milestone", "in", ("unknown", "announced"))
        rows = shipments.search([*shown, still_here])
        before = client.ledger.now() - _CANCEL_AFTER
        for key, generation in cancelled_in_ledger(self.env, set(rows.mapped("key")), before).items():
            for row in rows.filtered(lambda one, it=(key, generation): one.key == it[0] and one.generation <= it[1]):
                self._by_itself(key, self._show_cancelled, row)

    def _show_cancelled(self, shipment) -> None:
        shipment._hold()
        words = self.env._("Shipment %s is cancelled at the carrier: nothing can leave by it.", shipment._all_numbers())
        shipment.state = "voided"
        for picking in shipment.picking_ids | shipment.picking_id:
            picking.message_post(body=words)

    def _look_whether_used(self, told) -> None:
        if transfer_of(told.key) and told.phase in _BOOKED and not told.purged and not self._used(told):
            self._shown_as_unused(told)

    def _shown_as_unused(self, told) -> None:
        row = self.sudo().search([("name", "=", told.key), ("kind", "=", "unused")])
        if not row or row.state == "open" or row.generation != told.generation:
            self._shown_as("unused", told)

    @api.model
    def _used(self, told) -> bool:
        """Whether a shipment of Odoo stands for what the ledger has."""
        same = [("key", "=", told.key), ("generation", "=", told.generation)]
        found = self.env["shipkit.shipment"].sudo().search(same)
        if told.key.startswith("return-") and not found:  # the carrier books it when the parcel comes
            return bool(self.env["stock.picking"].browse(transfer_of(told.key)).exists().return_label_ids)
        return any(one.picking_id and one.picking_id.state != "cancel" for one in found)

    def _is_used(self) -> bool:
        told = client_of(self.env).ledger.standing(key=self.name)
        return told is not None and self._used(told)

    # What has ended

    def _end_what_ended(self, client) -> None:
        for row in self.sudo().search([("state", "=", "open"), ("kind", "!=", "stray")]):
            self._by_itself(row.name, row._refresh)

    def _refresh(self) -> None:
        """See what the ledger says of this row by now; end it when it has ended."""
        self.ensure_one()
        told = client_of(self.env).ledger.standing(key=self.name)
        words = self._how_it_ended(told)
        if words is None:
            kind = _KINDS.get(told.phase)
            self._shown_as(kind if self.kind in _KINDS.values() and kind else self.kind, told)
            return
        self._end(words)

    def _how_it_ended(self, told) -> str | None:
        _ = self.env._
        if told is None or told.generation != self.generation:
            return _("Something newer stands under the key.")
        if self.kind == "unused":
            if told.phase not in _BOOKED:
                return _("It is cancelled.")
            return _("The transfer uses it by now.") if self._used(told) else None
        if self.kind == "label_pending":
            return None if told.phase is Phase.SUCCEEDED and not told.complete else _("Its label is there.")
        if _KINDS.get(told.phase) == self.kind or told.phase is Phase.IN_FLIGHT:
            return None
        if told.phase in _BOOKED:
            self._adopt_later(told)
            return _("It is booked.")
        if told.phase in (Phase.REJECTED, Phase.ABSENT, Phase.CLOSED, Phase.NEW):
            if self.picking_id:
                self.picking_id._shipkit_tell_not_booked(told)
            return _("Nothing was booked.")
        if told.phase is Phase.VOIDED:
            self.env["shipkit.shipment"].sudo()._voided_under(told.key, told.generation)
            return _("It is cancelled.")
        return _("It is %s by now.", told.phase.value)

    def _adopt_later(self, told) -> None:
        """What was found by somebody else, such as a command, comes onto its transfer too."""
        if told.phase is not Phase.SUCCEEDED or not self.picking_id or self._used(told):
            return
        try:
            found = client_of(self.env).ledger.finish(key=self.name)
        except InDoubtError:
            return
        except LabelPendingError as pending:
            self._shown_as("label_pending", told)
            found = pending.shipment
        if found is None:
            return
        try:
            with self.env.cr.savepoint():
                self.picking_id._shipkit_take_in(told, found)
        except UserError:  # the transfer was changed since, so that somebody has to see to it
            self._shown_as_unused(told)

    def _end(self, words: str) -> None:
        """Close the row and its activity."""
        self.ensure_one()
        self.write({"state": "done", "note": words})
        activity = self.env["mail.activity"].sudo().browse(self.activity_ref).exists()
        if activity.active:
            activity.action_feedback(feedback=words)
        self.activity_ref = 0

    def _mark_voided(self) -> None:
        self.env["shipkit.shipment"].sudo()._voided_under(self.name, self.generation)

    def _schedule(self) -> None:
        """An activity on the transfer, for whoever answers for it."""
        record = self.picking_id or self
        if self.kind in ("voiding", "label_pending"):
            return  # these end by themselves
        words = {
            "in_doubt": self.env._("It is not known yet whether the carrier booked this. Do not ship it another way."),
            "needs_person": self.env._("It is not known whether the carrier booked this: look at its own pages."),
            "unused": self.env._("A label was bought and is used nowhere: attach or void it."),
            "stray": self.env._("The carrier has a further booking of this: see what is to be undone."),
        }
        activity = record.sudo().activity_schedule(
            "mail.mail_activity_data_warning",
            summary=words[self.kind],
            note=f"{self.name}: {self.env._('Bookings to look at')}",
            user_id=record._shipkit_responsible().id if self.picking_id else self.env.uid,
        )
        self.activity_ref = activity.id


def _plain(at: datetime | None):
    """*at* as Odoo stores moments."""
    return at.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0) if at is not None else False
