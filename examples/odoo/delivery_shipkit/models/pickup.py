"""Collections by the carrier."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any

import attrs
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from shipkit.errors import ConflictError
from shipkit.model import (
    CancelOutcome,
    Contact,
    NumberRole,
    Operation,
    Party,
    PickupLocation,
    PickupRequest,
    PickupState,
    PickupWindow,
    TrackingNumber,
)

from .. import compat
from ..bridge import client_of, in_odoos_words
from .account import REGISTRY
from .handover import UNDER_OUR_ROOF, support_of, zone_of

_CALLED_OFF = (CancelOutcome.VOIDED, CancelOutcome.ALREADY_VOIDED, CancelOutcome.NOT_FOUND)
_ENDED = ("cancelled", "failed", "completed")


def clock(hours: float) -> time:
    """Odoo's hours with a fraction as a time of day; the end of the day is its last minute."""
    minutes = min(round(hours * 60), 24 * 60 - 1)
    return time(minutes // 60, minutes % 60)


def hours_of(at: time) -> float:
    """A time of day as Odoo shows it."""
    return at.hour + at.minute / 60


class Pickup(models.Model):
    """A collection that was asked for."""

    _name = "shipkit.pickup"
    _description = "Carrier pickup"
    _inherit = ["shipkit.handover"]
    _order = "day desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, copy=False, default="New", readonly=True)
    account_id = fields.Many2one("shipkit.account", required=True, check_company=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    address_id = fields.Many2one("res.partner", required=True)
    day = fields.Date(required=True)
    ready = fields.Float(required=True, default=14.0, help="Hours, local to the address.")
    close = fields.Float(required=True, default=18.0)
    zone = fields.Char(string="Time zone", compute="_compute_zone", store=True, readonly=False, help="Of the address.")
    confirmation = fields.Char(copy=False)
    confirmed_on = fields.Date(string="Confirmed for", copy=False)
    confirmed_ready = fields.Float(copy=False)
    confirmed_close = fields.Float(copy=False)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("confirmed", "Confirmed"),
            ("cancelled", "Called off"),
            ("failed", "Failed"),
            ("completed", "Collected"),
        ],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    package_count = fields.Integer(string="Packages", default=1)
    location = fields.Selection(
        [(place.value, place.value.capitalize()) for place in PickupLocation], string="Parcels stand at"
    )
    contact_name = fields.Char(
        string="Whom to ask for",
        default=lambda self: self.env.user.name,
        help="A person at the address: carriers want one, and a warehouse has none of its own.",
    )
    instructions = fields.Char(help="For the driver.")
    price = fields.Monetary(copy=False)
    currency_id = fields.Many2one("res.currency")
    shipment_ids = fields.One2many("shipkit.shipment", "pickup_id")
    can_be_called_off = fields.Boolean(compute="_compute_can_be_called_off")
    note = fields.Char(compute="_compute_can_be_called_off", string="What the carrier's interface says")

    _in_order = models.Constraint("CHECK (ready < close)", "Parcels are ready before the place closes.")
    _some = models.Constraint("CHECK (package_count > 0)", "A pickup is for at least one package.")

    @api.depends("address_id")
    def _compute_zone(self) -> None:
        for pickup in self:
            pickup.zone = zone_of(pickup.address_id) if pickup.address_id else False

    @api.depends("account_id")
    def _compute_can_be_called_off(self) -> None:
        for pickup in self:
            can, note = support_of(pickup.account_id.plugin, Operation.CANCEL_PICKUP)
            pickup.can_be_called_off, pickup.note = can, False if can else note

    @api.constrains("account_id")
    def _check_account(self) -> None:
        for pickup in self:
            can, note = support_of(pickup.account_id.plugin, Operation.BOOK_PICKUP)
            if not can:
                plugin = pickup.account_id.plugin
                raise ValidationError(self.env._("%(plugin)s takes no pickups. %(note)s", plugin=plugin, note=note))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self) -> None:
        for pickup in self:
            if pickup.state not in _ENDED and pickup._is_asked():
                raise UserError(self.env._("The carrier has %s: call it off first.", pickup.name))

    def action_ask(self) -> None:
        """Ask the carrier to come; asked again, such as after a rollback, it is the same collection."""
        drafts = self.filtered(lambda pickup: pickup.state == "draft")
        for pickup in drafts:
            try:
                pickup._ask()
            except UserError as refusal:
                # Of several, one that is refused must not take from the others what the carrier has confirmed.
                if len(drafts) == 1:
                    raise
                pickup.message_post(body=str(refusal))

    def _ask(self) -> None:
        request = self._request()
        with in_odoos_words(self.env):
            try:
                booked = client_of(self.env).book_pickup(request, account=self.account_id.sudo().code, key=self._key())
            except ConflictError as conflict:
                raise UserError(
                    self.env._(
                        "The carrier has this pickup with other data, from an attempt that was lost here. "
                        "Call it off, and make a new one."
                    )
                ) from conflict
        self._take(booked)

    def _request(self) -> PickupRequest:
        shipments = self.shipment_ids.sorted("id")
        facts = REGISTRY.carrier(self.account_id.plugin).facts()
        listed = {service.code for service in facts.services}
        return PickupRequest(
            reference=self.name[: min(30, facts.reference_max)],
            pickup_from=self._place(),
            window=PickupWindow(day=self.day, ready=clock(self.ready), close=clock(self.close), zone=self.zone),
            package_count=self.package_count,
            weight=self._weight(shipments.parcel_ids),
            shipment_ids=tuple(ref for shipment in shipments for ref in shipment._booking_refs()),
            tracking_numbers=tuple(
                TrackingNumber(value=parcel.name, carrier=self.account_id.plugin, role=NumberRole.PIECE)
                for parcel in shipments.parcel_ids
                if parcel.name
            ),
            # At an aggregator the services of parcels are none of pickups.
            services=tuple(sorted(listed & set(shipments.mapped("service")))),
            location=PickupLocation(self.location) if self.location else None,
            instructions=self.instructions or None,
        )

    def _place(self) -> Party:
        place = compat.party_of(self.address_id, what=self.env._("the address of the pickup"))
        if self.contact_name and not (place.contact and place.contact.name):
            contact = attrs.evolve(place.contact or Contact(), name=self.contact_name)
            place = attrs.evolve(place, contact=contact)
        return place

    def _weight(self, parcels: Any):
        total = sum((Decimal(str(parcel.weight)) for parcel in parcels), Decimal(0))
        return compat.weight_of(self.env, total) if total else None

    def _take(self, booked: Any) -> None:
        """The carrier's confirmation, as it stands."""
        window = booked.window
        self.write(
            {
                "state": booked.state.value,
                "confirmation": booked.confirmation,
                "confirmed_on": window.day,
                "confirmed_ready": hours_of(window.ready),
                "confirmed_close": hours_of(window.close),
                "price": float(booked.total.amount) if booked.total else 0.0,
                "currency_id": self._currency(booked.total.currency).id if booked.total else False,
            }
        )
        said = "; ".join(message.text for message in booked.messages if message.text)
        told = self.env._(
            "Pickup %(number)s on %(day)s, %(ready)s to %(close)s",
            number=booked.confirmation,
            day=window.day,
            ready=window.ready.strftime("%H:%M"),
            close=window.close.strftime("%H:%M"),
        )
        self.message_post(body=f"{told}. {said}" if said else told)
        if booked.state is PickupState.FAILED:
            self.message_post(body=self.env._("The carrier does not come. Make a new pickup."))

    def action_call_off(self) -> None:
        """Call the collection off; one that the carrier never got just ends."""
        for pickup in self.filtered(lambda pickup: pickup.state not in _ENDED):
            pickup._call_off()

    def _call_off(self) -> None:
        if self.state == "draft" and not self._is_asked():
            self.state = "cancelled"
            return
        with in_odoos_words(self.env):
            result = client_of(self.env).cancel_pickup(key=self._key())
        said = "; ".join(message.text for message in result.messages if message.text)
        if result.outcome in _CALLED_OFF:
            self.state = "cancelled"
        elif result.outcome is CancelOutcome.REQUESTED:
            self.message_post(body=self.env._("The carrier was asked to call it off, and decides later. %s", said))
        else:
            raise UserError(
                self.env._("The carrier does not call it off (%(why)s). %(said)s", why=result.outcome.value, said=said)
            )

    def action_called_off_elsewhere(self) -> None:
        """Somebody called the carrier: its interface cannot do it."""
        for pickup in self.filtered(lambda pickup: pickup.state in ("requested", "confirmed")):
            pickup.state = "cancelled"

    def action_collected(self) -> None:
        """The driver was here."""
        self.filtered(lambda pickup: pickup.state in ("requested", "confirmed")).state = "completed"

    def action_add_shipments(self) -> dict[str, Any]:
        """Choose further shipments of this account and address."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("delivery_shipkit.action_shipkit_pickup_wizard")
        action["context"] = {"default_pickup_id": self.id}
        return action

    def _add(self, shipments: Any) -> None:
        """Have *shipments* collected too. A carrier that was asked was told of fewer: its driver takes what stands."""
        self.ensure_one()
        if self.state in _ENDED:
            raise UserError(self.env._("%s is over: make a new pickup.", self.name))
        new = shipments - self.shipment_ids
        # Users of the warehouse arrange pickups; shipments are otherwise written by what carriers say.
        new.sudo().pickup_id = self
        if self.state == "draft":
            self.package_count = max(1, sum(len(shipment.parcel_ids) or 1 for shipment in self.shipment_ids))
        elif new:
            self.message_post(
                body=self.env._(
                    "%(new)s more shipments were added; the carrier was told of %(told)s packages.",
                    new=len(new),
                    told=self.package_count,
                )
            )


class Shipment(models.Model):
    """A shipment that is collected."""

    _inherit = "shipkit.shipment"

    @api.model
    def _to_be_collected(self, account: Any, address: Any, end: Any) -> list[Any]:
        """Domain of what the account's carrier can collect there before *end*."""
        return [
            ("account_id", "=", account.id),
            ("kind", "=", "outbound"),
            ("state", "in", ("confirmed", "label_pending", "manifested")),
            ("milestone", "in", UNDER_OUR_ROOF),
            ("origin_id", "=", address.id),
            ("booked_at", "<", end),
            "|",
            ("pickup_id", "=", False),
            ("pickup_id.state", "in", ("cancelled", "failed")),
        ]
