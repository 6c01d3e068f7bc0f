"""Used inside ``odoo shell``: requests as Odoo runs them, and a warehouse with a shipping method at a simulated UPS."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any

import httpx
from odoo import SUPERUSER_ID, api
from odoo.service.model import retrying

SIMULATOR = os.environ["SIMULATOR"]
HTTP = httpx.Client(base_url=SIMULATOR, trust_env=False, timeout=60)


def request(registry: Any, work: Any) -> Any:
    """*work* as Odoo runs a request: a cursor of its own, all of it again where PostgreSQL asks for it."""
    with closing(registry.cursor()) as cursor:
        own = api.Environment(cursor, SUPERUSER_ID, {})
        return retrying(lambda: work(own), own)


def fault(name: str, **params: object) -> None:
    """Let the simulated carrier misbehave at purchases."""
    HTTP.post("/_sim/faults", json={"fault": name, "operation": "purchase", **params}).raise_for_status()


def bookings() -> list[dict[str, Any]]:
    """The carrier's books."""
    rows: list[dict[str, Any]] = HTTP.get("/_sim/bookings").json()
    return rows


def voids() -> int:
    """How often the carrier was asked to cancel."""
    return sum(row["operation"] == "cancel_shipment" for row in HTTP.get("/_sim/requests").json())


class Stage:
    """A customer, goods in a warehouse, and a shipping method named *provider*; made once in a database."""

    def __init__(self, own: Any, provider: str) -> None:
        us = own.ref("base.us")
        warehouse = own["stock.warehouse"].search([], limit=1)
        warehouse.partner_id.write(
            {"street": "12 Peachtree St", "city": "Atlanta", "zip": "30303", "state_id": own.ref("base.state_us_10").id,
             "country_id": us.id, "phone": "+1 404 555 0101"}
        )  # fmt: skip
        self.provider, self.type = provider, warehouse.out_type_id.id
        self.source, self.target = warehouse.lot_stock_id.id, own.ref("stock.stock_location_customers").id
        known = own["delivery.carrier"].search([("name", "=", provider)], limit=1)
        if known:
            self.carrier = known.id
            self.product = own["product.product"].search([("default_code", "=", f"drill-{provider}")]).id
            self.customer = own["res.partner"].search([("ref", "=", f"ada-{provider}")], order="id", limit=1).id
            return
        product = own["product.product"].create(
            {"name": "Drill", "default_code": f"drill-{provider}", "type": "consu", "is_storable": True, "weight": 1.2,
             "list_price": 80, "standard_price": 5}
        )  # fmt: skip
        own["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 10_000)
        by = own["product.product"].create({"name": f"by {provider}", "type": "service"})
        method = {"name": provider, "delivery_type": "shipkit", "product_id": by.id, "shipkit_service_code": "03",
                  "shipkit_account_id": self._account(own).id, "integration_level": "rate_and_ship"}  # fmt: skip
        customer = own["res.partner"].create(
            {"name": "Ada Lovelace", "ref": f"ada-{provider}", "street": "350 Fifth Ave", "city": "New York",
             "zip": "10118", "state_id": own.ref("base.state_us_27").id, "country_id": us.id,
             "phone": "+1 212 555 0199"}
        )  # fmt: skip
        self.carrier, self.product = own["delivery.carrier"].create(method).id, product.id
        self.customer = customer.id

    def _account(self, own: Any) -> Any:
        known = own["shipkit.account"].search([("code", "=", "deal")])
        if known:
            return known
        account = own["shipkit.account"].create(
            {"name": "UPS", "code": "deal", "plugin": "ups", "environment": "test", "base_url": SIMULATOR}
        )
        values = {"client_id": "demo", "client_secret": "demo", "shipper_number": "A1B2C3"}
        for line in account.setting_ids:
            if line.name in values:
                line.value = values.pop(line.name)
        account.setting_ids.create([{"account_id": account.id, "name": n, "value": v} for n, v in values.items()])
        return account

    def nobody(self, own: Any) -> Any:
        """A customer to whom the simulated carrier refuses to go."""
        return own["res.partner"].browse(self.customer).copy({"name": "Nobody"})

    def picking(self, own: Any) -> Any:
        """A delivery that is ready to be validated."""
        places = {"location_id": self.source, "location_dest_id": self.target}
        move = {"product_id": self.product, "product_uom_qty": 2, **places}
        picking = own["stock.picking"].create(
            {"partner_id": self.customer, "picking_type_id": self.type, "carrier_id": self.carrier, **places,
             "move_ids": [(0, 0, move)]}
        )  # fmt: skip
        picking.action_confirm()
        picking.action_assign()
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        return picking


def validate(own: Any, ids: list[int]) -> None:
    """The button."""
    own["stock.picking"].browse(ids).with_context(skip_sms=True).button_validate()


def shown(own: Any, ids: list[int]) -> list[dict[str, Any]]:
    """What a person sees of each delivery."""
    rows = []
    for picking in own["stock.picking"].browse(ids):
        labels = own["ir.attachment"].search_count(
            [("res_model", "=", "stock.picking"), ("res_id", "=", picking.id), ("name", "=like", "LabelShipping%")]
        )
        rows.append({"state": picking.state, "ref": picking.carrier_tracking_ref or "", "labels": labels,
                     "activities": len(picking.activity_ids)})  # fmt: skip
    return rows


def later(registry: Any) -> None:
    """An hour goes by for the carrier and for the ledger; then the recovery's cron runs."""
    HTTP.post("/_sim/clock", json={"advance_s": 3600}).raise_for_status()
    with registry.cursor() as cursor:
        columns = ("lease_until", "settle_at", "first_sent_at", "watch_until", "next_at", "created_at", "updated_at")
        moved = ", ".join(f"{column} = {column} - interval '1 hour'" for column in columns)
        cursor.execute("SELECT to_regclass('shipkit.shipkit_ledger')")
        if not cursor.fetchone()[0]:
            return  # nobody has used a ledger yet
        cursor.execute(f"UPDATE shipkit.shipkit_ledger SET {moved}")
    request(registry, lambda own: own.ref("delivery_shipkit.cron_recover").method_direct_trigger())
