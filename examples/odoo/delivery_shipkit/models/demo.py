"""What a newcomer finds in a database with demonstration data: a simulated account for each carrier, and deliveries."""

from __future__ import annotations

from typing import Any

from odoo import api, models
from odoo.fields import Command

from shipkit.errors import PluginError
from shipkit.model import Operation, Support

from .account import REGISTRY

_STOCK = 100


class Account(models.Model):
    """An account that demonstration data brings."""

    _inherit = "shipkit.account"

    @api.model
    def _load_demo(self, told: dict[str, Any]) -> None:
        """An account for each carrier that can be simulated; a method, an order and deliveries where it also rates.

        *told* has by carrier the ``service`` of the method, and ``settings`` without which its simulator takes nobody.
        """
        warehouse = self.env.ref("delivery_shipkit.demo_warehouse")
        drill = self.env.ref("delivery_shipkit.demo_drill")
        bits = self.env.ref("delivery_shipkit.demo_bits")
        for product in (drill, bits):
            self.env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, _STOCK)
        # Else the first button that a newcomer presses asks about text messages.
        if "has_received_warning_stock_sms" in warehouse.company_id._fields:
            warehouse.company_id.has_received_warning_stock_sms = True
        for plugin in REGISTRY.names():
            try:
                REGISTRY.simulator(plugin)
            except PluginError:
                continue
            facts = REGISTRY.carrier(plugin).facts()
            account = self._demo(
                f"account_{plugin}",
                "shipkit.account",
                name=self.env._("%s, simulated", facts.name),
                code=self._free_code(f"demo-{plugin.replace('_', '-')}"),
                plugin=plugin,
                environment="simulator",
                company_id=warehouse.company_id.id,
                setting_ids=[
                    Command.create({"name": name, "value": value})
                    for name, value in told.get(plugin, {}).get("settings", {}).items()
                ],
            )
            if facts.operations[Operation.RATES].support is Support.YES:
                method = self._demo_method(plugin, account, told.get(plugin, {}).get("service", ""))
                self._load_demo_work(plugin, method, warehouse, drill, bits)

    def _demo_method(self, plugin: str, account: Any, service: str) -> Any:
        product = self._demo(
            f"shipping_{plugin}", "product.product", name=account.name, type="service", sale_ok=False, list_price=0.0
        )
        return self._demo(
            f"method_{plugin}",
            "delivery.carrier",
            name=account.name,
            delivery_type="shipkit",
            product_id=product.id,
            shipkit_account_id=account.id,
            shipkit_service_code=service,
            integration_level="rate_and_ship",
        )

    def _load_demo_work(self, plugin: str, method: Any, warehouse: Any, drill: Any, bits: Any) -> None:
        ada = self.env.ref("delivery_shipkit.demo_customer_new_york")
        grace = self.env.ref("delivery_shipkit.demo_customer_chicago")
        self._demo(
            f"order_{plugin}",
            "sale.order",
            partner_id=ada.id,
            warehouse_id=warehouse.id,
            order_line=[Command.create({"product_id": drill.id, "product_uom_qty": 1})],
        )
        for number, (partner, product, quantity) in enumerate([(ada, drill, 1), (grace, drill, 2), (grace, bits, 5)]):
            self._demo_delivery(f"delivery_{plugin}_{number + 1}", method, warehouse, partner, product, quantity)

    def _demo_delivery(self, name: str, method: Any, warehouse: Any, partner: Any, product: Any, quantity: int) -> None:
        places = {
            "location_id": warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        picking = self._demo(
            name,
            "stock.picking",
            partner_id=partner.id,
            picking_type_id=warehouse.out_type_id.id,
            carrier_id=method.id,
            move_ids=[Command.create({"product_id": product.id, "product_uom_qty": quantity, **places})],
            **places,
        )
        if picking.state == "draft":
            picking.action_confirm()
            picking.action_assign()

    def _demo(self, name: str, model: str, /, **values: Any) -> Any:
        """A record that goes with the addon, under *name*; what was shipped outlives an installation, and stays."""
        known = self.env.ref(f"delivery_shipkit.demo_{name}", raise_if_not_found=False)
        if known:
            return known
        data = {"xml_id": f"delivery_shipkit.demo_{name}", "values": values, "noupdate": True}
        return self.env[model]._load_records([data])
