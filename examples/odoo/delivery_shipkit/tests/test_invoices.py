"""A carrier's bill is imported once, and every difference has its reason."""

import base64
from ast import literal_eval
from collections import Counter
from contextlib import ExitStack

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from shipkit import Address, Contact, Package, Party, Registry, ShipmentRequest, Weight, WeightUnit
from shipkit.simulator import Simulator, World
from shipkit_ups.simulator.billing import billing_file, stranger

from .common import ShipkitCase


def party(name, line, city, region, code):
    where = Address(lines=(line,), city=city, region=region, postal_code=code, country="US")
    return Party(address=where, contact=Contact(name=name, phone="+1 404 555 0101"))


@tagged("post_install", "-at_install")
class TestInvoices(ShipkitCase):
    def setUp(self):
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        # Books of its own for each test: a bill is of all that the carrier has.
        self.simulator = stack.enter_context(Simulator(Registry().simulator("ups")(World())))
        self.account = self.account_at("ups", self.simulator)
        self.count = 0

    def book(self, parcels=1, milestone="delivered", **values):
        """A booking at the carrier, and what Odoo knows of it."""
        self.count += 1
        request = ShipmentRequest(
            ship_from=party("Weber Tools", "12 Peachtree St", "Atlanta", "GA", "30303"),
            ship_to=party("Ada Lovelace", "350 Fifth Ave", "New York", "NY", "10118"),
            packages=tuple(
                Package(ref=str(place), weight=Weight("2.4", WeightUnit.KG)) for place in range(1, parcels + 1)
            ),
            service="03",
            reference=f"OUT-{self.count}",
        )
        key = f"bill-{self.account.code}-{self.count}"
        booked = self.client.create_shipment(request, account=self.account.code, key=key)
        return self.env["shipkit.shipment"].create(
            {
                "name": booked.shipment_id,
                "key": key,
                "company_id": self.env.company.id,
                "account_id": self.account.id,
                "plugin": "ups",
                "booked_at": "2026-01-05 10:00:00",
                "milestone": milestone,
                "price": float(booked.total.amount),
                "currency_id": self.env.ref("base.USD").id,
                "parcel_ids": [
                    Command.create({"name": number.value, "weight": 2.4, "position": place, "milestone": milestone})
                    for place, number in enumerate(booked.tracking_numbers)
                ],
                **values,
            }
        )

    def bill(self, number="000000A1B2C3106", **faults):
        """The file of a bill with *faults*."""
        hit = {name: [each if isinstance(each, str) else each.name for each in hits] for name, hits in faults.items()}
        with self.simulator.world.lock:
            return billing_file(self.simulator.world, number, faults=hit)

    def import_(self, content, user=None):
        wizard = self.env["shipkit.invoice.import"].with_user(user or self.env.user)
        return wizard.create({"account_id": self.account.id, "content": base64.b64encode(content)}).action_import()

    def lines(self):
        return self.env["shipkit.invoice.line"].search([("account_id", "=", self.account.id)])

    def outcomes(self):
        return Counter((line.outcome, line.reason, line.state) for line in self.lines())

    def test_a_bill_of_what_was_booked_agrees_to_the_cent(self):
        shipments = self.book() | self.book(parcels=2)
        action = self.import_(self.bill())
        invoice = self.env["shipkit.invoice"].browse(action["res_id"])

        self.assertEqual(self.outcomes(), {("agrees", "booked", "matched"): 3})
        self.assertAlmostEqual(invoice.amount, sum(shipments.mapped("price")))
        self.assertEqual((invoice.difference, invoice.open_count, invoice.line_count), (0.0, 0, 3))
        self.assertEqual(invoice.line_ids.shipment_id, shipments)
        self.assertEqual(invoice.line_ids.parcel_id, shipments.parcel_ids)

    def test_the_bill_of_what_was_shipped_through_odoo_agrees(self):
        carrier = self.carrier_by(self.account, "03")
        pickings = self.picking(carrier=carrier, packs=2) | self.picking(quantity=1, carrier=carrier)
        for picking in pickings:
            picking.button_validate()
        heavy = pickings[1].shipkit_shipment_ids.parcel_ids
        self.import_(self.bill(reweigh=heavy))
        self.assertEqual(self.outcomes(), {("agrees", "booked", "matched"): 3, ("differs", "reweigh", "different"): 1})
        self.assertEqual(self.lines().shipment_id, pickings.shipkit_shipment_ids)

    def test_the_same_file_again_adds_nothing(self):
        self.book()
        content = self.bill(fee=[])
        self.import_(content)
        before = self.lines()
        self.import_(content)
        self.assertEqual(self.lines(), before)
        self.assertEqual(self.env["shipkit.invoice"].search_count([("account_id", "=", self.account.id)]), 1)

    def test_a_bill_that_says_something_else_the_second_time_is_refused_whole(self):
        shipment = self.book()
        self.import_(self.bill())
        before = self.lines().read(["billed", "state"])
        with self.assertRaisesRegex(UserError, "says something else"):
            self.import_(self.bill(heavier=shipment.parcel_ids, fee=[]))
        self.assertEqual(self.lines().read(["billed", "state"]), before)

    def test_each_fault_of_a_bill_is_listed_with_its_reason(self):
        heavy, twice, corrected, home, dutiable, foreign, plain = (self.book().parcel_ids for _ in range(7))
        self.import_(
            self.bill(
                reweigh=heavy,
                duplicate=twice,
                address_correction=corrected,
                residential=home,
                duties=dutiable,
                currency=foreign,
                unknown=[stranger()],
                unknown_code=plain,
                fee=[],
            )
        )
        self.assertEqual(
            self.outcomes(),
            {
                ("agrees", "booked", "matched"): 6,
                ("differs", "reweigh", "different"): 1,
                ("duplicate", "booked", "different"): 1,
                ("differs", "address_correction", "different"): 1,
                ("differs", "residential", "different"): 1,
                ("differs", "duties", "different"): 1,
                ("currency", "booked", "different"): 1,
                ("unmatched", "booked", "unmatched"): 1,
                ("differs", "other", "different"): 1,
                ("account", "other", "different"): 1,
                # The total of the file adds dollars of two countries: nothing is made up to explain it.
            },
        )
        line = self.lines().filtered(lambda line: line.outcome == "duplicate")
        self.assertEqual(line.against_id.tracking_number, twice.name)
        self.assertIn("QQQ/999", self.lines().filtered(lambda line: line.reason == "other")[:1].charges)

    def test_more_weight_than_declared_is_a_reweigh_by_the_difference(self):
        self.import_(self.bill(heavier=self.book().parcel_ids))
        line = self.lines()
        self.assertEqual((line.outcome, line.reason), ("differs", "reweigh"))
        self.assertAlmostEqual(line.difference, 4.0)
        self.assertTrue(line.billed_weight and line.declared_weight)

    def test_billed_though_cancelled_and_billed_though_never_scanned(self):
        gone = self.book(state="voided")
        self.client.cancel_shipment(key=gone.key)
        silent = self.book(milestone="announced")
        self.import_(self.bill(after_void=gone.parcel_ids))
        self.assertEqual({line.shipment_id: line.outcome for line in self.lines()}, {gone: "voided", silent: "unused"})

    def test_a_later_credit_is_set_against_the_first_line_and_a_third_bill_is_none_before(self):
        parcel = self.book().parcel_ids
        self.import_(self.bill("A1"))
        self.import_(self.bill("A2", forgotten=parcel, credit=parcel))
        first, credit = self.lines().sorted("id")
        self.assertEqual((credit.outcome, credit.against_id, credit.difference), ("credit", first, 0.0))
        self.assertEqual((credit.state, first.state), ("matched", "matched"))
        self.import_(self.bill("A3"))
        self.assertEqual(self.lines().sorted("id")[-1].outcome, "agrees")
        self.import_(self.bill("A4"))
        self.assertEqual(self.lines().sorted("id")[-1].outcome, "duplicate")

    def test_a_decision_has_a_note_stays_and_can_be_taken_back(self):
        self.import_(self.bill(address_correction=self.book().parcel_ids))
        line = self.lines().filtered(lambda line: line.outcome == "differs")
        action = line.action_settle()
        decision = self.env["shipkit.invoice.decision"].with_context(**action["context"])
        decision.create({"note": "The street was wrong"}).action_decide()
        self.assertEqual(line.state, "settled")
        self.assertIn("The street was wrong", line.note)
        self.assertIn("The street was wrong", line.invoice_id.message_ids[0].body)

        line.invoice_id.action_match()
        self.assertEqual((line.state, line.outcome), ("settled", "differs"))
        line.action_reopen()
        self.assertEqual(line.state, "different")

    def test_what_odoo_learns_later_is_matched_later(self):
        parcel = self.book(parcels=1)
        number = parcel.parcel_ids.name
        parcel.parcel_ids.name = "elsewhere"
        parcel.name = "elsewhere"
        self.import_(self.bill())
        line = self.lines()
        self.assertEqual(line.state, "unmatched")
        parcel.parcel_ids.name = number
        line.invoice_id.action_match()
        self.assertEqual((line.state, line.shipment_id), ("matched", parcel))

    def test_a_spoilt_file_is_refused_in_words_and_leaves_nothing(self):
        self.book()
        for content, words in (
            (b"", "no charge"),
            (b"<html>", "line 1"),
            (self.bill().replace(b"SHP", b'"SHP', 1), "line"),
            (self.bill()[:-300], "line 2"),
        ):
            with self.assertRaisesRegex(UserError, words):
                self.import_(content)
        self.assertFalse(self.lines())
        self.assertFalse(self.env["shipkit.invoice"].search([("account_id", "=", self.account.id)]))

    def test_the_sums_by_reason_are_those_of_the_bill(self):
        one, two = self.book().parcel_ids, self.book().parcel_ids
        self.import_(self.bill(reweigh=one, address_correction=one | two, duplicate=two))
        groups = self.env["shipkit.invoice.line"].formatted_read_group(
            [("account_id", "=", self.account.id)], ["reason"], ["billed:sum", "difference:sum"]
        )
        invoice = self.lines().invoice_id
        self.assertAlmostEqual(sum(group["billed:sum"] for group in groups), invoice.amount)
        self.assertAlmostEqual(sum(group["difference:sum"] for group in groups), invoice.difference)
        sums = {group["reason"]: group["difference:sum"] for group in groups}
        self.assertAlmostEqual(sums["address_correction"], 36.0)
        self.assertAlmostEqual(sums["reweigh"], 7.13)

    def test_delivered_and_not_billed_is_listed(self):
        missing = self.book(delivered_at="2026-01-08 12:00:00")
        billed = self.book(delivered_at="2026-01-08 12:00:00")
        self.import_(self.bill(forgotten=missing.parcel_ids))
        action = self.env.ref("delivery_shipkit.action_shipkit_unbilled")
        found = self.env["shipkit.shipment"].search(literal_eval(action.domain))
        self.assertIn(missing, found)
        self.assertNotIn(billed, found)

    def test_stock_managers_import_and_accounting_decides(self):
        def user(login, group):
            return self.env["res.users"].create(
                {"name": login, "login": login, "group_ids": [Command.set([self.env.ref(group).id])]}
            )

        manager = user("bill-manager", "stock.group_stock_manager")
        accountant = user("bill-accountant", "account.group_account_invoice")
        worker = user("bill-worker", "stock.group_stock_user")
        self.import_(self.bill(fee=[], address_correction=self.book().parcel_ids), user=manager)
        lines = self.lines().with_user(accountant)
        self.assertTrue(lines[0].read(["tracking_number", "billed", "milestone", "booking_state"]))
        lines._decide("disputed", "Not ours")
        self.assertEqual(set(lines.mapped("state")), {"disputed"})
        lines.action_reopen()
        lines.invoice_id.action_match()
        with self.assertRaises(AccessError):
            self.lines().with_user(worker).read(["billed"])
        with self.assertRaises(AccessError):
            self.import_(self.bill("B1"), user=accountant)

    def test_a_bill_in_another_currency_is_shown_in_the_companys(self):
        shipment = self.book()
        self.import_(self.bill(currency=shipment.parcel_ids))
        line = self.lines()
        self.assertEqual((line.currency_id.name, line.outcome, line.difference), ("CAD", "currency", 0.0))

        company, cad = self.env.company, self.env.ref("base.CAD")
        own = company.currency_id
        self.env["res.currency.rate"].search([("currency_id", "in", (own | cad).ids)]).unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": cad.id, "rate": 2.0, "name": "2020-01-01", "company_id": company.id}
        )
        line.difference = 10.0
        self.assertAlmostEqual(line.difference_shown, 5.0)
