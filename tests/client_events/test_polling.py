"""Asking by plan: every parcel ends in its true state, whatever fails, and nobody is asked for nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import Client
from shipkit.client.events.polling import Found
from shipkit.errors import NotFoundError, UnavailableError
from shipkit.events.plans import Standing
from shipkit.settings import Settings
from shipkit.store import MemoryStore, SqliteStore
from tests.client_events.courier import (
    SECRET,
    Batcher,
    CarriersTime,
    Courier,
    Direct,
    booked,
    seconds,
    simulated,
    truth,
)
from tests.client_events.stage import Clock, Host, Tracked, event, hosted

QUICK = Settings(attempts=1, breaker_failures=3, list_concurrency=4)


class Kill(BaseException):
    """The process is gone."""


def rounds(host: Host) -> int:
    """Ask until nothing is due; how many parcels that were."""
    taken = 0
    while (polled := host.poll()).taken:
        taken += polled.taken
    return taken


def test_what_is_due_is_asked_for_and_written_and_announced(store: Any, kind: str, clock: Clock) -> None:
    answers = {"AC1": [event("in_transit", 3)], "AC2": [event("delivered", 5)], "AC3": None}
    with hosted(store, kind, clock=clock, carrier=Tracked(answers=answers.get)) as host:
        for number in answers:
            host.follow(number, account="acme-de", key=f"order-{number}")
        polled = host.poll()

        assert {one.scope.split(":")[1]: one.found for one in polled.parcels} == {
            "AC1": Found.NEWS, "AC2": Found.NEWS, "AC3": Found.NOT_FOUND,
        }  # fmt: skip
        assert (host.milestone("AC1"), host.milestone("AC2")) == ("in_transit", "delivered")
        assert polled.announcements == len(host.announced()) >= 4
        assert host.poll().taken == 0
        assert all((host.state(number).next_poll_at or clock.at) > clock.at for number in answers)
        assert isinstance(next(one.error for one in polled.parcels if one.error), NotFoundError)

        clock.on(86_400 * 2)
        again = host.poll()
        assert [one.found for one in again.parcels if one.found is not Found.NOT_FOUND] == [Found.SAME, Found.SAME]
        assert again.announcements == 0
        assert host.state("AC1").polls == 1


def test_one_bad_number_costs_the_others_nothing(store: Any, clock: Clock) -> None:
    def answers(number: str) -> Any:
        if number == "AC1":
            raise RuntimeError("a plugin that is broken for one number")
        return UnavailableError("down") if number == "AC2" else [event("in_transit", 3)]

    with hosted(store, clock=clock, carrier=Tracked(answers=answers), settings=QUICK) as host:
        for index in range(1, 9):
            host.follow(f"AC{index}", account="acme-de")
        polled = host.poll()

        assert (polled.count(Found.NEWS), polled.count(Found.FAILED)) == (6, 2)
        assert {one.error.code for one in polled.parcels if one.error} == {"plugin", "unavailable"}
        assert [host.state(f"AC{index}").failures for index in (1, 2, 3)] == [1, 1, 0]


def test_a_state_that_moved_meanwhile_is_read_again(store: Any, clock: Clock) -> None:
    """The answer is older than a push which was processed between the question and the write."""
    host: Host

    def answers(number: str) -> Any:
        host.push({"number": number, "events": [event("out_for_delivery", 4)]})
        host.drain()
        return [event("in_transit", 3)]

    with hosted(store, clock=clock, carrier=Tracked(answers=answers)) as host:
        host.follow("AC1", account="acme-de")
        host.poll()

        assert host.milestone("AC1") == "out_for_delivery"
        assert len(host.timeline("AC1", account="acme-de").events) == 2


def test_an_unknown_number_is_given_up_in_the_end_and_a_known_one_that_is_forgotten_too(clock: Clock) -> None:
    answers: dict[str, Any] = {"AC1": None, "AC2": [event("in_transit", 3)]}
    with hosted(MemoryStore(clock=clock), clock=clock, carrier=Tracked(answers=answers.get)) as host:
        host.follow("AC1", account="acme-de")
        host.follow("AC2", account="acme-de")
        rounds(host)
        answers["AC2"] = None
        said: list[Standing] = []
        for _ in range(20 * 24):
            clock.on(3_600)
            said += [one.standing for one in host.poll().parcels]

        assert {Standing.MISSING, Standing.NEVER_KNOWN, Standing.FORGOTTEN} <= set(said)
        assert [host.state(number).next_poll_at for number in answers] == [None, None]
        assert all(host.state(number).finished_at for number in answers)
        assert host.milestone("AC2") == "in_transit"
        asked = len(host.client.accounts["acme-de"].asked)
        clock.on(86_400 * 30)
        assert host.poll().taken == 0
        assert asked < 80


def test_a_parcel_of_an_account_that_is_not_here_waits(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    with hosted(store, clock=clock) as host:
        host.follow("AC1", account="acme-de")
    with hosted(store, clock=clock, accounts={"acme-fr": Tracked()}) as other:
        assert other.poll().taken == 0
    with hosted(store, clock=clock, carrier=Tracked(answers=lambda number: [event("accepted", 1)])) as host:
        assert host.poll().count(Found.NEWS) == 1


def test_two_pollers_do_not_ask_for_the_same_parcel(store: Any, clock: Clock) -> None:
    other: Host
    taken: list[int] = []

    def answers(number: str) -> Any:
        taken.append(other.poll().taken)
        return [event("in_transit", 3)]

    with hosted(store, clock=clock, carrier=Tracked(answers=answers)) as one, hosted(store, clock=clock) as other:
        one.follow("AC1", account="acme-de")
        assert one.poll().taken == 1
    assert taken == [0]


def test_a_poller_that_is_killed_between_question_and_write_loses_nothing(store: Any, clock: Clock) -> None:
    carrier = Tracked(answers=lambda number: [event("delivered", 5)])
    with hosted(store, clock=clock, carrier=carrier) as host:
        host.follow("AC1", account="acme-de")
        commit = type(store.events).commit
        with pytest.MonkeyPatch.context() as patched:

            def killed(*_: Any) -> bool:
                raise Kill

            patched.setattr(type(store.events), "commit", killed)
            with pytest.raises(Kill):
                host.poll()
        assert type(store.events).commit is commit
        assert host.milestone("AC1") == "" and host.poll().taken == 0
        clock.on(host.client.settings.poll_lease_s + 1)
        assert host.poll().count(Found.NEWS) == 1
        assert len(host.announced()) == len(set(host.announced()))


@pytest.mark.slow
@pytest.mark.parametrize(("lost", "make", "count"), [("all", Courier, 25), ("all", Direct, 200), ("half", Direct, 200)])
def test_every_parcel_ends_in_its_true_state_without_pushes_or_with_half_of_them(
    lost: str, make: Any, count: int, tmp_path: Path
) -> None:
    """Hundreds of parcels on every way, refused and returned ones too, in the carrier's own time."""
    with simulated(make) as (sim, carrier):
        time = CarriersTime(sim)
        store: Any = SqliteStore(tmp_path / "s.db", clock=time) if make is Courier else MemoryStore(clock=time)
        sim.world.subscribe(subscription_id="h", url="http://127.0.0.1:9/", credential=SECRET)
        numbers = booked(sim, count)
        fed = wrong = asked = 0
        with hosted(store, clock=time, carrier=carrier) as host:
            for number in numbers:
                host.follow(number, account="acme-de", key=f"order-{number}", since=time.now())
            for hour in range(0, 9 * 24, 3):
                sim.advance(seconds(hours=3))
                pushes = sim.pushes()[fed:]
                fed += len(pushes)
                for push in pushes if lost == "half" else ():
                    if push.id % 2:
                        assert host.receive("acme-de", dict(push.push.headers), push.push.body).taken
                host.drain()
                asked += rounds(host)
                states = [(host.state(number), truth(sim, number)) for number in numbers] if hour % 48 == 0 else []
                wrong += sum(_ahead(row, true) for row, true in states)
            finals = {number: (host.milestone(number), truth(sim, number).value) for number in numbers}
            rows = [host.state(number) for number in numbers]

        assert {number: pair for number, pair in finals.items() if pair[0] != pair[1]} == {}
        assert wrong == 0, "a state that the parcel is not in yet"
        assert {true for _, true in finals.values()} == {"delivered", "returned"}
        assert all(row.finished_at is not None and row.next_poll_at is None for row in rows)
        assert asked < count * 30
        assert (sum(row.missed for row in rows) > 0) == (lost == "half")
        store.close()


def _ahead(row: Any, true: Any) -> bool:
    known = row.timeline.milestone if row.timeline is not None else None
    return known is not None and known.terminal and known is not true


def test_a_carrier_that_is_down_for_hours_is_left_alone_and_nothing_is_lost(tmp_path: Path) -> None:
    with simulated() as (sim, carrier):
        time = CarriersTime(sim)
        store = SqliteStore(tmp_path / "s.db", clock=time)
        numbers = booked(sim, 60, "delivered")
        with hosted(store, clock=time, carrier=carrier, settings=QUICK) as host:
            for number in numbers:
                host.follow(number, account="acme-de", since=time.now())
            fault = sim.add_fault("503", operation="track", times=None)
            down = 0
            for _ in range(24):
                sim.advance(seconds(hours=1))
                polled = host.poll()
                down += polled.count(Found.FAILED)
                assert polled.count(Found.NEWS) == 0
                assert polled.count(Found.PUT_OFF) + polled.count(Found.FAILED) == polled.taken
            requests = [one for one in sim.requests() if one.operation == "track"]
            assert 0 < down <= len(requests) < 24 * 12, "an open breaker lets nothing through"
            sim.faults.remove(fault)
            _close_breakers(host)
            for _ in range(6 * 24):
                sim.advance(seconds(hours=1))
                rounds(host)
            assert {host.milestone(number) for number in numbers} == {"delivered"}
        store.close()


def _close_breakers(host: Host) -> None:
    """The breaker keeps the machine's time, which stands still beside the carrier's."""
    for account in host.client._desk.accounts.values():
        account.state.usages.clear()


def test_an_account_that_is_asked_too_often_is_asked_no_more_this_round(store: Any) -> None:
    with simulated() as (sim, carrier):
        numbers = booked(sim, 40, "delivered")
        sim.add_fault("429", operation="track", skip=10, times=None, retry_after_s=600)
        with hosted(store, carrier=carrier, settings=QUICK) as host:
            for number in numbers:
                host.follow(number, account="acme-de")
            polled = host.poll()

            assert polled.stopped["acme-de"].code == "rate_limited"
            assert polled.count(Found.NEWS) == 10
            assert polled.count(Found.PUT_OFF) == 30
            assert polled.count(Found.FAILED) == 0
            assert {host.state(number).failures for number in numbers} == {0}
            assert len([one for one in sim.requests() if one.operation == "track"]) <= 14


def test_many_numbers_go_in_the_batches_that_the_carrier_takes(kind: str, clock: Clock) -> None:
    with simulated(Batcher) as (sim, carrier):
        numbers = [*booked(sim, 95, "delivered"), "AC-BAD-1", "AC-BAD-2"]
        sim.clock.advance(seconds(days=3))
        with hosted(MemoryStore(clock=clock), kind, clock=clock, carrier=carrier) as host:
            for number in numbers:
                host.follow(number, account="acme-de")
            polled = host.poll()

            assert (polled.count(Found.NEWS), polled.count(Found.NOT_FOUND)) == (95, 2)
            assert [one.operation for one in sim.requests() if one.operation != "token"] == ["track_many"] * 10
            assert {host.milestone(number) for number in numbers[:95]} == {"delivered"}


def test_a_batch_that_is_refused_for_one_number_is_asked_number_by_number(clock: Clock) -> None:
    with simulated(Batcher) as (sim, carrier):
        numbers = [*booked(sim, 20, "delivered"), "MALFORMED"]
        sim.dialect.refuses = "MALFORMED"  # type: ignore[attr-defined]
        with hosted(MemoryStore(clock=clock), clock=clock, carrier=carrier) as host:
            for number in numbers:
                host.follow(number, account="acme-de")
            polled = host.poll()

            assert (polled.count(Found.NEWS), polled.count(Found.NOT_FOUND)) == (20, 1)


@pytest.mark.slow
@pytest.mark.parametrize("make", [Courier, Batcher])
def test_thousands_of_numbers_are_tracked_with_an_outcome_for_each(make: Any) -> None:
    with simulated(make) as (sim, carrier):
        good = booked(sim, 4_900, "delivered")
        numbers = [
            number for index, one in enumerate(good) for number in ([one, f"BAD{index}"] if index % 49 == 0 else [one])
        ]
        assert len(numbers) == 5_000
        with Client({"acme-de": carrier}) as client:
            outcomes = client.track(numbers, account="acme-de", deadline_s=300)

        assert [one.index for one in outcomes] == list(range(5_000))
        assert all(
            (one.error is not None) == number.startswith("BAD") for number, one in zip(numbers, outcomes, strict=True)
        )
        assert {type(one.error) for one in outcomes if one.error} == {NotFoundError}
        assert [str(one.value.tracking_number) for one in outcomes if one.value] == good


def test_a_hosts_own_plan_decides(clock: Clock) -> None:
    from shipkit.events.plans import DEFAULT_PLAN

    plan = attrs.evolve(DEFAULT_PLAN, asks=False)
    with hosted(MemoryStore(clock=clock), clock=clock, poll_plans={"acme-de": plan}) as host:
        assert host.follow("AC1", account="acme-de").next_poll_at is None
    slow = attrs.evolve(DEFAULT_PLAN, least_s=7 * 86_400, spread=0)
    with hosted(MemoryStore(clock=clock), clock=clock, poll_plans={"": slow}) as host:
        host.follow("AC1", account="acme-de")
        host.poll()
        assert host.state("AC1").next_poll_at == clock.at + timedelta(days=7)


def test_of_a_long_list_only_as_many_calls_exist_as_may_be_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the list, but for its outcomes."""
    from shipkit.client.desk import Desk

    under_way: list[int] = []
    calling = Desk.calling

    def counted(*given: Any, **named: Any) -> Any:
        under_way.append(1)
        live.append(sum(under_way))
        try:
            return (yield from calling(*given, **named))
        finally:
            under_way.pop()

    live: list[int] = []
    monkeypatch.setattr(Desk, "calling", counted)
    with Client({"acme-de": Tracked(answers=lambda number: [])}) as client:
        outcomes = client.track([f"AC{index}" for index in range(500)], account="acme-de")
        assert len(outcomes) == len(live) == 500
        assert max(live) <= client.settings.list_concurrency


def test_a_round_is_seen_by_account(store: Any, clock: Clock) -> None:
    answers = {"AC1": [event("in_transit", 3)], "AC2": None}
    with hosted(store, clock=clock, carrier=Tracked(answers=answers.get)) as host:
        for number in answers:
            host.follow(number, account="acme-de")
        host.poll()
        (seen,) = [one for one in host.seen if one.kind == "polled"]
        assert (seen.account, seen.carrier, seen.error, seen.value) == ("acme-de", "acme", "", 2)
        assert seen.elapsed_s >= 0
