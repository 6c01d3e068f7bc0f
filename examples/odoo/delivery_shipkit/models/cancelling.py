"""Cancelling: each booking once, whoever asks how often, and what then no transfer shows any more."""

from __future__ import annotations

from odoo import fields, models
from odoo.exceptions import UserError

from shipkit.errors import InDoubtError, NotSupportedError, RejectedError
from shipkit.model import CancellationResult, CancelOutcome

from ..bridge import client_of, in_odoos_words
from .shipping import DEADLINE_S

UNDONE = (CancelOutcome.VOIDED, CancelOutcome.ALREADY_VOIDED, CancelOutcome.NOT_FOUND, CancelOutcome.REQUESTED)
"""What ends a booking here: the goods do not leave by it. What becomes of the money is the carrier's to say."""


class DeliveryCarrier(models.Model):
    """A shipping method that cancels."""

    _inherit = "delivery.carrier"

    def shipkit_cancel_shipment(self, pickings):
        """Cancel what *pickings* go out by. Core asks once for each of them, every time with all."""
        pickings.sudo().shipkit_shipment_ids.filtered(
            lambda shipment: shipment.kind == "outbound" and shipment.state != "voided"
        )._cancel()


class StockPicking(models.Model):
    """A transfer whose shipment can be cancelled."""

    _inherit = "stock.picking"

    def cancel_shipment(self):
        """Ours at once and not one by one: transfers of one chain share a shipment, and it has one line in each."""
        self.check_access("write")  # before the carrier is asked, and not when its answer is written down
        ours = self.filtered(lambda picking: picking.delivery_type == "shipkit")
        if self - ours:
            super(StockPicking, self - ours).cancel_shipment()
        for method, pickings in ours.grouped("carrier_id").items():
            method.cancel_shipment(pickings)
        for picking in ours.filtered("carrier_tracking_ref"):
            live = picking.sudo().shipkit_shipment_ids.filtered(lambda shipment: shipment.state != "voided")
            if not live:  # a number that somebody typed
                picking.message_post(body=self.env._("Shipment %s cancelled", picking.carrier_tracking_ref))
                picking.carrier_tracking_ref = False


class Shipment(models.Model):
    """A booking that can be undone."""

    _inherit = "shipkit.shipment"

    def write(self, values):
        """Whoever says that it is cancelled, its transfers do not show it any more."""
        fresh = self.filtered(lambda shipment: shipment.state != "voided") if values.get("state") == "voided" else self
        result = super().write(values)
        if values.get("state") == "voided":
            for shipment in fresh:
                shipment._leave_transfers()
        return result

    def _cancel(self) -> None:
        """Have the carrier cancel each of these.

        Raises:
            UserError: it does not, or its answer is not known.
        """
        for shipment in self:
            self._cancelled(shipment, shipment._ask_to_cancel(shipment.key))

    def _ask_to_cancel(self, key: str, package: str | None = None) -> CancellationResult:
        _ = self.env._
        with in_odoos_words(self.env):
            try:
                return client_of(self.env).cancel_shipment(key=key, package=package, deadline_s=DEADLINE_S)
            except InDoubtError as error:
                words = _(
                    "It is not known yet whether %s is cancelled. The carrier is being asked; cancel again to see.",
                    self.name or key,
                )
                raise UserError(words) from error
            except RejectedError as error:
                said = error.carrier_message or error.message
                words = _("%(name)s cannot be cancelled, the carrier says: %(said)s", name=self.name or key, said=said)
                raise UserError(words) from error
            except NotSupportedError as error:
                raise UserError(_("This cannot be cancelled through the carrier: %s", error.message)) from error

    def _cancelled(self, shipment, result: CancellationResult) -> None:
        """Write down what the carrier made of it."""
        if result.outcome in UNDONE:
            shipment.state = "voided"
            shipment._tell_cancelled(result)
        elif result.outcome is CancelOutcome.PARTLY:
            gone = {str(each.tracking_number or "") for each in result.packages if each.outcome in UNDONE}
            stays = [str(each.tracking_number or "") for each in result.packages if each.outcome not in UNDONE]
            shipment.parcel_ids.filtered(lambda parcel: parcel.name in gone)._leave()
            words = self.env._(
                "The carrier cancelled %(gone)s; these stay booked: %(stays)s.",
                gone=", ".join(sorted(gone)),
                stays=", ".join(stays),
            )
            shipment.picking_id.message_post(body=words)
        else:
            raise UserError(refusal_of(self.env, shipment.name, result))

    def _tell_cancelled(self, result: CancellationResult) -> None:
        words = self.env._("Shipment %s cancelled", self._all_numbers())
        if result.outcome is CancelOutcome.REQUESTED:
            words += self.env._("; the carrier decides later whether the money comes back")
        for picking in self.picking_ids | self.picking_id:
            picking.message_post(body=words)

    def _all_numbers(self) -> str:
        return ", ".join(dict.fromkeys(filter(None, self.parcel_ids.mapped("name")))) or self.name

    def _leave_transfers(self) -> None:
        self.ensure_one()
        self.parcel_ids._leave()
        for attachment in self.attachment_ids.filtered(lambda each: not each.name.startswith("Cancelled-")):
            attachment.name = f"Cancelled-{attachment.name}"


class Parcel(models.Model):
    """A parcel that can be taken out of its shipment."""

    _inherit = "shipkit.parcel"

    voided = fields.Boolean(string="Cancelled", readonly=True, help="Cancelled at the carrier, maybe alone.")

    def action_cancel(self) -> None:
        """Cancel this one parcel, where the carrier can; the last one is its shipment.

        Raises:
            UserError: it cannot, or its answer is not known.
        """
        self.ensure_one()
        self.check_access("read")
        self.shipment_id.picking_id.check_access("write")
        parcel, shipment = self.sudo(), self.sudo().shipment_id
        others = shipment.parcel_ids.filtered(lambda each: not each.voided) - parcel
        if parcel.voided or shipment.state == "voided":
            return
        if not others:
            shipment._cancel()
            return
        result = shipment._ask_to_cancel(shipment.key, str(parcel.position + 1))
        if result.outcome not in UNDONE:
            raise UserError(refusal_of(self.env, parcel.name, result))
        parcel._leave()
        shipment.picking_id.message_post(body=self.env._("Parcel %s cancelled", parcel.name))

    def _leave(self) -> None:
        """These are not on their way, and no transfer shows their numbers."""
        self.write({"voided": True, "milestone": "cancelled"})
        for shipment, parcels in self.grouped("shipment_id").items():
            gone = set(parcels.mapped("name")) - set(shipment._numbers())
            for picking in shipment.picking_ids | shipment.picking_id:
                numbers = (picking.carrier_tracking_ref or "").split(",")
                kept = ",".join(number for number in numbers if number and number.strip() not in gone)
                if kept != (picking.carrier_tracking_ref or ""):
                    picking.carrier_tracking_ref = kept or False


def refusal_of(env, name: str, result: CancellationResult) -> str:
    """Why *name* stays booked, in words."""
    _ = env._
    said = "; ".join(
        dict.fromkeys(
            [each.text for each in result.packages if each.text] + [each.text for each in result.messages if each.text]
        )
    )
    why = {
        CancelOutcome.TOO_LATE: _("it is too late"),
        CancelOutcome.ALREADY_USED: _("the carrier has it already, or it is in a manifest"),
    }.get(result.outcome, _("the carrier refuses"))
    if result.until is not None:
        why += _(" (it was possible until %s)", f"{result.until:%Y-%m-%d %H:%M %Z}")
    return _("%(name)s cannot be cancelled: %(why)s. %(said)s", name=name, why=why, said=said).strip()
