"""What parcels' evidence makes of transfers: states, lines in the chatter, activities, proofs; whatever came when."""

from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.tests import tagged
from psycopg2.errors import SerializationFailure

from shipkit.model import (
    EventTime,
    Milestone,
    ProofOfDelivery,
    Reason,
    TimeBasis,
    TimePrecision,
    TrackingEvent,
    TrackingNumber,
    TrackResult,
)
from shipkit.model.documents import Document
from shipkit.model.shipments import DocumentFormat

from ..delivery_states import DELIVERY_STATES, delivery_state
from .common import ShipkitCase
from .tracked import Tracked


@tagged("post_install", "-at_install")
class TestTracking(Tracked, ShipkitCase):
    PLUGIN = "easypost"
    SERVICE = "USPS/Priority"

    def told(self, shipment, *happened, parcel=0, proof=None):
        """The carrier answers with this evidence: (hours ago, milestone, reason) each."""
        number = shipment.parcel_ids[parcel].name
        now = datetime.now(timezone.utc).replace(microsecond=0)
        events = tuple(
            TrackingEvent(
                time=EventTime(
                    local=(now - timedelta(hours=hours)).replace(tzinfo=None),
                    precision=TimePrecision.SECOND,
                    offset_min=0,
                    basis=TimeBasis.OFFSET,
                ),
                milestone=milestone and Milestone(milestone),
                reason=Reason(reason) if reason else None,
                code=f"{milestone}-{reason}-{hours}",
                text=f"<b>it is {reason}</b>",
                observed_at=now,
                mapping_version="1",
                native_id=f"{milestone}-{reason}-{hours}",
            )
            for hours, milestone, reason in happened
        )
        result = TrackResult(
            number=TrackingNumber(value=number, carrier=self.PLUGIN),
            events=events,
            complete=False,
            proof=proof,
            received_at=now,
        )
        from shipkit.client.events.polling import take_answers
        from shipkit.flow import Done

        store = self.events_store()
        row = store.find(((self.PLUGIN, number),))[0]
        desk = self.client._event_desk()
        self.client._run(take_answers(desk, (row,), (Done(value=result),)))
        self.run_job("cron_process")

    def activities(self, picking, kind=None):
        found = picking.activity_ids
        return found.filtered(lambda one: one.activity_type_id == self.env.ref(kind)) if kind else found

    def test_a_shipment_is_as_far_as_its_least_advanced_parcel(self):
        picking, shipment = self.shipped(parcels=3)
        self.told(shipment, (3, "in_transit", ""), (1, "delivered", ""), parcel=0)
        self.told(shipment, (3, "in_transit", ""), parcel=1)
        self.told(shipment, (3, "in_transit", ""), parcel=2)
        self.assertEqual(shipment.parcel_ids.mapped("milestone"), ["delivered", "in_transit", "in_transit"])
        self.assertEqual((shipment.milestone, picking.shipkit_milestone), ("in_transit", "in_transit"))
        self.told(shipment, (0, "delivered", ""), parcel=1)
        self.told(shipment, (0, "delivered", ""), parcel=2)
        self.assertEqual(picking.shipkit_milestone, "delivered")
        self.assertEqual(sum("Delivered on" in line for line in self.lines(picking)), 1)

    def test_a_transfer_is_found_by_where_its_parcels_are(self):
        picking, shipment = self.shipped()
        self.told(shipment, (2, "in_transit", ""), (1, "delivery_attempted", "address_incorrect"))
        found = self.env["stock.picking"].search([("shipkit_milestone", "=", "delivery_attempted")])
        self.assertIn(picking, found)
        self.assertIn(picking, self.env["stock.picking"].search([("shipkit_actor", "=", "merchant")]))
        self.assertIn(picking, self.env["stock.picking"].search([("shipkit_problem", "ilike", "address incorrect")]))
        self.assertIn(picking, self.env["stock.picking"].search([("delivery_state", "=", "incident")]))

    def test_the_chatter_has_a_line_for_each_milestone_and_none_for_a_scan(self):
        picking, shipment = self.shipped()
        self.told(shipment, (9, "accepted", "picked_up"))
        for hours in (8, 7, 6):
            self.told(shipment, (hours, "in_transit", "departed_facility"))
        self.told(shipment, (1, "out_for_delivery", ""))
        self.told(shipment, (0, "delivered", ""))
        self.assertEqual(len(shipment.parcel_ids.event_ids), 6)
        said = [line.split(" on ")[0].rpartition(">")[2] for line in self.lines(picking)]
        self.assertEqual(said, ["Handed over", "Delivered"])

    def test_evidence_that_comes_late_corrects_the_state_and_says_so(self):
        picking, shipment = self.shipped()
        self.told(shipment, (5, "accepted", ""), (3, "in_transit", ""), (1, "delivered", ""))
        row = self.events_store().find(((self.PLUGIN, shipment.parcel_ids.name),))[0]
        known = self.client.events.timeline(scope=row.scope).events
        delivered = next(one for one in known if one.milestone is Milestone.DELIVERED)
        self.withdrawn(shipment, delivered.event_id)
        self.assertEqual(picking.shipkit_milestone, "in_transit")
        self.assertFalse(shipment.delivered_at)
        self.assertEqual(picking.delivery_state, "in_transit")
        self.assertTrue(any("Correction" in line and "In transit" in line for line in self.lines(picking)))

    def withdrawn(self, shipment, event_id):
        """The carrier takes an event back."""
        original = TrackingEvent

        def retracting(**values):
            return original(**{**values, "retracts": event_id})

        with patch(f"{__name__}.TrackingEvent", retracting):
            self.told(shipment, (0, None, "information"))

    def test_what_came_before_something_that_was_told_is_no_news(self):
        picking, shipment = self.shipped()
        self.told(shipment, (1, "delivered", ""))
        self.told(shipment, (8, "accepted", ""))
        self.assertEqual(picking.shipkit_milestone, "delivered")
        self.assertEqual(len(self.lines(picking)), 1)
        self.assertEqual(len(shipment.parcel_ids.event_ids), 2)

    def test_a_problem_of_ours_is_an_activity_today_and_closes_with_the_problem(self):
        picking, shipment = self.shipped()
        picking.user_id = self.env["res.users"].create({"name": "Keeper", "login": "keeper-5"})
        self.told(shipment, (4, "in_transit", ""), (3, "in_transit", "address_incorrect"))
        activity = self.activities(picking, "delivery_shipkit.activity_problem")
        self.assertEqual((len(activity), activity.user_id), (1, picking.user_id))
        self.assertEqual(activity.date_deadline, datetime.now(timezone.utc).date())
        self.assertIn("&lt;b&gt;it is address_incorrect", activity.note)
        self.assertEqual(picking.shipkit_actor, "merchant")
        self.told(shipment, (2, "in_transit", "address_incorrect"))
        self.assertEqual(len(self.activities(picking)), 1)
        self.told(shipment, (1, "out_for_delivery", ""))
        self.assertFalse(self.activities(picking))
        self.assertEqual((picking.shipkit_actor, picking.shipkit_problem), ("none", False))

    def test_a_problem_of_others_is_looked_after_later(self):
        picking, shipment = self.shipped()
        self.told(shipment, (4, "in_transit", ""), (3, "in_transit", "missorted"))
        activity = self.activities(picking, "delivery_shipkit.activity_follow_up")
        self.assertEqual(len(activity), 1)
        self.assertGreater(activity.date_deadline, datetime.now(timezone.utc).date() + timedelta(days=1))
        self.assertEqual(picking.shipkit_actor, "carrier")

    def test_what_a_person_has_done_is_not_asked_for_again(self):
        picking, shipment = self.shipped()
        self.told(shipment, (3, "in_transit", "address_incorrect"))
        self.activities(picking).action_feedback("Told them")
        self.told(shipment, (2, "in_transit", "address_incorrect"))
        self.assertFalse(self.activities(picking))

    def test_who_took_it_and_where_it_was_left_stand_on_the_parcel_with_the_document(self):
        picking, shipment = self.shipped()
        local = datetime.fromisoformat("2026-11-20T10:31:00")
        at = EventTime(local=local, precision=TimePrecision.SECOND, offset_min=0, basis=TimeBasis.OFFSET)
        document = Document(kind="proof_of_delivery", format=DocumentFormat.PDF, content=b"%PDF-1.4 proof")
        proof = ProofOfDelivery(delivered_at=at, signed_by="A. Lovelace", place="door", document=document)
        self.told(shipment, (1, "delivered", ""), proof=proof)
        parcel = shipment.parcel_ids
        self.assertEqual((parcel.signed_by, parcel.proof_place), ("A. Lovelace", "door"))
        self.assertTrue(any("A. Lovelace" in line for line in self.lines(picking)))
        kept = parcel.proof_attachment_id
        self.assertEqual((kept.raw, kept.res_id), (b"%PDF-1.4 proof", picking.id))

    def test_a_promise_that_was_not_kept_is_late(self):
        picking, shipment = self.shipped(promised_on=datetime.now(timezone.utc).date() - timedelta(days=2))
        self.run_job("cron_watch")
        self.assertTrue(shipment.late)
        self.assertIn(picking, self.env["stock.picking"].search([("shipkit_late", "=", True)]))
        self.told(shipment, (96, "delivered", ""))
        self.assertFalse(shipment.late)
        self.assertEqual(shipment.delivered_at.date(), shipment.delivered_on)

    def test_oca_s_fields_have_values_that_oca_knows(self):
        values = {value for value, _label in DELIVERY_STATES}
        for milestone in Milestone:
            for reason in (None, *Reason):
                self.assertIn(delivery_state(milestone, reason), values, (milestone, reason))
        self.assertEqual(delivery_state(Milestone.DELIVERED, Reason.DELIVERED_PARTIAL), "incident")
        self.assertEqual(delivery_state(Milestone.DELIVERED, Reason.DELIVERED_TO_NEIGHBOUR), "customer_delivered")
        self.assertEqual(delivery_state(Milestone.ACCEPTED, Reason.PICKED_UP), "in_transit")
        self.assertEqual(delivery_state(Milestone.DELIVERY_ATTEMPTED, None), "incident")
        self.assertEqual(delivery_state(Milestone.IN_TRANSIT, Reason.DELAYED_WEATHER), "in_transit")
        self.assertEqual(delivery_state(Milestone.CANCELLED, None), "canceled_shipment")
        self.assertEqual(delivery_state(Milestone.READY_FOR_PICKUP, None), "warehouse_delivered")
        self.assertEqual(delivery_state(Milestone.IN_TRANSIT, Reason.TRACKING_EXPIRED), "no_update")

    def test_oca_s_fields_of_other_carriers_transfers_are_left_alone(self):
        other = self.picking(carrier=self.env["delivery.carrier"].browse())
        other.write({"delivery_state": "in_transit", "tracking_state_history": "theirs"})
        other._compute_delivery_state()
        other._compute_tracking_history()
        self.assertEqual((other.delivery_state, other.tracking_state_history), ("in_transit", "theirs"))
        picking, shipment = self.shipped()
        self.assertEqual(picking.delivery_state, "shipping_recorded_in_carrier")
        self.told(shipment, (1, "delivered", ""))
        self.assertEqual(picking.delivery_state, "customer_delivered")
        self.assertTrue(picking.date_delivered and picking.date_shipped)
        self.assertIn("delivered", picking.tracking_state_history)

    def test_a_voided_shipment_does_not_hide_the_one_that_followed(self):
        picking, shipment = self.shipped()
        self.told(shipment, (1, "in_transit", ""))
        shipment.state = "voided"
        self.assertEqual((picking.shipkit_milestone, picking.delivery_state), ("cancelled", "canceled_shipment"))


@tagged("post_install", "-at_install")
class TestAnnouncements(Tracked, ShipkitCase):
    """News reaches Odoo once, and what cannot be written stops nothing else."""

    PLUGIN = "easypost"
    SERVICE = "USPS/Priority"

    told = TestTracking.told

    def test_news_that_come_again_are_taken_once(self):
        picking, shipment = self.shipped()
        self.told(shipment, (1, "delivered", ""))
        count = self.env["shipkit.announcement"].search_count([])
        numbers = [one.number for one in self.events_store().announcements(scope=shipment.parcel_ids.scope)]
        self.assertTrue(numbers)
        self.events_store().send_again("odoo", numbers)
        self.run_job("cron_process")
        self.assertEqual(self.env["shipkit.announcement"].search_count([]), count)
        self.assertEqual(len(self.lines(picking)), 1)

    def test_a_parcel_that_cannot_be_written_stops_neither_the_others_nor_the_job(self):
        bad, bad_shipment = self.shipped()
        good, good_shipment = self.shipped()
        cls = type(self.env["shipkit.shipment"])
        project = cls._project

        def broken(shipment):
            if shipment == bad_shipment:
                raise ValueError("this one cannot be written")
            return project(shipment)

        with patch.object(cls, "_project", broken), self.assertLogs("shipkit.publishers", "WARNING"):
            self.told(bad_shipment, (1, "delivered", ""))
            self.told(good_shipment, (1, "delivered", ""))
        self.assertEqual((good.shipkit_milestone, bad.shipkit_milestone), ("delivered", "announced"))
        scope = self.events_store().find((("easypost", bad_shipment.parcel_ids.name),))[0].scope
        numbers = [one.number for one in self.events_store().announcements(scope=scope)]
        self.events_store().send_again("odoo", numbers)
        self.run_job("cron_process")
        self.assertEqual(bad.shipkit_milestone, "delivered")

    def test_a_transfer_that_somebody_writes_at_the_same_time_is_written_after_him(self):
        picking, shipment = self.shipped()
        announcements = type(self.env["shipkit.announcement"])
        take, conflicts = announcements._take, [SerializationFailure(), SerializationFailure()]

        def contended(model, told):
            if conflicts:
                raise conflicts.pop()
            return take(model, told)

        with patch.object(announcements, "_take", contended):
            self.told(shipment, (1, "delivered", ""))
        self.assertEqual((picking.shipkit_milestone, conflicts), ("delivered", []))

    def test_news_of_a_parcel_that_is_not_in_odoo_yet_are_not_lost(self):
        picking, shipment = self.shipped()
        name, key = shipment.parcel_ids.name, shipment.key
        scope = self.events_store().find((("easypost", name),))[0].scope
        shipment.parcel_ids.unlink()
        stand_in = self.env["shipkit.parcel"].new({"name": name})
        self.told(self.env["shipkit.shipment"].new({"parcel_ids": stand_in}), (1, "delivered", ""))
        self.assertTrue(self.env["shipkit.announcement"].search([("scope", "=", scope), ("waiting", "=", True)]))
        self.env["shipkit.parcel"].create({"shipment_id": shipment.id, "name": name, "position": 1})
        self.run_job("cron_process")
        self.assertEqual((picking.shipkit_milestone, shipment.key), ("delivered", key))
        self.assertFalse(self.env["shipkit.announcement"].search([("scope", "=", scope), ("waiting", "=", True)]))
