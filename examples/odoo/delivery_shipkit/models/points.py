"""Places where customers collect: found at the carrier, chosen in core's own selector, and told when it is booked."""

from __future__ import annotations

from odoo import api, fields, models
from odoo.exceptions import UserError

from shipkit.model import Address, LastMile, ServicePoint, ServicePointQuery, ServicePointRef, Weekday

from ..bridge import client_of, in_odoos_words

_DEADLINE_S = 8.0  # somebody looks at the selector meanwhile
_MOST = 20


class DeliveryCarrier(models.Model):
    """A shipping method to a point."""

    _inherit = "delivery.carrier"

    # Core and the website look the provider's field up by this name.
    shipkit_use_locations = fields.Boolean(
        string="Customers choose a point",
        compute="_compute_shipkit_use_locations",
        store=True,
        readonly=False,
        help="The order asks for one of the carrier's places, and the parcel goes there.",
    )

    shipkit_finds_points = fields.Boolean(compute="_compute_shipkit_finds_points")

    @api.depends("shipkit_account_id.plugin")
    def _compute_shipkit_finds_points(self) -> None:
        for method in self:
            method.shipkit_finds_points = method._shipkit_can("service_points")

    @api.depends("shipkit_account_id", "shipkit_service_code")
    def _compute_shipkit_use_locations(self) -> None:
        """By itself where the service goes to points only."""
        for method in self:
            facts = method._shipkit_facts()
            services = facts.services if facts is not None else ()
            traits = [each.traits for each in services if each.code == method.shipkit_service_code and each.traits]
            if traits or not method.shipkit_use_locations:
                method.shipkit_use_locations = any(each.last_mile is LastMile.SERVICE_POINT for each in traits)

    def _shipkit_get_close_locations(self, partner_address, **options):
        """The carrier's points near *partner_address*, nearest first, in the words of core's selector.

        Raises:
            UserError: the carrier cannot be asked; core shows it to whoever looks.
        """
        self.ensure_one()
        self._shipkit_check()
        country = partner_address.country_id.code
        if not country or not (partner_address.zip or partner_address.city):
            raise UserError(self.env._("A postal code and a country are needed to look for points."))
        lines = tuple(line for line in (partner_address.street, partner_address.street2) if line)
        near = Address(
            lines=lines,
            postal_code=partner_address.zip or None,
            city=partner_address.city or None,
            region=partner_address.state_id.code or None,
            country=country,
        )
        services = (self.shipkit_service_code,) if self.shipkit_service_code else ()
        query = ServicePointQuery(near=near, country=country, services=services, max_results=_MOST)
        with in_odoos_words(self.env):
            points = client_of(self.env).service_points(query, account=self._shipkit_alias(), deadline_s=_DEADLINE_S)
        return [_location(point) for point in points]

    def _shipkit_service_point(self, source) -> ServicePointRef | None:
        """The point that the customer chose.

        Raises:
            UserError: the method goes to points, and none was chosen.
        """
        self.ensure_one()
        if not self.shipkit_use_locations:
            return None
        chosen = self._shipkit_order(source).pickup_location_data
        if not chosen:
            if source._name == "sale.order":
                return None  # a price can be asked for before the point is chosen
            raise UserError(self.env._("No pick-up point was chosen for %s.", source.name))
        address = Address(
            lines=(chosen["street"],) if chosen.get("street") else (),
            postal_code=chosen.get("zip_code") or None,
            city=chosen.get("city") or None,
            region=chosen.get("state") or None,
            country=chosen["country_code"],
        )
        return ServicePointRef(
            id=str(chosen["id"]), country=chosen["country_code"], name=chosen.get("name") or None, address=address
        )


def _location(point: ServicePoint) -> dict[str, object]:
    """A point as core's selector and the order keep it: texts, and hours by the number of the day."""
    address = point.address
    # The selector cannot draw a map with a place that is nowhere.
    latitude, longitude = (str(point.geo.latitude), str(point.geo.longitude)) if point.geo is not None else ("0", "0")
    hours: dict[str, list[str]] = {str(day): [] for day, _name in enumerate(Weekday)} if point.hours else {}
    for each in sorted(point.hours, key=lambda interval: interval.opens):
        hours[str(list(Weekday).index(each.weekday))].append(f"{each.opens:%H:%M} - {each.closes:%H:%M}")
    return {
        "id": point.id,
        "name": point.name,
        "street": ", ".join(address.lines),
        "city": address.city or "",
        "state": address.region or "",
        "zip_code": address.postal_code or "",
        "country_code": address.country,
        "latitude": latitude,
        "longitude": longitude,
        "opening_hours": hours,
        "additional_data": {"kind": str(point.kind)},
    }
