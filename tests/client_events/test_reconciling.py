"""What is believed is held against what carriers say now: a report that may be printed, and repairs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipkit.client.events.reconciling import Agreement
from shipkit.errors import InputError, RateLimitedError, UnavailableError
from shipkit.events.comparing import Belief
from shipkit.model import Milestone
from shipkit.settings import Settings
from shipkit.store import MemoryStore
from tests.client_events.courier import CarriersTime, Direct, booked, seconds, simulated, truth
from tests.client_events.stage import Clock, Host, Tracked, event, hosted

ANSWERS: dict[str, Any] = {
    "AC1": [event("in_transit", 3)],
    "AC2": [event("in_transit", 3), event("delivered", 5)],
    "AC3": [event("accepted", 2)],
    "AC4": [event("in_transit", 3), event("lost", 9)],
    "AC5": None,
    "AC6": UnavailableError("down"),
}
QUICK = Settings(attempts=1)


def beliefs() -> list[Belief]:
    told = {
        "AC1": Milestone.IN_TRANSIT,
        "AC2": Milestone.IN_TRANSIT,
        "AC3": Milestone.OUT_FOR_DELIVERY,
        "AC4": Milestone.DELIVERED,
        "AC5": Milestone.ANNOUNCED,
        "AC6": Milestone.ANNOUNCED,
        "AC7": Milestone.DELIVERED,
    }
    return [Belief(number=number, key=f"order-{number}", milestone=milestone) for number, milestone in told.items()]


def follow(host: Host) -> None:
    for number in ANSWERS:
        host.follow(number, account="acme-de", key=f"order-{number}")


@pytest.mark.parametrize("apply", [False, True])
def test_each_belief_is_judged_by_what_the_carrier_says_now(store: Any, kind: str, apply: bool) -> None:
    with hosted(store, kind, carrier=Tracked(answers=ANSWERS.get), settings=QUICK) as host:
        follow(host)
        report = host.reconcile(iter(beliefs()), apply=apply)

        assert {row.judgement.belief.number: row.agreement.value for row in report.rows} == {
            "AC2": "behind", "AC3": "ahead", "AC4": "contradiction", "AC5": "unknown", "AC6": "not_asked",
            "AC7": "not_followed",
        }  # fmt: skip
        assert report.counts[Agreement.AGREES] == 1 and not report.agrees
        assert [row.error for row in report.rows if row.error] == ["not_found", "unavailable"]
        if apply:
            assert (report.repaired, {row.repaired for row in report.rows[:3]}) == (4, {True})
            assert host.milestone("AC2") == "delivered"
            assert report.announcements == len(host.announced()) > 0
            assert host.reconcile(beliefs(), apply=True).repaired == 0
        else:
            assert (report.repaired, host.announced(), host.milestone("AC2")) == (0, [], "")


def test_the_report_is_plain_json_and_a_table(store: Any) -> None:
    with hosted(store, carrier=Tracked(answers=ANSWERS.get), settings=QUICK) as host:
        follow(host)
        report = host.reconcile(beliefs())

        told = json.loads(json.dumps(report.as_dict()))
        assert told["counts"] == {
            "agrees": 1, "behind": 1, "ahead": 1, "contradiction": 1, "unknown": 1, "not_followed": 1, "not_asked": 1,
        }  # fmt: skip
        assert told["rows"][0]["believed"] == "in_transit" and told["rows"][0]["milestone"] == "delivered"
        head, *lines = report.table()
        assert head == ("account", "number", "key", "believed", "carrier", "agreement", "repair")
        assert lines[0] == ("acme-de", "AC2", "order-AC2", "in_transit", "delivered", "behind", "take_over")
        assert {len(line) for line in lines} == {len(head)}


def test_without_beliefs_the_store_is_held_against_the_carriers(store: Any, kind: str) -> None:
    answers = dict(ANSWERS)
    with hosted(store, kind, carrier=Tracked(answers=answers.get), settings=QUICK) as host:
        follow(host)
        host.poll()
        assert host.reconcile(account="acme-de").counts[Agreement.AGREES] == 4
        answers["AC1"] = [event("in_transit", 3), event("delivered", 6)]
        (behind,) = [row for row in host.reconcile().rows if row.agreement is Agreement.BEHIND]
        assert (behind.judgement.belief.number, behind.account) == ("AC1", "acme-de")
        assert host.milestone("AC1") == "in_transit"
        host.reconcile(apply=True)
        assert host.milestone("AC1") == "delivered"


def test_a_correction_by_the_carrier_is_announced_when_it_is_applied(store: Any) -> None:
    answers: dict[str, Any] = {"AC1": [event("in_transit", 3), event("delivered", 5)]}
    with hosted(store, carrier=Tracked(answers=answers.get)) as host:
        host.follow("AC1", account="acme-de")
        host.poll()
        answers["AC1"] = [*answers["AC1"], event("returning", 8)]
        assert host.reconcile(apply=True).announcements > 0
        assert host.milestone("AC1") == "returning"


def test_a_number_that_nobody_follows_is_asked_for_where_an_account_is_named(store: Any) -> None:
    with hosted(store, carrier=Tracked(answers=ANSWERS.get)) as host:
        belief = Belief(number="ac 2", key="order-2", milestone=Milestone.IN_TRANSIT)
        (row,) = host.reconcile([belief], account="acme-de").rows
        assert row.agreement is Agreement.BEHIND
        assert store.events.walk() == ()

        (row,) = host.reconcile([belief], account="acme-de", apply=True).rows
        assert row.repaired
        assert host.milestone("AC2") == "delivered"
        assert host.state("AC2").key == "order-2"


def test_a_key_stands_for_each_of_its_parcels(store: Any) -> None:
    with hosted(store, carrier=Tracked(answers=ANSWERS.get)) as host:
        for number in ("AC1", "AC2"):
            host.follow(number, account="acme-de", key="order-1")
        report = host.reconcile([Belief(key="order-1", milestone=Milestone.IN_TRANSIT), Belief(key="order-9")])
        assert report.counts == {Agreement.AGREES: 1, Agreement.BEHIND: 1, Agreement.NOT_FOLLOWED: 1}


def test_finished_parcels_are_looked_at_too_where_a_day_is_named(store: Any, clock: Clock) -> None:
    answers: dict[str, Any] = {"AC1": [event("delivered", 5)]}
    with hosted(store, clock=clock, carrier=Tracked(answers=answers.get)) as host:
        began = clock.at
        host.follow("AC1", account="acme-de")
        for _ in range(6):
            host.poll()
            clock.on(86_400)
        assert host.state("AC1").finished_at is not None
        assert host.reconcile().counts == {}
        answers["AC1"] = [event("delivered", 5), event("returning", 30)]
        assert host.reconcile(since=began, apply=True).counts == {Agreement.BEHIND: 1}
        assert host.state("AC1").finished_at is None
        clock.on(86_400)
        assert host.poll().taken == 1, "it is asked for again"


def test_an_account_that_takes_no_more_is_not_asked_any_further(store: Any) -> None:
    carrier = Tracked(answers=lambda number: RateLimitedError("too many"))
    with hosted(store, carrier=carrier, settings=Settings(attempts=1, list_concurrency=2)) as host:
        for index in range(300):
            host.follow(f"AC{index}", account="acme-de")
        report = host.reconcile(apply=True)
        assert report.counts == {Agreement.NOT_ASKED: 300}
        assert len(carrier.asked) <= 2
        assert {host.state(f"AC{index}").failures for index in range(300)} == {0}


def test_an_account_that_there_is_none_of_is_refused() -> None:
    with hosted(MemoryStore()) as host, pytest.raises(InputError):
        host.reconcile([Belief(number="AC1")], account="other")


@pytest.mark.slow
def test_hundreds_of_parcels_whose_pushes_and_polls_all_failed_are_put_right_at_once() -> None:
    with simulated(Direct) as (sim, carrier):
        time = CarriersTime(sim)
        numbers = booked(sim, 300)
        with hosted(MemoryStore(clock=time), clock=time, carrier=carrier) as host:
            for number in numbers:
                host.follow(number, account="acme-de", since=time.now())
            sim.advance(seconds(hours=50))
            believed = [Belief(number=number, milestone=Milestone.ANNOUNCED) for number in numbers]
            report = host.reconcile(believed, apply=True)

            assert report.counts == {Agreement.BEHIND: 300} and report.repaired == 300
            assert all(host.milestone(number) == truth(sim, number).value for number in numbers)
            assert host.reconcile().counts == {Agreement.AGREES: 300}
