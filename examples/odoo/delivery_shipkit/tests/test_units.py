"""Weights, lengths, money and addresses reach the carrier as people entered them."""

import json
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from shipkit import LengthUnit, WeightUnit
from shipkit.model import AddressKind

from .. import compat
from .common import ShipkitCase


@tagged("post_install", "-at_install")
class TestUnits(ShipkitCase):
    def in_pounds_and_feet(self):
        for name in ("product.weight_in_lbs", "product.volume_in_cubic_feet"):
            self.env["ir.config_parameter"].set_param(name, "1")

    def packages(self, picking):
        return compat.packages_of_picking(picking, compat.contents_of(picking, self.carrier._shipkit_package_type()))

    def test_three_times_a_tenth_is_three_tenths(self):
        self.product.weight = 0.1
        (package,) = self.packages(self.picking(quantity=3))

        self.assertNotEqual(3 * 0.1, 0.3)
        self.assertEqual((package.weight.value, package.weight.unit), (Decimal("0.3"), WeightUnit.KG))

    def test_a_database_in_pounds_says_pounds(self):
        self.in_pounds_and_feet()
        (package,) = self.packages(self.picking(quantity=2))

        self.assertEqual((package.weight.value, package.weight.unit), (Decimal("2.4"), WeightUnit.LB))

    def test_the_carrier_is_told_the_same_mass_in_either_unit(self):
        told = []
        for pounds, weight in ((False, 2.4), (True, 5.29)):
            if pounds:
                self.in_pounds_and_feet()
            self.product.weight = weight
            self.picking(quantity=1).button_validate()
            (package,) = json.loads(self.simulator.bookings()[-1].raw)["ShipmentRequest"]["Shipment"]["Package"]
            told.append((package["PackageWeight"]["UnitOfMeasurement"]["Code"], package["PackageWeight"]["Weight"]))

        self.assertEqual(told[0], told[1])

    def test_the_sides_of_a_box_are_millimetres_or_inches(self):
        kind = self.env["stock.package.type"].create(
            {
                "name": "Box",
                "package_carrier_type": "shipkit",
                "packaging_length": 300,
                "width": 200,
                "height": 100.5,
                "base_weight": 0.25,
            }
        )
        self.carrier.shipkit_packaging_id = kind
        (package,) = self.packages(self.picking(quantity=1))
        self.assertEqual(package.weight.value, Decimal("1.45"))
        self.assertEqual(str(package.dimensions), "300 mm x 200 mm x 100.5 mm")

        self.in_pounds_and_feet()
        kind.write({"packaging_length": 12, "width": 9, "height": 4})
        kind.invalidate_recordset()
        (package,) = self.packages(self.picking(quantity=1))
        self.assertEqual(package.dimensions.length.unit, LengthUnit.IN)
        self.assertEqual(str(package.dimensions), "12 in x 9 in x 4 in")
        self.assertEqual(kind.length_uom_name, self.env.ref("uom.product_uom_inch").display_name)

    def test_another_kind_of_box_is_shown_in_feet_and_sent_in_inches(self):
        self.in_pounds_and_feet()
        self.carrier.shipkit_packaging_id = self.env["stock.package.type"].create(
            {"name": "Plain box", "packaging_length": 2, "width": 1, "height": 0.5}
        )
        (package,) = self.packages(self.picking(quantity=1))
        self.assertEqual(str(package.dimensions), "24 in x 12 in x 6 in")

    def test_a_weight_that_somebody_entered_for_loose_goods_counts(self):
        picking = self.picking(quantity=2)
        picking.shipping_weight = 5.5
        (package,) = self.packages(picking)
        self.assertEqual(package.weight.value, Decimal("5.5"))

    def test_money_is_as_odoo_rounds_it(self):
        self.assertEqual(str(compat.money_of(0.1 + 0.2, self.env.ref("base.USD"))), "0.30 USD")
        self.assertEqual(str(compat.money_of(120.4, self.env.ref("base.JPY"))), "120 JPY")

    def test_a_contact_of_a_company_has_both_names_and_the_companys_phone(self):
        company = self.env["res.partner"].create(
            {"name": "Acme", "is_company": True, "phone": "+1 212 555 0100", "vat": "/"}
        )
        person = self.customer.copy({"name": "Ada", "parent_id": company.id, "phone": False})
        party = compat.party_of(person, what="the delivery address")

        self.assertEqual((party.contact.name, party.contact.company), ("Ada", "Acme"))
        self.assertEqual(party.contact.phone, "+1 212 555 0100")
        self.assertEqual(party.address.kind, AddressKind.BUSINESS)
        self.assertEqual((party.address.region, party.address.country, party.tax_ids), ("NY", "US", ()))

    def test_what_is_empty_in_odoo_is_absent_and_never_false(self):
        partner = self.customer.copy({"name": "Ada", "street2": "  ", "email": False, "phone": False})
        party = compat.party_of(partner, what="the delivery address")

        self.assertEqual(party.address.lines, ("350 Fifth Ave",))
        self.assertIsNone(party.contact.email)
        self.assertIsNone(party.contact.phone)
        self.assertIsNone(party.contact.company)

    def test_nobody_at_all_is_said_in_words(self):
        with self.assertRaisesRegex(UserError, "^The delivery address is missing"):
            compat.party_of(self.env["res.partner"], what="the delivery address")

    def test_a_line_that_the_carrier_cannot_take_names_the_partner_and_nothing_is_bought(self):
        picking = self.picking(partner=self.customer.copy({"name": "Ada", "street": "x" * 101}))
        before = len(self.simulator.bookings())
        with self.assertRaisesRegex(UserError, "- Ada, address lines"):
            picking.button_validate()
        self.assertEqual(len(self.simulator.bookings()), before)
