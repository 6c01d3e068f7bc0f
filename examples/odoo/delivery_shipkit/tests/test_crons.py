"""Scheduled work on parcels: one carrier that fails stops no other, what is done stays done, silence is told once."""

from unittest.mock import patch

import attrs
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from shipkit.client.events.ends import Processed
from shipkit.client.events.polling import Asked, Found, Polled
from shipkit.client.events.watching import Silence
from shipkit.errors import AuthenticationError
from shipkit.ports.events import Unsent

from .common import SECRET, ShipkitCase
from .tracked import Tracked

JOBS = "odoo.addons.delivery_shipkit.models.jobs"


@tagged("post_install", "-at_install")
class TestCrons(Tracked, ShipkitCase):
    def make_due(self, *shipments):
        """The carriers are to be asked for the parcels of *shipments* now."""
        store, names = self.events_store(), {shipment.parcel_ids.name for shipment in shipments}
        rows = store.find([(shipment.plugin, shipment.parcel_ids.name) for shipment in shipments])
        self.assertEqual({row.number for row in rows}, names)
        return patch.object(type(store), "due", _once(rows))

    def test_what_was_booked_is_followed_though_nobody_said_so(self):
        _, shipment = self.shipped(follow=False)
        key = f"{self.client.settings.namespace}/{shipment.key}"
        self.assertFalse(self.events_store().of_key(key))
        self.run_job("cron_follow")
        self.assertEqual([row.number for row in self.events_store().of_key(key)], [shipment.parcel_ids.name])
        self.assertTrue(self.env["ir.config_parameter"].get_param("delivery_shipkit.followed_at"))

    def test_a_carrier_that_is_down_stops_no_other(self):
        other_simulator = self.simulated("easypost")
        other = self.account_at("easypost", other_simulator)
        _, down = self.shipped(carrier=self.carrier_by(other, "USPS/Priority"))
        _, up = self.shipped()
        for simulator, shipment in ((other_simulator, down), (self.simulator, up)):
            simulator.world.hurry(shipment.parcel_ids.name, _kind("delivered"))
            simulator.advance(3600)
        other_simulator.stop()
        with self.make_due(down, up), mute_logger("shipkit.client"):
            self.run_job("cron_follow")
        self.run_job("cron_process")
        self.assertEqual((down.milestone, up.milestone), ("announced", "delivered"))

    def test_an_account_that_its_carrier_refuses_is_told_to_the_administrator_once(self):
        code = self.account.code
        asked = (Asked(scope="ups:1Z:2026-11-24", account=code, found=Found.PUT_OFF),)
        refused = Polled(parcels=asked, stopped={code: AuthenticationError("the token is refused")})
        for answer, told in ((refused, 1), (refused, 1), (Polled(parcels=asked), 0)):
            answers = [Polled(), answer]
            with patch.object(type(self.client.events), "poll", lambda _self, left=answers: left.pop()):
                self.run_job("cron_follow")
            self.assertEqual(len(self.account.activity_ids), told)

    def test_a_database_without_accounts_has_nothing_to_do(self):
        accounts = self.env["shipkit.account"]
        with patch.object(type(accounts), "search_count", lambda *_, **__: 0), patch(f"{JOBS}.client_of") as client_of:
            for job in ("_process", "_follow", "_watch"):
                getattr(self.env["shipkit.jobs"], job)()
        client_of.assert_not_called()

    def test_what_is_cancelled_is_asked_for_no_more(self):
        _, shipment = self.shipped()
        scope = self.events_store().find((("ups", shipment.parcel_ids.name),))[0].scope
        self.assertTrue(self.events_store().parcels((scope,))[0].next_poll_at)
        shipment.state = "voided"
        self.assertFalse(self.events_store().parcels((scope,))[0].next_poll_at)

    def test_a_job_whose_time_is_over_goes_on_in_the_next_run(self):
        rounds = []
        events = type(self.client.events)
        one = attrs.evolve(Processed(), taken=1, ignored=1)

        def process(_self, limit=None):
            rounds.append(1)
            return one if len(rounds) < 50 else Processed()

        patched = (patch.object(events, "process", process), patch(f"{JOBS}._BUDGET_S", 0.0))
        with patched[0], patched[1], self.enter_registry_test_mode(), self.registry.cursor() as cursor:
            self.env(cr=cursor)["shipkit.jobs"]._process()
        self.assertEqual(len(rounds), 1)

    def test_silence_is_told_once_and_ends_by_itself(self):
        silence = Silence(
            account=self.account.code, carrier="ups", heard_at=None, silent=True, open_parcels=3, missed_parcels=0
        )
        events = type(self.client.events)
        for _ in range(3):
            with patch.object(events, "silent", lambda _self: (silence,)):
                self.run_job("cron_watch")
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertIn("No push of ups for 3 parcels", self.account.activity_ids.note)
        with patch.object(events, "silent", lambda _self: ()):
            self.run_job("cron_watch")
        self.assertFalse(self.account.activity_ids)


def _once(rows):
    """Of a store's questions for what is due, the first is answered with *rows*."""
    left = [tuple(rows)]

    def due(_self, _lease_s, _limit, accounts=()):
        return left.pop() if left else ()

    return due


def _kind(name):
    from shipkit.simulator.triggering import TRIGGERS

    return TRIGGERS[name]


@tagged("post_install", "-at_install")
class TestInbox(Tracked, ShipkitCase):
    """What waits for a person is listed without a word of it, and read again at the press of a button."""

    PLUGIN = "easypost"
    SERVICE = "USPS/Priority"

    def receive(self, body):
        from shipkit.webhooks import preset

        headers = {"X-Hmac-Signature": preset("easypost").signature(body, SECRET)}
        return self.client.events.receive(self.account.code, headers, body)

    def rows(self):
        self.env["shipkit.inbox"].action_open()
        return self.env["shipkit.inbox"].search([("account", "=", self.account.code)])

    def test_a_push_that_cannot_be_read_is_listed_and_read_again(self):
        self.receive(b'{"object": "Event", "description": "tracker.updated", "result": {"secret of": "Ada"}}')
        self.run_job("cron_process")
        row = self.rows()
        self.assertEqual((row.kind, row.error, row.body_kept), ("dead", "bad_reply", True))
        self.assertNotIn("Ada", str(row.read()))
        row.action_replay()
        self.assertEqual(self.rows(), row)  # nobody has changed the tables meanwhile

    def test_a_push_of_a_parcel_that_nobody_follows_waits_for_it(self):
        picking, shipment = self.shipped(follow=False)
        self.simulator.world.hurry(shipment.parcel_ids.name, _kind("delivered"))
        self.simulator.advance(3600)
        for push in self.pushes_of(shipment):
            self.client.events.receive(self.account.code, push.headers, push.body)
        self.run_job("cron_process")
        self.assertEqual(set(self.rows().mapped("kind")), {"parked"})
        self.run_job("cron_follow")
        self.run_job("cron_process")
        self.assertFalse(self.rows())
        self.assertEqual(picking.shipkit_milestone, "delivered")

    def pushes_of(self, shipment):
        world = self.simulator.world
        subscription = world.subscribe(
            subscription_id=f"own-{shipment.id}",
            url="http://127.0.0.1:1/nowhere",
            numbers=(shipment.parcel_ids.name,),
            credential=SECRET,
            account=world.by_number(shipment.parcel_ids.name).account,
        )
        steps = world.parcel(shipment.parcel_ids.name).steps_until_now()
        return [push for step in steps if (push := self.simulator.dialect.pushes(step, subscription)) is not None]

    def test_news_that_odoo_gave_up_on_are_taken_at_the_press_of_the_button(self):
        picking, shipment = self.shipped()
        self.simulator.world.hurry(shipment.parcel_ids.name, _kind("delivered"))
        self.simulator.advance(3600)
        for push in self.pushes_of(shipment):
            self.client.events.receive(self.account.code, push.headers, push.body)
        self.client.events.process()
        store = self.events_store()
        told = store.announcements(scope=shipment.parcel_ids.scope)
        store.settle("odoo", (), [Unsent(number=one.number, error="refused_ValueError", dead=True) for one in told])
        self.run_job("cron_process")
        self.assertEqual(picking.shipkit_milestone, "announced")
        self.env["shipkit.inbox"].action_open()
        own = [("kind", "=", "announcement"), ("number", "in", [one.number for one in told])]
        rows = self.env["shipkit.inbox"].search(own)
        self.assertEqual(set(rows.mapped("error")), {"refused_ValueError"})
        manager = self.env["res.users"].create(
            {"name": "Manager", "login": "manager-5", "group_ids": [(4, self.env.ref("stock.group_stock_manager").id)]}
        )
        rows.with_user(manager).action_replay()
        self.run_job("cron_process")
        self.assertEqual(picking.shipkit_milestone, "delivered")

    def test_only_managers_read_them_again(self):
        clerk = self.env["res.users"].create(
            {"name": "Clerk", "login": "clerk-6", "group_ids": [(4, self.env.ref("stock.group_stock_user").id)]}
        )
        self.receive(b'{"object": "Event", "description": "tracker.updated", "result": {"other": 1}}')
        self.run_job("cron_process")
        rows = self.rows()
        with self.assertRaises(AccessError):
            rows.with_user(clerk).action_replay()
