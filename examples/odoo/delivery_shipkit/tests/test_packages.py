"""What is labelled: packages, containers, loose goods, at every carrier."""

from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .. import compat
from .test_shipping import Shipping


@tagged("post_install", "-at_install")
class TestPackages(Shipping):
    def test_three_packages_have_a_number_and_a_label_each(self):
        picking = self.picking(quantity=6, packs=3)
        picking.button_validate()

        (booking,) = self.booked()
        parcels = picking.shipkit_shipment_ids.parcel_ids
        self.assertEqual(picking.carrier_tracking_ref, ",".join(booking.numbers))
        self.assertEqual(parcels.package_id, picking.move_line_ids.result_package_id)
        self.assertEqual(len(parcels.attachment_id), 3)
        self.assertEqual(parcels.mapped("weight"), [2.4, 2.4, 2.4])
        for parcel in parcels:
            self.assertIn(parcel.name, parcel.attachment_id.name)

    def test_loose_goods_beside_a_package_are_a_parcel_of_their_own(self):
        picking = self.picking(quantity=6, packs=2)
        picking.move_line_ids[1].result_package_id = False
        picking.button_validate()

        parcels = picking.shipkit_shipment_ids.parcel_ids
        self.assertEqual([bool(parcel.package_id) for parcel in parcels], [True, False])
        self.assertEqual(parcels.mapped("weight"), [3.6, 3.6])

    def test_what_is_labelled_is_the_outermost_container_before_and_after_the_transfer(self):
        picking = self.picking(quantity=6, packs=3)
        inner = picking.move_line_ids.result_package_id
        kind = self.env["stock.package.type"].create({"name": "Pallet", "base_weight": 10})
        pallet = self.env["stock.package"].create({"name": "PALLET", "package_type_id": kind.id})
        inner[:2].package_dest_id = pallet
        none = self.env["stock.package.type"]
        before = compat.contents_of(picking, none)

        picking.button_validate()

        after = compat.contents_of(picking, none)
        self.assertEqual([each.package for each in before], [each.package for each in after])
        self.assertEqual([each.weight for each in before], [each.weight for each in after])
        parcels = picking.shipkit_shipment_ids.parcel_ids
        self.assertEqual(parcels.package_id, inner[2] | pallet)
        by_package = {each.package: each for each in after}
        self.assertEqual(by_package[pallet].weight, Decimal("14.8"))
        self.assertEqual(by_package[pallet].lines.result_package_id, inner[:2])

    def test_a_container_that_was_weighed_weighs_that(self):
        picking = self.picking(quantity=6, packs=2)
        inner = picking.move_line_ids.result_package_id
        pallet = self.env["stock.package"].create({"name": "PALLET", "shipping_weight": 20.1})
        inner.package_dest_id = pallet
        (content,) = compat.contents_of(picking, self.env["stock.package.type"])
        self.assertEqual(content.weight, Decimal("20.1"))

    def test_a_package_of_weightless_goods_is_named(self):
        self.product.weight = 0
        picking = self.picking(quantity=2, packs=1)
        picking.move_line_ids.result_package_id.name = "PACK-77"
        with self.assertRaisesRegex(UserError, "PACK-77"):
            picking.button_validate()
        self.assertFalse(self.asked())

    def test_a_transfer_without_goods_says_so(self):
        picking = self.picking()
        picking.move_line_ids.quantity = 0
        with self.assertRaisesRegex(UserError, "no goods"):
            self.carrier.shipkit_send_shipping(picking)

    def test_what_the_carrier_has_against_one_package_names_it(self):
        from shipkit.errors import InputError
        from shipkit.model import Problem, ProblemCode

        picking = self.picking(quantity=4, packs=2)
        second = picking.move_line_ids.result_package_id.sorted("id")[1]
        problem = Problem(path="/packages/1/weight", code=ProblemCode.OUT_OF_RANGE, text="too heavy")

        def refused(*_arguments):
            raise InputError(problems=(problem,))

        with (
            patch.object(type(self.carrier), "_shipkit_book", refused),
            self.assertRaisesRegex(UserError, f"{second.name}: too heavy"),
        ):
            picking.button_validate()

    def test_what_the_carrier_has_against_the_rest_is_said_in_words_too(self):
        from shipkit.errors import InputError
        from shipkit.model import Problem, ProblemCode

        picking = self.picking()
        problems = tuple(
            Problem(path=path, code=ProblemCode.OUT_OF_RANGE, text="is wrong")
            for path in (
                "/customs/lines/0/unit_value/amount",
                "/options/0/value",
                "/service_point/id",
                "/ship_to/contact/phone",
            )
        )

        def refused(*_arguments):
            raise InputError(problems=problems)

        with patch.object(type(self.carrier), "_shipkit_book", refused), self.assertRaises(UserError) as raised:
            picking.button_validate()
        said = str(raised.exception)
        for words in (
            "Drill, unit value",
            "options: is wrong",
            "service point: is wrong",
            "Ada Lovelace, contact phone",
        ):
            self.assertIn(words, said)
        self.assertNotRegex(said, "(^|[ ,])/[a-z]")


class OfAnotherCarrier(Shipping):
    """The same promises at a carrier with other ways."""

    def three_are_booked(self, packages_each):
        picking = self.picking(quantity=6, packs=3)
        picking.button_validate()
        bookings = self.booked()
        parcels = picking.shipkit_shipment_ids.parcel_ids
        self.assertEqual(sorted(len(each.numbers) for each in bookings), packages_each)
        self.assertEqual(len(parcels), 3)
        self.assertEqual(parcels.package_id, picking.move_line_ids.result_package_id)
        self.assertTrue(all(parcel.attachment_id for parcel in parcels))
        return picking

    def one_is_booked_and_cancelled(self):
        picking = self.picking()
        picking.button_validate()
        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(len(self.labels(picking)), 1)
        picking.cancel_shipment()
        self.assertFalse(self.booked())
        self.assertFalse(picking.carrier_tracking_ref)


@tagged("post_install", "-at_install")
class TestEasyPost(OfAnotherCarrier):
    PLUGIN = "easypost"
    SERVICE = "usps/Priority"

    def test_a_carrier_of_one_package_a_booking_gets_one_for_each(self):
        picking = self.three_are_booked([1, 1, 1])
        self.assertEqual(len(picking.carrier_tracking_ref.split(",")), 3)
        self.assertAlmostEqual(
            picking.shipkit_shipment_ids.price, sum(float(each.price) for each in self.booked()), places=2
        )

        picking.cancel_shipment()
        self.assertFalse(self.booked())
        self.assertFalse(picking.carrier_tracking_ref)

    def test_one_is_booked_and_cancelled(self):
        self.one_is_booked_and_cancelled()

    def test_one_package_of_a_shipment_that_is_cancelled_as_a_whole_is_refused_in_words(self):
        picking = self.picking(quantity=6, packs=3)
        picking.button_validate()
        with self.assertRaises(UserError):
            picking.shipkit_shipment_ids.parcel_ids[0].action_cancel()
        self.assertEqual(len(self.booked()), 3)


class InFrance(OfAnotherCarrier):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        france = cls.env.ref("base.fr").id
        home = {"name": "Outils Weber", "street": "27 rue Henri Rolland", "city": "Villeurbanne", "zip": "69100"}
        cls.warehouse.partner_id.write({**home, "state_id": False, "country_id": france, "phone": "+33 4 78 00 00 00"})
        cls.customer = cls.env["res.partner"].create(
            {
                "name": "Sophie Germain",
                "street": "13 rue de Savoie",
                "city": "Paris",
                "zip": "75006",
                "country_id": france,
                "phone": "+33 6 00 00 00 11",
                "email": "sophie@example.com",
            }
        )


@tagged("post_install", "-at_install")
class TestDpdFrance(InFrance):
    PLUGIN = "dpd_fr"
    SERVICE = "classic"

    def test_three_packages_are_booked(self):
        self.three_are_booked([3])

    def test_one_is_booked_and_cancelled(self):
        self.one_is_booked_and_cancelled()


@tagged("post_install", "-at_install")
class TestMondialRelay(InFrance):
    PLUGIN = "mondialrelay"
    SERVICE = "HOM"

    def test_a_carrier_that_cancels_nothing_says_so_and_the_booking_stands(self):
        picking = self.picking()
        picking.button_validate()
        self.assertEqual(len(self.booked()), 1)
        self.assertEqual(len(self.labels(picking)), 1)

        with self.assertRaises(UserError):
            picking.cancel_shipment()
        self.assertTrue(picking.carrier_tracking_ref)
        self.assertEqual(picking.shipkit_shipment_ids.state, "confirmed")
