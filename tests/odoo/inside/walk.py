"""Runs inside ``odoo shell``: a shop with goods and customers, as it stands before anybody thought of carriers."""

from __future__ import annotations

from typing import Any

env: Any = globals()["env"]  # Odoo's shell has it

us = env.ref("base.us")
shop = {"name": "Weber Tools", "street": "12 Peachtree St", "city": "Atlanta", "zip": "30303",
        "state_id": env.ref("base.state_us_10").id, "country_id": us.id, "phone": "+1 404 555 0101"}  # fmt: skip
env.company.partner_id.write(shop)
env.company.write({"name": "Weber Tools", "currency_id": env.ref("base.USD").id})
warehouse = env["stock.warehouse"].search([], limit=1)
warehouse.write({"name": "Atlanta", "partner_id": env.company.partner_id.id})
people = [
    ("Ada Lovelace", "350 Fifth Ave", "New York", "10118", env.ref("base.state_us_27").id, "+1 212 555 0199"),
    ("Grace Hopper", "233 S Wacker Dr", "Chicago", "60606", env.ref("base.state_us_14").id, "+1 312 555 0147"),
]
for name, street, city, code, state, phone in people:
    env["res.partner"].create(
        {"name": name, "street": street, "city": city, "zip": code, "state_id": state, "country_id": us.id,
         "phone": phone, "email": f"{name.partition(' ')[0].lower()}@example.com"}
    )  # fmt: skip
goods = env["product.product"].create(
    [
        {"name": "Cordless drill", "type": "consu", "is_storable": True, "weight": 3.0, "list_price": 89,
         "standard_price": 52, "taxes_id": []},
        {"name": "Set of drill bits", "type": "consu", "is_storable": True, "weight": 0.6, "list_price": 19,
         "standard_price": 8, "taxes_id": []},
    ]
)  # fmt: skip
for product in goods:
    env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 100)
env["product.product"].create(
    {"name": "Parcel delivery", "type": "service", "sale_ok": False, "list_price": 0, "taxes_id": []}
)
# Packages are of use to whoever ships, and people switch them on.
env["res.config.settings"].create({"group_stock_tracking_lot": True}).execute()
env.ref("base.user_admin").partner_id.write({"name": "Mary Somerville", "email": "mary@weber-tools.example"})
env.cr.commit()
