"""Where customers follow their parcels: addresses made from the carrier's template, and nobody is asked."""

from __future__ import annotations

import json
from urllib.parse import quote

from odoo import models

_NUMBER = "{number}"
_CORES = "<shipmenttrackingnumber>"


class DeliveryCarrier(models.Model):
    """A shipping method with a tracking page."""

    _inherit = "delivery.carrier"

    def shipkit_get_tracking_link(self, picking):
        """The page of each of the transfer's numbers: an address, the text of a list of them, or nothing."""
        self.ensure_one()
        numbers = [number.strip() for number in (picking.carrier_tracking_ref or "").split(",") if number.strip()]
        pages = [(number, page) for number in numbers if (page := self._shipkit_page(number))]
        if len(pages) > 1:
            return json.dumps(pages)
        return pages[0][1] if pages else False

    def _shipkit_page(self, number: str) -> str:
        """The page of *number* at the carrier, else where the method says; empty where neither has one of a parcel."""
        facts = self._shipkit_facts()
        template = facts.links.get("tracking", "") if facts is not None else ""
        if _NUMBER in template:
            return template.replace(_NUMBER, quote(number, safe=""))
        page = (self.tracking_url or "").strip().replace(_CORES, quote(number, safe=""))
        # Customers click on it: what else could stand there is a script.
        return page if page.lower().startswith(("https://", "http://")) else ""
