"""Several transfers in one click: what one of them meets costs the others nothing."""

from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from shipkit import errors

from .test_shipping import Shipping

_FAILURES = (
    errors.InputError("not this"),
    errors.RejectedError("no", carrier_code="120100"),
    errors.AuthenticationError("who are you"),
    errors.RateLimitedError("later"),
    errors.UnavailableError("down"),
    errors.NotSentError("no route"),
    errors.DeadlineError("no time"),
    errors.NotSupportedError("cannot"),
    errors.InDoubtError("maybe", key="k"),
    errors.InDoubtError("maybe", key="k", needs_person=True),
    errors.ConflictError("other data", key="k"),
    errors.LabelPendingError("later", key="k"),
    errors.ReplyError("what"),
    errors.StoreError("no disk"),
    errors.PluginError("broken"),
    errors.OutcomeUnknownError("?"),
)


@tagged("post_install", "-at_install")
class TestBatch(Shipping):
    def failing(self, picking, error):
        """*picking* meets *error* in place of its booking; the others are booked."""
        book = type(self.carrier)._shipkit_book

        def maybe(method, transfer, request):
            if transfer == picking:
                raise error
            return book(method, transfer, request)

        self.patch(type(self.carrier), "_shipkit_book", maybe)

    def test_an_error_at_the_first_is_shown_and_nothing_is_done(self):
        for error in _FAILURES:
            with self.subTest(error=type(error).__name__):
                first, second = self.picking(), self.picking()
                self.failing(first, error)
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    (first | second).button_validate()
                (first | second).invalidate_recordset()
                self.assertEqual((first | second).mapped("state"), ["assigned", "assigned"])
                self.assertFalse(self.booked())

    def test_an_error_at_the_second_leaves_the_first_with_its_label(self):
        for error in _FAILURES:
            with self.subTest(error=type(error).__name__):
                first, second = self.picking(), self.picking()
                self.failing(second, error)
                (first | second).button_validate()

                self.assertEqual((first | second).mapped("state"), ["done", "done"])
                self.assertTrue(first.carrier_tracking_ref)
                self.assertEqual(len(self.labels(first)), 1)
                self.assertFalse(second.carrier_tracking_ref)
                self.assertTrue(second.activity_ids)

    def test_another_worker_has_odoo_run_the_request_again(self):
        picking = self.picking()
        self.failing(picking, errors.InProgressError("busy", key="k"))
        with self.assertRaises(ConcurrencyError), self.env.cr.savepoint():
            picking.button_validate()

    @mute_logger("shipkit.client")
    def test_a_lost_answer_is_found_and_booked_once(self):
        self.simulator.add_fault("drop_after_commit", operation="create_shipment")
        pickings = self.picking() | self.picking()
        pickings.button_validate()

        self.assertEqual(len(self.booked()), 2)
        self.assertEqual(len(set(pickings.mapped("carrier_tracking_ref"))), 2)

    @mute_logger("shipkit.client")
    def test_a_carrier_that_is_busy_sells_nothing_and_the_next_click_ships(self):
        fault = self.simulator.add_fault("429", operation="create_shipment", times=None)
        picking = self.picking()
        with self.assertRaisesRegex(UserError, "nothing was bought"), self.env.cr.savepoint():
            picking.button_validate()
        self.assertFalse(self.booked())
        self.simulator.faults.remove(fault)
        picking.invalidate_recordset()

        picking.button_validate()
        self.assertEqual(len(self.booked()), 1)

    def test_many_transfers_cost_the_same_number_of_statements_each(self):
        def statements(count):
            pickings = self.env["stock.picking"].union(*(self.picking() for _ in range(count)))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            pickings._send_confirmation_email()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        statements(1)
        few, many = statements(2), statements(10)
        self.assertLess(many / 10, few / 2 * 1.2)
