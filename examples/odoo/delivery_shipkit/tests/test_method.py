"""A shipping method's form shows what the plugin's facts say; a plugin of one's own needs no Python in Odoo."""

import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from ..models.account import REGISTRY
from .common import ShipkitCase

ACME = '''
from shipkit.carrier import Carrier
from shipkit.flow import Request
from shipkit.hookspecs import hookimpl
from shipkit.model import *
import attrs

PLUGIN_API = 1


@attrs.frozen(kw_only=True)
class Acme(Carrier):
    """An invented carrier."""

    code = "acme"
    key: str = attrs.field(default="", repr=False, metadata={"secret": True})

    @classmethod
    def facts(cls):
        return FACTS

    @classmethod
    def options_schema(cls):
        return {"properties": {"tone": {"type": "string", "enum": ["loud", "soft"]}}}

    def rates(self, request):
        yield from ()
        return (RateQuote(service="moon", total=Money("12.50", "USD"), service_name="To the moon"),)


FACTS = CarrierFacts(
    code="acme",
    name="Acme Rockets",
    interface="invented",
    operations={
        name: OperationFacts(support=Support.YES if name is Operation.RATES else Support.NO) for name in Operation
    },
    services=(ServiceLevel(carrier="acme", code="moon", name="To the moon"),),
    label_formats=(LabelFormatFacts(format=DocumentFormat.PNG, dpi=72, wire="PNG"),),
    options=(OptionFacts(code=OptionCode.SIGNATURE, wire="S", values=frozenset({"adult"})),),
    weight=WeightFacts(unit=WeightUnit.KG, decimals=2),
    length=LengthFacts(unit=LengthUnit.CM, decimals=0),
    recovery=RecoveryFacts(),
    hosts={Environment.TEST: frozenset({"acme.example"})},
)


@hookimpl
def shipkit_carriers():
    return [Acme]
'''


@tagged("post_install", "-at_install")
class TestMethod(ShipkitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.aggregator = cls.account_at("easypost", cls.simulator)

    def test_the_form_offers_the_services_labels_and_options_of_the_accounts_carrier_only(self):
        self.assertIn("ups:03", self.carrier.shipkit_service_choices)
        self.assertTrue(all(value.startswith("ups:") for value in self.carrier.shipkit_service_choices))
        offered = dict(self.env["delivery.carrier"]._shipkit_services())
        self.assertLessEqual(set(self.carrier.shipkit_service_choices), set(offered))
        self.assertIn("zpl-4x6in", self.carrier.shipkit_label_choices)
        self.assertNotIn("pdf-a5", self.carrier.shipkit_label_choices)
        self.assertIn("signature", self.carrier.shipkit_choices)
        self.assertNotIn("cod", self.carrier.shipkit_choices)

    def test_a_service_chosen_in_the_form_is_the_code_that_is_booked(self):
        with Form(self.carrier) as form:
            form.shipkit_service = "ups:12"
        self.assertEqual(self.carrier.shipkit_service_code, "12")
        with Form(self.carrier) as form:
            form.shipkit_service = False
        self.assertFalse(self.carrier.shipkit_service_code)

    def test_a_carrier_that_lists_no_services_takes_a_code(self):
        method = self.carrier_by(self.aggregator, "USPS/Priority")
        self.assertFalse(method.shipkit_service_choices)
        self.assertFalse(method.shipkit_service)
        with Form(method) as form:
            form.shipkit_service_code = "UPS/Ground"
        self.assertEqual(method.shipkit_service_code, "UPS/Ground")

    def test_another_account_takes_along_what_its_carrier_has_not(self):
        self.carrier.write({"shipkit_label_format": "gif-4x6in", "shipkit_direct_only": True})
        with Form(self.carrier) as form:
            form.shipkit_account_id = self.aggregator
        self.assertFalse(self.carrier.shipkit_label_format)
        self.assertFalse(self.carrier.shipkit_direct_only)

    def test_the_label_is_what_the_form_says(self):
        self.assertIsNone(self.carrier._shipkit_label())
        self.carrier.shipkit_label_format = "zpl-4x6in"
        label = self.carrier._shipkit_label()
        self.assertEqual((label.format, label.size.format, label.dpi), ("zpl", "4x6in", None))

    def test_capabilities_decide_what_core_offers(self):
        self.assertTrue(self.carrier.can_generate_return)
        self.assertTrue(self.carrier.supports_shipping_insurance)
        self.assertIn("cancel_shipment", self.carrier.shipkit_capabilities["operations"])
        fixed = self.carrier.copy({"delivery_type": "fixed"})
        self.assertFalse(fixed.can_generate_return)

    def test_the_carriers_own_options_are_held_against_its_schema(self):
        self.carrier.shipkit_carrier_options = '{"pickup_type": "01"}'
        self.assertEqual(self.carrier._shipkit_carrier_options(), {"ups": {"pickup_type": "01"}})
        for wrong in ('{"pickup_type": "99"}', '{"nonsense": 1}', "[1]", "{"):
            with self.assertRaises(ValidationError):
                self.carrier.shipkit_carrier_options = wrong

    def test_no_method_stands_in_for_itself(self):
        with self.assertRaises(ValidationError):
            self.carrier.shipkit_fallback_ids = self.carrier

    def test_an_account_of_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRaises(ValidationError):
            self.carrier.company_id = other
        self.assertIn("another company", self.carrier._shipkit_refusal(other))

    def test_insurance_is_for_carriers_that_insure(self):
        self.carrier.shipping_insurance = 50
        point = self.carrier_by(self.account_at("mondialrelay", self.simulator), "24R")
        with self.assertRaises(ValidationError):
            point.shipping_insurance = 50

    def test_the_switch_and_the_account_agree_on_the_world(self):
        self.assertEqual(self.carrier._shipkit_refusal(), "")
        with self.assertRaises(UserError):
            self.carrier.toggle_prod_environment()
        self.account.write({"environment": "production", "base_url": False})
        self.assertIn("switched to test", self.carrier._shipkit_refusal())
        with self.assertRaises(UserError):
            self.carrier._shipkit_check()
        self.carrier.toggle_prod_environment()
        self.assertEqual(self.carrier._shipkit_refusal(), "")
        self.account.environment = "test"
        self.assertIn("switched to production", self.carrier._shipkit_refusal())

    def test_a_neutralized_copy_uses_no_account_for_production(self):
        self.account.write({"environment": "production", "base_url": False})
        self.carrier.prod_environment = True
        self.env["ir.config_parameter"].set_param("database.is_neutralized", True)
        self.assertIn("neutralized", self.carrier._shipkit_refusal())

    def test_a_method_whose_plugin_is_gone_stays_readable_and_refuses(self):
        self.carrier.shipkit_label_format = "zpl-4x6in"
        picking = self.picking()
        found = {name: points for name, points in REGISTRY._found().items() if name != "ups"}
        loaded = {name: plugin for name, plugin in REGISTRY._loaded.items() if name != "ups"}
        with patch.object(REGISTRY, "_points", found), patch.object(REGISTRY, "_loaded", loaded):
            self.env.invalidate_all()
            self.carrier.web_read({name: {} for name in self.carrier._fields if name.startswith("shipkit_")})
            self.assertFalse(self.carrier.shipkit_installed)
            self.assertEqual(self.carrier.shipkit_service_code, "03")
            self.assertFalse(self.carrier.can_generate_return)
            self.assertIn("zpl-4x6in", dict(self.env["delivery.carrier"]._shipkit_label_formats()))
            self.assertIn("not installed", self.carrier._shipkit_refusal())
            self.carrier.name = "Renamed"
            self.assertEqual(picking.carrier_id.name, "Renamed")
            with self.assertRaises(UserError):
                self.carrier._shipkit_check()
            result = self.carrier.rate_shipment(self.order())
            self.assertFalse(result["success"])
            self.assertIn("not installed", result["error_message"])
            self.assertEqual(self.carrier_by(self.aggregator, "USPS/Priority")._shipkit_refusal(), "")

    def test_a_salesperson_opens_the_form_of_a_method(self):
        user = self.env["res.users"].create(
            {
                "name": "S",
                "login": "s-method",
                "group_ids": [(6, 0, self.env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
        method = self.carrier.with_user(user)
        Form(method)
        (read,) = method.web_read({"shipkit_account_id": {"fields": {"display_name": {}}}, "shipkit_objection": {}})
        self.assertEqual(read["shipkit_account_id"]["display_name"], self.account.name)

    def test_the_form_shows_what_the_carrier_can(self):
        self.assertIn("cancelling", self.carrier.shipkit_badges)
        point = self.carrier_by(self.account_at("mondialrelay", self.simulator), "24R")
        self.assertNotIn("cancelling", point.shipkit_badges)

    def test_a_plugin_of_ones_own_appears_without_a_line_of_python_in_odoo(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        (Path(folder) / "acme_for_a_test.py").write_text(ACME)
        facts = Path(folder) / "acme_for_a_test-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-for-a-test\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("[shipkit]\nacme = acme_for_a_test\n")
        with (
            patch.object(sys, "path", [folder, *sys.path]),
            patch.object(REGISTRY, "_points", None),
            patch.object(REGISTRY, "_loaded", dict(REGISTRY._loaded)),
        ):
            self.assertIn("acme", dict(self.env["shipkit.account"]._plugins()))
            account = self.env["shipkit.account"].create({"name": "Acme", "code": "acme", "plugin": "acme"})
            method = self.carrier_by(account, "moon")
            self.assertEqual(method.shipkit_service, "acme:moon")
            self.assertEqual(method.shipkit_label_choices, ["png-72"])
            self.assertEqual(method.shipkit_signature_choices, ["adult"])
            self.assertFalse(method.can_generate_return)
            method.shipkit_carrier_options = '{"tone": "loud"}'
            with self.assertRaises(ValidationError):
                method.shipkit_carrier_options = '{"tone": "grey"}'
            self.assertAlmostEqual(method.rate_shipment(self.order())["price"], 12.5)
        sys.modules.pop("acme_for_a_test", None)
