"""Checks of a store: who may claim, what is evidence, what is due, what is told, and what outlives the store."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from shipkit.ports import Phase
from shipkit.store.audit import EVENTS, broken_at

from .store_events import AGAIN, apply, in_phase
from .store_values import SHIPMENT, VOIDED, WITH_BOTH, WITH_LABEL, World, claim, plain, plain_stray

__all__ = ["LedgerChecks"]

_SECOND = attrs.evolve(WITH_LABEL, shipment_id="S2")


class LedgerChecks:
    """The ledger's table as one caller sees it."""

    def test_times_are_aware_and_the_stores_own(self, world: World) -> None:
        """A row's times are durations added to the store's clock."""
        ledger = world.empty().ledger
        at = datetime.fromtimestamp(world.clock.at, timezone.utc)
        assert ledger.now() == at
        row = ledger.claim(claim())
        assert (row.lease_until, row.settle_at) == (at + timedelta(seconds=70), at + timedelta(seconds=910))
        assert (row.first_sent_at, row.created_at, row.updated_at, row.next_at) == (at, at, at, row.lease_until)

    def test_an_attempt_is_claimed_only_where_the_row_stands_before_it(self, world: World) -> None:
        """Neither again nor ahead of its time; and a later attempt of a key that nobody knows is none."""
        ledger = world.empty().ledger
        in_phase(ledger, Phase.REJECTED, world.clock)
        assert ledger.claim(claim(attempt=1)) is None
        assert ledger.claim(claim(attempt=3)) is None
        assert ledger.claim(claim(attempt=2)) is not None
        assert ledger.claim(claim("unknown", 2)) is None and ledger.read("unknown") is None

    def test_another_payload_waits_until_the_first_was_refused(self, world: World) -> None:
        """What was absent may still have been meant."""
        ledger = world.empty().ledger
        in_phase(ledger, Phase.ABSENT, world.clock, "absent")
        assert ledger.claim(claim("absent", 2, fingerprint="f1:b")) is None
        in_phase(ledger, Phase.REJECTED, world.clock, "rejected")
        assert ledger.claim(claim("rejected", 2, fingerprint="f1:b")) is not None

    def test_attempts_and_sends_end(self, world: World) -> None:
        """What was absent is tried no oftener than allowed; a third send waits until everything is settled."""
        ledger = world.empty().ledger
        in_phase(ledger, Phase.ABSENT, world.clock, "absent")
        assert ledger.claim(claim("absent", 2, attempts_max=1)) is None
        row = ledger.resend(in_phase(ledger, Phase.IN_DOUBT, world.clock), AGAIN)
        ledger.doubt(row, "silence")
        assert ledger.resend(ledger.read("order-1"), AGAIN) is None
        world.clock.at += 2000
        third = ledger.resend(ledger.read("order-1"), AGAIN)
        assert third is not None and third.send == 3 and third.sole, "by then nothing else can be booked"
        ledger.doubt(third, "silence")
        world.clock.at += 2000
        assert ledger.resend(ledger.read("order-1"), AGAIN) is None

    def test_a_key_that_the_carrier_forgets_is_not_sent_again_too_late(self, world: World) -> None:
        """The first send plus the key's life has to lie after the repeat and its settling."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.IN_DOUBT, world.clock)
        assert ledger.resend(row, attrs.evolve(AGAIN, key_ttl_s=900)) is None
        assert ledger.resend(row, attrs.evolve(AGAIN, key_ttl_s=911)) is not None

    def test_who_was_overtaken_takes_nothing_back(self, world: World) -> None:
        """Refusals, absences and what was not sent are believed of the newest send only."""
        ledger = world.empty().ledger
        first = in_phase(ledger, Phase.IN_DOUBT, world.clock)
        ledger.resend(first, attrs.evolve(AGAIN, owner="other"))
        for event in ("not_sent", "doubt", "refuse", "take_over", "needs_person", "absent"):
            world.clock.at += 2000
            assert apply(event, ledger, first) is Phase.IN_FLIGHT, event

    def test_absence_counts_only_when_the_question_was_asked_late_enough(self, world: World) -> None:
        """The moment of the question counts, not that of the answer."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.IN_DOUBT, world.clock)
        asked_at = ledger.now()
        world.clock.at += 5000
        assert ledger.absent(row, asked_at, 3) is None, "an old answer proves nothing"
        assert ledger.absent(row, row.settle_at, 3) is not None

    def test_what_the_carrier_does_not_know_is_undone_only_when_it_was_asked_late_enough(self, world: World) -> None:
        """It may be on its way."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.VOIDING, world.clock)
        assert not ledger.voided(row, VOIDED, ledger.now())
        assert ledger.voided(row, VOIDED, row.settle_at)

    def test_a_booking_is_evidence_whoever_brings_it_and_the_first_one_stays(self, world: World) -> None:
        """Any other one is kept, once, with what came with it, until it is dealt with."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.ABSENT, world.clock)
        assert ledger.book(row, "B1", WITH_BOTH, True) is Phase.SUCCEEDED
        for _ in range(2):
            assert ledger.book(row, "B2", _SECOND, True) is None
        kept, (stray,) = ledger.read("order-1"), ledger.strays("order-1")
        assert kept.booking == "B1" and _value(kept) == _value(attrs.evolve(kept, result=WITH_BOTH))
        assert plain_stray(stray) == plain_stray(attrs.evolve(stray, booking="B2", result=_SECOND, phase="open"))
        assert [one.booking for one in ledger.open_strays(9)] == ["B2"] and not ledger.open_strays(9, "else")
        ledger.end_stray(stray, "voided")
        assert not ledger.open_strays(9) and ledger.strays("order-1")[0].phase == "voided"

    def test_what_was_not_asked_for_is_set_aside_and_shown(self, world: World) -> None:
        """The row stays as it is, and no recovery run takes it for a booking to undo."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.IN_DOUBT, world.clock)
        ledger.set_aside(row, "B7", _SECOND)
        assert [stray.phase for stray in ledger.strays("order-1")] == ["shown"] and not ledger.open_strays(9)
        assert ledger.read("order-1").phase is Phase.IN_DOUBT

    def test_open_bookings_wait_in_order_and_come_back(self, world: World) -> None:
        """What nothing could be done about waits behind the others; what was gone is open when it comes in again."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.SUCCEEDED, world.clock)
        for booking in ("B2", "B3"):
            world.clock.at += 1
            ledger.book(row, booking, _SECOND, True)
        first, second = ledger.open_strays(9)
        assert (first.booking, second.booking) == ("B2", "B3")
        world.clock.at += 1
        ledger.put_last(first)
        assert [stray.booking for stray in ledger.open_strays(9)] == ["B3", "B2"]
        ledger.end_stray(second, "gone")
        assert [stray.booking for stray in ledger.open_strays(9)] == ["B2"]
        ledger.book(row, "B3", _SECOND, True)
        assert {stray.booking for stray in ledger.open_strays(9)} == {"B2", "B3"}

    def test_a_booking_of_a_row_that_the_store_lost_is_written_with_its_row(self, world: World) -> None:
        """A worker may still hold the claim."""
        row = in_phase(world.empty().ledger, Phase.IN_FLIGHT, world.clock)
        ledger = world.empty().ledger
        assert ledger.book(row, "B1", WITH_LABEL, True) is Phase.SUCCEEDED
        kept = ledger.read("order-1")
        assert (kept.booking, kept.attempt) == ("B1", 1) and ledger.claim(claim()) is None

    def test_a_fuller_answer_about_the_same_booking_replaces_a_poorer_one_only(self, world: World) -> None:
        """A label that may be in somebody's hand is not exchanged."""
        ledger = world.empty().ledger
        entry = in_phase(ledger, Phase.IN_FLIGHT, world.clock)
        for value, complete in ((SHIPMENT, False), (WITH_LABEL, True), (SHIPMENT, False), (WITH_BOTH, True)):
            assert ledger.book(entry, "B1", value, complete) is Phase.SUCCEEDED
        kept = ledger.read("order-1")
        assert kept.complete and _value(kept) == _value(attrs.evolve(kept, result=WITH_LABEL))

    def test_documents_that_come_later_are_filled_in_once(self, world: World) -> None:
        """And only into the booking that they belong to."""
        ledger = world.empty().ledger
        entry = in_phase(ledger, Phase.IN_FLIGHT, world.clock)
        ledger.book(entry, "B1", SHIPMENT, False)
        row = ledger.read("order-1")
        ledger.fill(attrs.evolve(row, booking="B2"), WITH_BOTH, True)
        assert not ledger.read("order-1").complete
        ledger.fill(row, WITH_LABEL, True)
        ledger.fill(row, WITH_BOTH, True)
        kept = ledger.read("order-1")
        assert kept.complete and _value(kept) == _value(attrs.evolve(kept, result=WITH_LABEL))

    def test_a_refusal_to_undo_counts_only_for_whoever_asked_last(self, world: World) -> None:
        """What was undone counts for all."""
        ledger = world.empty().ledger
        first = in_phase(ledger, Phase.VOIDING, world.clock)
        second = ledger.want_void("order-1")
        ledger.keep(first, "too late")
        assert ledger.read("order-1").phase is Phase.VOIDING, "another one has asked since"
        ledger.keep(second, "too late")
        assert ledger.read("order-1").phase is Phase.SUCCEEDED
        assert ledger.voided(first, VOIDED, None), "and yet it was undone for the first one"
        assert ledger.read("order-1").phase is Phase.VOIDED

    def test_pieces_are_bought_one_at_a_time_while_their_whole_is_running(self, world: World) -> None:
        """Doubt in one holds up the others; a whole that is undoing, or that nobody knows, has no more bought."""
        ledger = world.empty().ledger
        keys = [f"p#1/{number}" for number in range(1, 12)]
        parent = ledger.plan(claim("p"), [claim(key, parent=("p", 1)) for key in keys])
        assert [piece.key for piece in ledger.pieces(parent)] == keys, "in order, the tenth after the ninth"
        first = ledger.claim(claim(keys[0], parent=("p", 1)))
        assert ledger.claim(claim(keys[1], parent=("p", 1))) is None
        ledger.doubt(first, "silence")
        assert ledger.claim(claim(keys[1], parent=("p", 1))) is None
        ledger.book(first, "B1", SHIPMENT, True)
        assert ledger.claim(claim(keys[1], parent=("p", 1))) is not None
        assert ledger.undo(parent, "rejected A17") is not None
        assert ledger.claim(claim(keys[2], parent=("p", 1))) is None
        assert ledger.read(keys[0]).phase is Phase.VOIDING and ledger.read(keys[1]).void_wanted
        assert ledger.end_parent(ledger.read("p")) is None, "two of its pieces are open"
        assert ledger.claim(claim("q#1/1", parent=("q", 1))) is None

    def test_what_is_due_comes_in_order_and_to_one_recovery_at_a_time(self, world: World) -> None:
        """Longest waiting first; what one holds, nobody else gets."""
        ledger = world.empty().ledger
        for key in ("shop/b", "shop/a", "else/c"):
            in_phase(ledger, Phase.IN_DOUBT, world.clock, key)
            world.clock.at += 1
        in_phase(ledger, Phase.SUCCEEDED, world.clock, "done")
        assert [row.key for row in ledger.due(9)] == ["shop/b", "shop/a", "else/c"]
        assert [row.key for row in ledger.due(1, "shop/", 30)] == ["shop/b"]
        assert [row.key for row in ledger.due(9, "shop/")] == ["shop/a"]
        world.clock.at += 30
        assert [row.key for row in ledger.due(9)] == ["shop/a", "else/c", "shop/b"]

    def test_a_row_is_looked_at_again_when_it_was_said_unless_it_has_moved(self, world: World) -> None:
        """Neither before nor, where nobody wants it, ever."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.IN_DOUBT, world.clock)
        ledger.look_again(row, 60)
        assert not ledger.due(9)
        world.clock.at += 60
        assert len(ledger.due(9)) == 1
        ledger.look_again(row, None)
        assert not ledger.due(9)
        ledger.book(row, "B1", SHIPMENT, False)
        ledger.look_again(row, None)
        assert len(ledger.due(9)) == 1, "it lacks its documents now"

    def test_late_bookings_are_watched_for(self, world: World) -> None:
        """After more than one attempt, until the watch is over; not after the first answer."""
        ledger = world.empty().ledger
        ledger.book(in_phase(ledger, Phase.IN_FLIGHT, world.clock, "once"), "B1", SHIPMENT, True, False)
        in_phase(ledger, Phase.REJECTED, world.clock, "twice")
        again = ledger.claim(claim("twice", 2))
        ledger.book(again, "B2", SHIPMENT, True, False)
        assert ledger.read("once").next_at is None
        assert ledger.read("twice").next_at == again.settle_at
        world.clock.at += 6000
        ledger.want_void("twice")
        ledger.voided(ledger.read("twice"), VOIDED, None)
        assert ledger.read("twice").next_at is None

    def test_what_waits_is_counted_with_the_age_of_the_oldest(self, world: World) -> None:
        """Both queues, always."""
        ledger = world.empty().ledger
        assert _backlog(ledger) == [("in_doubt", 0, 0), ("label_pending", 0, 0)]
        for key in ("shop/a", "shop/b", "else/c"):
            in_phase(ledger, Phase.IN_DOUBT, world.clock, key)
            world.clock.at += 10
        ledger.book(ledger.claim(claim("shop/d")), "B-1", SHIPMENT, False)
        ledger.book(ledger.claim(claim("shop/e")), "B-2", SHIPMENT, True)
        world.clock.at += 5
        assert _backlog(ledger) == [("in_doubt", 3, 35), ("label_pending", 1, 5)]
        assert _backlog(ledger, "shop/") == [("in_doubt", 2, 35), ("label_pending", 1, 5)]
        assert _backlog(ledger, "else/") == [("in_doubt", 1, 15), ("label_pending", 0, 0)]

    def test_keys_are_listed_in_order_page_by_page(self, world: World) -> None:
        """The newest generation of each."""
        ledger = world.empty().ledger
        for key in ("b", "a", "c/1", "c/2"):
            in_phase(ledger, Phase.REJECTED if key == "a" else Phase.SUCCEEDED, world.clock, key)
        ledger.claim(claim("a", 1, 2, instead=True))
        assert [(row.key, row.generation) for row in ledger.entries()] == [("a", 2), ("b", 1), ("c/1", 1), ("c/2", 1)]
        assert [row.key for row in ledger.entries(after="a", limit=2)] == ["b", "c/1"]
        assert [row.key for row in ledger.entries(prefix="c/")] == ["c/1", "c/2"]
        assert [row.key for row in ledger.entries(phases=[Phase.IN_FLIGHT])] == ["a"]

    def test_what_succeeded_is_listed_by_the_time_of_its_last_change(self, world: World) -> None:
        """So that whoever follows what is booked goes on where it stopped."""
        ledger = world.empty().ledger
        began = ledger.now()
        for key in ("b", "a", "x", "c"):
            in_phase(ledger, Phase.REJECTED if key == "x" else Phase.SUCCEEDED, world.clock, key)
        for key in ("a2", "a1"):  # at one moment
            in_phase(ledger, Phase.SUCCEEDED, world.clock, key)
        rows = ledger.succeeded(began)
        assert {row.key for row in rows} == {"a", "a1", "a2", "b", "c"}
        assert [(row.updated_at, row.key) for row in rows] == sorted((row.updated_at, row.key) for row in rows)
        seen: list[str] = []
        since, after = began, ""
        while page := ledger.succeeded(since, after, limit=2):
            seen += [row.key for row in page]
            since, after = page[-1].updated_at, page[-1].key
        assert seen == [row.key for row in rows]
        assert [row.key for row in ledger.succeeded(began, prefix="a")] == [k for k in seen if k.startswith("a")]

    def test_every_event_is_a_line_of_a_whole_trail(self, world: World) -> None:
        """Chained by digests: a line that was changed or taken out is found."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.VOIDING, world.clock)
        ledger.keep(row, "too late")
        ledger.book(row, "B2", SHIPMENT, True)
        steps = ledger.history("order-1")
        assert [step.event for step in steps] == ["claim", "book", "want_void", "keep", "stray"]
        assert {step.event for step in steps} <= set(EVENTS) and steps[3].detail == "too late"
        assert broken_at(steps) is None
        assert broken_at(steps[:1] + steps[2:]) == 3
        assert broken_at((*steps[:1], attrs.evolve(steps[1], booking="B9"), *steps[2:])) == 2

    def test_an_event_that_changes_nothing_is_not_told(self, world: World) -> None:
        """A trail tells what happened."""
        ledger = world.empty().ledger
        row = in_phase(ledger, Phase.SUCCEEDED, world.clock)
        before = plain(row), len(ledger.history("order-1"))
        ledger.refuse(row, "no")
        ledger.book(row, "B1", SHIPMENT, True)
        ledger.close_key("order-1")
        assert (plain(ledger.read("order-1")), len(ledger.history("order-1"))) == before

    def test_a_store_that_lost_its_newest_commits_looks_first(self, world: World) -> None:
        """Rows of which nobody knows what became are in doubt, and for a while unknown keys are."""
        ledger = world.empty().ledger
        for phase in (Phase.IN_FLIGHT, Phase.REJECTED, Phase.SUCCEEDED, Phase.VOIDED):
            in_phase(ledger, phase, world.clock, phase.value)
        assert ledger.restored(100, 900) == 2
        row = ledger.read("in_flight")
        assert (row.phase, row.send, row.sole) == (Phase.IN_DOUBT, 2, False)
        assert row.settle_at == ledger.now() + timedelta(seconds=900)
        world.clock.at += 999
        assert ledger.claim(claim("unknown")) is None and ledger.read("unknown").phase is Phase.IN_DOUBT
        world.clock.at += 2
        assert ledger.claim(claim("later")) is not None

    def test_what_was_written_is_there_when_the_place_is_opened_again(self, world: World) -> None:
        """Rows, documents to the byte, further bookings, the trail and the salt."""
        store = world.empty()
        row = in_phase(store.ledger, Phase.IN_FLIGHT, world.clock)
        store.ledger.book(row, "B1", WITH_BOTH, True)
        store.ledger.book(row, "B2", _SECOND, True)
        before, salt = _all(store.ledger), store.ledger.salt()
        world.close()
        again = world.beside()
        assert _all(again.ledger) == before and again.ledger.salt() == salt
        assert before[0]["result"] == plain(attrs.evolve(row, result=WITH_BOTH))["result"]  # type: ignore[index]
        assert world.empty().ledger.salt() != salt, "marks of two stores never meet"


def _value(row: Any) -> Any:
    return (plain(row) or {})["result"]


def _backlog(ledger: Any, prefix: str = "") -> list[tuple[str, int, int]]:
    return [(one.queue, one.depth, round(one.age_s)) for one in ledger.backlog(prefix)]


def _all(ledger: Any) -> Any:
    steps = [attrs.astuple(step) for step in ledger.history("order-1")]
    return plain(ledger.read("order-1")), [plain_stray(stray) for stray in ledger.strays("order-1")], steps
