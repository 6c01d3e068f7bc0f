"""What every test of the addon stands on: a simulated carrier, an account there, goods, and no way out."""

from __future__ import annotations

import ipaddress
import itertools
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import httpcore
from odoo.tests import TransactionCase

from shipkit import Registry
from shipkit.simulator import Simulator, World

from ..bridge import client_of, forget

CREDENTIALS = {
    "ups": {
        "client_id": "demo",
        "client_secret": "demo-secret",
        "shipper_number": "A1B2C3",
        "webhook_credentials": "demo-credential",
    },
    "easypost": {"api_key": "EZTK-demo", "webhook_secret": "demo-secret"},
    "dpd_fr": {"userid": "demo", "password": "demo", "customer_center": "77", "customer_number": "18028"},
    # The test contract that Mondial Relay publishes for everybody.
    "mondialrelay": {"enseigne": "BDTEST13", "private_key": "PrivateK"},
}
SECRET = "demo-secret"
_WORLDS = itertools.count()


class Egress(AssertionError):
    """Something wanted to leave the machine: Odoo's own guard knows ``requests`` only."""


def _guarded(connect):
    def connected(self, host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        try:
            inside = ipaddress.ip_address(name).is_loopback
        except ValueError:
            inside = name == "localhost"
        if not inside:
            raise Egress(f"a test wanted to reach {name}")
        return connect(self, host, *arguments, **options)

    return connected


@contextmanager
def no_way_out():
    """No connection that httpcore makes leaves loopback."""
    from shipkit.client import transport  # the backend that clamps every call to its deadline

    backends = {httpcore.SyncBackend}
    for name in vars(transport):
        found = getattr(transport, name)
        if isinstance(found, type) and "connect_tcp" in vars(found):
            backends.add(found)
    with ExitStack() as stack:
        for backend in backends:
            stack.enter_context(patch.object(backend, "connect_tcp", _guarded(backend.connect_tcp)))
        yield


class Shipkit:
    """Mixed into Odoo's test classes: `self.account`, `self.carrier`, `self.simulator`."""

    PLUGIN = "ups"
    SERVICE = "03"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(no_way_out())
        cls.simulator = cls.simulated(cls.PLUGIN)
        cls.account = cls.account_at(cls.PLUGIN, cls.simulator)
        cls.warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.env.company.id)], limit=1)
        cls.warehouse.partner_id.write(
            {
                "name": "Weber Tools",
                "street": "12 Peachtree St",
                "city": "Atlanta",
                "zip": "30303",
                "state_id": cls.env.ref("base.state_us_10").id,
                "country_id": cls.env.ref("base.us").id,
                "phone": "+1 404 555 0101",
            }
        )
        cls.customer = cls.env["res.partner"].create(
            {
                "name": "Ada Lovelace",
                "street": "350 Fifth Ave",
                "city": "New York",
                "zip": "10118",
                "state_id": cls.env.ref("base.state_us_27").id,
                "country_id": cls.env.ref("base.us").id,
                "phone": "+1 212 555 0199",
                "email": "ada@example.com",
            }
        )
        cls.product = cls.env["product.product"].create(
            {
                "name": "Drill",
                "type": "consu",
                "is_storable": True,
                "weight": 1.2,
                "list_price": 80.0,
                "standard_price": 50.0,
            }
        )
        cls.env["stock.quant"]._update_available_quantity(cls.product, cls.warehouse.lot_stock_id, 1000)
        cls.carrier = cls.carrier_by(cls.account, cls.SERVICE)

    @classmethod
    def simulated(cls, plugin):
        """A simulator of *plugin* for the length of the class."""
        # Numbers of its own: what shipkit's tables know of another class's parcels is not rolled back.
        simulator = Simulator(Registry().simulator(plugin)(World(count_from=next(_WORLDS) * 1000)))
        return cls.enterClassContext(simulator)

    @classmethod
    def account_at(cls, plugin, simulator, code=""):
        """An account that talks to *simulator*."""
        cls.addClassCleanup(forget, cls.env.cr.dbname)
        return cls.env["shipkit.account"].create(
            {
                "name": plugin,
                "code": code or f"{plugin}-{simulator.url.rpartition(':')[2]}",
                "plugin": plugin,
                "environment": "test",
                "base_url": simulator.url,
                "setting_ids": [(0, 0, {"name": name, "value": value}) for name, value in CREDENTIALS[plugin].items()],
            }
        )

    @classmethod
    def carrier_by(cls, account, service, **values):
        """A shipping method of *account*."""
        product = cls.env["product.product"].create({"name": f"Shipping by {account.name}", "type": "service"})
        return cls.env["delivery.carrier"].create(
            {
                "name": f"{account.name} {service}",
                "delivery_type": "shipkit",
                "product_id": product.id,
                "shipkit_account_id": account.id,
                "shipkit_service_code": service,
                "integration_level": "rate_and_ship",
                **values,
            }
        )

    def picking(self, quantity=2, carrier=None, partner=None, packs=0):
        """A delivery that is ready to be validated; its goods in *packs* packages, or in none."""
        picking = self.env["stock.picking"].create(
            {
                "partner_id": (partner or self.customer).id,
                "picking_type_id": self.warehouse.out_type_id.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "carrier_id": (carrier or self.carrier).id,
                "move_ids": [
                    (
                        0,
                        0,
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": quantity,
                            "location_id": self.warehouse.lot_stock_id.id,
                            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                        },
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity = quantity
            move.picked = True
        if packs:
            line = picking.move_line_ids[:1]
            lines = line
            for _ in range(packs - 1):
                lines |= line.copy({"quantity": quantity / packs})
            line.quantity = quantity / packs
            for each in lines:
                package = self.env["stock.package"].create({"shipping_weight": quantity / packs * self.product.weight})
                each.result_package_id = package
        return picking

    def order(self, quantity=2, partner=None):
        """A quotation of the goods."""
        return self.env["sale.order"].create(
            {
                "partner_id": (partner or self.customer).id,
                "order_line": [(0, 0, {"product_id": self.product.id, "product_uom_qty": quantity})],
            }
        )

    @property
    def client(self):
        return client_of(self.env)

    def booked(self):
        """What the carrier has in its books and was not voided."""
        return [booking for booking in self.simulator.bookings() if booking.live]


class ShipkitCase(Shipkit, TransactionCase):
    """A test in Odoo's transaction that is rolled back; shipkit's own tables are not."""
