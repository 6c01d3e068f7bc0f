"""Ways back: booked once, with a label that the customer finds, and never a shipment out."""

from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import ShipkitCase
from .handing_over import HandingOver


class ReturnCase(HandingOver, ShipkitCase):
    def delivered(self, **values):
        """A delivery that left."""
        picking = self.picking(**values)
        picking.button_validate()
        return picking

    def returned(self, picking):
        """The return that a person makes of *picking*."""
        wizard = Form(
            self.env["stock.return.picking"].with_context(
                active_ids=picking.ids, active_id=picking.id, active_model="stock.picking"
            )
        ).save()
        wizard.product_return_moves.quantity = 1
        return self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])

    def bookings(self, reference):
        return [booking for booking in self.booked() if booking.reference == reference]


@tagged("post_install", "-at_install")
class TestReturns(ReturnCase):
    def test_a_return_keeps_its_carrier_and_core_calls_it_one(self):
        back = self.returned(self.delivered())
        self.assertEqual(back.carrier_id, self.carrier)
        self.assertTrue(back.is_return_picking)
        self.assertEqual(back.carrier_price, 0)

    def test_the_label_of_a_return_is_booked_and_attached_once(self):
        delivery = self.delivered()
        back = self.returned(delivery)
        for _ in range(2):
            back.print_return_label()
        label = back.return_label_ids
        self.assertEqual(len(label), 1)
        self.assertTrue(label.raw)
        shipment = back.shipkit_shipment_ids
        self.assertEqual((shipment.kind, shipment.state, len(shipment.parcel_ids)), ("return", "confirmed", 1))
        self.assertEqual(back.carrier_tracking_ref, shipment.parcel_ids.name)
        (booking,) = self.bookings(back.name)
        self.assertEqual(list(booking.numbers), [shipment.parcel_ids.name])

    def test_it_goes_from_the_customer_to_the_warehouse(self):
        back = self.returned(self.delivered())
        request = self.carrier._shipkit_return_request(back, Decimal("1.2"))
        self.assertEqual(request.shipment.ship_from.contact.name, "Ada Lovelace")
        self.assertEqual(request.shipment.ship_to.address.city, "Atlanta")
        self.assertEqual(str(request.outbound), back.return_id.carrier_tracking_ref)
        self.assertEqual(request.authorization, back.name)

    def test_after_a_rollback_it_is_the_same_label(self):
        back = self.returned(self.delivered())
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            back.print_return_label()
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertFalse(back.return_label_ids)
        back.print_return_label()
        self.assertEqual((len(back.return_label_ids), len(self.bookings(back.name))), (1, 1))

    def test_a_label_whose_transaction_was_lost_can_be_taken_over(self):
        back = self.returned(self.delivered())
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            back.print_return_label()
            raise ZeroDivisionError
        self.env.invalidate_all()
        key = back._shipkit_return_key()
        told, found = self.client.ledger.standing(key=key), self.client.ledger.finish(key=key)
        for _ in range(2):
            back._shipkit_take_in(told, found)
        self.assertEqual((len(back.return_label_ids), len(back.shipkit_shipment_ids)), (1, 1))
        self.assertEqual(len(self.bookings(back.name)), 1)

    def test_validating_a_return_sends_nothing(self):
        back = self.returned(self.delivered())
        before = len(self.booked())
        back.button_validate()
        self.assertEqual((back.state, len(self.booked())), ("done", before))

    def test_nor_where_returns_have_the_type_of_deliveries(self):
        self.warehouse.out_type_id.return_picking_type_id = False
        back = self.returned(self.delivered())
        self.assertEqual(back.picking_type_code, "outgoing")
        before = len(self.booked())
        back.button_validate()
        self.assertEqual((back.state, len(self.booked())), ("done", before))

    def test_the_label_goes_with_the_delivery_where_the_method_says_so(self):
        self.carrier.return_label_on_delivery = True
        delivery = self.delivered()
        self.assertEqual(len(delivery.return_label_ids), 1)
        self.assertEqual(sorted(delivery.shipkit_shipment_ids.mapped("kind")), ["outbound", "return"])
        self.assertEqual(len(self.bookings(delivery.name)), 2)
        numbers = delivery.shipkit_shipment_ids.filtered(lambda s: s.kind == "return").parcel_ids.mapped("name")
        self.assertNotIn(numbers[0], delivery.carrier_tracking_ref)

    def test_a_delivery_stands_without_its_return_label(self):
        self.carrier.return_label_on_delivery = True
        self.carrier.shipkit_service_code = "13"  # one of those in which this carrier takes nothing back
        delivery = self.delivered()
        self.assertEqual(delivery.state, "done")
        self.assertTrue(delivery.carrier_tracking_ref)
        self.assertFalse(delivery.return_label_ids)
        self.assertIn("no return label", str(delivery.message_ids.mapped("body")))

    def test_a_cancelled_return_is_not_shown_and_the_next_label_is_another(self):
        back = self.returned(self.delivered())
        back.print_return_label()
        first = back.carrier_tracking_ref
        back.shipkit_shipment_ids.action_void_return()
        back.invalidate_recordset()
        self.assertFalse(back.return_label_ids)
        self.assertFalse(back.carrier_tracking_ref)
        self.assertFalse(self.bookings(back.name))
        back.print_return_label()
        self.assertNotEqual(back.carrier_tracking_ref, first)
        self.assertEqual((len(back.return_label_ids), len(self.bookings(back.name))), (1, 1))

    def test_cancelling_a_delivery_cancels_the_label_that_went_with_it(self):
        self.carrier.return_label_on_delivery = True
        delivery = self.delivered()
        delivery.cancel_shipment()
        self.assertFalse(self.bookings(delivery.name))
        self.assertEqual(set(delivery.shipkit_shipment_ids.mapped("state")), {"voided"})

    def test_goods_without_weight_are_refused_before_anything_is_sent(self):
        back = self.returned(self.delivered())
        self.product.weight = 0
        before = len(self.simulator.requests())
        with self.assertRaisesRegex(UserError, "weight"):
            back.print_return_label()
        self.assertEqual(len(self.simulator.requests()), before)

    def test_a_lost_answer_is_no_second_label(self):
        back = self.returned(self.delivered())
        self.simulator.add_fault("drop_after_commit", operation="create_shipment")
        with mute_logger("shipkit.client"):
            for _ in range(2):
                try:
                    back.print_return_label()
                except UserError:
                    continue
        self.assertEqual(len(self.bookings(back.name)), 1)


@tagged("post_install", "-at_install")
class TestReturnsAtAnAggregator(ReturnCase):
    PLUGIN = "easypost"
    SERVICE = "usps/Priority"

    def test_the_label_of_a_return_is_booked_and_attached_once(self):
        back = self.returned(self.delivered())
        for _ in range(2):
            back.print_return_label()
        self.assertEqual(len(back.return_label_ids), 1)
        self.assertTrue(back.return_label_ids.name.endswith(".pdf"))


class FrenchReturnCase(ReturnCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        france = {"country_id": cls.env.ref("base.fr").id, "state_id": False}
        cls.warehouse.partner_id.write({**france, "city": "Paris", "zip": "75011", "phone": "+33 1 40 00 00 01"})
        cls.customer.write({**france, "city": "Lyon", "zip": "69002", "phone": "+33 6 12 34 56 78"})


@tagged("post_install", "-at_install")
class TestReturnsToAWarehouseInFrance(FrenchReturnCase):
    PLUGIN = "dpd_fr"
    SERVICE = "classic"

    def test_the_label_of_a_return_is_booked_and_attached_once(self):
        back = self.returned(self.delivered())
        for _ in range(2):
            back.print_return_label()
        self.assertEqual(len(back.return_label_ids), 1)


@tagged("post_install", "-at_install")
class TestReturnsByAServiceOfTheirOwn(FrenchReturnCase):
    PLUGIN = "mondialrelay"
    SERVICE = "HOM"

    def test_the_carriers_service_for_ways_back_is_booked(self):
        back = self.returned(self.delivered())
        back.print_return_label()
        self.assertEqual(back.shipkit_shipment_ids.service, "LCC")
        self.assertEqual(len(back.return_label_ids), 1)


@tagged("post_install", "-at_install")
class TestNoReturns(ReturnCase):
    def test_a_carrier_without_returns_leaves_core_as_it_is(self):
        delivery = self.delivered()
        self.patch(type(self.carrier), "_shipkit_can", lambda method, operation: operation != "create_return")
        self.env.invalidate_all()
        back = self.returned(delivery)
        self.assertFalse(back.carrier_id)
        self.assertFalse(back.is_return_picking)
