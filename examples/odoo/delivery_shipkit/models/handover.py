"""What is arranged with a carrier for the parcels of one account, at one address, on one day."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from odoo import api, fields, models

from shipkit.errors import PluginError
from shipkit.events.zones import country_zone, known_zone
from shipkit.model import EventPlace, Operation, Support
from shipkit.ports import Phase

from ..bridge import client_of
from .account import REGISTRY

UNDER_OUR_ROOF = ("unknown", "announced")
"""Milestones of a parcel that the carrier has not got yet."""
_NOTHING_THERE = (Phase.NEW, Phase.ABSENT, Phase.REJECTED, Phase.VOIDED, Phase.CLOSED)


def support_of(plugin: str, operation: Operation) -> tuple[bool, str]:
    """Whether the carrier can be asked for *operation*, and what its plugin notes about that."""
    try:
        facts = REGISTRY.carrier(plugin).facts().operations[operation]
    except PluginError:  # not installed any more
        return False, ""
    return facts.support in (Support.YES, Support.EMULATED), facts.note or ""


def zone_of(partner: Any) -> str:
    """The time zone of an address: its country's where that has one, else what Odoo knows of it or of its company."""
    if partner.country_id:
        place = EventPlace(country=partner.country_id.code, postal_code=partner.zip or None)
        if found := country_zone(place):
            return found
    company = partner.company_id or partner.env.company
    told = (partner.tz, company.partner_id.tz, company.resource_calendar_id.tz, partner.env.user.tz)
    return next((name for name in told if name and known_zone(name)), "UTC")


def today_in(zone: str) -> Any:
    """The day that it is there."""
    return datetime.now(ZoneInfo(zone)).date()


def end_of(day: Any, zone: str) -> datetime:
    """The end of *day* there, as Odoo stores moments: in UTC, without saying so."""
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return end.astimezone(timezone.utc).replace(tzinfo=None)


class Handover(models.AbstractModel):
    """What a pickup and a manifest have in common: a key in the ledger, and shipments."""

    _name = "shipkit.handover"
    _description = "Arranged with a carrier"
    _inherit = ["mail.thread"]

    def _key(self) -> str:
        """The record's name in the ledger: it has to be stored, in a transaction that is over, before it is asked."""
        self.ensure_one()
        return f"{self._name.removeprefix('shipkit.')}-{self.id}"

    def _is_asked(self) -> bool:
        """Whether the carrier may have it, whatever a rollback made of this record; nothing is sent."""
        self.ensure_one()
        if not self.id:
            return False
        standing = client_of(self.env).ledger.standing(key=self._key())
        return standing is not None and standing.phase not in _NOTHING_THERE

    def _currency(self, code: str):
        return self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)], limit=1)

    @api.model_create_multi
    def create(self, vals_list):
        for values in vals_list:
            if values.get("name", "New") == "New":
                values["name"] = self.env["ir.sequence"].next_by_code(self._name) or "New"
        return super().create(vals_list)


class Parcel(models.Model):
    """A parcel that is handed over."""

    _inherit = "shipkit.parcel"

    booking_ref = fields.Char(help="The carrier's number of its booking: a shipment may be several of them.")


class StockPicking(models.Model):
    """A transfer that was booked, maybe in pieces."""

    _inherit = "stock.picking"

    def _shipkit_values(self, booked, contents):
        values = super()._shipkit_values(booked, contents)
        limits = REGISTRY.carrier(booked.carrier).facts().limits
        most = limits.packages_per_booking if limits is not None else None
        if most and len(booked.packages) > most:
            for (_command, _id, parcel), package in zip(values["parcel_ids"], booked.packages, strict=True):
                parcel["booking_ref"] = package.carrier_package_id
        return values


class Shipment(models.Model):
    """A shipment that is handed over."""

    _inherit = "shipkit.shipment"

    origin_id = fields.Many2one("res.partner", compute="_compute_origin", search="_search_origin", string="Leaves from")

    @api.depends("picking_id")
    def _compute_origin(self) -> None:
        for shipment in self:
            warehouse = shipment.picking_id.picking_type_id.warehouse_id
            shipment.origin_id = warehouse.partner_id or shipment.company_id.partner_id

    @api.model
    def _search_origin(self, operator: str, value: Any):
        warehouses = self.env["stock.warehouse"].search([("partner_id", operator, value)])
        return [("picking_id.picking_type_id.warehouse_id", "in", warehouses.ids)]

    def _booking_refs(self) -> list[str]:
        """The carrier's numbers of its bookings, each once."""
        self.ensure_one()
        return list(dict.fromkeys(parcel.booking_ref or self.name for parcel in self.parcel_ids)) or [self.name]
